// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each mistake in a recipe is one error at its line and column.

#include "mx/Recipe/Recipe.h"

#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mx;

namespace {

struct Row {
  const char *text, *place, *message;
};

/// Reads a recipe of which `text` is a part, and expects one error.
void expectError(llvm::StringRef text, llvm::StringRef path,
                 llvm::StringRef place, llvm::StringRef message) {
  mlir::MLIRContext context;
  std::vector<std::string> errors;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        std::string error;
        llvm::raw_string_ostream os(error);
        if (auto loc = llvm::dyn_cast<mlir::FileLineColLoc>(
                mlir::LocationAttr(diagnostic.getLocation())))
          os << loc.getLine() << ":" << loc.getColumn() << " ";
        os << diagnostic;
        errors.push_back(error);
        return mlir::success();
      });
  EXPECT_TRUE(mlir::failed(parseRecipe(text, path, &context))) << text.str();
  ASSERT_EQ(errors.size(), 1u) << text.str();
  EXPECT_TRUE(llvm::StringRef(errors[0]).starts_with((place + " ").str()))
      << text.str() << "\n"
      << errors[0];
  EXPECT_NE(errors[0].find(message.str()), std::string::npos)
      << text.str() << "\n"
      << errors[0];
}

TEST(RecipeErrors, Syntax) {
  const Row rows[] = {
      {"", "1:1", "the file is empty"},
      {"- a", "1:1", "not a recipe"},
      {"unknown: 1", "1:1", "not a recipe"},
      {"a_stage: [", "1:10", "closing ]"},
      {"mx_rules:\n  - {keep: true, keep: true}", "2:18", "given twice"},
      {"mx_rules: &a []", "1:14", "anchors"},
      {"mx_rules: !!x []", "1:15", "tag"},
      {"mx_rules: []\n---\nmx_rules: []", "1:1", "several documents"},
      {"mx_rules: {}", "1:11", "must be a list of rules"},
      {"? [a]\n: b", "1:3", "key must be a string"},
  };
  for (const Row &row : rows)
    expectError(row.text, "r.yaml", row.place, row.message);
  expectError("{\"a\": 1,}", "r.json", "1:9", "Expected");
  expectError("a: 1", "r.json", "1:1", "Invalid JSON value");
  std::string deep(200, '[');
  expectError(deep, "r.json", "1:1", "nested too deep");
  expectError(deep, "r.yaml", "1:66", "nested too deep");
  expectError(std::string(2 << 20, ' '), "r.yaml", "1:1", "a recipe has");
}

TEST(RecipeErrors, CompressedTensors) {
  const Row rows[] = {
      {"q_stage: {run: {}}", "1:11", "unknown key 'run' in a stage"},
      {"q_stage: {q_modifiers: {}}\nother: 1", "2:1", "beside stages"},
      {"q_stage: {q_modifiers: {GPTQModifier: {}}}", "1:25",
       "modifier 'GPTQModifier' would change the weights"},
      {"q_stage: {q_modifiers: {QuantizationModifier: {targets: [Linear]}}}",
       "1:47", "needs either 'scheme' or 'config_groups'"},
      {"q_stage: {q_modifiers: {QuantizationModifier: {scheme: NVFP5}}}",
       "1:56", "unknown scheme 'NVFP5'"},
      {"q_stage: {q_modifiers: {QuantizationModifier: {scheme: W8A8}}}", "1:56",
       "scheme 'W8A8' is not supported yet"},
      {"q_stage: {q_modifiers: {QuantizationModifier: {scheme: NVFP4, "
       "ignore: ['re:(']}}}",
       "1:72", "bad regular expression '(': '(' is not closed"},
      {"q_stage: {q_modifiers: {QuantizationModifier: {scheme: NVFP4, "
       "ignored: []}}}",
       "1:63", "unknown key 'ignored' in QuantizationModifier"},
      {"config_groups: {}\nkv_cache_scheme: {num_bits: 8}", "2:18",
       "'kv_cache_scheme' would change the numerics"},
      {"config_groups: {}\ntransform_config: {R1: {}}", "2:19",
       "'transform_config' would change the numerics"},
      {"config_groups: {}\nsparsity_config: {format: sparse-24}", "2:18",
       "'format' must be dense"},
      {"config_groups: {}\nnew_key: null", "2:1", "unknown key 'new_key'"},
      {"config_groups: {a: {weights: {}}}", "1:20",
       "group 'a' needs 'targets'"},
      {"quantization_config: {quant_method: awq}", "1:37",
       "quant_method 'awq' is not supported"},
      {"quantization_config: 1", "1:22", "must be a mapping"},
  };
  for (const Row &row : rows)
    expectError(row.text, "r.yaml", row.place, row.message);
}

TEST(RecipeErrors, QuantizationArgs) {
  const Row rows[] = {
      {"num_bits: 8, type: int", "1:58", "integers of 8 bits"},
      {"num_bits: x", "1:58", "'num_bits' must be an integer"},
      {"num_bits: 5, type: float, group_size: 32", "1:58", "of 5 bits"},
      {"type: complex", "1:54", "must be int or float"},
      {"num_bits: 4, type: int, dynamic: true", "1:81", "cannot be 'dynamic'"},
      {"num_bits: 4, type: int, strategy: token", "1:82",
       "strategy 'token' is not one of weights"},
      {"num_bits: 4, type: int, strategy: group", "1:82", "a 'group_size'"},
      {"num_bits: 4, type: int, group_size: 0", "1:84", "must be positive"},
      {"num_bits: 8, type: float, strategy: block", "1:84",
       "needs a 'block_structure'"},
      {"num_bits: 4, type: float, strategy: channel", "1:84",
       "no strategy 'channel'"},
      {"num_bits: 8, type: float, symmetric: false", "1:47", "no zero point"},
      {"num_bits: 4, type: int, group_size: 32, observer: mse", "1:98",
       "observer 'mse' chooses other scales"},
      {"num_bits: 4, type: int, group_size: 32, actorder: group", "1:98",
       "permutes"},
      {"num_bits: 4, type: int, group_size: 32, scale_dtype: i3", "1:101",
       "unknown 'scale_dtype'"},
  };
  for (const Row &row : rows)
    expectError(std::string("config_groups: {g: {targets: Linear, weights: {") +
                    row.text + "}}}",
                "r.yaml", row.place, row.message);
}

TEST(RecipeErrors, Others) {
  const Row rows[] = {
      {"quant_method: fp8\nactivation_scheme: static", "2:20", "calibrated"},
      {"quant_method: fp8\nscale_fmt: f16", "2:12", "must be ue8m0"},
      {"quant_method: fp8\nfmt: e5m2", "2:6", "must be e4m3"},
      {"quant_method: fp8\nweight_block_size: [128]", "2:20",
       "two positive integers"},
      {"auto_quantize: {}", "1:16", "searches formats"},
      {"quant_cfg:\n  - {$import: x}", "2:15", "imports are not read"},
      {"quant_cfg:\n  - {quantizer_name: '*weight_quantizer'}", "2:5",
       "needs 'cfg' or 'enable'"},
      {"quant_cfg:\n  - {quantizer_name: '*', cfg: {num_bits: 4}}", "2:22",
       "enables more than weights and inputs"},
      {"quant_cfg:\n  - {quantizer_name: '[*weight_quantizer', enable: false}",
       "2:22", "bad pattern"},
      {"algorithm: awq_lite\nquant_cfg: []", "1:12", "algorithm 'awq_lite'"},
      {"quant_cfg:\n  - {quantizer_name: '*weight_quantizer', cfg: {num_bits: "
       "8}}",
       "2:59", "'num_bits' is not supported"},
      {"quantization: {quant_algo: W4A16_AWQ}", "1:28",
       "quant_algo 'W4A16_AWQ' is not supported"},
      {"quantization: {quant_algo: NVFP4, group_size: 32}", "1:47",
       "is not the algorithm's, which is 16"},
      {"quantization: {quant_algo: FP8, kv_cache_quant_algo: FP8}", "1:54",
       "would change the numerics"},
      {"configs: {a: {training_recipe: {fp8_quantization_recipe: delayed}}}",
       "1:58", "recipe 'delayed' is not supported"},
      {"matchers: {m: {type: glob, pattern: '*', config: x, enabled: true}}",
       "1:50", "there is no config 'x'"},
      {"matchers: {m: {type: regex, pattern: '*', config: x}}", "1:22",
       "matcher type 'regex' is unknown"},
  };
  for (const Row &row : rows)
    expectError(row.text, "r.yaml", row.place, row.message);
}

TEST(RecipeErrors, OwnRules) {
  const Row rows[] = {
      {"{}", "1:14", "a rule says one of"},
      {"{keep: true, scheme: nvfp4}", "1:14", "a rule says one of"},
      {"{scheme: nvfp9}", "1:23", "unknown scheme 'nvfp9'"},
      {"{weights: e9m9}", "1:24", "unknown format 'e9m9'"},
      {"{weights: {rounding: sr}}", "1:24", "needs 'format'"},
      {"{weights: {format: nvfp4, rounding: up}}", "1:50", "must be rne or sr"},
      {"{scheme: nvfp4, transform: 3}", "1:41", "'transform' must be"},
      {"{scheme: mxfp4, scale_rule: up}", "1:42", "'scale_rule' must be"},
      {"{scheme: mxfp4, promote_every: -1}", "1:45", "must not be negative"},
      {"{promote_every: 32, rounding: sr}", "1:44", "no format"},
      {"{roles: conv2, keep: true}", "1:22", "'roles' has no 'conv2'"},
      {"{roles: [], keep: true}", "1:22", "must not be empty"},
      {"{gemm: bprop, keep: true}", "1:21", "known are fprop, dgrad, wgrad"},
      {"{layers: first, keep: true}", "1:23", "'layers' must be"},
      {"{layers: {first: -1}, keep: true}", "1:31", "must not be negative"},
      {"{shape: {k: {max: 0}}, keep: true}", "1:32", "must be positive"},
      {"{shape: {b: 1}, keep: true}", "1:23", "unknown key 'b'"},
      {"{layer: 1, keep: true}", "1:15", "unknown key 'layer' in a rule"},
      {"{targets: Linear, roles: norm, keep: true}", "1:24",
       "no op of these roles is a 'Linear'"},
  };
  for (const Row &row : rows)
    expectError(std::string("mx_rules: [  ") + row.text + "]", "r.yaml",
                row.place, row.message);
}

} // namespace
