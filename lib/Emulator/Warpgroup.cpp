// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Warpgroup.h"
#include "Warp.h"

using namespace mx::ptx;
using llvm::Twine;

Warpgroup *mx::ptx::getWarpgroup(Warp &warp) {
  Block &block = warp.parent;
  unsigned index = warp.number / Warpgroup::numWarps;
  if ((index + 1) * Warpgroup::numWarps > block.warps.size())
    return nullptr;
  if (block.warpgroups.size() <= index)
    block.warpgroups.resize(index + 1);
  std::unique_ptr<Warpgroup> &group = block.warpgroups[index];
  if (!group)
    group = std::make_unique<Warpgroup>(warp.cluster.makeQueue());
  return group.get();
}

void mx::ptx::checkWarpgroupsAreIdle(Block &block) {
  for (const auto &group : block.warpgroups) {
    if (!group || group->isIdle())
      continue;
    // The oldest is at fault: some warp has not executed or awaited it.
    uint64_t number = UINT64_MAX;
    for (const Warpgroup::Member &member : group->members)
      number = std::min(number, member.released);
    const WarpgroupOperation &operation = group->get(number);
    unsigned missing = Warpgroup::allWarps & ~operation.arrived;
    if (missing)
      return block.cluster.fault(
          operation.origin,
          "warp " + Twine(llvm::countr_zero(missing)) +
              " of the warpgroup ended without executing this wgmma: its four "
              "warps have to");
    return block.cluster.fault(
        operation.origin,
        "the kernel ended before this wgmma was waited for: a "
        "wgmma.commit_group behind it, or the wgmma.wait_group, is missing");
  }
}
