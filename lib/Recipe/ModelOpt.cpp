// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ModelOpt's recipes: a list of globs over the names of quantizers (a module's
// name and `.weight_quantizer`, `.input_quantizer`), of which the last that
// matches wins.

#include "Reader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

/// `e2m1`, `[2, 1]`, or a number of bits of an integer.
static std::optional<Element> getElement(const DocumentNode &node) {
  StringRef text = node.text;
  std::string spelled;
  if (node.isSequence() && node.items.size() == 2) {
    spelled = "e" + node.items[0].text + "m" + node.items[1].text;
    text = spelled;
  }
  if (text.equals_insensitive("e2m1"))
    return Element::E2M1;
  if (text.equals_insensitive("e2m3"))
    return Element::E2M3;
  if (text.equals_insensitive("e3m2"))
    return Element::E3M2;
  if (text.equals_insensitive("e4m3"))
    return Element::E4M3;
  if (text.equals_insensitive("e5m2"))
    return Element::E5M2;
  if (text == "4")
    return Element::Int4;
  return std::nullopt;
}

/// `scale_bits`; absent: a float.
static FailureOr<ScaleType> getScale(const DocumentNode *node) {
  if (!node)
    return ScaleType::F32;
  std::string text = node->text;
  if (node->isSequence() && node->items.size() == 2)
    text = "e" + node->items[0].text + "m" + node->items[1].text;
  if (StringRef(text).equals_insensitive("e4m3"))
    return ScaleType::E4M3;
  if (StringRef(text).equals_insensitive("e8m0"))
    return ScaleType::E8M0;
  return emitError(node->loc)
         << "'scale_bits' must be e4m3 or e8m0, not '" << text << "'";
}

/// `{-1: 16, -2: 16, type: dynamic, scale_bits: e4m3}`: extents by dimension,
/// null for a whole one.
static LogicalResult readBlockSizes(const DocumentNode &node, Format &format) {
  FailureOr<Fields> fields = Fields::get(node, "'block_sizes'");
  if (failed(fields))
    return failure();
  FailureOr<ScaleType> scale = getScale(fields->take("scale_bits"));
  if (failed(scale))
    return failure();
  format.scale = *scale;
  format.blockRows = 1;
  format.blockCols = Format::Whole;
  for (auto [key, extent] : {std::pair(StringRef("-1"), &format.blockCols),
                             {"-2", &format.blockRows}}) {
    const DocumentNode *size = fields->take(key);
    if (!size)
      continue;
    FailureOr<int64_t> value = getInteger(*size, "a block size");
    if (failed(value))
      return failure();
    if (*value <= 0)
      return emitError(size->loc) << "a block size must be positive";
    *extent = *value;
  }
  if (!node.find("-1"))
    return emitError(node.loc) << "'block_sizes' needs '-1', the extent along "
                                  "the contracted dimension";
  // When the scales are taken: of weights they are the same.
  fields->accept({"type"});
  if (failed(fields->refuse({"scale_block_sizes", "four_over_six"})))
    return failure();
  return fields->finish();
}

/// A `cfg`.
static FailureOr<Format> readConfig(const DocumentNode &node) {
  if (node.isSequence())
    return emitError(node.loc)
           << "one format after another is not supported; give one";
  FailureOr<Fields> fields = Fields::get(node, "'cfg'");
  if (failed(fields))
    return failure();
  if (const DocumentNode *import = node.find("$import"))
    return emitError(import->loc) << "imports are not read; write the "
                                     "configuration out";
  FailureOr<const DocumentNode *> bits = fields->require("num_bits");
  if (failed(bits))
    return failure();
  std::optional<Element> element = getElement(**bits);
  if (!element)
    return emitError((*bits)->loc)
           << "'num_bits' is not supported; supported are e2m1, e2m3, e3m2, "
              "e4m3, e5m2 and 4";

  Format format;
  format.element = *element;
  format.scale = ScaleType::F32;
  format.blockRows = format.blockCols = Format::Whole;
  const DocumentNode *axis = fields->take("axis");
  const DocumentNode *sizes = fields->take("block_sizes");
  if (sizes && axis)
    return emitError(axis->loc)
           << "'axis' and 'block_sizes' exclude each other";
  if (sizes && failed(readBlockSizes(*sizes, format)))
    return failure();
  if (axis) {
    if (axis->text != "0")
      return emitError(axis->loc) << "'axis' must be null or 0 (a scale a row)";
    format.blockRows = 1;
  }
  // How it is computed there, and what is at its default.
  fields->accept({"type", "fake_quant", "calibrator", "effective_bits",
                  "trt_high_precision_dtype", "pass_through_bwd", "enable"});
  if (failed(fields->refuse({"unsigned", "narrow_range", "bias", "rotate",
                             "learn_amax", "use_constant_amax", "backend",
                             "four_over_six"})) ||
      failed(fields->finish()))
    return failure();

  // Scales of powers of two are rounded up there.
  format.rule =
      format.scale == ScaleType::E8M0 ? ScaleRule::RCeil : ScaleRule::Amax;
  format.secondLevel = format.scale == ScaleType::E4M3;
  if (format.element == Element::Int4)
    format.variant = Variant::ModelOpt;
  if (llvm::Error error = format.verify())
    return emitError(node.loc) << llvm::toString(std::move(error));
  return format;
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

namespace {
/// What is not quantised there unless a recipe names it: words of names, and
/// the role that has such names.
struct DisabledModule {
  StringLiteral word;
  std::optional<Role> role;
};

struct Quantizer {
  StringLiteral name;
  std::optional<OperandChoice> Rule::*choice;
};
} // namespace

static constexpr DisabledModule disabledModules[] = {
    {"lm_head", Role::lm_head},
    {"output_layer", Role::lm_head},
    {"router", Role::router},
    {"mlp.gate.", Role::router},
    {"block_sparse_moe.gate.", Role::router},
    {"shared_expert_gate", {}},
    {"conv1d", {}},
    {"vision_tower", {}},
    {"vision_model", {}},
    {"visual", {}},
    {"embed_vision", {}},
    {"multi_modal_projector", {}},
};

static constexpr Quantizer quantizers[] = {
    {"weight_quantizer", &Rule::weights},
    {"input_quantizer", &Rule::activations}};

/// Whether a glob can match a name that ends so.
static bool canEndIn(StringRef glob, StringRef end) {
  StringRef tail = glob;
  if (size_t star = glob.find_last_of("*?[]"); star != StringRef::npos)
    tail = glob.drop_front(star + 1);
  return tail.ends_with(end) || (tail.size() < glob.size() &&
                                 StringRef(("." + end).str()).ends_with(tail));
}

/// Leaves out of an enabling rule what it does not name.
static void exclude(Rule &rule, StringRef glob, StringRef suffix) {
  for (const DisabledModule &module : disabledModules) {
    StringRef word = module.word;
    if (glob.contains(word.rtrim('.')))
      continue;
    rule.exceptions.push_back(
        cantFail(NamePattern::glob(("*" + word + "*").str(), suffix)));
  }
  for (Role role : {Role::lm_head, Role::router})
    if (none_of(disabledModules, [&](const DisabledModule &module) {
          return module.role == role && glob.contains(module.word.rtrim('.'));
        }))
      erase(rule.roles, role);
}

namespace {
/// `{quantizer_name, parent_class, cfg, enable}`.
class EntryReader {
public:
  EntryReader(RecipeReader &reader, const DocumentNode &node)
      : reader(reader), node(node) {}
  LogicalResult run();

  const DocumentNode *name = nullptr, *parent = nullptr, *cfg = nullptr;
  bool isEnabled = true;
  LogicalResult addRules();

private:
  RecipeReader &reader;
  const DocumentNode &node;
};
} // namespace

LogicalResult EntryReader::run() {
  if (const DocumentNode *import = node.find("$import"))
    return emitError(import->loc)
           << "imports are not read; write the entries out";
  FailureOr<Fields> fields = Fields::get(node, "an entry of 'quant_cfg'");
  if (failed(fields))
    return failure();
  FailureOr<const DocumentNode *> required = fields->require("quantizer_name");
  if (failed(required))
    return failure();
  name = *required;
  parent = fields->take("parent_class");
  cfg = fields->take("cfg");
  const DocumentNode *enable = fields->take("enable");
  FailureOr<bool> value = getBoolOr(enable, "'enable'", true);
  if (failed(value) || failed(fields->finish()))
    return failure();
  isEnabled = *value;
  if (!cfg && !enable)
    return emitError(node.loc) << "an entry needs 'cfg' or 'enable'";
  return addRules();
}

LogicalResult EntryReader::addRules() {
  if (isEnabled && (!cfg || cfg->isEmpty()))
    return emitError(node.loc)
           << "an entry that enables quantizers needs a 'cfg'";
  StringRef glob = name->text;
  // Classes other than these have no products.
  if (parent && !is_contained({"nn.Linear", "Linear"}, parent->text)) {
    if (!isEnabled)
      return success();
    return emitError(parent->loc)
           << "'parent_class' must be nn.Linear, not '" << parent->text << "'";
  }
  std::optional<Format> format;
  if (isEnabled) {
    if (none_of(quantizers, [&](const Quantizer &quantizer) {
          return glob.ends_with(quantizer.name);
        }))
      return emitError(name->loc)
             << "'" << glob
             << "' enables more than weights and inputs; supported are names "
                "that end in weight_quantizer or input_quantizer";
    FailureOr<Format> read = readConfig(*cfg);
    if (failed(read))
      return failure();
    format = *read;
  }

  for (const Quantizer &quantizer : quantizers) {
    if (!canEndIn(glob, quantizer.name))
      continue;
    std::string suffix = ("." + quantizer.name).str();
    FailureOr<NamePattern> pattern =
        orEmit(NamePattern::glob(glob, suffix), *name, "bad pattern");
    if (failed(pattern))
      return failure();
    Rule rule = reader.makeRule(*name, glob + " -> " +
                                           (format ? format->str() : "high"));
    rule.roles = {Role::linear, Role::expert, Role::lm_head, Role::router};
    rule.names = std::move(*pattern);
    (rule.*quantizer.choice).emplace().format = format;
    if (isEnabled)
      exclude(rule, glob, suffix);
    reader.rules.add(std::move(rule));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// The older form of `quant_cfg`: a mapping from names to configurations.
static LogicalResult readMapping(RecipeReader &reader,
                                 const DocumentNode &quantCfg,
                                 const DocumentNode *parent) {
  for (const DocumentNode::Entry &pair : quantCfg.entries) {
    if (StringRef(pair.key.text).starts_with("nn.")) {
      if (parent || !pair.value.isMapping())
        return emitError(pair.key.loc) << "a class must have a mapping";
      if (failed(readMapping(reader, pair.value, &pair.key)))
        return failure();
      continue;
    }
    if (!pair.value.isMapping())
      return emitError(pair.value.loc)
             << "the configuration of '" << pair.key.text
             << "' must be a mapping";
    DocumentNode name = pair.key;
    if (name.text == "default")
      name.text = "*";
    EntryReader entry(reader, pair.value);
    entry.name = &name;
    entry.parent = parent;
    entry.cfg = &pair.value;
    FailureOr<bool> isEnabled =
        getBoolOr(pair.value.find("enable"), "'enable'", true);
    if (failed(isEnabled))
      return failure();
    entry.isEnabled = *isEnabled;
    if (failed(entry.addRules()))
      return failure();
  }
  return success();
}

/// Calibration that only looks does not change what is quantised.
static LogicalResult readAlgorithm(const DocumentNode *algorithm) {
  if (!algorithm)
    return success();
  const DocumentNode *method = algorithm;
  if (algorithm->isMapping() && !(method = algorithm->find("method")))
    return emitError(algorithm->loc) << "'algorithm' needs 'method'";
  if (method->isNull() || method->text == "max")
    return success();
  return emitError(method->loc)
         << "algorithm '" << method->text
         << "' chooses other scales or weights and is not supported; max is";
}

static LogicalResult readQuantize(RecipeReader &reader, Fields &fields) {
  if (failed(readAlgorithm(fields.take("algorithm"))))
    return failure();
  FailureOr<const DocumentNode *> quantCfg = fields.require("quant_cfg");
  if (failed(quantCfg))
    return failure();
  if ((*quantCfg)->isMapping()) {
    if (failed(readMapping(reader, **quantCfg, nullptr)))
      return failure();
  } else if (!(*quantCfg)->isSequence()) {
    return emitError((*quantCfg)->loc) << "'quant_cfg' must be a list";
  }
  for (const DocumentNode &item : (*quantCfg)->items)
    if (failed(EntryReader(reader, item).run()))
      return failure();
  return fields.finish();
}

LogicalResult mx::readModelOptRecipe(RecipeReader &reader,
                                     const DocumentNode &root) {
  if (const DocumentNode *search = root.find("auto_quantize"))
    return emitError(search->loc)
           << "'auto_quantize' searches formats, which a recipe cannot; give a "
              "'quant_cfg'";
  if (const DocumentNode *imports = root.find("imports");
      imports && !imports->isEmpty())
    return emitError(imports->loc)
           << "imports are not read; write the configuration out";
  FailureOr<Fields> fields = Fields::get(root, "the file");
  if (failed(fields))
    return failure();
  fields->accept({"metadata", "imports"});
  const DocumentNode *quantize = fields->take("quantize");
  if (!quantize)
    return readQuantize(reader, *fields);
  FailureOr<Fields> inner = Fields::get(*quantize, "'quantize'");
  if (failed(inner) || failed(fields->finish()))
    return failure();
  return readQuantize(reader, *inner);
}
