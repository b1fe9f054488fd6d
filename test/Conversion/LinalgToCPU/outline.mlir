// RUN: mx-opt %s --mx-cpu-outline | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// Two layers, one kernel, two destinations.
// CHECK-LABEL: func.func @layers
// CHECK-SAME: %[[X:.+]]: tensor<4x8xf32>, %[[V:.+]]: tensor<4x8xf32>, %[[W:.+]]: tensor<4x8xf32>
// CHECK: %[[E0:.+]] = tensor.empty()
// CHECK: %[[R0:.+]] = call @[[K:mx_kernel_add]](%[[X]], %[[V]], %[[E0]])
// CHECK: %[[E1:.+]] = tensor.empty()
// CHECK: %[[R1:.+]] = call @[[K]](%[[R0]], %[[W]], %[[E1]])
// CHECK: return %[[R1]]
func.func @layers(%x: tensor<4x8xf32>, %v: tensor<4x8xf32>, %w: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = linalg.add {mx.role = #mx.role<norm>} ins(%x, %v : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.add ins(%0, %w : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// The initial value and the slice go inside; a destination that is read is
// copied, since arguments are never written.
// CHECK-LABEL: func.func @reductions
// CHECK-SAME: %[[X:.+]]: tensor<?x8xf32>, %[[N:.+]]: index, %[[C:.+]]: tensor<?xf32>
// CHECK-NOT: linalg.fill
// CHECK: call @[[SUM:.+]](%[[X]], %[[N]], %{{.+}})
// CHECK: call @[[ADD:.+]](%{{.+}}, %[[C]], %{{.+}})
func.func @reductions(%x: tensor<?x8xf32>, %n: index, %c: tensor<?xf32>) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %s = tensor.extract_slice %x[0, 0] [%n, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%s : tensor<?x8xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %b = arith.addf %a, %o : f32
    linalg.yield %b : f32
  } -> tensor<?xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%0 : tensor<?xf32>) outs(%c : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %b = arith.addf %a, %o : f32
    linalg.yield %b : f32
  } -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

// Weights that are constants are arguments, splats are not.
// CHECK-LABEL: func.func @constants
// CHECK: %[[W:.+]] = arith.constant dense<{{\[}}1.0
// CHECK: call @{{.+}}(%[[W]], %{{.+}}) : (tensor<2xf32>, tensor<2xf32>)
func.func @constants() -> tensor<2xf32> {
  %w = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %s = arith.constant dense<3.0> : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  %0 = linalg.sub ins(%w, %s : tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// Codes and scales of a weight become its panels inside the kernel.
// CHECK-LABEL: func.func @dequantised_weight
// CHECK-SAME: %[[X:.+]]: tensor<4x32xf32>, %[[Q:.+]]: tensor<8x32xi8>, %[[S:.+]]: tensor<8x2xf32>
// CHECK-NOT: linalg.generic
// CHECK: call @{{.+}}(%[[X]], %[[Q]], %[[S]], %{{.+}})
func.func @dequantised_weight(%x: tensor<4x32xf32>, %q: tensor<8x32xi8>, %s: tensor<8x2xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %e = tensor.empty() : tensor<8x32xf32>
  %w = linalg.generic {indexing_maps = [#id, affine_map<(n, k) -> (n, k floordiv 16)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%q, %s : tensor<8x32xi8>, tensor<8x2xf32>) outs(%e : tensor<8x32xf32>) {
  ^bb0(%c: i8, %d: f32, %o: f32):
    %a = arith.sitofp %c : i8 to f32
    %h = arith.mulf %d, %half : f32
    %b = arith.mulf %a, %h : f32
    linalg.yield %b : f32
  } -> tensor<8x32xf32>
  %d = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%d : tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x32xf32>, tensor<8x32xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @concat
// CHECK: call @mx_kernel_concat
func.func @concat(%a: tensor<2x?xf32>, %b: tensor<2x3xf32>) -> tensor<2x?xf32> {
  %0 = tensor.concat dim(1) %a, %b : (tensor<2x?xf32>, tensor<2x3xf32>) -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// CHECK-LABEL: func.func @pad
// CHECK: call @mx_kernel_pad
// CHECK-NOT: tensor.pad
func.func @pad(%a: tensor<2x?xf32>, %n: index) -> tensor<3x?xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.pad %a low[0, %n] high[1, 2] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x?xf32> to tensor<3x?xf32>
  return %0 : tensor<3x?xf32>
}

// CHECK: func.func private @mx_kernel_pad(
// CHECK: linalg.fill
// CHECK: tensor.insert_slice

// CHECK: func.func private @mx_kernel_concat(
// CHECK-COUNT-2: tensor.insert_slice

// CHECK: func.func private @mx_kernel_add(
// CHECK-SAME: %{{.+}}: tensor<4x8xf32> {llvm.noalias}, %{{.+}}: tensor<4x8xf32> {llvm.noalias}, %[[OUT:.+]]: tensor<4x8xf32> {llvm.noalias})
// CHECK-SAME: attributes {llvm.bareptr}
// CHECK: linalg.add
// CHECK-SAME: outs(%[[OUT]]
