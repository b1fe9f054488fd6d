// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Packing.h"
#include "Codecs.h"
#include "Generic.h"
#include "Shapes.h"

#include "mx/Formats/Codec.h"
#include "mx/IR/FormatTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mx;

bool mx::isPacked(Type type, Element element) {
  return isPackedType(getElementTypeOrSelf(type), element) &&
         getCodesPerByte(element) > 1;
}

namespace {
/// Loops over bytes and, innermost, the codes of a byte.
struct PackedView {
  AffineMap codeMap, byteMap;
  /// The last dimension of the codes is the last two loops.
  SmallVector<ReassociationIndices> groups;
  /// Sizes of the loops.
  Sizes sizes;

  /// `codeSizes` are those of the codes.
  PackedView(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> codeSizes,
             unsigned codesPerByte)
      : sizes(codeSizes) {
    sizes.back() = ceilDiv(b, sizes.back(), codesPerByte);
    int64_t rank = sizes.size();
    sizes.push_back(b.getIndexAttr(codesPerByte));
    codeMap = b.getMultiDimIdentityMap(rank + 1);
    byteMap = codeMap.dropResult(rank);
    for (int64_t dim = 0; dim < rank; ++dim)
      groups.push_back({dim});
    groups.back().push_back(rank);
  }

  RankedTensorType getByteType() const {
    Type i8 = IntegerType::get(codeMap.getContext(), 8);
    return getTensorType(ArrayRef(sizes).drop_back(), i8);
  }
};
} // namespace

/// The position (i32) of the current code in its byte.
static Scalar getShift(ImplicitLocOpBuilder &b, const PackedView &view,
                       unsigned width) {
  Value place = linalg::IndexOp::create(b, view.sizes.size() - 1);
  Scalar shift(b, arith::IndexCastOp::create(b, b.getI32Type(), place));
  return shift * shift.i32(width);
}

/// True if `n` codes are known to fill whole bytes.
static bool fillsBytes(OpFoldResult n, unsigned codesPerByte) {
  std::optional<int64_t> constant = getConstantIntValue(n);
  return constant && *constant % codesPerByte == 0;
}

Value mx::unpackCodes(ImplicitLocOpBuilder &b, Value bytes, Element element,
                      ArrayRef<OpFoldResult> sizes) {
  unsigned codesPerByte = getCodesPerByte(element);
  unsigned width = getBitWidth(element);
  PackedView view(b, sizes, codesPerByte);
  bytes = castTo(b, bytes, view.getByteType());
  Value empty = tensor::EmptyOp::create(b, view.sizes, b.getI8Type());
  Value codes =
      createGeneric(b, {{bytes, view.byteMap}}, {empty, view.codeMap},
                    [&](ImplicitLocOpBuilder &b, ValueRange args) {
                      Scalar byte = Scalar::load(b, args[0]);
                      Scalar shifted(b, arith::ShRUIOp::create(
                                            b, byte, getShift(b, view, width)));
                      return shifted & ((1u << width) - 1);
                    });
  codes = tensor::CollapseShapeOp::create(b, codes, view.groups);
  if (fillsBytes(sizes.back(), codesPerByte))
    return codes;
  return copySlice(b, codes, tensor::EmptyOp::create(b, sizes, b.getI8Type()));
}

Value mx::packCodes(ImplicitLocOpBuilder &b, Value codes, Element element,
                    Value init) {
  unsigned codesPerByte = getCodesPerByte(element);
  unsigned width = getBitWidth(element);
  Sizes sizes = getTensorSizes(b, codes), padded = sizes;
  PackedView view(b, sizes, codesPerByte);
  if (!fillsBytes(sizes.back(), codesPerByte))
    padded.back() =
        multiply(b, ceilDiv(b, sizes.back(), codesPerByte), codesPerByte);
  codes = padTo(b, codes, sizes, padded,
                b.getI8IntegerAttr(mx::encodeElement(element, 0.0f)));
  codes =
      tensor::ExpandShapeOp::create(b, getTensorType(view.sizes, b.getI8Type()),
                                    codes, view.groups, view.sizes);
  Value bytes = createGeneric(
      b, {{codes, view.codeMap}},
      {fillZeros(b, castTo(b, init, view.getByteType())), view.byteMap},
      [&](ImplicitLocOpBuilder &b, ValueRange args) {
        Scalar code = Scalar::load(b, args[0]);
        Scalar shifted(
            b, arith::ShLIOp::create(b, code, getShift(b, view, width)));
        return Scalar::load(b, args[1]) | shifted;
      });
  return castTo(b, bytes, init.getType());
}
