// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SearchedLayers.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <cmath>

using namespace llvm;
using namespace mx;

using WeightKey = std::pair<StringRef, StringRef>;

static std::optional<WeightKey> getWeight(const PlanRow &row) {
  if (!row.entry.getWeight())
    return std::nullopt;
  return WeightKey(row.function, row.entry.getWeight().getValue());
}

static StringRef getName(const PlanRow &row) {
  mlir::StringAttr name = row.entry.getLocation();
  return name ? name.getValue() : "";
}

/// Where the op of an entry is: that of its first result has the number.
static mlir::Location getLocation(mlir::func::FuncOp entryFunction,
                                  const PlanRow &row, int64_t position) {
  mlir::Operation *function = mlir::SymbolTable::lookupSymbolIn(
      entryFunction->getParentOfType<mlir::ModuleOp>(), row.function);
  if (!function)
    return entryFunction.getLoc();
  mlir::Location loc = function->getLoc();
  int64_t closest = -1;
  function->walk([&](mlir::Operation *op) {
    std::optional<int64_t> id = getPlanId(op);
    if (!id || *id > position || *id <= closest)
      return;
    closest = *id;
    loc = op->getLoc();
  });
  return loc;
}

/// Those that calling `function` may run.
std::vector<LayerMeasurement::Product>
LayerMeasurement::getProducts(mlir::func::FuncOp function) {
  StringSet<> names = {function.getName()};
  for (mlir::Operation *callee : getCallees(function))
    names.insert(mlir::SymbolTable::getSymbolName(callee).getValue());
  std::vector<Product> products;
  StringRef current;
  int64_t position = 0;
  for (const PlanRow &row :
       collectPlan(function->getParentOfType<mlir::ModuleOp>())) {
    position = row.function == current ? position + 1 : 0;
    current = row.function;
    PlanEntryAttr entry = row.entry;
    bool isForward =
        !entry.getGemm() || entry.getGemm().getValue() == Gemm::fprop;
    bool isLayer =
        entry.getRole() == Role::linear || entry.getRole() == Role::expert;
    if (isForward && isLayer && entry.getShape() &&
        names.contains(row.function))
      products.push_back({row, position});
  }
  return products;
}

/// Products of one name, or of one weight, are one layer.
mlir::LogicalResult LayerMeasurement::findLayers(mlir::func::FuncOp function,
                                                 ArrayRef<Product> products) {
  IntEqClasses classes(products.size());
  StringMap<unsigned> byName;
  MapVector<WeightKey, unsigned> byWeight;
  for (auto [i, product] : enumerate(products)) {
    StringRef name = getName(product.row);
    if (name.empty() || !json::isUTF8(name))
      return mlir::emitError(
                 getLocation(function, product.row, product.position))
             << "this layer has "
             << (name.empty() ? "no name" : "a name that is not UTF-8")
             << ", by which a recipe could choose it; names come from "
                "locations, or from the parameters' names (--args)";
    classes.join(byName.try_emplace(name, i).first->second, i);
    if (std::optional<WeightKey> weight = getWeight(product.row))
      classes.join(byWeight.insert({*weight, i}).first->second, i);
  }
  classes.compress();
  layers.resize(classes.getNumClasses());
  for (auto [i, product] : enumerate(products)) {
    layerOf.push_back(classes[i]);
    std::vector<std::string> &names = layers[classes[i]].names;
    if (!is_contained(names, getName(product.row)))
      names.push_back(getName(product.row).str());
    if (product.row.function == function.getName())
      productAt[product.position] = i;
  }
  for (auto &[weight, i] : byWeight) {
    PlanEntryAttr entry = products[i].row.entry;
    layers[layerOf[i]].numWeights += entry.getWeightElements();
    layers[layerOf[i]].choices.bits += getWeightBits(entry).original;
  }
  return mlir::success();
}

mlir::LogicalResult LayerMeasurement::observe(mlir::func::FuncOp function) {
  SmallVector<PlanEntryAttr> plan = getPlan(function);
  mlir::WalkResult plain =
      function.walk([&](MatmulOp matmul) -> mlir::WalkResult {
        std::optional<int64_t> id = getPlanId(matmul);
        if (id && plan[*id].getOp() != MatmulOp::getOperationName())
          return mlir::WalkResult::advance();
        return matmul.emitError("the module is quantised already; a plan is "
                                "searched for one that is not");
      });
  if (plain.wasInterrupted())
    return mlir::failure();
  if (none_of(function.getResultTypes(), [](mlir::Type type) {
        return isa<mlir::FloatType>(getElementTypeOrSelf(type));
      }))
    return function.emitError("'") << function.getName()
                                   << "' has no result of floats, by which a "
                                      "plan could be judged";
  std::vector<Product> products = getProducts(function);
  if (numCandidates == 0 && failed(findLayers(function, products)))
    return mlir::failure();

  isKept = isUnseen = BitVector(layers.size());
  MapVector<WeightKey, std::pair<unsigned, double>> weightBits;
  for (auto [i, product] : enumerate(products)) {
    PlanEntryAttr entry = product.row.entry;
    if (entry.getDecision().isKeep())
      isKept.set(layerOf[i]);
    if (std::optional<WeightKey> weight = getWeight(product.row)) {
      auto &[layer, decided] = weightBits[*weight];
      layer = layerOf[i];
      decided = std::max(decided, getWeightBits(entry).decided);
    }
  }
  bits.assign(layers.size(), 0);
  for (auto [layer, decided] : make_second_range(weightBits))
    bits[layer] += decided;

  observed = observeProducts(function);
  BitVector isSeen(products.size());
  for (const ObservedProduct &product : observed.products)
    if (auto it = productAt.find(product.entry); it != productAt.end())
      isSeen.set(it->second);
  for (auto [i, layer] : enumerate(layerOf))
    if (!isSeen[i])
      isUnseen.set(layer);
  return mlir::success();
}

Error LayerMeasurement::measure(StringRef candidate) {
  ProgramOptions lowered = options;
  lowered.scheme = candidate;
  lowered.observe = [&](mlir::func::FuncOp function) {
    return observe(function);
  };
  Expected<std::unique_ptr<PreparedProgram>> program =
      PreparedProgram::create(path, lowered, registry, weights);
  if (!program)
    return program.takeError();

  std::vector<double> losses(layers.size());
  for (SampleCall &call : calls) {
    std::vector<HostTensor> results = (*program)->getSession().run(call.inputs);
    for (const ObservedProduct &product : observed.products) {
      auto it = productAt.find(product.entry);
      if (it == productAt.end())
        continue;
      double error =
          compareTensors((*program)->getView(results, product.quantized.index),
                         (*program)->getView(results, product.exact.index))
              .relative;
      losses[layerOf[it->second]] += error * error / calls.size();
    }
  }
  for (auto [i, layer] : enumerate(layers)) {
    if (isKept[i])
      continue;
    PrecisionOption option{numCandidates, bits[i], losses[i]};
    if (isUnseen[i])
      layer.unmeasured.push_back(option);
    else if (std::isfinite(losses[i]))
      layer.choices.options.push_back(option);
  }
  ++numCandidates;
  return Error::success();
}
