// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wmma.load, wmma.store and wmma.mma (PTX ISA 9.7.14.4). Which lane has which
// element of a fragment is not specified; here elements follow one another by
// rows, as many in each lane. A fragment with more registers than that takes
// has copies in the others, as it has on hardware.

#include "MatrixProduct.h"
#include "Warp.h"

#include "llvm/ADT/StringSwitch.h"

#include <cstring>

using namespace mx::ptx;

namespace {
enum class Matrix { A, B, C };

struct Dims {
  unsigned m = 16, n = 16, k = 16;
  unsigned rows(Matrix matrix) const { return matrix == Matrix::B ? k : m; }
  unsigned columns(Matrix matrix) const { return matrix == Matrix::A ? k : n; }
};

/// How the elements of a matrix lie in the registers of its fragment.
struct Fragment {
  Fragment(const Decoded &decoded, Matrix matrix, Type type)
      : bits(getBitWidth(type)), perRegister(32 / bits) {
    for (llvm::StringRef word : decoded.source->modifiers)
      dims = llvm::StringSwitch<Dims>(word)
                 .Case("m32n8k16", {32, 8, 16})
                 .Case("m8n32k16", {8, 32, 16})
                 .Case("m16n16k8", {16, 16, 8})
                 .Default(dims);
    rows = dims.rows(matrix);
    columns = dims.columns(matrix);
    perLane = rows * columns / warpSize;
  }

  unsigned getNumRegisters() const { return perLane / perRegister; }

  Dims dims;
  unsigned bits, perRegister, rows, columns, perLane;
};

/// The layouts that an instruction names, in order.
llvm::SmallVector<bool, 2> getIsRow(const Decoded &decoded) {
  llvm::SmallVector<bool, 2> isRow;
  for (llvm::StringRef word : decoded.source->modifiers)
    if (word == "row" || word == "col")
      isRow.push_back(word == "row");
  return isRow;
}

/// True after a fault: the number of registers is that of the elements, or
/// twice or four times that with copies.
bool checkRegisters(Warp &warp, const Fragment &fragment, size_t count) {
  if (warp.checkConverged())
    return true;
  if (warp.active == allLanes && count % fragment.getNumRegisters() == 0)
    return false;
  warp.fault(0, "wmma needs all 32 lanes, and the registers of its shape");
  return true;
}

/// Calls body(lane, slot, bytes of the element) for each element in memory.
template <typename F>
void forEachElement(Warp &warp, const Decoded &decoded,
                    const Fragment &fragment, unsigned address, Access access,
                    F &&body) {
  auto base = warp.readUniform(decoded.value(address), "the address of wmma");
  if (!base)
    return;
  bool isRow = getIsRow(decoded)[0];
  uint64_t stride = isRow ? fragment.columns : fragment.rows;
  if (decoded.getNumOperands() == 3) {
    auto given = warp.readUniform(decoded.value(2), "the stride of wmma");
    if (!given)
      return;
    stride = uint32_t(*given);
  }
  unsigned size = fragment.bits / 8;
  for (unsigned i = 0; i < fragment.rows * fragment.columns; ++i) {
    unsigned row = i / fragment.columns, column = i % fragment.columns;
    uint64_t offset = isRow ? row * stride + column : column * stride + row;
    unsigned lane = i / fragment.perLane;
    uint8_t *bytes =
        warp.access(lane, decoded.space, *base + decoded.offset + offset * size,
                    size, size, access);
    if (!bytes)
      return;
    body(lane, i % fragment.perLane, bytes);
  }
}

template <Matrix Which> void load(Warp &warp, const Decoded &decoded) {
  Fragment fragment(decoded, Which, decoded.types[0]);
  llvm::ArrayRef<Value> to = decoded.vector(0);
  if (checkRegisters(warp, fragment, to.size()))
    return;
  uint32_t values[warpSize][16] = {};
  forEachElement(warp, decoded, fragment, 1, Access::Read,
                 [&](unsigned lane, unsigned slot, const uint8_t *bytes) {
                   uint32_t element = 0;
                   std::memcpy(&element, bytes, fragment.bits / 8);
                   values[lane][slot / fragment.perRegister] |=
                       element << (slot % fragment.perRegister * fragment.bits);
                 });
  if (warp.hasFault())
    return;
  for (auto [i, value] : llvm::enumerate(to)) {
    uint64_t *lanes = warp.write(value);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      lanes[lane] = values[lane][i % fragment.getNumRegisters()];
  }
}

/// The codes of a fragment, by rows; false after a fault.
bool readFragment(Warp &warp, const Fragment &fragment,
                  llvm::ArrayRef<Value> from, std::vector<uint32_t> &codes) {
  if (checkRegisters(warp, fragment, from.size()))
    return false;
  codes.resize(fragment.rows * fragment.columns);
  uint32_t mask = fragment.bits == 32 ? ~0u : (1u << fragment.bits) - 1;
  for (unsigned i = 0; i < fragment.getNumRegisters(); ++i) {
    const uint64_t *lanes = warp.read(from[i]);
    if (!lanes)
      return false;
    for (unsigned lane = 0; lane < warpSize; ++lane)
      for (unsigned e = 0; e < fragment.perRegister; ++e)
        codes[lane * fragment.perLane + i * fragment.perRegister + e] =
            uint32_t(lanes[lane]) >> (e * fragment.bits) & mask;
  }
  return true;
}

void store(Warp &warp, const Decoded &decoded) {
  Fragment fragment(decoded, Matrix::C, decoded.types[0]);
  std::vector<uint32_t> codes;
  if (!readFragment(warp, fragment, decoded.vector(1), codes))
    return;
  forEachElement(warp, decoded, fragment, 0, Access::Write,
                 [&](unsigned lane, unsigned slot, uint8_t *bytes) {
                   std::memcpy(bytes, &codes[lane * fragment.perLane + slot],
                               fragment.bits / 8);
                 });
}

/// D = A B + C. Without their own types A and B are f16. The layouts that the
/// instruction names have been seen to by the loads.
void mma(Warp &warp, const Decoded &decoded) {
  bool isShort = decoded.types.size() == 2;
  Type result = decoded.types[0], third = decoded.types.back();
  Type typeA = isShort ? Type::F16 : decoded.types[1];
  Fragment a(decoded, Matrix::A, typeA), b(decoded, Matrix::B, typeA);
  Fragment c(decoded, Matrix::C, third), d(decoded, Matrix::C, result);
  std::vector<uint32_t> codesA, codesB, codesC;
  if (!readFragment(warp, a, decoded.vector(1), codesA) ||
      !readFragment(warp, b, decoded.vector(2), codesB) ||
      !readFragment(warp, c, decoded.vector(3), codesC) ||
      checkRegisters(warp, d, decoded.vector(0).size()))
    return;
  std::optional<DotUnit> unit = makeMmaUnit(warp, result, typeA, 0);
  if (!unit)
    return;
  std::vector<DotRow> rows(a.rows), columns(b.columns);
  for (unsigned m = 0; m < a.rows; ++m)
    rows[m].assign(typeA,
                   llvm::ArrayRef(codesA).slice(m * a.columns, a.columns));
  std::vector<uint32_t> column(b.rows);
  for (unsigned n = 0; n < b.columns; ++n) {
    for (unsigned k = 0; k < b.rows; ++k)
      column[k] = codesB[k * b.columns + n];
    columns[n].assign(typeA, column);
  }
  std::vector<uint32_t> sums(d.rows * d.columns);
  for (unsigned i = 0; i < sums.size(); ++i)
    sums[i] = (*unit)(rows[i / d.columns], columns[i % d.columns], codesC[i]);
  for (auto [i, value] : llvm::enumerate(decoded.vector(0))) {
    uint64_t *lanes = warp.write(value);
    unsigned first = i % d.getNumRegisters() * d.perRegister;
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      lanes[lane] = 0;
      for (unsigned e = 0; e < d.perRegister; ++e)
        lanes[lane] |= uint64_t(sums[lane * d.perLane + first + e])
                       << (e * d.bits);
    }
  }
}
} // namespace

static constexpr char memory[] = "row col global shared shared::cta";
static constexpr char layouts[] = "row col";
static constexpr char sources[] = "V=32 v=32 v=32 v=32";

#define LOAD(MATRIX, WHICH, SHAPE, TYPES)                                      \
  {"wmma.load." MATRIX ".sync.aligned." SHAPE, TYPES, memory, "V=32 A s=32?",  \
   load<Matrix::WHICH>}
#define SHAPE(SHAPE)                                                           \
  LOAD("a", A, SHAPE, "f16|bf16"), LOAD("b", B, SHAPE, "f16|bf16"),            \
      LOAD("c", C, SHAPE, "f16|f32"),                                          \
      {"wmma.store.d.sync.aligned." SHAPE, "f16|f32", memory, "A v=32 s=32?",  \
       store},                                                                 \
      {"wmma.mma.sync.aligned." SHAPE, "f32 f32", layouts, sources, mma},      \
      {"wmma.mma.sync.aligned." SHAPE, "f16 f16", layouts, sources, mma}, {    \
    "wmma.mma.sync.aligned." SHAPE, "f32 bf16 bf16 f32", layouts, sources, mma \
  }

static const Row rows[] = {
    SHAPE("m16n16k16"),
    SHAPE("m32n8k16"),
    SHAPE("m8n32k16"),
    LOAD("a", A, "m16n16k8", "tf32"),
    LOAD("b", B, "m16n16k8", "tf32"),
    LOAD("c", C, "m16n16k8", "f32"),
    {"wmma.store.d.sync.aligned.m16n16k8", "f32", memory, "A v=32 s=32?",
     store},
    {"wmma.mma.sync.aligned.m16n16k8", "f32 tf32 tf32 f32", layouts, sources,
     mma},
};

llvm::ArrayRef<Row> mx::ptx::getWmmaRows() { return rows; }
