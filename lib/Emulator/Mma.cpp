// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mma.sync (PTX ISA 9.7.14.5, block scales 9.7.14.3). Fragments: g = lane / 4
// is the row of A and D and the column of B, q = lane % 4 the place along k or
// n. Registers of A alternate between the rows g and g + 8, then go along k.

#include "MatrixProduct.h"
#include "Warp.h"

#include <cmath>

using namespace mx::ptx;

namespace {
/// M x 8 x K with elements of Bits in A and B.
template <unsigned M, unsigned K, unsigned Bits> struct Shape {
  static constexpr unsigned m = M, k = K, bits = Bits;
  static constexpr unsigned perRegister = Bits >= 32 ? 1 : 32 / Bits;
  static constexpr unsigned rowGroups = M / 8;
  static constexpr unsigned registersA = M * K / warpSize / perRegister;
  static constexpr unsigned registersB = 8 * K / warpSize / perRegister;
  static constexpr unsigned elementsC = M * 8 / warpSize;
};

/// Calls place(row, k, code) for the elements of a matrix whose registers are
/// `values`; `groups` of them go along the rows first. False after a fault.
template <typename S, typename F>
bool unpack(Warp &warp, llvm::ArrayRef<Value> values, unsigned groups,
            F &&place) {
  for (auto [i, value] : llvm::enumerate(values)) {
    const uint64_t *lanes = warp.read(value);
    if (!lanes)
      return false;
    unsigned row = 8 * (i % groups), column = 4 * S::perRegister * (i / groups);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      for (unsigned e = 0; e < S::perRegister; ++e) {
        uint64_t code = lanes[lane] >> (S::bits % 64 * e);
        if constexpr (S::bits < 64)
          code &= (uint64_t(1) << S::bits) - 1;
        place(row + lane / 4, column + (lane % 4) * S::perRegister + e, code,
              lane);
      }
  }
  return true;
}

/// Row and column of element `i` of C and D in a lane.
struct Place {
  Place(unsigned lane, unsigned i)
      : row(lane / 4 + 8 * (i / 2)), column(2 * (lane % 4) + i % 2) {}
  unsigned row, column;
};

/// True after a fault.
template <typename S>
bool checkRegisters(Warp &warp, const Decoded &decoded, unsigned perC = 1) {
  if (warp.checkConverged())
    return true;
  if (warp.active == allLanes &&
      decoded.vector(0).size() == S::elementsC / perC &&
      decoded.vector(1).size() == S::registersA &&
      decoded.vector(2).size() == S::registersB &&
      decoded.vector(3).size() == S::elementsC / perC)
    return false;
  warp.fault(0, warp.active == allLanes
                    ? "the numbers of registers are not those of the shape"
                    : "mma.sync needs all 32 lanes");
  return true;
}

//===----------------------------------------------------------------------===//
// Block scales
//===----------------------------------------------------------------------===//

/// The uniform id that chooses a byte or a lane; nothing after a fault.
std::optional<unsigned> readId(Warp &warp, const Value &value, unsigned most,
                               unsigned step) {
  std::optional<uint64_t> id = warp.readUniform(value, "the id of a scale");
  if (!id)
    return std::nullopt;
  if (*id <= most && *id % step == 0)
    return *id;
  warp.fault(0, "the id of a scale is " + llvm::Twine(*id) +
                    ": it has to be a multiple of " + llvm::Twine(step) +
                    " up to " + llvm::Twine(most));
  return std::nullopt;
}

/// Operands 4 to 7: scales of A, {byte-id, thread-id}, those of B. Row r of A
/// with thread-id t takes them from lane 4 (r % 8) + 2 t + r / 8, column n of B
/// from lane 4 n + t. False after a fault.
template <unsigned Scales>
bool setScales(Warp &warp, const Decoded &decoded, DotRow *rowsA,
               DotRow *rowsB) {
  Type type = decoded.types[4];
  const uint64_t *bytesA = warp.read(decoded.value(4));
  const uint64_t *bytesB = warp.read(decoded.value(6));
  llvm::ArrayRef<Value> idA = decoded.vector(5), idB = decoded.vector(7);
  if (!bytesA || !bytesB)
    return false;
  if (idA.size() != 2 || idB.size() != 2) {
    warp.fault(0, "expected {byte-id, thread-id} behind a scale");
    return false;
  }
  auto byteA = readId(warp, idA[0], 4 - Scales, Scales);
  auto threadA = readId(warp, idA[1], 1, 1);
  auto byteB = readId(warp, idB[0], 4 - Scales, Scales);
  auto threadB = readId(warp, idB[1], 3, 1);
  if (!byteA || !threadA || !byteB || !threadB)
    return false;
  auto set = [&](DotRow &row, uint64_t bytes, unsigned first) {
    uint8_t codes[Scales];
    for (unsigned s = 0; s < Scales; ++s)
      codes[s] = bytes >> (8 * (first + s));
    row.setScales(type, codes);
  };
  for (unsigned r = 0; r < 16; ++r)
    set(rowsA[r], bytesA[4 * (r & 7) + 2 * *threadA + (r >> 3)], *byteA);
  for (unsigned n = 0; n < 8; ++n)
    set(rowsB[n], bytesB[4 * n + *threadB], *byteB);
  return true;
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

/// With an f32 or f16 accumulator and Scales block scales a row. IsPadded: FP4
/// and FP6 elements in bytes.
template <unsigned K, unsigned Bits, unsigned Scales = 0, bool IsPadded = false>
void mma(Warp &warp, const Decoded &decoded) {
  using S = Shape<16, K, Bits>;
  Type typeA = decoded.types[1], typeB = decoded.types[2];
  Type result = decoded.types[0];
  unsigned perC = result == Type::F16 ? 2 : 1;
  if (checkRegisters<S>(warp, decoded, perC))
    return;
  uint32_t codesA[16][K], codesB[8][K];
  auto read = [&](llvm::ArrayRef<Value> values, unsigned groups, Type type,
                  auto &codes) {
    uint32_t mask = IsPadded ? getPaddingMask(type) : 0;
    return unpack<S>(
        warp, values, groups,
        [&](unsigned row, unsigned k, uint32_t code, unsigned lane) {
          if (code & mask)
            warp.fault(lane, "bits outside an element's type are "
                             "set, which has no defined effect");
          codes[row][k] = IsPadded ? unpadElement(type, code) : code;
        });
  };
  if (!read(decoded.vector(1), S::rowGroups, typeA, codesA) ||
      !read(decoded.vector(2), 1, typeB, codesB) || warp.hasFault())
    return;
  DotRow rowsA[16], rowsB[8];
  for (unsigned r = 0; r < 16; ++r)
    rowsA[r].assign(typeA, codesA[r]);
  for (unsigned n = 0; n < 8; ++n)
    rowsB[n].assign(typeB, codesB[n]);
  if constexpr (Scales != 0)
    if (!setScales<Scales>(warp, decoded, rowsA, rowsB))
      return;
  std::optional<DotUnit> unit = makeMmaUnit(warp, result, typeA, Scales);
  if (!unit)
    return;
  uint32_t sums[S::elementsC][warpSize];
  for (unsigned i = 0; i < S::elementsC; ++i) {
    const uint64_t *lanes = warp.read(decoded.vector(3)[i / perC]);
    if (!lanes)
      return;
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      Place place(lane, i);
      uint32_t c =
          perC == 2 ? lanes[lane] >> (16 * (i % 2)) & 0xFFFF : lanes[lane];
      sums[i][lane] = (*unit)(rowsA[place.row], rowsB[place.column], c);
    }
  }
  for (auto [i, value] : llvm::enumerate(decoded.vector(0))) {
    if (value.isSink)
      continue;
    uint64_t *lanes = warp.write(value);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      lanes[lane] = perC == 2 ? sums[2 * i][lane] | sums[2 * i + 1][lane] << 16
                              : sums[i][lane];
  }
}

//===----------------------------------------------------------------------===//
// Integers and f64
//===----------------------------------------------------------------------===//

/// Products of bytes; sums wrap or, with .satfinite, saturate.
template <unsigned M, unsigned K>
void mmaInteger(Warp &warp, const Decoded &decoded) {
  using S = Shape<M, K, 8>;
  if (checkRegisters<S>(warp, decoded))
    return;
  int32_t a[M][K], b[8][K];
  auto read = [&](llvm::ArrayRef<Value> values, unsigned groups, Type type,
                  auto &elements) {
    return unpack<S>(warp, values, groups,
                     [&](unsigned row, unsigned k, uint64_t code, unsigned) {
                       elements[row][k] =
                           type == Type::S8 ? int8_t(code) : int32_t(code);
                     });
  };
  if (!read(decoded.vector(1), S::rowGroups, decoded.types[1], a) ||
      !read(decoded.vector(2), 1, decoded.types[2], b))
    return;
  uint32_t sums[S::elementsC][warpSize];
  for (unsigned i = 0; i < S::elementsC; ++i) {
    const uint64_t *lanes = warp.read(decoded.vector(3)[i]);
    if (!lanes)
      return;
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      Place place(lane, i);
      sums[i][lane] = dotInteger(a[place.row], b[place.column],
                                 int32_t(lanes[lane]), decoded.satfinite);
    }
  }
  for (auto [i, value] : llvm::enumerate(decoded.vector(0))) {
    if (value.isSink)
      continue;
    std::copy_n(sums[i], warpSize, warp.write(value));
  }
}

/// A chain of fused multiply-adds, low k first.
template <unsigned M, unsigned K>
void mmaF64(Warp &warp, const Decoded &decoded) {
  using S = Shape<M, K, 64>;
  if (checkRegisters<S>(warp, decoded))
    return;
  double a[M][K], b[8][K];
  auto read = [&](llvm::ArrayRef<Value> values, unsigned groups,
                  auto &elements) {
    return unpack<S>(warp, values, groups,
                     [&](unsigned row, unsigned k, uint64_t code, unsigned) {
                       elements[row][k] = llvm::bit_cast<double>(code);
                     });
  };
  if (!read(decoded.vector(1), S::rowGroups, a) ||
      !read(decoded.vector(2), 1, b))
    return;
  uint64_t sums[S::elementsC][warpSize];
  for (unsigned i = 0; i < S::elementsC; ++i) {
    const uint64_t *lanes = warp.read(decoded.vector(3)[i]);
    if (!lanes)
      return;
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      Place place(lane, i);
      double sum = llvm::bit_cast<double>(lanes[lane]);
      for (unsigned k = 0; k < K; ++k)
        sum = std::fma(a[place.row][k], b[place.column][k], sum);
      sums[i][lane] = encodeFloat(Type::F64, sum, Rounding::Nearest);
    }
  }
  for (auto [i, value] : llvm::enumerate(decoded.vector(0))) {
    if (value.isSink)
      continue;
    std::copy_n(sums[i], warpSize, warp.write(value));
  }
}
} // namespace

#define FP8 "e4m3|e5m2"
#define NARROW "e4m3|e5m2|e2m3|e3m2|e2m1"
#define SHAPE(S) "mma.sync.aligned." S ".row.col"
static constexpr char operands[] = "V=32 v=32 v=32 v=32";
static constexpr char scaledOperands[] =
    "V=32 v=32 v=32 v=32 s=32 v=16 s=32 v=16";

static const Row rows[] = {
    {SHAPE("m16n8k8"), "f32 f16 f16 f32", "", operands, mma<8, 16>},
    {SHAPE("m16n8k8"), "f16 f16 f16 f16", "", operands, mma<8, 16>},
    {SHAPE("m16n8k8"), "f32 bf16 bf16 f32", "", operands, mma<8, 16>},
    {SHAPE("m16n8k16"), "f32 f16 f16 f32", "", operands, mma<16, 16>},
    {SHAPE("m16n8k16"), "f16 f16 f16 f16", "", operands, mma<16, 16>},
    {SHAPE("m16n8k16"), "f32 bf16 bf16 f32", "", operands, mma<16, 16>},
    {SHAPE("m16n8k4"), "f32 tf32 tf32 f32", "", operands, mma<4, 32>},
    {SHAPE("m16n8k8"), "f32 tf32 tf32 f32", "", operands, mma<8, 32>},
    {SHAPE("m16n8k16"), "f32 " FP8 " " FP8 " f32", "", operands, mma<16, 8>},
    {SHAPE("m16n8k16"), "f16 " FP8 " " FP8 " f16", "", operands, mma<16, 8>},
    {SHAPE("m16n8k32"), "f32 " FP8 " " FP8 " f32", "", operands, mma<32, 8>},
    {SHAPE("m16n8k32"), "f16 " FP8 " " FP8 " f16", "", operands, mma<32, 8>},
    {SHAPE("m16n8k32") ".kind::f8f6f4", "f32 " NARROW " " NARROW " f32", "",
     operands, mma<32, 8, 0, true>},
    {SHAPE("m16n8k32") ".kind::f8f6f4", "f16 " NARROW " " NARROW " f16", "",
     operands, mma<32, 8, 0, true>},
    {SHAPE("m16n8k32") ".kind::mxf8f6f4.block_scale",
     "f32 " NARROW " " NARROW " f32 ue8m0", "scale_vec::1X", scaledOperands,
     mma<32, 8, 1, true>},
    {SHAPE("m16n8k64") ".kind::mxf4.block_scale", "f32 e2m1 e2m1 f32 ue8m0",
     "scale_vec::2X", scaledOperands, mma<64, 4, 2>},
    {SHAPE("m16n8k64") ".kind::mxf4nvf4.block_scale.scale_vec::2X",
     "f32 e2m1 e2m1 f32 ue8m0", "", scaledOperands, mma<64, 4, 2>},
    {SHAPE("m16n8k64") ".kind::mxf4nvf4.block_scale.scale_vec::4X",
     "f32 e2m1 e2m1 f32 ue4m3|ue8m0", "", scaledOperands, mma<64, 4, 4>},
    {SHAPE("m8n8k16"), "s32 u8|s8 u8|s8 s32", "satfinite", operands,
     mmaInteger<8, 16>},
    {SHAPE("m16n8k16"), "s32 u8|s8 u8|s8 s32", "satfinite", operands,
     mmaInteger<16, 16>},
    {SHAPE("m16n8k32"), "s32 u8|s8 u8|s8 s32", "satfinite", operands,
     mmaInteger<16, 32>},
    {SHAPE("m8n8k4"), "f64 f64 f64 f64", "rn", "V v v v", mmaF64<8, 4>},
    {SHAPE("m16n8k4"), "f64 f64 f64 f64", "rn", "V v v v", mmaF64<16, 4>},
    {SHAPE("m16n8k8"), "f64 f64 f64 f64", "rn", "V v v v", mmaF64<16, 8>},
    {SHAPE("m16n8k16"), "f64 f64 f64 f64", "rn", "V v v v", mmaF64<16, 16>},
};

llvm::ArrayRef<Row> mx::ptx::getMmaRows() { return rows; }
