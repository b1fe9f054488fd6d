// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// compressed-tensors' configurations and llm-compressor's recipes. There, an
// exact name beats a regular expression, which beats a class; among those of
// one kind the alphabetically first does (compressed-tensors 0.20,
// utils/match.py); a group replaces an earlier one of the same target.

#include "QuantizationArgs.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

namespace {
/// In the order of rising precedence.
enum class TargetKind { Class, Regex, Exact };
} // namespace

/// Modules that have weights, which is what names there are of.
static constexpr Role moduleRoles[] = {Role::linear,    Role::expert,
                                       Role::lm_head,   Role::router,
                                       Role::embedding, Role::conv};

/// The roles of a class of PyTorch; empty if it is none that is known.
static SmallVector<Role, 4> getClassRoles(StringRef name) {
  using Roles = SmallVector<Role, 4>;
  return llvm::StringSwitch<Roles>(name)
      .Case("Linear", {Role::linear, Role::expert, Role::lm_head})
      .Case("Embedding", {Role::embedding})
      .Cases({"Conv1d", "Conv2d", "Conv3d"}, {Role::conv})
      .Default({});
}

static TargetKind getKind(StringRef target) {
  if (target.starts_with("re:"))
    return TargetKind::Regex;
  return getClassRoles(target).empty() ? TargetKind::Exact : TargetKind::Class;
}

LogicalResult mx::setTarget(Rule &rule, const DocumentNode &target) {
  StringRef text = target.text;
  switch (getKind(text)) {
  case TargetKind::Class:
    rule.roles = getClassRoles(text);
    return success();
  case TargetKind::Exact:
    rule.names = NamePattern::exact(text);
    break;
  case TargetKind::Regex: {
    FailureOr<NamePattern> pattern =
        orEmit(NamePattern::regex(text.drop_front(3)), target,
               ("bad regular expression '" + text.drop_front(3) + "'").str());
    if (failed(pattern))
      return failure();
    rule.names = std::move(*pattern);
    break;
  }
  }
  rule.roles.assign(std::begin(moduleRoles), std::end(moduleRoles));
  return success();
}

/// `ignore` takes what a target takes; a name may be that of any op.
static LogicalResult readIgnore(RecipeReader &reader,
                                const DocumentNode *node) {
  if (!node)
    return success();
  FailureOr<SmallVector<const DocumentNode *>> names =
      getStrings(*node, "'ignore'");
  if (failed(names))
    return failure();
  for (const DocumentNode *name : *names) {
    Rule rule = reader.makeRule(*name, "ignore " + name->text);
    rule.isIgnore = true;
    if (failed(setTarget(rule, *name)))
      return failure();
    if (rule.names)
      rule.roles.clear();
    reader.rules.add(std::move(rule));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

namespace {

/// The targets of one section and what becomes of each.
class Groups {
public:
  explicit Groups(RecipeReader &reader) : reader(reader) {}

  LogicalResult readConfigGroups(const DocumentNode &node);
  LogicalResult addPreset(const DocumentNode &name,
                          const DocumentNode &targets);
  LogicalResult addPreset(const DocumentNode &name, StringRef target);
  /// Adds the rules in the order of rising precedence.
  LogicalResult finish();

private:
  struct Target {
    const DocumentNode *node;
    Scheme scheme;
    size_t order;
  };
  LogicalResult readGroup(const DocumentNode &node, StringRef name);
  LogicalResult add(const DocumentNode &targets, const Scheme &scheme);
  FailureOr<Scheme> getPreset(const DocumentNode &name);

  RecipeReader &reader;
  std::vector<Target> targets;
  /// Targets that are not in the file.
  std::vector<std::unique_ptr<DocumentNode>> implied;
};

} // namespace

FailureOr<Scheme> Groups::getPreset(const DocumentNode &name) {
  FailureOr<StringRef> text = getString(name, "a scheme");
  if (failed(text))
    return failure();
  llvm::Expected<Scheme> scheme = getScheme(*text);
  if (!scheme)
    return emitError(name.loc) << llvm::toString(scheme.takeError());
  for (std::optional<Format> *format : {&scheme->activations, &scheme->weights})
    if (*format)
      *format = withCompressedTensorsScales(**format);
  return std::move(*scheme);
}

LogicalResult Groups::add(const DocumentNode &list, const Scheme &scheme) {
  FailureOr<SmallVector<const DocumentNode *>> names =
      getStrings(list, "'targets'");
  if (failed(names))
    return failure();
  for (const DocumentNode *name : *names)
    targets.push_back({name, scheme, targets.size()});
  return success();
}

LogicalResult Groups::addPreset(const DocumentNode &name,
                                const DocumentNode &list) {
  FailureOr<Scheme> scheme = getPreset(name);
  return failed(scheme) ? failure() : add(list, *scheme);
}

LogicalResult Groups::addPreset(const DocumentNode &name, StringRef target) {
  implied.push_back(std::make_unique<DocumentNode>(name));
  implied.back()->text = target.str();
  return addPreset(name, *implied.back());
}

LogicalResult Groups::readGroup(const DocumentNode &node, StringRef name) {
  FailureOr<Fields> fields = Fields::get(node, ("group '" + name + "'").str());
  if (failed(fields))
    return failure();
  FailureOr<const DocumentNode *> list = fields->require("targets");
  if (failed(list))
    return failure();
  Scheme scheme;
  std::pair<StringLiteral, OperandKind> operands[] = {
      {"weights", OperandKind::Weight},
      {"input_activations", OperandKind::Activation}};
  for (auto [key, kind] : operands) {
    const DocumentNode *arguments = fields->take(key);
    if (!arguments)
      continue;
    FailureOr<Format> format = readQuantizationArgs(*arguments, kind);
    if (failed(format))
      return failure();
    (kind == OperandKind::Weight ? scheme.weights : scheme.activations) =
        *format;
  }
  fields->accept({"format"});
  if (failed(fields->refuse({"output_activations"})) ||
      failed(fields->finish()))
    return failure();
  return add(**list, scheme);
}

LogicalResult Groups::readConfigGroups(const DocumentNode &node) {
  if (!node.isMapping())
    return emitError(node.loc) << "'config_groups' must be a mapping";
  for (const DocumentNode::Entry &entry : node.entries) {
    // A preset's name with its targets.
    bool isPreset = entry.value.isSequence();
    if (failed(isPreset ? addPreset(entry.key, entry.value)
                        : readGroup(entry.value, entry.key.text)))
      return failure();
  }
  return success();
}

LogicalResult Groups::finish() {
  llvm::sort(targets, [](const Target &a, const Target &b) {
    TargetKind kindA = getKind(a.node->text), kindB = getKind(b.node->text);
    if (kindA != kindB)
      return kindA < kindB;
    int order = StringRef(a.node->text).compare(b.node->text);
    return order != 0 ? order > 0 : a.order < b.order;
  });
  for (const Target &target : targets) {
    Rule rule =
        reader.makeRule(*target.node, target.node->text + " -> " +
                                          nameFormats(target.scheme.activations,
                                                      target.scheme.weights));
    rule.setScheme(target.scheme);
    if (failed(setTarget(rule, *target.node)))
      return failure();
    reader.rules.add(std::move(rule));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// A sparse checkpoint has zeros of its own; a dense one says so.
static LogicalResult readSparsity(const DocumentNode *sparsity) {
  if (!sparsity || sparsity->isEmpty())
    return success();
  const DocumentNode *format = sparsity->find("format");
  if (format && format->text == "dense")
    return success();
  return emitError(sparsity->loc)
         << "'sparsity_config' would change the numerics and is not supported; "
            "its 'format' must be dense";
}

LogicalResult mx::readCompressedTensors(RecipeReader &reader,
                                        const DocumentNode &node) {
  FailureOr<Fields> fields = Fields::get(node, "the quantization config");
  if (failed(fields))
    return failure();
  FailureOr<const DocumentNode *> groupsNode = fields->require("config_groups");
  if (failed(groupsNode))
    return failure();
  Groups groups(reader);
  if (failed(groups.readConfigGroups(**groupsNode)) || failed(groups.finish()))
    return failure();
  const DocumentNode *ignore = fields->take("ignore");
  fields->accept({"quant_method", "format", "quantization_status",
                  "global_compression_ratio", "version"});
  if (failed(readSparsity(fields->take("sparsity_config"))) ||
      failed(fields->refuse(
          {"kv_cache_scheme", "moe_sparsity_config", "transform_config"})) ||
      failed(fields->finish()))
    return failure();
  return readIgnore(reader, ignore);
}

static LogicalResult readModifier(RecipeReader &reader,
                                  const DocumentNode &node) {
  FailureOr<Fields> fields = Fields::get(node, "QuantizationModifier");
  if (failed(fields))
    return failure();
  const DocumentNode *targets = fields->take("targets");
  const DocumentNode *ignore = fields->take("ignore");
  const DocumentNode *scheme = fields->take("scheme");
  const DocumentNode *configGroups = fields->take("config_groups");
  fields->accept({"bypass_divisibility_checks", "requires_calibration_data",
                  "index", "group", "start", "end", "update"});
  if (failed(fields->refuse({"kv_cache_scheme", "weight_observer",
                             "input_observer", "output_observer"})) ||
      failed(fields->finish()))
    return failure();
  // Its targets are not bound by the ignores of other modifiers.
  reader.section = reader.section ? *reader.section + 1 : 0;
  if (!scheme == !configGroups)
    return emitError(node.loc)
           << "QuantizationModifier needs either 'scheme' or 'config_groups'";

  Groups groups(reader);
  if (configGroups) {
    if (failed(groups.readConfigGroups(*configGroups)))
      return failure();
  } else if (scheme->isMapping()) {
    for (const DocumentNode::Entry &entry : scheme->entries)
      if (failed(groups.addPreset(entry.key, entry.value)))
        return failure();
  } else if (failed(targets ? groups.addPreset(*scheme, *targets)
                            : groups.addPreset(*scheme, "Linear"))) {
    return failure();
  }
  if (failed(groups.finish()) || failed(readIgnore(reader, ignore)))
    return failure();
  return success();
}

LogicalResult mx::readLLMCompressorStage(RecipeReader &reader,
                                         const DocumentNode &node) {
  if (!node.isMapping())
    return emitError(node.loc) << "a stage must be a mapping";
  for (const DocumentNode::Entry &entry : node.entries) {
    if (entry.key.text == "run_type")
      continue;
    if (!StringRef(entry.key.text).ends_with("_modifiers"))
      return emitError(entry.key.loc)
             << "unknown key '" << entry.key.text
             << "' in a stage; its keys end in '_modifiers'";
    if (!entry.value.isMapping())
      return emitError(entry.value.loc)
             << "'" << entry.key.text << "' must be a mapping";
    for (const DocumentNode::Entry &modifier : entry.value.entries) {
      if (modifier.key.text != "QuantizationModifier")
        return emitError(modifier.key.loc)
               << "modifier '" << modifier.key.text
               << "' would change the weights and is not supported; "
                  "QuantizationModifier is";
      if (failed(readModifier(reader, modifier.value)))
        return failure();
    }
  }
  return success();
}
