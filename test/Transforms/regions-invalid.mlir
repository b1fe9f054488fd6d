// RUN: mx-opt %s --mx-inline-regions --split-input-file --verify-diagnostics
// RUN: not mx-opt %s --split-input-file --convert-mx-to-linalg 2>&1 | FileCheck %s --check-prefix=LINALG
// RUN: not mx-opt %S/Inputs/region.mlir --mx-select-kernels=chip=sm_120a 2>&1 | FileCheck %s --check-prefix=KERNELS
// RUN: not mx-opt %S/Inputs/region.mlir --mx-move-k-innermost 2>&1 | FileCheck %s --check-prefix=MOVE

// Passes that would lose a region refuse it.

// LINALG: regions-invalid.mlir:{{.*}} error: 'mx.quantize' op on memrefs with a region (prologue) is not lowered; run mx-inline-regions before bufferization
// KERNELS: region.mlir:{{.*}} error: 'mx.{{quantize|matmul}}' op has a region, which is not lowered here; run mx-inline-regions first
// MOVE: region.mlir:{{.*}} error: 'mx.quantize' op has a region, which is not lowered here; run mx-inline-regions first
func.func @memref(%x: memref<4x64xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op on memrefs with a region (prologue) is not lowered; run mx-inline-regions before bufferization}}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x64xf32>) outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) prologue {
  ^bb0(%in: f32):
    %0 = math.tanh %in : f32
    mx.yield %0 : f32
  }
  return
}
