// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads, stores, moves and address spaces (PTX ISA 9.7.9), atomics and
// reductions (9.7.13.5, .6), whose lanes update in ascending order.

#include "Execute.h"

#include "llvm/ADT/APFloat.h"

#include "gtest/gtest.h"

#include <functional>

using namespace mx::ptx;
using namespace mx::ptx::test;
using llvm::APFloat;
using llvm::APInt;

namespace {
/// 1 KiB of shared memory; %slot is the thread's own 16 bytes of it.
const char *const slots =
    ".shared .align 16 .b8 memory[1024]; .reg .b32 %slot, %base; .reg .b64 "
    "%generic; mov.b32 %base, memory; mad.lo.s32 %slot, %thread, 16, %base; "
    "cvt.u64.u32 %generic, %slot; cvta.shared.u64 %generic, %generic;\n";

Outcome run(const std::string &text, std::vector<unsigned> outputs,
            std::vector<unsigned> inputs,
            const std::vector<std::vector<uint64_t>> &values) {
  return execute({slots + text, outputs, inputs}, values);
}
std::vector<uint64_t> iota(uint64_t first, unsigned count = 32) {
  std::vector<uint64_t> list;
  for (unsigned i = 0; i < count; ++i)
    list.push_back(first + i);
  return list;
}
} // namespace

TEST(Memory, EveryWidthAndSpace) {
  std::vector<uint64_t> a = {0x80F1E2D3C4B5A697, 0x0123456789ABCDEF};
  for (const char *space : {"shared", "local", "generic"})
    for (unsigned bits : {8u, 16u, 32u, 64u}) {
      std::string address = space == std::string("shared")    ? "%slot"
                            : space == std::string("generic") ? "%generic"
                                                              : "bytes";
      std::string dot =
          space == std::string("generic") ? "" : std::string(".") + space;
      std::string width = std::to_string(bits);
      // A wider register is extended by the type's sign.
      Outcome outcome =
          run(".local .align 16 .b8 bytes[16]; st" + dot + ".b" + width + " [" +
                  address + "+8], %i0; ld" + dot + ".u" + width + " %o0, [" +
                  address + "+8]; ld" + dot + ".s" + width + " %o1, [" +
                  address + "+8];",
              {64, 64}, {64}, {a});
      ASSERT_EQ(outcome.error, "") << space << bits;
      for (size_t i = 0; i < a.size(); ++i) {
        uint64_t shift = 64 - bits;
        EXPECT_EQ(outcome.values[0][i], a[i] << shift >> shift);
        EXPECT_EQ(outcome.values[1][i],
                  uint64_t(int64_t(a[i] << shift) >> shift));
      }
    }
}

TEST(Memory, VectorsAnd128Bits) {
  Outcome outcome =
      run("{ .reg .b128 %q, %r; .reg .v2 .b32 %v; .reg .b32 %x; .reg .b64 %y;\n"
          "mov.b128 %q, {%i0, %i1}; st.shared.b128 [%slot], %q;\n"
          "ld.shared.v2.b64 {%o0, %o1}, [%slot]; ld.shared.b128 %r, [%slot];\n"
          "mov.b128 {%o2, %o3}, %r; ld.shared.v4.b32 {_, _, %x, _}, [%slot];\n"
          "cvt.u64.u32 %o4, %x; ld.shared.v2.b32 %v, [%slot+8];\n"
          "cvt.u64.u32 %o5, %v.y; mov.b64 %o6, {%x, %v.x}; }",
          std::vector<unsigned>(7, 64), {64, 64},
          {iota(0x1111111122222222), iota(0x3333333344444444)});
  ASSERT_EQ(outcome.error, "");
  for (unsigned i = 0; i < 32; ++i) {
    uint64_t low = 0x1111111122222222 + i, high = 0x3333333344444444 + i;
    EXPECT_EQ(outcome.values[0][i], low);
    EXPECT_EQ(outcome.values[1][i], high);
    EXPECT_EQ(outcome.values[2][i], low);
    EXPECT_EQ(outcome.values[3][i], high);
    EXPECT_EQ(outcome.values[4][i], high & UINT32_MAX);
    EXPECT_EQ(outcome.values[5][i], high >> 32);
    EXPECT_EQ(outcome.values[6][i], (high & UINT32_MAX) | (high & UINT32_MAX)
                                                              << 32);
  }
}

/// Caches, orders and scopes that change no value, in many spellings.
TEST(Memory, Modifiers) {
  for (const char *load :
       {"ld.global.nc.b64 %o0, [%from]", "ld.global.ca.b64 %o0, [%from]",
        "ld.global.cv.b64 %o0, [%from]", "ld.volatile.global.b64 %o0, [%from]",
        "ld.relaxed.gpu.global.b64 %o0, [%from]",
        "ld.acquire.sys.global.b64 %o0, [%from]",
        "ld.global.L1::no_allocate.b64 %o0, [%from]",
        "ld.global.nc.L1::evict_last.L2::128B.b64 %o0, [%from]",
        "createpolicy.fractional.L2::evict_first.b64 %word, 1.0; "
        "ld.global.L2::cache_hint.b64 %o0, [%from], %word",
        "prefetch.global.L2 [%from]; prefetchu.L1 [%from]; "
        "ldu.global.b64 %o0, [%from]",
        "applypriority.global.L2::evict_normal [%from], 128; "
        "ld.global.b64 %o0, [%from]"}) {
    Outcome outcome = run(std::string(load) + ";", {64}, {64}, {iota(5)});
    EXPECT_EQ(outcome.error, "") << load;
    if (outcome.error.empty()) {
      EXPECT_EQ(outcome.values[0], iota(5));
    }
  }
  for (const char *store :
       {"st.shared.b64 [%slot], %i0", "st.volatile.shared.b64 [%slot], %i0",
        "st.release.cta.shared.b64 [%slot], %i0",
        "st.shared::cta.relaxed.cta.b64 [%slot], %i0",
        "st.wt.b64 [%generic], %i0"}) {
    Outcome outcome = run(std::string(store) + "; ld.shared.b64 %o0, [%slot];",
                          {64}, {64}, {iota(7)});
    EXPECT_EQ(outcome.error, "") << store;
    if (outcome.error.empty()) {
      EXPECT_EQ(outcome.values[0], iota(7));
    }
  }
}

TEST(Memory, Spaces) {
  Outcome outcome = run(
      "{ .local .b32 mine; .reg .b64 %l; mov.b64 %l, mine; cvta.local.u64 %l, "
      "%l;\n"
      "isspacep.shared %o0, %generic; isspacep.global %o1, %generic;\n"
      "isspacep.global %o2, %from; isspacep.local %o3, %l; isspacep.shared "
      "%o4, %l;\n"
      "cvta.to.shared.u64 %o5, %generic; isspacep.shared::cluster %o6, "
      "%generic; }",
      {1, 1, 1, 1, 1, 64, 1}, {}, {});
  ASSERT_EQ(outcome.error, "");
  std::vector<uint64_t> yes(32, 1), no(32, 0);
  EXPECT_EQ(outcome.values[0], yes);
  EXPECT_EQ(outcome.values[1], no);
  EXPECT_EQ(outcome.values[2], yes);
  EXPECT_EQ(outcome.values[3], yes);
  EXPECT_EQ(outcome.values[4], no);
  EXPECT_EQ(outcome.values[5][1] - outcome.values[5][0], 16u);
  EXPECT_EQ(outcome.values[6], yes);
}

TEST(Memory, BulkStoreAndDiscard) {
  Outcome outcome = run(
      "st.shared.b64 [%slot], %i0; st.shared.b64 [%slot+8], %i0; st.bulk.weak"
      ".shared::cta [%slot], 8, 0; ld.shared.v2.b64 {%o0, %o1}, [%slot];",
      {64, 64}, {64}, {iota(9)});
  ASSERT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.values[0], std::vector<uint64_t>(32, 0));
  EXPECT_EQ(outcome.values[1], iota(9));
  // What was discarded has no value.
  outcome = execute({"{ .reg .pred %p; bar.warp.sync -1; setp.ne.u32 %p, "
                     "%thread, 0; @%p ret; "
                     "discard.global.L2 [%from], 128; ld.global.b64 %o0, "
                     "[%from+64]; }",
                     {64},
                     {64}},
                    {iota(1)});
  EXPECT_NE(outcome.error.find("was never written"), std::string::npos)
      << outcome.error;
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

namespace {
using Update = std::function<uint64_t(uint64_t, uint64_t)>;

/// All lanes update one word of shared memory, by atom (which returns the old
/// value) and, in another word, by red.
void check(const std::string &opcode, const std::string &type, unsigned bits,
           uint64_t initial, const std::vector<uint64_t> &operands,
           const Update &update, bool hasRed = true) {
  SCOPED_TRACE(opcode + "." + type);
  std::string width = std::to_string(bits);
  Outcome outcome = run(
      "{ .reg .pred %p; .reg .b" + width + " %start; mov.b" + width +
          " %start, " + std::to_string(initial) +
          "; setp.eq.u32 %p, %thread, 0; @%p st.shared.b" + width +
          " [%base], %start; @%p st.shared.b" + width +
          " [%base+16], %start; bar.sync 0;\n" + "atom.shared." + opcode + "." +
          type + " %o0, [%base], %i0;\n" +
          (hasRed ? "red.shared." + opcode + "." + type + " [%base+16], %i0;\n"
                  : "") +
          "bar.sync 0; ld.shared.b" + width + " %o1, [%base]; ld.shared.b" +
          width + " %o2, [%base+16]; }",
      {bits, bits, bits}, {bits}, {operands});
  ASSERT_EQ(outcome.error, "");
  uint64_t value = initial;
  for (unsigned i = 0; i < 32; ++i) {
    ASSERT_EQ(outcome.values[0][i], value) << i;
    value = update(value, operands[i]);
  }
  ASSERT_EQ(outcome.values[1][0], value);
  ASSERT_EQ(outcome.values[2][0], hasRed ? value : initial);
}
std::vector<uint64_t> take(unsigned bits) {
  std::vector<uint64_t> patterns = getPatterns(bits, 32);
  patterns.resize(32);
  return patterns;
}

uint64_t addFloat(const llvm::fltSemantics &semantics, unsigned bits,
                  uint64_t nan, uint64_t a, uint64_t b) {
  APFloat x(semantics, APInt(bits, a)), y(semantics, APInt(bits, b));
  x.add(y, APFloat::rmNearestTiesToEven);
  return x.isNaN() ? nan : x.bitcastToAPInt().getZExtValue();
}
} // namespace

TEST(Atomics, Integers) {
  for (unsigned bits : {32u, 64u}) {
    std::string width = std::to_string(bits);
    uint64_t mask = bits == 64 ? ~uint64_t(0) : UINT32_MAX;
    auto asSigned = [=](uint64_t v) {
      return int64_t(v << (64 - bits)) >> (64 - bits);
    };
    std::vector<uint64_t> v = take(bits);
    check("add", "u" + width, bits, 5, v,
          [=](uint64_t a, uint64_t b) { return (a + b) & mask; });
    check("min", "u" + width, bits, 1000, v,
          [](uint64_t a, uint64_t b) { return std::min(a, b); });
    check("max", "u" + width, bits, 0, v,
          [](uint64_t a, uint64_t b) { return std::max(a, b); });
    check("min", "s" + width, bits, 1000, v, [=](uint64_t a, uint64_t b) {
      return asSigned(a) < asSigned(b) ? a : b;
    });
    check("max", "s" + width, bits, 1, v, [=](uint64_t a, uint64_t b) {
      return asSigned(a) < asSigned(b) ? b : a;
    });
    check("and", "b" + width, bits, mask, v,
          [](uint64_t a, uint64_t b) { return a & b; });
    check("or", "b" + width, bits, 0, v,
          [](uint64_t a, uint64_t b) { return a | b; });
    check("xor", "b" + width, bits, 3, v,
          [](uint64_t a, uint64_t b) { return a ^ b; });
    check(
        "exch", "b" + width, bits, 3, v, [](uint64_t, uint64_t b) { return b; },
        false);
  }
  check("add", "s32", 32, 5, take(32),
        [](uint64_t a, uint64_t b) { return (a + b) & UINT32_MAX; });
  std::vector<uint64_t> limits(32, 4);
  check("inc", "u32", 32, 2, limits,
        [](uint64_t a, uint64_t b) { return a >= b ? 0 : a + 1; });
  check("dec", "u32", 32, 7, limits,
        [](uint64_t a, uint64_t b) { return a == 0 || a > b ? b : a - 1; });
}

TEST(Atomics, Floats) {
  check("add", "f32", 32, 0x3F800000, take(32), [](uint64_t a, uint64_t b) {
    return addFloat(APFloat::IEEEsingle(), 32, 0x7FFFFFFF, a, b);
  });
  check("add", "f64", 64, 0x3FF0000000000000, take(64),
        [](uint64_t a, uint64_t b) {
          return addFloat(APFloat::IEEEdouble(), 64, 0x7FF8000000000000, a, b);
        });
  for (bool isBrain : {false, true}) {
    const llvm::fltSemantics &semantics =
        isBrain ? APFloat::BFloat() : APFloat::IEEEhalf();
    std::string type = isBrain ? "bf16" : "f16";
    auto add = [&](uint64_t a, uint64_t b) {
      return addFloat(semantics, 16, 0x7FFF, a & 0xFFFF, b & 0xFFFF);
    };
    check("add.noftz", type, 16, 0x3C00, take(16), add);
    std::vector<uint64_t> pairs = take(16);
    for (uint64_t &v : pairs)
      v |= (v ^ 0x8101) << 16;
    check("add.noftz", type + "x2", 32, 0x3C003800, pairs,
          [&](uint64_t a, uint64_t b) {
            return add(a, b) | add(a >> 16, b >> 16) << 16;
          });
  }
}

/// In global memory atom.add.f32 flushes subnormals, vectors are allowed, and
/// so are swaps of 16 and 128 bits.
TEST(Atomics, Global) {
  Outcome outcome = execute(
      {"atom.global.add.f32 %o0, [%from], %i1; ld.global.b32 %o1, [%from];\n",
       {32, 32},
       {32, 32}},
      {std::vector<uint64_t>(32, 0x00000001), std::vector<uint64_t>(32, 2)});
  ASSERT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.values[0][0], 1u);
  EXPECT_EQ(outcome.values[1][0], 0u);

  // Two words of a vector; %from is the thread's own 8 bytes.
  outcome = execute({"red.global.add.v2.f32 [%from], {%i1, %i2}; "
                     "atom.global.v4.f16.max.noftz {%o2, _, _, %o3}, [%from], "
                     "{%i3, %i3, %i3, %i3}; ld.global.v2.b32 {%o0, %o1}, "
                     "[%from];",
                     {32, 32, 16, 16},
                     {64, 32, 32, 16}},
                    {std::vector<uint64_t>(32, 0x3F80000040000000),
                     std::vector<uint64_t>(32, 0x3F800000),
                     std::vector<uint64_t>(32, 0x40000000),
                     std::vector<uint64_t>(32, 0x4100)});
  ASSERT_EQ(outcome.error, "");
  // 2 + 1 and 1 + 2 are 0x40400000; their halves 0x0000 and 0x4040 rise to
  // 0x4100.
  EXPECT_EQ(outcome.values[0][3], 0x41004100u);
  EXPECT_EQ(outcome.values[1][3], 0x41004100u);
  EXPECT_EQ(outcome.values[2][3], 0u);
  EXPECT_EQ(outcome.values[3][3], 0x4040u);

  outcome = execute({"atom.global.cas.b16 %o0, [%from], %i1, %i2; "
                     "ld.global.b16 %o1, [%from]; atom.global.cas.b64 %o2, "
                     "[%from], %i0, %i3; ld.global.b64 %o3, [%from];",
                     {16, 16, 64, 64},
                     {64, 16, 16, 64}},
                    {{7, 8}, {7, 7}, {9, 9}, {50, 60}});
  ASSERT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.values[0], (std::vector<uint64_t>{7, 8}));
  EXPECT_EQ(outcome.values[1], (std::vector<uint64_t>{9, 8}));
  EXPECT_EQ(outcome.values[3], (std::vector<uint64_t>{9, 60}));

  outcome = run("{ .reg .b128 %q, %r, %s; mov.b128 %q, {%i0, %i1}; mov.b128 "
                "%r, {%i1, %i0}; st.shared.b128 [%slot], %q;\n"
                "atom.shared.cas.b128 %s, [%slot], %q, %r; mov.b128 {%o0, _}, "
                "%s; atom.shared.exch.b128 %s, [%slot], %q;\n"
                "mov.b128 {%o1, %o2}, %s; ld.shared.b64 %o3, [%slot]; }",
                {64, 64, 64, 64}, {64, 64}, {iota(100), iota(200)});
  ASSERT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.values[0], iota(100));
  EXPECT_EQ(outcome.values[1], iota(200));
  EXPECT_EQ(outcome.values[2], iota(100));
  EXPECT_EQ(outcome.values[3], iota(100));
}
