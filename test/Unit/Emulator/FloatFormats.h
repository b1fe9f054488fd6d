// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The floating types of PTX as llvm::APFloat has them, and the NaN that
// arithmetic gives (PTX ISA 9.7.3, 9.7.4).

#ifndef MX_TEST_UNIT_EMULATOR_FLOATFORMATS_H
#define MX_TEST_UNIT_EMULATOR_FLOATFORMATS_H

#include "llvm/ADT/APFloat.h"

namespace mx::ptx::test {

struct Format {
  const char *name;
  unsigned bits;
  const llvm::fltSemantics &semantics;
  uint64_t nan;
};
inline const Format f16 = {"f16", 16, llvm::APFloat::IEEEhalf(), 0x7FFF};
inline const Format bf16 = {"bf16", 16, llvm::APFloat::BFloat(), 0x7FFF};
inline const Format f32 = {"f32", 32, llvm::APFloat::IEEEsingle(), 0x7FFFFFFF};
inline const Format f64 = {"f64", 64, llvm::APFloat::IEEEdouble(),
                           0x7FF8000000000000};

} // namespace mx::ptx::test

#endif // MX_TEST_UNIT_EMULATOR_FLOATFORMATS_H
