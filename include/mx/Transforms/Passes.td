// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_TRANSFORMS_PASSES
#define MX_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def MXMoveKInnermost : Pass<"mx-move-k-innermost"> {
  let summary = "operands of mx.matmul with the contraction dimension last";
  let description = [{
    GPU kernels read operands along K, from rows in which K is contiguous. An
    operand of which K is not the last dimension is transposed: before it is
    quantised if an `mx.quantize` makes it (the codes and scales are the same),
    as it is otherwise. Codes of fewer than 8 bits that come from elsewhere, and
    stochastic rounding (whose random bits go by position), are errors.

    ```mlir
    %q, %s = mx.quantize <mxfp4> axis = 0 ins(%w : tensor<64x8xf32>) ...
    mx.matmul ... rhs(%q, %s : tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>) as <mxfp4>
        ... affine_map<(m, n, k) -> (k, n)> ...
    // becomes
    %t = linalg.transpose ins(%w : tensor<64x8xf32>) outs(...) permutation = [1, 0]
    %q, %s = mx.quantize <mxfp4> axis = 1 ins(%t : tensor<8x64xf32>) ...
    mx.matmul ... rhs(%q, %s : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) as <mxfp4>
        ... affine_map<(m, n, k) -> (n, k)> ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numTransposed", "transposed", "operands that were transposed">];
}

def MXPackSubByte : Pass<"mx-pack-sub-byte", "::mlir::ModuleOp"> {
  let summary = "tensors of 2-, 4- and 6-bit codes as bytes, packed along the last dimension";
  let description = [{
    What a GPU kernel reads: tensors of f4E2M1FN, i4 (two codes a byte) and i2
    (four), of f6E2M3FN and f6E3M2FN (one a byte) become tensors of i8, the
    first code in the lowest bits. Each row starts at a byte; the codes that
    fill its last byte are 0 in constants. Run it before bufferization: on
    memrefs of these types LLVM strides a byte and reads nibbles.

    mx ops keep their formats, which say what the bytes are. An op that looks at
    the codes, or a slice that parts a byte, is an error.

    ```mlir
    %e = tensor.empty() : tensor<8x64xf4E2M1FN>
    // becomes
    %e = tensor.empty() : tensor<8x32xi8>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

#endif // MX_TRANSFORMS_PASSES
