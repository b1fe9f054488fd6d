// RUN: mx-opt %s -transform-interpreter -split-input-file -verify-diagnostics

// Tiles that are refused. The remark is the op's, the errors are upstream's.

// A size that is no multiple of the block, though it is the extent's divisor.
func.func @divisor(%x: tensor<4x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x4xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN> {
  // expected-remark @+3 {{not tiled: a tile must hold whole blocks (16 elements) along dimension 1, and this one is not known to}}
  // expected-error @+2 {{'mx.quantize' op faild to tile operation}}
  // expected-error @+1 {{'mx.quantize' op failed to generate tiling loops}}
  %q:2 = mx.quantize <mxfp4, block = 1x16> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x4xf8E8M0FNU>
  return %q#0 : tensor<4x64xf4E2M1FN>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// 24 does not divide 256: the last tile is dynamic, and no check of constants
// would see that the others end within a block.
func.func @no_divisor(%x: tensor<4x256xf32>, %e: tensor<4x256xf4E2M1FN>, %s: tensor<4x16xf8E8M0FNU>) -> tensor<4x256xf4E2M1FN> {
  // expected-remark @+3 {{not tiled: a tile must hold whole blocks (16 elements) along dimension 1, and this one is not known to}}
  // expected-error @+2 {{'mx.quantize' op faild to tile operation}}
  // expected-error @+1 {{'mx.quantize' op failed to generate tiling loops}}
  %q:2 = mx.quantize <mxfp4, block = 1x16> axis = 1 ins(%x : tensor<4x256xf32>) outs(%e, %s : tensor<4x256xf4E2M1FN>, tensor<4x16xf8E8M0FNU>) -> tensor<4x256xf4E2M1FN>, tensor<4x16xf8E8M0FNU>
  return %q#0 : tensor<4x256xf4E2M1FN>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 24] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// As many tiles as threads, of an unknown size.
func.func @threads(%x: tensor<4x?xf32>, %e: tensor<4x?xf4E2M1FN>, %s: tensor<4x?xf8E8M0FNU>) -> tensor<4x?xf4E2M1FN> {
  // expected-remark @+4 {{not tiled: a tile must hold whole blocks (32 elements) along dimension 1, and this one is not known to}}
  // expected-error @+3 {{'mx.quantize' op faild to tile operation}}
  // expected-error @+2 {{'mx.quantize' op failed to generate tiling loops}}
  // expected-note @+1 {{when applied to this op}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x?xf32>) outs(%e, %s : tensor<4x?xf4E2M1FN>, tensor<4x?xf8E8M0FNU>) -> tensor<4x?xf4E2M1FN>, tensor<4x?xf8E8M0FNU>
  return %q#0 : tensor<4x?xf4E2M1FN>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{transform.structured.tile_using_forall failed to apply}}
    %t:2 = transform.structured.tile_using_forall %op num_threads [0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A scale a row.
func.func @row(%x: tensor<4x64xf32>, %e: tensor<4x64xf8E4M3FN>, %s: tensor<4x1xf32>) -> tensor<4x64xf8E4M3FN> {
  // expected-remark @+3 {{not tiled: a tile must hold whole blocks (all elements) along dimension 1, and this one is not known to}}
  // expected-error @+2 {{'mx.quantize' op faild to tile operation}}
  // expected-error @+1 {{'mx.quantize' op failed to generate tiling loops}}
  %q:2 = mx.quantize <fp8_row> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x1xf32>) -> tensor<4x64xf8E4M3FN>, tensor<4x1xf32>
  return %q#0 : tensor<4x64xf8E4M3FN>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 32] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @packed(%x: tensor<4x64xf32>, %e: tensor<4x32xi8>, %s: tensor<4x2xf8E8M0FNU>) -> tensor<4x32xi8> {
  // expected-remark @+3 {{not tiled: elements are packed; tile before mx-pack-sub-byte}}
  // expected-error @+2 {{'mx.quantize' op faild to tile operation}}
  // expected-error @+1 {{'mx.quantize' op failed to generate tiling loops}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x32xi8>, tensor<4x2xf8E8M0FNU>) -> tensor<4x32xi8>, tensor<4x2xf8E8M0FNU>
  return %q#0 : tensor<4x32xi8>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 32] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @layout(%x: tensor<4x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU, #mx.layout<tile_128x4>>) -> tensor<4x64xf4E2M1FN> {
  // expected-remark @+3 {{not tiled: a layout has no slices; tile before mx.relayout}}
  // expected-error @+2 {{'mx.quantize' op faild to tile operation}}
  // expected-error @+1 {{'mx.quantize' op failed to generate tiling loops}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU, #mx.layout<tile_128x4>>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU, #mx.layout<tile_128x4>>
  return %q#0 : tensor<4x64xf4E2M1FN>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 32] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @double_quant(%x: tensor<4x64xf32>, %e: tensor<4x64xi4>, %s: tensor<4x1xf32>) -> tensor<4x64xi4> {
  // expected-remark @+3 {{not tiled: double quantisation spans 256 blocks}}
  // expected-error @+2 {{'mx.quantize' op faild to tile operation}}
  // expected-error @+1 {{'mx.quantize' op failed to generate tiling loops}}
  %q:2 = mx.quantize <nf4, double_quant = true> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xi4>, tensor<4x1xf32>) -> tensor<4x64xi4>, tensor<4x1xf32>
  return %q#0 : tensor<4x64xi4>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [1, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @stochastic(%x: tensor<4x64xf32>, %r: i64, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN> {
  // expected-remark @+3 {{not tiled: random bits are counted in the whole tensor}}
  // expected-error @+2 {{'mx.quantize' op faild to tile operation}}
  // expected-error @+1 {{'mx.quantize' op failed to generate tiling loops}}
  %q:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : tensor<4x64xf32>) random(%r, %r)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  return %q#0 : tensor<4x64xf4E2M1FN>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.quantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [1, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @dequantize(%q: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>, %x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // expected-remark @+3 {{not tiled: a tile must start with a block of 32 elements along dimension 1, and this one is not known to}}
  // expected-error @+2 {{'mx.dequantize' op faild to tile operation}}
  // expected-error @+1 {{'mx.dequantize' op failed to generate tiling loops}}
  %r = mx.dequantize <mxfp4> axis = 1 ins(%q, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) outs(%x : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %r : tensor<4x64xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.dequantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @hadamard(%x: tensor<4x64xf32>, %y: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // expected-remark @+3 {{not tiled: a tile must hold whole groups of 16 elements along dimension 1, and this one is not known to}}
  // expected-error @+2 {{'mx.hadamard' op faild to tile operation}}
  // expected-error @+1 {{'mx.hadamard' op failed to generate tiling loops}}
  %r = mx.hadamard <16> axis = 1 ins(%x : tensor<4x64xf32>) outs(%y : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %r : tensor<4x64xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.hadamard"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @amax(%x: tensor<4x64xf32>, %a: tensor<f32>) -> tensor<f32> {
  // expected-warning @+5 {{tiling is not thread safe at axis #1}}
  // expected-remark @+4 {{not tiled: a maximum is not taken by a parallel loop}}
  // expected-error @+3 {{'mx.amax' op faild to tile operation}}
  // expected-error @+2 {{'mx.amax' op failed to generate tiling loops}}
  // expected-note @+1 {{when applied to this op}}
  %r = mx.amax ins(%x : tensor<4x64xf32>) outs(%a : tensor<f32>) -> tensor<f32>
  return %r : tensor<f32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.amax"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{transform.structured.tile_using_forall failed to apply}}
    %t:2 = transform.structured.tile_using_forall %op tile_sizes [0, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @bias(%x: tensor<64x64xbf16>, %w: tensor<64x64xf4E2M1FN>, %s: tensor<64x4xf8E4M3FN>, %g: tensor<f32>, %bias: tensor<64xf32>, %c: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-remark @+3 {{not tiled: a loop over K would add the bias each time; add it to the init}}
  // expected-error @+2 {{'mx.matmul' op faild to tile operation}}
  // expected-error @+1 {{'mx.matmul' op failed to generate tiling loops}}
  %d = mx.matmul lhs(%x : tensor<64x64xbf16>) rhs(%w, %s, %g : tensor<64x64xf4E2M1FN>, tensor<64x4xf8E4M3FN>, tensor<f32>) as <nvfp4> bias(%bias : tensor<64xf32>)
      outs(%c : tensor<64x64xf32>) indexing_maps = [#lhs, #rhs, affine_map<(m, n, k) -> (n)>, #out] -> tensor<64x64xf32>
  return %d : tensor<64x64xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 0, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @rounded_sums(%x: tensor<64x64xbf16>, %w: tensor<64x64xf4E2M1FN>, %s: tensor<64x4xf8E4M3FN>, %g: tensor<f32>, %bias: tensor<64xf32>, %c: tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  // expected-remark @+3 {{not tiled: a loop over K would round each partial sum; make the init f32}}
  // expected-error @+2 {{'mx.matmul' op faild to tile operation}}
  // expected-error @+1 {{'mx.matmul' op failed to generate tiling loops}}
  %d = mx.matmul lhs(%x : tensor<64x64xbf16>) rhs(%w, %s, %g : tensor<64x64xf4E2M1FN>, tensor<64x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<64x64xbf16>) indexing_maps = [#lhs, #rhs, #out] -> tensor<64x64xbf16>
  return %d : tensor<64x64xbf16>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 0, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @parallel_sums(%x: tensor<64x64xbf16>, %w: tensor<64x64xf4E2M1FN>, %s: tensor<64x4xf8E4M3FN>, %g: tensor<f32>, %bias: tensor<64xf32>, %c: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-warning @+5 {{tiling is not thread safe at axis #2}}
  // expected-remark @+4 {{not tiled: a sum is not taken by a parallel loop}}
  // expected-error @+3 {{'mx.matmul' op faild to tile operation}}
  // expected-error @+2 {{'mx.matmul' op failed to generate tiling loops}}
  // expected-note @+1 {{when applied to this op}}
  %d = mx.matmul lhs(%x : tensor<64x64xbf16>) rhs(%w, %s, %g : tensor<64x64xf4E2M1FN>, tensor<64x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<64x64xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<64x64xf32>
  return %d : tensor<64x64xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{transform.structured.tile_using_forall failed to apply}}
    %t:2 = transform.structured.tile_using_forall %op tile_sizes [0, 0, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Square blocks: a tile of N starts within one.
#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @square(%x: tensor<64x64xbf16>, %w: tensor<64x64xf4E2M1FN>, %s: tensor<4x4xf8E4M3FN>, %g: tensor<f32>, %bias: tensor<64xf32>, %c: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-remark @+3 {{not tiled: a tile must start with a block of 16 elements along d1, and this one is not known to}}
  // expected-error @+2 {{'mx.matmul' op faild to tile operation}}
  // expected-error @+1 {{'mx.matmul' op failed to generate tiling loops}}
  %d = mx.matmul lhs(%x : tensor<64x64xbf16>) rhs(%w, %s, %g : tensor<64x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4_2d>
      outs(%c : tensor<64x64xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<64x64xf32>
  return %d : tensor<64x64xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 8, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @memref(%x: memref<4x64xf32>, %a: memref<f32>) {
  // expected-remark @+3 {{not tiled: on memrefs; tile before bufferization}}
  // expected-error @+2 {{'mx.amax' op faild to tile operation}}
  // expected-error @+1 {{'mx.amax' op failed to generate tiling loops}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>)
  return
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.amax"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @epilogue(%x: tensor<64x64xbf16>, %w: tensor<64x64xf8E4M3FN>, %s: tensor<64x2xf8E8M0FNU>, %c: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-remark @+3 {{not tiled: a loop over K would apply the epilogue to each partial sum; run mx-inline-regions first}}
  // expected-error @+2 {{'mx.matmul' op faild to tile operation}}
  // expected-error @+1 {{'mx.matmul' op failed to generate tiling loops}}
  %d = mx.matmul lhs(%x : tensor<64x64xbf16>) rhs(%w, %s : tensor<64x64xf8E4M3FN>, tensor<64x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<64x64xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<64x64xf32> epilogue {
  ^bb0(%sum: f32):
    %0 = math.exp %sum : f32
    mx.yield %0 : f32
  }
  return %d : tensor<64x64xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 0, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
