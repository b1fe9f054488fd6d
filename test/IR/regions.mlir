// RUN: mx-opt %s | mx-opt | FileCheck %s
// RUN: mx-opt %s -mlir-print-op-generic | mx-opt | FileCheck %s
// RUN: mx-opt %s -emit-bytecode | mx-opt | FileCheck %s
// RUN: mx-opt %s -canonicalize -cse -loop-invariant-code-motion | FileCheck %s --check-prefixes=CHECK,CANON

// Prologues and epilogues, as written and through upstream's passes.

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @quantize
func.func @quantize(%x: tensor<4x64xbf16>, %r: tensor<4xf32>, %g: tensor<64xf32>, %m: tensor<i1>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>)
    -> (tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) {
  // CHECK: mx.quantize <mxfp4> axis = 1 ins(%{{.*}} : tensor<4x64xbf16>) outs(
  // CHECK-SAME: -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  // CHECK-SAME: prologue ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<4xf32>, tensor<64xf32>, tensor<i1>) maps = [#{{.*}}, #{{.*}}, #{{.*}}] {
  // CHECK-NEXT: ^bb0(%[[IN:.*]]: bf16, %[[R:.*]]: f32, %[[G:.*]]: f32, %[[M:.*]]: i1):
  // CANON-NEXT:   arith.constant 0.000000e+00 : f32
  // CHECK:        arith.extf %[[IN]] : bf16 to f32
  // CHECK:        mx.yield %{{.*}} : f32
  // CHECK-NEXT: }
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xbf16>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
      prologue ins(%r, %g, %m : tensor<4xf32>, tensor<64xf32>, tensor<i1>)
          maps = [affine_map<(m, k) -> (m)>, affine_map<(m, k) -> (k)>, affine_map<(m, k) -> ()>] {
  ^bb0(%in: bf16, %rstd: f32, %gamma: f32, %mask: i1):
    %zero = arith.constant 0.0 : f32
    %0 = arith.extf %in : bf16 to f32
    %1 = arith.mulf %0, %rstd : f32
    %2 = arith.mulf %1, %gamma : f32
    %3 = arith.select %mask, %2, %zero : f32
    mx.yield %3 : f32
  }
  return %q#0, %q#1 : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
}

// CHECK-LABEL: func @amax
func.func @amax(%x: tensor<4x64xf32>, %a: tensor<f32>) -> tensor<f32> {
  // CHECK: mx.amax ins(%{{.*}} : tensor<4x64xf32>) outs(%{{.*}} : tensor<f32>) -> tensor<f32> prologue {
  // CHECK-NEXT: ^bb0(%[[IN:.*]]: f32):
  // CHECK-NEXT:   %[[Y:.*]] = math.tanh %[[IN]] : f32
  // CHECK-NEXT:   mx.yield %[[Y]] : f32
  %m = mx.amax ins(%x : tensor<4x64xf32>) outs(%a : tensor<f32>) -> tensor<f32> prologue {
  ^bb0(%in: f32):
    %0 = math.tanh %in : f32
    mx.yield %0 : f32
  }
  return %m : tensor<f32>
}

// The init has the type of the result, not that of the sum.
// CHECK-LABEL: func @matmul
func.func @matmul(%a: tensor<4x64xf8E4M3FN>, %sa: tensor<4x2xf8E8M0FNU>, %b: tensor<8x64xf8E4M3FN>, %sb: tensor<8x2xf8E8M0FNU>,
                  %bias: tensor<8xf32>, %residual: tensor<8x4xbf16>, %c: tensor<4x8xbf16>) -> tensor<4x8xbf16> {
  // CHECK: mx.matmul
  // CHECK-SAME: {mx.gemm = #mx.gemm<fprop>} -> tensor<4x8xbf16>
  // CHECK-SAME: epilogue ins(%{{.*}}, %{{.*}} : tensor<8xf32>, tensor<8x4xbf16>) maps = [#{{.*}}, #{{.*}}] {
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32, %{{.*}}: bf16):
  // CHECK:        mx.yield %{{.*}} : bf16
  %d = mx.matmul lhs(%a, %sa : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%b, %sb : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xbf16>) indexing_maps = [#lhs, #rhs, #out] {mx.gemm = #mx.gemm<fprop>} -> tensor<4x8xbf16>
      epilogue ins(%bias, %residual : tensor<8xf32>, tensor<8x4xbf16>)
          maps = [affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (n, m)>] {
  ^bb0(%sum: f32, %bn: f32, %rnm: bf16):
    %0 = arith.addf %sum, %bn : f32
    %1 = arith.truncf %0 : f32 to bf16
    %2 = arith.addf %1, %rnm : bf16
    mx.yield %2 : bf16
  }
  return %d : tensor<4x8xbf16>
}

// CHECK-LABEL: func @memrefs
func.func @memrefs(%x: memref<4x64xf32>, %g: memref<64xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // CHECK: mx.quantize {{.*}} outs(%{{.*}}, %{{.*}} : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) prologue ins(%{{.*}} : memref<64xf32>) maps =
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x64xf32>) outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
      prologue ins(%g : memref<64xf32>) maps = [affine_map<(m, k) -> (k)>] {
  ^bb0(%in: f32, %gamma: f32):
    %0 = arith.mulf %in, %gamma : f32
    mx.yield %0 : f32
  }
  return
}

// A constant behind a prologue is not folded, nor is an empty sum before an
// epilogue.
// CHECK-LABEL: func @not_folded
func.func @not_folded(%a: tensor<2x0xf32>, %b: tensor<2x0xf8E4M3FN>, %sb: tensor<2x0xf8E8M0FNU>, %c: tensor<2x2xf32>)
    -> (tensor<f32>, tensor<1x4xf4E2M1FN>, tensor<1x1xf8E8M0FNU>, tensor<2x2xf32>) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %x = arith.constant dense<[[0.0, 1.0, 2.0, 4.0]]> : tensor<1x4xf32>
  // CHECK: mx.amax
  %m = mx.amax ins(%x : tensor<1x4xf32>) outs(%zero : tensor<f32>) -> tensor<f32> prologue {
  ^bb0(%in: f32):
    %0 = math.exp %in : f32
    mx.yield %0 : f32
  }
  %e = tensor.empty() : tensor<1x4xf4E2M1FN>
  %s = tensor.empty() : tensor<1x1xf8E8M0FNU>
  // CHECK: mx.quantize
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<1x4xf32>) outs(%e, %s : tensor<1x4xf4E2M1FN>, tensor<1x1xf8E8M0FNU>)
      -> tensor<1x4xf4E2M1FN>, tensor<1x1xf8E8M0FNU> prologue {
  ^bb0(%in: f32):
    %0 = math.exp %in : f32
    mx.yield %0 : f32
  }
  // CHECK: mx.matmul
  %d = mx.matmul lhs(%a : tensor<2x0xf32>) rhs(%b, %sb : tensor<2x0xf8E4M3FN>, tensor<2x0xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<2x2xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<2x2xf32> epilogue {
  ^bb0(%sum: f32):
    %0 = math.exp %sum : f32
    mx.yield %0 : f32
  }
  return %m, %q#0, %q#1, %d : tensor<f32>, tensor<1x4xf4E2M1FN>, tensor<1x1xf8E8M0FNU>, tensor<2x2xf32>
}
