// RUN: mx-opt %s --mx-cpu-expand-shapes | FileCheck %s
// RUN: mx-opt %s --mx-cpu-expand-shapes --expand-strided-metadata -o /dev/null

// CHECK-LABEL: func.func @several
// CHECK-SAME: %[[X:.*]]: memref<?x64xf32>, %[[M:.*]]: index, %[[N:.*]]: index
// CHECK: %[[STRIDE:.*]] = arith.muli %{{.*}}, %[[N]]
// CHECK: memref.reinterpret_cast %[[X]] to offset: [0], sizes: [%[[M]], %[[N]], 64], strides: [%[[STRIDE]], 64, 1]
// CHECK-NOT: memref.expand_shape
func.func @several(%x: memref<?x64xf32>, %m: index, %n: index) -> memref<?x?x64xf32> {
  %e = memref.expand_shape %x [[0, 1], [2]] output_shape [%m, %n, 64] : memref<?x64xf32> into memref<?x?x64xf32>
  return %e : memref<?x?x64xf32>
}

// CHECK-LABEL: func.func @strided
// CHECK: memref.extract_strided_metadata
// CHECK: memref.reinterpret_cast
func.func @strided(%x: memref<?x64xf32, strided<[?, 1], offset: ?>>, %m: index, %n: index) -> memref<?x?x64xf32, strided<[?, ?, 1], offset: ?>> {
  %e = memref.expand_shape %x [[0, 1], [2]] output_shape [%m, %n, 64] : memref<?x64xf32, strided<[?, 1], offset: ?>> into memref<?x?x64xf32, strided<[?, ?, 1], offset: ?>>
  return %e : memref<?x?x64xf32, strided<[?, ?, 1], offset: ?>>
}

// CHECK-LABEL: func.func @one
// CHECK: memref.expand_shape
func.func @one(%x: memref<?x64xf32>, %m: index) -> memref<?x4x64xf32> {
  %e = memref.expand_shape %x [[0, 1], [2]] output_shape [%m, 4, 64] : memref<?x64xf32> into memref<?x4x64xf32>
  return %e : memref<?x4x64xf32>
}
