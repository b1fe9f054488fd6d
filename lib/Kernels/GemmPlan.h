// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows from a GemmConfig before any code is written: how each operand
// gets from memory to the tensor core, and where its parts lie in shared
// memory.

#ifndef MX_LIB_KERNELS_GEMMPLAN_H
#define MX_LIB_KERNELS_GEMMPLAN_H

#include "mx/Kernels/Gemm.h"
#include "mx/Kernels/Layouts.h"

namespace mx::kernels {

/// Where block scales are applied.
enum class ScaleUse {
  /// There are none.
  None,
  /// By the tensor core.
  Atom,
  /// To the elements, where the product is exact in bf16.
  Decode,
  /// To the sum over each block, in f32.
  Accumulator,
  /// To the whole sum: one scale a row or a tensor.
  Result,
};

/// One operand's way to the tensor core.
struct OperandPlan {
  OperandPlan(const GemmConfig &config, int operand);

  const OperandConfig &config;
  /// Rows of the tile: tileM or tileN.
  int64_t rows;
  /// Bits of an element in memory.
  int64_t bits;
  ScaleUse scaleUse;
  /// Elements of K that share a scale, and rows (Format::Whole: all).
  int64_t blockCols = Format::Whole, blockRows = 1;
  int64_t scaleBytes = 0;
  /// True if elements go through a second tile of bf16 values.
  bool decode;
  /// A value is the sum of this many bf16 values.
  int64_t planes = 1;

  /// Of a row of the K tile in a stage: bytes of elements; number of scales,
  /// of which blocks longer than the tile have one.
  int64_t rowBytes, rowScales = 0;
  /// Byte offsets within a stage.
  int64_t elementsOffset = 0, scalesOffset = 0, zeroPointsOffset = 0;
  /// Byte offsets from the start of shared memory. The bf16 tiles, one plane
  /// after another.
  int64_t decodedOffset = 0;
  /// The f32 values of codes, if they are looked up.
  int64_t tableOffset = 0;

  bool hasZeroPoints() const {
    return config.format && config.format->zeroPoint;
  }
  /// True if the value of a code is looked up.
  bool hasTable() const {
    return config.format && config.format->element == Element::NF4;
  }
  bool hasSecondLevel() const {
    return config.format && config.format->secondLevel;
  }
  bool hasStagedScales() const {
    return scaleUse != ScaleUse::None && scaleUse != ScaleUse::Result;
  }
  /// Bytes of a row of the tile that the tensor core reads.
  int64_t getFragmentRowBytes(int64_t tileK) const {
    return decode ? 2 * tileK : rowBytes;
  }
};

struct GemmPlan {
  explicit GemmPlan(const GemmConfig &config);

  const GemmConfig &config;
  const Capability &atom;
  WarpGrid warps;
  OperandPlan operands[2];
  int64_t stageBytes = 0, sharedBytes = 0;

  bool hasBlockScaleAtom() const { return atom.scaleBlock != 0; }
  /// Instructions along K of a tile.
  int64_t getNumSteps() const { return config.tileK / atom.k; }
  /// Elements of K whose sum is scaled in f32 at once; 0: no such scales.
  int64_t getChunk() const;
  bool isWholeK() const {
    return config.k != mlir::ShapedType::kDynamic &&
           config.k % config.tileK == 0;
  }
};

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_GEMMPLAN_H
