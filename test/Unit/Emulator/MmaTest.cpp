// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mma.sync (PTX ISA 9.7.14.5) of every type, with exact sums.

#include "MmaReference.h"

using namespace mx::ptx::test;
using namespace mx::ptx::test::mma;
using mx::ptx::ExecutionOptions;

namespace {
struct Form {
  std::string opcode, fragmentA, fragmentB;
  unsigned k;
  Type a, b;
  bool isF16 = false;
  /// Scales a row and their type.
  unsigned scales = 0;
  std::string scaleType = "";
  unsigned byteA = 0, threadA = 0, byteB = 0, threadB = 0;
};

APFloat decodeScale(const std::string &type, uint64_t code) {
  if (type == "ue8m0") {
    if (code == 255)
      return APFloat::getNaN(APFloat::IEEEdouble());
    return scalbn(APFloat(1.0), int(code) - 127,
                  RoundingMode::NearestTiesToEven);
  }
  return decodeE4M3(code & 0x7F);
}

void run(const Form &form, bool isFinite, const ExecutionOptions &options = {},
         StringRef target = "sm_120a") {
  SCOPED_TRACE(form.opcode);
  const Fragment &layoutA = getFragment(form.fragmentA);
  const Fragment &layoutB = getFragment(form.fragmentB);
  const Fragment &layoutC =
      getFragment(form.isF16 ? "mma.m16n8.C.f16" : "mma.m16n8.C.b32");
  ASSERT_TRUE(!layoutA.empty() && !layoutB.empty() && !layoutC.empty());
  auto element = [&](const Type &type) {
    return [&] { return isFinite ? finiteCode(type) : randomCode(type); };
  };
  const Type &typeC = form.isF16 ? f16 : f32;
  Matrix a = makeMatrix(16, form.k, element(form.a));
  Matrix b = makeMatrix(form.k, 8, element(form.b));
  Matrix c = makeMatrix(16, 8, [&] {
    // Of the size of the products, most of the time.
    if (form.isF16)
      return finiteCode(f16);
    return randomBits(23) | (90 + randomBits(6)) << 23 | randomBits(1) << 31;
  });
  auto inputs = pack(layoutA, a, form.a.bits);
  size_t countA = inputs.size();
  for (auto &list : pack(layoutB, b, form.b.bits))
    inputs.push_back(list);
  size_t countB = inputs.size() - countA;
  for (auto &list : pack(layoutC, c, typeC.bits))
    inputs.push_back(list);
  size_t countC = inputs.size() - countA - countB;
  std::vector<uint64_t> scaleA(32), scaleB(32);
  std::string tail;
  if (form.scales) {
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned byte = 0; byte < 4; ++byte)
        for (auto *list : {&scaleA, &scaleB})
          (*list)[lane] |= (form.scaleType == "ue8m0" ? 110 + randomBits(5)
                                                      : randomBits(8) % 127)
                           << (8 * byte);
    tail = ", %i" + std::to_string(inputs.size()) + ", {" +
           std::to_string(form.byteA) + ", " + std::to_string(form.threadA) +
           "}, %i" + std::to_string(inputs.size() + 1) + ", {" +
           std::to_string(form.byteB) + ", " + std::to_string(form.threadB) +
           "}";
    inputs.push_back(scaleA);
    inputs.push_back(scaleB);
  }
  Outcome outcome = execute(
      {form.opcode + " " + braces("%o", 0, countC) + ", " +
           braces("%i", 0, countA) + ", " + braces("%i", countA, countB) +
           ", " + braces("%i", countA + countB, countC) + tail + ";",
       std::vector<unsigned>(countC, 32),
       std::vector<unsigned>(inputs.size(), 32), "", target.str()},
      inputs, options);
  ASSERT_EQ(outcome.error, "");
  for (unsigned lane = 0; lane < 32; ++lane)
    for (size_t reg = 0; reg < countC; ++reg)
      for (auto [i, place] : llvm::enumerate(layoutC[lane][reg])) {
        std::vector<APFloat> products;
        for (unsigned k = 0; k < form.k; ++k) {
          APFloat sa(1.0), sb(1.0);
          if (form.scales) {
            unsigned s = k * form.scales / form.k;
            unsigned from =
                4 * (place.row & 7) + 2 * form.threadA + (place.row >> 3);
            sa = decodeScale(form.scaleType,
                             scaleA[from] >> (8 * (form.byteA + s)) & 255);
            from = 4 * place.column + form.threadB;
            sb = decodeScale(form.scaleType,
                             scaleB[from] >> (8 * (form.byteB + s)) & 255);
          }
          products.push_back(
              multiply({form.a.decode(a[place.row][k]),
                        form.b.decode(b[k][place.column]), sa, sb}));
        }
        uint64_t want =
            sumExactly(products, typeC.decode(c[place.row][place.column]),
                       form.isF16 ? APFloat::IEEEhalf() : APFloat::IEEEsingle(),
                       form.isF16 ? 0x7FFF : 0x7FFFFFFF);
        uint64_t got = outcome.values[reg][lane] >> (typeC.bits * i) &
                       (form.isF16 ? 0xFFFF : UINT32_MAX);
        ASSERT_EQ(got, want) << std::hex << place.row << " " << place.column;
      }
}

std::string shape(const std::string &mnk, const std::string &types,
                  const std::string &kind = "") {
  return "mma.sync.aligned." + mnk + ".row.col" + kind + types;
}
} // namespace

TEST(Mma, Halves) {
  for (bool isFinite : {true, false}) {
    run({shape("m16n8k16", ".f32.f16.f16.f32"), "mma.m16n8k16.A.b16",
         "mma.m16n8k16.B.b16", 16, f16, f16},
        isFinite);
    run({shape("m16n8k16", ".f16.f16.f16.f16"), "mma.m16n8k16.A.b16",
         "mma.m16n8k16.B.b16", 16, f16, f16, true},
        isFinite);
    run({shape("m16n8k16", ".f32.bf16.bf16.f32"), "mma.m16n8k16.A.b16",
         "mma.m16n8k16.B.b16", 16, bf16, bf16},
        isFinite);
  }
}

TEST(Mma, FP8) {
  for (const Type &a : {narrow[0], narrow[1]})
    for (const Type &b : {narrow[0], narrow[1]})
      for (bool isF16 : {false, true})
        for (bool isFinite : {true, false}) {
          std::string c = isF16 ? ".f16" : ".f32";
          std::string types = c + "." + a.name + "." + b.name + c;
          run({shape("m16n8k32", types), "mma.m16n8k32.A.b8",
               "mma.m16n8k32.B.b8", 32, a, b, isF16},
              isFinite);
          run({shape("m16n8k16", types), "mma.m16n8k16.A.b8",
               "mma.m16n8k16.B.b8", 16, a, b, isF16},
              isFinite);
        }
}

TEST(Mma, EightSixAndFourBits) {
  for (const Type &a : narrow)
    for (const Type &b : narrow) {
      std::string types = std::string(".") + a.name + "." + b.name;
      run({shape("m16n8k32", ".f32" + types + ".f32", ".kind::f8f6f4"),
           "mma.m16n8k32.A.b8", "mma.m16n8k32.B.b8", 32, a, b},
          true);
      run({shape("m16n8k32", ".f16" + types + ".f16", ".kind::f8f6f4"),
           "mma.m16n8k32.A.b8", "mma.m16n8k32.B.b8", 32, a, b, true},
          true);
      for (unsigned id = 0; id < 4; ++id)
        run({shape("m16n8k32", ".f32" + types + ".f32.ue8m0",
                   ".kind::mxf8f6f4.block_scale.scale_vec::1X"),
             "mma.m16n8k32.A.b8", "mma.m16n8k32.B.b8", 32, a, b, false, 1,
             "ue8m0", id, id & 1, 3 - id, id},
            true);
    }
}

TEST(Mma, FourBitsWithScales) {
  for (unsigned id : {0u, 2u})
    run({shape("m16n8k64", ".f32.e2m1.e2m1.f32.ue8m0",
               ".kind::mxf4.block_scale.scale_vec::2X"),
         "mma.m16n8k64.A.b4", "mma.m16n8k64.B.b4", 64, e2m1, e2m1, false, 2,
         "ue8m0", id, 1, 2 - id, 3},
        true);
  for (const char *type : {"ue4m3", "ue8m0"})
    run({shape("m16n8k64", std::string(".f32.e2m1.e2m1.f32.") + type,
               ".kind::mxf4nvf4.block_scale.scale_vec::4X"),
         "mma.m16n8k64.A.b4", "mma.m16n8k64.B.b4", 64, e2m1, e2m1, false, 4,
         type, 0, 1, 0, 2},
        true);
}

//===----------------------------------------------------------------------===//
// Shapes whose fragments the ISA's text gives as formulas
//===----------------------------------------------------------------------===//

namespace {
/// A: row g + 8 (i % 2), k = q + 4 (i / 2). B: k = q + 4 i, column g. C: row g
/// + 8 (i / 2), column 2 q + i % 2.
template <typename F, typename G>
void runWide(const std::string &opcode, unsigned m, unsigned k, unsigned bits,
             F &&element, G &&expect) {
  SCOPED_TRACE(opcode);
  Matrix a = makeMatrix(m, k, element), b = makeMatrix(k, 8, element),
         c = makeMatrix(m, 8, element);
  unsigned countA = m * k / 32, countB = 8 * k / 32, countC = m * 8 / 32;
  unsigned groups = m / 8;
  std::vector<std::vector<uint64_t>> inputs(countA + countB + countC,
                                            std::vector<uint64_t>(32));
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned g = lane / 4, q = lane % 4;
    for (unsigned i = 0; i < countA; ++i)
      inputs[i][lane] = a[g + 8 * (i % groups)][q + 4 * (i / groups)];
    for (unsigned i = 0; i < countB; ++i)
      inputs[countA + i][lane] = b[q + 4 * i][g];
    for (unsigned i = 0; i < countC; ++i)
      inputs[countA + countB + i][lane] = c[g + 8 * (i / 2)][2 * q + i % 2];
  }
  Outcome outcome = execute({opcode + " " + braces("%o", 0, countC) + ", " +
                                 braces("%i", 0, countA) + ", " +
                                 braces("%i", countA, countB) + ", " +
                                 braces("%i", countA + countB, countC) + ";",
                             std::vector<unsigned>(countC, bits),
                             std::vector<unsigned>(inputs.size(), bits)},
                            inputs);
  ASSERT_EQ(outcome.error, "");
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < countC; ++i) {
      unsigned row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      ASSERT_EQ(outcome.values[i][lane], expect(a, b, c, row, column));
    }
}
} // namespace

TEST(Mma, TF32) {
  for (unsigned k : {4u, 8u})
    runWide(
        shape("m16n8k" + std::to_string(k), ".f32.tf32.tf32.f32"), 16, k, 32,
        [] {
          // The low 13 bits do not count.
          return randomBits(23) | (110 + randomBits(5)) << 23 |
                 randomBits(1) << 31;
        },
        [&](const Matrix &a, const Matrix &b, const Matrix &c, unsigned row,
            unsigned column) {
          std::vector<APFloat> products;
          for (unsigned i = 0; i < k; ++i)
            products.push_back(
                multiply({tf32.decode(a[row][i]), tf32.decode(b[i][column])}));
          return sumExactly(products, f32.decode(c[row][column]),
                            APFloat::IEEEsingle(), 0x7FFFFFFF);
        });
}

TEST(Mma, F64) {
  for (auto [m, k] : {std::pair(8u, 4u), {16u, 4u}, {16u, 8u}, {16u, 16u}})
    runWide(
        shape("m" + std::to_string(m) + "n8k" + std::to_string(k),
              ".f64.f64.f64.f64"),
        m, k, 64,
        [] {
          return (generator() & 0x800FFFFFFFFFFFFF) | (1000 + randomBits(5))
                                                          << 52;
        },
        [k = k](const Matrix &a, const Matrix &b, const Matrix &c, unsigned row,
                unsigned column) {
          auto decode = [](uint64_t bits) {
            return APFloat(APFloat::IEEEdouble(), APInt(64, bits));
          };
          APFloat sum = decode(c[row][column]);
          for (unsigned i = 0; i < k; ++i) {
            APFloat x = decode(a[row][i]);
            x.fusedMultiplyAdd(decode(b[i][column]), sum,
                               RoundingMode::NearestTiesToEven);
            sum = x;
          }
          return sum.bitcastToAPInt().getZExtValue();
        });
}

TEST(Mma, Integers) {
  const Fragment &layoutA = getFragment("mma.m16n8k32.A.b8");
  const Fragment &layoutB = getFragment("mma.m16n8k32.B.b8");
  const Fragment &layoutC = getFragment("mma.m16n8.C.b32");
  ASSERT_TRUE(!layoutA.empty() && !layoutB.empty() && !layoutC.empty());
  for (bool signedA : {false, true})
    for (bool signedB : {false, true})
      for (bool isSat : {false, true}) {
        Matrix a = makeMatrix(16, 32, [] { return randomBits(8); });
        Matrix b = makeMatrix(32, 8, [] { return randomBits(8); });
        Matrix c = makeMatrix(16, 8, [] {
          return randomBits(2) ? 0x7FFFF000 + randomBits(12) : 0x80000000;
        });
        auto inputs = pack(layoutA, a, 8);
        for (auto &list : pack(layoutB, b, 8))
          inputs.push_back(list);
        for (auto &list : pack(layoutC, c, 32))
          inputs.push_back(list);
        std::string opcode =
            shape("m16n8k32", std::string(isSat ? ".satfinite" : "") + ".s32" +
                                  (signedA ? ".s8" : ".u8") +
                                  (signedB ? ".s8" : ".u8") + ".s32");
        Outcome outcome = execute(
            {opcode + " " + braces("%o", 0, 4) + ", " + braces("%i", 0, 4) +
                 ", " + braces("%i", 4, 2) + ", " + braces("%i", 6, 4) + ";",
             std::vector<unsigned>(4, 32), std::vector<unsigned>(10, 32)},
            inputs);
        ASSERT_EQ(outcome.error, "");
        for (unsigned lane = 0; lane < 32; ++lane)
          for (unsigned reg = 0; reg < 4; ++reg) {
            Place p = layoutC[lane][reg][0];
            int64_t sum = int32_t(c[p.row][p.column]);
            for (unsigned k = 0; k < 32; ++k) {
              int64_t x = a[p.row][k], y = b[k][p.column];
              sum += (signedA ? int8_t(x) : x) * (signedB ? int8_t(y) : y);
            }
            if (isSat)
              sum = std::min<int64_t>(std::max<int64_t>(sum, INT32_MIN),
                                      INT32_MAX);
            ASSERT_EQ(outcome.values[reg][lane], uint32_t(sum));
          }
      }
}

/// What lies outside an FP4 element's byte has no defined effect.
TEST(Mma, PaddingIsRefused) {
  std::vector<std::vector<uint64_t>> inputs(10, std::vector<uint64_t>(32, 0));
  inputs[2][5] = 0x00010000;
  Outcome outcome =
      execute({shape("m16n8k32", ".f32.e2m1.e4m3.f32", ".kind::f8f6f4") + " " +
                   braces("%o", 0, 4) + ", " + braces("%i", 0, 4) + ", " +
                   braces("%i", 4, 2) + ", " + braces("%i", 6, 4) + ";",
               std::vector<unsigned>(4, 32), std::vector<unsigned>(10, 32), "",
               "sm_120a"},
              inputs);
  EXPECT_NE(outcome.error.find("lane 5: bits outside an element's type"),
            std::string::npos)
      << outcome.error;
}
