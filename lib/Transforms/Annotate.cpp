// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Fingerprint.h"
#include "mx/Analysis/ModuleRoles.h"
#include "mx/IR/Plan.h"
#include "mx/Recipe/Rules.h"
#include "mx/Support/Sidecar.h"
#include "mx/Transforms/Passes.h"

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
                                  const std::optional<Format> &format) {
  if (!format)
    return {};
  return OperandAttr::get(context, FormatAttr::get(context, *format),
                          Rounding::rne, HadamardAttr());
}

/// What the plan says about one op.
static PolicyAttr getPolicy(MLIRContext *context, const RoleEntry &entry,
                            const Decision &decision) {
  Builder builder(context);
  std::string reason = entry.reason;
  if (!entry.blocker.empty())
    reason += "; " + entry.blocker;
  OperandAttr lhs, rhs;
  TypeAttr accumulate;
  if (decision.scheme && entry.weightOperand && entry.blocker.empty()) {
    lhs = getOperandAttr(context, decision.scheme->activations);
    rhs = getOperandAttr(context, decision.scheme->weights);
    if (*entry.weightOperand == 0)
      std::swap(lhs, rhs);
    accumulate = TypeAttr::get(builder.getF32Type());
  }
  return PolicyAttr::get(context, lhs, rhs, accumulate, /*promote_every=*/0,
                         /*result=*/TypeAttr(),
                         builder.getStringAttr(decision.rule),
                         builder.getStringAttr(reason));
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
  void annotate(FunctionOpInterface function, ArrayRef<RoleEntry> entries,
                const RuleList &rules);
};

} // namespace

FailureOr<RuleList> Annotate::getRules() {
  Location loc = getOperation().getLoc();
  if (!recipe.empty()) {
    emitError(loc) << "recipe '" << recipe
                   << "': recipe files are not read yet; give a scheme";
    return failure();
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
  return RuleList::fromScheme(std::move(*known));
}

void Annotate::annotate(FunctionOpInterface function,
                        ArrayRef<RoleEntry> entries, const RuleList &rules) {
  MLIRContext *context = &getContext();
  Builder builder(context);
  llvm::DenseMap<Operation *, int64_t> order;
  function.walk<WalkOrder::PreOrder>(
      [&](Operation *op) { order.try_emplace(op, order.size()); });

  SmallVector<PlanEntryAttr> plan;
  llvm::DenseMap<Value, std::string> labels;
  for (const RoleEntry &entry : entries) {
    StringRef label;
    if (entry.parameter) {
      auto [it, isNew] = labels.try_emplace(entry.parameter);
      if (isNew)
        it->second = getLabel(entry.parameter, labels.size());
      label = it->second;
    }
    Decision decision = rules.decide({entry.role, entry.gemm, entry.name});
    PolicyAttr policy = getPolicy(context, entry, decision);
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
                             decision.scheme ? decision.scheme->name : ""));
  }

  auto fingerprints = getFingerprints(function, plan);
  for (auto [i, entry] : llvm::enumerate(plan))
    entry = withFingerprint(entry, fingerprints.lookup(entries[i].op).pack());
  setPlan(function, plan);
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
  findModuleRoles(
      module, *named,
      [&](FunctionOpInterface function, std::vector<RoleEntry> &entries) {
        annotate(function, entries, *rules);
      });
}
