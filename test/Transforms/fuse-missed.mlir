// RUN: mx-opt %s --mx-fuse --remarks-filter=mx-fuse --split-input-file -o %t 2>&1 | FileCheck %s
// RUN: mx-opt %s --mx-fuse --split-input-file -o %t.quiet 2>&1 | count 0
// RUN: FileCheck %s --input-file=%t --check-prefix=SAME

// What stays, and what is said about it: optimisation remarks, of ops that were
// moved, too.

// SAME-NOT: {{prologue|epilogue}}
// SAME:     func.func @moved
// SAME:     epilogue

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// Each reader would compute the product again.
// CHECK: {{.*}}fuse-missed.mlir:[[#@LINE+6]]:{{.*}}remark: [Missed] epilogue | Category:mx-fuse | Function=two_readers | Op=linalg.exp, Reason="the product is read by 2 ops"
func.func @two_readers(%a: tensor<4x64xf32>, %b: tensor<8x64xf8E4M3FN>, %s: tensor<8x2xf8E8M0FNU>, %i: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %c = arith.constant dense<0.0> : tensor<4x8xf32>
  %d = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %0 = linalg.abs ins(%d : tensor<4x8xf32>) outs(%i : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.exp ins(%d : tensor<4x8xf32>) outs(%i : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// An init that is no zero is added before the epilogue.
// CHECK: {{.*}}fuse-missed.mlir:[[#@LINE+5]]:{{.*}}remark: [Missed] epilogue {{.*}} Function=init | {{.*}}Reason="the product is added to an initial value"
func.func @init(%a: tensor<4x64xf32>, %b: tensor<8x64xf8E4M3FN>, %s: tensor<8x2xf8E8M0FNU>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %i = tensor.empty() : tensor<4x8xf32>
  %d = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %0 = linalg.exp ins(%d : tensor<4x8xf32>) outs(%i : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// A loop would compute the product in each iteration.
// CHECK: remark: [Missed] epilogue {{.*}} Function=loop | {{.*}}Reason="it is not in the block of the product"
func.func @loop(%a: tensor<4x64xf32>, %b: tensor<8x64xf8E4M3FN>, %s: tensor<8x2xf8E8M0FNU>, %n: index, %i: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %c = arith.constant dense<0.0> : tensor<4x8xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %r = scf.for %j = %c0 to %n step %c1 iter_args(%x = %i) -> tensor<4x8xf32> {
    %0 = linalg.add ins(%d, %x : tensor<4x8xf32>, tensor<4x8xf32>) outs(%i : tensor<4x8xf32>) -> tensor<4x8xf32>
    scf.yield %0 : tensor<4x8xf32>
  }
  return %r : tensor<4x8xf32>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1) -> (d0, d1)>

// What the plan keeps; a transposition; a result of other numbers; what looks
// at indices; a scalar from outside.
// CHECK: remark: [Missed] epilogue {{.*}} Function=others | {{.*}}Reason="the plan keeps it as it is"
// CHECK: remark: [Missed] epilogue {{.*}} Function=others | {{.*}}Reason="it reads the product in another order"
// CHECK: remark: [Missed] epilogue {{.*}} Function=others | {{.*}}Reason="its result is not of f32, f16 or bf16"
// CHECK: remark: [Missed] epilogue {{.*}} Function=others | {{.*}}Reason="linalg.index is no arithmetic on scalars"
// CHECK: remark: [Missed] epilogue {{.*}} Function=others | {{.*}}Reason="it reads a scalar that is no constant"
// CHECK: remark: [Missed] epilogue {{.*}} Function=others | {{.*}}Reason="operand 1 is not read along dimensions of the result"
func.func @others(%a: tensor<4x64xf32>, %b: tensor<8x64xf8E4M3FN>, %s: tensor<8x2xf8E8M0FNU>, %f: f32, %i: tensor<4x8xf32>, %t: tensor<8x4xf32>, %h: tensor<4x8xf64>, %g: tensor<12xf32>)
    -> (tensor<4x8xf32>, tensor<8x4xf32>, tensor<4x8xf64>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %c = arith.constant dense<0.0> : tensor<4x8xf32>
  %d0 = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %0 = linalg.exp {mx.role = #mx.role<rotary>} ins(%d0 : tensor<4x8xf32>) outs(%i : tensor<4x8xf32>) -> tensor<4x8xf32>
  %d1 = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %1 = linalg.transpose ins(%d1 : tensor<4x8xf32>) outs(%t : tensor<8x4xf32>) permutation = [1, 0]
  %d2 = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d2 : tensor<4x8xf32>) outs(%h : tensor<4x8xf64>) {
  ^bb0(%in: f32, %o: f64):
    %n = arith.extf %in : f32 to f64
    linalg.yield %n : f64
  } -> tensor<4x8xf64>
  %d3 = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d3 : tensor<4x8xf32>) outs(%i : tensor<4x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %j = linalg.index 1 : index
    %k = arith.index_cast %j : index to i32
    %l = arith.sitofp %k : i32 to f32
    %n = arith.mulf %in, %l : f32
    linalg.yield %n : f32
  } -> tensor<4x8xf32>
  %d4 = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %4 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d4 : tensor<4x8xf32>) outs(%i : tensor<4x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %n = arith.mulf %in, %f : f32
    linalg.yield %n : f32
  } -> tensor<4x8xf32>
  %d5 = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %5 = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d0 + d1)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d5, %g : tensor<4x8xf32>, tensor<12xf32>) outs(%i : tensor<4x8xf32>) {
  ^bb0(%in: f32, %in2: f32, %o: f32):
    %n = arith.mulf %in, %in2 : f32
    linalg.yield %n : f32
  } -> tensor<4x8xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<4x8xf32>, tensor<8x4xf32>, tensor<4x8xf64>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// What others read is not computed again for the quantisation.
// CHECK: remark: [Missed] prologue {{.*}} Function=also_read | {{.*}}Reason="others read what is quantised"
func.func @also_read(%x: tensor<4x64xf32>, %i: tensor<4x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>)
    -> (tensor<4x64xf32>, tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) {
  %0 = linalg.exp ins(%x : tensor<4x64xf32>) outs(%i : tensor<4x64xf32>) -> tensor<4x64xf32>
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%0 : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  return %0, %q#0, %q#1 : tensor<4x64xf32>, tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
}

// -----

// CHECK: remark: [Missed] prologue {{.*}} Function=also_reshaped | {{.*}}Reason="others read its result"
func.func @also_reshaped(%x: tensor<2x2x64xf32>, %i: tensor<2x2x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>)
    -> (tensor<2x2x64xf32>, tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) {
  %0 = linalg.exp ins(%x : tensor<2x2x64xf32>) outs(%i : tensor<2x2x64xf32>) -> tensor<2x2x64xf32>
  %1 = tensor.collapse_shape %0 [[0, 1], [2]] : tensor<2x2x64xf32> into tensor<4x64xf32>
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%1 : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  return %0, %q#0, %q#1 : tensor<2x2x64xf32>, tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
}

// -----

// CHECK: remark: [Missed] prologue {{.*}} Function=two_directions | {{.*}}Reason="its result is quantised 2 times"
func.func @two_directions(%x: tensor<32x64xf32>, %i: tensor<32x64xf32>, %e: tensor<32x64xf4E2M1FN>, %s: tensor<32x2xf8E8M0FNU>, %t: tensor<1x64xf8E8M0FNU>)
    -> (tensor<32x64xf4E2M1FN>, tensor<32x2xf8E8M0FNU>, tensor<32x64xf4E2M1FN>, tensor<1x64xf8E8M0FNU>) {
  %0 = linalg.exp ins(%x : tensor<32x64xf32>) outs(%i : tensor<32x64xf32>) -> tensor<32x64xf32>
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%0 : tensor<32x64xf32>) outs(%e, %s : tensor<32x64xf4E2M1FN>, tensor<32x2xf8E8M0FNU>)
      -> tensor<32x64xf4E2M1FN>, tensor<32x2xf8E8M0FNU>
  %r:2 = mx.quantize <mxfp4> axis = 0 ins(%0 : tensor<32x64xf32>) outs(%e, %t : tensor<32x64xf4E2M1FN>, tensor<1x64xf8E8M0FNU>)
      -> tensor<32x64xf4E2M1FN>, tensor<1x64xf8E8M0FNU>
  return %q#0, %q#1, %r#0, %r#1 : tensor<32x64xf4E2M1FN>, tensor<32x2xf8E8M0FNU>, tensor<32x64xf4E2M1FN>, tensor<1x64xf8E8M0FNU>
}

// -----

// CHECK: remark: [Missed] prologue {{.*}} Function=broadcast | {{.*}}Reason="it reads no tensor of f32, f16 or bf16 in place"
func.func @broadcast(%x: tensor<64xf32>, %i: tensor<4x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>)
    -> (tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) {
  %0 = linalg.broadcast ins(%x : tensor<64xf32>) outs(%i : tensor<4x64xf32>) dimensions = [0]
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%0 : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  return %q#0, %q#1 : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// CHECK: remark: [Passed] epilogue | Category:mx-fuse | Function=moved | Into=mx.matmul, Op=linalg.exp
func.func @moved(%a: tensor<4x64xf32>, %b: tensor<8x64xf8E4M3FN>, %s: tensor<8x2xf8E8M0FNU>, %i: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %c = arith.constant dense<0.0> : tensor<4x8xf32>
  %d = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %0 = linalg.exp ins(%d : tensor<4x8xf32>) outs(%i : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
