// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The models of tensor cores against results of MMA-Sim (Inputs/mma-sim.tsv:
// target, unit, types, codes of a row of A and a column of B, scales, C and D),
// and sums that double arithmetic does not hold.

#include "Dot.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"

#include <cstdlib>

using namespace mx::ptx;
using llvm::StringRef;

namespace {
template <typename T> std::vector<T> parseCodes(StringRef text) {
  std::vector<T> codes;
  llvm::SmallVector<StringRef> parts;
  if (text != "-")
    text.split(parts, ',');
  for (StringRef part : parts) {
    uint64_t value = 0;
    EXPECT_FALSE(part.getAsInteger(16, value));
    codes.push_back(value);
  }
  return codes;
}

DotRow makeRow(Type type, llvm::ArrayRef<uint32_t> codes) {
  DotRow row;
  row.assign(type, codes);
  return row;
}
} // namespace

TEST(Dot, HardwareModelsAgreeWithMMASim) {
  const char *folder = std::getenv("MX_EMULATOR_INPUTS");
  auto file = llvm::MemoryBuffer::getFile(std::string(folder ? folder : "") +
                                          "/mma-sim.tsv");
  ASSERT_TRUE(bool(file)) << "MX_EMULATOR_INPUTS has to name the folder of "
                             "mma-sim.tsv";
  llvm::SmallVector<StringRef> lines;
  (*file)->getBuffer().split(lines, '\n', -1, false);
  unsigned numDifferent = 0;
  for (StringRef line : llvm::drop_begin(lines)) {
    SCOPED_TRACE(line.str());
    llvm::SmallVector<StringRef> f;
    line.split(f, '\t');
    ASSERT_EQ(f.size(), 11u);
    TensorUnit unit = f[1] == "mma"     ? TensorUnit::MmaSync
                      : f[1] == "wgmma" ? TensorUnit::Wgmma
                                        : TensorUnit::Tcgen05;
    Type type = *parseType(f[2]), result = *parseType(f[3]);
    DotRow a = makeRow(type, parseCodes<uint32_t>(f[5]));
    DotRow b = makeRow(type, parseCodes<uint32_t>(f[6]));
    auto scalesA = parseCodes<uint8_t>(f[7]),
         scalesB = parseCodes<uint8_t>(f[8]);
    if (!scalesA.empty()) {
      a.setScales(*parseType(f[4]), scalesA);
      b.setScales(*parseType(f[4]), scalesB);
    }
    auto model = getSumModel(f[0], unit, type, scalesA.size());
    ASSERT_TRUE(model);
    uint32_t c = parseCodes<uint32_t>(f[9])[0];
    ASSERT_EQ(DotUnit(result, model)(a, b, c), parseCodes<uint32_t>(f[10])[0]);
    numDifferent += DotUnit(result, std::nullopt)(a, b, c) !=
                    DotUnit(result, model)(a, b, c);
  }
  // The models do differ from exact sums.
  EXPECT_GT(numDifferent, lines.size() / 8);
}

TEST(Dot, CancellationAndWideRanges) {
  DotUnit unit(Type::F32, std::nullopt);
  // bf16: 2^120 - 2^120 + 2^-100, in whatever order.
  uint32_t big = 0x7B80, small = 0x0D80, one = 0x3F80, minus = 0xBF80;
  for (auto codes : {std::array<uint32_t, 4>{big, small, big, 0},
                     {small, big, big, 0},
                     {big, big, 0, small}}) {
    std::array<uint32_t, 4> factors = {one, one, one, one};
    bool isNegative = false;
    for (unsigned k = 0; k < 4; ++k)
      if (codes[k] == big) {
        factors[k] = isNegative ? minus : one;
        isNegative = true;
      }
    EXPECT_EQ(unit(makeRow(Type::BF16, codes), makeRow(Type::BF16, factors), 0),
              small << 16);
  }
  // E5M2: the largest product with the least, which a double cannot hold with
  // it, decides a tie of f32.
  uint32_t largest = 0x7B, least = 0x01, none = 0;
  uint32_t codes[] = {largest, least, none, none};
  // 57344^2 = 0x1.88p31; half a unit of its last place in f32 is 2^7.
  EXPECT_EQ(
      unit(makeRow(Type::E5M2, codes), makeRow(Type::E5M2, codes), 0x43000000),
      0x4F440001u);
  uint32_t negative[] = {largest, least | 0x80, none, none};
  EXPECT_EQ(unit(makeRow(Type::E5M2, codes), makeRow(Type::E5M2, negative),
                 0x43000000),
            0x4F440000u);
}

TEST(Dot, SpecialValues) {
  DotUnit unit(Type::F32, std::nullopt), half(Type::F16, std::nullopt);
  uint32_t inf = 0x7C00, one = 0x3C00, minus = 0xBC00;
  auto f16 = [](std::array<uint32_t, 4> codes) {
    return makeRow(Type::F16, codes);
  };
  EXPECT_EQ(unit(f16({inf, one, 0, 0}), f16({one, one, 0, 0}), 0), 0x7F800000u);
  EXPECT_EQ(unit(f16({inf, one, 0, 0}), f16({0, one, 0, 0}), 0), 0x7FFFFFFFu);
  EXPECT_EQ(unit(f16({inf, inf, 0, 0}), f16({one, minus, 0, 0}), 0),
            0x7FFFFFFFu);
  EXPECT_EQ(unit(f16({inf, 0, 0, 0}), f16({one, 0, 0, 0}), 0xFF800000),
            0x7FFFFFFFu);
  EXPECT_EQ(half(f16({0x7E00, 0, 0, 0}), f16({one, 0, 0, 0}), 0), 0x7FFFu);
  // Overflow of the result.
  EXPECT_EQ(half(f16({0x7BFF, 0x7BFF, 0, 0}), f16({one, one, 0, 0}), 0),
            0x7C00u);
  DotRow row = f16({one, one, one, one});
  row.negate();
  EXPECT_EQ(unit(row, f16({one, one, one, one}), 0), 0xC0800000u);
}

TEST(Dot, TargetsWithoutModels) {
  for (const char *target : {"sm_75", "sm_110a", "sm_200"})
    EXPECT_FALSE(getSumModel(target, TensorUnit::MmaSync, Type::F16, 0));
  EXPECT_FALSE(getSumModel("sm_80", TensorUnit::MmaSync, Type::E4M3, 0));
}
