// RUN: mx-opt %s --mx-cpu-tile-loops --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @rows
// CHECK: scf.forall (%{{.+}}) = (0) to (256) step (16)
// CHECK: linalg.exp ins(%{{.+}} : tensor<16x576xf32>)
func.func @rows(%a: tensor<256x576xf32>, %e: tensor<256x576xf32>) -> tensor<256x576xf32> {
  %0 = linalg.exp ins(%a : tensor<256x576xf32>) outs(%e : tensor<256x576xf32>) -> tensor<256x576xf32>
  return %0 : tensor<256x576xf32>
}

// Few heads: the next dimension is cut too.
// CHECK-LABEL: func.func @heads
// CHECK: scf.forall (%{{.+}}, %{{.+}}) = (0, 0) to (9, 256) step (1, 144)
func.func @heads(%a: tensor<1x9x256x64xf32>, %e: tensor<1x9x256x64xf32>) -> tensor<1x9x256x64xf32> {
  %0 = linalg.exp ins(%a : tensor<1x9x256x64xf32>) outs(%e : tensor<1x9x256x64xf32>) -> tensor<1x9x256x64xf32>
  return %0 : tensor<1x9x256x64xf32>
}

// CHECK-LABEL: func.func @small
// CHECK-NOT: scf.forall
func.func @small(%a: tensor<16x16xf32>, %e: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %0 = linalg.exp ins(%a : tensor<16x16xf32>) outs(%e : tensor<16x16xf32>) -> tensor<16x16xf32>
  return %0 : tensor<16x16xf32>
}

// CHECK-LABEL: func.func @dynamic
// CHECK: scf.forall
func.func @dynamic(%a: tensor<?x128xf32>, %e: tensor<?x128xf32>) -> tensor<?x128xf32> {
  %0 = linalg.exp ins(%a : tensor<?x128xf32>) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  return %0 : tensor<?x128xf32>
}

// Blocks of 48 rows share a scale: tiles of rows could cut them.
// CHECK-LABEL: func.func @blocks
// CHECK-NOT: scf.forall
func.func @blocks(%a: tensor<96x576xf32>, %s: tensor<2x576xf32>, %e: tensor<96x576xf32>) -> tensor<96x576xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i floordiv 48, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%a, %s : tensor<96x576xf32>, tensor<2x576xf32>) outs(%e : tensor<96x576xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    linalg.yield %p : f32
  } -> tensor<96x576xf32>
  return %0 : tensor<96x576xf32>
}
