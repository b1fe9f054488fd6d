// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What recipes of each kind mean for ops.

#include "mx/Recipe/Recipe.h"

#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mx;

namespace {

class RecipeTest : public testing::Test {
protected:
  /// Reads a recipe that has no errors.
  void read(llvm::StringRef text, llvm::StringRef path = "r.yaml") {
    mlir::ScopedDiagnosticHandler handler(
        &context, [&](mlir::Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
            ADD_FAILURE() << diagnostic.str();
          return mlir::success();
        });
    mlir::FailureOr<RuleList> list = parseRecipe(text, path, &context);
    ASSERT_TRUE(mlir::succeeded(list));
    rules = std::move(*list);
  }

  Decision decide(llvm::StringRef name, Role role = Role::linear,
                  bool isTraining = false) const {
    OpDescription op;
    op.role = role;
    op.gemm = Gemm::fprop;
    op.name = name;
    op.layer = getLayer(name);
    op.numLayers = 12;
    op.shape = ProductShape{32, 64, 128, 1};
    op.isTraining = isTraining;
    return rules.decide(op);
  }
  /// "scheme rule", so that a test is one line an op.
  std::string plan(llvm::StringRef name, Role role = Role::linear) const {
    Decision decision = decide(name, role);
    return decision.getSchemeName() + " | " + decision.rule;
  }

  mlir::MLIRContext context;
  RuleList rules;
};

//===----------------------------------------------------------------------===//
// llm-compressor and compressed-tensors
//===----------------------------------------------------------------------===//

TEST_F(RecipeTest, Stage) {
  read(R"(quant_stage:
  quant_modifiers:
    QuantizationModifier:
      targets: [Linear]
      ignore: ["lm_head", "re:.*down"]
      scheme: NVFP4
)");
  EXPECT_EQ(plan("l.0.up"), "nvfp4 | r.yaml:4: Linear -> nvfp4");
  EXPECT_EQ(plan("l.0.down"), "bf16 | r.yaml:5: ignore re:.*down");
  EXPECT_EQ(plan("lm_head", Role::lm_head), "bf16 | r.yaml:5: ignore lm_head");
  EXPECT_EQ(plan("", Role::lm_head), "bf16 | r.yaml:5: ignore lm_head");
  // A router only by its name.
  EXPECT_EQ(plan("l.0.gate", Role::router), "bf16 | default");
}

TEST_F(RecipeTest, ClassLinearHasTheHead) {
  read("a_stage: {b_modifiers: {QuantizationModifier: {scheme: MXFP8}}}");
  EXPECT_EQ(decide("lm_head", Role::lm_head).weights.format->str(),
            "mxfp8_e4m3, rule = even");
  EXPECT_TRUE(decide("e", Role::embedding).isKeep());
}

/// As there: an exact name beats a regular expression, which beats a class,
/// whatever the order; among regular expressions the first by alphabet.
TEST_F(RecipeTest, TargetPrecedence) {
  read(R"(config_groups:
  a: {targets: ["l.0.q"], weights: {num_bits: 4, type: int, group_size: 32}}
  b: {targets: ["re:.*q"], weights: {num_bits: 4, type: int, group_size: 64}}
  c: {targets: ["re:.*"], weights: {num_bits: 8, type: float, strategy: channel}}
  d: {targets: [Linear], weights: {num_bits: 4, type: int, group_size: 128}}
)");
  EXPECT_EQ(decide("l.0.q").weights.format->str(), "int4_g32");
  EXPECT_EQ(decide("l.1.q").weights.format->str(), "fp8_row");
  EXPECT_EQ(decide("l.1.k").weights.format->str(), "fp8_row");
  EXPECT_EQ(decide("").weights.format->str(), "fp8_row");
}

TEST_F(RecipeTest, ModifiersHaveTheirOwnIgnores) {
  read(R"(s_stage:
  q_modifiers:
    QuantizationModifier: {scheme: NVFP4, ignore: ["re:.*down"]}
  r_modifiers:
    QuantizationModifier: {scheme: FP8_DYNAMIC, targets: ["re:.*down"]}
)");
  EXPECT_EQ(decide("up").getSchemeName(), "nvfp4");
  EXPECT_EQ(decide("down").getSchemeName(), "fp8_row");
}

TEST_F(RecipeTest, SchemesWithTargets) {
  read(R"(s_stage:
  q_modifiers:
    QuantizationModifier:
      scheme: {W4A16: ["re:.*attn"], FP8_DYNAMIC: "re:.*mlp"}
)");
  EXPECT_EQ(decide("l.0.attn.q").getSchemeName(), "int4");
  EXPECT_EQ(decide("l.0.mlp.up").getSchemeName(), "fp8_row");
  EXPECT_TRUE(decide("x").isKeep());
}

TEST_F(RecipeTest, QuantizationArgs) {
  struct Row {
    const char *arguments, *format;
  };
  const Row rows[] = {
      {"num_bits: 4, type: float, strategy: tensor_group, group_size: 16",
       "nvfp4"},
      {"num_bits: 4, type: float, strategy: group, group_size: 32", "mxfp4"},
      {"num_bits: 6, type: float, group_size: 32, scale_dtype: torch.uint8",
       "mxfp6_e2m3, rule = even"},
      {"num_bits: 8, type: float, group_size: 32, scale_dtype: torch.uint8",
       "mxfp8_e4m3, rule = even"},
      {"num_bits: 8, type: float, strategy: channel", "fp8_row"},
      {"num_bits: 8, type: float, strategy: tensor", "fp8_tensor"},
      {"num_bits: 8, type: float, group_size: 128", "fp8_block_act"},
      {"num_bits: 8, type: float, strategy: block, "
       "block_structure: [128, 128]",
       "fp8_block_weight"},
      {"num_bits: 4, type: int, group_size: 128, symmetric: false, "
       "zp_dtype: torch.int8",
       "int4_g128, zero_point = true"},
      {"num_bits: 4, type: int, group_size: -1", "int4_g32, block = 1x?"},
  };
  for (const Row &row : rows) {
    read(std::string("config_groups: {g: {targets: Linear, weights: {") +
         row.arguments + "}}}");
    EXPECT_EQ(decide("x").weights.format->str(), row.format) << row.arguments;
  }
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

TEST_F(RecipeTest, DeepSeek) {
  read(R"({"quantization_config": {"quant_method": "fp8", "fmt": "e4m3",
    "weight_block_size": [128, 64], "activation_scheme": "dynamic",
    "modules_to_not_convert": ["model.l.*.mlp"]}})",
       "config.json");
  Decision decision = decide("model.l.0.q");
  EXPECT_EQ(decision.weights.format->blockRows, 128);
  EXPECT_EQ(decision.weights.format->blockCols, 64);
  EXPECT_EQ(decision.activations.format->blockCols, 64);
  EXPECT_TRUE(decide("model.l.0.mlp.up").isKeep());
  EXPECT_TRUE(decide("lm_head", Role::lm_head).isKeep());
}

TEST_F(RecipeTest, DeepSeekScalesOfPowersOfTwo) {
  read("{quant_method: fp8, weight_block_size: [128, 128], scale_fmt: ue8m0, "
       "ignored_layers: [a]}");
  Decision decision = decide("b");
  for (const OperandChoice &choice : {decision.weights, decision.activations}) {
    EXPECT_EQ(choice.format->scale, ScaleType::E8M0);
    EXPECT_EQ(choice.format->rule, ScaleRule::RCeil);
  }
  EXPECT_TRUE(decide("a").isKeep());
}

TEST_F(RecipeTest, DenseIsNotSparse) {
  read("{config_groups: {}, sparsity_config: {format: dense}}");
}

TEST_F(RecipeTest, ModelOptLastMatchWins) {
  read(R"(metadata: {recipe_type: ptq}
quantize:
  algorithm: max
  quant_cfg:
    - {quantizer_name: '*', enable: false}
    - quantizer_name: '*weight_quantizer'
      cfg: {num_bits: e2m1, block_sizes: {-1: 16, type: dynamic, scale_bits: e4m3}}
    - quantizer_name: '*input_quantizer'
      cfg: {num_bits: [4, 3], axis: }
    - {quantizer_name: '*down*', enable: false}
    - quantizer_name: '*down.weight_quantizer'
      cfg: {num_bits: e4m3, axis: 0}
    - {quantizer_name: '*mlp.gate.*', enable: false}
)");
  Decision decision = decide("l.0.up");
  EXPECT_EQ(decision.weights.format->str(), "nvfp4");
  EXPECT_EQ(decision.activations.format->str(), "fp8_tensor");
  EXPECT_EQ(decision.rule, "r.yaml:6: *weight_quantizer -> nvfp4; "
                           "r.yaml:8: *input_quantizer -> fp8_tensor");
  decision = decide("l.0.down");
  EXPECT_EQ(decision.weights.format->str(), "fp8_row");
  EXPECT_FALSE(decision.activations.format);
  // Not without a name of theirs.
  EXPECT_TRUE(decide("lm_head", Role::lm_head).isKeep());
  EXPECT_TRUE(decide("l.0.mlp.gate", Role::router).isKeep());
  EXPECT_TRUE(decide("vision_tower.l.0.up").isKeep());
}

TEST_F(RecipeTest, ModelOptNamesWhatItDisables) {
  read(R"(quant_cfg:
  - {quantizer_name: '*lm_head*weight_quantizer', cfg: {num_bits: e4m3}}
)");
  EXPECT_EQ(decide("lm_head", Role::lm_head).weights.format->str(),
            "fp8_tensor");
}

TEST_F(RecipeTest, ModelOptMapping) {
  read(R"({"quant_cfg": {
    "*weight_quantizer": {"num_bits": [2, 1], "enable": true,
      "block_sizes": {"-1": 16, "-2": 16, "scale_bits": [4, 3]}},
    "nn.Embedding": {"*": {"enable": false}},
    "default": {"enable": false}, "*up*weight_quantizer": {"num_bits": [4, 3]}},
    "algorithm": "max"})",
       "quant.json");
  EXPECT_TRUE(decide("down").isKeep());
  EXPECT_EQ(decide("up").weights.format->str(), "fp8_tensor");
}

TEST_F(RecipeTest, ModelOptExport) {
  read(R"({"producer": {"name": "modelopt"}, "quantization": {
    "quant_algo": "MIXED_PRECISION", "kv_cache_quant_algo": null,
    "quantized_layers": {"l.0.q": {"quant_algo": "NVFP4", "group_size": 16},
                         "l.0.k": {"quant_algo": "FP8"}},
    "exclude_modules": ["l.0.k*"]}})",
       "hf_quant_config.json");
  EXPECT_EQ(decide("l.0.q").getSchemeName(), "nvfp4");
  EXPECT_TRUE(decide("l.0.k").isKeep());
  EXPECT_TRUE(decide("l.0.v").isKeep());
}

TEST_F(RecipeTest, MegatronFirstMatchWins) {
  read(R"(configs:
  nvfp4:
    transformer_engine_config_type: TEQuantizationParams
    training_recipe: {fp4_quantization_recipe: nvfp4}
  mxfp8:
    training_recipe: {fp8_quantization_recipe: mxfp8}
    evaluation_recipe: {}
matchers:
  fc1: {config: nvfp4, type: glob, pattern: "*fc1", enabled: true}
  fc2: {config: nvfp4, type: glob, pattern: "*fc2", enabled: false}
  all: {config: mxfp8, type: glob, pattern: "*", enabled: true}
first_last_layers_bf16: true
num_layers_at_end_in_bf16: 2
)");
  Decision decision = decide("l.5.fc1");
  EXPECT_EQ(decision.activations.format->str(), "nvfp4");
  EXPECT_EQ(decision.weights.format->str(), "nvfp4_2d");
  EXPECT_EQ(decision.rule,
            "r.yaml:9: *fc1 -> nvfp4 (weights nvfp4_2d, activations nvfp4)");
  EXPECT_TRUE(decide("l.5.fc2").isKeep());
  EXPECT_EQ(
      decide("l.5.fc2", Role::linear, /*isTraining=*/true).getSchemeName(),
      "mxfp8");
  EXPECT_EQ(plan("l.0.fc1"), "bf16 | r.yaml:12: first_last_layers_bf16");
  EXPECT_FALSE(decide("l.1.fc1").isKeep());
  EXPECT_TRUE(decide("l.10.fc1").isKeep());
  EXPECT_TRUE(decide("output_layer", Role::lm_head).isKeep());
}

//===----------------------------------------------------------------------===//
// Our own keys
//===----------------------------------------------------------------------===//

TEST_F(RecipeTest, OwnRulesAdd) {
  read(
      R"(s_stage: {q_modifiers: {QuantizationModifier: {scheme: NVFP4, ignore: lm_head}}}
mx_rules:
  - {layers: {first: 2, last: 1}, keep: true}
  - {layers: [5, 7-8], scheme: mxfp8, scale_rule: floor}
  - {targets: ["re:.*v_proj"], weights: nvfp4_2d}
  - {roles: attention_scores, activations: {format: mxfp8_e4m3, rounding: sr}}
  - {shape: {k: {min: 1, multiple_of: 64}, n: 64}, gemm: fprop, promote_every: 128}
  - {targets: "re:.*o_proj", scheme: nvfp4, transform: rht16}
  - {targets: "lm_head", scheme: nvfp4}
)");
  EXPECT_EQ(plan("l.0.q"), "bf16 | r.yaml:3: mx_rules -> bf16");
  EXPECT_TRUE(decide("l.11.q").isKeep());
  EXPECT_EQ(decide("l.3.q").getSchemeName(), "nvfp4");
  for (const char *name : {"l.5.q", "l.7.q", "l.8.q"})
    EXPECT_EQ(decide(name).weights.format->str(), "mxfp8_e4m3, rule = floor");
  Decision decision = decide("l.3.v_proj");
  EXPECT_EQ(decision.weights.format->str(), "nvfp4_2d");
  EXPECT_EQ(decision.activations.format->str(), "nvfp4");
  EXPECT_EQ(decision.promoteEvery, 128);
  decision = decide("", Role::attention_scores);
  EXPECT_EQ(decision.activations.format->str(), "mxfp8_e4m3");
  EXPECT_EQ(decision.activations.rounding, Rounding::sr);
  decision = decide("l.3.o_proj");
  EXPECT_EQ(decision.weights.transform, HadamardAttr::getRHT16(&context));
  EXPECT_EQ(decision.activations.transform, decision.weights.transform);
  // An ignore beats what follows.
  EXPECT_EQ(plan("lm_head", Role::lm_head), "bf16 | r.yaml:1: ignore lm_head");
}

} // namespace
