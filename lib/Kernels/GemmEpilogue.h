// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way from sums in f32 to the result in memory, for all atoms: scales of
// rows, columns and tensors, bias, old contents, rounding.

#ifndef MX_LIB_KERNELS_GEMMEPILOGUE_H
#define MX_LIB_KERNELS_GEMMEPILOGUE_H

#include "GemmArguments.h"
#include "GemmPlan.h"

namespace mx::kernels {

/// A block scale at `pointer`, as f32.
mlir::Value loadScale(Emitter &e, ScaleType type, mlir::Value pointer);

class GemmEpilogue {
public:
  /// `operands`: lhs and rhs. `arguments` are those of the batch.
  GemmEpilogue(Emitter &emitter, const GemmConfig &config,
               llvm::ArrayRef<OperandPlan> operands,
               const GemmArguments &arguments);

  /// Columns that are stored at once: there, or not there, together.
  int64_t getWidth() const { return config.evenN ? 2 : 1; }

  /// getWidth() sums in neighbouring columns.
  struct Run {
    I32 column;
    llvm::SmallVector<mlir::Value, 2> sums;
  };
  /// Stores what exists of a row.
  void storeRow(I32 row, llvm::ArrayRef<Run> runs);

private:
  /// Product of the second-level scales; null if there are none.
  mlir::Value getSecondLevel();
  /// The scale of a whole row (or column) of the result; null if there is none.
  mlir::Value loadResultScale(int operand, I32 row);
  void storeRun(const Run &run, mlir::Value rowScale, mlir::Value rowStart);

  Emitter &e;
  const GemmConfig &config;
  llvm::ArrayRef<OperandPlan> operands;
  const GemmArguments &arguments;
  I32 m, n;
  mlir::Value secondLevel;
};

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_GEMMEPILOGUE_H
