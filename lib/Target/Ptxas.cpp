// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Target/Ptxas.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace mlir;
using namespace mx;

llvm::Expected<std::string> mx::findCUDAProgram(StringRef program,
                                                StringRef toolkit) {
  auto findIn = [&](StringRef folder) -> std::optional<std::string> {
    SmallString<128> bin(folder);
    llvm::sys::path::append(bin, "bin");
    if (auto path = llvm::sys::findProgramByName(program, {bin.str()}))
      return *path;
    return std::nullopt;
  };
  if (!toolkit.empty()) {
    if (auto path = findIn(toolkit))
      return *path;
    return llvm::createStringError("no " + program + " in " + toolkit + "/bin");
  }
  if (auto path = llvm::sys::findProgramByName(program))
    return *path;
  for (StringRef variable : {"CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"})
    if (auto folder = llvm::sys::Process::GetEnv(variable))
      if (auto path = findIn(*folder))
        return *path;
  if (auto path = findIn("/usr/local/cuda"))
    return *path;
  return llvm::createStringError(
      "found no " + program +
      " in PATH, CUDA_HOME, CUDA_PATH, CUDA_ROOT or /usr/local/cuda; install "
      "the CUDA Toolkit or name its folder with the option toolkit=");
}

namespace {
/// A temporary file that goes when this does.
class TemporaryFile {
public:
  TemporaryFile(Location loc, StringRef suffix) {
    if (std::error_code error =
            llvm::sys::fs::createTemporaryFile("mx", suffix, path))
      emitError(loc, "cannot create a temporary file: ") << error.message();
    else
      remover.setFile(path, /*deleteIt=*/true);
  }

  /// False if it could not be created; that has been reported.
  explicit operator bool() const { return !path.empty(); }
  StringRef getPath() const { return path; }

  LogicalResult write(Location loc, StringRef data) {
    std::error_code error;
    llvm::raw_fd_ostream os(path, error);
    os << data;
    os.close();
    if (!error)
      error = os.error();
    if (!error)
      return success();
    os.clear_error();
    return emitError(loc, "cannot write ") << path << ": " << error.message();
  }

  FailureOr<SmallVector<char, 0>> read(Location loc) {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer)
      return emitError(loc, "cannot read ")
             << path << ": " << buffer.getError().message();
    StringRef data = (*buffer)->getBuffer();
    return SmallVector<char, 0>(data.begin(), data.end());
  }

private:
  SmallString<64> path;
  llvm::FileRemover remover;
};
} // namespace

/// Runs a program, and returns what it wrote to stdout and stderr and its exit
/// code (negative if it could not be run or was killed).
static FailureOr<std::pair<std::string, int>> run(Location loc,
                                                  ArrayRef<StringRef> command) {
  TemporaryFile log(loc, "log");
  if (!log)
    return failure();
  std::optional<StringRef> redirects[] = {StringRef(""), log.getPath(),
                                          log.getPath()};
  std::string error;
  int code =
      llvm::sys::ExecuteAndWait(command.front(), command,
                                /*Env=*/std::nullopt, redirects,
                                /*SecondsToWait=*/0, /*MemoryLimit=*/0, &error);
  if (code < 0)
    return emitError(loc, "cannot run ") << command.front() << ": " << error;
  FailureOr<SmallVector<char, 0>> text = log.read(loc);
  if (failed(text))
    return failure();
  return std::make_pair(std::string(text->begin(), text->end()), code);
}

/// The number that `text` is, 0 if it is none.
static unsigned toUnsigned(StringRef text) {
  unsigned value = 0;
  text.getAsInteger(10, value);
  return value;
}

/// Reports `line` of ptxas' output if it is a warning or an error. True for an
/// error.
static bool report(Location loc, StringRef line, StringRef ptx) {
  // `ptxas FILE, line 12; error   : MESSAGE` or `ptxas error   : MESSAGE`.
  static const llvm::Regex pattern("^ptxas ?(.*, line ([0-9]+);)? "
                                   "*(error|fatal|warning) *: *(.*)$");
  SmallVector<StringRef> match;
  if (!pattern.match(line, &match))
    return false;
  unsigned ptxLine = toUnsigned(match[2]);
  StringRef kind = match[3], message = match[4];
  // The line that closes a list of errors says nothing.
  if (kind == "fatal" && message.contains("aborted due to errors"))
    return true;
  InFlightDiagnostic diagnostic =
      kind == "warning" ? emitWarning(loc) : emitError(loc);
  diagnostic << "ptxas: " << message;
  if (ptxLine) {
    SmallVector<StringRef> lines;
    ptx.split(lines, '\n', ptxLine);
    if (ptxLine <= lines.size())
      diagnostic.attachNote()
          << "PTX line " << ptxLine << ": " << lines[ptxLine - 1].trim();
  }
  return kind != "warning";
}

/// Reads what `ptxas -v` printed of each entry function.
static SmallVector<KernelResources> parseResources(StringRef log) {
  static const llvm::Regex entry("Compiling entry function '([^']+)'");
  static const llvm::Regex spills(
      "([0-9]+) bytes spill stores, ([0-9]+) bytes spill loads");
  static const llvm::Regex registers("Used ([0-9]+) registers");
  static const llvm::Regex shared("([0-9]+) bytes smem");
  SmallVector<KernelResources> kernels;
  SmallVector<StringRef> lines, match;
  log.split(lines, '\n');
  for (StringRef line : lines) {
    if (entry.match(line, &match)) {
      kernels.emplace_back();
      kernels.back().name = match[1].str();
      continue;
    }
    if (kernels.empty())
      continue;
    KernelResources &kernel = kernels.back();
    if (spills.match(line, &match)) {
      kernel.spillStores = toUnsigned(match[1]);
      kernel.spillLoads = toUnsigned(match[2]);
    } else if (registers.match(line, &match)) {
      kernel.registers = toUnsigned(match[1]);
      if (shared.match(line, &match))
        kernel.sharedMemory = toUnsigned(match[1]);
    }
  }
  return kernels;
}

FailureOr<Cubin> mx::runPtxas(Location loc, StringRef ptx, const Chip &chip,
                              StringRef toolkit) {
  llvm::Expected<std::string> ptxas = findCUDAProgram("ptxas", toolkit);
  if (!ptxas)
    return emitError(loc, llvm::toString(ptxas.takeError()));
  TemporaryFile source(loc, "ptx"), binary(loc, "cubin");
  if (!source || !binary || failed(source.write(loc, ptx)))
    return failure();

  std::string arch = ("-arch=" + chip.name).str();
  auto start = std::chrono::steady_clock::now();
  auto result = run(loc, {*ptxas, arch, "-v", "--warn-on-spills",
                          source.getPath(), "-o", binary.getPath()});
  if (failed(result))
    return failure();
  Cubin cubin;
  cubin.milliseconds = std::chrono::duration<double, std::milli>(
                           std::chrono::steady_clock::now() - start)
                           .count();

  auto &[log, code] = *result;
  SmallVector<StringRef> lines;
  StringRef(log).split(lines, '\n');
  bool hasError = false;
  for (StringRef line : lines)
    hasError |= report(loc, line, ptx);
  if (code != 0) {
    if (!hasError)
      emitError(loc, "ptxas failed with code ")
          << code << ": " << StringRef(log).trim();
    return failure();
  }
  cubin.kernels = parseResources(log);
  FailureOr<SmallVector<char, 0>> image = binary.read(loc);
  if (failed(image))
    return failure();
  cubin.image = std::move(*image);
  return cubin;
}

FailureOr<SmallVector<char, 0>> mx::runFatbinary(Location loc, StringRef ptx,
                                                 const Cubin &cubin,
                                                 const Chip &chip,
                                                 StringRef toolkit) {
  llvm::Expected<std::string> fatbinary = findCUDAProgram("fatbinary", toolkit);
  if (!fatbinary)
    return emitError(loc, llvm::toString(fatbinary.takeError()));
  TemporaryFile source(loc, "ptx"), binary(loc, "cubin"), output(loc, "fatbin");
  if (!source || !binary || !output || failed(source.write(loc, ptx)) ||
      failed(
          binary.write(loc, StringRef(cubin.image.data(), cubin.image.size()))))
    return failure();
  StringRef sm = chip.name.drop_front(3);
  std::string create = ("--create=" + output.getPath()).str();
  std::string elf =
      ("--image3=kind=elf,sm=" + sm + ",file=" + binary.getPath()).str();
  std::string text =
      ("--image3=kind=ptx,sm=" + sm + ",file=" + source.getPath()).str();
  auto result = run(loc, {*fatbinary, "-64", create, elf, text});
  if (failed(result))
    return failure();
  if (result->second != 0)
    return emitError(loc, "fatbinary failed with code ")
           << result->second << ": " << StringRef(result->first).trim();
  return output.read(loc);
}
