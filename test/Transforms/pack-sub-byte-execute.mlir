// Rows gathered from packed codes are the rows gathered from codes.

// RUN: rm -rf %t && mkdir %t
// RUN: mx-run %s --entry main --out %t/plain
// RUN: mx-opt %s -mx-pack-sub-byte -o %t/packed.mlir
// RUN: FileCheck %s --input-file %t/packed.mlir
// RUN: mx-run %t/packed.mlir --entry main --out %t/packed
// RUN: cmp %t/plain/result0.npy %t/packed/result0.npy
// RUN: cmp %t/plain/result1.npy %t/packed/result1.npy

// CHECK: tensor.extract %{{.*}} : tensor<4x6x24xi8>
// CHECK: tensor.extract %{{.*}} : tensor<4x6x24xi8>

#row = affine_map<(e, n, k) -> (e)>
#all = affine_map<(e, n, k) -> (e, n, k)>

func.func private @values() -> tensor<4x6x48xf32> {
  %e = tensor.empty() : tensor<4x6x48xf32>
  %x = linalg.generic {indexing_maps = [#all], iterator_types = ["parallel", "parallel", "parallel"]} outs(%e : tensor<4x6x48xf32>) {
  ^bb0(%out: f32):
    %c17 = arith.constant 17 : index
    %c29 = arith.constant 29 : index
    %c97 = arith.constant 97 : index
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = linalg.index 2 : index
    %a = arith.muli %i, %c29 : index
    %b = arith.muli %j, %c17 : index
    %c = arith.addi %a, %b : index
    %d = arith.addi %c, %k : index
    %m = arith.muli %d, %d : index
    %r = arith.remui %m, %c97 : index
    %n = arith.index_cast %r : index to i32
    %f = arith.sitofp %n : i32 to f32
    %half = arith.constant 48.0 : f32
    %g = arith.subf %f, %half : f32
    linalg.yield %g : f32
  } -> tensor<4x6x48xf32>
  return %x : tensor<4x6x48xf32>
}

func.func @main() -> (tensor<3x6x48xf32>, tensor<3x6x48xf32>) {
  %x = func.call @values() : () -> tensor<4x6x48xf32>
  %ids = arith.constant dense<[2, 0, 3]> : tensor<3xi64>
  %e = tensor.empty() : tensor<4x6x48xf4E2M1FN>
  %s = tensor.empty() : tensor<4x6x2xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp4> axis = 2 ins(%x : tensor<4x6x48xf32>)
      outs(%e, %s : tensor<4x6x48xf4E2M1FN>, tensor<4x6x2xf8E8M0FNU>) -> tensor<4x6x48xf4E2M1FN>, tensor<4x6x2xf8E8M0FNU>
  %e3 = tensor.empty() : tensor<3x6x48xf4E2M1FN>
  %codes = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<3xi64>) outs(%e3 : tensor<3x6x48xf4E2M1FN>) {
  ^bb0(%id: i64, %out: f4E2M1FN):
    %r = arith.index_cast %id : i64 to index
    %n = linalg.index 1 : index
    %k = linalg.index 2 : index
    %c = tensor.extract %q#0[%r, %n, %k] : tensor<4x6x48xf4E2M1FN>
    linalg.yield %c : f4E2M1FN
  } -> tensor<3x6x48xf4E2M1FN>
  %s3 = tensor.empty() : tensor<3x6x2xf8E8M0FNU>
  %scales = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<3xi64>) outs(%s3 : tensor<3x6x2xf8E8M0FNU>) {
  ^bb0(%id: i64, %out: f8E8M0FNU):
    %r = arith.index_cast %id : i64 to index
    %n = linalg.index 1 : index
    %k = linalg.index 2 : index
    %c = tensor.extract %q#1[%r, %n, %k] : tensor<4x6x2xf8E8M0FNU>
    linalg.yield %c : f8E8M0FNU
  } -> tensor<3x6x2xf8E8M0FNU>
  %f = tensor.empty() : tensor<3x6x48xf32>
  %d = mx.dequantize <mxfp4> axis = 2 ins(%codes, %scales : tensor<3x6x48xf4E2M1FN>, tensor<3x6x2xf8E8M0FNU>)
      outs(%f : tensor<3x6x48xf32>) -> tensor<3x6x48xf32>

  // INT4: codes of integers.
  %e4 = tensor.empty() : tensor<4x6x48xi4>
  %s4 = tensor.empty() : tensor<4x6x2xf32>
  %p:2 = mx.quantize <int4_g32> axis = 2 ins(%x : tensor<4x6x48xf32>)
      outs(%e4, %s4 : tensor<4x6x48xi4>, tensor<4x6x2xf32>) -> tensor<4x6x48xi4>, tensor<4x6x2xf32>
  %e5 = tensor.empty() : tensor<3x6x48xi4>
  %integers = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<3xi64>) outs(%e5 : tensor<3x6x48xi4>) {
  ^bb0(%id: i64, %out: i4):
    %r = arith.index_cast %id : i64 to index
    %n = linalg.index 1 : index
    %k = linalg.index 2 : index
    %c = tensor.extract %p#0[%r, %n, %k] : tensor<4x6x48xi4>
    linalg.yield %c : i4
  } -> tensor<3x6x48xi4>
  %slice = tensor.extract_slice %p#1[0, 0, 0] [3, 6, 2] [1, 1, 1] : tensor<4x6x2xf32> to tensor<3x6x2xf32>
  %g = mx.dequantize <int4_g32> axis = 2 ins(%integers, %slice : tensor<3x6x48xi4>, tensor<3x6x2xf32>)
      outs(%f : tensor<3x6x48xf32>) -> tensor<3x6x48xf32>
  return %d, %g : tensor<3x6x48xf32>, tensor<3x6x48xf32>
}
