// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Memory.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Compiler.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cstring>

using namespace mx::ptx;

void Region::write(uint64_t offset, const void *data, uint64_t count) {
  if (count == 0)
    return;
  std::memcpy(bytes.get() + offset, data, count);
  setState(base + offset, count, ByteState::Initialized);
}

void Region::setState(uint64_t address, uint64_t count, ByteState state) {
  if (count)
    std::memset(stateAt(address), int(state), count);
}

bool Region::isBeingRead(uint64_t address, uint64_t count) const {
  if (LLVM_LIKELY(numReaders == 0))
    return false;
  const uint16_t *first = readers.get() + (address - base);
  return std::any_of(first, first + count, [](uint16_t n) { return n != 0; });
}

void Region::addReader(uint64_t address, uint64_t count, int change) {
  if (!readers)
    readers = LazyArray<uint16_t>(size);
  uint16_t *first = readers.get() + (address - base);
  for (uint64_t i = 0; i < count; ++i)
    first[i] += change;
  numReaders += int64_t(count) * change;
}

Region &GlobalMemory::allocate(std::string name, uint64_t size) {
  auto region = std::make_unique<Region>(std::move(name), next, size);
  uint64_t base = next;
  next = llvm::alignTo(next + size + 4096, 256);
  return *(regions[base] = std::move(region));
}

Region *GlobalMemory::find(uint64_t address) {
  auto it = regions.upper_bound(address);
  return it == regions.begin() ? nullptr : std::prev(it)->second.get();
}

bool mx::ptx::areStatesFine(const ByteState *states, unsigned size,
                            Access access) {
  static constexpr uint8_t fine[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                       1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                       1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  static_assert(uint8_t(ByteState::Initialized) == 1);
  if (LLVM_LIKELY(size <= 32 && std::memcmp(states, fine, size) == 0))
    return true;
  return std::all_of(states, states + size, [&](ByteState state) {
    return state == ByteState::Initialized ||
           (state == ByteState::Uninitialized &&
            (access == Access::Write || access == Access::ReadAny));
  });
}

std::string mx::ptx::checkAccess(Region *region, llvm::StringRef space,
                                 uint64_t address, unsigned size,
                                 unsigned alignment, Access access) {
  auto describe = [&](const llvm::Twine &problem) {
    std::string verb = isWrite(access) ? "write" : "read";
    return (verb + " of " + llvm::Twine(size) + " bytes at " + space +
            " address 0x" + llvm::utohexstr(address) + ": " + problem)
        .str();
  };
  if (!region)
    return describe("no buffer is there");
  if (!region->contains(address, size))
    return describe("out of bounds: byte " +
                    llvm::Twine(int64_t(address - region->base)) + " of " +
                    region->name + ", which has " + llvm::Twine(region->size));
  if (address % alignment)
    return describe("misaligned: the address has to be a multiple of " +
                    llvm::Twine(alignment));
  const ByteState *states = region->stateAt(address);
  bool areFine = areStatesFine(states, size, access);
  for (unsigned i = 0; i < size && !areFine; ++i) {
    std::string byte =
        ("byte " + llvm::Twine(address + i - region->base) + " of ").str() +
        region->name;
    if (states[i] == ByteState::InFlight)
      return describe(byte + " is written by an asynchronous operation that "
                             "has not been waited for");
    if (states[i] == ByteState::Barrier)
      return describe(byte + " belongs to an mbarrier; mbarrier.inval frees "
                             "it");
    if (states[i] == ByteState::Uninitialized && access != Access::Write &&
        access != Access::ReadAny)
      return describe(byte + " was never written");
  }
  if (isWrite(access) && region->isBeingRead(address, size))
    return describe("an asynchronous operation that has not been waited for "
                    "reads these bytes of " +
                    region->name);
  return {};
}
