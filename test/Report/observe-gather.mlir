// Experts are quantised before they are chosen. The error of such a product is
// still that against what was chosen, not quantised: it is all that the function
// returns, so that the errors of both are one.

// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/write_array.py %t/w.npy 2 16 64
// RUN: %python %S/Inputs/write_array.py %t/x.npy 3 64 1
// RUN: mx-run %s --inputs %t/w.npy,%t/x.npy --out %t/plain
// RUN: mx-run %s --inputs %t/w.npy,%t/x.npy --scheme nvfp4 --expect %t/plain/result0.npy --report %t/page.html > %t/run.txt
// RUN: grep -ho '"measured":{.*' %t/page.html | FileCheck %s
// CHECK: "measured":{"cosine":0.99{{.*}}"lhs":{"bins":{{.*}}"relative_error":0.0{{.*}}"rhs":{"bins":
// RUN: %python -c "import re; find = lambda name, pattern: float(re.search(pattern, open('%t/' + name).read())[1]); measured, whole = find('page.html', r'measured.*?relative_error.:([^,}]*)'), find('run.txt', r'relative_error (\S*)'); assert abs(measured / whole - 1) < 1e-3, (measured, whole)"
#ids = affine_map<(t, n, k) -> (t)>
#all = affine_map<(t, n, k) -> (t, n, k)>
func.func @main(%stack: tensor<2x16x64xf32>, %x: tensor<3x64x1xf32>) -> tensor<3x16x1xf32> {
  %ids = arith.constant dense<[1, 0, 1]> : tensor<3xi64>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x16x64xf32>
  %w = linalg.generic {indexing_maps = [#ids, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<3xi64>) outs(%e : tensor<3x16x64xf32>) {
  ^bb0(%in: i64, %out: f32):
    %1 = arith.index_cast %in : i64 to index
    %2 = linalg.index 1 : index
    %3 = linalg.index 2 : index
    %4 = tensor.extract %stack[%1, %2, %3] : tensor<2x16x64xf32>
    linalg.yield %4 : f32
  } -> tensor<3x16x64xf32>
  %f = tensor.empty() : tensor<3x16x1xf32>
  %c = linalg.fill ins(%zero : f32) outs(%f : tensor<3x16x1xf32>) -> tensor<3x16x1xf32>
  %0 = linalg.batch_matmul ins(%w, %x : tensor<3x16x64xf32>, tensor<3x64x1xf32>) outs(%c : tensor<3x16x1xf32>) -> tensor<3x16x1xf32>
  return %0 : tensor<3x16x1xf32>
}
