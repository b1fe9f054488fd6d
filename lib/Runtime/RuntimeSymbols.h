// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What compiled code calls, besides the thread pool and the C library.

#ifndef MX_LIB_RUNTIME_RUNTIMESYMBOLS_H
#define MX_LIB_RUNTIME_RUNTIMESYMBOLS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <utility>

namespace mx {

/// By name and address: copies between strided memrefs, conversions that LLVM
/// leaves to a library, and the end of a failed assertion.
llvm::ArrayRef<std::pair<llvm::StringRef, void *>> getRuntimeSymbols();

} // namespace mx

#endif // MX_LIB_RUNTIME_RUNTIMESYMBOLS_H
