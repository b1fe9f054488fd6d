// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors of matrices in shared memory, of wgmma and of tcgen05 (PTX ISA
// 9.7.15.5.1, 9.7.16.4.1), and where the elements of a matrix lie.

#ifndef MX_LIB_EMULATOR_DESCRIPTOR_H
#define MX_LIB_EMULATOR_DESCRIPTOR_H

#include "Cluster.h"

#include "mx/Emulator/TensorMap.h"

namespace mx::ptx {

enum class DescriptorKind : uint8_t { Wgmma, Tcgen05 };

/// All in bytes.
struct SharedDescriptor {
  uint32_t start = 0, leading = 0, stride = 0;
  TensorSwizzle mode = TensorSwizzle::None;
};

/// Nothing, with `problem` set, for one that is malformed or not defined in
/// public: a base offset that is not zero, an absolute leading offset.
std::optional<SharedDescriptor> decodeSharedDescriptor(uint64_t bits,
                                                       DescriptorKind kind,
                                                       std::string &problem);

/// Bytes of one row of A or one column of B that an instruction reads: 32 for
/// all types of wgmma and tcgen05.mma.
inline constexpr unsigned operandBytes = 32;
inline constexpr unsigned chunkBytes = 16;

/// The byte offset, before the XOR, of an element. `mn` counts along M or N;
/// `k` is a byte along K if K-major, else an element, of `elementBytes`.
uint64_t getOperandOffset(const SharedDescriptor &descriptor, bool isMNMajor,
                          unsigned mn, unsigned k, unsigned elementBytes);

/// Rows of a matrix in the shared memory of one block, in pieces of 16 bytes,
/// which every layout keeps together.
class SharedOperand {
public:
  /// `rows` of `rowBytes` (16 or 32) each. MN-major: `rows` elements of
  /// `elementBytes` for each of rowBytes / elementBytes steps of k. Of each
  /// piece only the first `payload` bytes are read. False, with `problem` set,
  /// if it is not in shared memory, or parts of it coincide.
  bool assign(Region &shared, const SharedDescriptor &descriptor,
              bool isMNMajor, unsigned rows, unsigned rowBytes,
              unsigned elementBytes, unsigned payload, std::string &problem);

  /// The bytes of rows [first, first + count) that are read, neighbours as one.
  /// MN-major rows come in groups that fill 16 bytes.
  void addFootprints(llvm::SmallVectorImpl<Footprint> &footprints,
                     unsigned first, unsigned count) const;
  void addFootprints(llvm::SmallVectorImpl<Footprint> &footprints) const {
    addFootprints(footprints, 0, rows);
  }
  /// Copies them to `image`, row by row, each `rowBytes` along K.
  void gather(uint8_t *image) const;

private:
  Region *region = nullptr;
  bool isMNMajor = false;
  unsigned rows = 0, rowBytes = 0, elementBytes = 0, payload = chunkBytes;
  /// Addresses; K-major: row by row, else k by k.
  std::vector<uint64_t> chunks;
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_DESCRIPTOR_H
