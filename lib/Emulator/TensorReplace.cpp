// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps that a kernel makes or changes (PTX ISA 9.7.9.28,
// tensormap.replace; 9.7.13.15.18, tensormap.cp_fenceproxy).

#include "TensorFields.h"
#include "Warp.h"

#include <cstddef>
#include <cstring>

using namespace mx::ptx;
using llvm::StringRef;
using llvm::Twine;

static constexpr unsigned mapAlignment = 64;

/// All blocks of the cluster have to acquire it.
static void noteChange(Warp &warp, uint64_t address) {
  for (const auto &block : warp.cluster.blocks)
    block->changedTensorMaps.insert(address);
}

namespace {
/// Where a field lies, and what a new value becomes in it.
struct Field {
  StringRef name;
  size_t offset;
  unsigned size;
  /// Elements; 1: no ordinal is written.
  unsigned count;
  /// Added to the value.
  int bias;
};
} // namespace

#define FIELD(NAME, MEMBER, SIZE, COUNT, BIAS)                                 \
  {NAME, offsetof(TensorFields, MEMBER), SIZE, COUNT, BIAS}
static const Field fields[] = {
    FIELD("global_address", address, 8, 1, 0),
    FIELD("rank", lastDimension, 1, 1, 0),
    FIELD("box_dim", box, 2, 5, 0),
    FIELD("global_dim", lastIndex, 4, 5, -1),
    FIELD("global_stride", strides, 8, 4, 0),
    FIELD("element_stride", elementStrides, 1, 5, 0),
    FIELD("elemtype", element, 1, 1, 0),
    FIELD("interleave_layout", interleave, 1, 1, 0),
    FIELD("swizzle_mode", swizzleMode, 1, 1, 0),
    FIELD("swizzle_atomicity", swizzleAtoms, 1, 1, 0),
    FIELD("fill_mode", fill, 1, 1, 0),
};
#undef FIELD

/// PTX numbers element types in an order of its own.
static uint64_t getElement(uint64_t number) {
  using E = TensorElement;
  static constexpr E elements[] = {
      E::U8,      E::U16,         E::U32,          E::S32,
      E::U64,     E::S64,         E::F16,          E::F32,
      E::F32Ftz,  E::F64,         E::BF16,         E::TF32,
      E::TF32Ftz, E::U4x16Align8, E::U4x16Align16, E::U6x16Align16};
  return number < std::size(elements) ? uint64_t(elements[number]) : number;
}

/// [map], {ordinal, }value. What the fields say together is looked at when a
/// copy uses the map.
static void replace(Warp &warp, const Decoded &decoded) {
  const Field &field = *llvm::find_if(fields, [&](const Field &candidate) {
    return decoded.hasModifier(candidate.name);
  });
  const uint64_t *base = warp.read(decoded.value(0));
  const uint64_t *ordinal = warp.read(decoded.value(1));
  const uint64_t *value = warp.read(decoded.value(field.count == 1 ? 1 : 2));
  if (!base || !value || !ordinal)
    return;
  forEachLane(warp.active, [&](unsigned lane) {
    uint64_t address = base[lane] + decoded.offset;
    uint64_t i = field.count == 1 ? 0 : ordinal[lane];
    if (i >= field.count)
      return warp.fault(lane, "there is no " + field.name + " " + Twine(i));
    if (address % mapAlignment)
      return warp.fault(lane, "a tensor map has to be aligned to 64 bytes");
    uint8_t *to = warp.access(lane, decoded.space,
                              address + field.offset + i * field.size,
                              field.size, field.size, Access::Write);
    if (!to)
      return;
    uint64_t bits = value[lane] + field.bias;
    if (decoded.types[0] == Type::B32)
      bits = uint32_t(bits);
    if (field.name == "elemtype")
      bits = getElement(bits);
    if (field.size < 4 && bits >> 8 * field.size)
      return warp.fault(lane, "the new " + field.name + " is too large");
    std::memcpy(to, &bits, field.size);
    if (decoded.space != Space::Shared)
      noteChange(warp, address);
  });
}

/// The map goes from shared to global memory, where copies find it after an
/// acquire.
static void copyAndFence(Warp &warp, const Decoded &decoded) {
  if (warp.checkConverged())
    return;
  auto to = warp.readUniform(decoded.value(0), "the address of a tensor map");
  auto from = warp.readUniform(decoded.value(1), "the address of a tensor map");
  if (!to || !from)
    return;
  unsigned lane = llvm::countr_zero(warp.active);
  constexpr unsigned size = sizeof(TensorFields);
  uint64_t destination = *to + decoded.addressOffsets[0];
  const uint8_t *source =
      warp.access(lane, Space::Shared, *from + decoded.addressOffsets[1], size,
                  mapAlignment, Access::Read);
  uint8_t *place = warp.access(lane, Space::Global, destination, size,
                               mapAlignment, Access::Write);
  if (!source || !place)
    return;
  std::memcpy(place, source, size);
  noteChange(warp, destination);
}

/// A prefetch changes nothing that a program can see.
static void prefetch(Warp &, const Decoded &) {}

static constexpr char spaces[] = "b1024 global shared::cta";
static constexpr char scopes[] = "cta cluster gpu sys";

static const Row rows[] = {
    {"tensormap.replace.tile.global_address", "b64", spaces, "A s", replace},
    {"tensormap.replace.tile.rank", "b32", spaces, "A s", replace},
    {"tensormap.replace.tile.box_dim", "b32", spaces, "A i s", replace},
    {"tensormap.replace.tile.global_dim", "b32", spaces, "A i s", replace},
    {"tensormap.replace.tile.global_stride", "b64", spaces, "A i s", replace},
    {"tensormap.replace.tile.element_stride", "b32", spaces, "A i s", replace},
    {"tensormap.replace.tile.elemtype", "b32", spaces, "A s", replace},
    {"tensormap.replace.tile.interleave_layout", "b32", spaces, "A s", replace},
    {"tensormap.replace.tile.swizzle_mode", "b32", spaces, "A s", replace},
    {"tensormap.replace.tile.swizzle_atomicity", "b32", spaces, "A s", replace},
    {"tensormap.replace.tile.fill_mode", "b32", spaces, "A s", replace},
    {"tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release."
     "sync.aligned",
     "", scopes, "A A i", copyAndFence},
    {"prefetch.tensormap", "", "param const", "A", prefetch},
};

llvm::ArrayRef<Row> mx::ptx::getTensorMapRows() { return rows; }
