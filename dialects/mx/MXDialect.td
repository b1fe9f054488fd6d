// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_DIALECT
#define MX_DIALECT

include "mlir/IR/DialectBase.td"

def MXDialect : Dialect {
  let name = "mx";
  let cppNamespace = "::mx";
  let summary = "Block-scaled low-precision tensors and the policies that choose them";
  let description = [{
    Values are explicit pairs: a tensor of elements and a tensor of scales, so
    that slicing, tiling, bufferization and sharding written by others work on
    them. Every rule that decides a number (block, scale rule, rounding, edge
    variant) is an attribute or an operand of the op that applies it.

    `README.md` beside this file numbers the constraints that the verifiers
    enforce.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

#endif // MX_DIALECT
