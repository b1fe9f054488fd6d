// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Fingerprint.h"
#include "mx/Analysis/ModuleRoles.h"
#include "mx/IR/Plan.h"
#include "mx/Recipe/Recipe.h"
#include "mx/Support/Sidecar.h"
#include "mx/Transforms/Passes.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace mx {
#define GEN_PASS_DEF_MXANNOTATE
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// The sidecar
//===----------------------------------------------------------------------===//

static std::string printShapedType(ArrayRef<int64_t> shape, StringRef element) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (int64_t extent : shape) {
    if (ShapedType::isDynamic(extent))
      os << "?";
    else
      os << extent;
    os << "x";
  }
  os << element;
  return text;
}

static std::string printShapedType(Type type) {
  std::string element;
  llvm::raw_string_ostream os(element);
  getElementTypeOrSelf(type).print(os);
  auto shaped = dyn_cast<ShapedType>(type);
  return printShapedType(shaped && shaped.hasRank() ? shaped.getShape()
                                                    : ArrayRef<int64_t>(),
                         element);
}

/// Names the arguments of the entry function and returns it; an error if the
/// sidecar is about another one.
static FailureOr<FunctionOpInterface> applySidecar(ModuleOp module,
                                                   StringRef path) {
  Location loc = module.getLoc();
  llvm::Expected<Sidecar> sidecar = readSidecar(path);
  if (!sidecar)
    return emitError(loc) << llvm::toString(sidecar.takeError());
  auto function = dyn_cast_if_present<FunctionOpInterface>(
      SymbolTable::lookupSymbolIn(module, sidecar->entry));
  if (!function)
    return emitError(loc) << path << ": the entry '" << sidecar->entry
                          << "' is not a function of this module";
  if (function.getNumArguments() != sidecar->arguments.size())
    return emitError(function.getLoc())
           << path << ": names " << sidecar->arguments.size()
           << " arguments, but '" << sidecar->entry << "' has "
           << function.getNumArguments();

  llvm::StringSet<> names;
  for (auto [i, argument] : llvm::enumerate(sidecar->arguments)) {
    Location argumentLoc = function.isExternal()
                               ? function.getLoc()
                               : function.getArgument(i).getLoc();
    std::string is = printShapedType(function.getArgumentTypes()[i]);
    std::string said = printShapedType(argument.shape, argument.dtype);
    if (is != said)
      return emitError(argumentLoc)
             << path << ": argument " << i << " ('" << argument.name << "') is "
             << said << ", but the function's is " << is;
    if (!names.insert(argument.name).second)
      return emitError(argumentLoc)
             << path << ": argument " << i << " has the name '" << argument.name
             << "' of another argument";
    if (argument.kind != SidecarArgument::Kind::Parameter)
      continue;
    Builder builder(module.getContext());
    function.setArgAttr(i, parameterAttrName,
                        builder.getStringAttr(argument.name));
    if (!argument.tiedTo.empty())
      function.setArgAttr(i, tiedToAttrName,
                          builder.getStringAttr(argument.tiedTo));
  }
  return function;
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

static OperandAttr getOperandAttr(MLIRContext *context,
                                  const OperandChoice &choice) {
  if (!choice.format)
    return {};
  return OperandAttr::get(context, FormatAttr::get(context, *choice.format),
                          choice.rounding, choice.transform);
}

/// What decided, for an error that stands where the rule does.
static StringRef getRuleText(const Decision &decision) {
  StringRef rule = decision.rule;
  return decision.loc ? rule.split(": ").second : rule;
}

/// Whether the op is one that `decision`, which quantises it, can be about; an
/// error at the rule that decided if not.
static LogicalResult checkDecision(const RoleEntry &entry,
                                   const Decision &decision) {
  Location loc = decision.loc ? Location(decision.loc) : entry.op->getLoc();
  auto fail = [&] {
    InFlightDiagnostic error = emitError(loc) << getRuleText(decision) << ": ";
    if (entry.name.empty())
      return std::move(error << "an op");
    return std::move(error << "'" << entry.name << "'");
  };
  if (!entry.shape || entry.role == Role::quantized)
    return fail() << " is " << stringifyRole(entry.role)
                  << ", which cannot be quantised; products can (add it to "
                     "'ignore', or name others)";
  const Format *formats[] = {
      decision.activations.format ? &*decision.activations.format : nullptr,
      decision.weights.format ? &*decision.weights.format : nullptr};
  // Products of data have two activations.
  if (!entry.weightOperand) {
    if (!formats[0] || formats[1])
      return fail() << " is a product without a weight (role "
                    << stringifyRole(entry.role)
                    << "); give 'activations' only";
    formats[1] = formats[0];
  }
  int64_t longest = 0;
  for (const Format *format : formats) {
    int64_t block = format ? format->blockCols : Format::Whole;
    if (block == Format::Whole)
      continue;
    if (longest && std::max(longest, block) % std::min(longest, block) != 0)
      return fail() << ": blocks of " << longest << " and of " << block
                    << " along K do not fit each other";
    longest = std::max(longest, block);
  }
  if (longest && decision.promoteEvery % longest != 0)
    return fail() << ": promote_every " << decision.promoteEvery
                  << " is not a multiple of the block, which is " << longest;
  return success();
}

/// What the plan says about one op.
static FailureOr<PolicyAttr> getPolicy(MLIRContext *context,
                                       const RoleEntry &entry,
                                       const Decision &decision) {
  Builder builder(context);
  std::string reason = entry.reason;
  if (!entry.blocker.empty())
    reason += "; " + entry.blocker;
  OperandAttr lhs, rhs;
  TypeAttr accumulate;
  int64_t promoteEvery = 0;
  if (!decision.isKeep() && entry.blocker.empty()) {
    if (failed(checkDecision(entry, decision)))
      return failure();
    lhs = getOperandAttr(context, decision.activations);
    rhs = getOperandAttr(context, entry.weightOperand ? decision.weights
                                                      : decision.activations);
    if (entry.weightOperand == 0u)
      std::swap(lhs, rhs);
    accumulate = TypeAttr::get(builder.getF32Type());
    promoteEvery = decision.promoteEvery;
  }
  Location loc = decision.loc ? Location(decision.loc) : entry.op->getLoc();
  PolicyAttr policy = PolicyAttr::getChecked(
      [&] { return emitError(loc) << getRuleText(decision) << ": "; }, context,
      lhs, rhs, accumulate, promoteEvery, /*result=*/TypeAttr(),
      builder.getStringAttr(decision.rule), builder.getStringAttr(reason));
  if (!policy)
    return failure();
  return policy;
}

/// A label that is the same for all users of one parameter.
static std::string getLabel(Value parameter, unsigned constant) {
  auto argument = dyn_cast<BlockArgument>(parameter);
  if (!argument)
    return ("constant " + Twine(constant)).str();
  auto function = cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
  unsigned i = argument.getArgNumber();
  if (auto name = function.getArgAttrOfType<StringAttr>(i, parameterAttrName))
    return name.str();
  return ("argument " + Twine(i)).str();
}

static PlanEntryAttr makeEntry(const RoleEntry &entry, int64_t index,
                               StringRef weight, PolicyAttr policy,
                               StringRef scheme) {
  MLIRContext *context = entry.op->getContext();
  Builder builder(context);
  TypeAttr types[3];
  if (entry.shape) {
    auto contraction = matchContraction(entry.op, entry.result);
    Value values[] = {contraction->lhs->get(), contraction->rhs->get(),
                      contraction->init ? contraction->init->get()
                                        : entry.op->getResult(entry.result)};
    for (auto [type, value] : llvm::zip(types, values))
      type = TypeAttr::get(getElementTypeOrSelf(value.getType()));
  }
  int64_t elements = 0;
  TypeAttr elementType;
  if (entry.parameter) {
    auto type = cast<ShapedType>(entry.parameter.getType());
    elements = type.hasStaticShape() ? type.getNumElements() : 0;
    elementType = TypeAttr::get(type.getElementType());
  }
  auto optional = [&](StringRef text) {
    return text.empty() ? StringAttr() : builder.getStringAttr(text);
  };
  return PlanEntryAttr::get(
      context, index, entry.op->getName().getIdentifier(), entry.result,
      optional(entry.name), entry.role,
      entry.gemm ? GemmAttr::get(context, *entry.gemm) : GemmAttr(),
      entry.shape, types[0], types[1], types[2], optional(weight), elements,
      elementType, policy.isKeep() ? StringAttr() : optional(scheme), policy,
      /*fingerprint=*/0);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

struct Annotate : mx::impl::MXAnnotateBase<Annotate> {
  using Base::Base;
  void runOnOperation() override;

private:
  FailureOr<RuleList> getRules();
  LogicalResult annotate(FunctionOpInterface function,
                         ArrayRef<RoleEntry> entries, const RuleList &rules,
                         llvm::BitVector &matched);
};

} // namespace

FailureOr<RuleList> Annotate::getRules() {
  Location loc = getOperation().getLoc();
  if (!recipe.empty()) {
    if (scheme.empty())
      return readRecipe(recipe, &getContext(), scaleRule);
    return emitError(loc) << "a scheme and a recipe are given; give one";
  }
  if (scheme.empty()) {
    if (!scaleRule.empty()) {
      emitError(loc) << "scale rule '" << scaleRule
                     << "' is given without a scheme";
      return failure();
    }
    return RuleList();
  }
  llvm::Expected<Scheme> known = getScheme(scheme, scaleRule);
  if (!known) {
    emitError(loc) << llvm::toString(known.takeError());
    return failure();
  }
  return RuleList::fromScheme(*known);
}

/// What rules may ask about the ops of one function.
static SmallVector<OpDescription> describeOps(ArrayRef<RoleEntry> entries) {
  SmallVector<OpDescription> ops;
  int64_t numLayers = 0;
  bool isTraining = false;
  for (const RoleEntry &entry : entries) {
    OpDescription op;
    op.role = entry.role;
    op.gemm = entry.gemm;
    op.name = entry.name;
    op.layer = getLayer(entry.name);
    op.shape = entry.shape;
    numLayers = std::max(numLayers, op.layer ? *op.layer + 1 : 0);
    isTraining |= entry.gemm && *entry.gemm != Gemm::fprop;
    ops.push_back(op);
  }
  for (OpDescription &op : ops) {
    op.numLayers = numLayers;
    op.isTraining = isTraining;
  }
  return ops;
}

/// Warns about each place of the recipe of which no rule has matched.
static void warnAboutUnmatched(ArrayRef<Rule> rules,
                               const llvm::BitVector &matched) {
  // The first rule of each place, and whether one of them has matched.
  llvm::MapVector<Attribute, std::pair<const Rule *, bool>> places;
  for (auto [i, rule] : llvm::enumerate(rules))
    if (rule.loc)
      places.try_emplace(rule.loc, &rule, false).first->second.second |=
          matched[i];
  for (auto &[loc, place] : places)
    if (!place.second)
      emitWarning(place.first->loc)
          << place.first->getText() << ": matches nothing";
}

LogicalResult Annotate::annotate(FunctionOpInterface function,
                                 ArrayRef<RoleEntry> entries,
                                 const RuleList &rules,
                                 llvm::BitVector &matched) {
  MLIRContext *context = &getContext();
  Builder builder(context);
  llvm::DenseMap<Operation *, int64_t> order;
  function.walk<WalkOrder::PreOrder>(
      [&](Operation *op) { order.try_emplace(op, order.size()); });

  SmallVector<PlanEntryAttr> plan;
  llvm::DenseMap<Value, std::string> labels;
  SmallVector<OpDescription> ops = describeOps(entries);
  for (auto [entry, description] : llvm::zip_equal(entries, ops)) {
    StringRef label;
    if (entry.parameter) {
      auto [it, isNew] = labels.try_emplace(entry.parameter);
      if (isNew)
        it->second = getLabel(entry.parameter, labels.size());
      label = it->second;
    }
    Decision decision = rules.decide(description, &matched);
    FailureOr<PolicyAttr> checked = getPolicy(context, entry, decision);
    if (failed(checked))
      return failure();
    PolicyAttr policy = *checked;
    Operation *op = entry.op;
    if (!op->hasAttr(idAttrName)) {
      op->setAttr(idAttrName, builder.getI64IntegerAttr(plan.size()));
      op->setAttr(roleAttrName, RoleAttr::get(context, entry.role));
      if (entry.gemm)
        op->setAttr(gemmAttrName, GemmAttr::get(context, *entry.gemm));
    }
    if (policy.isKeep()) {
      ++numKeep;
    } else {
      op->setAttr(policyAttrName, policy);
      ++numQuantize;
    }
    plan.push_back(makeEntry(entry, order.lookup(op), label, policy,
                             decision.getSchemeName()));
  }

  auto fingerprints = getFingerprints(function, plan);
  for (auto [i, entry] : llvm::enumerate(plan))
    entry = withFingerprint(entry, fingerprints.lookup(entries[i].op).pack());
  setPlan(function, plan);
  return success();
}

void Annotate::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<RuleList> rules = getRules();
  if (failed(rules))
    return signalPassFailure();
  FailureOr<FunctionOpInterface> named = FunctionOpInterface();
  if (!args.empty())
    named = applySidecar(module, args);
  if (failed(named))
    return signalPassFailure();
  // What an earlier run left.
  module.walk([](Operation *op) {
    for (StringRef name : {StringRef(idAttrName), StringRef(roleAttrName),
                           StringRef(gemmAttrName), StringRef(policyAttrName)})
      op->removeDiscardableAttr(name);
  });
  llvm::BitVector matched(rules->getRules().size());
  LogicalResult result = success();
  findModuleRoles(
      module, *named,
      [&](FunctionOpInterface function, std::vector<RoleEntry> &entries) {
        // One error is enough: the others would be about the same rule.
        if (succeeded(result))
          result = annotate(function, entries, *rules, matched);
      });
  if (failed(result))
    return signalPassFailure();
  warnAboutUnmatched(rules->getRules(), matched);
}
