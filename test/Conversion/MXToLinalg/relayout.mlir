// RUN: mx-opt %s --convert-mx-to-linalg | FileCheck %s

// A tensor in a layout has, as a row-major tensor of codes, the shape that the
// layout has in memory: 128 x 4 scales are 32 x 4 x 4, row r at [r mod 32, r
// div 32].

// CHECK-LABEL: func.func @to_tiles(
// CHECK-SAME: %[[S:.*]]: tensor<200x6xi8>) -> tensor<2x2x32x4x4xi8>
func.func @to_tiles(%s: tensor<200x6xf8E8M0FNU>) -> tensor<200x6xf8E8M0FNU, #mx.layout<tile_128x4>> {
  %e = tensor.empty() : tensor<200x6xf8E8M0FNU, #mx.layout<tile_128x4>>
  // CHECK: %[[P:.*]] = tensor.pad %[[S]] low[0, 0] high[56, 2]
  // CHECK: %[[V:.*]] = tensor.expand_shape %[[P]] {{\[\[}}0, 1, 2], [3, 4]] output_shape [2, 4, 32, 2, 4]
  // CHECK: %[[T:.*]] = linalg.transpose ins(%[[V]] : tensor<2x4x32x2x4xi8>) {{.*}} permutation = [0, 3, 2, 1, 4]
  %t = mx.relayout ins(%s : tensor<200x6xf8E8M0FNU>)
      outs(%e : tensor<200x6xf8E8M0FNU, #mx.layout<tile_128x4>>) -> tensor<200x6xf8E8M0FNU, #mx.layout<tile_128x4>>
  // CHECK: return %[[T]]
  return %t : tensor<200x6xf8E8M0FNU, #mx.layout<tile_128x4>>
}

// CHECK-LABEL: func.func @from_tiles(
// CHECK-SAME: %[[S:.*]]: tensor<3x2x?x32x4x4xi8>, %[[K:.*]]: index) -> tensor<3x200x?xi8>
func.func @from_tiles(%s: tensor<3x200x?xf8E4M3FN, #mx.layout<tile_128x4>>, %k: index) -> tensor<3x200x?xf8E4M3FN> {
  %e = tensor.empty(%k) : tensor<3x200x?xf8E4M3FN>
  // CHECK: linalg.transpose ins(%[[S]] : tensor<3x2x?x32x4x4xi8>) {{.*}} permutation = [0, 1, 4, 3, 2, 5]
  // CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2, 3], [4, 5]]
  // CHECK: tensor.extract_slice %{{.*}}[0, 0, 0] [3, 200, %{{.*}}] [1, 1, 1]
  %t = mx.relayout ins(%s : tensor<3x200x?xf8E4M3FN, #mx.layout<tile_128x4>>)
      outs(%e : tensor<3x200x?xf8E4M3FN>) -> tensor<3x200x?xf8E4M3FN>
  return %t : tensor<3x200x?xf8E4M3FN>
}
