// RUN: mx-opt %s --mx-annotate=scheme=mxfp4 --mx-quantize-matmuls=fallback=silent --mx-verify-untouched --mx-report-plan=output=- -o /dev/null | FileCheck %s

// What could not be rewritten is kept in the plan too, with both reasons; it is
// verified like what was to be kept from the start.

// CHECK:       linalg.generic linear 3x16x32 f32 f32 1
// CHECK:       linalg.matmul linear 3x8x16 mxfp4 mxfp4 2
// CHECK:       1 weight × activation; several reduction dimensions that are not neighbours in the same order in both operands
// CHECK-NEXT: (rule default)
// CHECK:       2 weight × activation (rule default)
// CHECK:       1 quantized, 1 kept
func.func @several_reductions(%x: tensor<3x4x8xf32>, %w: tensor<8x4x16xf32>, %v: tensor<16x8xf32>, %c: tensor<3x16xf32>, %d: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(s, e, h, d) -> (s, h, d)>, affine_map<(s, e, h, d) -> (d, h, e)>, affine_map<(s, e, h, d) -> (s, e)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<3x4x8xf32>, tensor<8x4x16xf32>) outs(%c : tensor<3x16xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in, %in_0 : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<3x16xf32>
  %1 = linalg.matmul ins(%0, %v : tensor<3x16xf32>, tensor<16x8xf32>) outs(%d : tensor<3x8xf32>) -> tensor<3x8xf32>
  return %1 : tensor<3x8xf32>
}
