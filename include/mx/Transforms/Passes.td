// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_TRANSFORMS_PASSES
#define MX_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def MXAnnotate : Pass<"mx-annotate", "::mlir::ModuleOp"> {
  let summary = "find what each op is to the model and decide its precision";
  let description = [{
    Roles follow from the structure of each function (lib/Analysis/RoleFinder.h
    states the rules); names are used for rules only. Writes `mx.role`,
    `mx.gemm` and `mx.id` on each product and each sensitive op, `mx.policy` on
    those that are to be quantised, `mx.parameter` on arguments that the sidecar
    names, and the whole plan as `mx.plan` on the function. Nothing is
    rewritten. `mx-quantize-matmuls` must follow before any pass that changes
    ops: many drop such attributes.

    ```mlir
    %0 = linalg.matmul ins(%x, %w : ...) outs(%c : ...) -> tensor<4x8xf32>
    ```
    becomes
    ```mlir
    %0 = linalg.matmul {mx.gemm = #mx.gemm<fprop>, mx.id = 0 : i64,
        mx.policy = #mx.policy<lhs = <format = <mxfp8_e4m3>>, ...>,
        mx.role = #mx.role<linear>} ins(%x, %w : ...) ...
    ```
  }];
  let options = [
    Option<"scheme", "scheme", "std::string", /*default=*/"",
           "formats for layers and experts, such as nvfp4, mxfp4, mxfp8, "
           "fp8_block, int4; none: everything is kept">,
    Option<"recipe", "recipe", "std::string", "",
           "recipe file, YAML or JSON (lib/Recipe/README.md)">,
    Option<"args", "args", "std::string", "",
           "sidecar that names the entry function's arguments">,
    Option<"scaleRule", "scale-rule", "std::string", "",
           "rule of the scheme's E8M0 scales: floor, ceil, even, rceil">];
  let statistics = [
    Statistic<"numQuantize", "quantize", "Number of ops to be quantised">,
    Statistic<"numKeep", "keep", "Number of ops to be kept">];
  let dependentDialects = ["::mx::MXDialect"];
}

def MXQuantizeMatmuls : Pass<"mx-quantize-matmuls", "::mlir::ModuleOp"> {
  let summary = "rewrite products that have a policy to mx.quantize and mx.matmul";
  let description = [{
    Each operand that the policy gives a format is quantised along K, once for
    all products of its block that want it so: copies in between
    (transpositions, broadcasts to a batch, conversions to a wider type) are
    looked through, the indexing maps of `mx.matmul` state them. Weights that a
    gather chose from a stack are quantised as the stack and their codes and
    scales gathered: so a weight has the same codes whichever tokens came, and
    is quantised once. So are those that a loop slices from a stack which stands
    before it.

    An operand with a transform goes through `mx.hadamard` before it is quantised. One with stochastic rounding gets a seed (`seed`, or the value of
    the function argument `seed-argument`, which a training step changes) and an
    offset of its own, so that no two tensors have the same random bits; K is
    its last dimension.

    Sums are in f32 on the original initial value; the result is converted back
    to the type it had. A product that cannot be rewritten stays, the plan says
    why, and `fallback` says whether that is a remark, an error or neither.

    ```mlir
    %t = linalg.transpose ins(%w : tensor<8x64xf32>) ... permutation = [1, 0]
    %0 = linalg.matmul {mx.policy = #mx.policy<...mxfp8_e4m3...>}
        ins(%x, %t : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : ...)
    ```
    becomes
    ```mlir
    %qx:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<4x64xf32>) ...
    %qw:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%w : tensor<8x64xf32>) ...
    %0 = mx.matmul lhs(%qx#0, %qx#1 : ...) as <mxfp8_e4m3>
                   rhs(%qw#0, %qw#1 : ...) as <mxfp8_e4m3>
        outs(%c : tensor<4x8xf32>) indexing_maps = [
          affine_map<(d0, d1, d2) -> (d0, d2)>,
          affine_map<(d0, d1, d2) -> (d1, d2)>,
          affine_map<(d0, d1, d2) -> (d0, d1)>] -> tensor<4x8xf32>
    ```
  }];
  let options = [
    Option<"fallback", "fallback", "::mx::Fallback",
           /*default=*/"::mx::Fallback::Remark",
           "what a product is that a policy wants quantised and that cannot be",
           [{::llvm::cl::values(
             clEnumValN(::mx::Fallback::Remark, "remark", "a remark"),
             clEnumValN(::mx::Fallback::Error, "error", "an error"),
             clEnumValN(::mx::Fallback::Silent, "silent",
                        "said in the plan only"))}]>,
    Option<"seed", "seed", "int64_t", "0",
           "seed of what is rounded stochastically">,
    Option<"seedArgument", "seed-argument", "int64_t", "-1",
           "number of the function argument (i64, or a tensor of one) that is "
           "the seed instead">];
  let statistics = [
    Statistic<"numMatmuls", "matmuls", "Number of products rewritten">,
    Statistic<"numQuantizes", "quantizes", "Number of mx.quantize created">,
    Statistic<"numFallbacks", "fallbacks", "Number of products that stayed">];
  let dependentDialects = [
    "::mx::MXDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def MXVerifyUntouched : Pass<"mx-verify-untouched", "::mlir::ModuleOp"> {
  let summary = "prove that ops that the plan keeps are as they were";
  let description = [{
    Compares each kept op with the fingerprint that `mx-annotate` took of it:
    its name, types, attributes and regions, and where its operands come from.
    An op that is gone, changed, or fed by something else (a quantisation that
    nobody asked for) is an error. Run it after `mx-quantize-matmuls` and before
    passes that may simplify what it guards. Changes nothing.
  }];
  let statistics = [
    Statistic<"numVerified", "verified", "Number of ops found as they were">];
  let dependentDialects = ["::mx::MXDialect"];
}

def MXShareOperands : Pass<"mx-share-operands"> {
  let summary = "quantise each value once for each format and direction";
  let description = [{
    Finds `mx.quantize` (and `mx.amax`, `mx.hadamard`) whose results another one
    that dominates it has already, and lets readers take those. What differs by
    its destination, by attributes that passes noted, or by having a copy of the
    value of its own is the same, which CSE does not see:

    - transpositions, broadcasts and reshapes of one value that say the same;
    - reshapes and casts that leave the last dimension alone, where blocks are
      one row of it: codes and scales are reshaped as the value was;
    - transpositions, where only products read the result: their indexing maps
      say the order of dimensions;
    - the row-wise and the column-wise copy (forward and backward) of square
      blocks and of one block for the tensor. Other formats keep a copy for each
      direction, each quantised from the original.

    Results are equal bit for bit; what is rounded stochastically is shared only
    where seed, offset and element order are the same. Values of loops are shared
    after `loop-invariant-code-motion`.

    ```mlir
    %c = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x4x64xf32> into tensor<8x64xf32>
    %q:2 = mx.quantize <mxfp4> axis = 2 ins(%x : tensor<2x4x64xf32>) ...
    %r:2 = mx.quantize <mxfp4> axis = 1 ins(%c : tensor<8x64xf32>) ...
    // becomes
    %q:2 = mx.quantize <mxfp4> axis = 2 ins(%x : tensor<2x4x64xf32>) ...
    %e = tensor.collapse_shape %q#0 [[0, 1], [2]] : tensor<2x4x64xf4E2M1FN> into tensor<8x64xf4E2M1FN>
    %s = tensor.collapse_shape %q#1 [[0, 1], [2]] : tensor<2x4x2xf8E8M0FNU> into tensor<8x2xf8E8M0FNU>
    ```
  }];
  let statistics = [
    Statistic<"numShared", "shared", "quantisations that were there already">,
    Statistic<"numReshaped", "reshaped", "that are a reshape of another">,
    Statistic<"numTransposed", "transposed", "that are a transpose of another">,
    Statistic<"numAmaxes", "amaxes", "maxima that were there already">,
    Statistic<"numHadamards", "hadamards",
              "transforms that were there already">];
  let dependentDialects = ["::mx::MXDialect", "::mlir::tensor::TensorDialect"];
}

def MXFoldWeights : Pass<"mx-fold-weights"> {
  let summary = "quantise constant weights at compile time";
  let description = [{
    `mx.quantize` and `mx.amax` of a constant (a literal, or a resource of any
    size, and transposes, broadcasts and reshapes of it) become constants, which
    lib/Formats computes. Codes, one a byte, and scales are resources named
    after the weight; weights that nobody else reads go. Weights that products
    alone read get K as their last dimension, as kernels want it. The model
    computes the same bits as before.

    A resource whose blob is missing (elided when the module was printed) or has
    another size stays as it is, with a remark.

    ```mlir
    %w = arith.constant dense_resource<w> : tensor<8x64xf32>
    %q:2 = mx.quantize <mxfp4> axis = 1 ins(%w : tensor<8x64xf32>) ...
    // becomes
    %e = arith.constant dense_resource<w.codes> : tensor<8x64xf4E2M1FN>
    %s = arith.constant dense_resource<w.scales> : tensor<8x2xf8E8M0FNU>
    ```
  }];
  let statistics = [
    Statistic<"numFolded", "folded", "weights that were quantised">,
    Statistic<"bytesFolded", "bytes", "bytes of codes, scales and zero points">];
  let dependentDialects = ["::mx::MXDialect", "::mlir::arith::ArithDialect"];
}

def MXFuse : Pass<"mx-fuse"> {
  let summary = "elementwise ops next to mx.quantize and mx.matmul into their regions";
  let description = [{
    An elementwise linalg op (bias, activation function, residual, cast) that
    alone reads an `mx.matmul` becomes its epilogue, and one that is read by an
    `mx.quantize` and the `mx.amax` of the same tensor only (a norm's scaling,
    an activation function, a cast) becomes their prologue; then the next one
    before or after it. What a tensor of its own was between them is then a
    scalar of the same type: all bits stay, roundings included.

    - Reshapes in between stay outside: the operands are collapsed instead.
      Transpositions and broadcasts of operands become maps of the region, equal
      elements constants in it.
    - Ops that read a product several times and meet again, as in x * sigmoid(x),
      are one.
    - The sum of a product with an epilogue starts from zero, so that its init
      must be one; the product moves to the op that read it.
    - Stays: what the plan keeps (it has an `mx.role`), what reduces, gathers or
      reads indices, what has a second reader, which would compute it again, and
      ops of another block, such as the body of a loop.

    Each op that moves, and each that cannot and why, is an optimisation remark
    of the category `mx-fuse` (`--remarks-filter=mx-fuse`). `mx-inline-regions`
    is the inverse.

    ```mlir
    %0 = mx.matmul ... outs(%zero : tensor<4x8xf32>) ... -> tensor<4x8xf32>
    %1 = linalg.generic {...} ins(%0, %bias : tensor<4x8xf32>, tensor<8xf32>) ... {
      %2 = arith.addf %in, %in_0 : f32
      linalg.yield %2 : f32
    } -> tensor<4x8xf32>
    // becomes
    %0 = mx.matmul ... outs(%e : tensor<4x8xf32>) ... -> tensor<4x8xf32>
        epilogue ins(%bias : tensor<8xf32>) maps = [affine_map<(d0, d1) -> (d1)>] {
    ^bb0(%sum: f32, %in: f32):
      %2 = arith.addf %sum, %in : f32
      mx.yield %2 : f32
    }
    ```
  }];
  let statistics = [
    Statistic<"numPrologues", "prologues", "ops moved into a prologue">,
    Statistic<"numEpilogues", "epilogues", "ops moved into an epilogue">];
  let dependentDialects = [
    "::mx::MXDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def MXInlineRegions : Pass<"mx-inline-regions"> {
  let summary = "prologues and epilogues of mx ops as linalg.generic";
  let description = [{
    The inverse of `mx-fuse`, for what knows mx ops without regions: a prologue
    becomes a linalg.generic before the op (one for an `mx.quantize` and its
    `mx.amax`), an epilogue one after it, and the product gets a zero fill as its
    init. `convert-mx-to-linalg` and `mx-to-gpu` start with it. An op on memrefs
    that has a region is an error.

    ```mlir
    %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>) ... prologue {
    ^bb0(%in: f32):
      %0 = math.tanh %in : f32
      mx.yield %0 : f32
    }
    // becomes
    %e = tensor.empty() : tensor<4x64xf32>
    %y = linalg.generic {...} ins(%x : tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) {
      %0 = math.tanh %in : f32
      linalg.yield %0 : f32
    } -> tensor<4x64xf32>
    %q:2 = mx.quantize <mxfp4> axis = 1 ins(%y : tensor<4x64xf32>) ...
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"];
}

def MXStrip : Pass<"mx-strip", "::mlir::ModuleOp"> {
  let summary = "remove the attributes of the plan";
  let description = [{
    Removes every discardable `mx.*` attribute of ops, functions and their
    arguments. Attributes that mx ops are made of stay.

    ```mlir
    %0 = linalg.matmul {mx.role = #mx.role<linear>} ins(...) outs(...)
    ```
    becomes
    ```mlir
    %0 = linalg.matmul ins(...) outs(...)
    ```
  }];
}

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

def MXSeparateInits : Pass<"mx-separate-inits"> {
  let summary = "a fill of its own for each mx.matmul";
  let description = [{
    Products often share one zero fill as their init. Bufferized, each but the
    last would start with a copy of it. Here each gets a fill of its own, so that
    it is written in place and a kernel need not read zeros.

    ```mlir
    %z = linalg.fill ins(%zero : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
    %0 = mx.matmul ... outs(%z : tensor<8x16xf32>) ...
    %1 = mx.matmul ... outs(%z : tensor<8x16xf32>) ...
    // becomes
    %e0 = tensor.empty() : tensor<8x16xf32>
    %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
    %0 = mx.matmul ... outs(%z0 : tensor<8x16xf32>) ...
    %1 = mx.matmul ... outs(%z : tensor<8x16xf32>) ...
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numSeparated", "separated", "products that got a fill">];
}

def MXPackSubByte : Pass<"mx-pack-sub-byte", "::mlir::ModuleOp"> {
  let summary = "tensors of 2-, 4- and 6-bit codes as bytes, packed along the last dimension";
  let description = [{
    What a GPU kernel reads: tensors of f4E2M1FN, i4 (two codes a byte) and i2
    (four), of f6E2M3FN and f6E3M2FN (one a byte) become tensors of i8, the
    first code in the lowest bits. Each row starts at a byte; the codes that
    fill its last byte are 0 in constants. Run it before bufferization: on
    memrefs of these types LLVM strides a byte and reads nibbles.

    mx ops keep their formats, which say what the bytes are. linalg ops that move
    whole rows (a gather of experts, a copy, a transposition of outer dimensions)
    move bytes. An op that looks at the codes, or a slice that parts a byte, is
    an error.

    ```mlir
    %e = tensor.empty() : tensor<8x64xf4E2M1FN>
    // becomes
    %e = tensor.empty() : tensor<8x32xi8>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def MXHoistWeights : Pass<"mx-hoist-weights", "::mlir::ModuleOp"> {
  let summary = "compute what depends on weights alone in functions of its own, once";
  let description = [{
    For a caller that keeps its weights from call to call. In each public
    function, the mx ops whose operands come from parameters (arguments with the
    attribute `mx.parameter`) and constants alone go to prepare functions, with
    what they need (transposes before the quantisation); their results become
    further arguments of the function. What depends on no mx op stays: hoisting
    it would keep a copy of each weight.

    Ops that share no value get a function each, so that a caller can drop one
    weight before it prepares the next; equal functions are one.

    ```mlir
    func.func @main(%w: tensor<8x64xf32> {mx.parameter = "w"}, %x: tensor<4x64xf32>) -> ... {
      %q:2 = mx.quantize <mxfp4> axis = 1 ins(%w : tensor<8x64xf32>) ...
      mx.matmul lhs(%x : tensor<4x64xf32>) rhs(%q#0, %q#1 : ...) as <mxfp4> ...
    }
    // becomes
    func.func @main_prepare(%w: tensor<8x64xf32>) -> (tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) {
      %q:2 = mx.quantize <mxfp4> axis = 1 ins(%w : tensor<8x64xf32>) ...
      return %q#0, %q#1 : ...
    }
    func.func @main(%w: tensor<8x64xf32> {mx.parameter = "w"}, %x: tensor<4x64xf32>,
                    %q: tensor<8x64xf4E2M1FN>, %s: tensor<8x2xf8E8M0FNU>) -> ...
        attributes {mx.prepare = [#mx.prepare<@main_prepare(0)>]} {
      mx.matmul lhs(%x : tensor<4x64xf32>) rhs(%q, %s : ...) as <mxfp4> ...
    }
    ```
  }];
  let statistics = [
    Statistic<"numHoisted", "num-hoisted", "ops that moved to a prepare function">,
    Statistic<"numFunctions", "num-functions", "prepare functions">,
  ];
  let dependentDialects = ["::mx::MXDialect", "::mlir::func::FuncDialect"];
}

#endif // MX_TRANSFORMS_PASSES
