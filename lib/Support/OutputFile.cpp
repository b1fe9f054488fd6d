// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Support/OutputFile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

/// The stream's own error, cleared: its destructor ends the process otherwise.
static Error takeStreamError(raw_fd_ostream &os) {
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  return errorCodeToError(code);
}

Error mx::writeOutputFile(StringRef path,
                          function_ref<Error(raw_ostream &)> write) {
  if (path == "-") {
    if (Error error = write(outs()))
      return error;
    if (Error error = takeStreamError(outs()))
      return createFileError("<stdout>", std::move(error));
    return Error::success();
  }

  // A device or a pipe is written to: renaming would put a file in its place.
  sys::fs::file_status status;
  if (!sys::fs::status(path, status) && !sys::fs::is_regular_file(status)) {
    std::error_code code;
    raw_fd_ostream os(path, code, sys::fs::CD_OpenExisting, sys::fs::FA_Write,
                      sys::fs::OF_None);
    if (code)
      return createFileError(path, code);
    Error error = write(os);
    if (Error streamError = takeStreamError(os))
      error = joinErrors(std::move(error),
                         createFileError(path, std::move(streamError)));
    return error;
  }

  Expected<sys::fs::TempFile> temp = sys::fs::TempFile::create(
      path + ".tmp-%%%%%%%%", sys::fs::all_read | sys::fs::all_write);
  if (!temp)
    return createFileError(path, temp.takeError());
  Error error = Error::success();
  {
    raw_fd_ostream os(temp->FD, /*shouldClose=*/false);
    error = write(os);
    if (Error streamError = takeStreamError(os))
      error = joinErrors(std::move(error),
                         createFileError(path, std::move(streamError)));
  }
  if (error)
    return joinErrors(std::move(error), temp->discard());
  if (Error keepError = temp->keep(path))
    return createFileError(path, std::move(keepError));
  return Error::success();
}
