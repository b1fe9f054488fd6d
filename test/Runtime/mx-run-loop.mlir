// A loop whose buffers are its own but for the first, which is an argument:
// what it returns is that of its iterations one after another.

// RUN: rm -rf %t
// RUN: mx-run %s --entry input --out %t/x
// RUN: mx-run %s --entry unrolled --inputs %t/x/result0.npy --out %t/y
// RUN: mx-run %s --entry loop --inputs %t/x/result0.npy --expect %t/y/result0.npy --max-rel-error 0
// RUN: mx-run %s --entry loop --inputs %t/x/result0.npy --scheme mxfp8 --out %t/q

func.func @input() -> tensor<4x64xf32> {
  %0 = arith.constant dense<1.5> : tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}
func.func @loop(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %w = arith.constant dense<0.125> : tensor<64x64xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %e = tensor.empty() : tensor<4x64xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %0 = scf.for %i = %c0 to %c2 step %c1 iter_args(%h = %x) -> (tensor<4x64xf32>) {
    %1 = linalg.matmul ins(%h, %w : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32>
    scf.yield %1 : tensor<4x64xf32>
  }
  return %0 : tensor<4x64xf32>
}
func.func @unrolled(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %w = arith.constant dense<0.125> : tensor<64x64xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x64xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32>
  %1 = linalg.matmul ins(%0, %w : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %1 : tensor<4x64xf32>
}
