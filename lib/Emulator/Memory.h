// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory as named regions, with a state for each byte.

#ifndef MX_LIB_EMULATOR_MEMORY_H
#define MX_LIB_EMULATOR_MEMORY_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mx::ptx {

enum class ByteState : uint8_t {
  Uninitialized,
  Initialized,
  /// An asynchronous copy that has not been waited for will write it.
  InFlight
};

enum class Access : uint8_t { Read, Write, ReadWrite };

/// A contiguous piece of one state space: a buffer, the shared memory of a
/// block, the local memory of a thread, the parameters.
struct Region {
  Region(std::string name, uint64_t base, uint64_t size)
      : name(std::move(name)), base(base), bytes(size),
        states(size, ByteState::Uninitialized) {}

  bool contains(uint64_t address, uint64_t size) const {
    return address >= base && address - base <= bytes.size() &&
           size <= bytes.size() - (address - base);
  }
  uint8_t *at(uint64_t address) { return &bytes[address - base]; }
  ByteState *stateAt(uint64_t address) { return &states[address - base]; }
  void write(uint64_t offset, const void *data, size_t size);

  std::string name;
  uint64_t base;
  std::vector<uint8_t> bytes;
  std::vector<ByteState> states;
};

/// Where generic addresses of each space begin. Shared and local addresses of
/// 32 bits are offsets in their windows; global addresses are generic.
namespace window {
inline constexpr uint64_t global = uint64_t(1) << 40;
inline constexpr uint64_t shared = uint64_t(1) << 44;
inline constexpr uint64_t local = uint64_t(2) << 44;
inline constexpr uint64_t param = uint64_t(3) << 44;
inline constexpr uint64_t size = uint64_t(1) << 32;
inline bool isIn(uint64_t address, uint64_t base) {
  return address >= base && address - base < size;
}
} // namespace window

/// Shared memory does not begin at zero, so that a null address is an error.
inline constexpr uint64_t sharedBase = 1024;

/// The regions of the global space, by ascending address. Between two lies room
/// that belongs to none, so that a small excess is out of bounds.
class GlobalMemory {
public:
  Region &allocate(std::string name, uint64_t size);
  /// The region that begins at or below `address`, or null.
  Region *find(uint64_t address);

private:
  std::vector<std::unique_ptr<Region>> regions;
  uint64_t next = window::global;
  Region *last = nullptr;
};

/// Checks an access that must lie in `region` (may be null: nothing is there);
/// empty, or what is wrong with it. `space` names the state space.
std::string checkAccess(Region *region, llvm::StringRef space, uint64_t address,
                        unsigned size, unsigned alignment, Access access);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_MEMORY_H
