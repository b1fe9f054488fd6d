// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tcgen05.mma against a product in double, for all kinds, block scales, places
// of A, majors, swizzles, and one block or a pair. Where D, A and scale factors
// lie in tensor memory is written down here once more, from PTX ISA 9.7.16.10.

#include "MatrixKernel.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace mx::ptx::test;

namespace {
struct MmaCase {
  std::string kind, a, b;
  unsigned m, n;
  unsigned ctas = 1;
  bool isTensorA = false;
  unsigned swizzle = 128;
  bool isMNMajorA = false, isMNMajorB = false;
  bool isHalfD = false;
  /// Block scales a row and the byte of the first.
  unsigned scales = 0, scaleIdA = 0, scaleIdB = 0;
  bool isE4M3Scale = false;
  bool accumulates = true, negatesA = false, negatesB = false;
  unsigned scaleInput = 0;
  /// Lanes 0 to 31 of each block are not written.
  bool disables = false;
  bool isRandom = false;
  /// Ones are added to `largeC` by the model of sm_100, which drops them: they
  /// lie below its 25 bits (Accumulate::Hardware).
  bool isHardware = false;
};
constexpr double largeC = 1 << 26;

constexpr unsigned startB = 16384, startScaleA = 49152, startScaleB = 49664;
constexpr unsigned imageBytes = 51200;

/// From the first cell of a block's tensor memory; used by D, then A, then
/// scale factors.
constexpr unsigned columnA = 256, columnScaleA = 288, columnScaleB = 292;

bool isWide(const MmaCase &test) {
  return test.kind == "f8f6f4" || test.kind == "mxf8f6f4";
}

uint32_t makeDescriptor(const MmaCase &test) {
  auto getCode = [&](const std::string &type) -> uint32_t {
    if (test.kind == "f16")
      return type == "bf16";
    if (test.kind == "tf32")
      return 2;
    if (test.kind == "i8")
      return type == "s8";
    if (!isWide(test))
      return 1;
    return type == "e4m3"   ? 0
           : type == "e5m2" ? 1
           : type == "e2m3" ? 3
           : type == "e3m2" ? 4
                            : 5;
  };
  uint32_t bits = getCode(test.a) << 7 | getCode(test.b) << 10 |
                  test.negatesA << 13 | test.negatesB << 14 |
                  test.isMNMajorA << 15 | test.isMNMajorB << 16 |
                  test.n / 8 << 17 | test.m / 16 << 24;
  if (!test.scales)
    return bits | (test.kind == "i8" ? 2 : !test.isHalfD) << 4;
  return bits | test.scaleIdB << 4 | !test.isE4M3Scale << 23 |
         test.scaleIdA << 29;
}

std::string makeKernel(const MmaCase &test, uint64_t a, uint64_t b) {
  std::string ctas = std::to_string(test.ctas), loads, stores, scales, operands;
  for (unsigned c = 0; c < 256; c += 8) {
    loads += llvm::formatv(R"(
  ld.global.v4.b32 {{d0, d1, d2, d3}, [y+{0}];
  ld.global.v4.b32 {{d4, d5, d6, d7}, [y+{1}];
  tcgen05.st.sync.aligned.32x32b.x8.b32 [mine+{2}], {{d0, d1, d2, d3, d4, d5, d6, d7};)",
                           4 * c, 4 * c + 16, c);
    stores += llvm::formatv(R"(
  tcgen05.ld.sync.aligned.32x32b.x8.b32 {{d0, d1, d2, d3, d4, d5, d6, d7}, [mine+{2}];
  tcgen05.wait::ld.sync.aligned;
  st.global.v4.b32 [y+{0}], {{d0, d1, d2, d3};
  st.global.v4.b32 [y+{1}], {{d4, d5, d6, d7};)",
                            4 * c, 4 * c + 16, c);
  }
  uint64_t plain = uint64_t(1) << 46 | uint64_t(128 / 16) << 32;
  std::string form = ".kind::" + test.kind;
  if (test.scales) {
    form += test.kind == "mxf8f6f4" ? ".block_scale"
            : test.scales == 4      ? ".block_scale.block16"
                                    : ".block_scale.block32";
    for (auto [column, start] :
         {std::pair(columnScaleA, startScaleA),
          std::pair(columnScaleB, startScaleB),
          std::pair(columnScaleB + 4, startScaleB + 512)})
      scales += llvm::formatv(R"(
  add.u64 ds, base, {0};
  add.u32 v0, tm, {1};
  @lead tcgen05.cp.cta_group::{2}.32x128b.warpx4 [v0], ds;)",
                              plain | start >> 4, column, ctas);
    operands =
        llvm::formatv(", [tm+{0}], [tm+{1}]", columnScaleA, columnScaleB);
  } else if (test.disables) {
    operands = test.ctas == 2 ? ", {all, none, none, none, all, none, none, "
                                "none}"
                              : ", {all, none, none, none}";
  }
  return llvm::formatv(
      R"(.version 8.7
.target sm_100a
.address_size 64
.extern .shared .align 1024 .b8 smem[];
.shared .align 8 .b8 control[16];
.visible .entry k(.param .u64 image, .param .u64 out, .param .u64 tensor_a) {{
  .reg .pred p, first, lead, acc;
  .reg .b16 mask;
  .reg .b32 t, w, s, i, c, tm, mine, rank, all, none, v<8>, d<8>;
  .reg .b64 x, y, z, o, base, da, db, ds;
  mov.u32 t, %tid.x;
  mov.u32 rank, %cluster_ctarank;
  mov.u32 s, smem;
  mov.u32 c, control;
  shr.u32 w, t, 5;
  setp.eq.u32 first, w, 0;
  @first tcgen05.alloc.cta_group::{0}.sync.aligned.shared::cta.b32 [c], 512;
  setp.eq.u32 lead, t, 0;
  @lead mbarrier.init.shared::cta.b64 [c+8], 1;
  @lead fence.mbarrier_init.release.cluster;
  ld.param.u64 x, [image];
  mad.wide.u32 x, rank, {1}, x;
{15}  tcgen05.fence::before_thread_sync;
  bar.sync 0;
  tcgen05.fence::after_thread_sync;
  ld.shared.b32 tm, [c];
  shl.b32 mine, w, 21;
  add.u32 mine, mine, tm;
  ld.param.u64 y, [out];
  mad.wide.u32 y, rank, 131072, y;
  mad.wide.u32 y, t, 1024, y;
{2}
  ld.param.u64 z, [tensor_a];
  mad.wide.u32 z, rank, 4096, z;
  mad.wide.u32 z, t, 32, z;
  ld.global.v4.b32 {{d0, d1, d2, d3}, [z];
  ld.global.v4.b32 {{d4, d5, d6, d7}, [z+16];
  tcgen05.st.sync.aligned.32x32b.x8.b32 [mine+{3}], {{d0, d1, d2, d3, d4, d5, d6, d7};
  tcgen05.wait::st.sync.aligned;
  tcgen05.fence::before_thread_sync;
  barrier.cluster.arrive.release.aligned;
  barrier.cluster.wait.acquire.aligned;
  tcgen05.fence::after_thread_sync;
  setp.eq.and.u32 lead, rank, 0, lead;
  and.b32 v5, s, 0x3ffff;
  shr.u32 v5, v5, 4;
  cvt.u64.u32 base, v5;
  add.u64 da, base, {4};
  add.u64 db, base, {5};
  setp.ne.u32 acc, {6}, 0;
  mov.u32 all, -1;
  mov.u32 none, 0;
{7}
  @lead tcgen05.mma.cta_group::{0}{8} [tm], {9}, db, {10}{11}, acc{12};
  mov.b16 mask, {13};
  @lead tcgen05.commit.cta_group::{0}.mbarrier::arrive::one.shared::cluster.multicast::cluster.b64 [c+8], mask;
done:
  mbarrier.try_wait.parity.shared::cta.b64 p, [c+8], 0;
  @!p bra done;
  bar.warp.sync 0xffffffff;
  tcgen05.fence::after_thread_sync;
{14}
  tcgen05.fence::before_thread_sync;
  barrier.cluster.arrive.release.aligned;
  barrier.cluster.wait.acquire.aligned;
  tcgen05.fence::after_thread_sync;
  @first tcgen05.dealloc.cta_group::{0}.sync.aligned.b32 tm, 512;
  ret;
})",
      ctas, imageBytes, loads, columnA, a, b, int(test.accumulates), scales,
      form,
      test.isTensorA ? llvm::formatv("[tm+{0}]", columnA).str()
                     : std::string("da"),
      makeDescriptor(test), operands,
      test.scaleInput ? ", " + std::to_string(test.scaleInput) : "",
      test.ctas == 2 ? 3 : 1, stores, copyToShared(imageBytes));
}

/// A block's lane and column of D's element (layouts A, B, D and F).
struct Place {
  unsigned cta, lane, column;
};
Place getPlace(const MmaCase &test, unsigned m, unsigned n) {
  if (test.m == 256)
    return {m / 128, m % 128, n};
  if (test.ctas == 2)
    return {m / 64, m % 64 + (n < test.n / 2 ? 0 : 64), n % (test.n / 2)};
  if (test.m == 64)
    return {0, m % 16 + m / 16 * 32, n};
  return {0, m, n};
}

uint32_t encode(const MmaCase &test, double value) {
  if (test.kind == "i8")
    return int32_t(value);
  if (!test.isHalfD)
    return llvm::bit_cast<uint32_t>(float(value));
  // Multiples of a quarter below 2048.
  if (value == 0)
    return 0;
  int exponent = std::ilogb(value);
  return (value < 0 ? 0x8000 : 0) | (exponent + 15) << 10 |
         (uint32_t(std::ldexp(std::fabs(value), 10 - exponent)) & 0x3FF);
}

/// Codes of scales 1, 2, 1/2 and 4 for rows of a matrix.
struct Scales {
  Scales(unsigned rows, bool isE4M3, std::mt19937 &random) {
    static constexpr uint8_t e4m3[] = {0x38, 0x40, 0x30, 0x48};
    static constexpr uint8_t ue8m0[] = {127, 128, 126, 129};
    static constexpr double all[] = {1, 2, 0.5, 4};
    for (unsigned i = 0; i < rows * 4; ++i) {
      unsigned choice = random() % 4;
      codes.push_back(isE4M3 ? e4m3[choice] : ue8m0[choice]);
      values.push_back(all[choice]);
    }
  }
  double get(unsigned row, unsigned index) const {
    return values[row * 4 + index];
  }
  /// Row r of the block's rows goes to row r % 32 of 16 bytes, cell r / 32; 128
  /// rows lie together.
  void place(unsigned first, unsigned count, std::vector<uint8_t> &image,
             unsigned start) const {
    for (unsigned r = 0; r < count; ++r)
      for (unsigned s = 0; s < 4; ++s)
        image[start + r / 128 * 512 + r % 32 * 16 + r % 128 / 32 * 4 + s] =
            codes[(first + r) * 4 + s];
  }

  std::vector<uint8_t> codes;
  std::vector<double> values;
};

void check(const MmaCase &test) {
  std::mt19937 random(11);
  unsigned depth = test.a == "e2m1" && !isWide(test) ? 64
                   : test.kind == "f16"              ? 16
                   : test.kind == "tf32"             ? 8
                                                     : 32;
  Matrix a(test.a, test.m, depth, random), b(test.b, test.n, depth, random);
  if (test.isHardware) {
    a.elements.assign(a.elements.size(), {0x38, 1});
    b.elements.assign(b.elements.size(), {0x38, 1});
  }
  Scales scaleA(test.m, test.isE4M3Scale, random);
  Scales scaleB(test.n, test.isE4M3Scale, random);
  std::vector<uint32_t> words, tensorA(test.ctas * 1024);
  uint64_t da = 0, db = 0;
  unsigned rows = test.m / test.ctas, columns = test.n / test.ctas;
  for (unsigned cta = 0; cta < test.ctas; ++cta) {
    std::vector<uint8_t> image(imageBytes);
    da = place(a, cta * rows, rows,
               {test.swizzle, test.isMNMajorA, isWide(test)}, false, image, 0);
    db = place(b, cta * columns, columns,
               {test.swizzle, test.isMNMajorB, isWide(test)}, false, image,
               startB);
    scaleA.place(cta * rows, rows, image, startScaleA);
    scaleB.place(0, test.n, image, startScaleB);
    words.resize(words.size() + imageBytes / 4);
    std::memcpy(&words[cta * imageBytes / 4], image.data(), imageBytes);
  }
  // A's rows in the lanes of D's.
  for (unsigned m = 0; m < test.m; ++m)
    for (unsigned n : {0u, test.n - 1}) {
      Place at = getPlace(test, m, n);
      std::memcpy(&tensorA[at.cta * 1024 + at.lane * 8],
                  packRow(a, m, isWide(test)).data(), 32);
    }
  std::vector<uint32_t> out(test.ctas * 128 * 256), want(out.size());
  for (uint32_t &cell : out)
    cell = encode(test, test.isHardware ? largeC : int(random() % 9) - 4);
  want = out;
  for (unsigned m = 0; m < test.m; ++m)
    for (unsigned n = 0; n < test.n; ++n) {
      Place at = getPlace(test, m, n);
      if (test.disables && at.lane < 32)
        continue;
      uint32_t &cell = want[(at.cta * 128 + at.lane) * 256 + at.column];
      double sum = 0;
      for (unsigned k = 0; k < depth; ++k) {
        double product = a.at(m, k).value * b.at(n, k).value;
        if (test.scales) {
          unsigned s = k / (depth / test.scales);
          product *= scaleA.get(m, test.scaleIdA + s) *
                     scaleB.get(n, test.scaleIdB + s);
        }
        sum += product;
      }
      if (test.negatesA != test.negatesB)
        sum = -sum;
      if (test.accumulates)
        for (int c = -4; c <= 4; ++c)
          if (encode(test, c) == cell) {
            sum += std::ldexp(c, -int(test.scaleInput));
            break;
          }
      if (test.isHardware)
        sum = largeC;
      cell = encode(test, sum);
    }
  mx::ptx::ExecutionOptions options;
  if (test.isRandom)
    options.completion = mx::ptx::Completion::Random;
  if (test.isHardware)
    options.accumulate = mx::ptx::Accumulate::Hardware;
  options.seed = 3;
  options.strict = true;
  ASSERT_EQ(run(makeKernel(test, da, db), test.ctas, imageBytes,
                {&words, &out, &tensorA}, options),
            "");
  EXPECT_EQ(out, want) << test.kind << " " << test.a << " " << test.b << " m"
                       << test.m << " n" << test.n;
}

TEST(Tcgen05Test, DenseKinds) {
  check({"f16", "f16", "f16", 128, 64});
  check({"f16", "bf16", "bf16", 64, 40});
  check({"f16", "f16", "bf16", 128, 32});
  check({"tf32", "tf32", "tf32", 128, 16});
  for (const char *a : {"e4m3", "e5m2", "e2m3", "e3m2", "e2m1"})
    for (const char *b : {"e4m3", "e5m2", "e2m3", "e3m2", "e2m1"})
      check({"f8f6f4", a, b, 64, 8});
  for (const char *a : {"s8", "u8"})
    for (const char *b : {"s8", "u8"})
      check({"i8", a, b, 128, 48});
  MmaCase half{"f16", "f16", "f16", 128, 16};
  half.isHalfD = true;
  check(half);
  half = {"f8f6f4", "e4m3", "e5m2", 64, 16};
  half.isHalfD = true;
  check(half);
}

TEST(Tcgen05Test, Layouts) {
  for (unsigned swizzle : {16, 32, 64, 128}) {
    check({"f8f6f4", "e4m3", "e4m3", 128, 64, 1, false, swizzle});
    for (bool isMNMajorA : {false, true})
      for (bool isMNMajorB : {false, true}) {
        check({"f16", "f16", "f16", 128, 64, 1, false, swizzle, isMNMajorA,
               isMNMajorB});
        check({"f8f6f4", "e4m3", "e5m2", 128, 128, 1, false, swizzle,
               isMNMajorA, isMNMajorB});
      }
  }
}

TEST(Tcgen05Test, BlockScales) {
  for (unsigned id : {0, 1, 2, 3}) {
    MmaCase test{"mxf8f6f4", "e4m3", "e2m1", 128, 136};
    test.scales = 1;
    test.scaleIdA = id;
    test.scaleIdB = 3 - id;
    check(test);
  }
  for (unsigned id : {0, 2}) {
    MmaCase test{"mxf4", "e2m1", "e2m1", 128, 256};
    test.scales = 2;
    test.scaleIdA = id;
    check(test);
    test.kind = "mxf4nvf4";
    check(test);
  }
  for (bool isE4M3 : {false, true}) {
    MmaCase test{"mxf4nvf4", "e2m1", "e2m1", 128, 64};
    test.scales = 4;
    test.isE4M3Scale = isE4M3;
    check(test);
  }
}

TEST(Tcgen05Test, PairsOfBlocks) {
  for (bool isRandom : {false, true})
    for (unsigned m : {128, 256}) {
      MmaCase test{"f8f6f4", "e4m3", "e4m3", m, 64, 2};
      test.isRandom = isRandom;
      check(test);
      test.isTensorA = true;
      check(test);
      test = {"mxf8f6f4", "e4m3", "e5m2", m, 64, 2};
      test.isRandom = isRandom;
      test.scales = 1;
      // With M = 128 columns from N / 2 on take the scale factors of lanes 64
      // to 127, which this kernel's copy does not fill by itself.
      if (m == 256)
        check(test);
    }
}

TEST(Tcgen05Test, TensorMemoryA) {
  for (unsigned m : {64, 128}) {
    check({"f16", "bf16", "bf16", m, 32, 1, true});
    check({"f8f6f4", "e2m1", "e4m3", m, 32, 1, true});
    check({"f8f6f4", "e3m2", "e4m3", m, 32, 1, true});
    check({"i8", "s8", "u8", m, 32, 1, true});
    check({"tf32", "tf32", "tf32", m, 32, 1, true});
  }
  MmaCase test{"mxf4", "e2m1", "e2m1", 128, 32, 1, true};
  test.scales = 2;
  check(test);
}

TEST(Tcgen05Test, Modifiers) {
  MmaCase test{"f16", "bf16", "bf16", 128, 32};
  test.negatesA = true;
  check(test);
  test.negatesB = true;
  check(test);
  test.scaleInput = 2;
  check(test);
  test.disables = true;
  check(test);
  test.accumulates = false;
  test.scaleInput = 0;
  check(test);
  MmaCase pair{"f16", "f16", "f16", 256, 32, 2};
  pair.disables = true;
  check(pair);
}

TEST(Tcgen05Test, Hardware) {
  MmaCase test{"f8f6f4", "e4m3", "e4m3", 128, 16};
  test.isHardware = true;
  check(test);
}
} // namespace
