// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A launch file on its way: buffers, arguments, checks.

#ifndef MX_LIB_EMULATOR_LAUNCH_H
#define MX_LIB_EMULATOR_LAUNCH_H

#include "mx/Emulator/LaunchFile.h"

#include "llvm/Support/JSON.h"

#include <cstring>

namespace mx::ptx {

/// An element type of launch files.
struct DType {
  unsigned size = 0;
  /// As .npy files spell it.
  llvm::StringRef npy;
  enum Kind { Unsigned, Signed, Float, F16, BF16, E4M3, E5M2 } kind = Unsigned;
};

struct Buffer {
  std::string name;
  DType type;
  llvm::SmallVector<int64_t> shape;
  int64_t count = 1;
  /// On the device, and in bytes.
  uint64_t address = 0, size = 0;
};

/// An argument, as it lies among the kernel's parameters.
struct Argument {
  std::string name;
  std::vector<uint8_t> bytes;
  unsigned alignment = 1;

  void set(uint64_t bits, unsigned size) {
    bytes.resize(size);
    std::memcpy(bytes.data(), &bits, size);
    alignment = size;
  }
};

/// A launch file that is being run.
class Launch {
public:
  Launch(const Module &module, llvm::StringRef path)
      : module(module), path(path) {}

  llvm::Error run(const LaunchOptions &options, llvm::raw_ostream &os);

private:
  llvm::Error fail(const llvm::Twine &message) {
    return llvm::createStringError(path + ": " + message);
  }
  llvm::Error readBuffers(const llvm::json::Object &root);
  llvm::Error initialize(Buffer &buffer, const llvm::json::Object &init);
  llvm::Error readArguments(const llvm::json::Object &root,
                            const Function &entry,
                            std::vector<uint8_t> &parameters);
  llvm::Error readArgument(const llvm::json::Object &object,
                           Argument &argument);
  llvm::Error readTensorMap(const llvm::json::Object &object,
                            Argument &argument);
  llvm::Error check(const llvm::json::Object &root, llvm::raw_ostream &os);
  llvm::Error readDim(const llvm::json::Object &root, llvm::StringRef key,
                      Dim3 &dim);
  Buffer *lookup(llvm::StringRef name);

  const Module &module;
  llvm::StringRef path;
  Device device;
  std::vector<Buffer> buffers;
};

/// The type of that name.
std::optional<DType> parseDType(llvm::StringRef name);
/// The bits of a value, rounded to nearest; the value of bits.
uint64_t encodeNumber(const DType &type, double value);
double decodeNumber(const DType &type, uint64_t bits);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_LAUNCH_H
