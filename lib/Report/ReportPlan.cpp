// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/HTMLReport.h"
#include "mx/Report/Passes.h"
#include "mx/Report/PlanReport.h"
#include "mx/Support/OutputFile.h"

#include "llvm/Support/Path.h"

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

/// The module's name, else that of the file it is from.
static StringRef getTitle(ModuleOp module) {
  if (std::optional<StringRef> name = module.getName())
    return *name;
  auto file = module.getLoc()->findInstanceOf<FileLineColLoc>();
  return file ? llvm::sys::path::filename(file.getFilename()) : "";
}

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
    else if (format == ReportFormat::HTML)
      printHTML(getReportData(plan, getTitle(module)), os);
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
