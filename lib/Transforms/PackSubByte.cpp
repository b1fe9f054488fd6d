// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackedGeneric.h"
#include "mx/IR/Constants.h"
#include "mx/IR/MX.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Transforms/DialectConversion.h"

#include <limits>

namespace mx {
#define GEN_PASS_DEF_MXPACKSUBBYTE
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

bool mx::isSubByte(Type type) {
  return isa<Float4E2M1FNType, Float6E2M3FNType, Float6E3M2FNType>(type) ||
         type.isSignlessInteger(4) || type.isSignlessInteger(2);
}

static bool isSubByteTensor(Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  return tensor && isSubByte(tensor.getElementType());
}

int64_t mx::getCodesPerByte(Type tensor) {
  return 8 / getElementTypeOrSelf(tensor).getIntOrFloatBitWidth();
}

/// The packed type; unranked tensors have none.
static RankedTensorType getPackedType(RankedTensorType type) {
  SmallVector<int64_t> shape(type.getShape());
  if (!shape.empty() && !ShapedType::isDynamic(shape.back()))
    shape.back() = llvm::divideCeil(shape.back(), getCodesPerByte(type));
  return RankedTensorType::get(shape, IntegerType::get(type.getContext(), 8),
                               type.getEncoding());
}

namespace {
class PackedTypeConverter : public TypeConverter {
public:
  PackedTypeConverter() {
    addConversion([](Type type) { return type; });
    addConversion([](RankedTensorType type) -> Type {
      return isSubByteTensor(type) ? getPackedType(type) : type;
    });
  }
};
} // namespace

/// Extent of the last dimension in bytes.
static OpFoldResult packExtent(OpBuilder &b, Location loc, OpFoldResult extent,
                               int64_t codesPerByte) {
  if (std::optional<int64_t> constant = getConstantIntValue(extent))
    return b.getIndexAttr(llvm::divideCeil(*constant, codesPerByte));
  if (codesPerByte == 1)
    return extent;
  Value divisor = arith::ConstantIndexOp::create(b, loc, codesPerByte);
  return arith::CeilDivUIOp::create(b, loc, cast<Value>(extent), divisor)
      .getResult();
}

//===----------------------------------------------------------------------===//
// What can be packed
//===----------------------------------------------------------------------===//

/// Fails if a slice of a tensor of type `whole` drops the last dimension, or
/// starts or ends within a byte. It may have a constant offset and size in
/// whole bytes, or reach to the end of the row.
template <typename OpTy>
static LogicalResult checkSlice(OpTy slice, RankedTensorType whole) {
  int64_t codes = getCodesPerByte(whole), last = whole.getRank() - 1;
  if (codes == 1 || last < 0)
    return success();
  auto offset = getConstantIntValue(slice.getMixedOffsets().back());
  auto size = getConstantIntValue(slice.getMixedSizes().back());
  auto stride = getConstantIntValue(slice.getMixedStrides().back());
  bool wholeBytes = false;
  if (offset && size && stride == 1 && *offset % codes == 0) {
    int64_t end = *offset + *size;
    wholeBytes = end % codes == 0 || end == whole.getDimSize(last);
  }
  if (wholeBytes && !slice.getDroppedDims().test(last))
    return success();
  return slice.emitOpError("parts a byte of packed codes");
}

/// True if the last dimension stands alone in its group.
static bool keepsLastDim(ArrayRef<ReassociationIndices> groups) {
  return !groups.empty() && groups.back().size() == 1;
}

/// True if the op or one in its body, if it is a linalg op's, has a sub-byte
/// tensor among its operands or results.
static bool isConcerned(Operation *op) {
  if (llvm::any_of(op->getOperandTypes(), isSubByteTensor) ||
      llvm::any_of(op->getResultTypes(), isSubByteTensor))
    return true;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && llvm::any_of(*generic.getBody(), [](Operation &inner) {
           return llvm::any_of(inner.getOperandTypes(), isSubByteTensor);
         });
}

/// Reports an op on sub-byte tensors that has no packed form.
static LogicalResult checkPackable(Operation *op) {
  // A linalg op answers for its body.
  if (!isConcerned(op) || isa_and_nonnull<MXDialect>(op->getDialect()) ||
      isa_and_nonnull<linalg::GenericOp>(op->getParentOp()))
    return success();
  for (TypeRange types :
       {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (isSubByteTensor(type) && !isa<RankedTensorType>(type))
        return op->emitOpError("cannot pack an unranked tensor");
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return verifyMovesRows(generic);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return checkSlice(slice, slice.getSourceType());
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op))
    return checkSlice(slice, slice.getDestType());
  if (auto slice = dyn_cast<tensor::ParallelInsertSliceOp>(op))
    return checkSlice(slice, slice.getDestType());
  auto checkReshape = [&](ArrayRef<ReassociationIndices> groups, Type type) {
    return getCodesPerByte(type) == 1 || keepsLastDim(groups)
               ? success()
               : op->emitOpError("reshapes the dimension along which codes "
                                 "are packed");
  };
  if (auto reshape = dyn_cast<tensor::CollapseShapeOp>(op))
    return checkReshape(reshape.getReassociationIndices(), reshape.getType());
  if (auto reshape = dyn_cast<tensor::ExpandShapeOp>(op))
    return checkReshape(reshape.getReassociationIndices(), reshape.getType());
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    auto type = cast<RankedTensorType>(dim.getSource().getType());
    std::optional<int64_t> index = dim.getConstantIndex();
    return getCodesPerByte(type) == 1 || (index && *index + 1 < type.getRank())
               ? success()
               : op->emitOpError("asks for the number of codes, of which "
                                 "packing keeps the bytes only");
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (auto resource =
            dyn_cast<DenseResourceElementsAttr>(constant.getValue())) {
      Bytes storage;
      return getRawData(resource, /*maxSplatElements=*/0, storage)
                 ? success()
                 : op->emitOpError("has no data to pack");
    }
    return isa<DenseElementsAttr>(constant.getValue())
               ? success()
               : op->emitOpError("is not dense");
  }
  if (isa<tensor::EmptyOp, tensor::CastOp, func::FuncOp, func::CallOp,
          func::ReturnOp, cf::BranchOp, cf::CondBranchOp, scf::ForOp,
          scf::ForallOp, scf::IfOp, scf::WhileOp, scf::YieldOp,
          scf::ConditionOp>(op))
    return success();
  return op->emitOpError("has no form on packed codes");
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// The codes of a row-major tensor, a byte each, packed row by row.
static SmallVector<char> packCodes(ArrayRef<char> codes,
                                   RankedTensorType type) {
  int64_t perByte = getCodesPerByte(type);
  int64_t bits = type.getElementTypeBitWidth();
  char mask = char((1 << bits) - 1);
  int64_t row = type.getRank() ? type.getShape().back() : 1;
  SmallVector<char> bytes;
  bytes.reserve(codes.size() / perByte + 1);
  for (size_t begin = 0; begin < codes.size(); begin += row)
    for (int64_t i = 0; i < row; i += perByte) {
      char byte = 0;
      for (int64_t j = i; j < std::min(i + perByte, row); ++j)
        byte |= char((codes[begin + j] & mask) << (bits * (j - i)));
      bytes.push_back(byte);
    }
  return bytes;
}

namespace {
struct PackConstant : OpConversionPattern<arith::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(arith::ConstantOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    RankedTensorType packed = getPackedType(type);
    Bytes storage;
    SmallVector<char> bytes =
        packCodes(*getRawData(cast<ElementsAttr>(op.getValue()),
                              std::numeric_limits<int64_t>::max(), storage),
                  type);
    ElementsAttr value;
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue()))
      value = DenseResourceElementsAttr::get(
          packed, resource.getRawHandle().getKey(),
          HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, alignof(char)));
    else
      value = DenseElementsAttr::getFromRawBuffer(packed, bytes);
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, value);
    return success();
  }
};

/// An mx op, or another for which only the types change.
struct PackTypes : ConversionPattern {
  PackTypes(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/1,
                          context) {}
  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<MXDialect>(op->getDialect()) &&
        !isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::DimOp>(op))
      return rewriter.notifyMatchFailure(op, "depends on the codes");
    OperationState state(op->getLoc(), op->getName(), operands, {},
                         op->getAttrs());
    if (failed(getTypeConverter()->convertTypes(op->getResultTypes(),
                                                state.types)))
      return rewriter.notifyMatchFailure(op, "a result type does not convert");
    state.propertiesAttr = op->getPropertiesAsAttribute();
    for (Region &region : op->getRegions())
      rewriter.inlineRegionBefore(region, *state.addRegion(),
                                  state.regions.back()->end());
    rewriter.replaceOp(op, rewriter.create(state));
    return success();
  }
};

struct PackEmpty : OpConversionPattern<tensor::EmptyOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tensor::EmptyOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<OpFoldResult> sizes = op.getMixedSizes();
    if (!sizes.empty())
      sizes.back() = packExtent(rewriter, op.getLoc(), sizes.back(),
                                getCodesPerByte(op.getType()));
    RankedTensorType packed = getPackedType(op.getType());
    rewriter.replaceOpWithNewOp<tensor::EmptyOp>(
        op, sizes, packed.getElementType(), packed.getEncoding());
    return success();
  }
};

struct PackExpandShape : OpConversionPattern<tensor::ExpandShapeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tensor::ExpandShapeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<OpFoldResult> sizes = getMixedValues(
        op.getStaticOutputShape(), op.getOutputShape(), rewriter);
    sizes.back() = packExtent(rewriter, op.getLoc(), sizes.back(),
                              getCodesPerByte(op.getType()));
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(
        op, getPackedType(cast<RankedTensorType>(op.getType())),
        adaptor.getSrc(), op.getReassociationIndices(), sizes);
    return success();
  }
};

/// Offsets and sizes of a slice with the last dimension in bytes.
struct PackedSlice {
  PackedSlice(OffsetSizeAndStrideOpInterface op, Type type, OpBuilder &b)
      : offsets(op.getMixedOffsets()), sizes(op.getMixedSizes()),
        strides(op.getMixedStrides()) {
    int64_t codes = getCodesPerByte(type);
    if (codes == 1 || offsets.empty())
      return;
    offsets.back() = packExtent(b, op.getLoc(), offsets.back(), codes);
    sizes.back() = packExtent(b, op.getLoc(), sizes.back(), codes);
  }
  SmallVector<OpFoldResult> offsets, sizes, strides;
};

struct PackExtractSlice : OpConversionPattern<tensor::ExtractSliceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tensor::ExtractSliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    PackedSlice slice(op, op.getType(), rewriter);
    rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
        op, getPackedType(op.getType()), adaptor.getSource(), slice.offsets,
        slice.sizes, slice.strides);
    return success();
  }
};

template <typename OpTy> struct PackInsertSlice : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    PackedSlice slice(op, op.getSourceType(), rewriter);
    rewriter.replaceOpWithNewOp<OpTy>(op, adaptor.getSource(),
                                      adaptor.getDest(), slice.offsets,
                                      slice.sizes, slice.strides);
    return success();
  }
};

struct PackSubBytePass : mx::impl::MXPackSubByteBase<PackSubBytePass> {
  /// Named linalg ops (copy, transpose, broadcast) as generic ones.
  void generalize() {
    SmallVector<linalg::LinalgOp> named;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (isConcerned(op) && !isa<linalg::GenericOp>(op))
        named.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      // One that cannot be is refused by the check.
      (void)linalg::generalizeNamedOp(rewriter, op);
    }
  }

  void runOnOperation() override {
    generalize();
    bool packable = true;
    getOperation()->walk(
        [&](Operation *op) { packable &= succeeded(checkPackable(op)); });
    if (!packable)
      return signalPassFailure();

    MLIRContext *context = &getContext();
    PackedTypeConverter converter;
    RewritePatternSet patterns(context);
    ConversionTarget target(*context);
    patterns.add<PackConstant, PackEmpty, PackExpandShape, PackExtractSlice,
                 PackInsertSlice<tensor::InsertSliceOp>,
                 PackInsertSlice<tensor::ParallelInsertSliceOp>, PackTypes>(
        converter, context);
    populatePackGenericPatterns(converter, patterns);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);
    populateCallOpTypeConversionPattern(patterns, converter);
    populateReturnOpTypeConversionPattern(patterns, converter);
    populateBranchOpInterfaceTypeConversionPattern(patterns, converter);
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                         target);
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType()) &&
             converter.isLegal(&op.getBody());
    });
    target.markUnknownOpDynamicallyLegal(
        [&](Operation *op) { return !isConcerned(op); });
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
