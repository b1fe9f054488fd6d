// RUN: mx-opt %s --mx-cpu-lower-vectors | FileCheck %s

// CHECK-LABEL: func.func @block
// CHECK-COUNT-4: vector.transfer_read {{.*}} vector<4xf32>
// CHECK-NOT: vector.transpose
// CHECK: vector.shuffle %{{.+}}, %{{.+}} [0, 4, 2, 6] : vector<4xf32>, vector<4xf32>
// CHECK-COUNT-7: vector.shuffle
// CHECK-NOT: vector.shuffle
// CHECK-COUNT-4: vector.transfer_write {{.*}} vector<4xf32>
func.func @block(%a: memref<4x8xf32>, %b: memref<8x4xf32>) {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %0 = vector.transfer_read %a[%c0, %c0], %z {in_bounds = [true, true]} : memref<4x8xf32>, vector<4x4xf32>
  %1 = vector.transpose %0, [1, 0] : vector<4x4xf32> to vector<4x4xf32>
  vector.transfer_write %1, %b[%c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<8x4xf32>
  return
}

// Rows past the end are not read.
// CHECK-LABEL: func.func @ragged
// CHECK-COUNT-4: scf.if
func.func @ragged(%a: memref<?x8xf32>, %b: memref<4x4xf32>) {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %0 = vector.transfer_read %a[%c0, %c0], %z {in_bounds = [false, true]} : memref<?x8xf32>, vector<4x4xf32>
  vector.transfer_write %0, %b[%c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<4x4xf32>
  return
}
