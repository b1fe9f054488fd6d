// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ldmatrix, stmatrix and movmatrix (PTX ISA 9.7.14.5.15 to .17). Rows of 16
// bytes are spread over shared memory; every byte is its own number.

#include "Execute.h"

#include "gtest/gtest.h"

using namespace mx::ptx::test;

namespace {
/// 32 rows of 16 bytes, 48 bytes apart; lane i stores row i, whose words come
/// as %i0 to %i3. %row is its address.
const char *const storeRows =
    ".shared .align 16 .b8 rows[1536]; .reg .b32 %row, %base;\n"
    "mov.b32 %base, rows; mad.lo.s32 %row, %thread, 48, %base;\n"
    "st.shared.v4.b32 [%row], {%i0, %i1, %i2, %i3}; bar.sync 0;\n";
const char *const loadRows =
    "bar.sync 0; ld.shared.v4.b32 {%o0, %o1, %o2, %o3}, [%row];\n";

uint8_t byteOf(unsigned row, unsigned column) { return row * 16 + column; }

/// The bytes of row `i` in four words; `fill` says which value each has.
template <typename F> std::vector<std::vector<uint64_t>> makeRows(F &&fill) {
  std::vector<std::vector<uint64_t>> words(4, std::vector<uint64_t>(32));
  for (unsigned row = 0; row < 32; ++row)
    for (unsigned column = 0; column < 16; ++column)
      words[column / 4][row] |= uint64_t(fill(row, column))
                                << (8 * (column % 4));
  return words;
}

std::string registers(const char *prefix, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::string(prefix) + std::to_string(i);
  return text + "}";
}

/// Checks each byte of each output register with `expect(lane, register,
/// byte)`.
template <typename F>
void checkLoad(const std::string &opcode, unsigned count,
               const std::vector<std::vector<uint64_t>> &rows, F &&expect) {
  SCOPED_TRACE(opcode);
  Outcome outcome =
      execute({storeRows + opcode + " " + registers("%o", count) + ", [%row];",
               std::vector<unsigned>(count, 32),
               {32, 32, 32, 32}},
              rows);
  ASSERT_EQ(outcome.error, "");
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned r = 0; r < count; ++r)
      for (unsigned b = 0; b < 4; ++b)
        ASSERT_EQ(outcome.values[r][lane] >> (8 * b) & 255, expect(lane, r, b))
            << "lane " << lane << ", register " << r << ", byte " << b;
}
} // namespace

TEST(Matrix, Load16Bits) {
  auto rows = makeRows(byteOf);
  for (unsigned count : {1u, 2u, 4u}) {
    std::string x = "x" + std::to_string(count);
    checkLoad("ldmatrix.sync.aligned.m8n8." + x + ".shared.b16", count, rows,
              [](unsigned lane, unsigned r, unsigned b) {
                return byteOf(8 * r + lane / 4, 4 * (lane % 4) + b);
              });
    // Half h of register r is row 2 q + h, column g.
    checkLoad("ldmatrix.sync.aligned." + x + ".trans.m8n8.shared.b16", count,
              rows, [](unsigned lane, unsigned r, unsigned b) {
                return byteOf(8 * r + 2 * (lane % 4) + b / 2,
                              2 * (lane / 4) + b % 2);
              });
  }
}

TEST(Matrix, Load8BitsTransposed) {
  for (unsigned count : {1u, 2u})
    checkLoad("ldmatrix.sync.aligned.m16n16.x" + std::to_string(count) +
                  ".trans.shared.b8",
              2 * count, makeRows(byteOf),
              [](unsigned lane, unsigned r, unsigned b) {
                return byteOf(16 * (r / 2) + 4 * (lane % 4) + b,
                              lane / 4 + 8 * (r % 2));
              });
}

/// 16 elements of 4 or 6 bits and padding a row become bytes.
TEST(Matrix, LoadUnpacks) {
  for (unsigned bits : {4u, 6u}) {
    auto element = [=](unsigned row, unsigned column) {
      return (row * 7 + column * 3 + 1) & ((1u << bits) - 1);
    };
    auto rows = makeRows([&](unsigned row, unsigned column) {
      unsigned byte = 0;
      for (unsigned i = 0; i < 8; ++i) {
        unsigned bit = 8 * column + i;
        if (bit / bits < 16)
          byte |= (element(row, bit / bits) >> (bit % bits) & 1) << i;
        else
          byte |= 1u << i; // Padding, which is not looked at.
      }
      return byte;
    });
    std::string type = bits == 4 ? ".b8x16.b4x16_p64" : ".b8x16.b6x16_p32";
    for (unsigned count : {1u, 2u, 4u})
      checkLoad("ldmatrix.sync.aligned.m8n16.x" + std::to_string(count) +
                    ".shared" + type,
                count, rows, [&](unsigned lane, unsigned r, unsigned b) {
                  return element(8 * r + lane / 4, 4 * (lane % 4) + b);
                });
    for (unsigned count : {1u, 2u})
      checkLoad("ldmatrix.sync.aligned.m16n16.x" + std::to_string(count) +
                    ".trans.shared" + type,
                2 * count, rows, [&](unsigned lane, unsigned r, unsigned b) {
                  return element(16 * (r / 2) + 4 * (lane % 4) + b,
                                 lane / 4 + 8 * (r % 2));
                });
  }
}

TEST(Matrix, Store) {
  auto zero = makeRows([](unsigned, unsigned) { return 0; });
  std::vector<std::vector<uint64_t>> inputs = zero;
  // Byte b of register r in a lane is its own number.
  for (unsigned r = 0; r < 4; ++r) {
    inputs.emplace_back(32);
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned b = 0; b < 4; ++b)
        inputs.back()[lane] |= uint64_t((lane * 4 + b + 64 * r) & 255)
                               << (8 * b);
  }
  struct {
    const char *opcode;
    /// Lane and byte that row and column of a matrix come from.
    std::pair<unsigned, unsigned> (*source)(unsigned row, unsigned column);
  } cases[] = {{"stmatrix.sync.aligned.m8n8.x4.shared.b16",
                [](unsigned row, unsigned column) {
                  return std::pair(4 * row + column / 4, column % 4);
                }},
               {"stmatrix.sync.aligned.m8n8.x4.trans.shared.b16",
                [](unsigned row, unsigned column) {
                  return std::pair(4 * (column / 2) + row / 2,
                                   2 * (row % 2) + column % 2);
                }},
               {"stmatrix.sync.aligned.m16n8.x4.trans.shared.b8",
                [](unsigned row, unsigned column) {
                  return std::pair(4 * (column % 8) + row / 2,
                                   2 * (column / 8) + row % 2);
                }}};
  for (const auto &c : cases) {
    SCOPED_TRACE(c.opcode);
    Outcome outcome =
        execute({std::string(storeRows) + c.opcode +
                     " [%row], {%i4, %i5, %i6, %i7};\n" + loadRows,
                 {32, 32, 32, 32},
                 std::vector<unsigned>(8, 32)},
                inputs);
    ASSERT_EQ(outcome.error, "");
    for (unsigned row = 0; row < 32; ++row)
      for (unsigned column = 0; column < 16; ++column) {
        auto [lane, byte] = c.source(row % 8, column);
        ASSERT_EQ(outcome.values[column / 4][row] >> (8 * (column % 4)) & 255,
                  (lane * 4 + byte + 64 * (row / 8)) & 255)
            << row << " " << column;
      }
  }
}

TEST(Matrix, Move) {
  std::vector<uint64_t> a(32);
  for (unsigned lane = 0; lane < 32; ++lane)
    a[lane] = (2 * lane) | (2 * lane + 1) << 16;
  Outcome outcome = execute(
      {"movmatrix.sync.aligned.m8n8.trans.b16 %o0, %i0;", {32}, {32}}, {a});
  ASSERT_EQ(outcome.error, "");
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned g = lane / 4, q = lane % 4;
    // Element (row, column) was 8 row + column.
    EXPECT_EQ(outcome.values[0][lane], (8 * (2 * q) + g) | (8 * (2 * q + 1) + g)
                                                               << 16);
  }
}

TEST(Matrix, Errors) {
  auto rows = makeRows(byteOf);
  auto getError = [&](const std::string &text) {
    return execute({storeRows + text, {32}, {32, 32, 32, 32}}, rows).error;
  };
  EXPECT_NE(getError("add.s32 %row, %row, 8; ldmatrix.sync.aligned.m8n8.x1"
                     ".shared.b16 {%o0}, [%row];")
                .find("misaligned"),
            std::string::npos);
  EXPECT_NE(getError("{ .reg .pred %p; setp.lt.u32 %p, %thread, 16; @%p "
                     "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%o0}, "
                     "[%row]; }")
                .find("divergent warp"),
            std::string::npos);
}
