// RUN: mx-opt %s -split-input-file -verify-diagnostics -convert-mx-to-linalg=host-ops | FileCheck %s

// What has a kernel stays, and so do narrow types; the rest becomes linalg.
// CHECK-LABEL: func @amax_beside_kernel
func.func @amax_beside_kernel(%x: tensor<8x32xf32>, %zero: tensor<f32>, %e: tensor<8x32xf4E2M1FN>, %s: tensor<8x2xf8E4M3FN>)
    -> (tensor<8x32xf4E2M1FN>, tensor<8x2xf8E4M3FN>) {
  // CHECK-NOT: mx.amax
  // CHECK: %[[A:.*]] = linalg.generic
  %a = mx.amax ins(%x : tensor<8x32xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  // CHECK: mx.quantize <nvfp4> {{.*}} tensor<8x32xf4E2M1FN>, tensor<8x2xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<8x32xf32>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<8x32xf4E2M1FN>, tensor<8x2xf8E4M3FN>)
      {mx.kernel = #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>}
      -> tensor<8x32xf4E2M1FN>, tensor<8x2xf8E4M3FN>
  return %q#0, %q#1 : tensor<8x32xf4E2M1FN>, tensor<8x2xf8E4M3FN>
}

// -----

func.func @narrow(%q: tensor<8x32xf4E2M1FN>, %s: tensor<8x1xf8E8M0FNU>, %x: tensor<8x32xf32>) -> tensor<8x32xf32> {
  // expected-error@below {{has no kernel, and on the host 'tensor<8x32xf4E2M1FN>' would need codes of a byte each; run mx-select-kernels and mx-pack-sub-byte first, or convert-mx-to-linalg without host-ops}}
  %d = mx.dequantize <mxfp4> axis = 1 ins(%q, %s : tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>)
      outs(%x : tensor<8x32xf32>) -> tensor<8x32xf32>
  return %d : tensor<8x32xf32>
}

// -----

func.func @buffers(%x: memref<8x32xf32>, %a: memref<f32>) {
  // expected-error@below {{'mx.amax' op on memrefs is not lowered to linalg; run convert-mx-to-linalg before bufferization}}
  mx.amax ins(%x : memref<8x32xf32>) outs(%a : memref<f32>)
  return
}

// -----

// Scales and elements of 8 bits: codes reinterpreted. Packed elements are bytes as they are.
// CHECK-LABEL: func @bytes(
// CHECK-SAME: -> (tensor<8x16xi8>, tensor<8x1xf8E8M0FNU>, tensor<8x32xf32>)
func.func @bytes(%x: tensor<8x32xf32>, %e: tensor<8x16xi8>, %s: tensor<8x1xf8E8M0FNU>, %f: tensor<8x32xf8E4M3FN>)
    -> (tensor<8x16xi8>, tensor<8x1xf8E8M0FNU>, tensor<8x32xf32>) {
  // CHECK-NOT: mx.
  // CHECK-DAG: linalg.generic {{.*}} ins(%{{.*}} : tensor<8x1xi8>) outs(%{{.*}} : tensor<8x1xf8E8M0FNU>)
  // CHECK-DAG: arith.bitcast %{{.*}} : i8 to f8E8M0FNU
  // CHECK-DAG: arith.bitcast %{{.*}} : f8E4M3FN to i8
  %q:2 = mx.quantize <mxfp4, variant = torchao> axis = 1 ins(%x : tensor<8x32xf32>)
      outs(%e, %s : tensor<8x16xi8>, tensor<8x1xf8E8M0FNU>) -> tensor<8x16xi8>, tensor<8x1xf8E8M0FNU>
  // CHECK: return
  %d = mx.dequantize <mxfp8_e4m3> axis = 1 ins(%f, %s : tensor<8x32xf8E4M3FN>, tensor<8x1xf8E8M0FNU>)
      outs(%x : tensor<8x32xf32>) -> tensor<8x32xf32>
  return %q#0, %q#1, %d : tensor<8x16xi8>, tensor<8x1xf8E8M0FNU>, tensor<8x32xf32>
}
