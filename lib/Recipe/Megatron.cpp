// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Megatron's per-module recipes of Transformer Engine: the first matcher that
// matches wins, so their order is reversed. A module that none matches has the
// precision of the whole run, which the file does not say: it is kept.

#include "Reader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

namespace {

/// One of `configs`: what training and evaluation do.
struct Config {
  Scheme training, evaluation;
  bool isSame = true;
};

class MegatronReader {
public:
  explicit MegatronReader(RecipeReader &reader) : reader(reader) {}
  LogicalResult run(const DocumentNode &root);

private:
  LogicalResult readConfig(const DocumentNode::Entry &entry);
  FailureOr<Scheme> readRecipe(const DocumentNode &node, StringRef what);
  LogicalResult readMatcher(const DocumentNode::Entry &entry);
  LogicalResult readEnds(Fields &fields);

  RecipeReader &reader;
  llvm::StringMap<Config> configs;
  std::vector<Rule> rules;
};

} // namespace

/// The formats of forward products in Transformer Engine's recipe of this name.
static std::optional<Scheme> getRecipe(bool isFP4, StringRef name) {
  if (isFP4) {
    if (name != "nvfp4")
      return std::nullopt;
    // W and its transpose share the codes of square blocks.
    Scheme scheme = cantFail(getScheme("nvfp4"));
    scheme.weights = lookupFormatPreset("nvfp4_2d");
    return scheme;
  }
  if (name == "mxfp8")
    return cantFail(getScheme("mxfp8"));
  if (name == "tensorwise")
    return cantFail(getScheme("fp8_tensor"));
  if (name == "blockwise") {
    // Scales are powers of two there.
    Scheme scheme = cantFail(getScheme("fp8_block"));
    for (std::optional<Format> *format :
         {&scheme.activations, &scheme.weights}) {
      (*format)->scale = ScaleType::E8M0;
      (*format)->rule = ScaleRule::RCeil;
    }
    return scheme;
  }
  return std::nullopt;
}

FailureOr<Scheme> MegatronReader::readRecipe(const DocumentNode &node,
                                             StringRef what) {
  FailureOr<Fields> fields = Fields::get(node, what);
  if (failed(fields))
    return failure();
  Scheme scheme = cantFail(getScheme("bf16"));
  const DocumentNode *recipes[] = {fields->take("fp8_quantization_recipe"),
                                   fields->take("fp4_quantization_recipe")};
  if (recipes[0] && recipes[1])
    return emitError(recipes[1]->loc)
           << "a recipe is either fp8 or fp4, not both";
  for (auto [isFP4, recipe] : enumerate(recipes)) {
    if (!recipe)
      continue;
    std::optional<Scheme> known = getRecipe(isFP4, recipe->text);
    if (!known)
      return emitError(recipe->loc)
             << "recipe '" << recipe->text << "' is not supported; supported "
             << (isFP4 ? "is nvfp4" : "are mxfp8, tensorwise, blockwise");
    scheme = *known;
  }
  // Gradients only, communication, and what the rest of the run is.
  fields->accept({"fp8_format", "override_quantized_autocast",
                  "override_nonquantized_autocast", "tp_only_amax_red"});
  if (failed(fields->refuse({"custom_recipe_factory"})) ||
      failed(fields->finish()))
    return failure();
  return scheme;
}

LogicalResult MegatronReader::readConfig(const DocumentNode::Entry &entry) {
  std::string what = "config '" + entry.key.text + "'";
  FailureOr<Fields> fields = Fields::get(entry.value, what);
  if (failed(fields))
    return failure();
  if (const DocumentNode *type = fields->take("transformer_engine_config_type");
      type && type->text != "TEQuantizationParams")
    return emitError(type->loc)
           << "'transformer_engine_config_type' must be TEQuantizationParams";
  FailureOr<const DocumentNode *> training = fields->require("training_recipe");
  if (failed(training))
    return failure();
  FailureOr<Scheme> scheme = readRecipe(**training, "training_recipe");
  if (failed(scheme))
    return failure();
  Config &config = configs[entry.key.text];
  config.training = config.evaluation = *scheme;
  if (const DocumentNode *evaluation = fields->take("evaluation_recipe")) {
    scheme = readRecipe(*evaluation, "evaluation_recipe");
    if (failed(scheme))
      return failure();
    config.evaluation = *scheme;
    config.isSame = false;
  }
  return fields->finish();
}

LogicalResult MegatronReader::readMatcher(const DocumentNode::Entry &entry) {
  std::string what = "matcher '" + entry.key.text + "'";
  FailureOr<Fields> fields = Fields::get(entry.value, what);
  if (failed(fields))
    return failure();
  FailureOr<bool> isEnabled =
      getBoolOr(fields->take("enabled"), "'enabled'", false);
  if (failed(isEnabled))
    return failure();
  const DocumentNode *type = nullptr, *text = nullptr, *config = nullptr;
  for (auto [key, value] : {std::pair(StringRef("type"), &type),
                            {"pattern", &text},
                            {"config", &config}}) {
    FailureOr<const DocumentNode *> required = fields->require(key);
    if (failed(required))
      return failure();
    *value = *required;
  }
  if (failed(fields->finish()))
    return failure();
  if (type->text != "glob")
    return emitError(type->loc)
           << "matcher type '" << type->text << "' is unknown; glob is known";
  auto found = configs.find(config->text);
  if (found == configs.end())
    return emitError(config->loc)
           << "there is no config '" << config->text << "'";
  FailureOr<NamePattern> pattern =
      orEmit(NamePattern::glob(text->text), *text, "bad pattern");
  if (failed(pattern))
    return failure();
  if (!*isEnabled)
    return success();
  auto add = [&](const Scheme &scheme, std::optional<bool> isTraining) {
    Rule rule = reader.makeRule(
        *text, text->text + " -> " + config->text + " (" +
                   nameFormats(scheme.activations, scheme.weights) + ")");
    // The modules of Transformer Engine; the output layer is none.
    rule.roles = {Role::linear, Role::expert};
    rule.names = *pattern;
    rule.isTraining = isTraining;
    rule.setScheme(scheme);
    rules.push_back(std::move(rule));
  };
  const Config &chosen = found->second;
  if (chosen.isSame) {
    add(chosen.training, std::nullopt);
  } else {
    add(chosen.training, true);
    add(chosen.evaluation, false);
  }
  return success();
}

/// Blocks at both ends in bf16, one each unless it is said otherwise.
LogicalResult MegatronReader::readEnds(Fields &fields) {
  const DocumentNode *ends = fields.take("first_last_layers_bf16");
  FailureOr<bool> isKept = getBoolOr(ends, "'first_last_layers_bf16'", false);
  if (failed(isKept))
    return failure();
  LayerRange range;
  range.first = range.last = 1;
  std::pair<StringLiteral, int64_t *> counts[] = {
      {"num_layers_at_start_in_bf16", &range.first},
      {"num_layers_at_end_in_bf16", &range.last}};
  for (auto [key, count] : counts) {
    const DocumentNode *node = fields.take(key);
    if (!node)
      continue;
    FailureOr<int64_t> value = getInteger(*node, key);
    if (failed(value))
      return failure();
    if (*value < 0)
      return emitError(node->loc) << "'" << key << "' must not be negative";
    *count = *value;
  }
  if (!*isKept)
    return success();
  Rule rule = reader.makeRule(*ends, "first_last_layers_bf16");
  rule.layers = range;
  rule.setScheme(cantFail(getScheme("bf16")));
  reader.rules.add(std::move(rule));
  return success();
}

LogicalResult MegatronReader::run(const DocumentNode &root) {
  FailureOr<Fields> fields = Fields::get(root, "the file");
  if (failed(fields))
    return failure();
  const DocumentNode *configsNode = fields->take("configs");
  const DocumentNode *matchers = fields->take("matchers");
  for (const DocumentNode *node : {configsNode, matchers})
    if (node && !node->isMapping())
      return emitError(node->loc)
             << "'configs' and 'matchers' must be mappings";
  if (configsNode)
    for (const DocumentNode::Entry &entry : configsNode->entries)
      if (failed(readConfig(entry)))
        return failure();
  if (matchers)
    for (const DocumentNode::Entry &entry : matchers->entries)
      if (failed(readMatcher(entry)))
        return failure();
  for (Rule &rule : reverse(rules))
    reader.rules.add(std::move(rule));
  if (failed(readEnds(*fields)))
    return failure();
  return fields->finish();
}

LogicalResult mx::readMegatron(RecipeReader &reader, const DocumentNode &root) {
  return MegatronReader(reader).run(root);
}
