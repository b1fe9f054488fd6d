// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXGPU_OPS
#define MXGPU_OPS

include "MXGPUDialect.td"
include "MXGPUEnums.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class MXGPU_Op<string mnemonic, list<Trait> traits = []>
    : Op<MXGPUDialect, mnemonic, traits # [Pure]>;

/// A register group with one possible type, so that assembly can omit it.
class MXGPU_Registers<int count, Type element, string getElement>
    : Type<VectorOfLengthAndType<[count], [element]>.predicate,
           "vector of " # count # " " # element.summary # " values",
           "::mlir::VectorType">,
      BuildableType<"::mlir::VectorType::get({" # count # "}, " # getElement # ")">;
def MXGPU_A : MXGPU_Registers<4, I32, "$_builder.getI32Type()">;
def MXGPU_B : MXGPU_Registers<2, I32, "$_builder.getI32Type()">;
def MXGPU_C : MXGPU_Registers<4, F32, "$_builder.getF32Type()">;

def MXGPU_BlockScaleKindAttr
    : EnumAttr<MXGPUDialect, MXGPU_BlockScaleKind, "block_scale_kind">;

def MXGPU_MmaBlockScaleOp
    : MXGPU_Op<"mma.block_scale"> {
  let summary = "warp-wide matrix product with block scales";
  let description = [{
    `result = (a * scale_a) * (b * scale_b) + c` on one m16n8k32 (`mxf8f6f4`)
    or m16n8k64 (`mxf4`, `mxf4nvf4`) tile: PTX ISA 9.7.14.5.14. Fragments are
    those of `mx/Kernels/Layouts.h`. Scale s of a row is byte `byte id + s` of
    the register of the lane that `thread id` names; other lanes' scale
    registers are not read.

    ```mlir
    %d = mxgpu.mma.block_scale mxf4nvf4 %a, %b, %c
        scale_a %sa[0, 0] scale_b %sb[0, 0]
        : f4E2M1FN, f4E2M1FN scaled_by f8E4M3FN
    ```
  }];
  let arguments = (ins
      MXGPU_BlockScaleKindAttr:$kind,
      MXGPU_A:$a,
      MXGPU_B:$b,
      MXGPU_C:$c,
      I32:$scale_a, I32Attr:$byte_id_a, I32Attr:$thread_id_a,
      I32:$scale_b, I32Attr:$byte_id_b, I32Attr:$thread_id_b,
      TypeAttr:$a_type, TypeAttr:$b_type, TypeAttr:$scale_type);
  let results = (outs MXGPU_C:$result);
  let assemblyFormat = [{
    $kind $a `,` $b `,` $c
    `scale_a` $scale_a `[` $byte_id_a `,` $thread_id_a `]`
    `scale_b` $scale_b `[` $byte_id_b `,` $thread_id_b `]`
    attr-dict `:` $a_type `,` $b_type `scaled_by` $scale_type
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Elements of K that one op takes.
    int64_t getK() { return getKind() == BlockScaleKind::mxf8f6f4 ? 32 : 64; }
    /// Scales of a row: the N of PTX's `scale_vec::NX`.
    int64_t getScaleVectorSize();
  }];
}

def MXGPU_EncodeOp : MXGPU_Op<"encode"> {
  let summary = "round f32 values to packed codes";
  let description = [{
    Nearest, ties to even, saturating: `cvt.rn.satfinite` (PTX ISA 9.7.9.21).
    The sign of zero is kept; NaN becomes 0x7F (8 bits) or the largest value (6
    and 4 bits). Eight 4-bit codes, or four codes in bytes, fill the i32.

    ```mlir
    %w = mxgpu.encode %x : vector<8xf32> to f4E2M1FN
    ```
  }];
  let arguments = (ins VectorOfRankAndType<[1], [F32]>:$value,
      TypeAttr:$element_type);
  let results = (outs I32:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `to` $element_type";
  let hasVerifier = 1;
}

def MXGPU_DecodeOp : MXGPU_Op<"decode"> {
  let summary = "values of packed codes, exactly";
  let description = [{
    Every element type of at most eight bits is exact in bf16, NaN and infinity
    included. Integer codes are two's complement. Sixteen 2-bit, eight 4-bit, or
    four codes in bytes (of which 6-bit ones use the low six bits) come from
    the i32.

    ```mlir
    %x = mxgpu.decode %w : f4E2M1FN to vector<8xbf16>
    ```
  }];
  let arguments = (ins I32:$codes, TypeAttr:$element_type);
  let results = (outs VectorOfRankAndType<[1], [BF16]>:$result);
  let assemblyFormat = "$codes attr-dict `:` $element_type `to` type($result)";
  let hasVerifier = 1;
}

def MXGPU_EncodeScaleOp : MXGPU_Op<"encode_scale"> {
  let summary = "the least E8M0 code whose value is not below |x|";
  let description = [{
    `cvt.rp.satfinite.ue8m0x2` (PTX ISA 9.7.9.21): the sign is dropped; zero and
    what is below 2^-127 give 0, infinity 0xFE, NaN 0xFF.

    ```mlir
    %e = mxgpu.encode_scale %x
    ```
  }];
  let arguments = (ins F32:$value);
  let results = (outs I32:$result);
  let assemblyFormat = "$value attr-dict";
}

def MXGPU_DecodeScaleOp : MXGPU_Op<"decode_scale"> {
  let summary = "2^(code - 127), or NaN for 0xFF";
  let description = [{
    The low byte of `code` as an E8M0 number; the other bits must be zero.

    ```mlir
    %s = mxgpu.decode_scale %e : f32
    ```
  }];
  let arguments = (ins I32:$code);
  let results = (outs AnyTypeOf<[F32, BF16]>:$result);
  let assemblyFormat = "$code attr-dict `:` type($result)";
}

#endif // MXGPU_OPS
