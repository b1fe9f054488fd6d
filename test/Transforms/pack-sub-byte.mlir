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

// Rows picked by an index, as experts are: the loop along a row counts bytes.
#row = affine_map<(e, n, k) -> (e)>
#all = affine_map<(e, n, k) -> (e, n, k)>
// CHECK-LABEL: func @gather_rows(
// CHECK-SAME: %[[TABLE:.*]]: tensor<4x6x8xi8>, %[[I:.*]]: tensor<3xi64>) -> tensor<3x6x8xi8>
func.func @gather_rows(%w: tensor<4x6x16xf4E2M1FN>, %ids: tensor<3xi64>) -> tensor<3x6x16xf4E2M1FN> {
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<3x6x8xi8>
  %e = tensor.empty() : tensor<3x6x16xf4E2M1FN>
  // CHECK: linalg.generic {{.*}} ins(%[[I]] : tensor<3xi64>) outs(%[[E]] : tensor<3x6x8xi8>) attrs = {mx.id = 7 : i64}
  // CHECK-NEXT: ^bb0(%[[ID:.*]]: i64, %{{.*}}: i8):
  // CHECK: %[[R:.*]] = arith.index_cast %[[ID]]
  // CHECK: %[[N:.*]] = linalg.index 1
  // CHECK: %[[K:.*]] = linalg.index 2
  // CHECK: tensor.extract %[[TABLE]][%[[R]], %[[N]], %[[K]]] : tensor<4x6x8xi8>
  // CHECK: linalg.yield %{{.*}} : i8
  %0 = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<3xi64>) outs(%e : tensor<3x6x16xf4E2M1FN>) attrs = {mx.id = 7 : i64} {
  ^bb0(%id: i64, %out: f4E2M1FN):
    %r = arith.index_cast %id : i64 to index
    %n = linalg.index 1 : index
    %k = linalg.index 2 : index
    %x = tensor.extract %w[%r, %n, %k] : tensor<4x6x16xf4E2M1FN>
    linalg.yield %x : f4E2M1FN
  } -> tensor<3x6x16xf4E2M1FN>
  return %0 : tensor<3x6x16xf4E2M1FN>
}

// A row or another; rows of 33 codes, whose last byte is half full in both.
#col = affine_map<(m, k) -> (m)>
#id = affine_map<(m, k) -> (m, k)>
// CHECK-LABEL: func @select_rows(
func.func @select_rows(%p: tensor<4xi1>, %a: tensor<4x33xi4>, %b: tensor<4x33xi4>) -> tensor<4x33xi4> {
  // CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : i8
  // CHECK: -> tensor<4x17xi8>
  %e = tensor.empty() : tensor<4x33xi4>
  %0 = linalg.generic {indexing_maps = [#col, #id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %a, %b : tensor<4xi1>, tensor<4x33xi4>, tensor<4x33xi4>) outs(%e : tensor<4x33xi4>) {
  ^bb0(%c: i1, %x: i4, %y: i4, %out: i4):
    %s = arith.select %c, %x, %y : i4
    linalg.yield %s : i4
  } -> tensor<4x33xi4>
  return %0 : tensor<4x33xi4>
}

// Named ops that move rows.
// CHECK-LABEL: func @named(
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<2x3x4xi8>) outs(%{{.*}} : tensor<3x2x4xi8>)
func.func @named(%a: tensor<2x3x16xi2>) -> tensor<3x2x16xi2> {
  %e = tensor.empty() : tensor<3x2x16xi2>
  %0 = linalg.transpose ins(%a : tensor<2x3x16xi2>) outs(%e : tensor<3x2x16xi2>) permutation = [1, 0, 2]
  return %0 : tensor<3x2x16xi2>
}

// Six bits have a byte each, so a position in a row stays one.
// CHECK-LABEL: func @bytes(
// CHECK: linalg.index 1
// CHECK: arith.cmpi
// CHECK: -> tensor<4x7xi8>
func.func @bytes(%a: tensor<?x7xf6E3M2FN>, %b: tensor<4x7xf6E3M2FN>) -> tensor<4x7xf6E3M2FN> {
  %c3 = arith.constant 3 : index
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%b : tensor<4x7xf6E3M2FN>) {
  ^bb0(%out: f6E3M2FN):
    %m = linalg.index 0 : index
    %k = linalg.index 1 : index
    %x = tensor.extract %a[%m, %k] : tensor<?x7xf6E3M2FN>
    %c = arith.cmpi ult, %k, %c3 : index
    %s = arith.select %c, %x, %out : f6E3M2FN
    linalg.yield %s : f6E3M2FN
  } -> tensor<4x7xf6E3M2FN>
  return %0 : tensor<4x7xf6E3M2FN>
}

// CHECK: [[W]]: "0x0100000021035406"
{-#
  dialect_resources: {
    builtin: {
      w: "0x01000000010203040506"
    }
  }
#-}
