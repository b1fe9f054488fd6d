// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_OPS
#define MX_OPS

include "MXAttrs.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

def MX_Shaped : AnyTypeOf<[AnyRankedTensor, AnyMemRef], "ranked tensor or memref">;

/// All ops are destination-style: on tensors they return their updated `outs`,
/// on memrefs they have no results.
class MX_Op<string mnemonic, list<Trait> traits = []>
    : Op<MXDialect, mnemonic, traits # [
        DestinationStyleOpInterface,
        // All methods have defaults, so the one that is ours has to be named.
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<ConditionallySpeculatable>]> {
  let hasVerifier = 1;
}

/// Tiling on tensors. README.md beside this file says what is refused.
def MX_Tiling : DeclareOpInterfaceMethods<TilingInterface, [
    "getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
    "getResultTilePosition", "generateResultTileValue",
    "getIterationDomainTileFromResultTile"]>;

/// A prologue or an epilogue, of which an op has one or none: an empty region
/// is nothing that upstream's mlir::clone can copy.
def MX_ElementRegion : VariadicRegion<SizedRegion<1>>;

/// Maps of the further operands of a prologue or an epilogue.
def MX_ElementMaps : DefaultValuedAttr<AffineMapArrayAttr, "{}">;

def MX_QuantizeOp : MX_Op<"quantize", [
    AttrSizedOperandSegments, IsolatedFromAbove, MX_Tiling]> {
  let summary = "quantise a tensor to elements and block scales";
  let description = [{
    `elements` has the shape of the input, `scales` one entry a block: block
    columns run along `axis` (the contraction dimension), block rows along the
    innermost other dimension; the last block of a dimension may be ragged. A
    format with zero points has a third output of the scales' shape.

    A format with a second level takes the tensor's amax as an operand: from
    `mx.amax` where it is live, from calibration where it is static. With
    `rounding = sr` element i, counted in row-major order, is rounded with the
    first `random_bits` bits of a word that is a function of (seed, offset, i):
    `mx/Formats/Random.h`.

    With a `prologue` the op quantises what that region makes of each element of
    the input and of the elements of further tensors, which `maps` take from the
    input's dimensions; the type that it yields is that of the quantised tensor.
    The amax is that of the quantised tensor, too.

    ```mlir
    %a = mx.amax ins(%x : tensor<4x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
    %q, %s = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<4x64xf32>)
        amax(%a : tensor<f32>)
        outs(%e, %f : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>)
        -> tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>

    // Of x * gamma, rounded to bf16.
    %r, %t = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
        outs(%e, %g : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
        -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
        prologue ins(%gamma : tensor<64xf32>) maps = [affine_map<(m, k) -> (k)>] {
    ^bb0(%in: f32, %scale: f32):
      %0 = arith.mulf %in, %scale : f32
      %1 = arith.truncf %0 : f32 to bf16
      mx.yield %1 : bf16
    }
    ```
  }];
  let hasFolder = 1;
  let arguments = (ins MX_FormatAttr:$format, I64Attr:$axis,
      DefaultValuedAttr<MX_RoundingAttr, "::mx::Rounding::rne">:$rounding,
      MX_Shaped:$input, Optional<MX_Shaped>:$amax,
      Optional<I64>:$seed, Optional<I64>:$offset,
      Variadic<MX_Shaped>:$prologue_inputs,
      Variadic<MX_Shaped>:$outputs,
      DefaultValuedAttr<I64Attr, "24">:$random_bits,
      MX_ElementMaps:$prologue_maps);
  let regions = (region MX_ElementRegion:$prologue);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $format `axis` `=` $axis (`rounding` `=` $rounding^)?
    `ins` `(` $input `:` type($input) `)`
    (`amax` `(` $amax^ `:` type($amax) `)`)?
    (`random` `(` $seed^ `,` $offset `)`)?
    `outs` `(` $outputs `:` type($outputs) `)` attr-dict (`->` type($results)^)?
    (`prologue` (`ins` `(` $prologue_inputs^ `:` type($prologue_inputs) `)`
                 `maps` `=` $prologue_maps)? $prologue^)?
  }];
  let extraClassDeclaration = [{
    /// Creates the op on a tensor with outputs of its own (`tensor.empty`).
    /// `amax` is null unless the format has a second level.
    static QuantizeOp createOnTensor(::mlir::OpBuilder &builder,
                                     ::mlir::Location loc,
                                     ::mlir::Value input, ::mlir::Value amax,
                                     FormatAttr format, int64_t axis);
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getOutputsMutable();
    }
    /// The prologue and its operands.
    ElementRegion getElementRegion() {
      return {"prologue", getPrologue(), getPrologueInputs(), getPrologueMaps()};
    }
    ::mlir::Value getElementsInit() { return getOutputs()[0]; }
    ::mlir::Value getScalesInit() { return getOutputs()[1]; }
  }];
}

def MX_DequantizeOp : MX_Op<"dequantize", [MX_Tiling]> {
  let summary = "the real values that elements and scales stand for";
  let description = [{
    `ins` are the elements, the scales, then zero points and the amax where the
    format has them.

    ```mlir
    %x = mx.dequantize <mxfp4> axis = 1
        ins(%q, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
        outs(%init : tensor<4x64xf32>) -> tensor<4x64xf32>
    ```
  }];
  let hasFolder = 1;
  let arguments = (ins MX_FormatAttr:$format, I64Attr:$axis,
      Variadic<MX_Shaped>:$inputs, MX_Shaped:$init);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $format `axis` `=` $axis `ins` `(` $inputs `:` type($inputs) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// The inputs by meaning.
    QuantizedOperand getQuantized() {
      return QuantizedOperand(getInputs(), getFormat().getValue());
    }
  }];
}

def MX_MatmulOp : MX_Op<"matmul", [
    AttrSizedOperandSegments, IsolatedFromAbove, MX_Tiling]> {
  let summary = "contraction of block-scaled operands with high-precision accumulation";
  let description = [{
    `lhs` and `rhs` are each either one high-precision tensor (no format) or
    elements, scales, then zero points and amax where the format has them.
    `indexing_maps` are those of the lhs elements, the rhs elements, the bias
    (if there is one) and the result over one iteration space: projected
    permutations; a dimension that the result lacks is reduced, and there is
    exactly one, K. Blocks run along K.

    result = round(init + bias + sum over K of lhs * rhs), the dequantised
    values multiplied and summed in `accumulate` (f32), partial sums promoted
    to f32 every `promote_every` elements of K (0: never), in an order that is
    otherwise free.

    With an `epilogue`, result = epilogue(bias + sum over K of lhs * rhs, the
    elements of further tensors). The init is then the destination only, and the
    sum starts from 0: it may have another type than a sum. The region gets the
    finished sum in `accumulate`; where a rounding belongs between the product
    and what follows, the region has it. `maps` take the further tensors from
    the result's dimensions.

    ```mlir
    %d = mx.matmul
        lhs(%a, %sa, %ga : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
        rhs(%b, %sb, %gb : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
        outs(%c : tensor<4x8xf32>)
        indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                         affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>

    // bf16(a b + bias)
    %e = mx.matmul
        lhs(%a, %sa, %ga : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
        rhs(%b, %sb, %gb : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
        outs(%f : tensor<4x8xbf16>)
        indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                         affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xbf16>
        epilogue ins(%bias : tensor<8xf32>) maps = [affine_map<(m, n) -> (n)>] {
    ^bb0(%sum: f32, %in: f32):
      %0 = arith.addf %sum, %in : f32
      %1 = arith.truncf %0 : f32 to bf16
      mx.yield %1 : bf16
    }
    ```
  }];
  let hasFolder = 1;
  let arguments = (ins
      OptionalAttr<MX_FormatAttr>:$lhs_format,
      OptionalAttr<MX_FormatAttr>:$rhs_format,
      AffineMapArrayAttr:$indexing_maps,
      DefaultValuedAttr<TypeAttr, "::mlir::Float32Type::get($_builder.getContext())">:$accumulate,
      DefaultValuedAttr<I64Attr, "0">:$promote_every,
      Variadic<MX_Shaped>:$lhs, Variadic<MX_Shaped>:$rhs,
      Optional<MX_Shaped>:$bias, Variadic<MX_Shaped>:$epilogue_inputs,
      MX_Shaped:$init, MX_ElementMaps:$epilogue_maps);
  let regions = (region MX_ElementRegion:$epilogue);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    `lhs` `(` $lhs `:` type($lhs) `)` (`as` $lhs_format^)?
    `rhs` `(` $rhs `:` type($rhs) `)` (`as` $rhs_format^)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    `outs` `(` $init `:` type($init) `)`
    `indexing_maps` `=` $indexing_maps
    attr-dict (`->` type($result)^)?
    (`epilogue` (`ins` `(` $epilogue_inputs^ `:` type($epilogue_inputs) `)`
                 `maps` `=` $epilogue_maps)? $epilogue^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// The epilogue and its operands.
    ElementRegion getElementRegion() {
      return {"epilogue", getEpilogue(), getEpilogueInputs(), getEpilogueMaps()};
    }
    QuantizedOperand getLhsOperand() { return getQuantizedOperand(getLhs(), getLhsFormat()); }
    QuantizedOperand getRhsOperand() { return getQuantizedOperand(getRhs(), getRhsFormat()); }
    ::mlir::AffineMap getLhsMap() { return getMap(0); }
    ::mlir::AffineMap getRhsMap() { return getMap(1); }
    /// Null without a bias.
    ::mlir::AffineMap getBiasMap() { return getBias() ? getMap(2) : ::mlir::AffineMap(); }
    ::mlir::AffineMap getResultMap() { return getMap(getBias() ? 3 : 2); }
    /// The iteration dimension that is reduced.
    unsigned getReductionDim();
    /// Extent of each iteration dimension as far as the operands' types say. A
    /// dimension that all operands pack has as many elements as their bytes hold.
    ::llvm::SmallVector<int64_t> getIterationShape();
    /// Elements of K in the larger block of the two operands; 1 where no block
    /// is shorter than K.
    int64_t getBlockUnit();
    /// Position of K in the lhs and rhs elements.
    int64_t getLhsAxis();
    int64_t getRhsAxis();

    static QuantizedOperand getQuantizedOperand(
        ::mlir::OperandRange values, std::optional<FormatAttr> format) {
      return format ? QuantizedOperand(values, format->getValue())
                    : QuantizedOperand(values);
    }
    ::mlir::AffineMap getMap(unsigned i) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getIndexingMaps()[i]).getValue();
    }
  }];
}

def MX_AmaxOp : MX_Op<"amax", [IsolatedFromAbove, MX_Tiling]> {
  let summary = "largest magnitude of a tensor";
  let description = [{
    result = max(init, max |x|) as f32; a NaN in the input is ignored (as
    maxnum); 0 is the neutral init. With a `prologue`, as that of mx.quantize, x
    is what the region yields.

    ```mlir
    %a = mx.amax ins(%x : tensor<4x64xbf16>) outs(%zero : tensor<f32>) -> tensor<f32>
    ```
  }];
  let hasFolder = 1;
  let arguments = (ins MX_Shaped:$input, Variadic<MX_Shaped>:$prologue_inputs,
      MX_Shaped:$init, MX_ElementMaps:$prologue_maps);
  let regions = (region MX_ElementRegion:$prologue);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)` `outs` `(` $init `:` type($init) `)`
    attr-dict (`->` type($result)^)?
    (`prologue` (`ins` `(` $prologue_inputs^ `:` type($prologue_inputs) `)`
                 `maps` `=` $prologue_maps)? $prologue^)?
  }];
  let extraClassDeclaration = [{
    /// The prologue and its operands.
    ElementRegion getElementRegion() {
      return {"prologue", getPrologue(), getPrologueInputs(), getPrologueMaps()};
    }
    /// Creates the op on a tensor with an init of zero.
    static AmaxOp createOnTensor(::mlir::OpBuilder &builder,
                                 ::mlir::Location loc, ::mlir::Value input);
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def MX_HadamardOp : MX_Op<"hadamard", [MX_Tiling]> {
  let summary = "random Hadamard transform along one dimension";
  let description = [{
    Each group of `size` elements along `axis` is multiplied by
    diag(signs) * H_size / sqrt(size), in f32, and rounded to the output's type. Both operands of one product take the
    same signs, so that the transform cancels.

    ```mlir
    %y = mx.hadamard <rht16> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
    ```
  }];
  let hasFolder = 1;
  let arguments = (ins MX_HadamardAttr:$transform, I64Attr:$axis,
      MX_Shaped:$input, MX_Shaped:$init);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $transform `axis` `=` $axis `ins` `(` $input `:` type($input) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def MX_RelayoutOp : MX_Op<"relayout"> {
  let summary = "change the order of a tensor's elements in memory";
  let description = [{
    The layout is the tensor type's encoding (none: row-major). The only op
    that changes it, so a swizzled tensor cannot be read as plain.

    ```mlir
    %t = mx.relayout ins(%s : tensor<128x4xf8E8M0FNU>)
        outs(%e : tensor<128x4xf8E8M0FNU, #mx.layout<tile_128x4>>)
        -> tensor<128x4xf8E8M0FNU, #mx.layout<tile_128x4>>
    ```
  }];
  let hasFolder = 1;
  let arguments = (ins MX_Shaped:$input, MX_Shaped:$init);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)` `outs` `(` $init `:` type($init) `)`
    attr-dict (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def MX_StatsOp : MX_Op<"stats"> {
  let summary = "what quantisation did to a tensor";
  let description = [{
    `ins` is the original, then the quantised operand as in `mx.dequantize`.
    The result holds four f32: signal-to-noise ratio in dB, fraction of nonzero
    elements that became zero, fraction that saturated, number of codes never
    used.
  }];
  let arguments = (ins MX_FormatAttr:$format, I64Attr:$axis,
      MX_Shaped:$input, Variadic<MX_Shaped>:$quantized, MX_Shaped:$init);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $format `axis` `=` $axis `ins` `(` $input `:` type($input) `)`
    `quantized` `(` $quantized `:` type($quantized) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def MX_YieldOp : Op<MXDialect, "yield", [
    Pure, ReturnLike, Terminator,
    ParentOneOf<["AmaxOp", "MatmulOp", "QuantizeOp"]>]> {
  let summary = "the result of a prologue or an epilogue";
  let description = [{
    One scalar: an element of the tensor that the op around it goes on with.
  }];
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

#endif // MX_OPS
