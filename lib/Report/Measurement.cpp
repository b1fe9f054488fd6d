// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/Measurement.h"
#include "PreparedProgram.h"

#include "mx/Report/HTMLReport.h"
#include "mx/Report/ObserveProducts.h"
#include "mx/Report/OperandStats.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace mx;

namespace {

/// The instrumented program and what it returned.
class Measurement {
public:
  Measurement(PreparedProgram &program, MutableArrayRef<HostTensor> inputs)
      : program(program), inputs(inputs),
        results(program.getSession().run(inputs)) {}

  HostTensorView getResult(unsigned index) const {
    return program.getView(results, index);
  }
  json::Object measure(const ObservedProduct &product) const;

private:
  json::Value measure(const ObservedOperand &operand) const;

  PreparedProgram &program;
  MutableArrayRef<HostTensor> inputs;
  std::vector<HostTensor> results;
};

/// What is known before the program is run.
struct Observations {
  json::Object data;
  /// Of the entry function's plan among the ops of all.
  size_t firstRow = 0;
  SmallVector<ObservedProduct> products;
};

} // namespace

static json::Object describe(const TensorError &error) {
  return json::Object{{"relative_error", error.relative},
                      {"cosine", error.cosine}};
}

json::Value Measurement::measure(const ObservedOperand &operand) const {
  unsigned index = operand.value.index;
  if (!operand.value.isArgument) {
    HostTensorView view = getResult(index);
    return getOperandStats(operand.format, operand.axis, view.dtype, view.data,
                           view.shape);
  }
  const HostTensor &tensor = program.getSession().getArgument(index, inputs);
  return getOperandStats(operand.format, operand.axis,
                         program.getProgram().getArguments()[index].dtype,
                         tensor.getData(), tensor.getShape());
}

json::Object Measurement::measure(const ObservedProduct &product) const {
  json::Object object = describe(compareTensors(
      getResult(product.quantized.index), getResult(product.exact.index)));
  if (product.lhs)
    object["lhs"] = measure(*product.lhs);
  if (product.rhs)
    object["rhs"] = measure(*product.rhs);
  return object;
}

/// Instruments `function`, and says of each other quantised product of the
/// module why it cannot be measured.
static Observations observe(mlir::func::FuncOp function, StringRef title) {
  Observations observations;
  std::vector<PlanRow> plan =
      collectPlan(function->getParentOfType<mlir::ModuleOp>());
  observations.data = getReportData(plan, title);
  json::Array &ops = *observations.data.getArray("ops");
  auto setReason = [&](size_t row, const Twine &reason) {
    (*ops[row].getAsObject())["not_measured"] = reason.str();
  };

  SetVector<mlir::Operation *> callees = getCallees(function);
  auto isCallee = [&](StringRef name) {
    return any_of(callees, [&](mlir::Operation *callee) {
      return mlir::SymbolTable::getSymbolName(callee) == name;
    });
  };
  bool isBefore = true;
  for (auto [i, row] : enumerate(plan)) {
    if (row.function == function.getName()) {
      isBefore = false;
      continue;
    }
    observations.firstRow += isBefore;
    if (!row.entry.getDecision().isKeep())
      setReason(i, isCallee(row.function)
                       ? "in @" + row.function + ", which is called"
                       : "in @" + row.function + ", which is not run");
  }
  ObservedFunction observed = observeProducts(function);
  for (const UnobservedProduct &product : observed.others)
    setReason(observations.firstRow + product.entry, product.reason);
  observations.products = std::move(observed.products);
  return observations;
}

Expected<json::Object> mx::measureProducts(
    StringRef path, const ProgramOptions &options,
    const mlir::DialectRegistry &registry, const Safetensors *weights,
    MutableArrayRef<HostTensor> inputs, ArrayRef<HostTensor> results) {
  Observations observations;
  ProgramOptions observed = options;
  bool hasPlan = true;
  observed.observe = [&](mlir::func::FuncOp function) {
    observations = observe(function, sys::path::filename(path));
    hasPlan = !observations.data.getArray("ops")->empty();
    return mlir::success(hasPlan);
  };
  Expected<std::unique_ptr<PreparedProgram>> program =
      PreparedProgram::create(path, observed, registry, weights);
  if (!program && !hasPlan)
    return handleErrors(program.takeError(), [](const StringError &) {
      return createStringError("--report needs a --scheme, a --recipe, or a "
                               "module that has a plan");
    });
  if (!program)
    return program.takeError();
  Measurement measurement(**program, inputs);

  json::Object &data = observations.data;
  json::Array &ops = *data.getArray("ops");
  for (const ObservedProduct &product : observations.products)
    (*ops[observations.firstRow + product.entry].getAsObject())["measured"] =
        measurement.measure(product);
  json::Array errors;
  for (auto [i, result] : enumerate(results)) {
    HostTensorView is = (*program)->getView(results, i);
    if (hasErrors(is.dtype))
      errors.push_back(describe(compareTensors(is, measurement.getResult(i))));
    else
      errors.push_back(nullptr);
  }
  data["results"] = std::move(errors);
  return std::move(data);
}
