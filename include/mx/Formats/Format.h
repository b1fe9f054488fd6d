// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block format as a value: what the elements are, which of them share a
// scale, how the scale is chosen and stored. Presets are a table of such
// values; the dialect's #mx.format attribute and the tools parse and print the
// same spelling through this file.

#ifndef MX_FORMATS_FORMAT_H
#define MX_FORMATS_FORMAT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mx {

/// What one element is. `MXInt8` is the OCP MX type with value code/64;
/// `Int8` is a plain two's complement integer (ternary's activations).
enum class Element : uint8_t {
  E2M1,
  E2M3,
  E3M2,
  E4M3,
  E5M2,
  MXInt8,
  Int8,
  Int4,
  NF4,
  Ternary
};

/// How a block's scale is stored.
enum class ScaleType : uint8_t { E8M0, E4M3, F32, F16, BF16 };

/// How a block's scale follows from its elements. The first four are for E8M0
/// scales (OCP MX v1.0 section 6.3 is `Floor`; `RCeil` is
/// cvt.rp.satfinite.ue8m0x2). `Amax` is for float scales: amax over the largest
/// element. `AbsMean` is ternary's mean of the magnitudes (BitNet b1.58).
enum class ScaleRule : uint8_t { Floor, Ceil, Even, RCeil, Amax, AbsMean };

/// Whose edge rules (ties, zero and tiny blocks, NaN) are followed.
enum class Variant : uint8_t {
  OCP,
  TorchAO,
  TE,
  CompressedTensors,
  ModelOpt,
  JAX,
  Microxcaling,
  DeepSeek,
  BitsAndBytes,
  FourOverSix
};

/// NVFP4 "4 over 6": also try mapping a block's amax to 4, keep what has the
/// smaller error by this measure.
enum class FourOverSix : uint8_t { None, MSE, MAE, AbsMax };

/// One block format. Compared and hashed field by field.
struct Format {
  /// Extent `Whole` of a block dimension: all of the tensor's dimension.
  static constexpr int64_t Whole = 0;

  Element element = Element::E2M1;
  /// Elements that share a scale: `blockRows` along the innermost dimension
  /// that is not the contraction dimension, `blockCols` along the contraction
  /// dimension (K). 1x32 is MX; 16x16 NVFP4 in two dimensions; 1xWhole a scale
  /// a row; WholexWhole a scale a tensor.
  int64_t blockRows = 1;
  int64_t blockCols = 32;
  ScaleType scale = ScaleType::E8M0;
  ScaleRule rule = ScaleRule::Floor;
  /// A second, per-tensor f32 scale derived from the tensor's amax (NVFP4).
  bool secondLevel = false;
  Variant variant = Variant::OCP;
  FourOverSix fourOverSix = FourOverSix::None;
  /// Largest block scale that the second level maps the tensor's amax to
  /// (448, or 256 with 4over6). Meaningful with `secondLevel` only.
  int64_t scaleMax = 448;
  /// Int4 with a zero point a block (asymmetric).
  bool zeroPoint = false;
  /// NF4: block scales are quantised again to 8 bits per 256 blocks (QLoRA).
  bool doubleQuant = false;

  bool operator==(const Format &other) const;
  bool operator!=(const Format &other) const { return !(*this == other); }

  /// Parses a preset name (`nvfp4`), or a preset and overrides
  /// (`mxfp4, rule = floor`), or fields only, of which `element`, `block`,
  /// `scale` and `rule` have no default
  /// (`element = e2m1, block = 1x32, scale = e8m0, rule = even`; `?` is a whole
  /// extent). Accepts the text with or without a surrounding
  /// `#mx.format<...>`. The error says what was found and what is allowed. The
  /// result is verified.
  static llvm::Expected<Format> parse(llvm::StringRef text);

  /// The shortest spelling that `parse` turns back into this value: a preset
  /// of the same element and what differs from it, or every field.
  std::string str() const;

  /// Checks that the fields fit each other; the error names the field.
  llvm::Error verify() const;
};

llvm::hash_code hash_value(const Format &format);

/// Extent of a block along each dimension of a tensor of this rank,
/// `Format::Whole` for all of a dimension. Columns run along `axis`, rows along
/// the innermost other dimension.
llvm::SmallVector<int64_t> getBlockShape(const Format &format, int64_t rank,
                                         int64_t axis);

llvm::StringRef stringify(Element);
llvm::StringRef stringify(ScaleType);
llvm::StringRef stringify(ScaleRule);
llvm::StringRef stringify(Variant);
llvm::StringRef stringify(FourOverSix);

/// A named format, one row of the presets table.
struct FormatPreset {
  llvm::StringLiteral name;
  Format format;
};

/// All presets in the order in which they are documented.
llvm::ArrayRef<FormatPreset> getFormatPresets();
/// The preset of this name or alias (`mxfp8` is `mxfp8_e4m3`, `int4` is
/// `int4_g128`, `fp8_block` is `fp8_block_act`), or nullopt.
std::optional<Format> lookupFormatPreset(llvm::StringRef name);

/// The dimension along which block rows run in a tensor whose block columns run
/// along `axis`: the innermost other one; nullopt for rank 1.
std::optional<int64_t> getRowAxis(int64_t rank, int64_t axis);

/// Width of one element's code in bits.
unsigned getBitWidth(Element);
/// Largest finite magnitude of an element (6, 7.5, 28, 448, 57344, 127/64,
/// ...).
double getMaxFinite(Element);

} // namespace mx

#endif // MX_FORMATS_FORMAT_H
