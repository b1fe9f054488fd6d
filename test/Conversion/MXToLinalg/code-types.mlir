// RUN: mx-opt %s --convert-mx-to-linalg --split-input-file | FileCheck %s

// Tensors of narrow types become tensors of i8, one code a byte.

// CHECK-LABEL: func.func private @callee(tensor<4x?xi8>, tensor<4xi8>) -> tensor<2xi8>
func.func private @callee(tensor<4x?xf6E3M2FN>, tensor<4xi4>) -> tensor<2xf8E8M0FNU>
// CHECK-LABEL: func.func @signature(
// CHECK-SAME: %[[A:.*]]: tensor<4x?xi8>, %[[B:.*]]: tensor<4xi8>) -> tensor<2xi8>
func.func @signature(%a: tensor<4x?xf6E3M2FN>, %b: tensor<4xi4>) -> tensor<2xf8E8M0FNU> {
  // CHECK: %[[R:.*]] = call @callee(%[[A]], %[[B]]) : (tensor<4x?xi8>, tensor<4xi8>) -> tensor<2xi8>
  %r = call @callee(%a, %b) : (tensor<4x?xf6E3M2FN>, tensor<4xi4>) -> tensor<2xf8E8M0FNU>
  // CHECK: return %[[R]] : tensor<2xi8>
  return %r : tensor<2xf8E8M0FNU>
}

// -----

// Constants keep their bytes, without what stands above a code's bits.

// CHECK-LABEL: func.func @constants
func.func @constants() -> (tensor<4xf4E2M1FN>, tensor<2xf8E8M0FNU>, tensor<3xf8E4M3FN>, tensor<2xi4>, tensor<4xf4E2M1FN>, tensor<4xf6E2M3FN>) {
  // CHECK-DAG: dense<[1, 15, 2, 7]> : tensor<4xi8>
  %a = arith.constant dense<"0x01FFF207"> : tensor<4xf4E2M1FN>
  // CHECK-DAG: dense<127> : tensor<2xi8>
  %b = arith.constant dense<1.0> : tensor<2xf8E8M0FNU>
  // CHECK-DAG: dense<[127, -128, 0]> : tensor<3xi8>
  %c = arith.constant dense<"0x7F8000"> : tensor<3xf8E4M3FN>
  // CHECK-DAG: dense<[15, 7]> : tensor<2xi8>
  %d = arith.constant dense<[-1, 7]> : tensor<2xi4>
  // CHECK-DAG: dense_resource<clean> : tensor<4xi8>
  %e = arith.constant dense_resource<clean> : tensor<4xf4E2M1FN>
  // CHECK-DAG: dense_resource<dirty_1> : tensor<4xi8>
  %f = arith.constant dense_resource<dirty> : tensor<4xf6E2M3FN>
  return %a, %b, %c, %d, %e, %f : tensor<4xf4E2M1FN>, tensor<2xf8E8M0FNU>, tensor<3xf8E4M3FN>, tensor<2xi4>, tensor<4xf4E2M1FN>, tensor<4xf6E2M3FN>
}
// CHECK: clean: "0x01000000010F0203"
// CHECK: dirty_1: "0x{{[0-9]+}}3F010203"
{-#
  dialect_resources: { builtin: {
    clean: "0x01000000010F0203",
    dirty: "0x01000000FF014283"
  } }
#-}

// -----

// Loops, branches and ops that only move elements.

// CHECK-LABEL: func.func @movement
// CHECK-NOT: f4E2M1FN
// CHECK: scf.for {{.*}} -> (tensor<8x16xi8>)
// CHECK: tensor.extract_slice %{{.*}} : tensor<8x16xi8> to tensor<1x16xi8>
// CHECK: tensor.insert_slice %{{.*}} : tensor<1x16xi8> into tensor<8x16xi8>
// CHECK: scf.if {{.*}} -> (tensor<8x16xi8>)
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<8x16xi8>) outs(%{{.*}} : tensor<16x8xi8>) {
// CHECK-NEXT: ^bb0(%[[IN:.*]]: i8, %{{.*}}: i8):
// CHECK-NEXT: linalg.yield %[[IN]] : i8
// CHECK: arith.select %{{.*}} : tensor<16x8xi8>
// CHECK: cf.br ^bb1(%{{.*}} : tensor<16x8xi8>)
// CHECK: return %{{.*}} : tensor<16x8xi8>
func.func @movement(%x: tensor<8x16xf4E2M1FN>, %c: i1) -> tensor<16x8xf4E2M1FN> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %e = tensor.empty() : tensor<8x16xf4E2M1FN>
  %l = scf.for %i = %c0 to %c8 step %c1 iter_args(%acc = %e) -> tensor<8x16xf4E2M1FN> {
    %s = tensor.extract_slice %x[%i, 0] [1, 16] [1, 1] : tensor<8x16xf4E2M1FN> to tensor<1x16xf4E2M1FN>
    %n = tensor.insert_slice %s into %acc[%i, 0] [1, 16] [1, 1] : tensor<1x16xf4E2M1FN> into tensor<8x16xf4E2M1FN>
    scf.yield %n : tensor<8x16xf4E2M1FN>
  }
  %i = scf.if %c -> tensor<8x16xf4E2M1FN> {
    scf.yield %l : tensor<8x16xf4E2M1FN>
  } else {
    scf.yield %x : tensor<8x16xf4E2M1FN>
  }
  %d = tensor.empty() : tensor<16x8xf4E2M1FN>
  %t = linalg.transpose ins(%i : tensor<8x16xf4E2M1FN>) outs(%d : tensor<16x8xf4E2M1FN>) permutation = [1, 0]
  %r = arith.select %c, %t, %d : tensor<16x8xf4E2M1FN>
  cf.br ^exit(%r : tensor<16x8xf4E2M1FN>)
^exit(%y: tensor<16x8xf4E2M1FN>):
  return %y : tensor<16x8xf4E2M1FN>
}

// -----

// What a module computes on narrow scalars itself stays; only its tensors
// change.

// CHECK-LABEL: func.func @scalars(
// CHECK-SAME: %[[X:.*]]: tensor<4xi8>, %[[W:.*]]: tensor<4xi8>) -> (tensor<4xf32>, f8E4M3FN, tensor<4xi8>, tensor<4xf32>)
func.func @scalars(%x: tensor<4xf8E4M3FN>, %w: tensor<4xi4>) -> (tensor<4xf32>, f8E4M3FN, tensor<4xi4>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  // CHECK: linalg.generic {{.*}} ins(%[[X]] : tensor<4xi8>) outs(%{{.*}} : tensor<4xf32>)
  // CHECK-NEXT: ^bb0(%[[IN:.*]]: i8, %{{.*}}: f32):
  // CHECK-NEXT: %[[F:.*]] = arith.bitcast %[[IN]] : i8 to f8E4M3FN
  // CHECK-NEXT: arith.extf %[[F]] : f8E4M3FN to f32
  %e = arith.extf %x : tensor<4xf8E4M3FN> to tensor<4xf32>
  // CHECK: %[[C:.*]] = tensor.extract %[[X]][%{{.*}}] : tensor<4xi8>
  // CHECK: %[[S:.*]] = arith.bitcast %[[C]] : i8 to f8E4M3FN
  %s = tensor.extract %x[%c0] : tensor<4xf8E4M3FN>
  // CHECK: %[[I:.*]] = arith.trunci %{{.*}} : i8 to i4
  // CHECK: %[[O:.*]] = arith.extui %[[I]] : i4 to i8
  // CHECK: tensor.insert %[[O]] into %[[W]][%{{.*}}] : tensor<4xi8>
  %i = tensor.extract %w[%c0] : tensor<4xi4>
  %n = tensor.insert %i into %w[%c0] : tensor<4xi4>
  // CHECK: tensor.pad
  // CHECK: arith.bitcast %{{.*}} : f8E4M3FN to i8
  // CHECK: tensor.yield %{{.*}} : i8
  %p = tensor.pad %x low[1] high[0] {
  ^bb0(%j: index):
    tensor.yield %s : f8E4M3FN
  } : tensor<4xf8E4M3FN> to tensor<5xf8E4M3FN>
  %z = tensor.extract_slice %p[1] [4] [1] : tensor<5xf8E4M3FN> to tensor<4xf8E4M3FN>
  %f = arith.extf %z : tensor<4xf8E4M3FN> to tensor<4xf32>
  return %e, %s, %n, %f : tensor<4xf32>, f8E4M3FN, tensor<4xi4>, tensor<4xf32>
}
