// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Descriptor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// The 64 bits
//===----------------------------------------------------------------------===//

static uint64_t getField(uint64_t bits, unsigned low, unsigned high) {
  return bits >> low & ((uint64_t(2) << (high - low)) - 1);
}

static std::optional<TensorSwizzle> getSwizzle(uint64_t bits,
                                               DescriptorKind kind) {
  if (kind == DescriptorKind::Wgmma) {
    static constexpr TensorSwizzle modes[] = {
        TensorSwizzle::None, TensorSwizzle::B128, TensorSwizzle::B64,
        TensorSwizzle::B32};
    return modes[getField(bits, 62, 63)];
  }
  switch (getField(bits, 61, 63)) {
  case 0:
    return TensorSwizzle::None;
  case 1:
    return TensorSwizzle::B128Atom32;
  case 2:
    return TensorSwizzle::B128;
  case 4:
    return TensorSwizzle::B64;
  case 6:
    return TensorSwizzle::B32;
  default:
    return std::nullopt;
  }
}

std::optional<SharedDescriptor>
mx::ptx::decodeSharedDescriptor(uint64_t bits, DescriptorKind kind,
                                std::string &problem) {
  bool isWgmma = kind == DescriptorKind::Wgmma;
  auto fail = [&](const Twine &text) {
    problem = ("descriptor 0x" + llvm::utohexstr(bits) + ": " + text).str();
    return std::nullopt;
  };
  // wgmma: [51:49] and [63:62] beside the offsets; tcgen05: [48:46] = 1 too.
  uint64_t reserved = getField(bits, 14, 15) | getField(bits, 30, 31) |
                      (isWgmma ? getField(bits, 46, 48) | getField(bits, 52, 61)
                               : getField(bits, 53, 60));
  if (!isWgmma && getField(bits, 46, 48) != 1)
    return fail("bits 48 to 46 have to be 1 in a descriptor of tcgen05; that "
                "of wgmma is another");
  if (reserved)
    return fail("reserved bits are not zero");
  if (!isWgmma && getField(bits, 52, 52))
    return fail("an absolute leading byte offset (bit 52) is only defined for "
                "K = 96, which is not implemented");
  std::optional<TensorSwizzle> mode = getSwizzle(bits, kind);
  if (!mode)
    return fail("swizzle mode " + Twine(getField(bits, 61, 63)) +
                " (bits 63 to 61) does not exist; 0, 1, 2, 4 and 6 do");
  SharedDescriptor descriptor;
  descriptor.start = getField(bits, 0, 13) << 4;
  descriptor.leading = getField(bits, 16, 29) << 4;
  descriptor.stride = getField(bits, 32, 45) << 4;
  descriptor.mode = *mode;
  if (*mode == TensorSwizzle::None)
    // A base offset says where a pattern begins, and there is none.
    return descriptor;
  // Steps along K stay inside a row of the pattern, all others are multiples
  // of the pattern, which is eight rows.
  unsigned row = getSwizzleSpan(*mode), pattern = 8 * row;
  if (getField(bits, 49, 51))
    return fail("the effect of a base offset that is not zero is not "
                "documented; align the tile to " +
                Twine(pattern) + " bytes and leave it zero");
  if (descriptor.start % pattern >= row)
    return fail("it begins at 0x" + llvm::utohexstr(descriptor.start) +
                ", inside a swizzle pattern; align the tile to " +
                Twine(pattern) + " bytes");
  return descriptor;
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

uint64_t mx::ptx::getOperandOffset(const SharedDescriptor &descriptor,
                                   bool isMNMajor, unsigned mn, unsigned k,
                                   unsigned elementBytes) {
  uint64_t leading = descriptor.leading, stride = descriptor.stride;
  unsigned row = getSwizzleSpan(descriptor.mode);
  if (!isMNMajor) {
    uint64_t offset = mn % 8 * row + mn / 8 * stride;
    return descriptor.mode == TensorSwizzle::None
               ? offset + k % 16 + k / 16 * leading
               : offset + k;
  }
  unsigned byte = mn * elementBytes;
  switch (descriptor.mode) {
  case TensorSwizzle::None:
    return byte % 16 + byte / 16 * stride + k % 8 * 16 + k / 8 * leading;
  case TensorSwizzle::B128Atom32:
    return byte % 128 + byte / 128 * leading + k % 4 * 128 + k / 4 * stride;
  default:
    return byte % row + byte / row * leading + k % 8 * row + k / 8 * stride;
  }
}

bool SharedOperand::assign(Region &shared, const SharedDescriptor &descriptor,
                           bool isMNMajor, unsigned rows, unsigned rowBytes,
                           unsigned elementBytes, unsigned payload,
                           std::string &problem) {
  region = &shared;
  this->isMNMajor = isMNMajor;
  this->rows = rows;
  this->rowBytes = rowBytes;
  this->elementBytes = elementBytes;
  this->payload = payload;
  chunks.clear();
  // The rank of the block lies above the 18 bits of the descriptor.
  uint64_t start = (shared.base & ~uint64_t(0x3FFFF)) + descriptor.start;
  auto add = [&](unsigned mn, unsigned k) {
    uint64_t offset =
        getOperandOffset(descriptor, isMNMajor, mn, k, elementBytes);
    uint64_t address = applySwizzle(descriptor.mode, start + offset);
    chunks.push_back(address);
    if (shared.contains(address, payload))
      return true;
    problem = ("it reads " + Twine(payload) + " bytes at shared address 0x" +
               llvm::utohexstr(address) + ", outside the " +
               Twine(shared.size) + " bytes of " + shared.name + " (start 0x" +
               llvm::utohexstr(descriptor.start) + ", leading byte offset " +
               Twine(descriptor.leading) + ", stride byte offset " +
               Twine(descriptor.stride) + ")")
                  .str();
    return false;
  };
  if (isMNMajor) {
    unsigned step = chunkBytes / elementBytes;
    for (unsigned k = 0; k < rowBytes / elementBytes; ++k)
      for (unsigned mn = 0; mn < rows; mn += step)
        if (!add(mn, k))
          return false;
  } else {
    for (unsigned mn = 0; mn < rows; ++mn)
      for (unsigned k = 0; k < rowBytes; k += chunkBytes)
        if (!add(mn, k))
          return false;
  }
  std::vector<uint64_t> sorted = chunks;
  llvm::sort(sorted);
  auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end())
    return true;
  problem = ("two parts of the matrix lie at shared address 0x" +
             llvm::utohexstr(*twice) + ": the leading (" +
             Twine(descriptor.leading) + ") or stride byte offset (" +
             Twine(descriptor.stride) + ") is too small")
                .str();
  return false;
}

void SharedOperand::addFootprints(llvm::SmallVectorImpl<Footprint> &footprints,
                                  unsigned first, unsigned count) const {
  unsigned step = isMNMajor ? chunkBytes / elementBytes : 1;
  unsigned pieces =
      isMNMajor ? llvm::divideCeil(rows, step) : rowBytes / chunkBytes;
  std::vector<uint64_t> sorted;
  for (unsigned i = 0; i < chunks.size(); ++i) {
    unsigned row = isMNMajor ? i % pieces * step : i / pieces;
    if (row >= first && row < first + count)
      sorted.push_back(chunks[i]);
  }
  llvm::sort(sorted);
  size_t begin = footprints.size();
  for (uint64_t address : sorted) {
    if (footprints.size() > begin &&
        footprints.back().address + footprints.back().size == address)
      footprints.back().size += payload;
    else
      footprints.push_back({region, address, payload});
  }
}

void SharedOperand::gather(uint8_t *image) const {
  if (!isMNMajor) {
    for (uint64_t address : chunks) {
      std::memcpy(image, region->at(address), payload);
      image += chunkBytes;
    }
    return;
  }
  unsigned step = chunkBytes / elementBytes, depth = rowBytes / elementBytes;
  auto chunk = chunks.begin();
  for (unsigned k = 0; k < depth; ++k)
    for (unsigned mn = 0; mn < rows; mn += step) {
      const uint8_t *from = region->at(*chunk++);
      for (unsigned i = 0; i < step; ++i)
        std::memcpy(image + (mn + i) * rowBytes + k * elementBytes,
                    from + i * elementBytes, elementBytes);
    }
}
