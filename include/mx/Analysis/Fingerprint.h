// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognising that an op is as it was.

#ifndef MX_ANALYSIS_FINGERPRINT_H
#define MX_ANALYSIS_FINGERPRINT_H

#include "mx/IR/Plan.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mx {

/// Two hashes of one op, stable across processes.
struct Fingerprint {
  /// Name, types, attributes (but those of mx) and regions.
  uint32_t self = 0;
  /// Where the operands come from: argument, constant, result of an op that
  /// the plan names, or else the ops they are computed with, up to those.
  uint32_t origins = 0;

  uint64_t pack() const { return uint64_t(self) << 32 | origins; }
  static Fingerprint unpack(uint64_t packed) {
    return {uint32_t(packed >> 32), uint32_t(packed)};
  }
};

/// The fingerprints of all ops of a function that have an id in `plan`. What
/// stands for a quantised op has its id, and is the same origin as the op was.
/// The contents of constants are not looked at. One walk.
llvm::DenseMap<mlir::Operation *, Fingerprint>
getFingerprints(mlir::FunctionOpInterface function,
                llvm::ArrayRef<PlanEntryAttr> plan);

} // namespace mx

#endif // MX_ANALYSIS_FINGERPRINT_H
