// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What ModelOpt writes beside the checkpoints it exports: an algorithm by name.

#include "Reader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

namespace {
/// An algorithm and its formats, empty for high precision.
struct Algorithm {
  StringLiteral name, activations, weights;
};
} // namespace

static constexpr Algorithm algorithms[] = {
    {"NVFP4", "nvfp4", "nvfp4"},
    {"W4A16_NVFP4", "", "nvfp4"},
    {"MXFP8", "mxfp8_e4m3", "mxfp8_e4m3"},
    {"MXFP4", "mxfp4, rule = rceil", "mxfp4, rule = rceil"},
    {"W4A8_MXFP4_FP8", "fp8_tensor", "mxfp4, rule = rceil"},
    {"W4A8_NVFP4_FP8", "fp8_tensor", "nvfp4"},
    {"FP8", "fp8_tensor", "fp8_tensor"},
    {"FP8_PER_CHANNEL_PER_TOKEN", "fp8_row", "fp8_row"},
    {"FP8_PB_WO", "", "fp8_block_weight"},
};

static FailureOr<Scheme> getAlgorithm(const DocumentNode &node) {
  const Algorithm *row = find_if(algorithms, [&](const Algorithm &row) {
    return row.name.equals_insensitive(node.text);
  });
  if (row == std::end(algorithms))
    return emitError(node.loc)
           << "quant_algo '" << node.text
           << "' is not supported; supported are "
           << join(map_range(algorithms,
                             [](const Algorithm &row) { return row.name; }),
                   ", ");
  Scheme scheme;
  if (!row->activations.empty())
    scheme.activations = cantFail(Format::parse(row->activations));
  if (!row->weights.empty())
    scheme.weights = cantFail(Format::parse(row->weights));
  return scheme;
}

/// Layers and experts, or the modules of `pattern`.
static void addScheme(RecipeReader &reader, const DocumentNode &node,
                      const Twine &what, const Scheme &scheme,
                      std::optional<NamePattern> pattern) {
  Rule rule = reader.makeRule(
      node, what + " -> " + nameFormats(scheme.activations, scheme.weights));
  rule.roles = {Role::linear, Role::expert};
  if (pattern)
    rule.roles.append({Role::lm_head, Role::router});
  rule.names = std::move(pattern);
  rule.setScheme(scheme);
  reader.rules.add(std::move(rule));
}

/// A stated group size must be the algorithm's.
static LogicalResult checkGroupSize(const DocumentNode *size,
                                    const Scheme &scheme) {
  if (!size)
    return success();
  FailureOr<int64_t> value = getInteger(*size, "'group_size'");
  if (failed(value))
    return failure();
  int64_t block = scheme.weights ? scheme.weights->blockCols : 0;
  if (*value != block)
    return emitError(size->loc)
           << "'group_size' " << *value << " is not the algorithm's, which is "
           << block;
  return success();
}

/// MIXED_PRECISION: an algorithm for each layer by name.
static LogicalResult readQuantizedLayers(RecipeReader &reader,
                                         const DocumentNode &layers) {
  if (!layers.isMapping())
    return emitError(layers.loc) << "'quantized_layers' must be a mapping";
  for (const DocumentNode::Entry &entry : layers.entries) {
    FailureOr<Fields> fields = Fields::get(entry.value, "a quantized layer");
    if (failed(fields))
      return failure();
    FailureOr<const DocumentNode *> algorithm = fields->require("quant_algo");
    if (failed(algorithm))
      return failure();
    FailureOr<Scheme> scheme = getAlgorithm(**algorithm);
    if (failed(scheme) ||
        failed(checkGroupSize(fields->take("group_size"), *scheme)) ||
        failed(fields->finish()))
      return failure();
    addScheme(reader, entry.key, entry.key.text, *scheme,
              NamePattern::exact(entry.key.text));
  }
  return success();
}

LogicalResult mx::readModelOptExport(RecipeReader &reader,
                                     const DocumentNode &root) {
  FailureOr<Fields> file = Fields::get(root, "the file");
  if (failed(file))
    return failure();
  file->accept({"producer"});
  FailureOr<const DocumentNode *> quantization = file->require("quantization");
  if (failed(quantization) || failed(file->finish()))
    return failure();
  FailureOr<Fields> fields = Fields::get(**quantization, "'quantization'");
  if (failed(fields))
    return failure();
  const DocumentNode *algorithm = fields->take("quant_algo");
  const DocumentNode *size = fields->take("group_size");
  const DocumentNode *layers = fields->take("quantized_layers");
  const DocumentNode *excluded = fields->take("exclude_modules");
  if (failed(fields->refuse({"kv_cache_quant_algo", "has_zero_point",
                             "pre_quant_scale", "smoothquant_val"})) ||
      failed(fields->finish()))
    return failure();
  if (algorithm && algorithm->text == "MIXED_PRECISION") {
    if (!layers)
      return emitError(algorithm->loc)
             << "MIXED_PRECISION needs 'quantized_layers'";
    if (failed(readQuantizedLayers(reader, *layers)))
      return failure();
  } else if (algorithm) {
    FailureOr<Scheme> scheme = getAlgorithm(*algorithm);
    if (failed(scheme) || failed(checkGroupSize(size, *scheme)))
      return failure();
    addScheme(reader, *algorithm, algorithm->text, *scheme, std::nullopt);
  }
  return readExcludedModules(reader, excluded, "'exclude_modules'");
}

/// The groups repeat what the algorithm says, without saying all of it.
static LogicalResult checkGroups(const DocumentNode &groups,
                                 const Scheme &scheme) {
  if (!groups.isMapping())
    return emitError(groups.loc) << "'config_groups' must be a mapping";
  for (const DocumentNode::Entry &entry : groups.entries) {
    FailureOr<Fields> group = Fields::get(entry.value, "a group");
    if (failed(group))
      return failure();
    if (const DocumentNode *targets = group->take("targets")) {
      FailureOr<SmallVector<const DocumentNode *>> names =
          getStrings(*targets, "'targets'");
      if (failed(names))
        return failure();
      for (const DocumentNode *name : *names)
        if (name->text != "Linear")
          return emitError(name->loc)
                 << "'targets' must be Linear, not '" << name->text << "'";
    }
    for (auto [key, format] : {std::pair(StringRef("weights"), &scheme.weights),
                               {"input_activations", &scheme.activations}}) {
      const DocumentNode *arguments = group->take(key);
      if (!arguments)
        continue;
      FailureOr<Fields> fields = Fields::get(*arguments, key);
      if (failed(fields))
        return failure();
      const DocumentNode *bits = fields->take("num_bits");
      const DocumentNode *size = fields->take("group_size");
      fields->accept({"dynamic", "type"});
      if (failed(fields->finish()))
        return failure();
      if (!*format || (bits && bits->getInteger() !=
                                   int64_t(getBitWidth((*format)->element))))
        return emitError((bits ? bits : arguments)->loc)
               << "is not what the quant_algo says of " << key;
      if (size && size->getInteger() != (*format)->blockCols)
        return emitError(size->loc)
               << "'group_size' is not the algorithm's, which is "
               << (*format)->blockCols;
    }
    if (failed(group->refuse({"output_activations"})) ||
        failed(group->finish()))
      return failure();
  }
  return success();
}

LogicalResult mx::readModelOptConfig(RecipeReader &reader,
                                     const DocumentNode &node) {
  FailureOr<Fields> fields = Fields::get(node, "the quantization config");
  if (failed(fields))
    return failure();
  FailureOr<const DocumentNode *> algorithm = fields->require("quant_algo");
  if (failed(algorithm))
    return failure();
  FailureOr<Scheme> scheme = getAlgorithm(**algorithm);
  if (failed(scheme))
    return failure();
  if (const DocumentNode *groups = fields->take("config_groups");
      groups && failed(checkGroups(*groups, *scheme)))
    return failure();
  const DocumentNode *ignore = fields->take("ignore");
  fields->accept({"quant_method", "producer"});
  if (failed(fields->refuse({"kv_cache_scheme"})) || failed(fields->finish()))
    return failure();
  addScheme(reader, **algorithm, (*algorithm)->text, *scheme, std::nullopt);
  return readExcludedModules(reader, ignore, "'ignore'");
}
