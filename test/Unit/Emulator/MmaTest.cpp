// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mma.sync, ldmatrix, stmatrix, movmatrix (PTX ISA 9.7.14). Fragments come from
// a table (Inputs/fragments.tsv: lane, register, places of the elements), sums
// from integers of any width.

#include "Execute.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

using mx::ptx::ExecutionOptions;
using namespace mx::ptx::test;
using llvm::APFloat;
using llvm::APInt;
using llvm::RoundingMode;
using llvm::StringRef;

namespace {
struct Place {
  unsigned row, column;
};
/// fragment[lane][register]: the places of the elements, low bits first.
using Fragment = std::vector<std::vector<std::vector<Place>>>;

const Fragment &getFragment(const std::string &name) {
  static const std::map<std::string, Fragment> fragments = [] {
    std::map<std::string, Fragment> result;
    const char *folder = std::getenv("MX_EMULATOR_INPUTS");
    auto file = llvm::MemoryBuffer::getFile(std::string(folder ? folder : "") +
                                            "/fragments.tsv");
    if (!file)
      return result;
    llvm::SmallVector<StringRef> lines;
    (*file)->getBuffer().split(lines, '\n', -1, false);
    for (StringRef line : llvm::drop_begin(lines)) {
      llvm::SmallVector<StringRef> fields, places;
      line.split(fields, '\t');
      unsigned lane, reg;
      if (fields.size() != 4 || fields[1].getAsInteger(10, lane) ||
          fields[2].getAsInteger(10, reg))
        continue;
      Fragment &fragment = result[fields[0].str()];
      fragment.resize(32);
      fragment[lane].resize(std::max<size_t>(fragment[lane].size(), reg + 1));
      fields[3].split(places, ' ', -1, false);
      for (StringRef place : places) {
        auto [row, column] = place.split(',');
        Place p;
        if (!row.getAsInteger(10, p.row) && !column.getAsInteger(10, p.column))
          fragment[lane][reg].push_back(p);
      }
    }
    return result;
  }();
  auto it = fragments.find(name);
  EXPECT_NE(it, fragments.end())
      << name << ": MX_EMULATOR_INPUTS has to name the folder of fragments.tsv";
  static const Fragment none;
  return it == fragments.end() ? none : it->second;
}

using Matrix = std::vector<std::vector<uint64_t>>;
template <typename F>
Matrix makeMatrix(unsigned rows, unsigned columns, F &&element) {
  Matrix matrix(rows, std::vector<uint64_t>(columns));
  for (auto &row : matrix)
    for (uint64_t &value : row)
      value = element();
  return matrix;
}

/// One list of 32 values a register.
std::vector<std::vector<uint64_t>> pack(const Fragment &fragment,
                                        const Matrix &matrix, unsigned bits) {
  std::vector<std::vector<uint64_t>> lists(fragment[0].size(),
                                           std::vector<uint64_t>(32));
  for (unsigned lane = 0; lane < 32; ++lane)
    for (size_t reg = 0; reg < lists.size(); ++reg)
      for (auto [i, place] : llvm::enumerate(fragment[lane][reg]))
        lists[reg][lane] |= matrix[place.row][place.column] << (bits * i);
  return lists;
}

/// "{%i4, %i5}"
std::string braces(const char *prefix, unsigned first, size_t count) {
  std::string text = "{";
  for (size_t i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::string(prefix) + std::to_string(first + i);
  return text + "}";
}

//===----------------------------------------------------------------------===//
// Exact sums
//===----------------------------------------------------------------------===//

/// Fixed point with so many bits behind the point, wide enough for all types.
constexpr unsigned fraction = 700, width = 1600;

/// Nothing if the value is not finite.
std::optional<APInt> toFixed(const APFloat &value) {
  if (!value.isFinite())
    return std::nullopt;
  APFloat wide = value;
  bool ignored;
  wide.convert(APFloat::IEEEdouble(), RoundingMode::NearestTiesToEven,
               &ignored);
  APInt result(width, 0);
  if (wide.isZero())
    return result;
  int exponent;
  APFloat mantissa = frexp(wide, exponent, RoundingMode::NearestTiesToEven);
  mantissa = scalbn(mantissa, 53, RoundingMode::NearestTiesToEven);
  llvm::APSInt integer(width, false);
  bool isExact;
  mantissa.convertToInteger(integer, RoundingMode::TowardZero, &isExact);
  return APInt(integer).shl(fraction + exponent - 53);
}

struct Type {
  const char *name;
  unsigned bits;
  APFloat (*decode)(uint64_t);
};
template <unsigned Bits, const llvm::fltSemantics &(*Semantics)()>
APFloat decodeAs(uint64_t code) {
  return APFloat(Semantics(), APInt(Bits, code).trunc(Bits));
}
APFloat decodeTF32(uint64_t code) {
  return decodeAs<32, APFloat::IEEEsingle>(code & ~uint64_t(0x1FFF));
}
APFloat decodeE4M3(uint64_t code) {
  return decodeAs<8, APFloat::Float8E4M3FN>(code);
}
APFloat decodeE5M2(uint64_t code) {
  return decodeAs<8, APFloat::Float8E5M2>(code);
}
APFloat decodeE2M3(uint64_t code) {
  return decodeAs<6, APFloat::Float6E2M3FN>(code & 63);
}
APFloat decodeE3M2(uint64_t code) {
  return decodeAs<6, APFloat::Float6E3M2FN>(code & 63);
}
APFloat decodeE2M1(uint64_t code) {
  return decodeAs<4, APFloat::Float4E2M1FN>(code & 15);
}
/// FP4 in a byte lies in bits 5 to 2.
APFloat decodeE2M1Byte(uint64_t code) { return decodeE2M1(code >> 2); }
const Type f16 = {"f16", 16, decodeAs<16, APFloat::IEEEhalf>};
const Type bf16 = {"bf16", 16, decodeAs<16, APFloat::BFloat>};
const Type tf32 = {"tf32", 32, decodeTF32};
const Type f32 = {"f32", 32, decodeAs<32, APFloat::IEEEsingle>};
const Type narrow[] = {{"e4m3", 8, decodeE4M3},
                       {"e5m2", 8, decodeE5M2},
                       {"e2m3", 8, decodeE2M3},
                       {"e3m2", 8, decodeE3M2},
                       {"e2m1", 8, decodeE2M1Byte}};
const Type e2m1 = {"e2m1", 4, decodeE2M1};

/// a . b + c with one rounding; inf and NaN as in IEEE 754.
uint64_t sumExactly(const std::vector<APFloat> &products, const APFloat &c,
                    const llvm::fltSemantics &semantics, uint64_t nan) {
  APInt sum(width, 0);
  double special = 0;
  auto add = [&](const APFloat &value) {
    if (std::optional<APInt> fixed = toFixed(value))
      sum += *fixed;
    else
      special += value.isNaN()        ? double(NAN)
                 : value.isNegative() ? -HUGE_VAL
                                      : HUGE_VAL;
  };
  for (const APFloat &product : products)
    add(product);
  add(c);
  if (special != special)
    return nan;
  APFloat result(semantics);
  if (special != 0) {
    result = APFloat::getInf(semantics, special < 0);
  } else {
    // Rounded to as many bits as the result has at its exponent, in a format
    // with room for any exponent: through the integer's own bits.
    bool isNegative = sum.isNegative();
    APInt magnitude = sum.abs();
    int top = int(magnitude.getActiveBits()) - 1 - int(fraction);
    int precision = APFloat::semanticsPrecision(semantics);
    int least = APFloat::semanticsMinExponent(semantics);
    int drop = std::max(top, least) - (precision - 1) + int(fraction);
    if (magnitude != 0 && drop > 0) {
      APInt half = APInt::getOneBitSet(width, drop - 1);
      APInt rest = magnitude & (half.shl(1) - 1);
      magnitude = magnitude.lshr(drop);
      if (rest.ugt(half) || (rest == half && magnitude[0]))
        ++magnitude;
    } else {
      magnitude = magnitude.lshr(std::max(drop, 0));
    }
    result.convertFromAPInt(magnitude, false, RoundingMode::NearestTiesToEven);
    result = scalbn(result, std::max(drop, 0) - int(fraction),
                    RoundingMode::NearestTiesToEven);
    if (isNegative)
      result.changeSign();
  }
  return result.bitcastToAPInt().getZExtValue();
}

/// The product of up to four values, exact in a double; of scales too.
APFloat multiply(std::initializer_list<APFloat> factors) {
  APFloat product(1.0);
  for (APFloat factor : factors) {
    bool ignored;
    factor.convert(APFloat::IEEEdouble(), RoundingMode::NearestTiesToEven,
                   &ignored);
    product.multiply(factor, RoundingMode::NearestTiesToEven);
  }
  return product;
}

std::mt19937_64 generator(11);
uint64_t randomBits(unsigned bits) {
  return generator() & ((uint64_t(1) << bits) - 1);
}

/// Codes of a type without set padding.
uint64_t randomCode(const Type &type) {
  if (type.decode == decodeE2M1Byte)
    return randomBits(4) << 2;
  if (type.decode == decodeE2M3 || type.decode == decodeE3M2)
    return randomBits(6);
  return randomBits(type.bits);
}
/// Finite ones, so that not every sum has a NaN.
uint64_t finiteCode(const Type &type) {
  for (;;) {
    uint64_t code = randomCode(type);
    if (type.decode(code).isFinite())
      return code;
  }
}

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
