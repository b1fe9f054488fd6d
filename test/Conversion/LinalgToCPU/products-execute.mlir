// RUN: rm -rf %t && mkdir %t && mx-run %s --entry ones --out %t
// RUN: mx-run %s --expect %t/result0.npy --max-rel-error 0
// RUN: mx-run %s --cpu generic --threads 1 --expect %t/result0.npy --max-rel-error 0
// RUN: %if avx2 %{ mx-run %s --cpu avx2 --threads 3 --expect %t/result0.npy --max-rel-error 0 %}

// Products of all shapes, tiled and vectorised, against plain loops in f64. The
// operands are small integers, so that sums are exact in any order. The result
// is 1 and, for each shape, the number of elements that differ.

#id = affine_map<(i, j) -> (i, j)>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#all = affine_map<(i, j) -> ()>

func.func @ones() -> tensor<f32> {
  %0 = arith.constant dense<1.0> : tensor<f32>
  return %0 : tensor<f32>
}

// Integers in [-3, 3].
func.func private @operand(%rows: index, %columns: index, %seed: index) -> tensor<?x?xf32> {
  %c7 = arith.constant 7 : index
  %c31 = arith.constant 31 : index
  %three = arith.constant 3.0 : f32
  %e = tensor.empty(%rows, %columns) : tensor<?x?xf32>
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<?x?xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %a = arith.muli %i, %c31 : index
    %b = arith.addi %a, %j : index
    %c = arith.addi %b, %seed : index
    %d = arith.muli %c, %c : index
    %r = arith.remui %d, %c7 : index
    %s = arith.index_cast %r : index to i64
    %f = arith.sitofp %s : i64 to f32
    %g = arith.subf %f, %three : f32
    linalg.yield %g : f32
  } -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// Elements that differ.
func.func private @count(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>) -> f32 {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %init = arith.constant dense<0.0> : tensor<f32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%init : tensor<f32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.cmpf une, %x, %y : f32
    %d = arith.select %p, %one, %zero : f32
    %s = arith.addf %o, %d : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  %1 = tensor.extract %0[] : tensor<f32>
  return %1 : f32
}

func.func private @reference_nk(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %c, %c0 : tensor<?x?xf32>
  %n = tensor.dim %c, %c1 : tensor<?x?xf32>
  %w = tensor.empty(%m, %n) : tensor<?x?xf64>
  %0 = arith.extf %c : tensor<?x?xf32> to tensor<?x?xf64>
  %1 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%0 : tensor<?x?xf64>) {
  ^bb0(%x: f32, %y: f32, %o: f64):
    %xw = arith.extf %x : f32 to f64
    %yw = arith.extf %y : f32 to f64
    %p = arith.mulf %xw, %yw : f64
    %s = arith.addf %o, %p : f64
    linalg.yield %s : f64
  } -> tensor<?x?xf64>
  %2 = arith.truncf %1 : tensor<?x?xf64> to tensor<?x?xf32>
  return %2 : tensor<?x?xf32>
}

func.func private @dynamic_nk(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%n, %k, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%c : tensor<?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  %2 = call @reference_nk(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%0, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_nk_1_23_17(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%n, %k, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<1x17xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<23x17xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<1x23xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<1x17xf32>, tensor<23x17xf32>) outs(%cs : tensor<1x23xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x23xf32>
  %1 = tensor.cast %0 : tensor<1x23xf32> to tensor<?x?xf32>
  %2 = call @reference_nk(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_nk_3_40_33(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%n, %k, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<3x33xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<40x33xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<3x40xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<3x33xf32>, tensor<40x33xf32>) outs(%cs : tensor<3x40xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x40xf32>
  %1 = tensor.cast %0 : tensor<3x40xf32> to tensor<?x?xf32>
  %2 = call @reference_nk(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_nk_17_23_5(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%n, %k, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<17x5xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<23x5xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<17x23xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<17x5xf32>, tensor<23x5xf32>) outs(%cs : tensor<17x23xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<17x23xf32>
  %1 = tensor.cast %0 : tensor<17x23xf32> to tensor<?x?xf32>
  %2 = call @reference_nk(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_nk_29_64_48(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%n, %k, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<29x48xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<64x48xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<29x64xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<29x48xf32>, tensor<64x48xf32>) outs(%cs : tensor<29x64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<29x64xf32>
  %1 = tensor.cast %0 : tensor<29x64xf32> to tensor<?x?xf32>
  %2 = call @reference_nk(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_nk_0_5_3(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%n, %k, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<0x3xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<5x3xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<0x5xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<0x3xf32>, tensor<5x3xf32>) outs(%cs : tensor<0x5xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<0x5xf32>
  %1 = tensor.cast %0 : tensor<0x5xf32> to tensor<?x?xf32>
  %2 = call @reference_nk(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @reference_kn(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %c, %c0 : tensor<?x?xf32>
  %n = tensor.dim %c, %c1 : tensor<?x?xf32>
  %w = tensor.empty(%m, %n) : tensor<?x?xf64>
  %0 = arith.extf %c : tensor<?x?xf32> to tensor<?x?xf64>
  %1 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%0 : tensor<?x?xf64>) {
  ^bb0(%x: f32, %y: f32, %o: f64):
    %xw = arith.extf %x : f32 to f64
    %yw = arith.extf %y : f32 to f64
    %p = arith.mulf %xw, %yw : f64
    %s = arith.addf %o, %p : f64
    linalg.yield %s : f64
  } -> tensor<?x?xf64>
  %2 = arith.truncf %1 : tensor<?x?xf64> to tensor<?x?xf32>
  return %2 : tensor<?x?xf32>
}

func.func private @dynamic_kn(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%k, %n, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%c : tensor<?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  %2 = call @reference_kn(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%0, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_kn_1_23_17(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%k, %n, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<1x17xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<17x23xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<1x23xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<1x17xf32>, tensor<17x23xf32>) outs(%cs : tensor<1x23xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x23xf32>
  %1 = tensor.cast %0 : tensor<1x23xf32> to tensor<?x?xf32>
  %2 = call @reference_kn(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_kn_3_40_33(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%k, %n, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<3x33xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<33x40xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<3x40xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<3x33xf32>, tensor<33x40xf32>) outs(%cs : tensor<3x40xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x40xf32>
  %1 = tensor.cast %0 : tensor<3x40xf32> to tensor<?x?xf32>
  %2 = call @reference_kn(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_kn_17_23_5(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%k, %n, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<17x5xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<5x23xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<17x23xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<17x5xf32>, tensor<5x23xf32>) outs(%cs : tensor<17x23xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<17x23xf32>
  %1 = tensor.cast %0 : tensor<17x23xf32> to tensor<?x?xf32>
  %2 = call @reference_kn(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_kn_29_64_48(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%k, %n, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<29x48xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<48x64xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<29x64xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<29x48xf32>, tensor<48x64xf32>) outs(%cs : tensor<29x64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<29x64xf32>
  %1 = tensor.cast %0 : tensor<29x64xf32> to tensor<?x?xf32>
  %2 = call @reference_kn(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func private @static_kn_0_5_3(%m: index, %n: index, %k: index) -> f32 {
  %a = call @operand(%m, %k, %n) : (index, index, index) -> tensor<?x?xf32>
  %b = call @operand(%k, %n, %m) : (index, index, index) -> tensor<?x?xf32>
  %c = call @operand(%m, %n, %k) : (index, index, index) -> tensor<?x?xf32>
  %as = tensor.cast %a : tensor<?x?xf32> to tensor<0x3xf32>
  %bs = tensor.cast %b : tensor<?x?xf32> to tensor<3x5xf32>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<0x5xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%as, %bs : tensor<0x3xf32>, tensor<3x5xf32>) outs(%cs : tensor<0x5xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<0x5xf32>
  %1 = tensor.cast %0 : tensor<0x5xf32> to tensor<?x?xf32>
  %2 = call @reference_kn(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %3 = call @count(%1, %2) : (tensor<?x?xf32>, tensor<?x?xf32>) -> f32
  return %3 : f32
}

func.func @main() -> tensor<f32> {
  %sum0 = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %c23 = arith.constant 23 : index
  %c29 = arith.constant 29 : index
  %c31 = arith.constant 31 : index
  %c32 = arith.constant 32 : index
  %c33 = arith.constant 33 : index
  %c40 = arith.constant 40 : index
  %c48 = arith.constant 48 : index
  %c50 = arith.constant 50 : index
  %c64 = arith.constant 64 : index
  %c70 = arith.constant 70 : index
  %c130 = arith.constant 130 : index
  %c256 = arith.constant 256 : index
  %e0 = call @dynamic_nk(%c0, %c5, %c3) : (index, index, index) -> f32
  %sum1 = arith.addf %sum0, %e0 : f32
  %e1 = call @dynamic_nk(%c4, %c0, %c3) : (index, index, index) -> f32
  %sum2 = arith.addf %sum1, %e1 : f32
  %e2 = call @dynamic_nk(%c3, %c5, %c0) : (index, index, index) -> f32
  %sum3 = arith.addf %sum2, %e2 : f32
  %e3 = call @dynamic_nk(%c1, %c1, %c1) : (index, index, index) -> f32
  %sum4 = arith.addf %sum3, %e3 : f32
  %e4 = call @dynamic_nk(%c1, %c23, %c17) : (index, index, index) -> f32
  %sum5 = arith.addf %sum4, %e4 : f32
  %e5 = call @dynamic_nk(%c1, %c64, %c256) : (index, index, index) -> f32
  %sum6 = arith.addf %sum5, %e5 : f32
  %e6 = call @dynamic_nk(%c3, %c40, %c33) : (index, index, index) -> f32
  %sum7 = arith.addf %sum6, %e6 : f32
  %e7 = call @dynamic_nk(%c4, %c50, %c16) : (index, index, index) -> f32
  %sum8 = arith.addf %sum7, %e7 : f32
  %e8 = call @dynamic_nk(%c8, %c32, %c16) : (index, index, index) -> f32
  %sum9 = arith.addf %sum8, %e8 : f32
  %e9 = call @dynamic_nk(%c17, %c23, %c5) : (index, index, index) -> f32
  %sum10 = arith.addf %sum9, %e9 : f32
  %e10 = call @dynamic_nk(%c31, %c16, %c40) : (index, index, index) -> f32
  %sum11 = arith.addf %sum10, %e10 : f32
  %e11 = call @dynamic_nk(%c29, %c70, %c130) : (index, index, index) -> f32
  %sum12 = arith.addf %sum11, %e11 : f32
  %e12 = call @static_nk_1_23_17(%c1, %c23, %c17) : (index, index, index) -> f32
  %sum13 = arith.addf %sum12, %e12 : f32
  %e13 = call @static_nk_3_40_33(%c3, %c40, %c33) : (index, index, index) -> f32
  %sum14 = arith.addf %sum13, %e13 : f32
  %e14 = call @static_nk_17_23_5(%c17, %c23, %c5) : (index, index, index) -> f32
  %sum15 = arith.addf %sum14, %e14 : f32
  %e15 = call @static_nk_29_64_48(%c29, %c64, %c48) : (index, index, index) -> f32
  %sum16 = arith.addf %sum15, %e15 : f32
  %e16 = call @static_nk_0_5_3(%c0, %c5, %c3) : (index, index, index) -> f32
  %sum17 = arith.addf %sum16, %e16 : f32
  %e17 = call @dynamic_kn(%c0, %c5, %c3) : (index, index, index) -> f32
  %sum18 = arith.addf %sum17, %e17 : f32
  %e18 = call @dynamic_kn(%c4, %c0, %c3) : (index, index, index) -> f32
  %sum19 = arith.addf %sum18, %e18 : f32
  %e19 = call @dynamic_kn(%c3, %c5, %c0) : (index, index, index) -> f32
  %sum20 = arith.addf %sum19, %e19 : f32
  %e20 = call @dynamic_kn(%c1, %c1, %c1) : (index, index, index) -> f32
  %sum21 = arith.addf %sum20, %e20 : f32
  %e21 = call @dynamic_kn(%c1, %c23, %c17) : (index, index, index) -> f32
  %sum22 = arith.addf %sum21, %e21 : f32
  %e22 = call @dynamic_kn(%c1, %c64, %c256) : (index, index, index) -> f32
  %sum23 = arith.addf %sum22, %e22 : f32
  %e23 = call @dynamic_kn(%c3, %c40, %c33) : (index, index, index) -> f32
  %sum24 = arith.addf %sum23, %e23 : f32
  %e24 = call @dynamic_kn(%c4, %c50, %c16) : (index, index, index) -> f32
  %sum25 = arith.addf %sum24, %e24 : f32
  %e25 = call @dynamic_kn(%c8, %c32, %c16) : (index, index, index) -> f32
  %sum26 = arith.addf %sum25, %e25 : f32
  %e26 = call @dynamic_kn(%c17, %c23, %c5) : (index, index, index) -> f32
  %sum27 = arith.addf %sum26, %e26 : f32
  %e27 = call @dynamic_kn(%c31, %c16, %c40) : (index, index, index) -> f32
  %sum28 = arith.addf %sum27, %e27 : f32
  %e28 = call @dynamic_kn(%c29, %c70, %c130) : (index, index, index) -> f32
  %sum29 = arith.addf %sum28, %e28 : f32
  %e29 = call @static_kn_1_23_17(%c1, %c23, %c17) : (index, index, index) -> f32
  %sum30 = arith.addf %sum29, %e29 : f32
  %e30 = call @static_kn_3_40_33(%c3, %c40, %c33) : (index, index, index) -> f32
  %sum31 = arith.addf %sum30, %e30 : f32
  %e31 = call @static_kn_17_23_5(%c17, %c23, %c5) : (index, index, index) -> f32
  %sum32 = arith.addf %sum31, %e31 : f32
  %e32 = call @static_kn_29_64_48(%c29, %c64, %c48) : (index, index, index) -> f32
  %sum33 = arith.addf %sum32, %e32 : f32
  %e33 = call @static_kn_0_5_3(%c0, %c5, %c3) : (index, index, index) -> f32
  %sum34 = arith.addf %sum33, %e33 : f32
  %r = tensor.from_elements %sum34 : tensor<f32>
  return %r : tensor<f32>
}
