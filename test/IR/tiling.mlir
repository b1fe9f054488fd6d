// RUN: mx-opt %s -transform-interpreter -canonicalize -cse -canonicalize -split-input-file | FileCheck %s

// Upstream's tiling and fusion of mx ops, by transform scripts.

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// K is counted in blocks. A quantise fused into the loops is cloned for its
// elements and for its scales; the clones are equal.
// CHECK-DAG: #[[MAP0:map[0-9]*]] = affine_map<(d0) -> (d0 * 16)>
// CHECK-LABEL: func @matmul
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<64x256xf32>, %[[GX:[a-z0-9]*]]: tensor<f32>, %[[W:[a-z0-9]*]]: tensor<128x256xf4E2M1FN>, %[[SW:[a-z0-9]*]]: tensor<128x16xf8E4M3FN>
func.func @matmul(%x: tensor<64x256xf32>, %gx: tensor<f32>, %w: tensor<128x256xf4E2M1FN>, %sw: tensor<128x16xf8E4M3FN>,
                  %gw: tensor<f32>, %c: tensor<64x128xf32>) -> tensor<64x128xf32> {
  // CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
  // CHECK-DAG: %[[C16:.*]] = arith.constant 16 : index
  // CHECK: scf.for %[[M:[a-z0-9]+]] =
  // CHECK: scf.for %[[N:[a-z0-9]+]] =
  // CHECK: scf.for %[[K:[a-z0-9]+]] = %{{.*}} to %[[C16]] step %[[C2]]
  // CHECK: %[[E:.*]] = affine.apply #[[MAP0]](%[[K]])
  // CHECK: tensor.extract_slice %[[X]][%[[M]], %[[E]]] [32, 32] [1, 1]
  // CHECK: %[[Q:.*]]:2 = mx.quantize <nvfp4> axis = 1 ins(%{{.*}} : tensor<32x32xf32>) amax(%[[GX]] : tensor<f32>)
  // CHECK-NOT: mx.quantize
  // CHECK: tensor.extract_slice %[[W]][%[[N]], %[[E]]] [32, 32] [1, 1]
  // CHECK: tensor.extract_slice %[[SW]][%[[N]], %[[K]]] [32, 2] [1, 1]
  // CHECK: mx.matmul lhs(%[[Q]]#0, %[[Q]]#1, %[[GX]] : tensor<32x32xf4E2M1FN>, tensor<32x2xf8E4M3FN>, tensor<f32>) as <nvfp4>
  %e = tensor.empty() : tensor<64x256xf4E2M1FN>
  %s = tensor.empty() : tensor<64x16xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<64x256xf32>) amax(%gx : tensor<f32>)
      outs(%e, %s : tensor<64x256xf4E2M1FN>, tensor<64x16xf8E4M3FN>) -> tensor<64x256xf4E2M1FN>, tensor<64x16xf8E4M3FN>
  %d = mx.matmul lhs(%q#0, %q#1, %gx : tensor<64x256xf4E2M1FN>, tensor<64x16xf8E4M3FN>, tensor<f32>) as <nvfp4>
      rhs(%w, %sw, %gw : tensor<128x256xf4E2M1FN>, tensor<128x16xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<64x128xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<64x128xf32>
  return %d : tensor<64x128xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %q = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t, %l:3 = transform.structured.tile_using_for %mm tile_sizes [32, 32, 2]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.structured.fuse_into_containing_op %q into %l#2 : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// The same with every extent dynamic: the last block is ragged, and there is
// still one quantise.
// CHECK-DAG: #[[MAP0:map[0-9]*]] = affine_map<(d0)[s0] -> (-d0 + s0 ceildiv 16, 2)>
// CHECK-DAG: #[[MAP1:map[0-9]*]] = affine_map<(d0) -> (d0 * 16)>
// CHECK-DAG: #[[MAP2:map[0-9]*]] = affine_map<(d0, d1)[s0] -> (d1 * -16 + s0, d0 * 16)>
// CHECK-LABEL: func @dynamic
func.func @dynamic(%m: index, %k: index, %blocks: index, %x: tensor<?x?xf32>, %gx: tensor<f32>, %w: tensor<?x?xf4E2M1FN>,
                   %sw: tensor<?x?xf8E4M3FN>, %gw: tensor<f32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: scf.for %[[K:[a-z0-9]+]] = %{{.*}} to %[[END:.*]] step
  // CHECK: %[[S:.*]] = affine.min #[[MAP0]](%[[K]])
  // CHECK: %[[E:.*]] = affine.apply #[[MAP1]](%[[K]])
  // CHECK: affine.min #[[MAP2]](%[[S]], %[[K]])
  // CHECK: mx.quantize
  // CHECK-NOT: mx.quantize
  // CHECK: mx.matmul
  %e = tensor.empty(%m, %k) : tensor<?x?xf4E2M1FN>
  %s = tensor.empty(%m, %blocks) : tensor<?x?xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<?x?xf32>) amax(%gx : tensor<f32>)
      outs(%e, %s : tensor<?x?xf4E2M1FN>, tensor<?x?xf8E4M3FN>) -> tensor<?x?xf4E2M1FN>, tensor<?x?xf8E4M3FN>
  %d = mx.matmul lhs(%q#0, %q#1, %gx : tensor<?x?xf4E2M1FN>, tensor<?x?xf8E4M3FN>, tensor<f32>) as <nvfp4>
      rhs(%w, %sw, %gw : tensor<?x?xf4E2M1FN>, tensor<?x?xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<?x?xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<?x?xf32>
  return %d : tensor<?x?xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %q = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t, %l:3 = transform.structured.tile_using_for %mm tile_sizes [32, 32, 2]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.structured.fuse_into_containing_op %q into %l#2 : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Blocks of 32 and 16: K goes in steps of 32, K = 48 ends in half a step. A
// bias, a batch and a bf16 result, whose K is not tiled.
#lhs = affine_map<(b, m, n, k) -> (b, m, k)>
#rhs = affine_map<(b, m, n, k) -> (k, n)>
#out = affine_map<(b, m, n, k) -> (b, m, n)>
// CHECK-DAG: #[[MAP0:map[0-9]*]] = affine_map<(d0) -> (d0 * 32)>
// CHECK-DAG: #[[MAP1:map[0-9]*]] = affine_map<(d0) -> (d0 * -32 + 48, 32)>
// CHECK-DAG: #[[MAP2:map[0-9]*]] = affine_map<(d0) -> (d0 * 2)>
// CHECK-DAG: #[[MAP3:map[0-9]*]] = affine_map<(d0) -> (d0 * -2 + 3, 2)>
// CHECK-LABEL: func @mixed
// CHECK-SAME: %[[A:[a-z0-9]*]]: tensor<2x64x48xf8E4M3FN>, %[[SA:[a-z0-9]*]]: tensor<2x64x2xf8E8M0FNU>, %[[B:[a-z0-9]*]]: tensor<48x64xf4E2M1FN>, %[[SB:[a-z0-9]*]]: tensor<3x64xf8E8M0FNU>
func.func @mixed(%a: tensor<2x64x48xf8E4M3FN>, %sa: tensor<2x64x2xf8E8M0FNU>, %b: tensor<48x64xf4E2M1FN>, %sb: tensor<3x64xf8E8M0FNU>,
                 %bias: tensor<64xf32>, %c: tensor<2x64x64xbf16>, %f: tensor<2x64x64xf32>) -> (tensor<2x64x64xbf16>, tensor<2x64x64xf32>) {
  // CHECK: scf.for %[[K:[a-z0-9]+]] = %c0 to %c2 step %c1
  // CHECK: %[[E:.*]] = affine.apply #[[MAP0]](%[[K]])
  // CHECK: %[[SIZE:.*]] = affine.min #[[MAP1]](%[[K]])
  // CHECK: tensor.extract_slice %[[A]][0, 0, %[[E]]] [2, 64, %[[SIZE]]]
  // CHECK: tensor.extract_slice %[[SA]][0, 0, %[[K]]] [2, 64, 1]
  // CHECK: %[[SE:.*]] = affine.apply #[[MAP2]](%[[K]])
  // CHECK: %[[SSIZE:.*]] = affine.min #[[MAP3]](%[[K]])
  // CHECK: tensor.extract_slice %[[B]][%[[E]], 0] [%[[SIZE]], 64]
  // CHECK: tensor.extract_slice %[[SB]][%[[SE]], 0] [%[[SSIZE]], 64]
  // CHECK: mx.matmul
  %d = mx.matmul lhs(%a, %sa : tensor<2x64x48xf8E4M3FN>, tensor<2x64x2xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%b, %sb : tensor<48x64xf4E2M1FN>, tensor<3x64xf8E8M0FNU>) as <mxfp4, block = 1x16>
      outs(%f : tensor<2x64x64xf32>) indexing_maps = [#lhs, #rhs, #out] {mx.role = #mx.role<linear>} -> tensor<2x64x64xf32>
  // CHECK: scf.forall (
  // CHECK: tensor.extract_slice %[[A]][0, %{{.*}}, 0] [2, 16, 48]
  // CHECK: mx.matmul {{.*}} bias(%{{.*}} : tensor<32xf32>) outs(%{{.*}} : tensor<2x16x32xbf16>)
  // CHECK: tensor.parallel_insert_slice
  %e = mx.matmul lhs(%a, %sa : tensor<2x64x48xf8E4M3FN>, tensor<2x64x2xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%b, %sb : tensor<48x64xf4E2M1FN>, tensor<3x64xf8E8M0FNU>) as <mxfp4, block = 1x16> bias(%bias : tensor<64xf32>)
      outs(%c : tensor<2x64x64xbf16>) indexing_maps = [#lhs, #rhs, affine_map<(b, m, n, k) -> (n)>, #out] -> tensor<2x64x64xbf16>
  return %e, %d : tensor<2x64x64xbf16>, tensor<2x64x64xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %a, %b = transform.split_handle %mm : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %t, %l = transform.structured.tile_using_for %a tile_sizes [0, 0, 0, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %u, %k = transform.structured.tile_using_forall %b tile_sizes [0, 16, 32, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Square blocks: both dimensions in whole blocks, and again one quantise for
// elements and scales.
#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: func @square
// CHECK-SAME: %{{.*}}: tensor<8x64xbf16>, %[[W:[a-z0-9]*]]: tensor<64x64xf32>
func.func @square(%x: tensor<8x64xbf16>, %w: tensor<64x64xf32>, %g: tensor<f32>, %c: tensor<8x64xf32>) -> tensor<8x64xf32> {
  // CHECK: scf.for %[[N:[a-z0-9]+]] =
  // CHECK: tensor.extract_slice %[[W]][%[[N]], 0] [32, 64]
  // CHECK: mx.quantize <nvfp4_2d> axis = 1 {{.*}} outs(%{{.*}}, %{{.*}} : tensor<32x64xf4E2M1FN>, tensor<2x4xf8E4M3FN>)
  // CHECK-NOT: mx.quantize
  // CHECK: mx.matmul
  %e = tensor.empty() : tensor<64x64xf4E2M1FN>
  %s = tensor.empty() : tensor<4x4xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4_2d> axis = 1 ins(%w : tensor<64x64xf32>) amax(%g : tensor<f32>)
      outs(%e, %s : tensor<64x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>) -> tensor<64x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>
  %d = mx.matmul lhs(%x : tensor<8x64xbf16>) rhs(%q#0, %q#1, %g : tensor<64x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4_2d>
      outs(%c : tensor<8x64xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<8x64xf32>
  return %d : tensor<8x64xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %t, %l = transform.structured.fuse %mm tile_sizes [0, 32, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// The other ops: a scale a row takes tiles of whole rows, a last block may be
// ragged, a transform's groups stay together, a maximum is carried.
// CHECK-DAG: #[[MAP0:map[0-9]*]] = affine_map<(d0) -> (-d0 + 80, 64)>
// CHECK-DAG: #[[MAP1:map[0-9]*]] = affine_map<(d0) -> (d0 floordiv 32)>
// CHECK-DAG: #[[MAP2:map[0-9]*]] = affine_map<(d0) -> (d0 ceildiv 32)>
// CHECK-LABEL: func @others
func.func @others(%x: tensor<64x?xf32>, %y: tensor<64x80xbf16>, %e: tensor<64x?xf8E4M3FN>, %s: tensor<64x1xf32>, %f: tensor<64x80xf4E2M1FN>,
                  %t: tensor<64x3xf8E8M0FNU>, %o: tensor<64x80xf32>, %a: tensor<f32>)
    -> (tensor<64x?xf8E4M3FN>, tensor<64x1xf32>, tensor<64x80xf4E2M1FN>, tensor<64x3xf8E8M0FNU>, tensor<64x80xf32>, tensor<f32>) {
  // CHECK: scf.for
  // CHECK: mx.quantize <fp8_row> axis = 1 ins(%{{.*}} : tensor<16x?xf32>) outs(%{{.*}}, %{{.*}} : tensor<16x?xf8E4M3FN>, tensor<16x1xf32>)
  %q:2 = mx.quantize <fp8_row> axis = 1 ins(%x : tensor<64x?xf32>)
      outs(%e, %s : tensor<64x?xf8E4M3FN>, tensor<64x1xf32>) -> tensor<64x?xf8E4M3FN>, tensor<64x1xf32>
  // CHECK: scf.for
  // CHECK: scf.for %[[K:[a-z0-9]+]] =
  // CHECK: %[[SIZE:.*]] = affine.min #[[MAP0]](%[[K]])
  // CHECK: affine.apply #[[MAP1]](%[[K]])
  // CHECK: affine.apply #[[MAP2]](%[[SIZE]])
  // CHECK: mx.quantize <mxfp4> axis = 1 ins(%{{.*}} : tensor<16x?xbf16>) outs(%{{.*}}, %{{.*}} : tensor<16x?xf4E2M1FN>, tensor<16x?xf8E8M0FNU>)
  %p:2 = mx.quantize <mxfp4> axis = 1 ins(%y : tensor<64x80xbf16>)
      outs(%f, %t : tensor<64x80xf4E2M1FN>, tensor<64x3xf8E8M0FNU>) -> tensor<64x80xf4E2M1FN>, tensor<64x3xf8E8M0FNU>
  // CHECK: scf.forall
  // CHECK: mx.dequantize <mxfp4> axis = 1 ins(%{{.*}}, %{{.*}} : tensor<16x?xf4E2M1FN>, tensor<16x?xf8E8M0FNU>) outs(%{{.*}} : tensor<16x?xf32>)
  %d = mx.dequantize <mxfp4> axis = 1 ins(%p#0, %p#1 : tensor<64x80xf4E2M1FN>, tensor<64x3xf8E8M0FNU>)
      outs(%o : tensor<64x80xf32>) -> tensor<64x80xf32>
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: mx.hadamard <16> axis = 1 ins(%{{.*}} : tensor<16x16xf32>)
  %h = mx.hadamard <16> axis = 1 ins(%d : tensor<64x80xf32>) outs(%o : tensor<64x80xf32>) -> tensor<64x80xf32>
  // CHECK: scf.for {{.*}} iter_args(%[[OUTER:[a-z0-9]+]] = %{{.*}}) -> (tensor<f32>)
  // CHECK: scf.for {{.*}} iter_args(%[[INNER:[a-z0-9]+]] = %[[OUTER]]) -> (tensor<f32>)
  // CHECK: %[[MAX:.*]] = mx.amax ins(%{{.*}} : tensor<16x16xf32>) outs(%[[INNER]] : tensor<f32>)
  // CHECK: scf.yield %[[MAX]]
  %m = mx.amax ins(%h : tensor<64x80xf32>) outs(%a : tensor<f32>) -> tensor<f32>
  return %q#0, %q#1, %p#0, %p#1, %h, %m : tensor<64x?xf8E4M3FN>, tensor<64x1xf32>, tensor<64x80xf4E2M1FN>, tensor<64x3xf8E8M0FNU>, tensor<64x80xf32>, tensor<f32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %qs = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %q, %p = transform.split_handle %qs : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %d = transform.structured.match ops{["mx.dequantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %h = transform.structured.match ops{["mx.hadamard"]} in %root : (!transform.any_op) -> !transform.any_op
    %m = transform.structured.match ops{["mx.amax"]} in %root : (!transform.any_op) -> !transform.any_op
    %0:2 = transform.structured.tile_using_for %q tile_sizes [16, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %1:3 = transform.structured.tile_using_for %p tile_sizes [16, 64] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %2:2 = transform.structured.tile_using_forall %d tile_sizes [16, 64] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %3:3 = transform.structured.tile_using_for %h tile_sizes [16, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %4:3 = transform.structured.tile_using_for %m tile_sizes [16, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (n, m)>

// The inputs of regions are sliced as their maps say: those of an epilogue by
// the dimensions of the result, which is a transpose here.
// CHECK-LABEL: func @regions
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<64x256xf32>, %[[R:[a-z0-9]*]]: tensor<64xf32>, %[[G:[a-z0-9]*]]: tensor<256xf32>, %{{.*}}: tensor<128x256xf8E4M3FN>, %{{.*}}: tensor<128x8xf8E8M0FNU>, %[[B:[a-z0-9]*]]: tensor<128xf32>
func.func @regions(%x: tensor<64x256xf32>, %r: tensor<64xf32>, %g: tensor<256xf32>, %w: tensor<128x256xf8E4M3FN>, %sw: tensor<128x8xf8E8M0FNU>,
                   %b: tensor<128xf32>, %c: tensor<128x64xf32>, %z: tensor<f32>) -> (tensor<128x64xf32>, tensor<f32>) {
  %e = tensor.empty() : tensor<64x256xf8E4M3FN>
  %s = tensor.empty() : tensor<64x8xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<64x256xf32>)
      outs(%e, %s : tensor<64x256xf8E4M3FN>, tensor<64x8xf8E8M0FNU>) -> tensor<64x256xf8E4M3FN>, tensor<64x8xf8E8M0FNU>
      prologue ins(%r, %g : tensor<64xf32>, tensor<256xf32>) maps = [affine_map<(m, k) -> (m)>, affine_map<(m, k) -> (k)>] {
  ^bb0(%in: f32, %rstd: f32, %gamma: f32):
    %0 = arith.mulf %in, %rstd : f32
    %1 = arith.mulf %0, %gamma : f32
    mx.yield %1 : f32
  }
  // CHECK: scf.for %[[M:[a-z0-9]+]] =
  // CHECK: scf.for %[[N:[a-z0-9]+]] =
  // CHECK: %[[XT:.*]] = tensor.extract_slice %[[X]][%[[M]], 0] [16, 256] [1, 1]
  // CHECK: %[[RT:.*]] = tensor.extract_slice %[[R]][%[[M]]] [16] [1]
  // CHECK: mx.quantize <mxfp8_e4m3> axis = 1 ins(%[[XT]] : {{.*}} prologue ins(%[[RT]], %[[G]] : tensor<16xf32>, tensor<256xf32>)
  // CHECK: %[[BT:.*]] = tensor.extract_slice %[[B]][%[[N]]] [32] [1]
  // CHECK: tensor.extract_slice %{{.*}}[%[[N]], %[[M]]] [32, 16] [1, 1]
  // CHECK: mx.matmul {{.*}} epilogue ins(%[[BT]] : tensor<32xf32>) maps
  %d = mx.matmul lhs(%q#0, %q#1 : tensor<64x256xf8E4M3FN>, tensor<64x8xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%w, %sw : tensor<128x256xf8E4M3FN>, tensor<128x8xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<128x64xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<128x64xf32>
      epilogue ins(%b : tensor<128xf32>) maps = [affine_map<(n, m) -> (n)>] {
  ^bb0(%sum: f32, %bias: f32):
    %0 = arith.addf %sum, %bias : f32
    mx.yield %0 : f32
  }
  // CHECK: scf.for %[[I:[a-z0-9]+]] =
  // CHECK: %[[RA:.*]] = tensor.extract_slice %[[R]][%[[I]]] [32] [1]
  // CHECK: mx.amax {{.*}} prologue ins(%[[RA]] : tensor<32xf32>) maps
  %a = mx.amax ins(%x : tensor<64x256xf32>) outs(%z : tensor<f32>) -> tensor<f32>
      prologue ins(%r : tensor<64xf32>) maps = [affine_map<(m, k) -> (m)>] {
  ^bb0(%in: f32, %rstd: f32):
    %0 = arith.mulf %in, %rstd : f32
    mx.yield %0 : f32
  }
  return %d, %a : tensor<128x64xf32>, tensor<f32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %q = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %a = transform.structured.match ops{["mx.amax"]} in %root : (!transform.any_op) -> !transform.any_op
    %t, %l:2 = transform.structured.tile_using_for %mm tile_sizes [16, 32, 0]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.structured.fuse_into_containing_op %q into %l#1 : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    %u:2 = transform.structured.tile_using_for %a tile_sizes [32, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
