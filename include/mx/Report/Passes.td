// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_REPORT_PASSES
#define MX_REPORT_PASSES

include "mlir/Pass/PassBase.td"

def MXReportPlan : Pass<"mx-report-plan", "::mlir::ModuleOp"> {
  let summary = "print what was decided for each op, and why";
  let description = [{
    Reads the functions' `mx.plan`, so it may run anywhere after `mx-annotate`.
    Text is a table: index, op, name, role, extents, formats, reason. JSON has
    the fields `version`, `ops` and `summary`; an extent that is not known is
    "?". HTML is one page that needs no network; `mx-run --report` writes the
    same page with what it measured. Changes nothing.
  }];
  let options = [
    Option<"format", "format", "::mx::ReportFormat",
           /*default=*/"::mx::ReportFormat::Text", "what is written",
           [{::llvm::cl::values(
             clEnumValN(::mx::ReportFormat::Text, "text", "a table"),
             clEnumValN(::mx::ReportFormat::JSON, "json", "JSON"),
             clEnumValN(::mx::ReportFormat::HTML, "html", "a page"))}]>,
    Option<"output", "output", "std::string", /*default=*/"",
           "file, - for standard output; none: standard error">];
  let dependentDialects = ["::mx::MXDialect"];
}

#endif // MX_REPORT_PASSES
