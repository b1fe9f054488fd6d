// RUN: mx-opt %s -split-input-file -verify-diagnostics -mx-select-kernels="chip=sm_80 fallback=error"

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]

func.func @refused(%a: tensor<64x64xf4E2M1FN>, %sa: tensor<64x2xf8E8M0FNU>, %c: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@below {{sm_80 has no tensor core instruction for mxfp4 x mxfp4 (on sm_100a, sm_103a, sm_110a, sm_120a, sm_121a); dequantised to bf16 for mma_bf16: refused by fallback=error}}
  %d = mx.matmul lhs(%a, %sa : tensor<64x64xf4E2M1FN>, tensor<64x2xf8E8M0FNU>) as <mxfp4>
                 rhs(%a, %sa : tensor<64x64xf4E2M1FN>, tensor<64x2xf8E8M0FNU>) as <mxfp4>
                 outs(%c : tensor<64x64xf32>) indexing_maps = #maps -> tensor<64x64xf32>
  return %d : tensor<64x64xf32>
}

// -----

func.func @refused_conversion(%x: tensor<8x32xf32>, %e: tensor<8x32xf8E4M3FN>, %s: tensor<8x1xf8E8M0FNU>)
    -> (tensor<8x32xf8E4M3FN>, tensor<8x1xf8E8M0FNU>) {
  // expected-error@below {{sm_80 has no cvt_e4m3x2_f32 (on sm_89, sm_90, sm_90a, sm_100a, sm_103a, sm_110a, sm_120a, sm_121a); quantised by integer code: refused by fallback=error}}
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<8x32xf32>)
      outs(%e, %s : tensor<8x32xf8E4M3FN>, tensor<8x1xf8E8M0FNU>) -> tensor<8x32xf8E4M3FN>, tensor<8x1xf8E8M0FNU>
  return %q#0, %q#1 : tensor<8x32xf8E4M3FN>, tensor<8x1xf8E8M0FNU>
}

// -----

// What the scheme asks for is no fallback.
#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
func.func @weight_only(%a: tensor<64x64xbf16>, %b: tensor<64x64xf4E2M1FN>, %sb: tensor<64x2xf8E8M0FNU>, %c: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-remark@below {{no tensor core multiplies bf16 x mxfp4; dequantised to bf16 for mma_bf16}}
  %d = mx.matmul lhs(%a : tensor<64x64xbf16>)
                 rhs(%b, %sb : tensor<64x64xf4E2M1FN>, tensor<64x2xf8E8M0FNU>) as <mxfp4>
                 outs(%c : tensor<64x64xf32>) indexing_maps = #maps -> tensor<64x64xf32>
  return %d : tensor<64x64xf32>
}

// -----

// No kernel at all is an error whatever the option.
#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
func.func @no_kernel(%a: tensor<64x96xbf16>, %b: tensor<64x96xf8E4M3FN>, %sb: tensor<64x2xf8E8M0FNU>, %c: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // expected-error@below {{blocks of 48 elements do not fit K tiles of 64}}
  %d = mx.matmul lhs(%a : tensor<64x96xbf16>)
                 rhs(%b, %sb : tensor<64x96xf8E4M3FN>, tensor<64x2xf8E8M0FNU>) as <mxfp8_e4m3, block = 1x48>
                 outs(%c : tensor<64x64xf32>) indexing_maps = #maps -> tensor<64x64xf32>
  return %d : tensor<64x64xf32>
}

// -----

func.func @stochastic(%x: tensor<8x32xf32>, %seed: i64, %e: tensor<8x32xf4E2M1FN>, %s: tensor<8x1xf8E8M0FNU>)
    -> (tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>) {
  // expected-error@below {{no kernel rounds stochastically}}
  // expected-note@below {{the host quantises it with fallback=remark, while on tensors}}
  %q:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : tensor<8x32xf32>) random(%seed, %seed)
      outs(%e, %s : tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>) -> tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>
  return %q#0, %q#1 : tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>
}

// -----

func.func @axis(%x: tensor<32x8xf32>, %e: tensor<32x8xf4E2M1FN>, %s: tensor<1x8xf8E8M0FNU>)
    -> (tensor<32x8xf4E2M1FN>, tensor<1x8xf8E8M0FNU>) {
  // expected-error@below {{no kernel quantises along another than the last dimension}}
  // expected-note@below {{the host quantises it with fallback=remark, while on tensors}}
  %q:2 = mx.quantize <mxfp4> axis = 0 ins(%x : tensor<32x8xf32>)
      outs(%e, %s : tensor<32x8xf4E2M1FN>, tensor<1x8xf8E8M0FNU>) -> tensor<32x8xf4E2M1FN>, tensor<1x8xf8E8M0FNU>
  return %q#0, %q#1 : tensor<32x8xf4E2M1FN>, tensor<1x8xf8E8M0FNU>
}

// -----

func.func @variant(%x: tensor<8x32xf32>, %e: tensor<8x32xf4E2M1FN>, %s: tensor<8x1xf8E8M0FNU>)
    -> (tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>) {
  // expected-error@below {{no kernel follows the edge rules of mxfp4, variant = torchao}}
  // expected-note@below {{the host quantises it with fallback=remark, while on tensors}}
  %q:2 = mx.quantize <mxfp4, variant = torchao> axis = 1 ins(%x : tensor<8x32xf32>)
      outs(%e, %s : tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>) -> tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>
  return %q#0, %q#1 : tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>
}
