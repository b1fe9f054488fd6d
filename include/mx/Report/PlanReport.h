// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The plan of a module, for people and for programs.

#ifndef MX_REPORT_PLANREPORT_H
#define MX_REPORT_PLANREPORT_H

#include "mx/IR/Plan.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace mx {

/// One op of a function's plan.
struct PlanRow {
  llvm::StringRef function;
  PlanEntryAttr entry;
};

/// Totals over a plan.
struct PlanSummary {
  unsigned quantize = 0, keep = 0;
  /// Fraction of the multiplications and additions of products of known extents
  /// that is in low precision.
  double flopsQuantized = 0;
  /// Bytes of all parameters that the plan's ops read, each counted once: as
  /// they are, and as codes with their block scales where all that read one
  /// are quantised (with the original, where some are).
  int64_t bytesBefore = 0, bytesAfter = 0;
};

/// All entries of a module, function by function.
std::vector<PlanRow> collectPlan(mlir::ModuleOp module);

/// Bits of the parameter that an entry reads, in all: as it is, and under the
/// entry's decision as codes with their scales, those of a whole tensor too.
/// Zeros where there is none, or its extents are not known.
struct WeightBits {
  double original = 0, decided = 0;
};
WeightBits getWeightBits(PlanEntryAttr entry);

PlanSummary summarize(llvm::ArrayRef<PlanRow> plan);

/// `{"version": 1, "ops": [...], "summary": {...}}`. An op's `flops` are absent
/// where an extent is not known, its `bytes_before` and `bytes_after` where it
/// reads no parameter.
llvm::json::Value toJSON(llvm::ArrayRef<PlanRow> plan);

/// An aligned table, one line an op, with a summary.
void printText(llvm::ArrayRef<PlanRow> plan, llvm::raw_ostream &os);

} // namespace mx

#endif // MX_REPORT_PLANREPORT_H
