// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which kernel multiplies or quantises what on which chip: the rows of the
// capability table that take two formats as they are, what is used where there
// is none, and the size of the tiles.

#ifndef MX_TARGET_KERNELCHOICE_H
#define MX_TARGET_KERNELCHOICE_H

#include "mx/Kernels/Gemm.h"

namespace mx {

/// Extents of a product; ShapedType::kDynamic where they are not known.
struct GemmShape {
  int64_t m, n, k, batch;
  /// Dimensions of the operand that has the most.
  int64_t rank = 2;
};

/// What there is to say about a choice.
struct Choice {
  /// True if the chip cannot do what was asked for as it is.
  bool isFallback = false;
  /// What is done instead of what, and why; empty if there is nothing to say.
  std::string note;
};

/// Sets atom, tile, warps and stages of `config`, whose operands and types are
/// given: the first instruction of the table that the chip has for the operands
/// as they are and that a kernel is built on, else `mma_bf16` on dequantised
/// operands; and the tile that the model in KernelChoice.cpp takes for the
/// fastest of those that fit into the chip's shared memory. Fails if there is
/// no kernel at all, with the reason through `emitError`.
mlir::FailureOr<Choice>
chooseGemm(const Chip &chip, const GemmShape &shape,
           kernels::GemmConfig &config,
           llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

/// Sets `atom` to the conversion for elements that are quantised, or to `alu`
/// (integer code, the same bits) where the chip has no instruction.
Choice chooseQuantizeAtom(const Chip &chip, Element element, Instruction &atom);

} // namespace mx

#endif // MX_TARGET_KERNELCHOICE_H
