// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Emulator/Types.h"

using namespace mx::ptx;

namespace {
struct TypeRow {
  llvm::StringLiteral name;
  unsigned bits;
};
} // namespace

/// In the order of `Type`.
static constexpr TypeRow rows[] = {
    {"", 0},        {"pred", 1},    {"b8", 8},      {"b16", 16},
    {"b32", 32},    {"b64", 64},    {"b128", 128},  {"u8", 8},
    {"u16", 16},    {"u32", 32},    {"u64", 64},    {"s8", 8},
    {"s16", 16},    {"s32", 32},    {"s64", 64},    {"f16", 16},
    {"f16x2", 32},  {"bf16", 16},   {"bf16x2", 32}, {"tf32", 32},
    {"f32", 32},    {"f32x2", 64},  {"f64", 64},    {"e4m3", 8},
    {"e5m2", 8},    {"e2m1", 8},    {"e2m3", 8},    {"e3m2", 8},
    {"ue8m0", 8},   {"ue4m3", 8},   {"e4m3x2", 16}, {"e5m2x2", 16},
    {"e2m1x2", 8},  {"e2m3x2", 16}, {"e3m2x2", 16}, {"ue8m0x2", 16},
    {"e4m3x4", 32}, {"e5m2x4", 32}, {"e2m1x4", 16}, {"e2m3x4", 32},
    {"e3m2x4", 32}, {"u16x2", 32},  {"s16x2", 32},  {"u4", 8},
    {"s4", 8},      {"u2", 8},      {"s2", 8},
};
static_assert(std::size(rows) == size_t(Type::S2) + 1);

std::optional<Type> mx::ptx::parseType(llvm::StringRef name) {
  for (size_t i = 1; i < std::size(rows); ++i)
    if (rows[i].name == name)
      return Type(i);
  return std::nullopt;
}

llvm::StringRef mx::ptx::getName(Type type) { return rows[size_t(type)].name; }
unsigned mx::ptx::getBitWidth(Type type) { return rows[size_t(type)].bits; }
