// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Logic, shifts and permutation against the definitions in the PTX ISA's text
// (9.7.8, 9.7.9.7).

#include "Formula.h"

using namespace mx::ptx::test;

TEST(Logic, Bitwise) {
  for (unsigned bits : {16u, 32u, 64u}) {
    IntegerType t = {bits == 16   ? "b16"
                     : bits == 32 ? "b32"
                                  : "b64",
                     bits, false};
    std::vector<unsigned> two = {bits, bits};
    check({spell("and", t, 2), {bits}, two},
          [](const std::vector<uint64_t> &v) { return v[0] & v[1]; });
    check({spell("or", t, 2), {bits}, two},
          [](const std::vector<uint64_t> &v) { return v[0] | v[1]; });
    check({spell("xor", t, 2), {bits}, two},
          [](const std::vector<uint64_t> &v) { return v[0] ^ v[1]; });
    check({spell("not", t, 1), {bits}, {bits}},
          [=](const std::vector<uint64_t> &v) { return cut(~v[0], bits); });
    check({spell("cnot", t, 1), {bits}, {bits}},
          [](const std::vector<uint64_t> &v) { return uint64_t(v[0] == 0); });
    check({spell("shl", t, 2), {bits}, {bits, 32}},
          [=](const std::vector<uint64_t> &v) {
            return v[1] >= bits ? 0 : cut(v[0] << v[1], bits);
          });
    for (bool isSigned : {false, true}) {
      IntegerType u = {isSigned ? bits == 16   ? "s16"
                                  : bits == 32 ? "s32"
                                               : "s64"
                                : t.name,
                       bits, isSigned};
      check({spell("shr", u, 2), {bits}, {bits, 32}},
            [=](const std::vector<uint64_t> &v) {
              return cut(number(v[0], bits, isSigned) >>
                             std::min<uint64_t>(v[1], 64),
                         bits);
            });
    }
  }
}

TEST(Logic, Lop3AllTables) {
  for (unsigned lut : {0x00u, 0x80u, 0x96u, 0xE8u, 0xCAu, 0xFEu, 0x1Au, 0xFFu})
    check({"lop3.b32 %o0, %i0, %i1, %i2, " + std::to_string(lut) + ";",
           {32},
           {32, 32, 32}},
          [=](const std::vector<uint64_t> &v) {
            uint64_t d = 0;
            for (unsigned i = 0; i < 32; ++i) {
              unsigned place =
                  (v[0] >> i & 1) << 2 | (v[1] >> i & 1) << 1 | (v[2] >> i & 1);
              d |= uint64_t(lut >> place & 1) << i;
            }
            return d;
          });
  check({"lop3.and.b32 _|%o0, %i0, %i1, %i1, 0xC0, %i2;", {1}, {32, 32, 1}},
        [](const std::vector<uint64_t> &v) {
          return uint64_t((v[0] & v[1]) != 0 && v[2]);
        });
  check({"lop3.or.b32 _|%o0, %i0, %i1, %i1, 0xC0, %i2;", {1}, {32, 32, 1}},
        [](const std::vector<uint64_t> &v) {
          return uint64_t((v[0] & v[1]) != 0 || v[2]);
        });
}

TEST(Logic, FunnelShifts) {
  for (bool isLeft : {false, true})
    for (bool isWrap : {false, true})
      check({std::string("shf.") + (isLeft ? "l" : "r") +
                 (isWrap ? ".wrap" : ".clamp") + ".b32 %o0, %i0, %i1, %i2;",
             {32},
             {32, 32, 32}},
            [=](const std::vector<uint64_t> &v) {
              unsigned n = isWrap ? v[2] & 31 : std::min<uint64_t>(v[2], 32);
              unsigned __int128 pair = (unsigned __int128)(v[1]) << 32 | v[0];
              return cut(Wide(isLeft ? pair << n >> 32 : pair >> n), 32);
            });
}

TEST(Logic, Permute) {
  auto byte = [](const std::vector<uint64_t> &v, unsigned i) {
    return (i < 4 ? v[0] >> (8 * i) : v[1] >> (8 * (i - 4))) & 0xFF;
  };
  check({"prmt.b32 %o0, %i0, %i1, %i2;", {32}, {32, 32, 32}},
        [=](const std::vector<uint64_t> &v) {
          uint64_t d = 0;
          for (unsigned i = 0; i < 4; ++i) {
            unsigned selector = v[2] >> (4 * i) & 15;
            uint64_t part = byte(v, selector & 7);
            if (selector & 8)
              part = part & 0x80 ? 0xFF : 0;
            d |= part << (8 * i);
          }
          return d;
        });
  // Each mode as a formula of the byte and the low two bits of c.
  struct {
    const char *mode;
    unsigned (*source)(unsigned i, unsigned c);
  } modes[] = {
      {"f4e", [](unsigned i, unsigned c) { return i + c; }},
      {"b4e", [](unsigned i, unsigned c) { return (8 + c - i) % 8; }},
      {"rc8", [](unsigned, unsigned c) { return c; }},
      {"ecl", [](unsigned i, unsigned c) { return std::max(i, c); }},
      {"ecr", [](unsigned i, unsigned c) { return std::min(i, c); }},
      {"rc16", [](unsigned i, unsigned c) { return 2 * (c % 2) + i % 2; }},
  };
  for (const auto &m : modes)
    check({std::string("prmt.b32.") + m.mode + " %o0, %i0, %i1, %i2;",
           {32},
           {32, 32, 32}},
          [&](const std::vector<uint64_t> &v) {
            uint64_t d = 0;
            for (unsigned i = 0; i < 4; ++i)
              d |= byte(v, m.source(i, v[2] & 3)) << (8 * i);
            return d;
          });
}
