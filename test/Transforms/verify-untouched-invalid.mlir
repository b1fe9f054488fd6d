// The plan is taken of the file as it is, then the text is changed.

// RUN: mx-opt %s --mx-annotate=scheme=nvfp4 --mx-quantize-matmuls -o %t

// An attribute of an op that is kept.
// RUN: sed 's/linalg.softmax {\(.*\)} dimension(1)/linalg.softmax {\1} dimension(0)/' %t | not mx-opt --mx-verify-untouched 2>&1 | FileCheck %s --check-prefix=CHANGED
// CHANGED: error: 'linalg.softmax' at [[#]] (softmax) was to be kept and has changed: its name, types, attributes or body
// CHANGED-NOT: error:

// Its id is gone, as if it had been replaced.
// RUN: sed '/linalg.softmax/s/mx.id = [0-9]* : i64, //' %t | not mx-opt --mx-verify-untouched 2>&1 | FileCheck %s --check-prefix=GONE
// GONE: error: 'linalg.softmax' at [[#]] (softmax) was to be kept and is gone
// GONE-NOT: error:

// What it reads is quantised and dequantised first.
// RUN: sed 's/\(.*\)linalg.softmax\(.*\)ins(\(%%[0-9a-z_]*\) \(.*\)/  %%qe = tensor.empty() : tensor<8x64xf4E2M1FN>\n  %%qs = tensor.empty() : tensor<8x2xf8E8M0FNU>\n  %%qf = tensor.empty() : tensor<8x64xf32>\n  %%q:2 = mx.quantize <mxfp4> axis = 1 ins(\3 : tensor<8x64xf32>) outs(%%qe, %%qs : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) -> tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>\n  %%qd = mx.dequantize <mxfp4> axis = 1 ins(%%q#0, %%q#1 : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) outs(%%qf : tensor<8x64xf32>) -> tensor<8x64xf32>\n\1linalg.softmax\2ins(%%qd \4/' %t > %t.fed
// RUN: not mx-opt %t.fed --mx-verify-untouched 2>&1 | FileCheck %s --check-prefix=FED
// FED: error: 'linalg.softmax' at [[#]] (softmax) was to be kept and is fed by something else than it was
// FED-NOT: error:
func.func @softmax(%x: tensor<8x32xf32>, %w: tensor<32x64xf32>) -> tensor<8x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x64xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<8x64xf32>) -> tensor<8x64xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<8x32xf32>, tensor<32x64xf32>) outs(%c : tensor<8x64xf32>) -> tensor<8x64xf32>
  %1 = linalg.softmax dimension(1) ins(%0 : tensor<8x64xf32>) outs(%e : tensor<8x64xf32>) -> tensor<8x64xf32>
  return %1 : tensor<8x64xf32>
}
