// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CodeTypes.h"
#include "Layout.h"
#include "Shapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/ControlFlow/Transforms/StructuralTypeConversions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

bool mx::isNarrowType(Type type) {
  return isa<Float4E2M1FNType, Float6E2M3FNType, Float6E3M2FNType,
             Float8E4M3FNType, Float8E5M2Type, Float8E8M0FNUType>(type) ||
         type.isSignlessInteger(4) || type.isSignlessInteger(2);
}

bool mx::hasNarrowTensor(Type type) {
  if (auto tensor = dyn_cast<TensorType>(type))
    return isNarrowType(tensor.getElementType()) || getLayout(type);
  if (auto function = dyn_cast<FunctionType>(type))
    return llvm::any_of(function.getInputs(), hasNarrowTensor) ||
           llvm::any_of(function.getResults(), hasNarrowTensor);
  return false;
}

CodeTypeConverter::CodeTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](TensorType type) -> Type {
    if (getLayout(type))
      type = getTiledType(cast<RankedTensorType>(type));
    if (!isNarrowType(type.getElementType()))
      return type;
    return type.clone(IntegerType::get(type.getContext(), 8));
  });
}

/// The scalar of a narrow type that a code in memory stands for, and back.
static Value decodeBits(OpBuilder &b, Location loc, Value code, Type type) {
  if (unsigned width = type.getIntOrFloatBitWidth(); width < 8)
    code = arith::TruncIOp::create(b, loc, b.getIntegerType(width), code);
  if (isa<FloatType>(type))
    code = arith::BitcastOp::create(b, loc, type, code);
  return code;
}
static Value encodeBits(OpBuilder &b, Location loc, Value scalar) {
  unsigned width = scalar.getType().getIntOrFloatBitWidth();
  if (isa<FloatType>(scalar.getType()))
    scalar = arith::BitcastOp::create(b, loc, b.getIntegerType(width), scalar);
  if (width < 8)
    scalar = arith::ExtUIOp::create(b, loc, b.getI8Type(), scalar);
  return scalar;
}

/// `scalar` in the form that it has in a tensor.
static Value toStored(OpBuilder &b, Location loc, Value scalar) {
  return isNarrowType(scalar.getType()) ? encodeBits(b, loc, scalar) : scalar;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// The codes of a constant as a constant of `type`, or null if they are not at
/// hand as raw bytes. Bits above a code's width are dropped.
static ElementsAttr convertConstant(ElementsAttr attr, RankedTensorType type) {
  unsigned width = attr.getElementType().getIntOrFloatBitWidth();
  char mask = char((1u << width) - 1);
  auto isClean = [mask](ArrayRef<char> data) {
    return llvm::all_of(data, [mask](char byte) { return !(byte & ~mask); });
  };
  auto clean = [mask](ArrayRef<char> data) {
    return llvm::map_to_vector(
        data, [mask](char byte) -> char { return byte & mask; });
  };
  if (auto dense = dyn_cast<DenseElementsAttr>(attr)) {
    ArrayRef<char> data = dense.getRawData();
    if (isClean(data))
      return DenseElementsAttr::getFromRawBuffer(type, data);
    return DenseElementsAttr::getFromRawBuffer(type, clean(data));
  }
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || isClean(blob->getData()))
      return DenseResourceElementsAttr::get(type, resource.getRawHandle());
    SmallVector<char> data = clean(blob->getData());
    return DenseResourceElementsAttr::get(
        type, resource.getRawHandle().getKey(),
        HeapAsmResourceBlob::allocateAndCopyWithAlign(data, alignof(char)));
  }
  return {};
}

namespace {

struct ConvertConstant : OpConversionPattern<arith::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(arith::ConstantOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    auto attr = dyn_cast<ElementsAttr>(op.getValue());
    ElementsAttr codes = type && attr ? convertConstant(attr, type) : nullptr;
    if (!codes)
      return rewriter.notifyMatchFailure(op, "not a dense constant");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, codes);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Tensor ops
//===----------------------------------------------------------------------===//

/// Ops that look at no element: only their types change.
bool isDataMovement(Operation *op) {
  return isa<arith::SelectOp, tensor::CastOp, tensor::CollapseShapeOp,
             tensor::ConcatOp, tensor::DimOp, tensor::ExpandShapeOp,
             tensor::ExtractSliceOp, tensor::GatherOp, tensor::InsertSliceOp,
             tensor::RankOp, tensor::ReshapeOp, tensor::ScatterOp>(op);
}

struct ConvertEmpty : OpConversionPattern<tensor::EmptyOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tensor::EmptyOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getType());
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Sizes sizes = op.getMixedSizes();
    if (getLayout(op.getType()))
      sizes = getTiledSizes(b, sizes);
    rewriter.replaceOpWithNewOp<tensor::EmptyOp>(op, sizes,
                                                 type.getElementType());
    return success();
  }
};

struct ConvertDataMovement : ConversionPattern {
  ConvertDataMovement(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/2,
                          context) {}
  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isDataMovement(op))
      return rewriter.notifyMatchFailure(op, "looks at elements");
    OperationState state(op->getLoc(), op->getName());
    state.addOperands(operands);
    if (failed(getTypeConverter()->convertTypes(op->getResultTypes(),
                                                state.types)))
      return rewriter.notifyMatchFailure(op, "a result type does not convert");
    state.addAttributes(op->getAttrs());
    rewriter.replaceOp(op, rewriter.create(state));
    return success();
  }
};

struct ConvertExtract : OpConversionPattern<tensor::ExtractOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(tensor::ExtractOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value code = tensor::ExtractOp::create(
        rewriter, op.getLoc(), adaptor.getTensor(), adaptor.getIndices());
    rewriter.replaceOp(op,
                       decodeBits(rewriter, op.getLoc(), code, op.getType()));
    return success();
  }
};

/// tensor.insert, tensor.from_elements, tensor.splat: scalars in.
template <typename OpTy> struct ConvertScalarsIn : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> operands;
    for (Value operand : adaptor.getOperands())
      operands.push_back(toStored(rewriter, op.getLoc(), operand));
    rewriter.replaceOpWithNewOp<OpTy>(
        op, TypeRange{this->getTypeConverter()->convertType(op.getType())},
        operands, op->getAttrs());
    return success();
  }
};

/// tensor.pad, tensor.generate: a body that yields an element.
template <typename OpTy> struct ConvertElementBody : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    OperationState state(op.getLoc(), op->getName());
    state.addOperands(adaptor.getOperands());
    state.addTypes(this->getTypeConverter()->convertType(op.getType()));
    state.addAttributes(op->getAttrs());
    state.addRegion();
    Operation *converted = rewriter.create(state);
    Region &body = converted->getRegion(0);
    rewriter.inlineRegionBefore(op->getRegion(0), body, body.end());
    Operation *yield = body.back().getTerminator();
    rewriter.setInsertionPoint(yield);
    Value stored = toStored(rewriter, op.getLoc(), yield->getOperand(0));
    rewriter.modifyOpInPlace(yield, [&] { yield->setOperand(0, stored); });
    rewriter.replaceOp(op, converted);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Linalg ops
//===----------------------------------------------------------------------===//

/// Codes in and out of the body; what it computes on scalars stays, and an
/// element that it only passes on stays a code.
struct ConvertGeneric : OpConversionPattern<linalg::GenericOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(linalg::GenericOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertTypes(op.getResultTypes(), types)))
      return rewriter.notifyMatchFailure(op, "a result type does not convert");
    Block *body = op.getBody();
    auto buildBody = [&](OpBuilder &b, Location loc, ValueRange arguments) {
      IRMapping mapping, passedOn;
      for (auto [from, to] : llvm::zip_equal(body->getArguments(), arguments)) {
        passedOn.map(from, to);
        if (from.getType() == to.getType())
          mapping.map(from, to);
        else if (llvm::any_of(from.getUsers(), [](Operation *user) {
                   return !isa<linalg::YieldOp>(user);
                 }))
          mapping.map(from, decodeBits(b, loc, to, from.getType()));
      }
      for (Operation &nested : body->without_terminator())
        b.clone(nested, mapping);
      SmallVector<Value> results;
      for (Value result : body->getTerminator()->getOperands()) {
        if (Value argument = passedOn.lookupOrNull(result))
          results.push_back(argument);
        else
          results.push_back(toStored(b, loc, mapping.lookupOrDefault(result)));
      }
      linalg::YieldOp::create(b, loc, results);
    };
    auto converted = linalg::GenericOp::create(
        rewriter, op.getLoc(), types, adaptor.getInputs(), adaptor.getOutputs(),
        op.getIndexingMapsArray(), op.getIteratorTypesArray(), buildBody,
        linalg::getPrunedAttributeList(op));
    rewriter.replaceOp(op, converted);
    return success();
  }
};

/// Named linalg ops become generic ones first.
struct GeneralizeNamedOp : OpInterfaceConversionPattern<linalg::LinalgOp> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;
  LogicalResult
  matchAndRewrite(linalg::LinalgOp op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    return linalg::generalizeNamedOp(rewriter, op);
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// What is converted
//===----------------------------------------------------------------------===//

/// Ops that pass values on whole.
static bool isStructural(Operation *op) {
  return isa<func::FuncOp, func::CallOp, func::ReturnOp, cf::BranchOp,
             cf::CondBranchOp, scf::ForOp, scf::IfOp, scf::WhileOp,
             scf::YieldOp, scf::ConditionOp, tensor::EmptyOp>(op);
}

bool mx::hasCodeForm(Operation *op) {
  if (isStructural(op))
    return true;
  // Positions of elements in a layout are mx.relayout's business only.
  auto hasLayout = [](Type type) { return bool(getLayout(type)); };
  if (llvm::any_of(op->getOperandTypes(), hasLayout) ||
      llvm::any_of(op->getResultTypes(), hasLayout))
    return false;
  if (isa<arith::ConstantOp>(op))
    return isa<DenseElementsAttr, DenseResourceElementsAttr>(
        cast<arith::ConstantOp>(op).getValue());
  return isDataMovement(op) || isa<linalg::LinalgOp>(op) ||
         isa<tensor::ExtractOp, tensor::InsertOp, tensor::FromElementsOp,
             tensor::SplatOp, tensor::PadOp, tensor::GenerateOp,
             tensor::YieldOp, linalg::YieldOp>(op) ||
         OpTrait::hasElementwiseMappableTraits(op);
}

void mx::populateCodeTypePatterns(const TypeConverter &converter,
                                  RewritePatternSet &patterns,
                                  ConversionTarget &target) {
  MLIRContext *context = patterns.getContext();
  patterns
      .add<ConvertConstant, ConvertDataMovement, ConvertEmpty, ConvertExtract,
           ConvertScalarsIn<tensor::InsertOp>,
           ConvertScalarsIn<tensor::FromElementsOp>,
           ConvertScalarsIn<tensor::SplatOp>, ConvertElementBody<tensor::PadOp>,
           ConvertElementBody<tensor::GenerateOp>, ConvertGeneric,
           GeneralizeNamedOp>(converter, context);
  linalg::populateElementwiseToLinalgConversionPatterns(patterns);
  populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                 converter);
  populateCallOpTypeConversionPattern(patterns, converter);
  populateReturnOpTypeConversionPattern(patterns, converter);
  cf::populateCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                     target);
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  // Blocks other than the entry are converted by the branches to them.
  target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
    return converter.isSignatureLegal(op.getFunctionType());
  });
  target.markUnknownOpDynamicallyLegal(
      [&](Operation *op) { return converter.isLegal(op); });
}
