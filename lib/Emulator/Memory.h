// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory as named regions, with a state for each byte.

#ifndef MX_LIB_EMULATOR_MEMORY_H
#define MX_LIB_EMULATOR_MEMORY_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemAlloc.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

namespace mx::ptx {

enum class ByteState : uint8_t {
  Uninitialized,
  Initialized,
  /// Asynchronous work that has not been waited for will write it.
  InFlight,
  /// Part of an mbarrier object, which only mbarrier instructions touch.
  Barrier
};

enum class Access : uint8_t {
  Read,
  Write,
  ReadWrite,
  /// A read of bytes that need not have been written.
  ReadAny
};
inline bool isWrite(Access access) {
  return access == Access::Write || access == Access::ReadWrite;
}

/// Zeroed memory that the system provides when it is touched, not before.
template <typename T> struct LazyArray {
  explicit LazyArray(uint64_t size = 0)
      : data(size ? static_cast<T *>(llvm::safe_calloc(size, sizeof(T)))
                  : nullptr,
             &std::free) {}
  T &operator[](uint64_t i) const { return data.get()[i]; }
  T *get() const { return data.get(); }
  explicit operator bool() const { return bool(data); }
  std::unique_ptr<T, void (*)(void *)> data;
};

/// Where generic addresses of each space begin. Shared and local addresses of
/// 32 bits are offsets in their windows; global addresses are generic.
namespace window {
inline constexpr uint64_t global = uint64_t(1) << 40;
inline constexpr uint64_t shared = uint64_t(1) << 44;
inline constexpr uint64_t local = uint64_t(2) << 44;
inline constexpr uint64_t param = uint64_t(3) << 44;
inline constexpr uint64_t constant = uint64_t(5) << 44;
inline constexpr uint64_t size = uint64_t(1) << 32;
inline bool isIn(uint64_t address, uint64_t base) {
  return address >= base && address - base < size;
}
} // namespace window

/// A contiguous piece of one state space: a buffer, the shared memory of a
/// block, the local memory of a thread, the parameters.
struct Region {
  Region(std::string name, uint64_t base, uint64_t size)
      : name(std::move(name)), base(base), size(size), bytes(size),
        states(size) {}

  bool contains(uint64_t address, uint64_t count) const {
    return address >= base && address - base <= size &&
           count <= size - (address - base);
  }
  uint8_t *at(uint64_t address) { return bytes.get() + (address - base); }
  ByteState *stateAt(uint64_t address) {
    return states.get() + (address - base);
  }
  void write(uint64_t offset, const void *data, uint64_t count);
  void setState(uint64_t address, uint64_t count, ByteState state);
  /// Whether asynchronous work that has not been waited for reads one of them.
  bool isBeingRead(uint64_t address, uint64_t count) const;
  /// Notes that asynchronous work begins (1) or has ended (-1) to read them.
  void addReader(uint64_t address, uint64_t count, int change);

  /// Of global or shared memory; asynchronous work touches no other.
  bool isGlobal() const { return base >= window::global; }
  llvm::StringRef getSpaceName() const {
    return isGlobal() ? "global" : "shared";
  }

  std::string name;
  uint64_t base, size;
  LazyArray<uint8_t> bytes;
  LazyArray<ByteState> states;

private:
  /// Asynchronous readers of each byte; made by the first.
  LazyArray<uint16_t> readers;
  uint64_t numReaders = 0;
};

/// Shared memory does not begin at zero, so that a null address is an error.
inline constexpr uint64_t sharedBase = 1024;
/// Shared addresses hold the rank of their block in its cluster from this bit
/// on: code that clears bit 24 reaches the even block of a pair, as CUTLASS's
/// does (Sm100MmaPeerBitMask).
inline constexpr unsigned rankShift = 24;
/// The same place in the shared memory of another block.
inline uint64_t moveToRank(uint64_t address, uint64_t rank) {
  return (rank << rankShift) | (address & ((uint64_t(1) << rankShift) - 1));
}

/// The regions of the global space, by address. Between two lies room that
/// belongs to none, so that a small excess is out of bounds.
class GlobalMemory {
public:
  Region &allocate(std::string name, uint64_t size);
  void free(uint64_t base) { regions.erase(base); }
  /// The region that begins at or below `address`, or null.
  Region *find(uint64_t address);

private:
  std::map<uint64_t, std::unique_ptr<Region>> regions;
  uint64_t next = window::global;
};

/// Whether all bytes may be accessed as far as their states say.
bool areStatesFine(const ByteState *states, unsigned size, Access access);

/// What is wrong with an access that must lie in `region` (may be null: nothing
/// is there); empty if nothing is. `space` names the state space.
std::string checkAccess(Region *region, llvm::StringRef space, uint64_t address,
                        unsigned size, unsigned alignment, Access access);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_MEMORY_H
