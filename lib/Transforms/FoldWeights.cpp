// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MatmulOperands.h"
#include "Unused.h"
#include "mx/Analysis/Views.h"
#include "mx/Formats/Codec.h"
#include "mx/Formats/Hadamard.h"
#include "mx/IR/Constants.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>
#include <cstring>

namespace mx {
#define GEN_PASS_DEF_MXFOLDWEIGHTS
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

/// A larger splat is no weight, and its extents may be any.
static constexpr int64_t maxSplatElements = 1 << 16;

namespace {

/// The elements of a constant, of f32, f16 or bf16, in some order.
struct ConstantData {
  ArrayRef<char> bytes;
  Type element;
  SmallVector<int64_t> shape;
  /// Holds the bytes if no attribute does.
  Bytes storage;

  TensorView getView() const { return getTensorView(bytes, element, shape); }
};

struct FoldWeights : mx::impl::MXFoldWeightsBase<FoldWeights> {
  void runOnOperation() override;

private:
  LogicalResult fold(AmaxOp op);
  LogicalResult fold(QuantizeOp op);

  /// Weights without data: a module printed without its resources has them all.
  std::pair<Operation *, DenseResourceElementsAttr> firstMissing;
  unsigned numMissing = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Reading constants
//===----------------------------------------------------------------------===//

/// Elements of `shape` from element `from` on, the neighbours of each dimension
/// `strides` elements apart.
static void gather(ConstantData &data, ArrayRef<int64_t> shape,
                   ArrayRef<int64_t> strides, int64_t from = 0) {
  size_t size = getNumBytes(data.element);
  int64_t rank = shape.size(), count = computeProduct(shape);
  Bytes result;
  result.resize_for_overwrite(count * size);
  SmallVector<int64_t> index(rank, 0);
  for (int64_t to = 0; to < count; ++to) {
    std::memcpy(result.data() + to * size, data.bytes.data() + from * size,
                size);
    for (int64_t dim = rank - 1; dim >= 0; --dim) {
      from += strides[dim];
      if (++index[dim] < shape[dim])
        break;
      from -= strides[dim] * shape[dim];
      index[dim] = 0;
    }
  }
  data.storage = std::move(result);
  data.bytes = data.storage;
  data.shape.assign(shape.begin(), shape.end());
}

/// Replaces the elements by `values`, which are numbers of `element`.
static void setElements(ConstantData &data, ArrayRef<float> values,
                        Type element) {
  data.element = element;
  data.storage.resize_for_overwrite(values.size() * getNumBytes(element));
  char *bytes = data.storage.data();
  for (auto [i, value] : llvm::enumerate(values)) {
    uint16_t bits = element.isF16() ? encodeF16(value) : encodeBF16(value);
    if (element.isF32())
      std::memcpy(bytes + i * sizeof(float), &value, sizeof(float));
    else
      std::memcpy(bytes + i * sizeof(bits), &bits, sizeof(bits));
  }
  data.bytes = data.storage;
}

/// Constants of a wider type: quantisation may depend on the type.
static void widen(ConstantData &data, Type element) {
  if (data.element != element)
    setElements(data,
                transformTensor(/*transform=*/nullptr, data.getView(),
                                /*axis=*/0),
                element);
}

/// The constant that `value` is or is a copy, a transpose, a reshape, a slice
/// or a transform of; none if it is something else. `missing` is set to a
/// resource that is no value.
static std::optional<ConstantData>
getConstantData(Value value, DenseResourceElementsAttr &missing) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getEncoding() ||
      !isHighPrecisionType(type.getElementType()))
    return std::nullopt;
  if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
    auto elements = dyn_cast<ElementsAttr>(constant.getValue());
    if (!elements)
      return std::nullopt;
    ConstantData data;
    data.element = type.getElementType();
    data.shape.assign(type.getShape().begin(), type.getShape().end());
    auto raw = getRawData(elements, maxSplatElements, data.storage);
    if (!raw) {
      missing = dyn_cast<DenseResourceElementsAttr>(elements);
      return std::nullopt;
    }
    data.bytes = *raw;
    return data;
  }

  IndexedValue source = lookThroughCopies(
      {value,
       AffineMap::getMultiDimIdentityMap(type.getRank(), value.getContext())});
  if (source.value != value) {
    std::optional<ConstantData> data = getConstantData(source.value, missing);
    // A broadcast may be larger than memory.
    if (!data ||
        hasMoreElements(
            type, std::max(computeProduct(data->shape), maxSplatElements)) ||
        computeProduct(type.getShape()) == 0)
      return std::nullopt;
    SmallVector<int64_t> from = computeStrides(data->shape);
    SmallVector<int64_t> strides(type.getRank(), 0);
    for (auto [dim, expr] : llvm::enumerate(source.map.getResults()))
      if (auto to = dyn_cast<AffineDimExpr>(expr))
        strides[to.getPosition()] += from[dim];
    if (data->shape == type.getShape() &&
        strides == computeStrides(type.getShape()))
      return data;
    gather(*data, type.getShape(), strides);
    return data;
  }
  if (auto slice = value.getDefiningOp<tensor::ExtractSliceOp>()) {
    if (ShapedType::isDynamicShape(slice.getStaticOffsets()) ||
        ShapedType::isDynamicShape(slice.getStaticStrides()))
      return std::nullopt;
    std::optional<ConstantData> data =
        getConstantData(slice.getSource(), missing);
    if (!data)
      return std::nullopt;
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    SmallVector<int64_t> strides;
    int64_t from = 0;
    for (auto [dim, stride] : llvm::enumerate(computeStrides(data->shape))) {
      from += slice.getStaticOffset(dim) * stride;
      if (!dropped[dim])
        strides.push_back(slice.getStaticStride(dim) * stride);
    }
    gather(*data, type.getShape(), strides, from);
    return data;
  }
  if (auto hadamard = value.getDefiningOp<HadamardOp>()) {
    std::optional<ConstantData> data =
        getConstantData(hadamard.getInput(), missing);
    Type element = getElementTypeOrSelf(hadamard.getInput());
    if (!data || type.getElementType() != element)
      return std::nullopt;
    widen(*data, element);
    Hadamard transform = hadamard.getTransform().getValue();
    setElements(
        *data, transformTensor(&transform, data->getView(), hadamard.getAxis()),
        element);
    return data;
  }
  if (!isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
                       tensor::CastOp>(value.getDefiningOp()))
    return std::nullopt;
  std::optional<ConstantData> data =
      getConstantData(value.getDefiningOp()->getOperand(0), missing);
  if (data)
    data->shape.assign(type.getShape().begin(), type.getShape().end());
  return data;
}

//===----------------------------------------------------------------------===//
// Writing constants
//===----------------------------------------------------------------------===//

/// A constant that owns its data and is no part of any attribute's hash.
static Value createResource(OpBuilder &b, Location loc, RankedTensorType type,
                            StringRef name, Bytes bytes) {
  auto owner = std::make_unique<Bytes>(std::move(bytes));
  ArrayRef<char> data(*owner);
  AsmResourceBlob blob(
      data, getNumBytes(type.getElementType()),
      [owner = std::move(owner)](void *, size_t, size_t) mutable {
        owner.reset();
      },
      /*dataIsMutable=*/false);
  return arith::ConstantOp::create(
      b, loc, DenseResourceElementsAttr::get(type, name, std::move(blob)));
}

/// The resource or parameter that the weight was, as a name for what it became.
static std::string getWeightName(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto resource = dyn_cast<DenseResourceElementsAttr>(constant.getValue());
      return resource ? resource.getRawHandle().getKey().str() : "weight";
    }
    if (op->getNumOperands() == 0)
      break;
    value = op->getOperand(0);
  }
  return "weight";
}

//===----------------------------------------------------------------------===//
// The ops
//===----------------------------------------------------------------------===//

/// Says why `op` is not folded, and that it is one of `count` weights.
static void remarkMissing(Operation *op, DenseResourceElementsAttr missing,
                          unsigned count) {
  InFlightDiagnostic diagnostic = mlir::emitRemark(op->getLoc());
  diagnostic << "not folded: ";
  AsmResourceBlob *blob = missing.getRawHandle().getBlob();
  diagnostic << "resource '" << missing.getRawHandle().getKey() << "' ";
  if (blob)
    diagnostic << "of " << blob->getData().size() << " bytes is no "
               << missing.getType();
  else
    diagnostic << "has no data here";
  if (count > 1)
    diagnostic << "; nor " << count - 1 << " more such weights";
}

LogicalResult FoldWeights::fold(AmaxOp op) {
  DenseResourceElementsAttr missing;
  DenseFPElementsAttr init;
  if (!matchPattern(op.getInit(), m_Constant(&init)))
    return failure();
  std::optional<ConstantData> data = getConstantData(op.getInput(), missing);
  if (!data)
    return failure();
  float amax = computeAmax(data->getView(), /*propagateNaN=*/false);
  float start = *init.value_begin<float>();
  if (std::isnan(start) || start > amax)
    amax = start;
  OpBuilder b(op);
  auto type = cast<RankedTensorType>(op.getResult().getType());
  op.getResult().replaceAllUsesWith(arith::ConstantOp::create(
      b, op.getLoc(), DenseElementsAttr::get(type, amax)));
  return success();
}

LogicalResult FoldWeights::fold(QuantizeOp op) {
  for (Type type : op->getResultTypes())
    if (!cast<RankedTensorType>(type).hasStaticShape())
      return failure();
  DenseResourceElementsAttr missing;
  std::optional<ConstantData> data = getConstantData(op.getInput(), missing);
  if (!data) {
    if (missing && numMissing++ == 0)
      firstMissing = {op, missing};
    return failure();
  }
  widen(*data, getElementTypeOrSelf(op.getInput()));

  // Kernels read codes of less than a byte along K, and such codes cannot be
  // transposed where they are packed.
  int64_t rank = data->shape.size(), axis = op.getAxis();
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::seq<int64_t>(0, rank));
  bool moves = axis != rank - 1 && op.getRounding() == Rounding::rne &&
               isReadByMatmulsOnly(op);
  if (moves) {
    permutation.erase(permutation.begin() + axis);
    permutation.push_back(axis);
    axis = rank - 1;
    gather(*data, applyPermutation(data->shape, permutation),
           applyPermutation(computeStrides(data->shape), permutation));
  }

  Attribute amax, seed, offset;
  if (op.getAmax())
    matchPattern(op.getAmax(), m_Constant(&amax));
  if (op.getSeed())
    matchPattern(op.getSeed(), m_Constant(&seed));
  if (op.getOffset())
    matchPattern(op.getOffset(), m_Constant(&offset));
  FailureOr<SmallVector<Bytes>> values =
      quantizeConstant(op, axis, data->getView(), amax, seed, offset);
  if (failed(values)) {
    mlir::emitRemark(op.getLoc())
        << "not folded: another operand is not constant, or codes are packed, "
           "have a layout or scales that are quantised again";
    return failure();
  }

  OpBuilder b(op);
  static constexpr StringLiteral parts[] = {"codes", "scales", "zero_points"};
  std::string name = getWeightName(op.getInput());
  SmallVector<Value> constants;
  for (auto [result, bytes, part] :
       llvm::zip(op->getResults(), *values, parts)) {
    auto type = cast<RankedTensorType>(result.getType());
    type = type.clone(applyPermutation(type.getShape(), permutation));
    bytesFolded += bytes.size();
    constants.push_back(createResource(
        b, op.getLoc(), type, name + "." + part.str(), std::move(bytes)));
  }
  if (moves)
    replaceInMatmuls(op, constants, permutation);
  else
    op->replaceAllUsesWith(constants);
  return success();
}

void FoldWeights::runOnOperation() {
  SmallVector<Operation *> ops;
  getOperation()->walk([&](Operation *op) {
    if (isa<AmaxOp, QuantizeOp>(op) && !hasElementRegion(op) &&
        cast<DestinationStyleOpInterface>(op).hasPureTensorSemantics())
      ops.push_back(op);
  });
  numMissing = 0;
  llvm::SetVector<Operation *> unused;
  for (Operation *op : ops) {
    auto quantize = dyn_cast<QuantizeOp>(op);
    if (failed(quantize ? fold(quantize) : fold(cast<AmaxOp>(op))))
      continue;
    numFolded += quantize != nullptr;
    unused.insert(op);
  }
  if (numMissing)
    remarkMissing(firstMissing.first, firstMissing.second, numMissing);
  eraseUnused(std::move(unused));
}
