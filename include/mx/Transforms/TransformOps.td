// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops of the transform dialect, for flows that are driven by scripts.

#ifndef MX_TRANSFORMS_TRANSFORMOPS
#define MX_TRANSFORMS_TRANSFORMOPS

include "MXAttrs.td"
include "mlir/Dialect/Transform/IR/TransformDialect.td"
include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def MXSetPolicyOp : Op<Transform_Dialect, "mx.set_policy",
    [DeclareOpInterfaceMethods<TransformOpInterface>,
     DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "say what is to be done with products";
  let description = [{
    Sets `mx.policy` on each op of the handle, instead of `mx-annotate` or over
    what it decided; a plan that the function has says so. Carried out by
    `transform.mx.quantize` or `mx-quantize-matmuls`. A policy without operands
    keeps the op.

    ```mlir
    transform.mx.set_policy %matmuls to <lhs = <format = <nvfp4>>, rhs = <format = <nvfp4_2d>>,
        rule = "script", reason = "linear layers"> : !transform.any_op
    ```

    #### Return modes

    Definite failure on an op that is no product of tensors.
  }];
  let arguments = (ins TransformHandleTypeInterface:$target,
                       MX_PolicyAttr:$policy);
  let assemblyFormat = "$target `to` $policy attr-dict `:` type($target)";
}

def MXQuantizeOp : Op<Transform_Dialect, "mx.quantize",
    [DeclareOpInterfaceMethods<TransformOpInterface>,
     DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "rewrite products that have a policy to mx.quantize and mx.matmul";
  let description = [{
    What `mx-quantize-matmuls` does, for the ops of a handle: a value is
    quantised once for all of them in its block. Returns the `mx.matmul` ops in
    the order of the payload. Ops without a policy, or with one that keeps them,
    stay. `seed` is that of stochastic rounding; each tensor that is rounded so
    has an offset of its own.

    ```mlir
    %q = transform.mx.quantize %matmuls : (!transform.any_op) -> !transform.any_op
    ```

    #### Return modes

    Consumes the handle. Silenceable failure, with the reason, if a product
    cannot be rewritten as its policy says; it then stays as it is, those before
    it in the payload are rewritten.
  }];
  let arguments = (ins TransformHandleTypeInterface:$target,
                       DefaultValuedAttr<I64Attr, "0">:$seed);
  let results = (outs TransformHandleTypeInterface:$matmuls);
  let assemblyFormat =
      "$target (`seed` `=` $seed^)? attr-dict `:` functional-type($target, $matmuls)";
}

#endif // MX_TRANSFORMS_TRANSFORMOPS
