// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/FormatTypes.h"
#include "mx/IR/MX.h"
#include "mx/Kernels/Quantize.h"
#include "mx/Target/KernelChoice.h"
#include "mx/Target/Passes.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Threading.h"

namespace mx {
#define GEN_PASS_DEF_MXSELECTKERNELS
#include "mx/Target/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;
using kernels::GemmConfig;
using kernels::OperandConfig;
using kernels::QuantizeConfig;

static OperandConfig getOperandConfig(std::optional<FormatAttr> format,
                                      const QuantizedOperand &operand) {
  if (format)
    return {format->getValue(), Type()};
  return {std::nullopt, getElementTypeOrSelf(operand.elements)};
}

/// Lowers K to what an operand says it is. Packed elements count whole bytes;
/// the other operand may know better.
static void addK(const QuantizedOperand &operand,
                 std::optional<FormatAttr> format, int64_t axis, int64_t &k) {
  auto type = cast<ShapedType>(operand.elements.getType());
  int64_t extent = type.getDimSize(axis);
  if (ShapedType::isDynamic(extent))
    return;
  if (format && axis == type.getRank() - 1) {
    Element element = format->getValue().element;
    if (isPackedType(type.getElementType(), element))
      extent *= getCodesPerByte(element);
  }
  k = ShapedType::isDynamic(k) ? extent : std::min(k, extent);
}

/// M, N, K and batch of a product: dimensions of the result that the lhs, the
/// rhs or both have.
static GemmShape getShape(MatmulOp op) {
  GemmShape shape{1, 1, 1, 1};
  auto multiply = [](int64_t &extent, int64_t factor) {
    extent = ShapedType::isDynamic(extent) || ShapedType::isDynamic(factor)
                 ? ShapedType::kDynamic
                 : extent * factor;
  };
  auto type = cast<ShapedType>(op.getInit().getType());
  for (auto [expr, extent] :
       llvm::zip_equal(op.getResultMap().getResults(), type.getShape())) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    bool inLhs = op.getLhsMap().isFunctionOfDim(dim);
    bool inRhs = op.getRhsMap().isFunctionOfDim(dim);
    multiply(inLhs ? (inRhs ? shape.batch : shape.m) : shape.n, extent);
  }
  shape.rank =
      std::max(op.getLhsMap().getNumResults(), op.getRhsMap().getNumResults());
  shape.k = ShapedType::kDynamic;
  addK(op.getLhsOperand(), op.getLhsFormat(), op.getLhsAxis(), shape.k);
  addK(op.getRhsOperand(), op.getRhsFormat(), op.getRhsAxis(), shape.k);
  return shape;
}

/// True if the result's rows are columns of the product: its last dimension is
/// one of the lhs. The kernel then computes the transpose, the operands
/// swapped.
static bool isTransposed(MatmulOp op) {
  AffineMap result = op.getResultMap();
  if (result.getNumResults() == 0)
    return false;
  auto last = cast<AffineDimExpr>(result.getResults().back());
  return op.getLhsMap().isFunctionOfDim(last.getPosition()) &&
         !op.getRhsMap().isFunctionOfDim(last.getPosition());
}

namespace {
enum class Fallback { Remark, Error, Silent };

struct SelectKernels : mx::impl::MXSelectKernelsBase<SelectKernels> {
  using MXSelectKernelsBase::MXSelectKernelsBase;

  void runOnOperation() override;

private:
  LogicalResult select(MatmulOp op);
  LogicalResult select(QuantizeOp op);
  LogicalResult report(Operation *op, const Choice &choice);
  /// True if an op without a kernel may stay one for convert-mx-to-linalg.
  bool canLeaveToHost(QuantizeOp op);
  /// The start of the reason why no kernel quantises as `op` does: a remark
  /// where the op can be left to the host, else an error.
  InFlightDiagnostic leaveToHost(QuantizeOp op);

  const Chip *target = nullptr;
  Fallback onFallback = Fallback::Remark;
};
} // namespace

void SelectKernels::runOnOperation() {
  Operation *root = getOperation();
  target = lookupChip(chip);
  if (!target) {
    emitError(root->getLoc(), "chip must be one of ")
        << getChipNames([](const Chip &) { return true; }) << ", got '" << chip
        << "'";
    return signalPassFailure();
  }
  auto parsed = llvm::StringSwitch<std::optional<Fallback>>(fallback)
                    .Case("remark", Fallback::Remark)
                    .Case("error", Fallback::Error)
                    .Case("silent", Fallback::Silent)
                    .Default(std::nullopt);
  if (!parsed) {
    emitError(root->getLoc(), "fallback must be remark, error or silent, got '")
        << fallback << "'";
    return signalPassFailure();
  }
  onFallback = *parsed;

  bool allSelected = true;
  root->walk([&](Operation *op) {
    allSelected &=
        succeeded(llvm::TypeSwitch<Operation *, LogicalResult>(op)
                      .Case<MatmulOp, QuantizeOp>([&](auto op) {
                        return success(succeeded(verifyNoElementRegion(op)) &&
                                       succeeded(select(op)));
                      })
                      .Default(success()));
  });
  if (!allSelected)
    signalPassFailure();
}

LogicalResult SelectKernels::report(Operation *op, const Choice &choice) {
  ++numKernels;
  numFallbacks += choice.isFallback;
  if (choice.note.empty())
    return success();
  if (choice.isFallback && onFallback == Fallback::Error)
    return op->emitOpError(choice.note) << ": refused by fallback=error";
  if (onFallback != Fallback::Silent)
    emitRemark(op->getLoc(), choice.note);
  return success();
}

bool SelectKernels::canLeaveToHost(QuantizeOp op) {
  return onFallback != Fallback::Error && op.hasPureTensorSemantics();
}

InFlightDiagnostic SelectKernels::leaveToHost(QuantizeOp op) {
  if (!canLeaveToHost(op)) {
    InFlightDiagnostic error = op.emitOpError();
    error.attachNote(op.getLoc())
        << "the host quantises it with fallback=remark, while on tensors";
    return error;
  }
  return emitRemark(op.getLoc()) << "quantised on the host: ";
}

LogicalResult SelectKernels::select(MatmulOp op) {
  GemmConfig config;
  config.lhs = getOperandConfig(op.getLhsFormat(), op.getLhsOperand());
  config.rhs = getOperandConfig(op.getRhsFormat(), op.getRhsOperand());
  config.result = getElementTypeOrSelf(op.getInit());
  GemmShape shape = getShape(op);
  config.k = shape.k;
  config.promoteEvery = op.getPromoteEvery();
  if (isTransposed(op)) {
    std::swap(config.lhs, config.rhs);
    std::swap(shape.m, shape.n);
  }
  FailureOr<Choice> choice =
      chooseGemm(*target, shape, config, [&] { return op.emitOpError(); });
  if (failed(choice) || failed(report(op, *choice)))
    return failure();
  op->setAttr("mx.kernel",
              KernelAttr::get(op.getContext(), KernelFamily::gemm, chip,
                              config.atom,
                              {config.tileM, config.tileN, config.tileK},
                              {config.warpsM, config.warpsN}, config.stages));
  return success();
}

LogicalResult SelectKernels::select(QuantizeOp op) {
  auto input = cast<ShapedType>(op.getInput().getType());
  QuantizeConfig config;
  config.format = op.getFormat().getValue();
  config.input = input.getElementType();
  config.k = input.getShape().back();
  auto refuse = [&] { return leaveToHost(op); };
  std::optional<ScopedDiagnosticHandler> drop;
  if (onFallback == Fallback::Silent && canLeaveToHost(op))
    drop.emplace(op.getContext(),
                 [thread = llvm::get_threadid()](Diagnostic &) {
                   return success(llvm::get_threadid() == thread);
                 });
  LogicalResult hasKernel = success();
  if (int64_t(op.getAxis()) != input.getRank() - 1)
    hasKernel = refuse() << "no kernel quantises along another than the last "
                            "dimension";
  else if (op.getRounding() != Rounding::rne)
    hasKernel = refuse() << "no kernel rounds stochastically";
  else
    hasKernel = kernels::verifyQuantize(config, refuse);
  if (failed(hasKernel)) {
    ++numFallbacks;
    return success(canLeaveToHost(op));
  }
  Instruction atom;
  Choice choice = chooseQuantizeAtom(*target, config.format.element, atom);
  if (failed(report(op, choice)))
    return failure();
  op->setAttr("mx.kernel",
              KernelAttr::get(op.getContext(), KernelFamily::quantize, chip,
                              atom, /*tile=*/{}, config.warps, /*stages=*/1));
  return success();
}
