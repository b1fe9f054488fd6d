// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tcgen05.ld and st (PTX ISA 9.7.16.8). Registers are read and written when the
// instruction is executed: a use of a loaded register is a dependency, which
// the hardware honours. What is used of tensor memory counts as in use until
// the warp's wait.

#include "MinMax.h"
#include "Rounding.h"
#include "Tcgen05.h"

#include "llvm/Support/MathExtras.h"

using namespace mx::ptx;
using llvm::Twine;

namespace {
/// How registers of a warp lie in tensor memory.
struct Shape {
  enum Kind : uint8_t { S32x32b, S16x64b, S16x128b, S16x256b, S16x32bx2 };
  Kind kind;
  /// Lanes; registers and columns of x1; the most repetitions.
  unsigned lanes, registers, columns, most;
};

struct Cell {
  unsigned lane, column;
};
} // namespace

static std::optional<Shape> getShape(const Decoded &decoded) {
  static constexpr std::pair<const char *, Shape> shapes[] = {
      {"32x32b", {Shape::S32x32b, 32, 1, 1, 128}},
      {"16x64b", {Shape::S16x64b, 16, 1, 2, 128}},
      {"16x128b", {Shape::S16x128b, 16, 2, 4, 64}},
      {"16x256b", {Shape::S16x256b, 16, 4, 8, 32}},
      {"16x32bx2", {Shape::S16x32bx2, 16, 1, 1, 128}},
  };
  for (const auto &[name, shape] : shapes)
    if (decoded.hasModifier(name))
      return shape;
  return std::nullopt;
}

/// The cell of register `i` of lane `t` (PTX ISA 9.7.16.2.3); `split`: where
/// the second half of 16x32bx2 begins.
static Cell getCell(Shape::Kind kind, unsigned t, unsigned i, unsigned split) {
  switch (kind) {
  case Shape::S32x32b:
    return {t, i};
  case Shape::S16x64b:
    return {(t >> 2) + 8 * (t & 1), 2 * i + (t >> 1 & 1)};
  case Shape::S16x128b:
    return {(t >> 2) + 8 * (i & 1), 4 * (i >> 1) + (t & 3)};
  case Shape::S16x256b:
    return {(t >> 2) + 8 * (i >> 1 & 1), 8 * (i >> 2) + 2 * (t & 3) + (i & 1)};
  case Shape::S16x32bx2:
    return {t & 15, t < 16 ? i : split + i};
  }
  llvm_unreachable("unknown shape");
}

namespace {
/// The part of tensor memory that an instruction of a warp uses.
class WarpAccess {
public:
  WarpAccess(Warp &warp, const Decoded &decoded, TensorUse use)
      : memory(getTensorMemory(warp.parent)), warp(warp), decoded(decoded),
        use(use) {}

  /// `address` and `registers` as operands, `split` -1 if there is none; false
  /// after a fault.
  bool assign(unsigned address, unsigned registers, int split);
  /// Calls f(lane, register, cell, cell of the other half or null).
  template <typename F> void forEach(F f);

  /// Two of 16x32bx2.
  llvm::SmallVector<TensorRange, 2> ranges;
  /// Two halves of cells a register (pack::16b, unpack::16b).
  bool isPacked = false;
  TensorMemory &memory;

private:
  bool fail(const Twine &message) {
    warp.fault(llvm::countr_zero(warp.active), message);
    return false;
  }
  void addRange(unsigned column, unsigned count) {
    ranges.push_back({LaneMask::makeRange(base.lane, shape.lanes),
                      base.column + column, base.column + column + count});
  }

  Warp &warp;
  const Decoded &decoded;
  TensorUse use;
  Shape shape;
  TensorAddress base;
  unsigned numRegisters = 0, split = 0;
};
} // namespace

bool WarpAccess::assign(unsigned address, unsigned registers, int splitAt) {
  if (warp.checkConverged())
    return false;
  std::optional<Shape> found = getShape(decoded);
  unsigned count = 0;
  for (llvm::StringRef word : decoded.source->modifiers)
    if (word.consume_front("x"))
      word.getAsInteger(10, count);
  if (!found || !llvm::isPowerOf2_32(count) || count > found->most)
    return fail("this shape has no .x" + Twine(count));
  shape = *found;
  isPacked =
      decoded.hasModifier("pack::16b") || decoded.hasModifier("unpack::16b");
  numRegisters = shape.registers * count;
  if (decoded.vector(registers).size() != numRegisters)
    return fail("this shape has " + Twine(numRegisters) + " registers, not " +
                Twine(decoded.vector(registers).size()));
  if ((shape.kind == Shape::S16x32bx2) != (splitAt >= 0))
    return fail("an offset of the second half belongs to .16x32bx2");
  std::optional<uint64_t> bits =
      warp.readUniform(decoded.value(address), "the address");
  if (!bits)
    return false;
  base = makeTensorAddress(*bits + decoded.offset);
  unsigned first = 32 * (warp.number % 4);
  if (base.lane != first && (shape.lanes == 32 || base.lane != first + 16))
    return fail("lane " + Twine(base.lane) + ": warp " + Twine(warp.number) +
                " reaches lanes " + Twine(first) + " to " + Twine(first + 31) +
                ", so the address has lane " + Twine(first) +
                (shape.lanes == 16 ? " or " + Twine(first + 16) : Twine()));
  unsigned columns = shape.columns * count * (isPacked ? 2 : 1);
  addRange(0, columns);
  if (splitAt >= 0) {
    split = warp.lanes(decoded.value(splitAt))[0];
    addRange(split, columns);
  }
  Clock known = getTensorOrder(warp);
  for (const TensorRange &range : ranges) {
    std::string problem = memory.checkAllocated(range, known);
    TensorAccess access;
    access.range = range;
    access.use = use;
    access.origin = warp.getOrigin(llvm::countr_zero(warp.active));
    access.agent = warp.agent;
    access.isPending = true;
    if (problem.empty() && warp.cluster.getChecks().tensorMemory)
      problem = memory.checkOrder(access, known);
    if (!problem.empty())
      return fail(problem);
    if (warp.cluster.getChecks().tensorMemory)
      memory.note(access, known);
  }
  return true;
}

template <typename F> void WarpAccess::forEach(F f) {
  for (unsigned i = 0; i < numRegisters; ++i)
    for (unsigned t = 0; t < warpSize; ++t) {
      Cell cell = getCell(shape.kind, t, i, isPacked ? 0 : split);
      unsigned column = base.column + cell.column;
      if (isPacked)
        column = base.column + 2 * cell.column +
                 (shape.kind == Shape::S16x32bx2 && t >= 16 ? split : 0);
      unsigned lane = base.lane + cell.lane;
      f(t, i, memory.getColumn(column)[lane],
        isPacked ? &memory.getColumn(column + 1)[lane] : nullptr);
    }
}

//===----------------------------------------------------------------------===//
// tcgen05.ld
//===----------------------------------------------------------------------===//

using Combination = uint32_t (*)(uint32_t, uint32_t);

template <typename T, T (*F)(T, T)>
static uint32_t combine(uint32_t a, uint32_t b) {
  T result = F(llvm::bit_cast<T>(a), llvm::bit_cast<T>(b));
  if constexpr (std::is_same_v<T, float>)
    if (std::isnan(result))
      return nanF32;
  return llvm::bit_cast<uint32_t>(result);
}
template <typename T> static T least(T a, T b) { return std::min(a, b); }
template <typename T> static T greatest(T a, T b) { return std::max(a, b); }

/// Of ld.red: min or max, with .NaN if one of them is what wins.
static Combination getCombination(const Decoded &decoded) {
  bool isMin = decoded.hasModifier("min");
  switch (decoded.types[0]) {
  case Type::U32:
    return isMin ? combine<uint32_t, least> : combine<uint32_t, greatest>;
  case Type::S32:
    return isMin ? combine<int32_t, least> : combine<int32_t, greatest>;
  default:
    if (decoded.hasModifier("NaN"))
      return isMin ? combine<float, orNaN<float, mx::ptx::min<float>>>
                   : combine<float, orNaN<float, mx::ptx::max<float>>>;
    return isMin ? combine<float, mx::ptx::min> : combine<float, mx::ptx::max>;
  }
}

/// Operands: registers, then the address, the offset of a second half. `Red`:
/// behind the registers one for their minimum or maximum.
template <bool Red> static void load(Warp &warp, const Decoded &decoded) {
  WarpAccess access(warp, decoded, TensorUse::Load);
  unsigned address = 1 + Red;
  bool hasSplit = decoded.getNumOperands() > address + 1;
  if (!access.assign(address, 0, hasSplit ? int(address) + 1 : -1))
    return;
  if (warp.cluster.getChecks().tensorMemory)
    for (const TensorRange &range : access.ranges) {
      std::string problem =
          access.memory.findUnwritten(range, access.isPacked ? 1 : 3);
      if (!problem.empty())
        return warp.fault(llvm::countr_zero(warp.active), problem);
    }
  llvm::ArrayRef<Value> to = decoded.vector(0);
  llvm::SmallVector<uint64_t *, 128> lanes;
  uint64_t unused[warpSize];
  for (const Value &value : to)
    lanes.push_back(value.isSink ? unused : warp.write(value));
  uint64_t values[128][warpSize];
  access.forEach([&](unsigned t, unsigned i, uint32_t &cell, uint32_t *next) {
    values[i][t] = next ? (cell & 0xFFFF) | uint64_t(*next & 0xFFFF) << 16
                        : uint64_t(cell);
    lanes[i][t] = values[i][t];
  });
  if (!Red || warp.hasFault())
    return;
  Combination combine = getCombination(decoded);
  uint32_t keep = decoded.hasModifier("abs") ? INT32_MAX : UINT32_MAX;
  uint64_t *result = warp.write(decoded.value(1));
  for (unsigned t = 0; t < warpSize; ++t) {
    result[t] = values[0][t] & keep;
    for (unsigned i = 1; i < to.size(); ++i)
      result[t] = combine(result[t], values[i][t] & keep);
  }
}

static void store(Warp &warp, const Decoded &decoded) {
  bool hasSplit = decoded.getNumOperands() > 2;
  unsigned registers = hasSplit ? 2 : 1;
  llvm::SmallVector<const uint64_t *, 128> lanes;
  for (const Value &value : decoded.vector(registers)) {
    lanes.push_back(warp.read(value));
    if (!lanes.back())
      return;
  }
  WarpAccess access(warp, decoded, TensorUse::Store);
  if (!access.assign(0, registers, hasSplit ? 1 : -1))
    return;
  access.forEach([&](unsigned t, unsigned i, uint32_t &cell, uint32_t *next) {
    uint32_t bits = lanes[i][t];
    cell = next ? (cell & ~0xFFFFu) | (bits & 0xFFFF) : bits;
    if (next)
      *next = (*next & ~0xFFFFu) | bits >> 16;
  });
  for (const TensorRange &range : access.ranges) {
    access.memory.setWritten(range, access.isPacked ? 1 : 3);
    // What unpack::16b leaves in the upper halves is not documented.
    if (access.isPacked)
      access.memory.setUnwritten(range, 2);
  }
}

#define COUNTS " x1 x2 x4 x8 x16 x32 x64 x128"
#define SHAPES "32x32b 16x64b 16x128b 16x256b 16x32bx2"

static const Row rows[] = {
    {"tcgen05.ld.sync.aligned", "b32", SHAPES COUNTS " pack::16b", "V=32 A i?",
     load<false>},
    {"tcgen05.ld.red.sync.aligned", "f32|u32|s32",
     "32x32b 16x32bx2 x2 x4 x8 x16 x32 x64 x128 min max abs NaN",
     "V=32 d=32 A i?", load<true>},
    {"tcgen05.st.sync.aligned", "b32",
     "32x32b 16x64b 16x128b 16x256b" COUNTS " unpack::16b", "A v=32", store},
    {"tcgen05.st.sync.aligned.16x32bx2", "b32",
     "x1 x2 x4 x8 x16 x32 x64 x128 "
     "unpack::16b",
     "A i v=32", store},
};

llvm::ArrayRef<Row> mx::ptx::getTcgen05AccessRows() { return rows; }
