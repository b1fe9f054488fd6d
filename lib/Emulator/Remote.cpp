// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values that go to the shared memory of the cluster asynchronously, with a
// signal on an mbarrier beside them: st.async, red.async (PTX ISA 9.7.9.12,
// 9.7.13.8), clusterlaunchcontrol (9.7.13.17).

#include "Bulk.h"

#include <cstring>

using namespace mx::ptx;

/// Where bytes of an image go and who hears of it; nothing after a fault.
static std::optional<SignallingCopy>
makeCopy(Warp &warp, const Decoded &decoded, unsigned lane, uint64_t address,
         uint64_t mbarrierAddress, std::vector<uint8_t> image) {
  Run to = makeRun(warp, lane, decoded.space, address, image.size(),
                   image.size(), Access::Write);
  if (!to.region)
    return std::nullopt;
  Mbarrier *mbarrier =
      lookupMbarrier(warp, lane, decoded.space, mbarrierAddress);
  if (!mbarrier)
    return std::nullopt;
  if (mbarrier->address >> rankShift != to.address >> rankShift) {
    warp.fault(lane, "the mbarrier has to lie in the block of the destination");
    return std::nullopt;
  }
  SignallingCopy copy;
  copy.to = {to};
  copy.signals = {{mbarrier->address, uint32_t(image.size())}};
  copy.image = std::move(image);
  return copy;
}

/// [address], value, [mbarrier]
static void storeAsync(Warp &warp, const Decoded &decoded) {
  const uint64_t *addresses = warp.read(decoded.value(0));
  const uint64_t *mbarriers = warp.read(decoded.value(2));
  llvm::ArrayRef<Value> values = decoded.vector(1);
  if (!addresses || !mbarriers ||
      llvm::any_of(values, [&](const Value &v) { return !warp.read(v); }))
    return;
  if (values.size() != decoded.vectorWidth)
    return warp.fault(0, "the number of registers is not that of the vector");
  unsigned size = getByteWidth(decoded.types[0]);
  std::optional<Reduction> reduction;
  if (decoded.source->opcode == "red") {
    reduction = getReduction(warp, decoded, llvm::countr_zero(warp.active),
                             decoded.types[0]);
    if (!reduction)
      return;
  }
  forEachLane(warp.active, [&](unsigned lane) {
    std::vector<uint8_t> image(size * values.size());
    for (size_t i = 0; i < values.size(); ++i)
      std::memcpy(&image[i * size], &warp.lanes(values[i])[lane], size);
    auto copy = makeCopy(
        warp, decoded, lane, addresses[lane] + decoded.addressOffsets[0],
        mbarriers[lane] + decoded.addressOffsets[1], std::move(image));
    if (!copy)
      return;
    copy->reduction = reduction;
    copy->isGeneric = true;
    start(warp, std::move(*copy));
  });
}

/// [answer], [mbarrier]. No block is left to be cancelled: the answer, 16
/// opaque bytes, is always zero.
static void tryCancel(Warp &warp, const Decoded &decoded) {
  const uint64_t *answers = warp.read(decoded.value(0));
  const uint64_t *mbarriers = warp.read(decoded.value(1));
  if (!answers || !mbarriers)
    return;
  forEachLane(warp.active, [&](unsigned lane) {
    auto copy = makeCopy(
        warp, decoded, lane, answers[lane] + decoded.addressOffsets[0],
        mbarriers[lane] + decoded.addressOffsets[1], std::vector<uint8_t>(16));
    if (!copy)
      return;
    if (decoded.hasModifier("multicast::cluster::all")) {
      Run to = copy->to[0];
      Signal signal = copy->signals[0];
      copy->to.clear();
      copy->signals.clear();
      for (unsigned rank = 0; rank < warp.cluster.blocks.size(); ++rank) {
        copy->to.push_back(makeRun(warp, lane, Space::SharedCluster,
                                   moveToRank(to.address, rank), to.size, 16,
                                   Access::Write));
        copy->signals.push_back(
            {moveToRank(signal.mbarrier, rank), signal.bytes});
      }
    }
    if (!warp.hasFault())
      start(warp, std::move(*copy));
  });
}

/// query_cancel.is_canceled: never.
static void isCanceled(Warp &warp, const Decoded &decoded) {
  for (const Value &part : decoded.vector(1))
    if (!warp.read(part))
      return;
  warp.writePredicate(decoded.value(0), 0);
}

/// query_cancel.get_first_ctaid: there is none.
static void getFirstBlock(Warp &warp, const Decoded &) {
  warp.fault(llvm::countr_zero(warp.active),
             "the answer says that nothing was cancelled, so it names no "
             "block");
}

static const Row rows[] = {
    {"st.async.mbarrier::complete_tx::bytes", "b32|b64|u32|u64|s32|s64|f32|f64",
     "weak shared::cluster v2 v4", "A v A", storeAsync},
    {"red.async.mbarrier::complete_tx::bytes", "u32|s32|u64|s64|b32|b64",
     "relaxed cluster shared::cluster add min max inc dec and or xor", "A s A",
     storeAsync},
    {"clusterlaunchcontrol.try_cancel.async.mbarrier::complete_tx::bytes",
     "b128", "shared::cta multicast::cluster::all", "A A", tryCancel},
    {"clusterlaunchcontrol.query_cancel.is_canceled", "pred b128", "", "p v1",
     isCanceled},
    {"clusterlaunchcontrol.query_cancel.get_first_ctaid", "b32 b128", "v4",
     "V v1", getFirstBlock},
    {"clusterlaunchcontrol.query_cancel", "b32 b128",
     "get_first_ctaid::x get_first_ctaid::y get_first_ctaid::z", "d v1",
     getFirstBlock},
};

llvm::ArrayRef<Row> mx::ptx::getRemoteRows() { return rows; }
