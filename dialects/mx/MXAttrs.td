// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_ATTRS
#define MX_ATTRS

include "MXDialect.td"
include "MXEnums.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"

class MX_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<MXDialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def MX_FormatAttr : MX_Attr<"Format", "format"> {
  let summary = "a block format";
  let description = [{
    A preset (`#mx.format<nvfp4>`), a preset with overrides
    (`#mx.format<mxfp4, rule = floor>`), or every field. See
    `mx/Formats/Format.h`, which also parses and prints it.
  }];
  let parameters = (ins AttrParameter<"::mx::Format", "the format">:$value);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def MX_RoleAttr : EnumAttr<MXDialect, MX_Role, "role"> {
  let assemblyFormat = "`<` $value `>`";
}

def MX_GemmAttr : EnumAttr<MXDialect, MX_Gemm, "gemm"> {
  let assemblyFormat = "`<` $value `>`";
}

def MX_RoundingAttr : EnumAttr<MXDialect, MX_Rounding, "rounding"> {
  let assemblyFormat = "`<` $value `>`";
}

def MX_LayoutAttr : MX_Attr<"Layout", "layout",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "a layout other than row-major, as the encoding of a tensor type";
  let description = [{
    The shape of the type stays the logical one; only the order in memory and
    the padding that it implies differ.
  }];
  let parameters = (ins "::mx::LayoutKind":$kind);
  let assemblyFormat = "`<` $kind `>`";
}

def MX_HadamardAttr : MX_Attr<"Hadamard", "hadamard"> {
  let summary = "a random Hadamard transform along the contraction dimension";
  let description = [{
    x reshaped to (..., size), times diag(signs) * H_size / sqrt(size), H the
    Sylvester matrix (`mx/Formats/Hadamard.h`). The signs are all 1, or listed,
    or drawn from a seed; `rht16` are Transformer Engine's, of size 16.

    ```mlir
    #mx.hadamard<32>
    #mx.hadamard<rht16>
    #mx.hadamard<4, signs = [1, -1, -1, 1]>
    #mx.hadamard<64, seed = 7>
    ```
  }];
  let parameters = (ins "int64_t":$size,
      OptionalArrayRefParameter<"int8_t">:$signs,
      OptionalParameter<"std::optional<int64_t>">:$seed);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Transformer Engine's.
    static HadamardAttr getRHT16(::mlir::MLIRContext *context);
    /// The transform that it stands for.
    Hadamard getValue() const;
  }];
}

def MX_OperandAttr : MX_Attr<"Operand", "operand"> {
  let summary = "how one operand of a matmul is quantised";
  let description = [{
    ```mlir
    #mx.operand<format = <nvfp4>, rounding = sr, transform = <16>>
    ```
  }];
  let parameters = (ins
      "::mx::FormatAttr":$format,
      DefaultValuedParameter<"::mx::Rounding", "::mx::Rounding::rne">:$rounding,
      OptionalParameter<"::mx::HadamardAttr">:$transform);
  let assemblyFormat = "`<` struct(params) `>`";
}

def MX_PolicyAttr : MX_Attr<"Policy", "policy"> {
  let summary = "what is to be done with one op, and which rule said so";
  let description = [{
    An absent operand stays in high precision; with both absent the op is
    kept. `accumulate` is the type of partial sums, `promote_every` the number
    of elements along K after which they are added to an f32 sum (0: never),
    `result` the type of the product where it is not the op's own.

    ```mlir
    #mx.policy<lhs = <format = <nvfp4>>, rhs = <format = <nvfp4_2d>>,
               rule = "default", reason = "weight x activation">
    ```
  }];
  let parameters = (ins
      OptionalParameter<"::mx::OperandAttr">:$lhs,
      OptionalParameter<"::mx::OperandAttr">:$rhs,
      OptionalParameter<"::mlir::TypeAttr">:$accumulate,
      DefaultValuedParameter<"int64_t", "0">:$promote_every,
      OptionalParameter<"::mlir::TypeAttr">:$result,
      "::mlir::StringAttr":$rule,
      "::mlir::StringAttr":$reason);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// True if the op stays as it is.
    bool isKeep() const { return !getLhs() && !getRhs(); }
  }];
}

def MX_PlanEntryAttr : MX_Attr<"PlanEntry", "entry"> {
  let summary = "what the plan says about one op";
  let description = [{
    The function attribute `mx.plan` is an array of these; an op that an entry
    is about has the entry's position in `mx.id` (the first one's, if it has
    several). So the plan outlives the op.

    `index` and `op` are the op's position in a pre-order walk of its function
    and its name when it was annotated, `result` the result it is about.
    `location` is its name in the source model, `shape` the product's extents
    m x n x k x batch. `lhs`, `rhs` and `accumulate` are the element types it
    had, `scheme` the name of what `decision` spells out. `weight` names the
    parameter it reads, of `weight_elements` elements, `weight_type` each.
    `fingerprint` identifies a kept op and where its operands come from (0: not
    recorded).

    ```mlir
    #mx.entry<index = 17, op = "linalg.matmul", location = "layers.0.up", role = linear,
              gemm = <fprop>, shape = ?x688x256x1, lhs = f32, rhs = f32, accumulate = f32,
              scheme = "nvfp4", decision = <lhs = <format = <nvfp4>>, rhs = <format = <nvfp4>>,
              accumulate = f32, rule = "default", reason = "weight x activation">>
    ```
  }];
  let parameters = (ins
      "int64_t":$index,
      "::mlir::StringAttr":$op,
      DefaultValuedParameter<"unsigned", "0">:$result,
      OptionalParameter<"::mlir::StringAttr">:$location,
      "::mx::Role":$role,
      OptionalParameter<"::mx::GemmAttr">:$gemm,
      OptionalParameter<"std::optional<::mx::ProductShape>">:$shape,
      OptionalParameter<"::mlir::TypeAttr">:$lhs,
      OptionalParameter<"::mlir::TypeAttr">:$rhs,
      OptionalParameter<"::mlir::TypeAttr">:$accumulate,
      OptionalParameter<"::mlir::StringAttr">:$weight,
      DefaultValuedParameter<"int64_t", "0">:$weight_elements,
      OptionalParameter<"::mlir::TypeAttr">:$weight_type,
      OptionalParameter<"::mlir::StringAttr">:$scheme,
      "::mx::PolicyAttr":$decision,
      DefaultValuedParameter<"uint64_t", "0">:$fingerprint);
  let assemblyFormat = "`<` struct(params) `>`";
}

def MX_KernelAttr : MX_Attr<"Kernel", "kernel"> {
  let summary = "the kernel that mx-select-kernels chose for one op";
  let description = [{
    `chip` is the GPU and `atom` the row of the capability table
    (include/mx/Target/Capabilities.td) whose instruction the kernel is built on; the
    chip has it. `warps` are a block's warps, along m and n (gemm) or in all
    (quantize). A gemm has a `tile`, m x n x k of one block, and `stages`, the
    tiles of K in flight.

    ```mlir
    #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4nvf4_4x,
               tile = 128x128x128, warps = 2x4, stages = 2>
    #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>
    ```
  }];
  let parameters = (ins
      "::mx::KernelFamily":$family,
      StringRefParameter<"the chip">:$chip,
      AttrParameter<"::mx::Instruction", "the instruction">:$atom,
      OptionalArrayRefParameter<"int64_t">:$tile,
      ArrayRefParameter<"int64_t">:$warps,
      DefaultValuedParameter<"int64_t", "1">:$stages);
  let assemblyFormat = [{
    `<` $family `,` struct($chip, custom<Instruction>($atom),
        custom<Dimensions>($tile), custom<Dimensions>($warps), $stages) `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Threads of one block.
    int64_t getNumThreads() const;
  }];
}

def MX_NVPTXTargetAttr : MX_Attr<"NVPTXTarget", "nvptx"> {
  let summary = "an NVIDIA GPU as the target of a gpu.module";
  let description = [{
    Takes every chip of the capability table, where `#nvvm.target` refuses the
    block-scaled instructions on all but sm_100a. `ptx` is the PTX version times
    ten; without it the module gets the oldest version that has its
    instructions, so that it loads on the oldest driver. `O` is LLVM's
    optimisation level.

    Implements `gpu::TargetAttrInterface`, so `gpu-module-to-binary` works too;
    `mx-gpu-module-to-binary` also reports and dumps.

    ```mlir
    gpu.module @kernel [#mx.nvptx<chip = "sm_120a">] { ... }
    ```
  }];
  let parameters = (ins
      StringRefParameter<"the chip">:$chip,
      DefaultValuedParameter<"unsigned", "0">:$ptx,
      DefaultValuedParameter<"unsigned", "3">:$O);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def MX_PrepareAttr : MX_Attr<"Prepare", "prepare"> {
  let summary = "a function whose results a function takes as further arguments";
  let description = [{
    `mx.prepare = [#mx.prepare<@f(0, 3)>, ...]` on a function: its last
    arguments are, in this order, the results of `@f` called on its arguments 0
    and 3, and so on. `mx-hoist-weights` writes it; who calls the function does
    the calls, once.
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$callee,
      OptionalArrayRefParameter<"int64_t">:$arguments);
  let assemblyFormat = "`<` $callee `(` (`)`) : ($arguments^ `)`)? `>`";
}

#endif // MX_ATTRS
