// A recipe file from the command line to the plan: locations of errors and
// warnings, what a rule cannot be about, scale-rule=.

// RUN: split-file %s %t

// RUN: mx-opt %t/model.mlir --mx-annotate=recipe=%t/own.yaml -o %t/out.mlir 2>&1 | FileCheck %s --check-prefix=WARN --implicit-check-not=warning:
// RUN: FileCheck %s --input-file=%t/out.mlir
// CHECK: mx.policy = #mx.policy<lhs = <format = <mxfp4>>, rhs = <format = <mxfp4, rule = floor>>, accumulate = f32, promote_every = 64, rule = "{{.*}}own.yaml:9: mx_rules -> weights mxfp4, rule = floor; {{.*}}own.yaml:4: Linear -> mxfp4", reason
// CHECK: mx.policy = #mx.policy<lhs = <format = <mxfp8_e4m3>>, rhs = <format = <mxfp8_e4m3>>, accumulate = f32, rule = "{{.*}}own.yaml:11: mx_rules -> activations mxfp8_e4m3", reason = "{{.*}}"
// WARN: own.yaml:5:39: warning: ignore re:.*gate: matches nothing

// RUN: mx-opt %t/model.mlir --mx-annotate="recipe=%t/own.yaml scale-rule=rceil" 2>/dev/null | FileCheck %s --check-prefix=RCEIL
// RCEIL: mx.policy = #mx.policy<lhs = <format = <mxfp4, rule = rceil>>, rhs = <format = <mxfp4, rule = rceil>>

// RUN: not mx-opt %t/model.mlir --mx-annotate="recipe=%t/block.yaml" 2>&1 | FileCheck %s --check-prefix=BLOCK --implicit-check-not=error:
// BLOCK: block.yaml:1:15: error: {{.*}}: 'fc': blocks of 32 and of 48 along K do not fit each other

// RUN: not mx-opt %t/model.mlir --mx-annotate="recipe=%t/promote.yaml" 2>&1 | FileCheck %s --check-prefix=PROMOTE --implicit-check-not=error:
// PROMOTE: promote.yaml:1:13: error: {{.*}}: 'fc': promote_every 48 is not a multiple of the block, which is 32

// RUN: not mx-opt %t/model.mlir --mx-annotate="recipe=%t/one-transform.yaml" 2>&1 | FileCheck %s --check-prefix=ONE --implicit-check-not=error:
// ONE: one-transform.yaml:1:13: error: {{.*}}lhs and rhs must have the same transform

// RUN: not mx-opt %t/model.mlir --mx-annotate="recipe=%t/weight.yaml" 2>&1 | FileCheck %s --check-prefix=WEIGHT --implicit-check-not=error:
// WEIGHT: weight.yaml:1:13: error: {{.*}}: an op is a product without a weight (role other); give 'activations' only

// RUN: not mx-opt %t/model.mlir --mx-annotate="recipe=%t/embedding.yaml" 2>&1 | FileCheck %s --check-prefix=EMBEDDING --implicit-check-not=error:
// EMBEDDING: embedding.yaml:1:57: error: {{.*}}: 'embed' is embedding, which cannot be quantised; products can (add it to 'ignore', or name others)

// RUN: not mx-opt %t/model.mlir --mx-annotate="recipe=%t/syntax.json" 2>&1 | FileCheck %s --check-prefix=SYNTAX --implicit-check-not=error:
// SYNTAX: syntax.json:2:3: error: Expected object key

// RUN: not mx-opt %t/model.mlir --mx-annotate="recipe=%t/nvfp4.yaml scale-rule=even" 2>&1 | FileCheck %s --check-prefix=NORULE
// NORULE: nvfp4.yaml:1:1: error: scale rule 'even' is for E8M0 scales, which the recipe does not have

//--- own.yaml
quant_stage:
  quant_modifiers:
    QuantizationModifier:
      targets: [Linear]
      ignore: [                       "re:.*gate"]
      scheme: MXFP4
mx_rules:
  # Weights of what is named, and a longer sum.
  - targets: fc
    weights: {format: mxfp4, scale_rule: floor}
  - {roles: other, activations: mxfp8_e4m3}
  - {shape: {k: {min: 64}}, gemm: fprop, promote_every: 64}
//--- block.yaml
mx_rules: [   {weights: "element = int4, block = 1x48, scale = f32, rule = amax", activations: mxfp8_e4m3}]
//--- promote.yaml
mx_rules:  [{scheme: mxfp4, promote_every: 48}]
//--- one-transform.yaml
mx_rules:  [{weights: {format: mxfp4, transform: 32}, activations: mxfp4}]
//--- weight.yaml
mx_rules:  [{roles: other, scheme: mxfp4}]
//--- embedding.yaml
a_stage: {b_modifiers: {QuantizationModifier: {targets: Embedding, scheme: MXFP4}}}
//--- syntax.json
{"mx_rules": [],
  }
//--- nvfp4.yaml
mx_rules: [{scheme: nvfp4}]
//--- model.mlir
func.func @embed(%ids: tensor<4xi64> {mx.parameter = "ids"}, %table: tensor<16x64xf32> {mx.parameter = "embed.weight"}, %input: tensor<4xi64>) -> tensor<4x64xf32> {
  %a = tensor.empty() : tensor<4x64xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%input : tensor<4xi64>) outs(%a : tensor<4x64xf32>) {
  ^bb0(%id: i64, %out: f32):
    %row = arith.index_cast %id : i64 to index
    %column = linalg.index 1 : index
    %value = tensor.extract %table[%row, %column] : tensor<16x64xf32>
    linalg.yield %value : f32
  } -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}
func.func @main(%x: tensor<4x64xf32>, %v: tensor<8x8xf32>, %w: tensor<8x64xf32> {mx.parameter = "fc.weight"}) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %a = tensor.empty() : tensor<64x8xf32>
  %b = tensor.empty() : tensor<4x8xf32>
  %t = linalg.transpose ins(%w : tensor<8x64xf32>) outs(%a : tensor<64x8xf32>) permutation = [1, 0]
  %c = linalg.fill ins(%zero : f32) outs(%b : tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = linalg.matmul ins(%x, %t : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %z = linalg.matmul ins(%y, %v : tensor<4x8xf32>, tensor<8x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %z : tensor<4x8xf32>
}
