// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_CONVERSION_LINALGTOCPU_PASSES
#define MX_CONVERSION_LINALGTOCPU_PASSES

include "mlir/Pass/PassBase.td"

def MXCPUPrepare : Pass<"mx-cpu-prepare", "::mlir::ModuleOp"> {
  let summary = "check that a module can run on the CPU, and state its interface";
  let description = [{
    Refuses, at its location, the first op that no pass of `mx-to-cpu` lowers
    (an unregistered op, a dialect other than upstream's tensor-level ones) and
    the first constant whose data was elided from the text.

    Each public function gets the C interface (`_mlir_ciface_NAME`) and promises
    not to write its arguments:

    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32>
    // becomes
    func.func @main(%x: tensor<4xf32> {bufferization.writable = false})
        -> tensor<4xf32> attributes {llvm.emit_c_interface}
    ```

    With `kernels` the module is the host's part of `mx-to-gpu`: mx and gpu ops
    are taken, too, and data may be elided, since kernels are made without it.
  }];
  let options = [
    Option<"kernels", "kernels", "bool", "false",
           "kernels stand beside the CPU's code">];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def MXCPUCheckExtents : Pass<"mx-cpu-check-extents", "::mlir::ModuleOp"> {
  let summary = "assert that dynamic extents fit together";
  let description = [{
    The operands of a linalg op agree on the extent of each loop, and a
    `tensor.cast` on what its types say; where an extent is dynamic and this does
    not follow from the function itself (two arguments of type `tensor<?xf32>`),
    it is asserted. Each assertion, these and the function's own, gets its
    location into its message, which is all of it that is left at run time.

    ```mlir
    %0 = linalg.add ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    // becomes
    %n = tensor.dim %x, %c0 : tensor<?xf32>
    %m = tensor.dim %y, %c0 : tensor<?xf32>
    %equal = arith.cmpi eq, %n, %m : index
    cf.assert %equal, "model.mlir:7:8: dimension 0 of operand 1 is not as long as dimension 0 of operand 0"
    %0 = linalg.add ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numChecks", "checks", "Assertions on extents">,
  ];
}

def MXCPUFuse : Pass<"mx-cpu-fuse"> {
  let summary = "fuse elementwise ops that one other op uses";
  let description = [{
    Upstream's elementwise fusion, and removal of results and operands that
    nobody uses (the index of a maximum in a softmax). Nothing is fused into a
    product, and no reshape is folded into one: both would hide it.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def MXCPUNormalizeProducts : Pass<"mx-cpu-normalize-products"> {
  let summary = "one form for all products";
  let description = [{
    Each contraction that accumulates in f32 becomes a `linalg.generic` on f32
    operands without unit dimensions. Copies that only transpose or broadcast an
    operand are folded into its indexing map, so that no weight is transposed as
    a whole. Narrower operands are extended by ops of their own: that of the
    left operand is shared by its products, that of the right one is later fused
    into the packing of its panels.

    ```mlir
    %t = linalg.transpose ins(%w : tensor<8x4xf32>) outs(%e : tensor<4x8xf32>) permutation = [1, 0]
    %0 = linalg.matmul ins(%x, %t : tensor<2x4xf32>, tensor<4x8xf32>) outs(%c : tensor<2x8xf32>) -> tensor<2x8xf32>
    // becomes
    %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>], ...}
        ins(%x, %w : tensor<2x4xf32>, tensor<8x4xf32>) outs(%c : tensor<2x8xf32>) { ... } -> tensor<2x8xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def MXCPUOutline : Pass<"mx-cpu-outline", "::mlir::ModuleOp"> {
  let summary = "one private function for each distinct computation";
  let description = [{
    Each linalg op, `tensor.concat`, `tensor.pad` and slice that no such op takes in becomes a
    call of a private function whose last arguments are the destinations of its
    results. Into it go what
    belongs to the computation: scalar and splat constants, slices, the initial
    value of a reduction, and the elementwise ops that produce the packed operand
    of a product. Functions with equal bodies are one, so the time of all later
    passes and of code generation follows the number of distinct computations,
    not of layers.

    ```mlir
    %e = tensor.empty() : tensor<4xf32>
    %0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    // becomes
    %e = tensor.empty() : tensor<4xf32>
    %0 = call @mx_kernel_exp(%x, %e) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numCalls", "calls", "Computations that became calls">,
    Statistic<"numKernels", "kernels", "Distinct computations">,
  ];
}

def MXCPUTileProducts : Pass<"mx-cpu-tile-products"> {
  let summary = "tile and vectorise products";
  let description = [{
    A product in normal form becomes a parallel loop over panels of the right
    operand. Each panel is packed ([K, columns], transposed by square blocks where
    K is contiguous, computed on the way where elementwise ops produce it), then
    multiplied with all rows of the left operand; sums stay in registers. Tiles
    follow the processor's registers and the shape; what is left of M, N and K
    may have any size, known or not.

    ```mlir
    scf.forall (%n) = (0) to (576) step (32) shared_outs(%out = %c) {
      %panel = ... // tensor<576x32xf32>
      scf.for %m = %c0 to %c256 step %c8 ... {
        %sums:16 = scf.for %k = %c0 to %c576 step %c1 iter_args(...) {
          ... vector.fma ...
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"native\"",
           "processor: native, avx2 or generic">,
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"];
}

def MXCPUTileLoops : Pass<"mx-cpu-tile-loops"> {
  let summary = "share the loops of all other ops among threads";
  let description = [{
    Each linalg op on tensors that is not small and not yet in a loop becomes a
    parallel loop over tiles of its leading parallel dimensions.

    ```mlir
    %0 = linalg.exp ins(%x : tensor<256x576xf32>) outs(%e : tensor<256x576xf32>) -> tensor<256x576xf32>
    // becomes
    %0 = scf.forall (%i) = (0) to (256) step (16) shared_outs(%o = %e) -> (tensor<256x576xf32>) {
      ... linalg.exp ins(%x[%i, 0] [16, 576]) ...
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def MXCPULowerVectors : Pass<"mx-cpu-lower-vectors"> {
  let summary = "vectors of rank 2 to vectors that are one register";
  let description = [{
    Transfers of rank 2 become one transfer (with its bounds check) a row,
    transpositions of square blocks become shuffles.

    ```mlir
    %0 = vector.transpose %v, [1, 0] : vector<16x16xf32> to vector<16x16xf32>
    // becomes 64 vector.shuffle of vector<16xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def MXCPUPlaceBuffers : Pass<"mx-cpu-place-buffers", "::mlir::ModuleOp"> {
  let summary = "decide where each buffer lies and when it is freed";
  let description = [{
    Each result of a function is an allocation of its own, which the caller
    frees; arguments are never handed back. In straight-line code the buffers of
    static size whose lives do not overlap share memory: all lie in one
    allocation, laid out in one walk. Others are freed after their last use.
    Functions in which control flow chooses among buffers get upstream's
    ownership-based deallocation.

    ```mlir
    %a = memref.alloc() : memref<4xf32>
    %b = memref.alloc() : memref<4xf32>
    // becomes
    %arena = memref.alloc() {alignment = 64 : i64} : memref<128xi8>
    %a = memref.view %arena[%c0][] : memref<128xi8> to memref<4xf32>
    %b = memref.view %arena[%c64][] : memref<128xi8> to memref<4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"arenaBytes", "arena-bytes", "Bytes of all arenas">,
  ];
}

def MXCPUMath : Pass<"mx-cpu-math"> {
  let summary = "arithmetic and functions that vectorise, rounded as written";
  let description = [{
    exp, log, tanh and erf of f32 become polynomials; functions of narrower types
    are computed in f32; bf16 arithmetic becomes f32 arithmetic with a rounding
    after each op, by integer code (the processor's instruction flushes
    subnormals).

    Changes numerics in two ways: the polynomials differ from libm by units in
    the last place, and sums of a reduction in f32 or f64 may be reordered
    (`reassoc` on the op that accumulates). No other op is reordered, contracted
    or folded.

    ```mlir
    ^bb0(%x: f32, %sum: f32):
      %0 = arith.addf %x, %sum : f32
    // becomes, in a reduction,
      %0 = arith.addf %x, %sum fastmath<reassoc> : f32
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def MXCPUExpandCopies : Pass<"mx-cpu-expand-copies"> {
  let summary = "turn strided memref.copy ops into loops";
  let description = [{
    Upstream lowers a `memref.copy` between buffers that are not contiguous to a
    call of a runtime library; as a linalg op it becomes a loop, and one that
    vectorises.

    ```mlir
    memref.copy %a, %b : memref<4x4xf32, strided<[8, 1]>> to memref<4x4xf32>
    // becomes
    linalg.generic {...} ins(%a) outs(%b) { ^bb0(%x: f32, %y: f32): linalg.yield %x }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def MXCPUExpandShapes : Pass<"mx-cpu-expand-shapes"> {
  let summary = "describe views that split a dimension in several unknown ones";
  let description = [{
    Upstream's `expand-strided-metadata` takes one dynamic dimension a group and
    crashes on more (LLVM 22). Such a `memref.expand_shape` becomes a
    `memref.reinterpret_cast`.

    ```mlir
    %e = memref.expand_shape %x [[0, 1]] output_shape [%m, %n] : memref<?xf32> into memref<?x?xf32>
    // becomes
    %base, %offset, %size, %stride = memref.extract_strided_metadata %x
    %r = memref.reinterpret_cast %x to offset: [0], sizes: [%m, %n], strides: [%n, 1]
    %e = memref.cast %r
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def MXCPUSetTarget : Pass<"mx-cpu-set-target", "::mlir::ModuleOp"> {
  let summary = "say for which processor each function is compiled, and how";
  let description = [{
    Functions stay functions (`no_inline`); private ones become internal.

    ```mlir
    llvm.func @f() attributes {sym_visibility = "private"} { ... }
    // with cpu=avx2 becomes
    llvm.func internal @f() attributes {no_inline, sym_visibility = "private", target_cpu = "x86-64-v3"} { ... }
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"native\"",
           "processor: native, avx2 or generic">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // MX_CONVERSION_LINALGTOCPU_PASSES
