// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The processor that code is generated for.

#ifndef MX_CONVERSION_LINALGTOCPU_CPUTARGET_H
#define MX_CONVERSION_LINALGTOCPU_CPUTARGET_H

#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace mx {

/// What the code generator needs to know of a processor.
struct CPUTarget {
  /// LLVM's names: `-mcpu` and `-mattr`.
  std::string cpu, features;
  /// Elements of f32 in one vector register, and the number of registers.
  unsigned lanes = 4, registers = 16;
  /// True if a multiply-add is one instruction.
  bool hasFMA = false;

  /// The target that `option` names: `native` (this machine), `avx2` (x86-64
  /// with AVX2 and FMA) or `generic` (what every machine of this architecture
  /// has). None if it is another word, or does not exist on this architecture.
  static std::optional<CPUTarget> get(llvm::StringRef option);

  /// True if this machine can run code for this target.
  bool runsHere() const;
};

} // namespace mx

#endif // MX_CONVERSION_LINALGTOCPU_CPUTARGET_H
