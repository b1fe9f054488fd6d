// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MatmulDims.h"

using namespace mlir;
using namespace mx;

static unsigned getDim(AffineMap map, unsigned position) {
  return cast<AffineDimExpr>(map.getResult(position)).getPosition();
}

std::optional<Format> MatmulDims::getFormat(MatmulOp op, int operand) const {
  std::optional<FormatAttr> format =
      isLhs(operand) ? op.getLhsFormat() : op.getRhsFormat();
  if (!format)
    return std::nullopt;
  return format->getValue();
}

/// Takes the result's innermost dimensions that are not taken yet, as long as
/// they are dimensions of `operand` and not of `other` and lie next to each
/// other in `operand` too, up to its last dimension but K. They come out as one
/// dimension. `limit`: how many at most.
static SmallVector<unsigned> takeDims(AffineMap result, unsigned &taken,
                                      AffineMap operand, AffineMap other,
                                      unsigned limit) {
  SmallVector<unsigned> dims;
  unsigned rank = result.getNumResults();
  while (taken < rank && dims.size() < limit) {
    unsigned dim = getDim(result, rank - 1 - taken);
    unsigned next = dims.size() + 2;
    if (other.isFunctionOfDim(dim) || operand.getNumResults() < next ||
        getDim(operand, operand.getNumResults() - next) != dim)
      break;
    dims.insert(dims.begin(), dim);
    ++taken;
  }
  return dims;
}

FailureOr<MatmulDims> MatmulDims::get(MatmulOp op) {
  MatmulDims dims;
  dims.k = op.getReductionDim();
  for (auto [map, name] :
       {std::pair(op.getLhsMap(), "lhs"), std::pair(op.getRhsMap(), "rhs")})
    if (getDim(map, map.getNumResults() - 1) != dims.k)
      return op.emitOpError("no kernel reads ")
             << name << ", whose innermost dimension is not K";

  AffineMap result = op.getResultMap();
  unsigned rank = result.getNumResults();
  if (rank > 0) {
    unsigned last = getDim(result, rank - 1);
    dims.swapped = op.getLhsMap().isFunctionOfDim(last) &&
                   !op.getRhsMap().isFunctionOfDim(last);
  }
  // Blocks of several rows end at the end of their dimension, so dimensions
  // beyond it are no more rows.
  auto getLimit = [&](int operand) -> unsigned {
    std::optional<Format> format = dims.getFormat(op, operand);
    bool oneRow =
        !format || format->blockRows == 1 || format->blockRows == Format::Whole;
    return oneRow ? rank : 1;
  };
  AffineMap lhs = dims.getMap(op, 0), rhs = dims.getMap(op, 1);
  unsigned taken = 0;
  dims.n = takeDims(result, taken, rhs, lhs, getLimit(1));
  dims.m = takeDims(result, taken, lhs, rhs, getLimit(0));
  for (unsigned i = 0; i + taken < rank; ++i)
    dims.batch.push_back(getDim(result, i));
  return dims;
}
