// RUN: mx-opt %s --mx-cpu-prepare | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%{{.*}}: tensor<4xf32> {bufferization.writable = false}, %{{.*}}: index)
// CHECK-SAME: attributes {llvm.emit_c_interface}
func.func @main(%x: tensor<4xf32>, %i: index) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// Nobody outside calls these.
// CHECK: func.func private @local(%{{.*}}: tensor<4xf32>)
// CHECK-NOT: attributes
func.func private @local(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
// CHECK: func.func private @outside(tensor<4xf32>)
// CHECK-NOT: attributes
func.func private @outside(tensor<4xf32>)
