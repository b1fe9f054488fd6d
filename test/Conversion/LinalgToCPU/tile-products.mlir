// RUN: mx-opt %s --mx-cpu-tile-products=cpu=avx2 --canonicalize | FileCheck %s
// RUN: mx-opt %s --mx-cpu-tile-products=cpu=generic --canonicalize | FileCheck %s --check-prefix=GENERIC
// RUN: not mx-opt %s --mx-cpu-tile-products=cpu=z80 2>&1 | FileCheck %s --check-prefix=ERROR
// REQUIRES: x86_64

// ERROR: there is no processor 'z80' here; native, generic and on x86-64 avx2 exist

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Panels of two registers, transposed by blocks of one; no bounds to check.
// CHECK-LABEL: func.func @weight
// CHECK: scf.forall (%{{.+}}) = (0) to (64) step (16)
// CHECK: %[[PANEL:.+]] = scf.for {{.*}} -> (tensor<32x16xf32>)
// CHECK: vector.transfer_read {{.*}} {in_bounds = [true, true]} : tensor<16x32xf32>, vector<8x8xf32>
// CHECK: vector.transpose
// CHECK: scf.for {{.*}} step %c6
// CHECK: scf.for {{.*}} step %c1 iter_args
// CHECK: vector.transfer_read %[[PANEL]]
// CHECK-COUNT-12: vector.fma
// CHECK-NOT: vector.fma
// CHECK: scf.yield
// GENERIC-LABEL: func.func @weight
// GENERIC: scf.forall (%{{.+}}) = (0) to (64) step (8)
// GENERIC-NOT: vector.fma
// GENERIC: arith.mulf {{.*}} : vector<4xf32>
func.func @weight(%a: tensor<12x32xf32>, %b: tensor<64x32xf32>, %c: tensor<12x64xf32>) -> tensor<12x64xf32> {
  %z = arith.constant 0.0 : f32
  %f = linalg.fill ins(%z : f32) outs(%c : tensor<12x64xf32>) -> tensor<12x64xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<12x32xf32>, tensor<64x32xf32>) outs(%f : tensor<12x64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<12x64xf32>
  return %0 : tensor<12x64xf32>
}

// What is left of 17 rows by 23 columns: 5 rows at once, columns under a mask.
// CHECK-LABEL: func.func @ragged
// CHECK: scf.forall (%{{.+}}) = (0) to (23) step (16)
// CHECK: vector.transfer_read %{{.+}}[%{{.+}}], %{{.+}} : tensor<5x?xf32>, vector<8xf32>
// CHECK-COUNT-12: vector.fma
// CHECK: vector.transfer_write %{{.+}} : vector<8xf32>, tensor<17x?xf32>
// CHECK-COUNT-10: vector.fma
// CHECK-NOT: vector.fma
func.func @ragged(%a: tensor<17x5xf32>, %b: tensor<5x23xf32>, %c: tensor<17x23xf32>) -> tensor<17x23xf32> {
  %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<17x5xf32>, tensor<5x23xf32>) outs(%c : tensor<17x23xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<17x23xf32>
  return %0 : tensor<17x23xf32>
}

// The codes of a weight are dequantised a part of a panel at a time.
// CHECK-LABEL: func.func @quantised
// CHECK: scf.forall (%[[N:.+]]) = (0) to (64) step (16)
// CHECK: scf.for %[[K:.+]] = %{{.+}} to %c256 step %c128
// CHECK: tensor.extract_slice %{{.+}}[%[[N]], %[[K]]] [16, 128] [1, 1] : tensor<64x256xi8>
// CHECK: tensor.extract_slice %{{.+}}[%[[N]], %{{.+}}] [16, 8] [1, 1] : tensor<64x16xf32>
// CHECK: linalg.generic
// CHECK: arith.sitofp
// CHECK: vector.transpose
// CHECK: vector.fma
func.func @quantised(%a: tensor<12x256xf32>, %q: tensor<64x256xi8>, %s: tensor<64x16xf32>, %c: tensor<12x64xf32>) -> tensor<12x64xf32> {
  %e = tensor.empty() : tensor<64x256xf32>
  %w = linalg.generic {indexing_maps = [affine_map<(n, k) -> (n, k)>, affine_map<(n, k) -> (n, k floordiv 16)>, affine_map<(n, k) -> (n, k)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%q, %s : tensor<64x256xi8>, tensor<64x16xf32>) outs(%e : tensor<64x256xf32>) {
  ^bb0(%x: i8, %d: f32, %o: f32):
    %r = arith.sitofp %x : i8 to f32
    %v = arith.mulf %r, %d : f32
    linalg.yield %v : f32
  } -> tensor<64x256xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %w : tensor<12x256xf32>, tensor<64x256xf32>) outs(%c : tensor<12x64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %t = arith.addf %o, %p : f32
    linalg.yield %t : f32
  } -> tensor<12x64xf32>
  return %0 : tensor<12x64xf32>
}

// Nothing to do, and nothing done.
// CHECK-LABEL: func.func @empty
// CHECK-NOT: scf.forall
// CHECK: linalg.generic
func.func @empty(%a: tensor<0x5xf32>, %b: tensor<5x23xf32>, %c: tensor<0x23xf32>) -> tensor<0x23xf32> {
  %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<0x5xf32>, tensor<5x23xf32>) outs(%c : tensor<0x23xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<0x23xf32>
  return %0 : tensor<0x23xf32>
}

// One row and a weight by rows: dot products, eight columns at a time.
// CHECK-LABEL: func.func @decode
// CHECK: scf.forall (%{{.+}}) = (0) to (64) step (8)
// CHECK: scf.for {{.*}} step %c8
// CHECK-COUNT-8: vector.fma
// CHECK-NOT: vector.fma
// CHECK-COUNT-8: vector.reduction <add>, %{{.+}} fastmath<reassoc>
func.func @decode(%a: tensor<32xf32>, %b: tensor<64x32xf32>, %c: tensor<64xf32>) -> tensor<64xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(n, k) -> (k)>, affine_map<(n, k) -> (n, k)>, affine_map<(n, k) -> (n)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%a, %b : tensor<32xf32>, tensor<64x32xf32>) outs(%c : tensor<64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<64xf32>
  return %0 : tensor<64xf32>
}

// Three rows and a weight by columns: nothing is packed.
// CHECK-LABEL: func.func @few_rows
// CHECK-SAME: %{{.+}}: tensor<3x32xf32>, %[[B:.+]]: tensor<32x64xf32>
// CHECK: %[[S:.+]] = tensor.extract_slice %[[B]]
// CHECK-NOT: tensor.empty
// CHECK: vector.transfer_read %[[S]]
// CHECK-COUNT-6: vector.fma
// CHECK-NOT: vector.fma
func.func @few_rows(%a: tensor<3x32xf32>, %b: tensor<32x64xf32>, %c: tensor<3x64xf32>) -> tensor<3x64xf32> {
  %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<3x32xf32>, tensor<32x64xf32>) outs(%c : tensor<3x64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x64xf32>
  return %0 : tensor<3x64xf32>
}

// Codes seen by blocks [K/16, 16], scales by [K/16]: whole blocks of a part.
// CHECK-LABEL: func.func @blocks
// CHECK: scf.for %[[K:.+]] = %{{.+}} to %c256 step %c128
// CHECK: %[[O:.+]] = affine.apply #{{.+}}(%[[K]])
// CHECK: tensor.extract_slice %{{.+}}[%{{.+}}, %[[O]], 0] [16, 8, 16] [1, 1, 1] : tensor<64x16x16xi8>
// CHECK: linalg.generic
// CHECK: tensor.collapse_shape
// CHECK: vector.transpose
func.func @blocks(%a: tensor<12x256xf32>, %q: tensor<64x16x16xi8>, %s: tensor<64x16xf32>, %c: tensor<12x64xf32>) -> tensor<12x64xf32> {
  %e = tensor.empty() : tensor<64x16x16xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(n, o, i) -> (n, o, i)>, affine_map<(n, o, i) -> (n, o)>, affine_map<(n, o, i) -> (n, o, i)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q, %s : tensor<64x16x16xi8>, tensor<64x16xf32>) outs(%e : tensor<64x16x16xf32>) {
  ^bb0(%x: i8, %d: f32, %o: f32):
    %r = arith.sitofp %x : i8 to f32
    %p = arith.mulf %r, %d : f32
    linalg.yield %p : f32
  } -> tensor<64x16x16xf32>
  %w = tensor.collapse_shape %v [[0], [1, 2]] : tensor<64x16x16xf32> into tensor<64x256xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %w : tensor<12x256xf32>, tensor<64x256xf32>) outs(%c : tensor<12x64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %t = arith.addf %o, %p : f32
    linalg.yield %t : f32
  } -> tensor<12x64xf32>
  return %0 : tensor<12x64xf32>
}
