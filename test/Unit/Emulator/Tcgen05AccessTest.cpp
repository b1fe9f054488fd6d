// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tcgen05.ld, st, cp and shift: where registers and rows of shared memory lie
// in tensor memory (PTX ISA 9.7.16.2.3, 9.7.16.9).

#include "MatrixKernel.h"

#include "llvm/Support/FormatVariadic.h"

#include <gtest/gtest.h>

#include <functional>

using namespace mx::ptx::test;

namespace {
constexpr unsigned columns = 64, lanes = 128;

/// What each cell holds at first.
uint32_t makeCell(unsigned lane, unsigned column) {
  return 0x10001 * (lane * 256 + column);
}

std::string makeList(const char *prefix, unsigned first, unsigned count) {
  std::string list = "{";
  for (unsigned i = first; i < first + count; ++i)
    list += (i == first ? "" : ", ") + (prefix + std::to_string(i));
  return list + "}";
}

/// A kernel of four warps that fills 64 columns from `cells`, lets `body` work
/// and writes them back; `out` and `image` are for the body. Registers e0 to
/// e127 are undefined.
std::string makeKernel(const std::string &target, const std::string &body) {
  std::string loads, stores;
  for (unsigned c = 0; c < columns; c += 4) {
    loads += llvm::formatv("  ld.global.v4.b32 {0}, [y+{1}];\n",
                           makeList("d", c, 4), 4 * c);
    stores += llvm::formatv("  st.global.v4.b32 [y+{1}], {0};\n",
                            makeList("d", c, 4), 4 * c);
  }
  return llvm::formatv(R"(.version 8.8
.target {0}
.address_size 64
.extern .shared .align 1024 .b8 smem[];
.shared .align 8 .b8 control[16];
.visible .entry k(.param .u64 cells, .param .u64 out, .param .u64 image) {{
  .reg .pred p, first, lead;
  .reg .b32 t, w, s, c, tm, mine, red, v<8>, d<64>, e<128>;
  .reg .b64 x, y, z, ds;
  mov.u32 t, %tid.x;
  shr.u32 w, t, 5;
  mov.u32 c, control;
  mov.u32 s, smem;
  setp.eq.u32 first, w, 0;
  setp.eq.u32 lead, t, 0;
  @first tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [c], 64;
  @lead mbarrier.init.shared::cta.b64 [c+8], 1;
  ld.param.u64 x, [image];
  mad.wide.u32 x, t, 32, x;
  ld.global.v4.b32 {{v0, v1, v2, v3}, [x];
  ld.global.v4.b32 {{v4, v5, v6, v7}, [x+16];
  mad.lo.u32 red, t, 32, s;
  st.shared.v4.b32 [red], {{v0, v1, v2, v3};
  st.shared.v4.b32 [red+16], {{v4, v5, v6, v7};
  fence.proxy.async;
  bar.sync 0;
  ld.shared.b32 tm, [c];
  shl.b32 mine, w, 21;
  add.u32 mine, mine, tm;
  ld.param.u64 y, [cells];
  mad.wide.u32 y, t, 256, y;
  ld.param.u64 z, [out];
  mad.wide.u32 z, t, 512, z;
{1}
  tcgen05.st.sync.aligned.32x32b.x64.b32 [mine], {3};
  tcgen05.wait::st.sync.aligned;
  bar.sync 0;
{4}
  bar.sync 0;
  tcgen05.ld.sync.aligned.32x32b.x64.b32 {3}, [mine];
  tcgen05.wait::ld.sync.aligned;
{2}
  bar.sync 0;
  @first tcgen05.dealloc.cta_group::1.sync.aligned.b32 tm, 64;
  ret;
})",
                       target, loads, stores, makeList("d", 0, columns), body);
}

struct Buffers {
  std::vector<uint32_t> cells, out, image;

  Buffers() : out(lanes * 128), image(1024) {
    for (unsigned lane = 0; lane < lanes; ++lane)
      for (unsigned c = 0; c < columns; ++c)
        cells.push_back(makeCell(lane, c));
    for (unsigned i = 0; i < image.size(); ++i)
      image[i] = 0x80000000 + i;
  }
  std::string run(const std::string &body, const char *target = "sm_100a") {
    return mx::ptx::test::run(makeKernel(target, body), 1, 4096,
                              {&cells, &out, &image});
  }
};

std::string storeRegisters(unsigned count) {
  std::string text;
  for (unsigned i = 0; i < count; ++i)
    text += llvm::formatv("  st.global.b32 [z+{0}], e{1};\n", 4 * i, i);
  return text;
}
std::string loadRegisters(unsigned count) {
  std::string text;
  for (unsigned i = 0; i < count; ++i)
    text += llvm::formatv("  ld.global.b32 e{1}, [z+{0}];\n", 4 * i, i);
  return text;
}

/// Register i of lane t: lane and column.
using Map = std::function<std::pair<unsigned, unsigned>(unsigned, unsigned)>;

struct Shape {
  std::string name;
  /// Registers of x1, and which repetitions fill at most 64 columns.
  unsigned registers;
  std::vector<unsigned> repetitions;
  bool isHalf;
  Map map;
};

const std::vector<Shape> &getShapes() {
  static const std::vector<Shape> shapes = {
      {"32x32b",
       1,
       {1, 2, 4, 8, 16, 32, 64},
       false,
       [](unsigned t, unsigned i) { return std::pair(t, i); }},
      {"16x64b",
       1,
       {1, 2, 4, 8, 16, 32},
       true,
       [](unsigned t, unsigned i) {
         return std::pair(t / 4 + t % 2 * 8, 2 * i + t / 2 % 2);
       }},
      {"16x128b",
       2,
       {1, 2, 4, 8, 16},
       true,
       [](unsigned t, unsigned i) {
         return std::pair(t / 4 + i % 2 * 8, i / 2 * 4 + t % 4);
       }},
      {"16x256b",
       4,
       {1, 2, 4, 8},
       true,
       [](unsigned t, unsigned i) {
         return std::pair(t / 4 + i / 2 % 2 * 8, i / 4 * 8 + t % 4 * 2 + i % 2);
       }},
  };
  return shapes;
}

TEST(Tcgen05AccessTest, Loads) {
  for (const Shape &shape : getShapes())
    for (unsigned n : shape.repetitions)
      for (unsigned half = 0; half <= unsigned(shape.isHalf); ++half)
        for (bool isPacked : {false, true}) {
          if (isPacked && n == shape.repetitions.back())
            continue;
          unsigned count = shape.registers * n;
          Buffers buffers;
          ASSERT_EQ(
              buffers.run(llvm::formatv(
                              "  tcgen05.ld.sync.aligned.{0}.x{1}{2}.b32 {3}, "
                              "[mine+{4}];\n"
                              "  tcgen05.wait::ld.sync.aligned;\n",
                              shape.name, n, isPacked ? ".pack::16b" : "",
                              makeList("e", 0, count), half << 20)
                              .str() +
                          storeRegisters(count)),
              "");
          for (unsigned t = 0; t < lanes; ++t)
            for (unsigned i = 0; i < count; ++i) {
              auto [lane, column] = shape.map(t % 32, i);
              lane += t / 32 * 32 + 16 * half;
              uint32_t want = makeCell(lane, column);
              if (isPacked)
                want = (makeCell(lane, 2 * column) & 0xFFFF) |
                       makeCell(lane, 2 * column + 1) << 16;
              ASSERT_EQ(buffers.out[t * 128 + i], want)
                  << shape.name << " x" << n << " thread " << t << " register "
                  << i;
            }
        }
}

TEST(Tcgen05AccessTest, Stores) {
  for (const Shape &shape : getShapes())
    for (unsigned n : shape.repetitions) {
      unsigned count = shape.registers * n;
      Buffers buffers;
      for (unsigned i = 0; i < buffers.out.size(); ++i)
        buffers.out[i] = 0xA0000000 + i;
      std::vector<uint32_t> want = buffers.cells;
      for (unsigned t = 0; t < lanes; ++t)
        for (unsigned i = 0; i < count; ++i) {
          auto [lane, column] = shape.map(t % 32, i);
          want[(lane + t / 32 * 32) * columns + column] =
              buffers.out[t * 128 + i];
        }
      ASSERT_EQ(
          buffers.run(loadRegisters(count) +
                      llvm::formatv("  tcgen05.st.sync.aligned.{0}.x{1}.b32 "
                                    "[mine], {2};\n"
                                    "  tcgen05.wait::st.sync.aligned;\n",
                                    shape.name, n, makeList("e", 0, count))
                          .str()),
          "");
      EXPECT_EQ(buffers.cells, want) << shape.name << " x" << n;
    }
}

/// Lanes 0 to 15 of the warp have the columns from 0 on, the others those from
/// the offset on.
TEST(Tcgen05AccessTest, SplitHalves) {
  Buffers buffers;
  ASSERT_EQ(
      buffers.run("  tcgen05.ld.sync.aligned.16x32bx2.x4.b32 " +
                  makeList("e", 0, 4) +
                  ", [mine+8], 20;\n"
                  "  tcgen05.wait::ld.sync.aligned;\n"
                  "  tcgen05.st.sync.aligned.16x32bx2.x4.b32 [mine], 40, " +
                  makeList("e", 0, 4) +
                  ";\n"
                  "  tcgen05.wait::st.sync.aligned;\n"),
      "");
  for (unsigned lane = 0; lane < lanes; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      bool isUsed = lane % 32 < 16;
      EXPECT_EQ(buffers.cells[lane * columns + i],
                makeCell(lane, isUsed ? 8 + i : i));
      EXPECT_EQ(buffers.cells[lane * columns + 40 + i],
                makeCell(lane, isUsed ? 28 + i : 40 + i));
    }
}

/// unpack::16b leaves the upper halves undefined: only pack::16b may read them.
TEST(Tcgen05AccessTest, Unpacking) {
  std::string unpack =
      "  mov.u32 e0, 0x12345678;\n"
      "  tcgen05.st.sync.aligned.32x32b.x1.unpack::16b.b32 [mine+2], {e0};\n"
      "  tcgen05.wait::st.sync.aligned;\n";
  Buffers buffers;
  EXPECT_NE(buffers.run(unpack).find("column 2 of tensor memory was never "
                                     "written"),
            std::string::npos);
  ASSERT_EQ(buffers.run(
                unpack +
                "  tcgen05.ld.sync.aligned.32x32b.x1.pack::16b.b32 {e1}, "
                "[mine+2];\n"
                "  tcgen05.wait::ld.sync.aligned;\n"
                "  st.global.b32 [z], e1;\n"
                "  tcgen05.st.sync.aligned.32x32b.x2.b32 [mine+2], {e0, e0};\n"
                "  tcgen05.wait::st.sync.aligned;\n"),
            "");
  EXPECT_EQ(buffers.out[0], 0x12345678u);
}

TEST(Tcgen05AccessTest, Reductions) {
  auto reduce = [](const char *form) {
    Buffers buffers;
    EXPECT_EQ(buffers.run("  tcgen05.st.sync.aligned.32x32b.x4.b32 [mine], "
                          "{v0, v1, v2, v3};\n"
                          "  tcgen05.wait::st.sync.aligned;\n"
                          "  mov.b32 v4, 0xbf800000;\n" // -1
                          "  mov.b32 v5, 0x40000000;\n" // 2
                          "  mov.b32 v6, 0x7fc00000;\n" // NaN
                          "  mov.b32 v7, 0xc0400000;\n" // -3
                          "  tcgen05.st.sync.aligned.32x32b.x4.b32 [mine], "
                          "{v4, v5, v6, v7};\n"
                          "  tcgen05.wait::st.sync.aligned;\n"
                          "  tcgen05.ld.red.sync.aligned.32x32b.x4." +
                              std::string(form) +
                              " {e0, e1, e2, e3}, red, [mine];\n"
                              "  tcgen05.wait::ld.sync.aligned;\n"
                              "  st.global.b32 [z], red;\n",
                          "sm_103a"),
              "");
    return buffers.out[37 * 128];
  };
  EXPECT_EQ(reduce("min.f32"), 0xC0400000u);
  EXPECT_EQ(reduce("max.f32"), 0x40000000u);
  EXPECT_EQ(reduce("max.abs.f32"), 0x40400000u);
  EXPECT_EQ(reduce("min.NaN.f32"), 0x7FFFFFFFu);
  EXPECT_EQ(reduce("max.u32"), 0xC0400000u);
  EXPECT_EQ(reduce("min.s32"), 0xBF800000u);
}

/// Rows of 16 or 32 bytes, in core matrices of 8 x 16 bytes: 256 bytes a group
/// of eight rows.
TEST(Tcgen05AccessTest, Copies) {
  struct Copy {
    std::string name;
    unsigned rows, rowWords;
    std::function<std::vector<unsigned>(unsigned)> lanes;
  };
  using Lanes = std::vector<unsigned>;
  const Copy copies[] = {
      {"128x256b", 128, 8, [](unsigned r) { return Lanes{r}; }},
      {"128x128b", 128, 4, [](unsigned r) { return Lanes{r}; }},
      {"4x256b", 4, 8, [](unsigned r) { return Lanes{32 * r}; }},
      {"64x128b.warpx2::02_13", 64, 4,
       [](unsigned r) { return Lanes{r, r + 64}; }},
      {"64x128b.warpx2::01_23", 64, 4,
       [](unsigned r) {
         return r < 32 ? Lanes{r, r + 32} : Lanes{r + 32, r + 64};
       }},
      {"32x128b.warpx4", 32, 4,
       [](unsigned r) { return Lanes{r, r + 32, r + 64, r + 96}; }},
  };
  for (const Copy &copy : copies) {
    Buffers buffers;
    std::vector<uint32_t> want = buffers.cells;
    for (unsigned r = 0; r < copy.rows; ++r)
      for (unsigned c = 0; c < copy.rowWords; ++c)
        for (unsigned lane : copy.lanes(r))
          want[lane * columns + 16 + c] =
              buffers.image[r / 8 * 64 + c / 4 * 32 + r % 8 * 4 + c % 4];
    uint64_t descriptor =
        uint64_t(1) << 46 | uint64_t(256 / 16) << 32 | 128 / 16 << 16;
    ASSERT_EQ(buffers.run(llvm::formatv(R"(
  shr.u32 s, s, 4;
  cvt.u64.u32 ds, s;
  add.u64 ds, ds, {0};
  add.u32 e0, tm, 16;
  @lead tcgen05.cp.cta_group::1.{1} [e0], ds;
  @lead tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [c+8];
done:
  mbarrier.try_wait.parity.shared::cta.b64 p, [c+8], 0;
  @!p bra done;
  bar.warp.sync 0xffffffff;
)",
                                        descriptor, copy.name)),
              "");
    EXPECT_EQ(buffers.cells, want) << copy.name;
  }
}

TEST(Tcgen05AccessTest, Shift) {
  Buffers buffers;
  std::vector<uint32_t> want = buffers.cells;
  for (unsigned lane = 32; lane < 63; ++lane)
    for (unsigned c = 8; c < 16; ++c)
      want[lane * columns + c] = makeCell(lane + 1, c);
  ASSERT_EQ(buffers.run(R"(
  add.u32 e0, tm, 0x200008;
  @lead tcgen05.shift.cta_group::1.down [e0];
  @lead tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [c+8];
done:
  mbarrier.try_wait.parity.shared::cta.b64 p, [c+8], 0;
  @!p bra done;
  bar.warp.sync 0xffffffff;
)"),
            "");
  EXPECT_EQ(buffers.cells, want);
}
} // namespace
