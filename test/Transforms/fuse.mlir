// RUN: mx-opt %s --mx-fuse --split-input-file | FileCheck %s

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#n = affine_map<(d0, d1) -> (d1)>

// A cast, a bias that is broadcast first, a residual: one after the other. The
// product moves to the last of them, where the residual is known; what was
// rounded to bf16 in between still is. The destination is the last op's.

// CHECK-DAG: #[[N:map[0-9]*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[ID:map[0-9]*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func @chain(
// CHECK-SAME:    %[[BIAS:[a-z0-9]+]]: tensor<8xbf16>, %[[R:[a-z0-9]+]]: tensor<4x8xf32>)
// CHECK-NOT:     linalg.fill
// CHECK:         %[[INIT:.*]] = tensor.empty() : tensor<4x8xf32>
// CHECK:         %[[Y:.*]] = math.absf %[[R]]
// CHECK:         %[[D:.*]] = mx.matmul {{.*}} outs(%[[INIT]] : tensor<4x8xf32>) {{.*}} {mx.id = 3 : i64} -> tensor<4x8xf32>
// CHECK-SAME:        epilogue ins(%[[BIAS]], %[[Y]] : tensor<8xbf16>, tensor<4x8xf32>) maps = [#[[N]], #[[ID]]] {
// CHECK-NEXT:    ^bb0(%[[SUM:.*]]: f32, %[[B:.*]]: bf16, %[[IN:.*]]: f32):
// CHECK-NEXT:      %[[CAST:.*]] = arith.truncf %[[SUM]] : f32 to bf16
// CHECK-NEXT:      %[[ADD:.*]] = arith.addf %[[CAST]], %[[B]] : bf16
// CHECK-NEXT:      %[[WIDE:.*]] = arith.extf %[[ADD]] : bf16 to f32
// CHECK-NEXT:      %[[SUB:.*]] = arith.subf %[[WIDE]], %[[IN]] : f32
// CHECK-NEXT:      mx.yield %[[SUB]] : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    return %[[D]]
func.func @chain(%a: tensor<4x64xf8E4M3FN>, %sa: tensor<4x2xf8E8M0FNU>, %b: tensor<8x64xf8E4M3FN>, %sb: tensor<8x2xf8E8M0FNU>,
                 %bias: tensor<8xbf16>, %residual: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %h = tensor.empty() : tensor<4x8xbf16>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %d = mx.matmul lhs(%a, %sa : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%b, %sb : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] {mx.id = 3 : i64} -> tensor<4x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<4x8xf32>) outs(%h : tensor<4x8xbf16>) attrs = {mx.id = 3 : i64} {
  ^bb0(%in: f32, %o: bf16):
    %t = arith.truncf %in : f32 to bf16
    linalg.yield %t : bf16
  } -> tensor<4x8xbf16>
  %y = math.absf %residual : tensor<4x8xf32>
  %1 = linalg.broadcast ins(%bias : tensor<8xbf16>) outs(%h : tensor<4x8xbf16>) dimensions = [0]
  %2 = linalg.add ins(%0, %1 : tensor<4x8xbf16>, tensor<4x8xbf16>) outs(%h : tensor<4x8xbf16>) -> tensor<4x8xbf16>
  %3 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%2, %y : tensor<4x8xbf16>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%in: bf16, %r: f32, %o: f32):
    %w = arith.extf %in : bf16 to f32
    %s = arith.subf %w, %r : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %3 : tensor<4x8xf32>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// x * sigmoid(x), behind a reshape: the ops that read x twice become one, the
// constant 1 that was broadcast one in the region, the reshape the last.

// CHECK-LABEL: func.func @gate(
// CHECK:         %[[E:.*]] = tensor.empty() : tensor<128x8xf32>
// CHECK:         %[[D:.*]] = mx.matmul {{.*}} outs(%[[E]] : tensor<128x8xf32>) {{.*}} -> tensor<128x8xf32> epilogue {
// CHECK-NEXT:    ^bb0(%[[X:.*]]: f32):
// CHECK-DAG:       %[[NEG:.*]] = arith.negf %[[X]] : f32
// CHECK-DAG:       %[[EXP:.*]] = math.exp %[[NEG]] : f32
// CHECK-DAG:       %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK-DAG:       %[[ADD:.*]] = arith.addf %[[EXP]], %[[ONE]] : f32
// CHECK:           %[[DIV:.*]] = arith.divf %[[X]], %[[ADD]] : f32
// CHECK-NEXT:      mx.yield %[[DIV]] : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    %[[X3:.*]] = tensor.expand_shape %[[D]] {{\[\[}}0, 1], [2]] output_shape [2, 64, 8]
// CHECK-NOT:     linalg
// CHECK:         return %[[X3]]
func.func @gate(%a: tensor<128x64xf32>, %b: tensor<8x64xf8E4M3FN>, %sb: tensor<8x2xf8E8M0FNU>) -> tensor<2x64x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant dense<1.0> : tensor<f32>
  %e = tensor.empty() : tensor<128x8xf32>
  %e3 = tensor.empty() : tensor<2x64x8xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<128x8xf32>) -> tensor<128x8xf32>
  %d = mx.matmul lhs(%a : tensor<128x64xf32>) rhs(%b, %sb : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<128x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<128x8xf32>
  %x = tensor.expand_shape %d [[0, 1], [2]] output_shape [2, 64, 8] : tensor<128x8xf32> into tensor<2x64x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x64x8xf32>) outs(%e3 : tensor<2x64x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %n = arith.negf %in : f32
    linalg.yield %n : f32
  } -> tensor<2x64x8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0 : tensor<2x64x8xf32>) outs(%e3 : tensor<2x64x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %n = math.exp %in : f32
    linalg.yield %n : f32
  } -> tensor<2x64x8xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> ()>, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%one : tensor<f32>) outs(%e3 : tensor<2x64x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    linalg.yield %in : f32
  } -> tensor<2x64x8xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%1, %2 : tensor<2x64x8xf32>, tensor<2x64x8xf32>) outs(%e3 : tensor<2x64x8xf32>) {
  ^bb0(%in: f32, %in2: f32, %o: f32):
    %n = arith.addf %in, %in2 : f32
    linalg.yield %n : f32
  } -> tensor<2x64x8xf32>
  %4 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %3 : tensor<2x64x8xf32>, tensor<2x64x8xf32>) outs(%e3 : tensor<2x64x8xf32>) {
  ^bb0(%in: f32, %in2: f32, %o: f32):
    %n = arith.divf %in, %in2 : f32
    linalg.yield %n : f32
  } -> tensor<2x64x8xf32>
  return %4 : tensor<2x64x8xf32>
}

// -----

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// The scaling of a norm: into the quantise and the amax, one after the other.
// Rows and what is broadcast over them are collapsed as the tensor was; a
// dimension of extent one, read at 0, is dropped.

// CHECK-DAG: #[[M:map[0-9]*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[K:map[0-9]*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @norm(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<2x64x32xf32>, %[[R:[a-z0-9]+]]: tensor<2x64x1xf32>, %[[G:[a-z0-9]+]]: tensor<32xf32>)
// CHECK-DAG:     %[[XC:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2]] : tensor<2x64x32xf32> into tensor<128x32xf32>
// CHECK-DAG:     %[[RC:.*]] = tensor.collapse_shape %[[R]] {{\[\[}}0, 1, 2]] : tensor<2x64x1xf32> into tensor<128xf32>
// CHECK-NOT:     linalg
// CHECK:         mx.amax ins(%[[XC]] : tensor<128x32xf32>) {{.*}} prologue ins(%[[G]], %[[RC]] : tensor<32xf32>, tensor<128xf32>) maps = [#[[K]], #[[M]]] {
// CHECK-NEXT:    ^bb0(%[[IN:.*]]: f32, %[[GAMMA:.*]]: f32, %[[RSTD:.*]]: f32):
// CHECK-NEXT:      %[[MUL:.*]] = arith.mulf %[[IN]], %[[RSTD]] : f32
// CHECK-NEXT:      %[[OUT:.*]] = arith.mulf %[[GAMMA]], %[[MUL]] : f32
// CHECK-NEXT:      mx.yield %[[OUT]] : f32
// CHECK:         mx.quantize <nvfp4> axis = 1 ins(%[[XC]] : tensor<128x32xf32>) {{.*}} prologue ins(%[[G]], %[[RC]] : tensor<32xf32>, tensor<128xf32>) maps = [#[[K]], #[[M]]] {
// CHECK-NOT:     linalg
// CHECK:         return
func.func @norm(%x: tensor<2x64x32xf32>, %r: tensor<2x64x1xf32>, %g: tensor<32xf32>) -> (tensor<128x32xf4E2M1FN>, tensor<128x2xf8E4M3FN>, tensor<f32>) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %e3 = tensor.empty() : tensor<2x64x32xf32>
  %0 = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1, d2) -> (d0, d1, 0)>, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %r : tensor<2x64x32xf32>, tensor<2x64x1xf32>) outs(%e3 : tensor<2x64x32xf32>) {
  ^bb0(%in: f32, %in2: f32, %o: f32):
    %n = arith.mulf %in, %in2 : f32
    linalg.yield %n : f32
  } -> tensor<2x64x32xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d2)>, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%g, %0 : tensor<32xf32>, tensor<2x64x32xf32>) outs(%e3 : tensor<2x64x32xf32>) {
  ^bb0(%in: f32, %in2: f32, %o: f32):
    %n = arith.mulf %in, %in2 : f32
    linalg.yield %n : f32
  } -> tensor<2x64x32xf32>
  %2 = tensor.collapse_shape %1 [[0, 1], [2]] : tensor<2x64x32xf32> into tensor<128x32xf32>
  %a = mx.amax ins(%2 : tensor<128x32xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %e = tensor.empty() : tensor<128x32xf4E2M1FN>
  %s = tensor.empty() : tensor<128x2xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%2 : tensor<128x32xf32>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<128x32xf4E2M1FN>, tensor<128x2xf8E4M3FN>) -> tensor<128x32xf4E2M1FN>, tensor<128x2xf8E4M3FN>
  return %q#0, %q#1, %a : tensor<128x32xf4E2M1FN>, tensor<128x2xf8E4M3FN>, tensor<f32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// Of two inputs the one goes on as the input that has an op before it that can
// be moved, too. x * x is one input. Types may change on the way. Dynamic.

// CHECK-LABEL: func.func @gated(
// CHECK-SAME:    %[[UP:[a-z0-9]+]]: tensor<?x64xf32>, %[[GATE:[a-z0-9]+]]: tensor<?x64xbf16>
// CHECK-NOT:     linalg
// CHECK:         mx.quantize <mxfp4> axis = 1 ins(%[[GATE]] : tensor<?x64xbf16>) {{.*}} prologue ins(%[[UP]] : tensor<?x64xf32>) maps = [#{{.*}}] {
// CHECK-NEXT:    ^bb0(%[[IN:.*]]: bf16, %[[U:.*]]: f32):
// CHECK-NEXT:      %[[SQUARE:.*]] = arith.mulf %[[IN]], %[[IN]] : bf16
// CHECK-NEXT:      %[[WIDE:.*]] = arith.extf %[[SQUARE]] : bf16 to f32
// CHECK-NEXT:      %[[MUL:.*]] = arith.mulf %[[U]], %[[WIDE]] : f32
// CHECK-NEXT:      mx.yield %[[MUL]] : f32
func.func @gated(%up: tensor<?x64xf32>, %gate: tensor<?x64xbf16>, %f: tensor<?x64xf32>, %h: tensor<?x64xbf16>,
                 %e: tensor<?x64xf4E2M1FN>, %s: tensor<?x2xf8E8M0FNU>) -> (tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>) {
  %0 = linalg.mul ins(%gate, %gate : tensor<?x64xbf16>, tensor<?x64xbf16>) outs(%h : tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%up, %0 : tensor<?x64xf32>, tensor<?x64xbf16>) outs(%f : tensor<?x64xf32>) {
  ^bb0(%in: f32, %in2: bf16, %o: f32):
    %w = arith.extf %in2 : bf16 to f32
    %n = arith.mulf %in, %w : f32
    linalg.yield %n : f32
  } -> tensor<?x64xf32>
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%1 : tensor<?x64xf32>) outs(%e, %s : tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>)
      -> tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>
  return %q#0, %q#1 : tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// Between a product and a quantisation the epilogue goes first: what the
// product made is then not written at all. A product in bf16 is rounded before
// the epilogue.

// CHECK-LABEL: func.func @between(
// CHECK:         mx.matmul {{.*}} epilogue {
// CHECK-NEXT:    ^bb0(%[[SUM:.*]]: f32):
// CHECK-NEXT:      %[[ROUND:.*]] = arith.truncf %[[SUM]] : f32 to bf16
// CHECK-NEXT:      %[[EXP:.*]] = math.exp %[[ROUND]] : bf16
// CHECK-NEXT:      mx.yield %[[EXP]] : bf16
// CHECK:         mx.quantize {{.*}} -> tensor<4x32xf4E2M1FN>, tensor<4x1xf8E8M0FNU>{{$}}
func.func @between(%a: tensor<4x64xf32>, %b: tensor<32x64xf8E4M3FN>, %sb: tensor<32x2xf8E8M0FNU>, %e: tensor<4x32xf4E2M1FN>, %s: tensor<4x1xf8E8M0FNU>)
    -> (tensor<4x32xf4E2M1FN>, tensor<4x1xf8E8M0FNU>) {
  %c = arith.constant dense<0.0> : tensor<4x32xbf16>
  %d = mx.matmul lhs(%a : tensor<4x64xf32>) rhs(%b, %sb : tensor<32x64xf8E4M3FN>, tensor<32x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x32xbf16>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x32xbf16>
  %i = tensor.empty() : tensor<4x32xbf16>
  %0 = linalg.exp ins(%d : tensor<4x32xbf16>) outs(%i : tensor<4x32xbf16>) -> tensor<4x32xbf16>
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%0 : tensor<4x32xbf16>) outs(%e, %s : tensor<4x32xf4E2M1FN>, tensor<4x1xf8E8M0FNU>)
      -> tensor<4x32xf4E2M1FN>, tensor<4x1xf8E8M0FNU>
  return %q#0, %q#1 : tensor<4x32xf4E2M1FN>, tensor<4x1xf8E8M0FNU>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1) -> (d0, d1)>

// The ops that read the product meet in one that does not read it itself. Who
// asks for its extents asks for those of where it is written.

// CHECK-LABEL: func.func @meet(
// CHECK:         %[[E:.*]] = tensor.empty(%{{.*}}) : tensor<?x8xf32>
// CHECK:         %[[M:.*]] = tensor.dim %[[E]]
// CHECK:         %[[F:.*]] = tensor.empty(%[[M]]) : tensor<?x8xf32>
// CHECK-NOT:     linalg
// CHECK:         mx.matmul {{.*}} outs(%[[F]] : tensor<?x8xf32>) {{.*}} epilogue {
// CHECK-NEXT:    ^bb0(%[[X:.*]]: f32):
// CHECK-DAG:       %[[NEG:.*]] = arith.negf %[[X]] : f32
// CHECK-DAG:       %[[EXP:.*]] = math.exp %[[X]] : f32
// CHECK-DAG:       %[[ADD:.*]] = arith.addf %[[EXP]], %[[X]] : f32
// CHECK:           %[[MUL:.*]] = arith.mulf %[[NEG]], %[[ADD]] : f32
// CHECK-NEXT:      mx.yield %[[MUL]] : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    return
func.func @meet(%m: index, %a: tensor<?x64xf32>, %b: tensor<8x64xf8E4M3FN>, %sb: tensor<8x2xf8E8M0FNU>) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %e = tensor.empty(%m) : tensor<?x8xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  %d = mx.matmul lhs(%a : tensor<?x64xf32>) rhs(%b, %sb : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<?x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<?x8xf32>
  %n = tensor.dim %d, %c0 : tensor<?x8xf32>
  %f = tensor.empty(%n) : tensor<?x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<?x8xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %x = arith.negf %in : f32
    linalg.yield %x : f32
  } -> tensor<?x8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<?x8xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %x = math.exp %in : f32
    linalg.yield %x : f32
  } -> tensor<?x8xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%1, %d : tensor<?x8xf32>, tensor<?x8xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%in: f32, %in2: f32, %o: f32):
    %x = arith.addf %in, %in2 : f32
    linalg.yield %x : f32
  } -> tensor<?x8xf32>
  %3 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %2 : tensor<?x8xf32>, tensor<?x8xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%in: f32, %in2: f32, %o: f32):
    %x = arith.mulf %in, %in2 : f32
    linalg.yield %x : f32
  } -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// -----

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// So before a quantisation.

// CHECK-LABEL: func.func @extents(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<2x?x64xf32>
// CHECK:         %[[XC:.*]] = tensor.collapse_shape %[[X]]
// CHECK:         tensor.dim %[[XC]]
// CHECK:         mx.quantize <mxfp4> axis = 1 ins(%[[XC]] : tensor<?x64xf32>) {{.*}} prologue {
func.func @extents(%x: tensor<2x?x64xf32>, %i: tensor<2x?x64xf32>) -> (tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>) {
  %c0 = arith.constant 0 : index
  %0 = linalg.exp ins(%x : tensor<2x?x64xf32>) outs(%i : tensor<2x?x64xf32>) -> tensor<2x?x64xf32>
  %1 = tensor.collapse_shape %0 [[0, 1], [2]] : tensor<2x?x64xf32> into tensor<?x64xf32>
  %m = tensor.dim %1, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%m) : tensor<?x64xf4E2M1FN>
  %s = tensor.empty(%m) : tensor<?x2xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%1 : tensor<?x64xf32>) outs(%e, %s : tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>)
      -> tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>
  return %q#0, %q#1 : tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>
}
