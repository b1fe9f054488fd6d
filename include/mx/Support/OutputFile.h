// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writing a file so that it is there whole or not at all.

#ifndef MX_SUPPORT_OUTPUTFILE_H
#define MX_SUPPORT_OUTPUTFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mx {

/// Lets `write` fill a temporary file beside `path` and renames it to `path`;
/// on any error (its own, or of the file system) the temporary file is removed
/// and `path` is as it was. `-` is standard output; a device or a pipe is
/// written to as it stands. The error names the file.
llvm::Error
writeOutputFile(llvm::StringRef path,
                llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

} // namespace mx

#endif // MX_SUPPORT_OUTPUTFILE_H
