// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference quantiser: tensors of any rank to codes and block scales, and
// back. The arithmetic of a block is in Scale.h, that of an element in Codec.h,
// random bits in Random.h, the transform in Hadamard.h.

#ifndef MX_FORMATS_QUANTIZE_H
#define MX_FORMATS_QUANTIZE_H

#include "mx/Formats/Codec.h"
#include "mx/Formats/Format.h"
#include "mx/Formats/Hadamard.h"
#include "mx/Formats/Scale.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <optional>

namespace mx {

/// A row-major tensor in memory, not owned.
struct TensorView {
  FloatType type = FloatType::F32;
  /// Aligned for its type; the 16-bit types are their bit patterns.
  const void *data = nullptr;
  llvm::ArrayRef<int64_t> shape;

  TensorView(llvm::ArrayRef<float> values, llvm::ArrayRef<int64_t> shape)
      : data(values.data()), shape(shape) {}
  TensorView(FloatType type, const void *data, llvm::ArrayRef<int64_t> shape)
      : type(type), data(data), shape(shape) {}
};

struct QuantizeOptions {
  /// The contraction dimension, along which block columns run; negative counts
  /// from the end. Block rows run along the innermost other dimension; any
  /// other dimension is a batch, except that a block of ?x? is all of the
  /// tensor. The last block of a dimension may be ragged: it is as if the
  /// tensor were padded with zeros.
  int64_t axis = -1;
  ElementRounding rounding = ElementRounding::NearestEven;
  /// For stochastic rounding: element i, counted in row-major order, takes the
  /// top `randomBits` (8 to 24) bits of `getRandomWord(seed, offset, i)`.
  uint64_t seed = 0;
  uint64_t offset = 0;
  unsigned randomBits = 24;
  /// The tensor's amax where it was calibrated; else it is computed.
  std::optional<float> amax;
  /// Applied along `axis` before anything else.
  std::optional<Hadamard> transform;
};

/// A quantised tensor.
struct Quantized {
  Format format;
  /// Not negative.
  int64_t axis = 0;
  llvm::SmallVector<int64_t> shape;
  /// Blocks in each dimension; `{blocks}` where blocks run over the flattened
  /// tensor (`isFlattened`).
  llvm::SmallVector<int64_t> scaleShape;
  /// One code a byte, in the tensor's order.
  llvm::SmallVector<uint8_t, 0> codes;
  /// The scales: bytes of E8M0 and E4M3, or of double-quantised NF4 scales ...
  llvm::SmallVector<uint8_t, 0> scaleCodes;
  /// ... else numbers.
  llvm::SmallVector<float, 0> scales;
  /// Of the scales' shape, for formats with zero points.
  llvm::SmallVector<int8_t, 0> zeroPoints;
  /// The second level.
  TensorScale tensorScale;
  /// Double quantisation: a number for each 256 scales, and the scales' mean.
  llvm::SmallVector<float, 0> groupScales;
  float scaleOffset = 0;
};

/// True if the variant's blocks run over the flattened tensor and may cross its
/// rows (bitsandbytes, torchao's NF4, ModelOpt's INT4).
bool isFlattened(const Format &format);

/// Quantises a tensor. An error says which option or extent does not fit.
llvm::Expected<Quantized> quantize(const Format &format,
                                   const QuantizeOptions &options,
                                   TensorView tensor);

/// The values that a quantised tensor stands for; `out` has its size. A
/// transform is not undone.
void dequantize(const Quantized &quantized, llvm::MutableArrayRef<float> out);

/// The tensor as f32, with the transform (if any) applied along `axis` (not
/// negative, its extent a multiple of the transform's size) and the result
/// rounded to the tensor's type.
llvm::SmallVector<float, 0> transformTensor(const Hadamard *transform,
                                            TensorView tensor, int64_t axis);

/// Largest magnitude of a tensor, as the second level takes it.
float computeAmax(TensorView tensor, bool propagateNaN);

/// The 256 values of the signed dynamic map, ascending (arXiv 1511.04561, as
/// bitsandbytes makes it): for i = 0..6, 10^(i - 6) times the centres of 2^i
/// equal parts of [0.1, 1], with both signs; 0; and 1. Double quantisation
/// takes NF4's scales to these.
llvm::ArrayRef<float> getDynamicMap();

/// The value of each code of a format: as `getDecodeTable(element)`, but
/// unsigned for torchao's INT4 with zero points.
llvm::SmallVector<float> getDecodeTable(const Format &format);

/// Packs codes of 2 and 4 bits into bytes, low bits first (NF4 high first), and
/// codes of 6 bits four into three bytes, little-endian; 8-bit codes stay. Rows
/// of `rowLength` codes start at a new byte.
llvm::SmallVector<uint8_t, 0>
packCodes(Element element, llvm::ArrayRef<uint8_t> codes, int64_t rowLength);

} // namespace mx

#endif // MX_FORMATS_QUANTIZE_H
