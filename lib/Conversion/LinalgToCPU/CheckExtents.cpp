// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/FormatVariadic.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUCHECKEXTENTS
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

/// An extent: of a dimension of a tensor; of an index value (dimension -1); or
/// a number (no value).
using Extent = std::pair<Value, int64_t>;

/// Which extents are known to be the same ones.
class Extents {
public:
  Extent find(Extent extent) {
    SmallVector<Extent> path;
    for (Extent next; (next = step(extent)) != extent; extent = next)
      path.push_back(extent);
    for (Extent on : path)
      same[on] = extent;
    return extent;
  }

  Extent find(Value tensor, int64_t dim) { return find({tensor, dim}); }

  /// Of two that `find` returned. Numbers stay what they are.
  void merge(Extent a, Extent b) {
    if (a.first)
      same[a] = b;
    else
      same[b] = a;
  }

private:
  static Extent get(OpFoldResult size) {
    if (std::optional<int64_t> number = getConstantIntValue(size))
      return {Value(), *number};
    return {cast<Value>(size), -1};
  }

  /// One step towards where an extent comes from; itself at the end.
  Extent step(Extent extent) {
    auto it = same.find(extent);
    if (it != same.end())
      return it->second;
    auto [value, dim] = extent;
    if (!value)
      return extent;
    Operation *op = value.getDefiningOp();
    if (dim < 0) {
      auto dimOp = dyn_cast_or_null<tensor::DimOp>(op);
      if (dimOp && dimOp.getConstantIndex() &&
          isa<RankedTensorType>(dimOp.getSource().getType()))
        return {dimOp.getSource(), *dimOp.getConstantIndex()};
      return extent;
    }
    auto type = cast<RankedTensorType>(value.getType());
    if (!type.isDynamicDim(dim))
      return {Value(), type.getDimSize(dim)};
    if (auto destination = dyn_cast_or_null<DestinationStyleOpInterface>(op))
      return {destination.getTiedOpOperand(cast<OpResult>(value))->get(), dim};
    if (auto empty = dyn_cast_or_null<tensor::EmptyOp>(op))
      return get(empty.getMixedSizes()[dim]);
    if (auto cast = dyn_cast_or_null<tensor::CastOp>(op))
      if (isa<RankedTensorType>(cast.getSource().getType()))
        return {cast.getSource(), dim};
    auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(op);
    if (slice && slice.getSourceType().getRank() == type.getRank())
      return get(slice.getMixedSizes()[dim]);
    return extent;
  }

  DenseMap<Extent, Extent> same;
};

/// Where an op stands, as text; empty if nobody knows.
std::string describe(Location loc) {
  if (auto file = loc->findInstanceOf<FileLineColLoc>())
    return llvm::formatv("{0}:{1}:{2}: ", file.getFilename().strref(),
                         file.getLine(), file.getColumn());
  if (auto name = loc->findInstanceOf<NameLoc>())
    return name.getName().str() + ": ";
  return "";
}

struct CheckExtents : mx::impl::MXCPUCheckExtentsBase<CheckExtents> {
  using MXCPUCheckExtentsBase::MXCPUCheckExtentsBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        checkFunction(function);
  }

  void checkFunction(func::FuncOp function) {
    function.walk([](cf::AssertOp op) {
      op.setMsg(describe(op.getLoc()) + op.getMsg().str());
    });
    Extents extents;
    entry = &function.getBody().front();
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
        checkLoops(linalgOp, extents);
      else if (auto cast = dyn_cast<tensor::CastOp>(op))
        checkCast(cast, extents);
    });
  }

  /// Each loop of an op has one extent, whichever operand it is read from.
  void checkLoops(linalg::LinalgOp op, Extents &extents) {
    if (!op.hasPureTensorSemantics() || !op.hasDynamicShape())
      return;
    struct Source {
      unsigned operand = 0;
      int64_t dim = -1;
    };
    SmallVector<Source> sources(op.getNumLoops());
    for (OpOperand &operand : op->getOpOperands()) {
      unsigned number = operand.getOperandNumber();
      for (auto [dim, expr] :
           llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
        auto loop = dyn_cast<AffineDimExpr>(expr);
        if (!loop)
          continue;
        Source &first = sources[loop.getPosition()];
        if (first.dim < 0) {
          first = {number, static_cast<int64_t>(dim)};
          continue;
        }
        check(op, op->getOperand(first.operand), first.dim, operand.get(), dim,
              extents,
              llvm::formatv("dimension {0} of operand {1} is not as long as "
                            "dimension {2} of operand {3}",
                            dim, number, first.dim, first.operand));
      }
    }
  }

  /// What was not known has to be what the result's type says.
  void checkCast(tensor::CastOp op, Extents &extents) {
    auto from = dyn_cast<RankedTensorType>(op.getSource().getType());
    auto to = dyn_cast<RankedTensorType>(op.getType());
    if (!from || !to)
      return;
    for (int64_t dim = 0; dim < from.getRank(); ++dim)
      if (from.isDynamicDim(dim) && !to.isDynamicDim(dim))
        check(op, op.getSource(), dim, op.getDest(), dim, extents,
              llvm::formatv("dimension {0} of the operand is not {1}", dim,
                            to.getDimSize(dim)));
  }

  /// Asserts in front of `op` that two dimensions are equally long, unless that
  /// is known.
  void check(Operation *op, Value x, int64_t xDim, Value y, int64_t yDim,
             Extents &extents, const llvm::Twine &message) {
    Extent a = extents.find(x, xDim), b = extents.find(y, yDim);
    if (a == b)
      return;
    OpBuilder builder(op);
    Value equal =
        arith::CmpIOp::create(builder, op->getLoc(), arith::CmpIPredicate::eq,
                              materialize(builder, op->getLoc(), a),
                              materialize(builder, op->getLoc(), b));
    cf::AssertOp::create(
        builder, op->getLoc(), equal,
        builder.getStringAttr(describe(op->getLoc()) + message));
    ++numChecks;
    // What is asserted elsewhere need not hold behind it.
    if (op->getBlock() == entry)
      extents.merge(a, b);
  }

  static Value materialize(OpBuilder &builder, Location loc, Extent extent) {
    auto [value, dim] = extent;
    if (!value)
      return arith::ConstantIndexOp::create(builder, loc, dim);
    if (dim < 0)
      return value;
    return tensor::DimOp::create(builder, loc, value, dim);
  }

  Block *entry = nullptr;
};

} // namespace
