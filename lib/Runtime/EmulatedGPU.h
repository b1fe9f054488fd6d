// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What host code calls to use a GPU (mgpu..., the interface of MLIR's CUDA
// runtime), on the emulated one.

#ifndef MX_LIB_RUNTIME_EMULATEDGPU_H
#define MX_LIB_RUNTIME_EMULATEDGPU_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <utility>

namespace mx {

/// By name and address. They share one device in this process, because host
/// code names none. An error of a kernel or of a call is printed, and ends the
/// process with exit status 1, as a failed assertion does: the interface has no
/// way to return it.
llvm::ArrayRef<std::pair<llvm::StringRef, void *>> getEmulatedGPUSymbols();

} // namespace mx

#endif // MX_LIB_RUNTIME_EMULATEDGPU_H
