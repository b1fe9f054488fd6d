// RUN: mx-opt %s -mx-pack-sub-byte | FileCheck %s
// RUN: mlir-opt --load-dialect-plugin=%mx_plugin --load-pass-plugin=%mx_plugin %s \
// RUN:   --pass-pipeline='builtin.module(mx-pack-sub-byte)' | FileCheck %s

// Ragged: 33 codes take 17 bytes, and there is a scale for the last one.
// CHECK-LABEL: func @quantize(
// CHECK-SAME: %[[X:.*]]: tensor<8x33xf32>) -> (tensor<8x17xi8>, tensor<8x2xf8E8M0FNU>)
func.func @quantize(%x: tensor<8x33xf32>) -> (tensor<8x33xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) {
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<8x17xi8>
  // CHECK: %[[S:.*]] = tensor.empty() : tensor<8x2xf8E8M0FNU>
  %e = tensor.empty() : tensor<8x33xf4E2M1FN>
  %s = tensor.empty() : tensor<8x2xf8E8M0FNU>
  // CHECK: mx.quantize <mxfp4> axis = 1 ins(%[[X]] : tensor<8x33xf32>) outs(%[[E]], %[[S]] : tensor<8x17xi8>, tensor<8x2xf8E8M0FNU>)
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<8x33xf32>)
      outs(%e, %s : tensor<8x33xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) {mx.role = #mx.role<linear>}
      -> tensor<8x33xf4E2M1FN>, tensor<8x2xf8E8M0FNU>
  return %q#0, %q#1 : tensor<8x33xf4E2M1FN>, tensor<8x2xf8E8M0FNU>
}

// CHECK-LABEL: func @dynamic(
// CHECK-SAME: %[[M:.*]]: index, %[[K:.*]]: index) -> tensor<?x?xi8>
func.func @dynamic(%m: index, %k: index) -> tensor<?x?xi4> {
  // CHECK: %[[TWO:.*]] = arith.constant 2 : index
  // CHECK: %[[BYTES:.*]] = arith.ceildivui %[[K]], %[[TWO]] : index
  // CHECK: tensor.empty(%[[M]], %[[BYTES]]) : tensor<?x?xi8>
  %e = tensor.empty(%m, %k) : tensor<?x?xi4>
  return %e : tensor<?x?xi4>
}

// Four codes a byte, and one: six bits are not packed further.
// CHECK-LABEL: func @widths(
// CHECK-SAME: tensor<4x8xi8>, {{.*}}tensor<4x32xi8>, {{.*}}tensor<4x32xi8>, {{.*}}tensor<4x32xf8E4M3FN>)
func.func @widths(%a: tensor<4x32xi2>, %b: tensor<4x32xf6E2M3FN>, %c: tensor<4x32xf6E3M2FN>, %d: tensor<4x32xf8E4M3FN>) {
  return
}

// Codes 1, 2, 3 of a row: 0x21, and 0x03 with a zero in the nibble that is left.
// CHECK-LABEL: func @constants
func.func @constants() -> (tensor<2x3xf4E2M1FN>, tensor<2x4xi2>, tensor<4xi4>, tensor<2x3xf4E2M1FN>) {
  // CHECK-DAG: dense<{{\[\[}}33, 3], [84, 6]]> : tensor<2x2xi8>
  %a = arith.constant dense<[[0x1, 0x2, 0x3], [0x4, 0x5, 0x6]]> : tensor<2x3xf4E2M1FN>
  // CHECK-DAG: dense<{{\[\[}}-28], [27]]> : tensor<2x1xi8>
  %b = arith.constant dense<[[0, 1, 2, 3], [3, 2, 1, 0]]> : tensor<2x4xi2>
  // CHECK-DAG: dense<-69> : tensor<2xi8>
  %c = arith.constant dense<-5> : tensor<4xi4>
  // CHECK-DAG: dense_resource<[[W:.*]]> : tensor<2x2xi8>
  %d = arith.constant dense_resource<w> : tensor<2x3xf4E2M1FN>
  return %a, %b, %c, %d : tensor<2x3xf4E2M1FN>, tensor<2x4xi2>, tensor<4xi4>, tensor<2x3xf4E2M1FN>
}

// CHECK-LABEL: func @slices(
// CHECK-SAME: %[[A:.*]]: tensor<8x33xi8>, %[[B:.*]]: tensor<2x10xi8>)
func.func @slices(%a: tensor<8x65xf4E2M1FN>, %b: tensor<2x20xf4E2M1FN>) -> (tensor<8x65xf4E2M1FN>, tensor<3x33xf4E2M1FN>) {
  // CHECK: tensor.extract_slice %[[A]][1, 16] [3, 17] [1, 1] : tensor<8x33xi8> to tensor<3x17xi8>
  %e = tensor.extract_slice %a[1, 32] [3, 33] [1, 1] : tensor<8x65xf4E2M1FN> to tensor<3x33xf4E2M1FN>
  // CHECK: tensor.insert_slice %[[B]] into %[[A]][0, 2] [2, 10] [1, 1] : tensor<2x10xi8> into tensor<8x33xi8>
  %i = tensor.insert_slice %b into %a[0, 4] [2, 20] [1, 1] : tensor<2x20xf4E2M1FN> into tensor<8x65xf4E2M1FN>
  return %i, %e : tensor<8x65xf4E2M1FN>, tensor<3x33xf4E2M1FN>
}

// CHECK-LABEL: func @reshapes(
func.func @reshapes(%a: tensor<2x4x16xf4E2M1FN>, %b: tensor<?x4x16xf4E2M1FN>) -> (tensor<8x16xf4E2M1FN>, tensor<1x2x4x16xf4E2M1FN>, tensor<?x4x16xf4E2M1FN>, index) {
  // CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]] : tensor<2x4x8xi8> into tensor<8x8xi8>
  %c = tensor.collapse_shape %a [[0, 1], [2]] : tensor<2x4x16xf4E2M1FN> into tensor<8x16xf4E2M1FN>
  // CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0, 1], [2], [3]] output_shape [1, 2, 4, 8] : tensor<2x4x8xi8> into tensor<1x2x4x8xi8>
  %e = tensor.expand_shape %a [[0, 1], [2], [3]] output_shape [1, 2, 4, 16] : tensor<2x4x16xf4E2M1FN> into tensor<1x2x4x16xf4E2M1FN>
  // CHECK: tensor.cast %{{.*}} : tensor<2x4x8xi8> to tensor<?x4x8xi8>
  %d = tensor.cast %a : tensor<2x4x16xf4E2M1FN> to tensor<?x4x16xf4E2M1FN>
  %c0 = arith.constant 0 : index
  // CHECK: tensor.dim %{{.*}}, %{{.*}} : tensor<?x4x8xi8>
  %dim = tensor.dim %b, %c0 : tensor<?x4x16xf4E2M1FN>
  return %c, %e, %d, %dim : tensor<8x16xf4E2M1FN>, tensor<1x2x4x16xf4E2M1FN>, tensor<?x4x16xf4E2M1FN>, index
}

// CHECK-LABEL: func @control_flow(
func.func @control_flow(%a: tensor<4x8xi4>, %lb: index, %ub: index, %p: i1) -> tensor<4x8xi4> {
  // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}) -> (tensor<4x4xi8>)
  %r = scf.for %i = %lb to %ub step %lb iter_args(%x = %a) -> tensor<4x8xi4> {
    // CHECK: scf.if {{.*}} -> (tensor<4x4xi8>)
    %s = scf.if %p -> tensor<4x8xi4> {
      // CHECK: func.call @control_flow({{.*}}) : (tensor<4x4xi8>, index, index, i1) -> tensor<4x4xi8>
      %t = func.call @control_flow(%x, %lb, %ub, %p) : (tensor<4x8xi4>, index, index, i1) -> tensor<4x8xi4>
      scf.yield %t : tensor<4x8xi4>
    } else {
      scf.yield %x : tensor<4x8xi4>
    }
    scf.yield %s : tensor<4x8xi4>
  }
  return %r : tensor<4x8xi4>
}

// CHECK: [[W]]: "0x0100000021035406"
{-#
  dialect_resources: {
    builtin: {
      w: "0x01000000010203040506"
    }
  }
#-}
