// Every kind of format through mx-to-gpu: on sm_120a by its instruction where there is one, on sm_80 (and for the rest)
// dequantised to bf16; what no kernel quantises, on the host. A remark names each fallback, fallback=error refuses it.
// RUN: mx-opt %s -mx-quantize-matmuls -mx-to-gpu="chip=sm_120a emit=ptx" -o %t.120 2>%t.120.log
// RUN: FileCheck %s --check-prefix=RTX --input-file=%t.120
// RUN: FileCheck %s --check-prefix=RTX-LOG --implicit-check-not=remark: --input-file=%t.120.log
// RUN: mx-opt %s -mx-quantize-matmuls -mx-to-gpu="chip=sm_80 emit=ptx" -o %t.80 2>%t.80.log
// RUN: FileCheck %s --check-prefix=AMPERE --implicit-check-not=block_scale --input-file=%t.80
// RUN: grep -c "dequantised to bf16 for mma_bf16" %t.80.log | FileCheck %s --check-prefix=PRODUCTS
// RUN: mx-opt %s -mx-quantize-matmuls -mx-to-gpu="chip=sm_90a emit=ptx fallback=silent" -o /dev/null 2>&1 | count 0
// RUN: not mx-opt %s -mx-quantize-matmuls -mx-to-gpu="chip=sm_120a fallback=error" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REFUSED

// RTX-DAG: gpu.binary @gemm_nvfp4_nvfp4_f32_{{.*}}kind::mxf4nvf4.block_scale
// RTX-DAG: gpu.binary @gemm_nvfp4_nvfp4_2d_f32_{{.*}}kind::mxf4nvf4.block_scale
// RTX-DAG: gpu.binary @gemm_mxfp4_mxfp4_f32_{{.*}}kind::mxf4.block_scale
// RTX-DAG: gpu.binary @gemm_mxfp8_e4m3_mxfp8_e5m2_f32_{{.*}}kind::mxf8f6f4.block_scale{{.*}}.e4m3.e5m2
// RTX-DAG: gpu.binary @gemm_mxfp6_e2m3_mxfp6_e3m2_f32_{{.*}}kind::mxf8f6f4.block_scale{{.*}}.e2m3.e3m2
// RTX-DAG: gpu.binary @gemm_mxfp8_e4m3_mxfp4_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @gemm_mxint8_mxint8_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @gemm_fp8_block_act_fp8_block_weight_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @gemm_fp8_row_fp8_row_e5m2_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @gemm_fp8_tensor_fp8_tensor_e5m2_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @gemm_int8_token_ternary_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @gemm_bf16_int4_g32_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @gemm_f16_int4_g128_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @gemm_bf16_nf4_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @gemm_f32_mxfp4_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// RTX-DAG: gpu.binary @quantize_nvfp4_f32_k256
// RTX-DAG: gpu.binary @quantize_nvfp4_2d_f32_k256
// RTX-DAG: gpu.binary @quantize_mxfp4_f32_k256
// RTX-DAG: gpu.binary @quantize_mxfp8_e4m3_bf16_k256
// RTX-DAG: gpu.binary @quantize_mxfp8_e5m2_bf16_k256
// RTX-DAG: gpu.binary @quantize_mxfp6_e2m3_f32_k256
// RTX-DAG: gpu.binary @quantize_mxfp6_e3m2_f32_k256
// RTX-DAG: gpu.binary @quantize_mxint8_f32_k256
// RTX-DAG: gpu.binary @quantize_fp8_block_act_f32_k256
// RTX-DAG: gpu.binary @quantize_fp8_block_weight_f32_k256
// RTX-DAG: gpu.binary @quantize_fp8_row_f32_k256
// RTX-DAG: gpu.binary @quantize_fp8_row_e5m2_f32_k256
// RTX-DAG: gpu.binary @quantize_fp8_tensor_f32_k256
// RTX-DAG: gpu.binary @quantize_fp8_tensor_e5m2_f32_k256
// RTX-DAG: gpu.binary @quantize_int8_token_f32_k256
// RTX-DAG: gpu.binary @quantize_int4_g32_bf16_k256
// RTX-DAG: gpu.binary @quantize_nf4_bf16_k256

// AMPERE-DAG: gpu.binary @gemm_nvfp4_nvfp4_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_nvfp4_nvfp4_2d_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_mxfp4_mxfp4_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_mxfp8_e4m3_mxfp8_e5m2_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_mxfp6_e2m3_mxfp6_e3m2_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_mxfp8_e4m3_mxfp4_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_mxint8_mxint8_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_fp8_block_act_fp8_block_weight_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_fp8_row_fp8_row_e5m2_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_fp8_tensor_fp8_tensor_e5m2_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_int8_token_ternary_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_bf16_int4_g32_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_f16_int4_g128_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_bf16_nf4_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @gemm_f32_mxfp4_f32_{{.*}}m16n8k16{{.*}}bf16.bf16
// AMPERE-DAG: gpu.binary @quantize_nvfp4_f32_k256
// AMPERE-DAG: gpu.binary @quantize_nvfp4_2d_f32_k256
// AMPERE-DAG: gpu.binary @quantize_mxfp4_f32_k256
// AMPERE-DAG: gpu.binary @quantize_mxfp8_e4m3_bf16_k256
// AMPERE-DAG: gpu.binary @quantize_mxfp8_e5m2_bf16_k256
// AMPERE-DAG: gpu.binary @quantize_mxfp6_e2m3_f32_k256
// AMPERE-DAG: gpu.binary @quantize_mxfp6_e3m2_f32_k256
// AMPERE-DAG: gpu.binary @quantize_mxint8_f32_k256
// AMPERE-DAG: gpu.binary @quantize_fp8_block_act_f32_k256
// AMPERE-DAG: gpu.binary @quantize_fp8_block_weight_f32_k256
// AMPERE-DAG: gpu.binary @quantize_fp8_row_f32_k256
// AMPERE-DAG: gpu.binary @quantize_fp8_row_e5m2_f32_k256
// AMPERE-DAG: gpu.binary @quantize_fp8_tensor_f32_k256
// AMPERE-DAG: gpu.binary @quantize_fp8_tensor_e5m2_f32_k256
// AMPERE-DAG: gpu.binary @quantize_int8_token_f32_k256
// AMPERE-DAG: gpu.binary @quantize_int4_g32_bf16_k256
// AMPERE-DAG: gpu.binary @quantize_nf4_bf16_k256
// PRODUCTS: {{^}}18

// RTX-LOG: remark: no kernel for mxfp8_e4m3 x mxfp4 is built on mma_mxf8f6f4; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: no chip has a tensor core instruction for mxint8 x mxint8; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: no kernel for fp8_block_act x fp8_block_weight is built on mma_fp8; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: no kernel for fp8_row x fp8_row_e5m2 is built on mma_fp8; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: no kernel for fp8_tensor x fp8_tensor_e5m2 is built on mma_fp8; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: quantised on the host: no kernel makes the scales of ternary
// RTX-LOG: remark: no chip has a tensor core instruction for int8_token x ternary; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: no tensor core multiplies bf16 x int4_g32; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: quantised on the host: no kernel makes the scales of int4_g128, zero_point = true
// RTX-LOG: remark: no tensor core multiplies f16 x int4_g128, zero_point = true; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: no tensor core multiplies bf16 x nf4; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: quantised on the host: no kernel makes the scales of nf4, double_quant = true
// RTX-LOG: remark: no tensor core multiplies bf16 x nf4, double_quant = true; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: no tensor core multiplies f32 x mxfp4; dequantised to bf16 for mma_bf16
// RTX-LOG: remark: quantised on the host: no kernel follows the edge rules of nvfp4, four_over_six = mse, scale_max = 256
// RTX-LOG: remark: quantised on the host: no kernel follows the edge rules of mxfp4, variant = torchao

// REFUSED: error: 'mx.matmul' op no kernel for mxfp8_e4m3 x mxfp4 is built on mma_mxf8f6f4; dequantised to bf16 for mma_bf16: refused by fallback=error
// REFUSED: error: 'mx.quantize' op no kernel makes the scales of ternary
// REFUSED: note: the host quantises it with fallback=remark, while on tensors

func.func @nvfp4_nvfp4(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <nvfp4>>, rhs = <format = <nvfp4>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @nvfp4_nvfp4_2d(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <nvfp4>>, rhs = <format = <nvfp4_2d>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @mxfp4_mxfp4(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>>, rhs = <format = <mxfp4>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @mxfp8_e4m3_mxfp8_e5m2(%x: tensor<40x256xbf16>, %w: tensor<256x48xbf16>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp8_e4m3>>, rhs = <format = <mxfp8_e5m2>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xbf16>, tensor<256x48xbf16>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @mxfp6_e2m3_mxfp6_e3m2(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp6_e2m3>>, rhs = <format = <mxfp6_e3m2>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @mxfp8_e4m3_mxfp4(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp8_e4m3>>, rhs = <format = <mxfp4>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @mxint8_mxint8(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxint8>>, rhs = <format = <mxint8>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @fp8_block_act_fp8_block_weight(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <fp8_block_act>>, rhs = <format = <fp8_block_weight>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @fp8_row_fp8_row_e5m2(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <fp8_row>>, rhs = <format = <fp8_row_e5m2>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @fp8_tensor_fp8_tensor_e5m2(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <fp8_tensor>>, rhs = <format = <fp8_tensor_e5m2>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @int8_token_ternary(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <int8_token>>, rhs = <format = <ternary>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @bf16_int4_g32(%x: tensor<40x256xbf16>, %w: tensor<256x48xbf16>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<rhs = <format = <int4_g32>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xbf16>, tensor<256x48xbf16>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @f16_int4_g128_zero_point_true(%x: tensor<40x256xf16>, %w: tensor<256x48xf16>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<rhs = <format = <int4_g128, zero_point = true>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf16>, tensor<256x48xf16>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @bf16_nf4(%x: tensor<40x256xbf16>, %w: tensor<256x48xbf16>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<rhs = <format = <nf4>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xbf16>, tensor<256x48xbf16>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @bf16_nf4_double_quant_true(%x: tensor<40x256xbf16>, %w: tensor<256x48xbf16>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<rhs = <format = <nf4, double_quant = true>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xbf16>, tensor<256x48xbf16>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @f32_mxfp4(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<rhs = <format = <mxfp4>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @nvfp4_four_over_six_mse_scale_max_256_nvfp4(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <nvfp4, four_over_six = mse, scale_max = 256>>, rhs = <format = <nvfp4>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
func.func @mxfp4_variant_torchao_mxfp4_rule_floor(%x: tensor<40x256xf32>, %w: tensor<256x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4, variant = torchao>>, rhs = <format = <mxfp4, rule = floor>>, rule = "test", reason = "coverage">}
      ins(%x, %w : tensor<40x256xf32>, tensor<256x48xf32>) outs(%c : tensor<40x48xf32>) -> tensor<40x48xf32>
  return %0 : tensor<40x48xf32>
}
