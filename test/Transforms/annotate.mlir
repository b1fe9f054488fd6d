// RUN: mx-opt %s --mx-annotate="scheme=nvfp4 args=%S/Inputs/two-layers.args.json" | FileCheck %s
// RUN: mx-opt %s --mx-annotate="scheme=mxfp4a16 scale-rule=floor" | FileCheck %s --check-prefix=A16
// RUN: mx-opt %s --mx-annotate | FileCheck %s --check-prefix=NONE

// A second run replaces what the first one left, in the IR's text too.
// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 | mx-opt --mx-annotate="scheme=nvfp4 args=%S/Inputs/two-layers.args.json" | FileCheck %s

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    %{{[a-z0-9]+}}: tensor<?x64xf32>,
// CHECK-SAME:    tensor<8x64xf32> {mx.parameter = "fc.weight"}
// CHECK-SAME:    tensor<5x8xf32> {mx.parameter = "tail.weight", mx.tied_to = "head.weight"}
// CHECK-SAME:    mx.plan = [
// CHECK-SAME:      #mx.entry<index = 8, op = "linalg.matmul", location = "fc", role = linear, gemm = <fprop>, shape = ?x8x64x1,
// CHECK-SAME:        lhs = f32, rhs = f32, accumulate = f32, weight = "fc.weight", weight_elements = 512, weight_type = f32, scheme = "nvfp4",
// CHECK-SAME:        decision = <lhs = <format = <nvfp4>>, rhs = <format = <nvfp4>>, accumulate = f32, rule = "default", reason = "weight {{[^ ]+}} activation">,
// CHECK-SAME:        fingerprint = {{[0-9]+}}>
// CHECK-SAME:      #mx.entry<{{.*}}location = "tail"
// CHECK:         linalg.matmul {mx.gemm = #mx.gemm<fprop>, mx.id = 0 : i64,
// CHECK-SAME:      mx.policy = #mx.policy<lhs = <format = <nvfp4>>, rhs = <format = <nvfp4>>, accumulate = f32, rule = "default", reason = "weight {{[^ ]+}} activation">,
// CHECK-SAME:      mx.role = #mx.role<linear>}
// CHECK:         mx.id = 1 : i64

// Weights only, whichever side they stand on.

// A16:         linalg.matmul {{.*}}mx.policy = #mx.policy<rhs = <format = <mxfp4, rule = floor>>, accumulate = f32,
// A16:         linalg.matmul {{.*}}mx.policy = #mx.policy<lhs = <format = <mxfp4, rule = floor>>, accumulate = f32,

// Without a scheme everything is kept.

// NONE:        decision = <rule = "default", reason = "weight {{[^ ]+}} activation">
// NONE-NOT:    mx.policy
func.func @main(%x: tensor<?x64xf32>, %w: tensor<8x64xf32>, %v: tensor<5x8xf32>, %m: index) -> tensor<5x?xf32> {
  %zero = arith.constant 0.0 : f32
  %a = tensor.empty() : tensor<64x8xf32>
  %b = tensor.empty(%m) : tensor<?x8xf32>
  %t = linalg.transpose ins(%w : tensor<8x64xf32>) outs(%a : tensor<64x8xf32>) permutation = [1, 0]
  %c = linalg.fill ins(%zero : f32) outs(%b : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = linalg.matmul ins(%x, %t : tensor<?x64xf32>, tensor<64x8xf32>) outs(%c : tensor<?x8xf32>) -> tensor<?x8xf32>
  %d = tensor.empty(%m) : tensor<5x?xf32>
  %e = linalg.fill ins(%zero : f32) outs(%d : tensor<5x?xf32>) -> tensor<5x?xf32>
  %z = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%v, %y : tensor<5x8xf32>, tensor<?x8xf32>) outs(%e : tensor<5x?xf32>) -> tensor<5x?xf32>
  return %z : tensor<5x?xf32>
}
