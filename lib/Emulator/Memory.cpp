// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Memory.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mx::ptx;

void Region::write(uint64_t offset, const void *data, size_t size) {
  if (size == 0)
    return;
  std::memcpy(&bytes[offset], data, size);
  std::fill_n(states.begin() + offset, size, ByteState::Initialized);
}

Region &GlobalMemory::allocate(std::string name, uint64_t size) {
  regions.push_back(std::make_unique<Region>(std::move(name), next, size));
  next = llvm::alignTo(next + size + 4096, 256);
  return *regions.back();
}

Region *GlobalMemory::find(uint64_t address) {
  if (last && last->contains(address, 1))
    return last;
  auto it = llvm::partition_point(
      regions, [&](const auto &region) { return region->base <= address; });
  return last = it == regions.begin() ? nullptr : std::prev(it)->get();
}

std::string mx::ptx::checkAccess(Region *region, llvm::StringRef space,
                                 uint64_t address, unsigned size,
                                 unsigned alignment, Access access) {
  auto describe = [&](llvm::StringRef problem) {
    std::string verb = access == Access::Read ? "read" : "write";
    return (verb + " of " + llvm::Twine(size) + " bytes at " + space +
            " address 0x" + llvm::utohexstr(address) + ": " + problem)
        .str();
  };
  if (!region)
    return describe("no buffer is there");
  if (!region->contains(address, size))
    return describe("out of bounds: byte " +
                    std::to_string(address - region->base) + " of " +
                    region->name + ", which has " +
                    std::to_string(region->bytes.size()));
  if (address % alignment)
    return describe("misaligned: the address has to be a multiple of " +
                    std::to_string(alignment));
  const ByteState *states = region->stateAt(address);
  for (unsigned i = 0; i < size; ++i) {
    if (states[i] == ByteState::Initialized)
      continue;
    if (states[i] == ByteState::InFlight)
      return describe("byte " + std::to_string(address + i - region->base) +
                      " of " + region->name +
                      " belongs to an asynchronous copy that its thread has "
                      "not waited for (cp.async.wait_group)");
    if (access != Access::Write)
      return describe("byte " + std::to_string(address + i - region->base) +
                      " of " + region->name + " was never written");
  }
  return {};
}
