// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/HTMLReport.h"

#include "mx/Report/OperandStats.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mx;

namespace json = llvm::json;

/// lib/Report/report.html.
static constexpr llvm::StringLiteral page =
#include "ReportPage.inc"
    ;

/// Where the page has its data.
static constexpr llvm::StringLiteral placeholder = "@DATA@";

json::Object mx::getReportData(ArrayRef<PlanRow> plan, StringRef title) {
  json::Object data = std::move(*toJSON(plan).getAsObject());
  json::Object formats;
  for (const PlanRow &row : plan) {
    PolicyAttr decision = row.entry.getDecision();
    for (OperandAttr operand : {decision.getLhs(), decision.getRhs()})
      if (operand) {
        const Format &format = operand.getFormat().getValue();
        formats.try_emplace(format.str(), json::Array(getCodePoints(format)));
      }
  }
  data["title"] = title.str();
  data["formats"] = std::move(formats);
  return data;
}

void mx::printHTML(const json::Object &data, raw_ostream &os) {
  auto [head, tail] = page.split(placeholder);
  std::string text = llvm::formatv("{0}", json::Value(json::Object(data)));
  os << head;
  // No string may end the script element that the data is in.
  for (char c : text) {
    if (c == '<')
      os << "\\u003c";
    else
      os << c;
  }
  os << tail;
}
