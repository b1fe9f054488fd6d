// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/Measurement.h"

#include "mx/Report/HTMLReport.h"
#include "mx/Report/ObserveProducts.h"
#include "mx/Report/OperandStats.h"
#include "mx/Runtime/Comparison.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace mx;

namespace {

/// The instrumented program and what it returned.
class Measurement {
public:
  Measurement(const Program &program, Session &session,
              MutableArrayRef<HostTensor> inputs)
      : program(program), session(session), inputs(inputs),
        results(session.run(inputs)) {}

  HostTensorView getResult(unsigned index) const {
    return {program.getResults()[index].dtype, results[index].getShape(),
            results[index].getData()};
  }
  json::Object measure(const ObservedProduct &product) const;

private:
  json::Value measure(const ObservedOperand &operand) const;

  const Program &program;
  Session &session;
  MutableArrayRef<HostTensor> inputs;
  std::vector<HostTensor> results;
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
  const HostTensor &tensor = session.getArgument(index, inputs);
  return getOperandStats(operand.format, operand.axis,
                         program.getArguments()[index].dtype, tensor.getData(),
                         tensor.getShape());
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

Expected<json::Object> mx::measureProducts(
    StringRef path, const ProgramOptions &options,
    const mlir::DialectRegistry &registry, const Safetensors *weights,
    MutableArrayRef<HostTensor> inputs, ArrayRef<HostTensor> results) {
  json::Object data;
  size_t firstRow = 0;
  SmallVector<ObservedProduct> products;
  ProgramOptions observed = options;
  observed.observe = [&](mlir::func::FuncOp function) {
    auto module = function->getParentOfType<mlir::ModuleOp>();
    std::vector<PlanRow> plan = collectPlan(module);
    for (const PlanRow &row : plan) {
      if (row.function == function.getName())
        break;
      ++firstRow;
    }
    data = getReportData(plan, sys::path::filename(path));
    products = observeProducts(function);
  };
  mlir::FailureOr<Program> program = Program::load(path, observed, registry);
  if (failed(program))
    return createStringError("the module cannot be measured");
  if (data.getArray("ops")->empty())
    return createStringError(
        "--report needs a --scheme, a --recipe, or a module that has a plan");
  Expected<Session> session = Session::bind(*program, weights);
  if (!session)
    return session.takeError();
  if (failed(program->compile()))
    return createStringError("the module cannot be measured");
  session->prepare();
  Measurement measurement(*program, *session, inputs);

  json::Array &ops = *data.getArray("ops");
  for (const ObservedProduct &product : products)
    (*ops[firstRow + product.entry].getAsObject())["measured"] =
        measurement.measure(product);
  json::Array errors;
  for (auto [i, result] : enumerate(results)) {
    HostTensorView is{program->getResults()[i].dtype, result.getShape(),
                      result.getData()};
    // Integers are indices, which are not near or far.
    if (is.dtype.contains('f'))
      errors.push_back(describe(compareTensors(is, measurement.getResult(i))));
    else
      errors.push_back(nullptr);
  }
  data["results"] = std::move(errors);
  return data;
}
