// RUN: mx-opt %s -one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" -canonicalize -split-input-file | FileCheck %s
// RUN: mlir-opt --load-dialect-plugin=%mx_plugin %s -one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" -canonicalize -split-input-file | FileCheck %s

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// Each op on the buffers of its operands. The accumulators of amax and matmul
// are read, so the constant zero is copied first.
// CHECK-LABEL: func @quantize_matmul
// CHECK-SAME: %[[X:[a-z0-9]*]]: memref<4x64xf32>, %[[W:[a-z0-9]*]]: memref<8x32xi8>, %[[SW:[a-z0-9]*]]: memref<8x4xf8E4M3FN>, %[[GW:[a-z0-9]*]]: memref<f32>, %[[C:[a-z0-9]*]]: memref<4x8xf32>
func.func @quantize_matmul(%x: tensor<4x64xf32>, %w: tensor<8x32xi8>, %sw: tensor<8x4xf8E4M3FN>, %gw: tensor<f32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[ZERO:.*]] = memref.get_global
  // CHECK: %[[A:.*]] = memref.alloc() {{.*}} : memref<f32>
  // CHECK: memref.copy %[[ZERO]], %[[A]]
  // CHECK: mx.amax ins(%[[X]] : memref<4x64xf32>) outs(%[[A]] : memref<f32>)
  %zero = arith.constant dense<0.0> : tensor<f32>
  %a = mx.amax ins(%x : tensor<4x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  // CHECK: %[[E:.*]] = memref.alloc() {{.*}} : memref<4x32xi8>
  // CHECK: %[[S:.*]] = memref.alloc() {{.*}} : memref<4x4xf8E4M3FN>
  // CHECK-NOT: memref.copy
  // CHECK: mx.quantize <nvfp4> axis = 1 ins(%[[X]] : memref<4x64xf32>) amax(%[[A]] : memref<f32>) outs(%[[E]], %[[S]] : memref<4x32xi8>, memref<4x4xf8E4M3FN>)
  %e = tensor.empty() : tensor<4x32xi8>
  %s = tensor.empty() : tensor<4x4xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<4x64xf32>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<4x32xi8>, tensor<4x4xf8E4M3FN>) -> tensor<4x32xi8>, tensor<4x4xf8E4M3FN>
  // CHECK: mx.matmul lhs(%[[E]], %[[S]], %[[A]] : memref<4x32xi8>, memref<4x4xf8E4M3FN>, memref<f32>) as <nvfp4> rhs(%[[W]], %[[SW]], %[[GW]] : {{.*}}) as <nvfp4> outs(%[[C]] : memref<4x8xf32>)
  // CHECK: return %[[C]]
  %d = mx.matmul lhs(%q#0, %q#1, %a : tensor<4x32xi8>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      rhs(%w, %sw, %gw : tensor<8x32xi8>, tensor<8x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// -----

// The init of what is only written is not read: no copy, though it is used
// again. Two ops on one tensor.empty do not share a buffer.
// CHECK-LABEL: func @not_read
// CHECK-SAME: %[[Q:[a-z0-9]*]]: memref<4x?xi8>, %[[S:[a-z0-9]*]]: memref<4x?xf8E8M0FNU>, %[[X:[a-z0-9]*]]: memref<4x?xf32>
func.func @not_read(%q: tensor<4x?xi8>, %s: tensor<4x?xf8E8M0FNU>, %x: tensor<4x?xf32>, %k: index) -> (tensor<4x?xf32>, tensor<4x?xf32>, tensor<4xf32>) {
  // CHECK-NOT: memref.copy
  // CHECK: %[[Z:.*]] = memref.alloc(%{{.*}}) {{.*}} : memref<4x?xf32>
  // CHECK: %[[Y:.*]] = memref.alloc(%{{.*}}) {{.*}} : memref<4x?xf32>
  // CHECK: mx.dequantize <mxfp4> axis = 1 ins(%[[Q]], %[[S]] : {{.*}}) outs(%[[Y]] : memref<4x?xf32>)
  // CHECK: mx.hadamard <32> axis = 1 ins(%[[Y]] : memref<4x?xf32>) outs(%[[Z]] : memref<4x?xf32>)
  %empty = tensor.empty(%k) : tensor<4x?xf32>
  %y = mx.dequantize <mxfp4> axis = 1 ins(%q, %s : tensor<4x?xi8>, tensor<4x?xf8E8M0FNU>) outs(%empty : tensor<4x?xf32>) -> tensor<4x?xf32>
  %z = mx.hadamard <32> axis = 1 ins(%y : tensor<4x?xf32>) outs(%empty : tensor<4x?xf32>) -> tensor<4x?xf32>
  // CHECK: mx.stats <mxfp4> axis = 1 ins(%[[X]] : memref<4x?xf32>) quantized(%[[Q]], %[[S]] : {{.*}}) outs(%{{.*}} : memref<4xf32>)
  %e = tensor.empty() : tensor<4xf32>
  %t = mx.stats <mxfp4> axis = 1 ins(%x : tensor<4x?xf32>) quantized(%q, %s : tensor<4x?xi8>, tensor<4x?xf8E8M0FNU>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %y, %z, %t : tensor<4x?xf32>, tensor<4x?xf32>, tensor<4xf32>
}

// -----

// In a loop: on slices of the destination, without a copy.
// CHECK-LABEL: func @tiled
// CHECK-SAME: %[[X:[a-z0-9]*]]: memref<64x64xf32>
func.func @tiled(%x: tensor<64x64xf32>) -> (tensor<64x64xf8E4M3FN>, tensor<64x2xf8E8M0FNU>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  // CHECK: %[[E:.*]] = memref.alloc() {{.*}} : memref<64x64xf8E4M3FN>
  // CHECK: %[[S:.*]] = memref.alloc() {{.*}} : memref<64x2xf8E8M0FNU>
  // CHECK-NOT: memref.alloc
  // CHECK: scf.for
  // CHECK: %[[XS:.*]] = memref.subview %[[X]]
  // CHECK: %[[ES:.*]] = memref.subview %[[E]]
  // CHECK: %[[SS:.*]] = memref.subview %[[S]]
  // CHECK: mx.quantize <mxfp8_e4m3> axis = 1 ins(%[[XS]] : memref<16x64xf32, strided<[64, 1], offset: ?>>) outs(%[[ES]], %[[SS]] :
  %e = tensor.empty() : tensor<64x64xf8E4M3FN>
  %s = tensor.empty() : tensor<64x2xf8E8M0FNU>
  %r:2 = scf.for %i = %c0 to %c64 step %c16 iter_args(%ei = %e, %si = %s) -> (tensor<64x64xf8E4M3FN>, tensor<64x2xf8E8M0FNU>) {
    %xs = tensor.extract_slice %x[%i, 0] [16, 64] [1, 1] : tensor<64x64xf32> to tensor<16x64xf32>
    %es = tensor.extract_slice %ei[%i, 0] [16, 64] [1, 1] : tensor<64x64xf8E4M3FN> to tensor<16x64xf8E4M3FN>
    %ss = tensor.extract_slice %si[%i, 0] [16, 2] [1, 1] : tensor<64x2xf8E8M0FNU> to tensor<16x2xf8E8M0FNU>
    %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%xs : tensor<16x64xf32>)
        outs(%es, %ss : tensor<16x64xf8E4M3FN>, tensor<16x2xf8E8M0FNU>) -> tensor<16x64xf8E4M3FN>, tensor<16x2xf8E8M0FNU>
    %eo = tensor.insert_slice %q#0 into %ei[%i, 0] [16, 64] [1, 1] : tensor<16x64xf8E4M3FN> into tensor<64x64xf8E4M3FN>
    %so = tensor.insert_slice %q#1 into %si[%i, 0] [16, 2] [1, 1] : tensor<16x2xf8E8M0FNU> into tensor<64x2xf8E8M0FNU>
    scf.yield %eo, %so : tensor<64x64xf8E4M3FN>, tensor<64x2xf8E8M0FNU>
  }
  return %r#0, %r#1 : tensor<64x64xf8E4M3FN>, tensor<64x2xf8E8M0FNU>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// The inputs of an epilogue are read, so that the residual is not overwritten;
// the init is not, so that it is not copied.
// CHECK-LABEL: func @regions
// CHECK-SAME: %[[X:[a-z0-9]*]]: memref<4x64xf32>, %[[G:[a-z0-9]*]]: memref<64xf32>, %[[W:[a-z0-9]*]]: memref<8x64xf8E4M3FN>, %[[SW:[a-z0-9]*]]: memref<8x2xf8E8M0FNU>, %[[R:[a-z0-9]*]]: memref<4x8xf32>
func.func @regions(%x: tensor<4x64xf32>, %g: tensor<64xf32>, %w: tensor<8x64xf8E4M3FN>, %sw: tensor<8x2xf8E8M0FNU>, %r: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  // CHECK-NOT: memref.copy
  // CHECK: %[[E:.*]] = memref.alloc() {{.*}} : memref<4x64xf8E4M3FN>
  // CHECK: %[[S:.*]] = memref.alloc() {{.*}} : memref<4x2xf8E8M0FNU>
  // CHECK: mx.quantize <mxfp8_e4m3> axis = 1 ins(%[[X]] : memref<4x64xf32>) outs(%[[E]], %[[S]] : {{.*}}) prologue ins(%[[G]] : memref<64xf32>) maps
  // CHECK: mx.yield
  %e = tensor.empty() : tensor<4x64xf8E4M3FN>
  %s = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>)
      -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU> prologue ins(%g : tensor<64xf32>) maps = [affine_map<(m, k) -> (k)>] {
  ^bb0(%in: f32, %gamma: f32):
    %0 = arith.mulf %in, %gamma : f32
    mx.yield %0 : f32
  }
  // CHECK: %[[D:.*]] = memref.alloc() {{.*}} : memref<4x8xf32>
  // CHECK-NOT: memref.copy
  // CHECK: mx.matmul lhs(%[[E]], %[[S]] : {{.*}}) as <mxfp8_e4m3> rhs(%[[W]], %[[SW]] : {{.*}}) as <mxfp8_e4m3> outs(%[[D]] : memref<4x8xf32>) {{.*}} epilogue ins(%[[R]] : memref<4x8xf32>) maps
  // CHECK: return %[[R]], %[[D]]
  %d = mx.matmul lhs(%q#0, %q#1 : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%w, %sw : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%r : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
      epilogue ins(%r : tensor<4x8xf32>) maps = [affine_map<(m, n) -> (m, n)>] {
  ^bb0(%sum: f32, %in: f32):
    %0 = arith.addf %sum, %in : f32
    mx.yield %0 : f32
  }
  return %r, %d : tensor<4x8xf32>, tensor<4x8xf32>
}
