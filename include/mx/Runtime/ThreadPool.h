// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The threads that compiled code runs its parallel loops on.

#ifndef MX_RUNTIME_THREADPOOL_H
#define MX_RUNTIME_THREADPOOL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <utility>

namespace mx {

/// Number of threads of each parallel loop from here on; 0 stands for the
/// processors that this process may use. Not while a loop runs.
void setNumThreads(unsigned numThreads);

/// The OpenMP entry points that MLIR's lowering of scf.parallel calls, by name
/// and address: fork, static schedule, barrier, thread number. They run on a
/// pool of this library's own; a nested region runs on one thread.
llvm::ArrayRef<std::pair<llvm::StringRef, void *>> getThreadPoolSymbols();

} // namespace mx

#endif // MX_RUNTIME_THREADPOOL_H
