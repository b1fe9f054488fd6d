// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `mx_rules`: what the other tools' files cannot say. A list, read in order
// after everything else in the file, so that the last one that matches wins.

#include "Reader.h"

#include "mlir/AsmParser/AsmParser.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

namespace {

/// One rule.
class RuleReader {
public:
  RuleReader(RecipeReader &reader, const DocumentNode &node)
      : reader(reader), node(node) {}
  LogicalResult run();

private:
  LogicalResult readCondition(Fields &fields);
  LogicalResult readTargets(const DocumentNode *targets);
  LogicalResult readLayers(const DocumentNode &layers);
  LogicalResult readShape(const DocumentNode &shape);
  LogicalResult readChoice(Fields &fields);
  FailureOr<OperandChoice> readOperand(const DocumentNode &operand,
                                       StringRef what);
  LogicalResult readRounding(const DocumentNode *rounding,
                             OperandChoice &choice);
  LogicalResult readTransform(const DocumentNode *transform,
                              OperandChoice &choice);
  LogicalResult readScaleRule(const DocumentNode *name, OperandChoice &choice);

  RecipeReader &reader;
  const DocumentNode &node;
  Rule rule;
};

} // namespace

//===----------------------------------------------------------------------===//
// What a rule matches
//===----------------------------------------------------------------------===//

/// Names of cases of an enumeration, of which `last` is the last.
template <typename Enum, typename Values>
static LogicalResult readNames(const DocumentNode *list, StringRef what,
                               std::optional<Enum> (*symbolize)(StringRef),
                               StringRef (*stringify)(Enum), unsigned last,
                               Values &values) {
  if (!list)
    return success();
  FailureOr<SmallVector<const DocumentNode *>> names = getStrings(*list, what);
  if (failed(names))
    return failure();
  if (names->empty())
    return emitError(list->loc) << what << " must not be empty";
  for (const DocumentNode *name : *names) {
    std::optional<Enum> value = symbolize(name->text);
    if (!value) {
      InFlightDiagnostic error = emitError(name->loc);
      error << what << " has no '" << name->text << "'; known are ";
      for (unsigned i = 0; i <= last; ++i)
        error << (i ? ", " : "") << stringify(Enum(i));
      return error;
    }
    values.push_back(*value);
  }
  return success();
}

/// `{first: 2, last: 8}`, `[0, 4, 5-7]`, or one of those numbers.
LogicalResult RuleReader::readLayers(const DocumentNode &layers) {
  LayerRange &range = rule.layers.emplace();
  if (layers.isMapping()) {
    FailureOr<Fields> fields = Fields::get(layers, "'layers'");
    for (auto [key, count] :
         {std::pair(StringRef("first"), &range.first), {"last", &range.last}}) {
      const DocumentNode *value = fields->take(key);
      if (!value)
        continue;
      FailureOr<int64_t> number = getInteger(*value, key);
      if (failed(number))
        return failure();
      if (*number < 0)
        return emitError(value->loc) << "'" << key << "' must not be negative";
      *count = *number;
    }
    return fields->finish();
  }
  FailureOr<SmallVector<const DocumentNode *>> items =
      getStrings(layers, "'layers'");
  if (failed(items))
    return failure();
  for (const DocumentNode *item : *items) {
    auto [low, high] = StringRef(item->text).split('-');
    int64_t from, to;
    if (low.getAsInteger(10, from) || from < 0 ||
        (high.empty() ? low.size() != item->text.size()
                      : high.getAsInteger(10, to)))
      return emitError(item->loc)
             << "'layers' must be numbers and ranges such as 4-7, or {first: "
                "2, last: 8}; got '"
             << item->text << "'";
    range.ranges.push_back({from, high.empty() ? from : to});
  }
  return success();
}

/// `{k: 256}` or `{n: {min: 64, max: 4096, multiple_of: 16}}`.
LogicalResult RuleReader::readShape(const DocumentNode &shape) {
  FailureOr<Fields> fields = Fields::get(shape, "'shape'");
  if (failed(fields))
    return failure();
  for (StringRef name : {"m", "n", "k"}) {
    const DocumentNode *value = fields->take(name);
    if (!value)
      continue;
    ExtentCondition condition;
    condition.extent = name[0];
    if (!value->isMapping()) {
      FailureOr<int64_t> extent = getInteger(*value, name);
      if (failed(extent))
        return failure();
      condition.min = condition.max = *extent;
    } else {
      FailureOr<Fields> bounds = Fields::get(*value, name);
      std::pair<StringLiteral, int64_t *> keys[] = {
          {"min", &condition.min},
          {"max", &condition.max},
          {"multiple_of", &condition.multipleOf}};
      for (auto [key, bound] : keys) {
        const DocumentNode *number = bounds->take(key);
        if (!number)
          continue;
        FailureOr<int64_t> extent = getInteger(*number, key);
        if (failed(extent))
          return failure();
        if (*extent <= 0)
          return emitError(number->loc) << "'" << key << "' must be positive";
        *bound = *extent;
      }
      if (failed(bounds->finish()))
        return failure();
    }
    rule.extents.push_back(condition);
  }
  return fields->finish();
}

LogicalResult RuleReader::readCondition(Fields &fields) {
  if (failed(readNames<Role>(fields.take("roles"), "'roles'", symbolizeRole,
                             stringifyRole, getMaxEnumValForRole(),
                             rule.roles)) ||
      failed(readNames<Gemm>(fields.take("gemm"), "'gemm'", symbolizeGemm,
                             stringifyGemm, getMaxEnumValForGemm(),
                             rule.gemms)))
    return failure();
  if (const DocumentNode *layers = fields.take("layers");
      layers && failed(readLayers(*layers)))
    return failure();
  if (const DocumentNode *shape = fields.take("shape");
      shape && failed(readShape(*shape)))
    return failure();
  return success();
}

/// A rule for each target; without any, for all layers and experts.
LogicalResult RuleReader::readTargets(const DocumentNode *targets) {
  if (!targets) {
    if (rule.roles.empty() && !rule.isIgnore)
      rule.roles = {Role::linear, Role::expert};
    reader.rules.add(std::move(rule));
    return success();
  }
  FailureOr<SmallVector<const DocumentNode *>> names =
      getStrings(*targets, "'targets'");
  if (failed(names))
    return failure();
  SmallVector<Role, 4> roles = rule.roles;
  for (const DocumentNode *name : *names) {
    Rule copy = rule;
    if (failed(setTarget(copy, *name)))
      return failure();
    if (!roles.empty())
      erase_if(copy.roles,
               [&](Role role) { return !is_contained(roles, role); });
    // No role is both: a list without roles would match all.
    if (copy.roles.empty())
      return emitError(name->loc)
             << "no op of these roles is a '" << name->text << "'";
    copy.loc = name->loc;
    reader.rules.add(std::move(copy));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// What a rule says
//===----------------------------------------------------------------------===//

LogicalResult RuleReader::readRounding(const DocumentNode *rounding,
                                       OperandChoice &choice) {
  if (!rounding)
    return success();
  std::optional<Rounding> value = symbolizeRounding(rounding->text);
  if (!value)
    return emitError(rounding->loc)
           << "'rounding' must be rne or sr, not '" << rounding->text << "'";
  if (choice.format)
    choice.rounding = *value;
  return success();
}

/// What `#mx.hadamard<...>` has in its brackets.
LogicalResult RuleReader::readTransform(const DocumentNode *transform,
                                        OperandChoice &choice) {
  if (!transform)
    return success();
  std::string message;
  HadamardAttr attribute;
  bool isPlain = transform->isScalar() && all_of(transform->text, [](char c) {
                   return isAlnum(c) || StringRef(" =,-[]").contains(c);
                 });
  if (isPlain) {
    // What it has to say has a location of its own, in the attribute.
    ScopedDiagnosticHandler handler(reader.context,
                                    [&](Diagnostic &diagnostic) {
                                      message = diagnostic.str();
                                      return success();
                                    });
    attribute = dyn_cast_if_present<HadamardAttr>(parseAttribute(
        "#mx.hadamard<" + transform->text + ">", reader.context));
  }
  if (!attribute)
    return emitError(transform->loc)
           << "'transform' must be what #mx.hadamard<...> takes (a size such "
              "as "
              "16, rht16)"
           << (message.empty() ? "" : ": ") << message;
  if (choice.format)
    choice.transform = attribute;
  return success();
}

LogicalResult RuleReader::readScaleRule(const DocumentNode *name,
                                        OperandChoice &choice) {
  if (!name)
    return success();
  std::optional<ScaleRule> value = parseScaleRule(name->text);
  if (!value)
    return emitError(name->loc)
           << "'scale_rule' must be floor, ceil, even or rceil, not '"
           << name->text << "'";
  if (choice.format && choice.format->scale == ScaleType::E8M0)
    choice.format->rule = *value;
  return success();
}

/// `high`, a format, or a mapping.
FailureOr<OperandChoice> RuleReader::readOperand(const DocumentNode &operand,
                                                 StringRef what) {
  OperandChoice choice;
  const DocumentNode *spelling = &operand;
  std::optional<Fields> fields;
  if (operand.isMapping()) {
    FailureOr<Fields> taken = Fields::get(operand, what);
    FailureOr<const DocumentNode *> format = taken->require("format");
    if (failed(format))
      return failure();
    spelling = *format;
    fields = std::move(*taken);
  }
  FailureOr<StringRef> text = getString(*spelling, what);
  if (failed(text))
    return failure();
  if (*text != "high") {
    FailureOr<Format> format = getFormat(*text, *spelling);
    if (failed(format))
      return failure();
    choice.format = *format;
  }
  if (!fields)
    return choice;
  if (failed(readRounding(fields->take("rounding"), choice)) ||
      failed(readTransform(fields->take("transform"), choice)) ||
      failed(readScaleRule(fields->take("scale_rule"), choice)) ||
      failed(fields->finish()))
    return failure();
  return choice;
}

LogicalResult RuleReader::readChoice(Fields &fields) {
  const DocumentNode *scheme = fields.take("scheme");
  const DocumentNode *activations = fields.take("activations");
  const DocumentNode *weights = fields.take("weights");
  FailureOr<bool> isIgnore =
      getBoolOr(fields.take("ignore"), "'ignore'", false);
  if (failed(isIgnore))
    return failure();
  FailureOr<bool> isKeep = getBoolOr(fields.take("keep"), "'keep'", false);
  if (failed(isKeep))
    return failure();
  const DocumentNode *promote = fields.take("promote_every");
  if (scheme) {
    llvm::Expected<Scheme> known = getScheme(scheme->text);
    if (!known)
      return emitError(scheme->loc) << llvm::toString(known.takeError());
    rule.setScheme(*known);
  }
  if (*isKeep)
    rule.setScheme(cantFail(getScheme("bf16")));
  std::pair<const DocumentNode *, std::optional<OperandChoice> *> operands[] = {
      {activations, &rule.activations}, {weights, &rule.weights}};
  for (auto [operand, choice] : operands) {
    if (!operand)
      continue;
    FailureOr<OperandChoice> read = readOperand(
        *operand, operand == weights ? "'weights'" : "'activations'");
    if (failed(read))
      return failure();
    *choice = *read;
  }
  if (promote) {
    FailureOr<int64_t> value = getInteger(*promote, "'promote_every'");
    if (failed(value))
      return failure();
    if (*value < 0)
      return emitError(promote->loc) << "'promote_every' must not be negative";
    rule.promoteEvery = *value;
  }
  // Of both operands.
  const DocumentNode *rounding = fields.take("rounding");
  const DocumentNode *transform = fields.take("transform");
  const DocumentNode *scaleRule = fields.take("scale_rule");
  for (std::optional<OperandChoice> *choice :
       {&rule.activations, &rule.weights})
    if (*choice && (failed(readRounding(rounding, **choice)) ||
                    failed(readTransform(transform, **choice)) ||
                    failed(readScaleRule(scaleRule, **choice))))
      return failure();

  bool isChoice = rule.activations || rule.weights || rule.promoteEvery;
  if (*isIgnore == isChoice || (*isKeep && (scheme || activations || weights)))
    return emitError(node.loc)
           << "a rule says one of: 'ignore', 'keep', or formats ('scheme', "
              "'activations', 'weights', 'promote_every')";
  for (const DocumentNode *modifier : {rounding, transform, scaleRule})
    if (modifier && !rule.activations && !rule.weights)
      return emitError(modifier->loc)
             << "there is no format that this could be about; give 'scheme', "
                "'activations' or 'weights' too";
  rule.isIgnore = *isIgnore;
  return success();
}

LogicalResult RuleReader::run() {
  FailureOr<Fields> fields = Fields::get(node, "a rule");
  if (failed(fields))
    return failure();
  const DocumentNode *targets = fields->take("targets");
  if (failed(readCondition(*fields)) || failed(readChoice(*fields)) ||
      failed(fields->finish()))
    return failure();
  Rule named = reader.makeRule(
      node, "mx_rules -> " +
                Twine(rule.isIgnore ? std::string("ignore")
                      : rule.activations && rule.weights
                          ? nameFormats(rule.activations->format,
                                        rule.weights->format)
                      : rule.weights && rule.weights->format
                          ? "weights " + rule.weights->format->str()
                      : rule.activations && rule.activations->format
                          ? "activations " + rule.activations->format->str()
                      : rule.promoteEvery ? std::string("promote_every")
                                          : std::string("high")));
  rule.name = named.name;
  rule.loc = named.loc;
  rule.section = named.section;
  return readTargets(targets);
}

LogicalResult mx::readOwnRules(RecipeReader &reader, const DocumentNode &node) {
  if (!node.isSequence())
    return emitError(node.loc) << "'mx_rules' must be a list of rules";
  for (const DocumentNode &item : node.items)
    if (failed(RuleReader(reader, item).run()))
      return failure();
  return success();
}
