// RUN: mx-opt %s -split-input-file -verify-diagnostics

// expected-error@below {{unknown chip 'sm_42'; known are sm_80, sm_86, sm_89, sm_90, sm_90a, sm_100a, sm_103a, sm_110a, sm_120a, sm_121a}}
func.func private @f() attributes {mx.kernel = #mx.kernel<gemm, chip = "sm_42", atom = mma_bf16, tile = 64x64x32, warps = 2x2>}

// -----

// expected-error@below {{sm_80 has no mma_mxf4nvf4_4x; it is on sm_120a, sm_121a}}
func.func private @f() attributes {mx.kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_mxf4nvf4_4x, tile = 64x64x64, warps = 2x2>}

// -----

// expected-error@below {{the capability table has no 'mma_fp2'}}
func.func private @f() attributes {mx.kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_fp2, tile = 64x64x64, warps = 2x2>}

// -----

// expected-error@below {{a quantize kernel cannot be built on mma_bf16}}
func.func private @f() attributes {mx.kernel = #mx.kernel<quantize, chip = "sm_80", atom = mma_bf16, warps = 2>}

// -----

// expected-error@below {{a gemm kernel cannot be built on alu}}
func.func private @f() attributes {mx.kernel = #mx.kernel<gemm, chip = "sm_80", atom = alu, tile = 64x64x32, warps = 2x2>}

// -----

// expected-error@below {{expected a tile of 3 dimensions and warps of 2, got 2 and 2}}
func.func private @f() attributes {mx.kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64, warps = 2x2>}

// -----

// expected-error@below {{tile, warps and stages must be positive}}
func.func private @f() attributes {mx.kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x32, warps = 2x2, stages = 0>}

// -----

// expected-error@below {{a block has at most 32 warps, got 64}}
func.func private @f() attributes {mx.kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x32, warps = 8x8>}

// -----

// expected-error@below {{the tile must be a multiple of the atom's 16x8x16}}
func.func private @f() attributes {mx.kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x24, warps = 2x2>}

// -----

// expected-error@below {{'mx.kernel' must be a #mx.kernel}}
func.func @f() attributes {mx.kernel = 1 : i64} {
  return
}

// -----

// expected-error@below {{unknown chip 'sm_120'; known are sm_80}}
func.func private @f() attributes {a = #mx.nvptx<chip = "sm_120">}

// -----

// expected-error@below {{sm_120a needs PTX 8.7 or later, got 8.0}}
func.func private @f() attributes {a = #mx.nvptx<chip = "sm_120a", ptx = 80>}

// -----

// expected-error@below {{O must be 0 to 3, got 4}}
func.func private @f() attributes {a = #mx.nvptx<chip = "sm_120a", O = 4>}
