// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_CONVERSION_MXTOLINALG_PASSES
#define MX_CONVERSION_MXTOLINALG_PASSES

include "mlir/Pass/PassBase.td"

def ConvertMXToLinalg : Pass<"convert-mx-to-linalg", "::mlir::ModuleOp"> {
  let summary = "lower mx ops to linalg, arith, math and tensor ops, bit-exact";
  let description = [{
    Each mx op on tensors becomes a few linalg ops whose elements and scales
    are those of lib/Formats, bit for bit, and stay so as long as no flags are
    added to their arithmetic; sums of products are in f32, in an order that is
    free. Prologues and epilogues become linalg.generic first, as by
    `mx-inline-regions`.

    Tensors of narrow types (f4E2M1FN, f6E2M3FN, f6E3M2FN, f8E4M3FN, f8E5M2,
    f8E8M0FNU, i4, i2) become tensors of i8, one code a byte, everywhere: in
    signatures, constants, loops, slices. Scalars keep their types: what a
    module computes on them itself goes through a bitcast where it reads or
    writes a tensor. An op on such tensors that has no form on codes is an
    error, and so is a format whose arithmetic the pass does not have.

    `lib/Conversion/MXToLinalg/README.md` describes the form of the output.

    ```mlir
    %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
        outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
        -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
    ```
    becomes
    ```mlir
    %v = tensor.expand_shape %x [[0], [1, 2]] output_shape [4, 2, 32]
    %amax = linalg.generic // parallel, parallel, reduction: bits of max |v|
    %scale:2 = linalg.generic // E8M0 code, 1 / scale
    %codes = linalg.generic ins(%v, %scale#1) outs(%e_view)
    %q0 = tensor.collapse_shape %codes [[0], [1, 2]] : tensor<4x2x32xi8> into tensor<4x64xi8>
    ```

    With `host-ops` only the ops are lowered that have no `mx.kernel`, and types
    stay: what the host does beside kernels. An op on a narrow type is then an
    error.
  }];
  let options = [
    Option<"hostOps", "host-ops", "bool", "false",
           "lower only ops without mx.kernel, and keep narrow types">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

#endif // MX_CONVERSION_MXTOLINALG_PASSES
