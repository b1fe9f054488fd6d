// A flow that is driven by a transform script: the two linear layers get a
// policy and are quantised, x once for both.

// RUN: mx-opt %s --transform-interpreter | FileCheck %s
// RUN: mlir-opt %s --load-dialect-plugin=%mx_plugin --load-pass-plugin=%mx_plugin --transform-interpreter | FileCheck %s

// The policy alone, to be carried out by the pass.
// RUN: mx-opt %s --transform-interpreter=entry-point=only_policies | FileCheck %s --check-prefix=POLICY
// RUN: mx-opt %s --transform-interpreter=entry-point=only_policies --mx-quantize-matmuls | FileCheck %s

// Over what mx-annotate decided: the plan says so, and holds.
// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --transform-interpreter --mx-verify-untouched --mx-report-plan="format=json output=-" -o %t.mlir | FileCheck %s --check-prefix=PLAN
// RUN: FileCheck %s --input-file=%t.mlir

// CHECK-LABEL: func.func @main
// CHECK:         mx.amax
// CHECK:         %[[X:.+]]:2 = mx.quantize <nvfp4> axis = 1 {{.*}}ins(%{{.*}} : tensor<4x64xf32>
// CHECK:         %[[W:.+]]:2 = mx.quantize <nvfp4_2d> axis = 0
// CHECK:         mx.matmul lhs(%[[X]]#0, %[[X]]#1
// CHECK:         %[[V:.+]]:2 = mx.quantize <nvfp4_2d> axis = 0
// CHECK:         mx.matmul lhs(%[[X]]#0, %[[X]]#1
// CHECK-NOT:     linalg.matmul
// CHECK:         return

// POLICY-COUNT-2: linalg.matmul {mx.policy = #mx.policy<lhs = <format = <nvfp4>>, rhs = <format = <nvfp4_2d>>, accumulate = f32, rule = "script", reason = "linear layers">}
// POLICY-NOT:     mx.quantize
// POLICY:         return

// PLAN-COUNT-2: "policy": "weights nvfp4_2d, activations nvfp4",
// PLAN:         "quantize": 2

func.func @main(%x: tensor<4x64xf32>, %w: tensor<64x32xf32>, %v: tensor<64x16xf32>) -> (tensor<4x32xf32>, tensor<4x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %a = tensor.empty() : tensor<4x32xf32>
  %b = linalg.fill ins(%zero : f32) outs(%a : tensor<4x32xf32>) -> tensor<4x32xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x32xf32>) outs(%b : tensor<4x32xf32>) -> tensor<4x32xf32>
  %c = tensor.empty() : tensor<4x16xf32>
  %d = linalg.fill ins(%zero : f32) outs(%c : tensor<4x16xf32>) -> tensor<4x16xf32>
  %z = linalg.matmul ins(%x, %v : tensor<4x64xf32>, tensor<64x16xf32>) outs(%d : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %y, %z : tensor<4x32xf32>, tensor<4x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %matmuls = transform.structured.match ops{["linalg.matmul"]} in %root
        : (!transform.any_op) -> !transform.any_op
    transform.mx.set_policy %matmuls to <lhs = <format = <nvfp4>>, rhs = <format = <nvfp4_2d>>,
        accumulate = f32, rule = "script", reason = "linear layers"> : !transform.any_op
    %quantized = transform.mx.quantize %matmuls : (!transform.any_op) -> !transform.any_op
    transform.yield
  }

  transform.named_sequence @only_policies(%root: !transform.any_op) {
    %matmuls = transform.structured.match ops{["linalg.matmul"]} in %root
        : (!transform.any_op) -> !transform.any_op
    transform.mx.set_policy %matmuls to <lhs = <format = <nvfp4>>, rhs = <format = <nvfp4_2d>>,
        accumulate = f32, rule = "script", reason = "linear layers"> : !transform.any_op
    transform.yield
  }
}
