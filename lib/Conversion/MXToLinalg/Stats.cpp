// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mx.stats, as computeStats of lib/Formats; its sums in f64 are in a free
// order.

#include "Codecs.h"
#include "Generic.h"
#include "Packing.h"
#include "Patterns.h"
#include "Shapes.h"

#include "mx/Formats/Codec.h"
#include "mx/IR/MX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

#include <cmath>

using namespace mlir;
using namespace mx;

namespace {

/// Sums over the elements, in the order of the reduction's results.
enum Sum { Signal, Noise, Finite, NonZero, Underflow, Saturated, NumSums };

/// The lowering of one op.
class StatsLowering {
public:
  StatsLowering(ImplicitLocOpBuilder &b, const Format &format)
      : b(b), format(format) {}

  /// Rank-0 tensors by `Sum`: two of f64, the others of i64.
  SmallVector<Value> computeSums(Value input, Value dequantized, Value codes);
  /// The number of codes that do not occur (i64).
  Value countUnused(Value codes);

private:
  Value createZero(Type type) {
    auto tensor = RankedTensorType::get({}, type);
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(tensor, b.getZeroAttr(type)));
  }

  ImplicitLocOpBuilder &b;
  const Format &format;
};

} // namespace

/// The lowest and the highest finite value of an element.
static std::pair<float, float> getValueRange(Element element) {
  float low = 0, high = 0;
  for (float value : getDecodeTable(element))
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  return {low, high};
}

static Scalar operator&&(Scalar lhs, Scalar rhs) { return lhs & rhs; }

SmallVector<Value> StatsLowering::computeSums(Value input, Value dequantized,
                                              Value codes) {
  unsigned rank = cast<RankedTensorType>(input.getType()).getRank();
  AffineMap map = b.getMultiDimIdentityMap(rank);
  AffineMap noLoop = AffineMap::get(rank, 0, b.getContext());
  SmallVector<GenericOperand> inits;
  for (unsigned sum = 0; sum < NumSums; ++sum)
    inits.push_back(
        {createZero(sum <= Noise ? Type(b.getF64Type()) : Type(b.getI64Type())),
         noLoop});
  auto [low, high] = getValueRange(format.element);
  return createGeneric(
      b, {{input, map}, {dequantized, map}, {codes, map}}, inits,
      [&, low = low, high = high](ImplicitLocOpBuilder &b,
                                  ValueRange args) -> SmallVector<Value> {
        Scalar x = Scalar::load(b, args[0]), y(b, args[1]);
        Scalar value = decodeElement(Scalar::load(b, args[2]), format.element);
        Scalar isFinite = x.abs() < x.f32(INFINITY);
        Scalar isNonZero = isFinite && (x<x.f32(0) | x> x.f32(0));
        Scalar isUnderflow = isNonZero && (y == x.f32(0));
        Scalar isSaturated = isFinite && (((value == x.f32(high)) && (x > y)) |
                                          ((value == x.f32(low)) && (x < y)));

        SmallVector<Value> sums;
        // Of an element that is not finite zero is added.
        auto addSquare = [&](Value term, Value sum) {
          Value square = arith::MulFOp::create(b, term, term);
          Value zero = arith::ConstantOp::create(b, b.getF64FloatAttr(0));
          square = arith::SelectOp::create(b, isFinite, square, zero);
          sums.push_back(arith::AddFOp::create(b, sum, square));
        };
        Value x64 = arith::ExtFOp::create(b, b.getF64Type(), Value(x));
        Value y64 = arith::ExtFOp::create(b, b.getF64Type(), Value(y));
        ValueRange accumulators = args.drop_front(3);
        addSquare(x64, accumulators[Signal]);
        addSquare(arith::SubFOp::create(b, y64, x64), accumulators[Noise]);
        auto count = [&](Value condition, Value sum) {
          Value one = arith::ExtUIOp::create(b, b.getI64Type(), condition);
          sums.push_back(arith::AddIOp::create(b, sum, one));
        };
        count(isFinite, accumulators[Finite]);
        count(isNonZero, accumulators[NonZero]);
        count(isUnderflow, accumulators[Underflow]);
        count(isSaturated, accumulators[Saturated]);
        return sums;
      });
}

/// The codes that occur are bits of as many i64 as it takes, gathered by "or".
Value StatsLowering::countUnused(Value codes) {
  unsigned rank = cast<RankedTensorType>(codes.getType()).getRank();
  AffineMap map = b.getMultiDimIdentityMap(rank);
  AffineMap noLoop = AffineMap::get(rank, 0, b.getContext());
  unsigned numCodes = 1u << getBitWidth(format.element);
  SmallVector<GenericOperand> inits((numCodes + 63) / 64,
                                    {createZero(b.getI64Type()), noLoop});
  SmallVector<Value> sets = createGeneric(
      b, {{codes, map}}, inits,
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
        Scalar code = Scalar::load(b, args[0]) & (numCodes - 1);
        Scalar word = code >> 6;
        Value one = arith::ConstantOp::create(b, b.getI64IntegerAttr(1));
        Value zero = arith::ConstantOp::create(b, b.getI64IntegerAttr(0));
        Value place =
            arith::ExtUIOp::create(b, b.getI64Type(), Value(code & 63u));
        Value bit = arith::ShLIOp::create(b, one, place);
        SmallVector<Value> results;
        for (auto [i, set] : llvm::enumerate(args.drop_front())) {
          Value here =
              arith::SelectOp::create(b, word == word.i32(i), bit, zero);
          results.push_back(arith::OrIOp::create(b, set, here));
        }
        return results;
      });
  Value unused = arith::ConstantOp::create(b, b.getI64IntegerAttr(numCodes));
  for (Value set : sets) {
    Value bits = tensor::ExtractOp::create(b, set, ValueRange());
    unused = arith::SubIOp::create(b, unused, math::CtPopOp::create(b, bits));
  }
  return unused;
}

/// part / whole as f32, 0 of nothing.
static Value createFraction(ImplicitLocOpBuilder &b, Value part, Value whole) {
  Value zero = arith::ConstantOp::create(b, b.getI64IntegerAttr(0));
  Value one = arith::ConstantOp::create(b, b.getI64IntegerAttr(1));
  Value isEmpty =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, whole, zero);
  whole = arith::SelectOp::create(b, isEmpty, one, whole);
  Value fraction =
      arith::DivFOp::create(b, arith::SIToFPOp::create(b, b.getF64Type(), part),
                            arith::SIToFPOp::create(b, b.getF64Type(), whole));
  return arith::TruncFOp::create(b, b.getF32Type(), fraction);
}

/// 10 log10(signal / noise) as f32, infinite without noise.
static Value createSNR(ImplicitLocOpBuilder &b, Value signal, Value noise) {
  Value zero = arith::ConstantOp::create(b, b.getF64FloatAttr(0));
  Value ten = arith::ConstantOp::create(b, b.getF64FloatAttr(10));
  Value infinity = arith::ConstantOp::create(b, b.getF64FloatAttr(INFINITY));
  Value ratio = arith::DivFOp::create(b, signal, noise);
  Value snr = arith::MulFOp::create(b, ten, math::Log10Op::create(b, ratio));
  Value isExact =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, noise, zero);
  snr = arith::SelectOp::create(b, isExact, infinity, snr);
  return arith::TruncFOp::create(b, b.getF32Type(), snr);
}

namespace {
struct LowerStats : OpConversionPattern<StatsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(StatsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Format format = op.getFormat().getValue();
    Value input = adaptor.getInput();
    Sizes sizes = getTensorSizes(b, input);
    Value empty = tensor::EmptyOp::create(b, sizes, b.getF32Type());
    Value dequantized = dequantize(b, op.getQuantized(), adaptor.getQuantized(),
                                   format, op.getAxis(), empty);
    Value codes = adaptor.getQuantized().front();
    if (isPacked(op.getQuantized().front().getType(), format.element))
      codes = unpackCodes(b, codes, format.element, sizes);

    StatsLowering lowering(b, format);
    SmallVector<Value> sums;
    for (Value sum : lowering.computeSums(input, dequantized, codes))
      sums.push_back(tensor::ExtractOp::create(b, sum, ValueRange()));
    Value unused =
        arith::SIToFPOp::create(b, b.getF32Type(), lowering.countUnused(codes));
    Value result = adaptor.getInit();
    Value values[] = {createSNR(b, sums[Signal], sums[Noise]),
                      createFraction(b, sums[Underflow], sums[NonZero]),
                      createFraction(b, sums[Saturated], sums[Finite]), unused};
    for (auto [i, value] : llvm::enumerate(values)) {
      Value index = arith::ConstantIndexOp::create(b, i);
      result = tensor::InsertOp::create(b, value, result, index);
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void mx::populateStatsPatterns(const TypeConverter &converter,
                               RewritePatternSet &patterns) {
  patterns.add<LowerStats>(converter, patterns.getContext());
}
