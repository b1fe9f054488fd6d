// RUN: mx-opt %s --mx-cpu-math | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// Only the sum may be reordered, not the rounding to a multiple of 2.
// CHECK-LABEL: func.func @sum
// CHECK: %[[P:.+]] = arith.addf %{{.+}}, %{{.+}} : f32
// CHECK: %[[Q:.+]] = arith.subf %[[P]], %{{.+}} : f32
// CHECK: arith.addf %{{.+}}, %[[Q]] fastmath<reassoc> : f32
func.func @sum(%a: memref<4x8xf32>, %c: memref<4xf32>) {
  %magic = arith.constant 25165824.0 : f32
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<4x8xf32>) outs(%c : memref<4xf32>) {
  ^bb0(%x: f32, %o: f32):
    %p = arith.addf %x, %magic : f32
    %q = arith.subf %p, %magic : f32
    %s = arith.addf %o, %q : f32
    linalg.yield %s : f32
  }
  return
}

// Sums in bf16 are rounded at each step, in order.
// CHECK-LABEL: func.func @narrow_sum
// CHECK-NOT: fastmath
// CHECK: arith.addf %{{.+}}, %{{.+}} : f32
// CHECK: arith.shrui
// CHECK-NOT: bf16 to f32
func.func @narrow_sum(%a: memref<4x8xbf16>, %c: memref<4xbf16>) {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<4x8xbf16>) outs(%c : memref<4xbf16>) {
  ^bb0(%x: bf16, %o: bf16):
    %s = arith.addf %o, %x : bf16
    linalg.yield %s : bf16
  }
  return
}

// Two ops, two roundings.
// CHECK-LABEL: func.func @bf16
// CHECK: arith.mulf %{{.+}}, %{{.+}} : f32
// CHECK: arith.trunci
// CHECK: arith.addf %{{.+}}, %{{.+}} : f32
// CHECK: arith.trunci
// CHECK-NOT: arith.truncf
func.func @bf16(%a: bf16, %b: bf16) -> bf16 {
  %0 = arith.mulf %a, %b : bf16
  %1 = arith.addf %0, %b : bf16
  return %1 : bf16
}

// CHECK-LABEL: func.func @functions
// CHECK-NOT: math.exp
// CHECK-NOT: math.log
// CHECK-NOT: math.tanh
// CHECK-NOT: math.erf
// CHECK: math.sin
// CHECK: math.sqrt
func.func @functions(%a: f32) -> f32 {
  %0 = math.exp %a : f32
  %1 = math.log %0 : f32
  %2 = math.tanh %1 : f32
  %3 = math.erf %2 : f32
  %4 = math.sin %3 : f32
  %5 = math.rsqrt %4 : f32
  return %5 : f32
}
