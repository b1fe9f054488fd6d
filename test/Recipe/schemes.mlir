// Each scheme is lowered to upstream's dialects with nothing left in high
// precision that it quantises, or refused by name.

// DEFINE: %{scheme} =
// DEFINE: %{lower} = mx-opt %s "--mx-lower-precision=scheme=%{scheme} fallback=error" --mx-strip --convert-mx-to-linalg | FileCheck %s

// REDEFINE: %{scheme} = nvfp4
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp4
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp8
// RUN: %{lower}
// REDEFINE: %{scheme} = fp8_block
// RUN: %{lower}
// REDEFINE: %{scheme} = fp8_row
// RUN: %{lower}
// REDEFINE: %{scheme} = fp8_tensor
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp8_e5m2
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp6_e2m3
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp6_e3m2
// RUN: %{lower}
// REDEFINE: %{scheme} = mxint8
// RUN: %{lower}
// REDEFINE: %{scheme} = nvfp4a16
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp4a16
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp6a16
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp8a16
// RUN: %{lower}
// REDEFINE: %{scheme} = int4
// RUN: %{lower}
// REDEFINE: %{scheme} = int4_asym
// RUN: %{lower}
// REDEFINE: %{scheme} = nf4
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp4xfp8
// RUN: %{lower}
// REDEFINE: %{scheme} = mxfp6a8
// RUN: %{lower}
// REDEFINE: %{scheme} = w4afp8
// RUN: %{lower}
// REDEFINE: %{scheme} = ternary
// RUN: %{lower}

// Names of frameworks.
// REDEFINE: %{scheme} = FP8
// RUN: %{lower}
// REDEFINE: %{scheme} = FP8_DYNAMIC
// RUN: %{lower}
// REDEFINE: %{scheme} = FP8_BLOCK
// RUN: %{lower}
// REDEFINE: %{scheme} = NVFP4
// RUN: %{lower}
// REDEFINE: %{scheme} = NVFP4A16
// RUN: %{lower}
// REDEFINE: %{scheme} = MXFP4
// RUN: %{lower}
// REDEFINE: %{scheme} = MXFP4A16
// RUN: %{lower}
// REDEFINE: %{scheme} = MXFP8
// RUN: %{lower}
// REDEFINE: %{scheme} = MXFP8A16
// RUN: %{lower}
// REDEFINE: %{scheme} = W4A16
// RUN: %{lower}
// REDEFINE: %{scheme} = W4A16_ASYM
// RUN: %{lower}
// REDEFINE: %{scheme} = W4AFP8
// RUN: %{lower}
// REDEFINE: %{scheme} = MXFP4XFP8
// RUN: %{lower}
// REDEFINE: %{scheme} = MXFP6A16
// RUN: %{lower}
// REDEFINE: %{scheme} = MXFP6A8
// RUN: %{lower}

// Nothing to do.
// RUN: mx-opt %s --mx-lower-precision=scheme=bf16 --mx-strip | FileCheck %s --check-prefix=BF16

// DEFINE: %{refuse} = not mx-opt %s --mx-annotate=scheme=%{scheme} 2>&1 | FileCheck %s --check-prefix=REFUSED "-DNAME=%{scheme}"
// REDEFINE: %{scheme} = W8A8
// RUN: %{refuse}
// REDEFINE: %{scheme} = INT8
// RUN: %{refuse}
// REDEFINE: %{scheme} = W8A16
// RUN: %{refuse}
// REDEFINE: %{scheme} = W4A8
// RUN: %{refuse}
// REDEFINE: %{scheme} = nvfp4_pretrain
// RUN: %{refuse}
// REDEFINE: %{scheme} = fp4_all_the_way
// RUN: %{refuse}
// REDEFINE: %{scheme} = mxfp4_backward
// RUN: %{refuse}
// REDEFINE: %{scheme} = quartet
// RUN: %{refuse}
// REDEFINE: %{scheme} = deepseek_v3
// RUN: %{refuse}
// REDEFINE: %{scheme} = fp8_delayed
// RUN: %{refuse}

// REFUSED: error: scheme '[[NAME]]' is not supported yet (

// CHECK-NOT: linalg.matmul
// CHECK: linalg.generic
// CHECK-NOT: {{ mx\.}}

// BF16: linalg.matmul
func.func @main(%x: tensor<4x256xf32>, %w: tensor<32x256xf32> {mx.parameter = "fc.weight"}) -> tensor<4x32xf32> {
  %zero = arith.constant 0.0 : f32
  %a = tensor.empty() : tensor<256x32xf32>
  %b = tensor.empty() : tensor<4x32xf32>
  %t = linalg.transpose ins(%w : tensor<32x256xf32>) outs(%a : tensor<256x32xf32>) permutation = [1, 0]
  %c = linalg.fill ins(%zero : f32) outs(%b : tensor<4x32xf32>) -> tensor<4x32xf32>
  %y = linalg.matmul ins(%x, %t : tensor<4x256xf32>, tensor<256x32xf32>) outs(%c : tensor<4x32xf32>) -> tensor<4x32xf32>
  return %y : tensor<4x32xf32>
}
