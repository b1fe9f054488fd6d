// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops on values: arith, vector and mxgpu, and the conversions behind them.

#include "ThreadBlock.h"

#include "mx/Formats/Codec.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mx;
using namespace mx::test;

double test::toDouble(Type type, uint64_t bits) {
  if (type.isF32())
    return llvm::bit_cast<float>(uint32_t(bits));
  if (type.isBF16())
    return llvm::bit_cast<float>(uint32_t(bits) << 16);
  // APFloat makes infinity of its NaN.
  if (isa<Float8E8M0FNUType>(type))
    return decodeE8M0(uint8_t(bits));
  auto floatType = cast<FloatType>(type);
  APFloat value(floatType.getFloatSemantics(),
                APInt(floatType.getWidth(), bits, /*isSigned=*/false,
                      /*implicitTrunc=*/true));
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}

uint64_t test::fromDouble(Type type, double value) {
  if (type.isF32())
    return llvm::bit_cast<uint32_t>(float(value));
  APFloat rounded(value);
  bool losesInfo;
  rounded.convert(cast<FloatType>(type).getFloatSemantics(),
                  APFloat::rmNearestTiesToEven, &losesInfo);
  return rounded.bitcastToAPInt().getZExtValue();
}

bool ThreadBlock::map(Operation *op,
                      llvm::function_ref<uint64_t(const uint64_t *)> fn) {
  Type type = op->getResult(0).getType();
  std::vector<uint64_t> bits(getCount(type) * numThreads);
  const uint64_t *operands[3] = {};
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    operands[i] = get(operand).bits.data();
  for (size_t i = 0; i < bits.size(); ++i) {
    uint64_t x[3];
    for (unsigned j = 0; j < op->getNumOperands(); ++j)
      x[j] = operands[j][i];
    bits[i] = mask(type, fn(x));
  }
  set(op->getResult(0)).bits = std::move(bits);
  return true;
}

bool ThreadBlock::mapFloat(Operation *op,
                           llvm::function_ref<double(const double *)> fn) {
  Type from = getElementTypeOrSelf(op->getOperand(0).getType());
  Type to = getElementTypeOrSelf(op->getResult(0).getType());
  return map(op, [&](const uint64_t *x) {
    double d[3];
    for (unsigned i = 0; i < op->getNumOperands(); ++i)
      d[i] = toDouble(from, x[i]);
    return fromDouble(to, fn(d));
  });
}

bool ThreadBlock::executeArith(Operation *op) {
  using U = const uint64_t *;
  Type from = op->getNumOperands() ? op->getOperand(0).getType()
                                   : op->getResult(0).getType();
  Type to = op->getResult(0).getType();
  auto s = [&](uint64_t bits) { return extend(from, bits); };
  unsigned width = getWidth(from);
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<arith::ConstantOp>([&](arith::ConstantOp op) {
        SmallVector<uint64_t> bits;
        auto add = [&](Attribute attr) {
          if (auto integer = dyn_cast<IntegerAttr>(attr))
            bits.push_back(mask(to, integer.getValue().getZExtValue()));
          else
            bits.push_back(cast<FloatAttr>(attr)
                               .getValue()
                               .bitcastToAPInt()
                               .getZExtValue());
        };
        if (auto elements = dyn_cast<DenseElementsAttr>(op.getValue()))
          for (Attribute attr : elements.getValues<Attribute>())
            add(attr);
        else
          add(op.getValue());
        Lanes &lanes = set(op.getResult());
        for (size_t i = 0; i < lanes.bits.size(); ++i)
          lanes.bits[i] = bits[i % bits.size()];
        return true;
      })
      .Case<arith::AddIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] + x[1]; }); })
      .Case<arith::SubIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] - x[1]; }); })
      .Case<arith::MulIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] * x[1]; }); })
      .Case<arith::DivUIOp>([&](auto) {
        return map(op, [](U x) { return x[1] ? x[0] / x[1] : 0; });
      })
      .Case<arith::RemUIOp>([&](auto) {
        return map(op, [](U x) { return x[1] ? x[0] % x[1] : 0; });
      })
      .Case<arith::AndIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] & x[1]; }); })
      .Case<arith::OrIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] | x[1]; }); })
      .Case<arith::XOrIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] ^ x[1]; }); })
      .Case<arith::ShLIOp>([&](auto) {
        return map(op, [=](U x) { return x[1] < width ? x[0] << x[1] : 0; });
      })
      .Case<arith::ShRUIOp>([&](auto) {
        return map(op, [=](U x) { return x[1] < width ? x[0] >> x[1] : 0; });
      })
      .Case<arith::ShRSIOp>([&](auto) {
        return map(op, [=](U x) {
          return uint64_t(s(x[0]) >> std::min<uint64_t>(x[1], width - 1));
        });
      })
      .Case<arith::MinSIOp>([&](auto) {
        return map(op,
                   [=](U x) { return uint64_t(std::min(s(x[0]), s(x[1]))); });
      })
      .Case<arith::MaxSIOp>([&](auto) {
        return map(op,
                   [=](U x) { return uint64_t(std::max(s(x[0]), s(x[1]))); });
      })
      .Case<arith::MinUIOp>([&](auto) {
        return map(op, [](U x) { return std::min(x[0], x[1]); });
      })
      .Case<arith::MaxUIOp>([&](auto) {
        return map(op, [](U x) { return std::max(x[0], x[1]); });
      })
      .Case<arith::ExtUIOp, arith::TruncIOp, arith::BitcastOp>(
          [&](auto) { return map(op, [](U x) { return x[0]; }); })
      .Case<arith::ExtSIOp, arith::IndexCastOp>(
          [&](auto) { return map(op, [=](U x) { return uint64_t(s(x[0])); }); })
      .Case<arith::SelectOp>([&](auto) {
        // A scalar condition of vectors is not used.
        return map(op, [](U x) { return x[0] ? x[1] : x[2]; });
      })
      .Case<arith::CmpIOp>([&](arith::CmpIOp cmp) {
        arith::CmpIPredicate predicate = cmp.getPredicate();
        return map(op, [=](U x) {
          return uint64_t(arith::applyCmpPredicate(
              predicate, APInt(width, x[0]), APInt(width, x[1])));
        });
      })
      .Case<arith::CmpFOp>([&](arith::CmpFOp cmp) {
        Type type = getElementTypeOrSelf(from);
        arith::CmpFPredicate predicate = cmp.getPredicate();
        return map(op, [=](U x) {
          return uint64_t(
              arith::applyCmpPredicate(predicate, APFloat(toDouble(type, x[0])),
                                       APFloat(toDouble(type, x[1]))));
        });
      })
      .Case<arith::AddFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0] + x[1]; });
      })
      .Case<arith::SubFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0] - x[1]; });
      })
      .Case<arith::MulFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0] * x[1]; });
      })
      .Case<arith::DivFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0] / x[1]; });
      })
      .Case<arith::MaximumFOp>([&](auto) {
        return mapFloat(op, [](const double *x) {
          return std::isnan(x[0]) || std::isnan(x[1]) ? std::nan("")
                                                      : std::fmax(x[0], x[1]);
        });
      })
      .Case<arith::MaxNumFOp>([&](auto) {
        return mapFloat(op,
                        [](const double *x) { return std::fmax(x[0], x[1]); });
      })
      .Case<arith::MinNumFOp>([&](auto) {
        return mapFloat(op,
                        [](const double *x) { return std::fmin(x[0], x[1]); });
      })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0]; });
      })
      .Case<arith::SIToFPOp>([&](auto) {
        Type type = getElementTypeOrSelf(to);
        return map(op, [=](U x) { return fromDouble(type, double(s(x[0]))); });
      })
      .Default([&](Operation *op) { return fail(op, "unknown op"); });
}

bool ThreadBlock::executeVector(Operation *op) {
  if (auto broadcast = dyn_cast<vector::BroadcastOp>(op)) {
    const Lanes source = get(broadcast.getSource());
    Lanes &result = set(broadcast.getResult());
    for (size_t i = 0; i < result.bits.size(); ++i)
      result.bits[i] = source.bits[i / result.count * source.count];
    return source.count == 1 || fail(op, "broadcast of a vector");
  }
  if (auto extract = dyn_cast<vector::ExtractOp>(op)) {
    const Lanes source = get(extract.getSource());
    Lanes &result = set(extract.getResult());
    if (result.count != 1 || extract.hasDynamicPosition())
      return fail(op, "unknown extract");
    for (int t = 0; t < numThreads; ++t)
      result.bits[t] =
          source.bits[t * source.count + extract.getStaticPosition()[0]];
    return true;
  }
  if (auto elements = dyn_cast<vector::FromElementsOp>(op)) {
    Lanes &result = set(elements.getResult());
    for (auto [i, element] : llvm::enumerate(elements.getElements()))
      for (int t = 0; t < numThreads; ++t)
        result.bits[t * result.count + i] = get(element).bits[t];
    return true;
  }
  if (auto shuffle = dyn_cast<vector::ShuffleOp>(op)) {
    const Lanes a = get(shuffle.getV1()), b = get(shuffle.getV2());
    Lanes &result = set(shuffle.getResult());
    for (int t = 0; t < numThreads; ++t)
      for (auto [i, from] : llvm::enumerate(shuffle.getMask()))
        result.bits[t * result.count + i] =
            from < a.count ? a.bits[t * a.count + from]
                           : b.bits[t * b.count + from - a.count];
    return true;
  }
  if (auto bitcast = dyn_cast<vector::BitCastOp>(op)) {
    const Lanes source = get(bitcast.getSource());
    unsigned from = getWidth(bitcast.getSource().getType());
    unsigned to = getWidth(bitcast.getType());
    Lanes &result = set(bitcast.getResult());
    for (int t = 0; t < numThreads; ++t)
      for (int64_t bit = 0; bit < result.count * to; ++bit) {
        uint64_t value =
            source.bits[t * source.count + bit / from] >> bit % from & 1;
        result.bits[t * result.count + bit / to] |= value << bit % to;
      }
    return true;
  }
  if (auto reduction = dyn_cast<vector::ReductionOp>(op)) {
    const Lanes source = get(reduction.getVector());
    Lanes &result = set(reduction.getResult());
    for (int t = 0; t < numThreads; ++t) {
      uint64_t total = source.bits[t * source.count];
      for (int64_t i = 1; i < source.count; ++i) {
        uint64_t next = source.bits[t * source.count + i];
        if (reduction.getKind() == vector::CombiningKind::OR)
          total |= next;
        else if (reduction.getKind() == vector::CombiningKind::MAXUI)
          total = std::max(total, next);
        else
          return fail(op, "unknown reduction");
      }
      result.bits[t] = total;
    }
    return true;
  }
  return fail(op, "unknown op");
}

/// Nearest, ties to even, saturating; NaN has all bits of the magnitude set.
static uint64_t encodeReference(FloatType type, uint32_t bits) {
  const llvm::fltSemantics &semantics = type.getFloatSemantics();
  float value = llvm::bit_cast<float>(bits);
  uint64_t signBit = uint64_t(1) << (type.getWidth() - 1);
  if (std::isnan(value))
    return signBit - 1;
  APFloat largest = APFloat::getLargest(semantics);
  APFloat rounded(std::fabs(value));
  if (std::fabs(value) >= largest.convertToDouble()) {
    rounded = largest;
  } else {
    bool losesInfo;
    rounded.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  }
  return rounded.bitcastToAPInt().getZExtValue() |
         (std::signbit(value) ? signBit : 0);
}

bool ThreadBlock::executeMXGPU(Operation *op) {
  if (auto mma = dyn_cast<mxgpu::MmaBlockScaleOp>(op))
    return multiply(mma);
  if (auto decode = dyn_cast<mxgpu::DecodeOp>(op)) {
    const Lanes codes = get(decode.getCodes());
    Lanes &result = set(decode.getResult());
    Type bf16 = BFloat16Type::get(op->getContext());
    unsigned container = mxgpu::getContainerBits(decode.getElementType());
    for (size_t i = 0; i < result.bits.size(); ++i) {
      uint64_t code =
          codes.bits[i / result.count] >> container * (i % result.count) &
          ((uint64_t(1) << container) - 1);
      double value = isa<FloatType>(decode.getElementType())
                         ? toDouble(decode.getElementType(), code)
                         : double(extend(decode.getElementType(), code));
      result.bits[i] = fromDouble(bf16, value);
    }
    return true;
  }
  if (auto encode = dyn_cast<mxgpu::EncodeOp>(op)) {
    const Lanes source = get(encode.getValue());
    Lanes &result = set(encode.getResult());
    auto type = cast<FloatType>(encode.getElementType());
    unsigned container = mxgpu::getContainerBits(type);
    for (size_t i = 0; i < source.bits.size(); ++i)
      result.bits[i / source.count] |= encodeReference(type, source.bits[i])
                                       << container * (i % source.count);
    return true;
  }
  if (auto decode = dyn_cast<mxgpu::DecodeScaleOp>(op)) {
    Type e8m0 = Float8E8M0FNUType::get(op->getContext());
    Type to = decode.getType();
    return map(op, [=](const uint64_t *x) {
      return fromDouble(to, toDouble(e8m0, x[0]));
    });
  }
  if (isa<mxgpu::EncodeScaleOp>(op))
    return map(op, [](const uint64_t *x) -> uint64_t {
      float value = std::fabs(llvm::bit_cast<float>(uint32_t(x[0])));
      if (std::isnan(value))
        return 0xFF;
      for (int code = 0; code < 0xFE; ++code)
        if (value <= std::ldexp(1.0, code - 127))
          return code;
      return 0xFE;
    });
  return fail(op, "unknown op");
}
