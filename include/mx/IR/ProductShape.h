// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The extents of a product, as the plan states them.

#ifndef MX_IR_PRODUCTSHAPE_H
#define MX_IR_PRODUCTSHAPE_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectImplementation.h"

#include <optional>

namespace mx {

/// `batch` products of [m, k] by [k, n]; ShapedType::kDynamic where an extent
/// is not known. Spelled `32x688x256x1` (m, n, k, batch), with `?`.
struct ProductShape {
  int64_t m = 1, n = 1, k = 1, batch = 1;

  bool operator==(const ProductShape &o) const {
    return m == o.m && n == o.n && k == o.k && batch == o.batch;
  }

  /// Multiplications and additions; 0 if an extent is not known.
  double getFlops() const {
    for (int64_t extent : {m, n, k, batch})
      if (mlir::ShapedType::isDynamic(extent))
        return 0;
    return 2.0 * m * n * k * batch;
  }
};

inline llvm::hash_code hash_value(const ProductShape &shape) {
  return llvm::hash_combine(shape.m, shape.n, shape.k, shape.batch);
}

/// Optional, because that is what attributes have; absent ones are not printed.
mlir::AsmPrinter &operator<<(mlir::AsmPrinter &printer,
                             const std::optional<ProductShape> &shape);

} // namespace mx

template <> struct mlir::FieldParser<std::optional<mx::ProductShape>> {
  static FailureOr<std::optional<mx::ProductShape>> parse(AsmParser &parser);
};

#endif // MX_IR_PRODUCTSHAPE_H
