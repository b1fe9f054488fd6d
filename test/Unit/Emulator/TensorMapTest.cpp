// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Emulator/TensorMap.h"

#include "gtest/gtest.h"

#include <functional>

using namespace mx::ptx;

namespace {
/// A matrix of 64 x 256 bytes, in boxes of 8 x 64.
TensorMapParams makeParams() {
  TensorMapParams params;
  params.address = 0x1000;
  params.dims = {256, 64};
  params.strides = {256};
  params.box = {64, 8};
  params.elementStrides = {1, 1};
  return params;
}

TensorMapParams makeUnpacked(TensorElement element) {
  TensorMapParams params = makeParams();
  params.element = element;
  params.box[0] = 128;
  return params;
}

TensorMapParams makeInterleaved(TensorInterleave interleave) {
  TensorMapParams params = makeParams();
  params.interleave = interleave;
  params.dims = {16, 8, 8};
  params.strides = {64, 512};
  params.box = {16, 4, 4};
  params.elementStrides = {1, 1, 1};
  return params;
}

/// What encoding says; empty if it succeeds.
std::string getProblem(const TensorMapParams &params) {
  auto bytes = encodeTensorMap(params);
  return bytes ? std::string() : llvm::toString(bytes.takeError());
}

/// A map that breaks a rule, and its twin that does not.
struct Rule {
  const char *message;
  TensorMapParams params;
  std::function<void(TensorMapParams &)> breakIt;
};
} // namespace

TEST(TensorMap, SurvivesEncoding) {
  for (unsigned i = 0; i <= unsigned(TensorSwizzle::B128Atom64); ++i) {
    TensorMapParams params = makeParams();
    params.element = TensorElement::BF16;
    params.box = {16, 256};
    params.dims = {uint64_t(1) << 32, 3};
    params.strides = {uint64_t(1) << 34};
    params.elementStrides = {1, 8};
    params.swizzle = TensorSwizzle(i);
    params.fill = TensorFill::NaN;
    if (params.swizzle == TensorSwizzle::B128Atom32Flip8)
      continue;
    auto bytes = encodeTensorMap(params);
    ASSERT_TRUE(bool(bytes)) << llvm::toString(bytes.takeError());
    auto decoded = decodeTensorMap(*bytes);
    ASSERT_TRUE(bool(decoded)) << llvm::toString(decoded.takeError());
    EXPECT_EQ(decoded->element, params.element);
    EXPECT_EQ(decoded->address, params.address);
    EXPECT_EQ(decoded->dims, params.dims);
    EXPECT_EQ(decoded->strides, params.strides);
    EXPECT_EQ(decoded->box, params.box);
    EXPECT_EQ(decoded->elementStrides, params.elementStrides);
    EXPECT_EQ(decoded->swizzle, params.swizzle);
    EXPECT_EQ(decoded->fill, params.fill);
  }
}

TEST(TensorMap, RefusesWhatTheDriverRefuses) {
  using P = TensorMapParams;
  using E = TensorElement;
  TensorMapParams plain = makeParams();
  TensorMapParams u4 = makeUnpacked(E::U4x16Align16);
  TensorMapParams u6 = makeUnpacked(E::U6x16Align16);
  TensorMapParams dense = makeParams();
  dense.element = E::U4x16Align8;
  TensorMapParams half = makeParams();
  half.element = E::F16;
  half.dims[0] = 128;
  TensorMapParams interleaved = makeInterleaved(TensorInterleave::B32);
  interleaved.swizzle = TensorSwizzle::B32;
  const Rule rules[] = {
      {"the rank is 0: it has to be 1 to 5", plain,
       [](P &p) { p.dims.clear(); }},
      {"the rank is 6: it has to be 1 to 5", plain,
       [](P &p) { p.dims.resize(6, 1); }},
      {"rank 2 needs 1 strides", plain, [](P &p) { p.strides.clear(); }},
      {"rank 2 needs 1 strides", plain, [](P &p) { p.box.pop_back(); }},
      {"an interleaved tensor has a rank of at least 3", plain,
       [](P &p) { p.interleave = TensorInterleave::B16; }},
      {"the global address has to be a multiple of 16", plain,
       [](P &p) { p.address += 8; }},
      {"the global address has to be a multiple of 32", u4,
       [](P &p) { p.address += 16; }},
      {"the global address has to be a multiple of 32", interleaved,
       [](P &p) { p.address += 16; }},
      {"dims[1] is 0: it has to be 1 to 2^32", plain,
       [](P &p) { p.dims[1] = 0; }},
      {"it has to be 1 to 2^32", plain,
       [](P &p) { p.dims[1] = (uint64_t(1) << 32) + 1; }},
      {"dims[0] is 192: it has to be a multiple of 128", u6,
       [](P &p) { p.dims[0] = 192; }},
      {"dims[0] is 255: it has to be a multiple of 2", dense,
       [](P &p) { p.dims[0] = 255; }},
      {"strides[0] is 264: it has to be a multiple of 16", plain,
       [](P &p) { p.strides[0] = 264; }},
      {"strides[0] is 272: it has to be a multiple of 32", u4,
       [](P &p) { p.strides[0] = 272; }},
      {"it has to be less than 2^40", plain,
       [](P &p) { p.strides[0] = uint64_t(1) << 40; }},
      {"strides[0] is 240: the inner dimensions span 256 bytes", plain,
       [](P &p) { p.strides[0] = 240; }},
      {"strides[0] is 240: the inner dimensions span 256 bytes", half,
       [](P &p) { p.strides[0] = 240; }},
      {"box[1] is 0: it has to be 1 to 256", plain, [](P &p) { p.box[1] = 0; }},
      {"box[1] is 257: it has to be 1 to 256", plain,
       [](P &p) { p.box[1] = 257; }},
      {"box[0] is 24: its bytes have to be a multiple of 16", plain,
       [](P &p) { p.box[0] = 24; }},
      {"box[0] is 16: its bytes have to be a multiple of 16", dense,
       [](P &p) { p.box[0] = 16; }},
      {"box[0] is 64: it has to be 128", u4, [](P &p) { p.box[0] = 64; }},
      {"element strides[1] is 0: it has to be 1 to 8", plain,
       [](P &p) { p.elementStrides[1] = 0; }},
      {"element strides[1] is 9: it has to be 1 to 8", plain,
       [](P &p) { p.elementStrides[1] = 9; }},
      {"box[0] is 64: its 64 bytes exceed the 32 of the swizzle", plain,
       [](P &p) { p.swizzle = TensorSwizzle::B32; }},
      {"box[0] is 64: its 128 bytes exceed the 64 of the swizzle", half,
       [](P &p) { p.swizzle = TensorSwizzle::B64; }},
      {"box[0] is 144: its 144 bytes exceed the 128 of the swizzle", plain,
       [](P &p) {
         p.box[0] = 144;
         p.swizzle = TensorSwizzle::B128Atom64;
       }},
      {"interleave 32B needs swizzle 32B", interleaved,
       [](P &p) { p.swizzle = TensorSwizzle::None; }},
      {"needs swizzle none, 128B or 128B_ATOM_32B", u4,
       [](P &p) { p.swizzle = TensorSwizzle::B128Atom64; }},
      {"needs swizzle none, 128B, 128B_ATOM_32B or 128B_ATOM_64B", u6,
       [](P &p) { p.swizzle = TensorSwizzle::B64; }},
      {"swizzle 128B_ATOM_32B_FLIP_8B is not implemented", plain,
       [](P &p) { p.swizzle = TensorSwizzle::B128Atom32Flip8; }},
      {"a fill with NaN needs a floating-point element type", plain,
       [](P &p) { p.fill = TensorFill::NaN; }},
      {"a fill with NaN needs a floating-point element type", u4,
       [](P &p) { p.fill = TensorFill::NaN; }},
      {"there is no element type 16", plain,
       [](P &p) { p.element = TensorElement(16); }},
      {"there is no interleave 3", plain,
       [](P &p) { p.interleave = TensorInterleave(3); }},
      {"there is no such swizzle", plain,
       [](P &p) { p.swizzle = TensorSwizzle(7); }},
      {"there is no fill mode 2", plain, [](P &p) { p.fill = TensorFill(2); }},
  };
  for (const Rule &rule : rules) {
    TensorMapParams params = rule.params;
    EXPECT_EQ(getProblem(params), "") << rule.message;
    rule.breakIt(params);
    std::string problem = getProblem(params);
    EXPECT_NE(problem.find(rule.message), std::string::npos)
        << "got '" << problem << "', expected '" << rule.message << "'";
  }
}

TEST(TensorMap, AllowsDimensionsOfOneWithAnyStride) {
  TensorMapParams params = makeParams();
  params.dims = {256, 2, 1, 1};
  params.strides = {256, 256, 256};
  params.box = {64, 1, 1, 1};
  params.elementStrides = {1, 1, 1, 1};
  EXPECT_EQ(getProblem(params), "");
}

TEST(TensorMap, BytesOfAnotherLengthAreNone) {
  auto decoded = decodeTensorMap(llvm::ArrayRef<uint8_t>());
  ASSERT_FALSE(bool(decoded));
  EXPECT_EQ(llvm::toString(decoded.takeError()), "a tensor map has 128 bytes");
}

/// PTX ISA 5.5.7 draws a swizzle as a table: in line `r` of 128 bytes, chunk
/// `c` of a span lies where chunk `c ^ (r mod n)` would.
TEST(TensorMap, SwizzlesChunksByLine) {
  struct Mode {
    TensorSwizzle swizzle;
    unsigned span, chunk;
  };
  for (Mode mode : {Mode{TensorSwizzle::None, 16, 16},
                    {TensorSwizzle::B32, 32, 16},
                    {TensorSwizzle::B64, 64, 16},
                    {TensorSwizzle::B128, 128, 16},
                    {TensorSwizzle::B128Atom32, 128, 32},
                    {TensorSwizzle::B128Atom64, 128, 64}})
    for (uint64_t address = 0; address < 4096; ++address) {
      uint64_t line = address / 128, chunks = mode.span / mode.chunk;
      uint64_t chunk = address % mode.span / mode.chunk;
      uint64_t wanted =
          address - chunk * mode.chunk + (chunk ^ line % chunks) * mode.chunk;
      EXPECT_EQ(applySwizzle(mode.swizzle, address), wanted);
    }
}
