// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The plan as one page: lib/Report/report.html with the data in it.

#ifndef MX_REPORT_HTMLREPORT_H
#define MX_REPORT_HTMLREPORT_H

#include "mx/Report/PlanReport.h"

namespace mx {

/// What the page shows: `toJSON(plan)` with `title` and, by name, the `points`
/// (the codes' values) of each format of the plan in `formats`. A run adds
/// `measured` to ops (see Measurement.h).
llvm::json::Object getReportData(llvm::ArrayRef<PlanRow> plan,
                                 llvm::StringRef title);

/// Writes a page that needs nothing but itself.
void printHTML(const llvm::json::Object &data, llvm::raw_ostream &os);

} // namespace mx

#endif // MX_REPORT_HTMLREPORT_H
