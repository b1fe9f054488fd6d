// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RuntimeSymbols.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <cstring>

using namespace llvm;

namespace {

/// Fields of a memref descriptor behind the two pointers, whose number depends
/// on the rank.
struct UnrankedMemRef {
  int64_t rank;
  struct Descriptor {
    char *allocated, *aligned;
    int64_t offset, sizesAndStrides[];
  } *descriptor;

  char *getData(int64_t elementSize) const {
    return descriptor->aligned + descriptor->offset * elementSize;
  }
  int64_t getSize(int64_t dim) const {
    return descriptor->sizesAndStrides[dim];
  }
  int64_t getStride(int64_t dim) const {
    return descriptor->sizesAndStrides[rank + dim];
  }
};

void copyDims(int64_t elementSize, int64_t dim, const UnrankedMemRef &from,
              const char *source, const UnrankedMemRef &to, char *target) {
  if (dim == from.rank) {
    std::memcpy(target, source, elementSize);
    return;
  }
  bool isContiguous = dim + 1 == from.rank && from.getStride(dim) == 1 &&
                      to.getStride(dim) == 1;
  if (isContiguous) {
    std::memcpy(target, source, from.getSize(dim) * elementSize);
    return;
  }
  for (int64_t i = 0, e = from.getSize(dim); i < e; ++i)
    copyDims(elementSize, dim + 1, from,
             source + i * from.getStride(dim) * elementSize, to,
             target + i * to.getStride(dim) * elementSize);
}

/// What MLIR lowers a memref.copy between strided memrefs to.
void memrefCopy(int64_t elementSize, UnrankedMemRef *from, UnrankedMemRef *to) {
  copyDims(elementSize, 0, *from, from->getData(elementSize), *to,
           to->getData(elementSize));
}

/// An f32 as bf16, nearest even, NaN quiet; in the low half of the register
/// that returns a float, which is where the ABI has a bf16.
float truncateToBF16(float x) {
  uint32_t bits = bit_cast<uint32_t>(x);
  uint32_t rounded = bits + 0x7FFF + (bits >> 16 & 1);
  return bit_cast<float>((x != x ? bits | 0x400000 : rounded) >> 16);
}

/// An assertion that fails calls puts and then abort.
void reportAssertion(const char *message) {
  WithColor::error(errs()) << message << '\n';
}

[[noreturn]] void endAfterAssertion() { std::_Exit(1); }

} // namespace

ArrayRef<std::pair<StringRef, void *>> mx::getRuntimeSymbols() {
  static const std::pair<StringRef, void *> symbols[] = {
      {"memrefCopy", reinterpret_cast<void *>(memrefCopy)},
      {"__truncsfbf2", reinterpret_cast<void *>(truncateToBF16)},
      {"puts", reinterpret_cast<void *>(reportAssertion)},
      {"abort", reinterpret_cast<void *>(endAfterAssertion)},
  };
  return symbols;
}
