// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cp.async (PTX ISA 9.7.9.25.3). The bytes move when the thread waits for
// their group and not before, which is as late as the ISA allows; until then
// the destination is in flight and may not be touched.

#include "Warp.h"

#include <cstring>

using namespace mx::ptx;

bool Warp::perform(const PendingCopy &copy, bool hasWaited) {
  // In flight until now; the copy itself is a write like any other.
  parent.shared.setState(copy.destination, copy.size, ByteState::Initialized);
  uint8_t *to = parent.shared.at(copy.destination);
  std::memset(to, 0, copy.size);
  // An mbarrier passes on what was known when the copies began.
  if (race && hasWaited)
    race->finish(*this, copy);
  if (!copy.sourceSize)
    return false;
  const uint8_t *from = access(copy.lane, Space::Global, copy.source,
                               copy.sourceSize, 1, Access::Read);
  if (!from)
    return true;
  std::memcpy(to, from, copy.sourceSize);
  return false;
}

void Warp::completeCopies(uint32_t pending) {
  for (auto it = copies.begin(); it != copies.end();) {
    if (!(active >> it->lane & 1) || it->group + pending >= groups[it->lane]) {
      ++it;
      continue;
    }
    if (perform(*it, /*hasWaited=*/true))
      return;
    it = copies.erase(it);
  }
}

void Warp::completeCopies(llvm::ArrayRef<PendingCopy> chosen) {
  for (const PendingCopy &copy : chosen) {
    auto it = llvm::find_if(copies, [&](const PendingCopy &other) {
      return other.number == copy.number;
    });
    if (it == copies.end())
      continue;
    if (perform(*it, /*hasWaited=*/false))
      return;
    copies.erase(it);
  }
}

template <bool HasBypass>
static void copyAsync(Warp &warp, const Decoded &decoded) {
  const uint64_t *to = warp.read(decoded.value(0));
  const uint64_t *from = warp.read(decoded.value(1));
  const uint64_t *size = warp.read(decoded.value(2));
  if (!to || !from || !size)
    return;
  const uint64_t *sourceSize = size;
  if (decoded.getNumOperands() == 4 &&
      !(sourceSize = warp.read(decoded.value(3))))
    return;
  forEachLane(warp.active, [&](unsigned i) {
    uint32_t bytes = size[i], read = sourceSize[i];
    if (HasBypass ? bytes != 16 : bytes != 4 && bytes != 8 && bytes != 16)
      return warp.fault(i, "cp.async of " + llvm::Twine(bytes) + " bytes");
    if (read > bytes)
      return warp.fault(i, "cp.async reads more bytes than it writes");
    uint64_t destination = to[i] + decoded.addressOffsets[0];
    uint64_t source = from[i] + decoded.addressOffsets[1];
    if (source % bytes)
      return warp.fault(i, "misaligned source of cp.async");
    if (!warp.access(i, Space::Shared, destination, bytes, bytes,
                     Access::Write))
      return;
    if (read && !warp.access(i, Space::Global, source, read, 1, Access::Read))
      return;
    std::fill_n(warp.parent.shared.stateAt(destination), bytes,
                ByteState::InFlight);
    warp.copies.push_back({warp.numCopies++, i, warp.groups[i], destination,
                           source, bytes, read, warp.current});
  });
}

static void commitGroup(Warp &warp, const Decoded &) {
  forEachLane(warp.active, [&](unsigned i) { ++warp.groups[i]; });
}

static void waitGroup(Warp &warp, const Decoded &decoded) {
  if (const uint64_t *pending = warp.read(decoded.value(0)))
    warp.completeCopies(
        std::min<uint64_t>(pending[llvm::countr_zero(warp.active)], 1 << 20));
}

static void waitAll(Warp &warp, const Decoded &decoded) {
  commitGroup(warp, decoded);
  warp.completeCopies(0);
}

static constexpr char hints[] = "L2::64B L2::128B L2::256B shared::cta";

static const Row rows[] = {
    {"cp.async.ca.shared.global", "", hints, "A A i s=32?", copyAsync<false>},
    {"cp.async.cg.shared.global", "", hints, "A A i s=32?", copyAsync<true>},
    {"cp.async.commit_group", "", "", "", commitGroup},
    {"cp.async.wait_group", "", "", "i", waitGroup},
    {"cp.async.wait_all", "", "", "", waitAll},
};

llvm::ArrayRef<Row> mx::ptx::getAsyncRows() { return rows; }
