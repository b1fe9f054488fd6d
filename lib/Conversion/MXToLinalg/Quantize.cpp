// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mx.quantize: what each block's elements say about its scale, the scale, the
// codes of the elements.

#include "BlockView.h"
#include "Codecs.h"
#include "DoubleQuant.h"
#include "FourOverSix.h"
#include "Generic.h"
#include "Packing.h"
#include "Patterns.h"
#include "Random.h"
#include "Scales.h"

#include "mx/IR/MX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mx;

static mx::FloatType getFloatType(Type type) {
  return type.isBF16()  ? mx::FloatType::BF16
         : type.isF16() ? mx::FloatType::F16
                        : mx::FloatType::F32;
}

/// The stored form of scale 1.
static Scalar getNeutralScale(ImplicitLocOpBuilder &b, const Format &format) {
  switch (format.scale) {
  case ScaleType::E8M0:
    return Scalar::i32(b, 127);
  case ScaleType::E4M3:
    return Scalar::i32(b, 0x38);
  default:
    return Scalar::f32(b, 1);
  }
}

namespace {

/// The lowering of one op: the steps and the values that they share.
class QuantizeLowering {
public:
  QuantizeLowering(ImplicitLocOpBuilder &b, QuantizeOp op,
                   QuantizeOp::Adaptor adaptor)
      : b(b), op(op), adaptor(adaptor), format(op.getFormat().getValue()),
        view(b, adaptor.getInput(), format, op.getAxis()),
        inputType(
            getFloatType(getElementTypeOrSelf(adaptor.getInput().getType()))) {}

  /// The op's results.
  SmallVector<Value> run();

private:
  void reduceBlocks();
  void computeScales();
  Value computeCodes();

  std::optional<Value> getIsEmpty();
  SmallVector<Value> fillEmpty();
  GenericOperand overElements(Value value) {
    return {value, view.getElementMap()};
  }
  GenericOperand overScales(Value value) { return {value, view.getScaleMap()}; }
  GenericOperand scalar(Value value) { return {value, view.getScalarMap()}; }
  /// An init of a reduction, filled with zeros.
  GenericOperand createReduction(Type type);
  ScalarRange loadRange(ImplicitLocOpBuilder &b, ValueRange args);
  void addRandomInputs(SmallVectorImpl<GenericOperand> &inputs);
  RandomBits getRandomBits(ImplicitLocOpBuilder &b, ValueRange args);

  ImplicitLocOpBuilder &b;
  QuantizeOp op;
  QuantizeOp::Adaptor adaptor;
  Format format;
  BlockView view;
  /// The elements by loops.
  Value input;
  mx::FloatType inputType;

  /// What `reduceBlocks` found, by scale loops: the bits of the amax; or the
  /// lowest and the highest element; or the sum of the magnitudes (f64).
  SmallVector<Value> ranges;
  /// The stored scales and the factors of the elements; the zero points.
  Value scales, factors, zeroPoints;
};

} // namespace

GenericOperand QuantizeLowering::createReduction(Type type) {
  return overScales(fillZeros(b, view.createForScales(b, type)));
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

void QuantizeLowering::reduceBlocks() {
  if (format.rule == ScaleRule::AbsMean) {
    // In f64 and in order, as lib/Formats.
    ranges = createGeneric(
        b, overElements(input), createReduction(b.getF64Type()),
        [](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
          Value magnitude = Scalar::load(b, args[0]).abs();
          magnitude = arith::ExtFOp::create(b, b.getF64Type(), magnitude);
          return {addInOrder(b, args[1], magnitude)};
        });
    return;
  }
  if (format.zeroPoint) {
    // From zero on, which the range has to hold anyway. A NaN spoils both.
    ranges = createGeneric(
        b, overElements(input),
        {createReduction(b.getF32Type()), createReduction(b.getF32Type())},
        [](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
          Scalar x = Scalar::load(b, args[0]);
          return {arith::MinimumFOp::create(b, x, args[1]),
                  arith::MaximumFOp::create(b, x, args[2])};
        });
    return;
  }
  // As integers, magnitudes order like the floats, a NaN above all, and a
  // maximum vectorises without fast-math flags.
  ranges = {createGeneric(b, overElements(input),
                          createReduction(b.getI32Type()),
                          [](ImplicitLocOpBuilder &b, ValueRange args) {
                            Scalar bits = Scalar::load(b, args[0]).bits();
                            return max(Scalar(b, args[1]), bits & 0x7FFFFFFFu);
                          })};
}

ScalarRange QuantizeLowering::loadRange(ImplicitLocOpBuilder &b,
                                        ValueRange args) {
  if (format.zeroPoint) {
    Scalar low(b, args[0]), high(b, args[1]);
    return {low, low, high};
  }
  if (format.rule == ScaleRule::AbsMean) {
    Value mean = arith::DivFOp::create(b, args[0], args[1]);
    return {Scalar(b, arith::TruncFOp::create(b, b.getF32Type(), mean)),
            std::nullopt, std::nullopt};
  }
  return {Scalar(b, args[0]).asFloat(), std::nullopt, std::nullopt};
}

/// Product of sizes.
static OpFoldResult multiplyAll(ImplicitLocOpBuilder &b,
                                ArrayRef<OpFoldResult> sizes) {
  OpFoldResult product = b.getIndexAttr(1);
  for (OpFoldResult size : sizes) {
    std::optional<int64_t> l = getConstantIntValue(product);
    std::optional<int64_t> r = getConstantIntValue(size);
    if (l && r) {
      product = b.getIndexAttr(*l * *r);
      continue;
    }
    product = arith::MulIOp::create(
                  b, getValueOrCreateConstantIndexOp(b, b.getLoc(), product),
                  getValueOrCreateConstantIndexOp(b, b.getLoc(), size))
                  .getResult();
  }
  return product;
}

/// Whether the tensor is empty (i1) where that is not known and a block may be:
/// blocks of an empty tensor have neutral scales.
std::optional<Value> QuantizeLowering::getIsEmpty() {
  if (format.blockRows != Format::Whole && format.blockCols != Format::Whole)
    return std::nullopt;
  OpFoldResult count = multiplyAll(b, view.getSizes());
  if (getConstantIntValue(count))
    return std::nullopt;
  Value zero = arith::ConstantIndexOp::create(b, 0);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, cast<Value>(count),
                               zero)
      .getResult();
}

/// The results for a tensor that is known to be empty.
SmallVector<Value> QuantizeLowering::fillEmpty() {
  SmallVector<Value> results(adaptor.getOutputs());
  auto fill = [&](Value &init, Scalar scalar) {
    Value value = scalar.store(getElementTypeOrSelf(init.getType()));
    init = linalg::FillOp::create(b, value, init).getResult(0);
  };
  fill(results[1], getNeutralScale(b, format));
  if (format.zeroPoint)
    fill(results[2], Scalar::i32(b, 0));
  return results;
}

void QuantizeLowering::computeScales() {
  Value init = view.collapseScales(b, adaptor.getOutputs()[1]);
  factors = view.createForScales(b, b.getF32Type());
  AffineMap map = b.getMultiDimIdentityMap(
      cast<RankedTensorType>(init.getType()).getRank());
  AffineMap noLoop = AffineMap::get(map.getNumDims(), 0, b.getContext());

  SmallVector<GenericOperand> inputs;
  for (Value range : ranges)
    inputs.push_back({range, map});
  if (format.rule == ScaleRule::AbsMean) {
    Value count = getValueOrCreateConstantIndexOp(
        b, b.getLoc(), multiplyAll(b, view.getSizes()));
    count = arith::IndexCastOp::create(b, b.getI64Type(), count);
    inputs.push_back(
        {arith::SIToFPOp::create(b, b.getF64Type(), count), noLoop});
  }
  unsigned afterRange = inputs.size();
  if (Value amax = adaptor.getAmax())
    inputs.push_back({amax, noLoop});
  std::optional<Value> isEmpty = getIsEmpty();
  if (isEmpty)
    inputs.push_back({*isEmpty, noLoop});

  SmallVector<GenericOperand> inits = {{init, map}, {factors, map}};
  if (format.zeroPoint)
    inits.push_back({view.collapseScales(b, adaptor.getOutputs()[2]), map});
  SmallVector<Value> results = createGeneric(
      b, inputs, inits,
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
        unsigned next = afterRange;
        std::optional<Scalar> tensorAmax;
        if (adaptor.getAmax())
          tensorAmax = Scalar::load(b, args[next++]);
        ScalarScale scale =
            computeScale(format, inputType, tensorAmax, loadRange(b, args));
        if (isEmpty)
          scale.stored = select(Scalar(b, args[next]),
                                getNeutralScale(b, format), scale.stored);
        Type stored = getElementTypeOrSelf(init.getType());
        SmallVector<Value> yielded = {scale.stored.store(stored), scale.first};
        if (scale.zeroPoint)
          yielded.push_back(scale.zeroPoint->store(b.getI8Type()));
        return yielded;
      });
  scales = results[0];
  factors = results[1];
  if (format.zeroPoint)
    zeroPoints = results[2];
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Seed, offset, and the sizes that a row-major index takes.
void QuantizeLowering::addRandomInputs(
    SmallVectorImpl<GenericOperand> &inputs) {
  inputs.push_back(scalar(adaptor.getSeed()));
  inputs.push_back(scalar(adaptor.getOffset()));
  for (OpFoldResult size : view.getSizes().drop_front())
    inputs.push_back(
        scalar(getValueOrCreateConstantIndexOp(b, b.getLoc(), size)));
}

/// `args` are those of the inputs that `addRandomInputs` adds.
RandomBits QuantizeLowering::getRandomBits(ImplicitLocOpBuilder &b,
                                           ValueRange args) {
  Value index;
  for (auto [dim, loops] : llvm::enumerate(view.getLoops())) {
    Value position = linalg::IndexOp::create(b, loops.front());
    if (loops.size() > 1) {
      Value block = getValueOrCreateConstantIndexOp(
          b, b.getLoc(), view.getLoopSize(loops.back()));
      position =
          arith::AddIOp::create(b, arith::MulIOp::create(b, position, block),
                                linalg::IndexOp::create(b, loops.back()));
    }
    index = dim == 0 ? position
                     : arith::AddIOp::create(
                           b, arith::MulIOp::create(b, index, args[1 + dim]),
                           position);
  }
  index = arith::IndexCastOp::create(b, b.getI64Type(), index);
  unsigned count = op.getRandomBits();
  return {getRandomWord(b, args[0], args[1], index) >> (32 - count), count};
}

Value QuantizeLowering::computeCodes() {
  SmallVector<GenericOperand> inputs = {overElements(input),
                                        overScales(factors)};
  if (zeroPoints)
    inputs.push_back(overScales(zeroPoints));
  unsigned firstRandom = inputs.size();
  bool isStochastic = op.getRounding() == Rounding::sr;
  if (isStochastic)
    addRandomInputs(inputs);

  Value elements = adaptor.getOutputs()[0];
  bool packed = isPacked(op.getOutputs()[0].getType(), format.element);
  if (packed)
    elements = tensor::EmptyOp::create(b, view.getSizes(), b.getI8Type());
  Value init = view.expandInit(b, elements);
  Value codes = createGeneric(
      b, inputs, overElements(init),
      [&](ImplicitLocOpBuilder &b, ValueRange args) {
        Scalar scaled = scaleElement(
            format, inputType, Scalar::load(b, args[0]), Scalar(b, args[1]));
        std::optional<RandomBits> random;
        std::optional<Scalar> zeroPoint;
        if (isStochastic)
          random = getRandomBits(b, args.drop_front(firstRandom));
        if (zeroPoints)
          zeroPoint = Scalar::loadSigned(b, args[2]);
        return encodeElement(scaled, format.element, random, zeroPoint);
      });
  codes = view.collapseElements(b, codes, elements);
  if (!packed)
    return codes;
  return packCodes(b, codes, format.element, adaptor.getOutputs()[0]);
}

SmallVector<Value> QuantizeLowering::run() {
  if (view.isEmpty())
    return fillEmpty();
  input = view.expandElements(b, adaptor.getInput());
  reduceBlocks();
  if (format.fourOverSix == FourOverSix::None)
    computeScales();
  else
    std::tie(scales, factors) = chooseFourOverSix(
        b, format, view, op.getAxis(), input, adaptor.getAmax(), ranges[0],
        view.collapseScales(b, adaptor.getOutputs()[1]));
  auto expand = [&](Value value, unsigned output) {
    return view.expandScales(
        b, value,
        cast<RankedTensorType>(adaptor.getOutputs()[output].getType()));
  };
  SmallVector<Value> results = {computeCodes(), expand(scales, 1)};
  if (format.doubleQuant)
    results[1] = roundTripScales(b, results[1]);
  if (zeroPoints)
    results.push_back(expand(zeroPoints, 2));
  return results;
}

namespace {
struct LowerQuantize : OpConversionPattern<QuantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(QuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, QuantizeLowering(b, op, adaptor).run());
    return success();
  }
};
} // namespace

void mx::populateQuantizePatterns(const TypeConverter &converter,
                                  RewritePatternSet &patterns) {
  patterns.add<LowerQuantize>(converter, patterns.getContext());
}
