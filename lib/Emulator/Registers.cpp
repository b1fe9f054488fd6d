// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// setmaxnreg (PTX ISA 9.7.19.5): registers that the warps of a block give back
// and take. Without a bound at entry ptxas drops it, and so nothing is counted.

#include "Warp.h"

using namespace mx::ptx;
using llvm::Twine;

static std::string describeRegisters(uint64_t block, uint64_t wanted) {
  return ("waits in setmaxnreg.inc for " + Twine(wanted) + " registers, " +
          Twine(reinterpret_cast<const Block *>(block)->freeRegisters) +
          " are free")
      .str();
}

/// All warps of a warpgroup have to ask for the same; true after a fault.
static bool checkWarpgroup(Warp &warp, unsigned count) {
  std::vector<unsigned> &counts = warp.parent.registerCounts[warp.number / 4];
  if (warp.registerChanges == counts.size())
    counts.push_back(count);
  if (counts[warp.registerChanges] == count)
    return false;
  warp.fault(0, "setmaxnreg to " + Twine(count) +
                    " registers, in another warp of the warpgroup to " +
                    Twine(counts[warp.registerChanges]));
  return true;
}

template <bool Increases>
static void setmaxnreg(Warp &warp, const Decoded &decoded) {
  const uint64_t *value = warp.read(decoded.value(0));
  if (!value)
    return;
  unsigned count = value[0], current = warp.registerCount;
  uint64_t &free = warp.parent.freeRegisters;
  if (!warp.isRetry()) {
    if (warp.checkConverged())
      return;
    if (count < 24 || count > 256 || count % 8)
      return warp.fault(0, "setmaxnreg to " + Twine(count) +
                               " registers: it has to be 24 to 256, a multiple "
                               "of 8");
    if (checkWarpgroup(warp, count))
      return;
    if (current && (Increases ? count < current : count > current))
      return warp.fault(0, "setmaxnreg." + Twine(Increases ? "inc" : "dec") +
                               " to " + Twine(count) + " registers from " +
                               Twine(current));
  }
  uint64_t change =
      current ? uint64_t(std::abs(int(count) - int(current))) * warpSize : 0;
  if (Increases && change > free)
    return warp.block(
        {describeRegisters, uint64_t(uintptr_t(&warp.parent)), change});
  free = Increases ? free - change : free + change;
  ++warp.registerChanges;
  if (current)
    warp.registerCount = count;
}

static const Row rows[] = {
    {"setmaxnreg.inc.sync.aligned", "u32", "", "i", setmaxnreg<true>},
    {"setmaxnreg.dec.sync.aligned", "u32", "", "i", setmaxnreg<false>},
};

llvm::ArrayRef<Row> mx::ptx::getRegisterRows() { return rows; }
