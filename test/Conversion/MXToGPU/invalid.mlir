// RUN: mx-opt %s --convert-mx-to-gpu --split-input-file --verify-diagnostics

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
func.func @tensors(%x: tensor<8x64xbf16>, %w: tensor<16x64xf8E4M3FN>, %s: tensor<16x1xf32>, %d: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error @+1 {{must have been bufferized}}
  %0 = mx.matmul lhs(%x : tensor<8x64xbf16>) rhs(%w, %s : tensor<16x64xf8E4M3FN>, tensor<16x1xf32>) as <fp8_row>
    outs(%d : tensor<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel} -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
func.func @k_outermost(%x: memref<8x64xbf16>, %w: memref<64x16xf8E4M3FN>, %s: memref<1x16xf32>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{no kernel reads rhs, whose innermost dimension is not K}}
  mx.matmul lhs(%x : memref<8x64xbf16>) rhs(%w, %s : memref<64x16xf8E4M3FN>, memref<1x16xf32>) as <fp8_row>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
func.func @unpacked(%x: memref<8x64xbf16>, %w: memref<16x64xf4E2M1FN>, %s: memref<16x2xf8E8M0FNU>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{elements of type 'f4E2M1FN' must have been packed to bytes (mx-pack-sub-byte)}}
  mx.matmul lhs(%x : memref<8x64xbf16>) rhs(%w, %s : memref<16x64xf4E2M1FN>, memref<16x2xf8E8M0FNU>) as <mxfp4>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
func.func @bias(%x: memref<8x64xbf16>, %w: memref<16x64xf8E4M3FN>, %s: memref<16x1xf32>, %bias: memref<8x16xf32>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{no kernel adds a bias that is no vector over the result's columns}}
  mx.matmul lhs(%x : memref<8x64xbf16>) rhs(%w, %s : memref<16x64xf8E4M3FN>, memref<16x1xf32>) as <fp8_row>
    bias(%bias : memref<8x16xf32>) outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4, tile = 64x64x128, warps = 2x2, stages = 2>
func.func @high_precision(%x: memref<8x64xbf16>, %w: memref<16x32xi8>, %s: memref<16x2xf8E8M0FNU>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{has no such kernel: mma_mxf4 takes no high-precision operand as lhs}}
  mx.matmul lhs(%x : memref<8x64xbf16>) rhs(%w, %s : memref<16x32xi8>, memref<16x2xf8E8M0FNU>) as <mxfp4>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4, tile = 64x64x128, warps = 2x2, stages = 2>
func.func @other_format(%x: memref<8x64xf8E4M3FN>, %sx: memref<8x2xf8E8M0FNU>, %w: memref<16x32xi8>, %s: memref<16x2xf8E8M0FNU>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{has no such kernel: mma_mxf4 does not take mxfp8_e4m3 as lhs}}
  mx.matmul lhs(%x, %sx : memref<8x64xf8E4M3FN>, memref<8x2xf8E8M0FNU>) as <mxfp8_e4m3> rhs(%w, %s : memref<16x32xi8>, memref<16x2xf8E8M0FNU>) as <mxfp4>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 96x64x64, warps = 2x2, stages = 2>
func.func @tile(%x: memref<8x64xbf16>, %w: memref<16x64xf8E4M3FN>, %s: memref<16x1xf32>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{has no such kernel: a tile of 96x64 is not shared by 2x2 warps}}
  mx.matmul lhs(%x : memref<8x64xbf16>) rhs(%w, %s : memref<16x64xf8E4M3FN>, memref<16x1xf32>) as <fp8_row>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x128, warps = 2x2, stages = 2>
func.func @k_tile(%x: memref<8x64xbf16>, %w: memref<16x64xf8E4M3FN>, %s: memref<16x1xf32>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{has no such kernel: rows of 256 bytes of lhs in shared memory; must be 32, 64 or 128}}
  mx.matmul lhs(%x : memref<8x64xbf16>) rhs(%w, %s : memref<16x64xf8E4M3FN>, memref<16x1xf32>) as <fp8_row>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 1>
func.func @stages(%x: memref<8x64xbf16>, %w: memref<16x64xf8E4M3FN>, %s: memref<16x1xf32>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{has no such kernel: at least two stages are needed, got 1}}
  mx.matmul lhs(%x : memref<8x64xbf16>) rhs(%w, %s : memref<16x64xf8E4M3FN>, memref<16x1xf32>) as <fp8_row>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_89", atom = mma_fp8, tile = 64x64x64, warps = 2x2, stages = 2>
func.func @atom(%x: memref<8x64xbf16>, %w: memref<16x64xf8E4M3FN>, %s: memref<16x1xf32>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{has no such kernel: no gemm kernel is built on mma_fp8}}
  mx.matmul lhs(%x : memref<8x64xbf16>) rhs(%w, %s : memref<16x64xf8E4M3FN>, memref<16x1xf32>) as <fp8_row>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
func.func @nf4(%a: memref<8x35xi8>, %sa: memref<8x2xf32>, %b: memref<16x35xi8>, %sb: memref<16x2xf32>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{has no such kernel: elements past K of both operands are not zero; K must be a multiple of 64}}
  mx.matmul lhs(%a, %sa : memref<8x35xi8>, memref<8x2xf32>) as <nf4> rhs(%b, %sb : memref<16x35xi8>, memref<16x2xf32>) as <nf4>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
func.func @variant(%x: memref<8x64xbf16>, %w: memref<16x32xi8>, %s: memref<16x1xf32>, %d: memref<8x16xf32>) {
  // expected-error @+1 {{has no such kernel: no kernel knows what int4_g64, variant = torchao stands for; use variant = ocp}}
  mx.matmul lhs(%x : memref<8x64xbf16>) rhs(%w, %s : memref<16x32xi8>, memref<16x1xf32>) as <int4_g64, variant = torchao>
    outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

#kernel = #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>
func.func @axis(%x: memref<64x8xf32>, %e: memref<64x8xf8E4M3FN>, %s: memref<2x8xf8E8M0FNU>) {
  // expected-error @+1 {{no kernel quantises along dimension 0, which is not the innermost}}
  mx.quantize <mxfp8_e4m3> axis = 0 ins(%x : memref<64x8xf32>) outs(%e, %s : memref<64x8xf8E4M3FN>, memref<2x8xf8E8M0FNU>) {mx.kernel = #kernel}
  return
}

// -----

#kernel = #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>
func.func @stochastic(%x: memref<8x64xf32>, %e: memref<8x64xf8E4M3FN>, %s: memref<8x2xf8E8M0FNU>, %seed: i64, %offset: i64) {
  // expected-error @+1 {{no kernel rounds stochastically}}
  mx.quantize <mxfp8_e4m3> axis = 1 rounding = <sr> ins(%x : memref<8x64xf32>) random(%seed, %offset) outs(%e, %s : memref<8x64xf8E4M3FN>, memref<8x2xf8E8M0FNU>) {mx.kernel = #kernel}
  return
}

// -----

#kernel = #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>
func.func @edge_rules(%x: memref<8x64xf32>, %e: memref<8x64xf8E4M3FN>, %s: memref<8x2xf8E8M0FNU>) {
  // expected-error @+1 {{has no such kernel: no kernel follows the edge rules of mxfp8_e4m3, variant = jax}}
  mx.quantize <mxfp8_e4m3, variant = jax> axis = 1 ins(%x : memref<8x64xf32>) outs(%e, %s : memref<8x64xf8E4M3FN>, memref<8x2xf8E8M0FNU>) {mx.kernel = #kernel}
  return
}

// -----

#kernel = #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>
func.func @family(%x: memref<8x64xf32>, %a: memref<f32>) {
  // expected-error @+1 {{belongs to no kernel family}}
  mx.amax ins(%x : memref<8x64xf32>) outs(%a : memref<f32>) {mx.kernel = #kernel}
  return
}

// -----

#kernel = #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>
func.func @prologue(%x: memref<8x64xf32>, %e: memref<8x64xf8E4M3FN>, %s: memref<8x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op has a region, which is not lowered here; run mx-inline-regions first}}
  mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : memref<8x64xf32>) outs(%e, %s : memref<8x64xf8E4M3FN>, memref<8x2xf8E8M0FNU>) {mx.kernel = #kernel} prologue {
  ^bb0(%in: f32):
    %0 = math.tanh %in : f32
    mx.yield %0 : f32
  }
  return
}
