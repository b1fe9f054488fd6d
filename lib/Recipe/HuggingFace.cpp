// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `quantization_config` of a model's config.json, by its quant_method.

#include "Reader.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

/// Layers and experts; what is not a layer there has no scales.
static void addLayers(RecipeReader &reader, const DocumentNode &node,
                      const Twine &method, const Scheme &scheme) {
  Rule rule = reader.makeRule(
      node, method + " -> " + nameFormats(scheme.activations, scheme.weights));
  rule.roles = {Role::linear, Role::expert};
  rule.setScheme(scheme);
  reader.rules.add(std::move(rule));
}

/// DeepSeek's: FP8 in blocks, with scales that multiply (`weight_scale_inv`);
/// without a block size one scale a tensor.
static LogicalResult readFP8(RecipeReader &reader, const DocumentNode &node) {
  FailureOr<Fields> fields = Fields::get(node, "the quantization config");
  if (failed(fields))
    return failure();
  const DocumentNode *method = fields->take("quant_method");
  if (const DocumentNode *format = fields->take("fmt");
      format && format->text != "e4m3")
    return emitError(format->loc)
           << "'fmt' must be e4m3, not '" << format->text << "'";
  if (const DocumentNode *activations = fields->take("activation_scheme")) {
    if (activations->text != "dynamic" && activations->text != "static")
      return emitError(activations->loc)
             << "'activation_scheme' must be dynamic or static, not '"
             << activations->text << "'";
    if (activations->text == "static")
      return emitError(activations->loc)
             << "static activation scales are calibrated ones, which the file "
                "does not have; 'dynamic' is supported";
  }
  Scheme scheme = cantFail(getScheme("fp8_tensor"));
  if (const DocumentNode *size = fields->take("weight_block_size")) {
    std::optional<int64_t> extents[2];
    if (size->isSequence() && size->items.size() == 2)
      for (auto [extent, item] : zip(extents, size->items))
        extent = item.getInteger();
    if (!extents[0] || !extents[1] || *extents[0] <= 0 || *extents[1] <= 0)
      return emitError(size->loc)
             << "'weight_block_size' must be two positive integers";
    scheme = cantFail(getScheme("fp8_block"));
    scheme.weights->blockRows = *extents[0];
    scheme.weights->blockCols = scheme.activations->blockCols = *extents[1];
  }
  if (const DocumentNode *scales = fields->take("scale_fmt")) {
    if (scales->text != "ue8m0")
      return emitError(scales->loc)
             << "'scale_fmt' must be ue8m0 or null, not '" << scales->text
             << "'";
    // Rounded up to a power of two.
    for (std::optional<Format> *format :
         {&scheme.activations, &scheme.weights}) {
      (*format)->scale = ScaleType::E8M0;
      (*format)->rule = ScaleRule::RCeil;
    }
  }
  const DocumentNode *excluded = fields->take("modules_to_not_convert");
  const DocumentNode *ignored = fields->take("ignored_layers");
  if (failed(fields->finish()))
    return failure();
  addLayers(reader, *method, "fp8", scheme);
  if (failed(readExcludedModules(reader, ignored, "'ignored_layers'")))
    return failure();
  return readExcludedModules(reader, excluded, "'modules_to_not_convert'");
}

/// gpt-oss: weights only.
static LogicalResult readMXFP4(RecipeReader &reader, const DocumentNode &node) {
  FailureOr<Fields> fields = Fields::get(node, "the quantization config");
  if (failed(fields))
    return failure();
  const DocumentNode *method = fields->take("quant_method");
  const DocumentNode *excluded = fields->take("modules_to_not_convert");
  // How it is loaded.
  fields->accept({"dequantize"});
  if (failed(fields->finish()))
    return failure();
  addLayers(reader, *method, "mxfp4", cantFail(getScheme("mxfp4a16")));
  return readExcludedModules(reader, excluded, "'modules_to_not_convert'");
}

LogicalResult mx::readHuggingFace(RecipeReader &reader,
                                  const DocumentNode &node) {
  if (!node.isMapping())
    return emitError(node.loc) << "'quantization_config' must be a mapping";
  const DocumentNode *method = node.find("quant_method");
  StringRef name = method ? StringRef(method->text) : "compressed-tensors";
  if (name == "compressed-tensors")
    return readCompressedTensors(reader, node);
  if (name == "fp8")
    return readFP8(reader, node);
  if (name == "mxfp4")
    return readMXFP4(reader, node);
  if (name == "modelopt" || name == "modelopt_fp4")
    return readModelOptConfig(reader, node);
  return emitError(method->loc)
         << "quant_method '" << name
         << "' is not supported; supported are compressed-tensors, fp8, mxfp4, "
            "modelopt";
}
