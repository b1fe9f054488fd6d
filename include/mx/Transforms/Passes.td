// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_TRANSFORMS_PASSES
#define MX_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

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
