// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The meaning of the keys is that of compressed-tensors 0.20
// (quantization/quant_args.py).

#include "QuantizationArgs.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

Format mx::withCompressedTensorsScales(Format format) {
  if (format.scale == ScaleType::E8M0)
    format.rule = ScaleRule::Even;
  return format;
}

namespace {

/// One `weights` or `input_activations`, checked one by one.
class ArgsReader {
public:
  ArgsReader(const DocumentNode &node, Fields fields, OperandKind kind)
      : node(node), fields(std::move(fields)), kind(kind) {}

  FailureOr<Format> run();

private:
  LogicalResult readFields();
  LogicalResult readStrategy();
  LogicalResult readBlock();
  LogicalResult readInformation();
  FailureOr<Format> getFloat(Format format);
  FailureOr<Format> getInt(Format format);

  InFlightDiagnostic fail(const DocumentNode *at) {
    return emitError((at ? at : &node)->loc);
  }

  const DocumentNode &node;
  Fields fields;
  OperandKind kind;
  int64_t bits = 8, groupSize = 0;
  const DocumentNode *bitsNode = nullptr, *strategyNode = nullptr;
  StringRef type = "int", strategy, scaleType;
  bool isSymmetric = true, isDynamic = false;
  Format block;
};

} // namespace

/// Which elements share a scale; where it is not said, the defaults there.
LogicalResult ArgsReader::readStrategy() {
  if (const DocumentNode *size = fields.take("group_size")) {
    FailureOr<int64_t> value = getInteger(*size, "'group_size'");
    if (failed(value))
      return failure();
    groupSize = *value;
    if (groupSize < -1 || groupSize == 0)
      return fail(size) << "'group_size' must be positive, or -1 for a row";
  }
  strategyNode = fields.take("strategy");
  if (strategyNode) {
    FailureOr<StringRef> name = getString(*strategyNode, "'strategy'");
    if (failed(name))
      return failure();
    strategy = *name;
  } else if (groupSize > 0) {
    strategy = "group";
  } else if (groupSize == -1) {
    strategy = "channel";
  } else {
    strategy = isDynamic ? "token" : "tensor";
  }
  return success();
}

LogicalResult ArgsReader::readBlock() {
  const DocumentNode *structure = fields.take("block_structure");
  bool isWeight = kind == OperandKind::Weight;
  if (strategy == "tensor") {
    block.blockRows = block.blockCols = Format::Whole;
  } else if (strategy == (isWeight ? "channel" : "token")) {
    block.blockCols = Format::Whole;
  } else if (strategy == "group" || strategy == "tensor_group") {
    if (groupSize <= 0)
      return fail(strategyNode)
             << "strategy '" << strategy << "' needs a 'group_size'";
    block.blockCols = groupSize;
  } else if (strategy == "block" && isWeight) {
    if (!structure || !structure->isSequence() || structure->items.size() != 2)
      return fail(structure ? structure : strategyNode)
             << "strategy 'block' needs a 'block_structure' of two integers";
    int64_t *extents[] = {&block.blockRows, &block.blockCols};
    for (auto [extent, item] : zip(extents, structure->items)) {
      FailureOr<int64_t> value = getInteger(item, "'block_structure'");
      if (failed(value))
        return failure();
      if (*value <= 0)
        return fail(&item) << "'block_structure' must be positive";
      *extent = *value;
    }
  } else {
    return fail(strategyNode)
           << "strategy '" << strategy << "' is not one of "
           << (isWeight ? "weights; those are tensor, channel, group, "
                          "tensor_group, block"
                        : "activations; those are tensor, token, group, "
                          "tensor_group");
  }
  return success();
}

LogicalResult ArgsReader::readInformation() {
  if (const DocumentNode *observer = fields.take("observer")) {
    FailureOr<StringRef> name = getString(*observer, "'observer'");
    if (failed(name))
      return failure();
    if (!is_contained({"minmax", "memoryless_minmax", "static_minmax"}, *name))
      return fail(observer)
             << "observer '" << *name
             << "' chooses other scales and is not supported; supported are "
                "minmax, memoryless_minmax, static_minmax";
  }
  if (const DocumentNode *arguments = fields.take("observer_kwargs")) {
    FailureOr<Fields> inner = Fields::get(*arguments, "'observer_kwargs'");
    if (failed(inner))
      return failure();
    // How fast a calibration forgets.
    inner->accept({"averaging_constant"});
    if (failed(inner->finish()))
      return failure();
  }
  if (const DocumentNode *order = fields.take("actorder");
      order && !order->isEmpty()) {
    FailureOr<StringRef> name = getString(*order, "'actorder'");
    if (failed(name))
      return failure();
    if (*name != "weight" && *name != "static")
      return fail(order) << "'actorder' " << *name
                         << " permutes the weights' columns and is not "
                            "supported";
  }
  return success();
}

LogicalResult ArgsReader::readFields() {
  bitsNode = fields.take("num_bits");
  if (bitsNode) {
    FailureOr<int64_t> value = getInteger(*bitsNode, "'num_bits'");
    if (failed(value))
      return failure();
    bits = *value;
  }
  if (const DocumentNode *name = fields.take("type")) {
    FailureOr<StringRef> value = getString(*name, "'type'");
    if (failed(value))
      return failure();
    type = *value;
    if (type != "int" && type != "float")
      return fail(name) << "'type' must be int or float, not '" << type << "'";
  }
  const DocumentNode *symmetric = fields.take("symmetric");
  FailureOr<bool> value = getBoolOr(symmetric, "'symmetric'", true);
  if (failed(value))
    return failure();
  isSymmetric = *value;
  if (const DocumentNode *dynamic = fields.take("dynamic")) {
    if (!dynamic->getBool() && dynamic->text != "local")
      return fail(dynamic) << "'dynamic' must be true, false or local";
    isDynamic = dynamic->getBool() == true;
    if (isDynamic && kind == OperandKind::Weight)
      return fail(dynamic) << "weights cannot be 'dynamic'";
  }
  if (const DocumentNode *dtype = fields.take("scale_dtype")) {
    FailureOr<StringRef> name = getString(*dtype, "'scale_dtype'");
    if (failed(name))
      return failure();
    scaleType = *name;
    scaleType.consume_front("torch.");
    if (!is_contained({"uint8", "float8_e8m0fnu", "float8_e4m3fn", "float32",
                       "bfloat16", "float16"},
                      scaleType))
      return fail(dtype) << "unknown 'scale_dtype' '" << *name << "'";
  }
  fields.accept({"zp_dtype"});
  if (failed(readStrategy()) || failed(readBlock()) ||
      failed(readInformation()))
    return failure();
  return fields.finish();
}

FailureOr<Format> ArgsReader::getFloat(Format format) {
  if (!isSymmetric)
    return fail(&node) << "floats have no zero point; 'symmetric' must be true";
  bool isE8M0 = scaleType == "uint8" || scaleType == "float8_e8m0fnu";
  bool isGroup = strategy == "group";
  switch (bits) {
  case 4:
    format.element = Element::E2M1;
    if (strategy == "tensor_group") {
      format.scale = ScaleType::E4M3;
      format.rule = ScaleRule::Amax;
      format.secondLevel = true;
      return format;
    }
    // Four bits have no other scales; old files do not say so.
    isE8M0 |= scaleType.empty();
    break;
  case 6:
    format.element = Element::E2M3;
    isE8M0 |= scaleType.empty();
    break;
  case 8:
    format.element = Element::E4M3;
    break;
  default:
    return fail(bitsNode) << "a float of " << bits
                          << " bits is not a format; those are of 4, 6 and 8";
  }
  if (isE8M0 ? isGroup : bits == 8 && strategy != "tensor_group") {
    format.scale = isE8M0 ? ScaleType::E8M0 : ScaleType::F32;
    format.rule = isE8M0 ? ScaleRule::Even : ScaleRule::Amax;
    return format;
  }
  return fail(strategyNode)
         << "a float of " << bits << " bits has no strategy '" << strategy
         << "' with such scales";
}

FailureOr<Format> ArgsReader::getInt(Format format) {
  if (bits != 4)
    return fail(bitsNode) << "integers of " << bits
                          << " bits are not supported; those of 4 are";
  if (kind == OperandKind::Activation)
    return fail(bitsNode) << "activations as integers of 4 bits are not "
                             "supported";
  if (strategy == "tensor_group" || strategy == "block")
    return fail(strategyNode)
           << "an integer of 4 bits has no strategy '" << strategy << "'";
  format.element = Element::Int4;
  format.scale = ScaleType::F32;
  format.rule = ScaleRule::Amax;
  format.zeroPoint = !isSymmetric;
  return format;
}

FailureOr<Format> ArgsReader::run() {
  if (failed(readFields()))
    return failure();
  FailureOr<Format> format = type == "float" ? getFloat(block) : getInt(block);
  if (failed(format))
    return failure();
  if (llvm::Error error = format->verify())
    return fail(&node) << llvm::toString(std::move(error));
  bool isCalibrated =
      kind == OperandKind::Activation && !isDynamic && strategy == "tensor";
  if (isCalibrated)
    emitRemark(node.loc) << "the scale is calibrated there; here it is that of "
                            "each tensor itself";
  return format;
}

FailureOr<Format> mx::readQuantizationArgs(const DocumentNode &node,
                                           OperandKind kind) {
  FailureOr<Fields> fields = Fields::get(
      node, kind == OperandKind::Weight ? "'weights'" : "'input_activations'");
  if (failed(fields))
    return failure();
  return ArgsReader(node, std::move(*fields), kind).run();
}
