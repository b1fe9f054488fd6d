// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/Passes.h"
#include "mx/Report/PlanReport.h"
#include "mx/Support/OutputFile.h"

namespace mx {
#define GEN_PASS_DEF_MXREPORTPLAN
#include "mx/Report/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {

struct ReportPlan : mx::impl::MXReportPlanBase<ReportPlan> {
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

void ReportPlan::runOnOperation() {
  ModuleOp module = getOperation();
  markAllAnalysesPreserved();
  std::vector<PlanRow> plan = collectPlan(module);
  bool isPlanned = false;
  module.walk([&](Operation *op) { isPlanned |= op->hasAttr(planAttrName); });
  if (!isPlanned) {
    emitError(module.getLoc())
        << "no function has a plan; run mx-annotate first";
    return signalPassFailure();
  }
  auto write = [&](raw_ostream &os) {
    if (format == ReportFormat::JSON)
      os << llvm::formatv("{0:2}\n", toJSON(plan));
    else
      printText(plan, os);
    return llvm::Error::success();
  };
  if (output.empty()) {
    llvm::cantFail(write(llvm::errs()));
  } else if (llvm::Error error = writeOutputFile(output, write)) {
    emitError(module.getLoc()) << llvm::toString(std::move(error));
    signalPassFailure();
  }
}
