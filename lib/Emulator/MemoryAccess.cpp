// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mov, ld, st, cvta and what is said about addresses and caches (PTX
// ISA 9.7.9).

#include "Warp.h"

#include <cstring>

using namespace mx::ptx;
using llvm::StringRef;

MemoryOrder mx::ptx::getMemoryOrder(const Instruction &instruction) {
  StringRef opcode = instruction.opcode;
  bool isAtomic = opcode == "atom" || opcode == "red";
  if (!isAtomic && opcode != "ld" && opcode != "st")
    return MemoryOrder::Weak;
  auto has = [&](StringRef word) { return instruction.hasModifier(word); };
  if (has("acq_rel"))
    return MemoryOrder::AcquireRelease;
  if (has("acquire"))
    return MemoryOrder::Acquire;
  if (has("release"))
    return MemoryOrder::Release;
  return isAtomic || has("relaxed") || has("volatile") ? MemoryOrder::Relaxed
                                                       : MemoryOrder::Weak;
}

void mx::ptx::relaxComparedLoads(Program &program) {
  std::vector<bool> isCompared(program.numRegisters);
  auto forEach = [&](StringRef opcode, auto &&f) {
    for (Decoded &decoded : program.code)
      if (decoded.source->opcode == opcode)
        f(decoded);
  };
  bool hasAny = false;
  forEach("atom", [&](const Decoded &decoded) {
    if (!decoded.hasModifier("cas"))
      return;
    isCompared[decoded.value(2).index] = true;
    hasAny = true;
  });
  // Back through moves, which join the first value with those of the loop.
  for (bool isChanged = hasAny; isChanged;) {
    isChanged = false;
    forEach("mov", [&](const Decoded &decoded) {
      if (decoded.values.size() != 2 || decoded.value(0).isSink ||
          !isCompared[decoded.value(0).index] ||
          isCompared[decoded.value(1).index])
        return;
      isCompared[decoded.value(1).index] = isChanged = true;
    });
  }
  forEach("ld", [&](Decoded &decoded) {
    if (decoded.order == MemoryOrder::Weak && !decoded.value(0).isSink &&
        isCompared[decoded.value(0).index])
      decoded.order = MemoryOrder::Relaxed;
  });
}

/// `Bits` holds the whole of what a mov copies: 64 bits, or 128 for .b128.
template <typename Bits> static Bits getLowBits(unsigned count) {
  return count == 8 * sizeof(Bits) ? Bits(-1) : (Bits(1) << count) - 1;
}

/// Copies, packs or unpacks where bits of the sources may be undefined.
template <typename Bits>
static void movPartly(Warp &warp, const Decoded &decoded) {
  llvm::ArrayRef<Value> to = decoded.vector(0), from = decoded.vector(1);
  unsigned width = getBitWidth(decoded.types[0]);
  unsigned fromWidth = width / from.size(), toWidth = width / to.size();
  Bits fromMask = getLowBits<Bits>(fromWidth),
       toMask = getLowBits<Bits>(toWidth);
  forEachLane(warp.active, [&](unsigned lane) {
    Bits bits = 0, defined = 0;
    for (auto [i, source] : llvm::enumerate(from)) {
      bits |= (Bits(warp.lanes(source)[lane]) & fromMask) << (fromWidth * i);
      defined |= (Bits(warp.getDefined(source, lane)) & fromMask)
                 << (fromWidth * i);
    }
    for (auto [i, target] : llvm::enumerate(to))
      if (!target.isSink)
        warp.writePartly(target, lane, uint64_t(bits >> (toWidth * i) & toMask),
                         uint64_t(defined >> (toWidth * i) & toMask), toWidth);
  });
}

/// Copies, packs or unpacks; the first element is the lowest. What was never
/// written stays so: compilers move undefined values around.
template <typename Bits> static void mov(Warp &warp, const Decoded &decoded) {
  llvm::ArrayRef<Value> to = decoded.vector(0), from = decoded.vector(1);
  for (const Value &source : from) {
    if (LLVM_LIKELY((warp.active & ~warp.getInitialized(source)) == 0))
      continue;
    if (warp.isOwned(source))
      return warp.faultUninitialized(source);
    return movPartly<Bits>(warp, decoded);
  }
  unsigned width = getBitWidth(decoded.types[0]);
  unsigned fromWidth = width / from.size(), toWidth = width / to.size();
  Bits fromMask = getLowBits<Bits>(fromWidth),
       toMask = getLowBits<Bits>(toWidth);
  Bits bits[warpSize] = {};
  for (auto [i, source] : llvm::enumerate(from)) {
    const uint64_t *lanes = warp.lanes(source);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      bits[lane] |= (Bits(lanes[lane]) & fromMask) << (fromWidth * i);
  }
  for (auto [i, target] : llvm::enumerate(to)) {
    if (target.isSink)
      continue;
    uint64_t *lanes = warp.write(target);
    forEachLane(warp.active, [&, i = i](unsigned lane) {
      lanes[lane] = uint64_t(bits[lane] >> (toWidth * i) & toMask);
    });
  }
}

static void movPredicate(Warp &warp, const Decoded &decoded) {
  warp.writePredicate(decoded.value(0), warp.readPredicate(decoded.value(1)));
}

/// Of each register; .b128 is in two of them.
static unsigned getElementSize(Type type) {
  return std::min(getByteWidth(type), 8u);
}

/// True after a fault: registers that do not match the vector, or are narrower
/// than its elements.
static bool checkRegisters(Warp &warp, const Decoded &decoded,
                           llvm::ArrayRef<Value> values) {
  Type type = decoded.types[0];
  unsigned size = getElementSize(type);
  if (values.size() * size != decoded.vectorWidth * getByteWidth(type)) {
    warp.fault(llvm::countr_zero(warp.active),
               "the number of registers is not that of the vector");
    return true;
  }
  for (const Value &value : values)
    if (!value.isSink && value.bits < 8 * size) {
      warp.fault(llvm::countr_zero(warp.active),
                 "a register is narrower than what is loaded or stored");
      return true;
    }
  return false;
}

/// The whole vector has to be aligned. A wider register is extended by the
/// type's sign.
static void load(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(1));
  llvm::ArrayRef<Value> to = decoded.vector(0);
  if (!base || checkRegisters(warp, decoded, to))
    return;
  Type type = decoded.types[0];
  unsigned size = getElementSize(type), all = size * to.size();
  uint64_t buffer[warpSize][8] = {};
  forEachLane(warp.active, [&](unsigned i) {
    const uint8_t *from = warp.access(
        i, decoded.space, base[i] + decoded.offset, all, all, Access::Read);
    for (size_t j = 0; from && j < to.size(); ++j)
      std::memcpy(&buffer[i][j], from + j * size, size);
  });
  if (warp.hasFault())
    return;
  for (auto [j, target] : llvm::enumerate(to)) {
    if (target.isSink)
      continue;
    uint64_t *lanes = warp.write(target);
    forEachLane(warp.active, [&, j = j, &target = target](unsigned i) {
      uint64_t value = buffer[i][j];
      if (isSigned(type))
        value = uint64_t(int64_t(value << (64 - 8 * size)) >> (64 - 8 * size));
      lanes[i] = value & llvm::maskTrailingOnes<uint64_t>(target.bits);
    });
  }
}

static void store(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(0));
  llvm::ArrayRef<Value> from = decoded.vector(1);
  if (!base || checkRegisters(warp, decoded, from))
    return;
  unsigned size = getElementSize(decoded.types[0]), all = size * from.size();
  for (const Value &value : from)
    if (!warp.read(value))
      return;
  uint8_t *places[warpSize] = {};
  forEachLane(warp.active, [&](unsigned i) {
    places[i] = warp.access(i, decoded.space, base[i] + decoded.offset, all,
                            all, Access::Write);
    for (size_t j = 0; places[i] && j < from.size(); ++j)
      std::memcpy(places[i] + j * size, &warp.lanes(from[j])[i], size);
  });
  if (!warp.race || warp.hasFault() || decoded.order != MemoryOrder::Weak)
    return;
  // A lane that does not find its value was overwritten by another.
  forEachLane(warp.active, [&](unsigned i) {
    for (size_t j = 0; j < from.size(); ++j)
      if (std::memcmp(places[i] + j * size, &warp.lanes(from[j])[i], size))
        warp.fault(i, "race: another lane writes a different value to the "
                      "same place in the same instruction");
  });
}

/// st.bulk (9.7.9.13): zeros in shared memory.
static void storeBulk(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(0));
  const uint64_t *size = warp.read(decoded.value(1));
  const uint64_t *value = warp.read(decoded.value(2));
  if (!base || !size || !value)
    return;
  constexpr unsigned most = 1 << 24;
  forEachLane(warp.active, [&](unsigned i) {
    if (value[i] != 0 || size[i] % 8 || size[i] > most)
      return warp.fault(i, "st.bulk writes zeros, a multiple of 8 bytes up to "
                           "2^24");
    Space space = decoded.space;
    uint64_t address = base[i] + decoded.offset;
    warp.findRegion(i, space, address);
    if (space != Space::Shared && space != Space::SharedCluster)
      return warp.fault(i, "st.bulk to memory that is not shared");
    if (size[i] == 0)
      return;
    if (uint8_t *to = warp.access(i, decoded.space, base[i] + decoded.offset,
                                  size[i], 8, Access::Write))
      std::memset(to, 0, size[i]);
  });
}

/// discard (9.7.9.17): the bytes become undefined.
static void discard(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(0));
  const uint64_t *size = warp.read(decoded.value(1));
  if (!base || !size)
    return;
  forEachLane(warp.active, [&](unsigned i) {
    if (size[i] != 128)
      return warp.fault(i, "discard is of 128 bytes");
    Space space = decoded.space;
    uint64_t address = base[i] + decoded.offset;
    if (!warp.access(i, space, address, 128, 128, Access::Write))
      return;
    Region *region = warp.findRegion(i, space, address);
    if (space != Space::Global)
      return warp.fault(i, "discard of memory that is not global");
    region->setState(address, 128, ByteState::Uninitialized);
  });
}

/// Hints, whose address is read and not more.
static void hint(Warp &warp, const Decoded &decoded) {
  warp.read(decoded.value(0));
}

/// createpolicy (9.7.9.18): what cache hints take, and nothing else looks at.
static void createPolicy(Warp &warp, const Decoded &decoded) {
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = 0; });
}

/// isspacep (9.7.9.19): whether a generic address lies in the space's window.
/// .shared is the block's own, .shared::cluster all of the cluster's.
static void isSpace(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a)
    return;
  uint32_t mask = 0;
  forEachLane(warp.active, [&](unsigned i) {
    Space space = Space::Generic;
    uint64_t address = a[i];
    Warp::resolveGeneric(space, address);
    bool isIn = space == decoded.space;
    if (space == Space::SharedCluster && decoded.space == Space::Shared)
      isIn = address >> rankShift == warp.parent.rank;
    mask |= uint32_t(isIn) << i;
  });
  warp.writePredicate(decoded.value(0), mask);
}

/// Between a space's own addresses and generic ones.
template <bool ToSpace> static void cvta(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a)
    return;
  bool isShared =
      decoded.space == Space::Shared || decoded.space == Space::SharedCluster;
  uint64_t base = isShared                        ? window::shared
                  : decoded.space == Space::Local ? window::local
                  : decoded.space == Space::Param ? window::param
                  : decoded.space == Space::Const ? window::constant
                                                  : 0;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active,
              [&](unsigned i) { d[i] = ToSpace ? a[i] - base : a[i] + base; });
}

#define VALUES                                                                 \
  "b8|u8|s8|b16|u16|s16|b32|u32|s32|b64|u64|s64|f16|bf16|f32|f64|b128"
// Caches, eviction and prefetch sizes change nothing; what orders accesses is
// weaker than the order in which they are executed here.
#define HINTS                                                                  \
  " weak volatile relaxed mmio cta cluster gpu sys L2::cache_hint L2::64B "    \
  "L2::128B L2::256B L1::evict_normal L1::evict_unchanged L1::evict_first "    \
  "L1::evict_last L1::no_allocate L2::evict_normal L2::evict_first "           \
  "L2::evict_last"
static constexpr char loadModifiers[] =
    "global shared shared::cta shared::cluster local const param param::entry "
    "param::func v2 v4 v8 nc acquire unified ca cg cs lu cv" HINTS;
static constexpr char storeModifiers[] =
    "global shared shared::cta shared::cluster local param param::func v2 v4 "
    "v8 release wb cg cs wt" HINTS;
static constexpr char spaces[] = "global shared shared::cta shared::cluster "
                                 "local const param param::entry";
static constexpr char policies[] =
    "L2::evict_last L2::evict_normal L2::evict_first L2::evict_unchanged "
    "global";

static const Row rows[] = {
    {"mov", "pred", "", "p P", movPredicate},
    {"mov", "b16|u16|s16|b32|u32|s32|b64|u64|s64|f16|bf16|f32|f64", "", "V* v*",
     mov<uint64_t>},
    {"mov", "b128", "", "V* v*", mov<unsigned __int128>},
    {"ld", VALUES, loadModifiers, "V* A s=64?", load},
    {"ldu", VALUES, "global v2 v4", "V* A", load},
    {"st", VALUES, storeModifiers, "A v* s=64?", store},
    {"st.bulk", "", "weak shared::cta", "A s* s*", storeBulk},
    {"discard.L2", "", "global", "A s*", discard},
    {"prefetch", "", "global local L1 L2 L2::evict_last L2::evict_normal", "A",
     hint},
    {"prefetchu.L1", "", "", "A", hint},
    {"applypriority.L2::evict_normal", "", "global", "A s*", hint},
    {"createpolicy.fractional", "b64", policies, "d s=32?", createPolicy},
    {"createpolicy.range", "b64", policies, "d A s=32 s=32", createPolicy},
    {"createpolicy.cvt.L2", "b64", "", "d s", createPolicy},
    {"cvta.to", "u64", spaces, "d s", cvta<true>},
    {"cvta", "u64", spaces, "d s", cvta<false>},
    {"isspacep", "", spaces, "p s*", isSpace},
};

llvm::ArrayRef<Row> mx::ptx::getMemoryRows() { return rows; }
