// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Recipe.h"
#include "Reader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

static constexpr StringLiteral ownRules = "mx_rules";

/// llm-compressor's file: nothing but stages.
static LogicalResult readStages(RecipeReader &reader,
                                const DocumentNode &root) {
  for (const DocumentNode::Entry &entry : root.entries) {
    if (!StringRef(entry.key.text).ends_with("_stage"))
      return emitError(entry.key.loc)
             << "unknown key '" << entry.key.text
             << "' beside stages; known are mx_rules, and names that end in "
                "'_stage'";
    if (failed(readLLMCompressorStage(reader, entry.value)))
      return failure();
  }
  return success();
}

/// Tells the kinds of files apart by the keys that each has.
static LogicalResult readByKind(RecipeReader &reader,
                                const DocumentNode &root) {
  auto has = [&](StringRef key) { return root.find(key) != nullptr; };
  if (any_of(root.entries, [](const DocumentNode::Entry &entry) {
        return StringRef(entry.key.text).ends_with("_stage");
      }))
    return readStages(reader, root);
  if (const DocumentNode *config = root.find("quantization_config"))
    return readHuggingFace(reader, *config);
  if (has("quant_method") || has("config_groups"))
    return readHuggingFace(reader, root);
  if (has("quantization"))
    return readModelOptExport(reader, root);
  if (has("quantize") || has("quant_cfg") || has("auto_quantize"))
    return readModelOptRecipe(reader, root);
  if (has("configs") || has("matchers"))
    return readMegatron(reader, root);
  if (has("model_type") || has("architectures")) {
    emitWarning(root.loc) << "the model's configuration has no "
                             "'quantization_config': nothing is quantised";
    return success();
  }
  return emitError(root.loc)
         << "not a recipe: it has none of the keys 'mx_rules', '*_stage' "
            "(llm-compressor), 'quantization_config' or 'config_groups' "
            "(compressed-tensors, config.json), 'quantize' or 'quant_cfg' "
            "(ModelOpt), 'quantization' (hf_quant_config.json), 'configs' and "
            "'matchers' (Megatron)";
}

FailureOr<RuleList> mx::parseRecipe(StringRef text, StringRef path,
                                    MLIRContext *context) {
  context->loadDialect<MXDialect>();
  FailureOr<DocumentNode> root =
      parseDocument(text, path, path.ends_with_insensitive(".json"), context);
  if (failed(root))
    return failure();
  // Our rules stand beside any other file's keys, or alone.
  std::optional<DocumentNode> own;
  erase_if(root->entries, [&](DocumentNode::Entry &entry) {
    if (entry.key.text != ownRules)
      return false;
    own = std::move(entry.value);
    return true;
  });
  RecipeReader reader(context, path);
  if ((!own || !root->entries.empty()) && failed(readByKind(reader, *root)))
    return failure();
  reader.section = std::nullopt;
  if (own && failed(readOwnRules(reader, *own)))
    return failure();
  return std::move(reader.rules);
}

FailureOr<RuleList> mx::readRecipe(StringRef path, MLIRContext *context,
                                   StringRef scaleRule) {
  Location loc = FileLineColLoc::get(context, path, 1, 1);
  // Not mapped: the parsers want a terminator, and the file may change.
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false,
                            /*RequiresNullTerminator=*/true,
                            /*IsVolatile=*/true);
  if (!buffer)
    return emitError(UnknownLoc::get(context))
           << "recipe '" << path << "': " << buffer.getError().message();
  FailureOr<RuleList> rules =
      parseRecipe((*buffer)->getBuffer(), path, context);
  if (failed(rules) || scaleRule.empty())
    return rules;

  std::optional<ScaleRule> value = parseScaleRule(scaleRule);
  if (!value)
    return emitError(loc) << "unknown scale rule '" << scaleRule
                          << "'; known are floor, ceil, even, rceil";
  bool isReplaced = false;
  for (Rule &rule : rules->getRules())
    for (std::optional<OperandChoice> *choice :
         {&rule.activations, &rule.weights})
      if (*choice && (*choice)->format &&
          (*choice)->format->scale == ScaleType::E8M0) {
        (*choice)->format->rule = *value;
        isReplaced = true;
      }
  if (!isReplaced)
    return emitError(loc) << "scale rule '" << scaleRule
                          << "' is for E8M0 scales, which the recipe does not "
                             "have";
  return rules;
}
