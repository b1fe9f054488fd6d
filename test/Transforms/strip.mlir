// RUN: mx-opt %s --mx-annotate="scheme=mxfp8 args=%S/Inputs/strip.args.json" --mx-quantize-matmuls --mx-strip | FileCheck %s --implicit-check-not="mx.plan" --implicit-check-not="mx.id" --implicit-check-not="mx.role" --implicit-check-not="mx.parameter"

// Attributes that mx ops are made of stay, and so do other people's.

// CHECK: func.func @main(%{{.*}}: tensor<4x64xf32>, %{{.*}}: tensor<64x8xf32> {my.attr}, %{{.*}}: tensor<4x8xf32>) -> tensor<4x8xf32> {
// CHECK: mx.quantize <mxfp8_e4m3> axis = 1
// CHECK: mx.matmul {{.*}} as <mxfp8_e4m3> {{.*}} indexing_maps =
module attributes {my.attr} {
func.func @main(%x: tensor<4x64xf32>, %w: tensor<64x8xf32> {my.attr}, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
}
