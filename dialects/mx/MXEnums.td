// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_ENUMS
#define MX_ENUMS

include "MXDialect.td"
include "mlir/IR/EnumAttr.td"

class MX_Enum<string name, string summary, list<EnumCase> cases>
    : I32Enum<name, summary, cases> {
  let cppNamespace = "::mx";
}

def MX_Role : MX_Enum<"Role", "what an op is to the model", [
  I32EnumCase<"linear", 0>, I32EnumCase<"attention_scores", 1>,
  I32EnumCase<"attention_context", 2>, I32EnumCase<"lm_head", 3>,
  I32EnumCase<"embedding", 4>, I32EnumCase<"router", 5>,
  I32EnumCase<"expert", 6>, I32EnumCase<"norm", 7>, I32EnumCase<"softmax", 8>,
  I32EnumCase<"rotary", 9>, I32EnumCase<"conv", 10>,
  I32EnumCase<"quantized", 11>, I32EnumCase<"other", 12>]>;

def MX_Gemm : MX_Enum<"Gemm", "which product of a training step", [
  I32EnumCase<"fprop", 0>, I32EnumCase<"dgrad", 1>, I32EnumCase<"wgrad", 2>]>;

def MX_Rounding : MX_Enum<"Rounding", "how an element is rounded to its grid", [
  // Nearest, ties to even.
  I32EnumCase<"rne", 0>,
  // Stochastic; seed and offset are operands of the op that rounds.
  I32EnumCase<"sr", 1>]>;

def MX_LayoutKind : MX_Enum<"LayoutKind", "order of a tensor's elements in memory", [
  // What sm_100's tensor cores read: atoms of 128 rows x 4 scales, row r and
  // column c at 16 * (r mod 32) + 4 * (r div 32) + c (PTX ISA, tcgen05 scale
  // factors; cuBLAS, "1D block scaling factors layout").
  I32EnumCase<"tile_128x4", 0>]>;

def MX_KernelFamily : MX_Enum<"KernelFamily", "shape of a generated kernel's code", [
  // A tiled matrix product; its atom is a tensor core instruction.
  I32EnumCase<"gemm", 0>,
  // Elements and scales of a tensor; its atom converts the elements.
  I32EnumCase<"quantize", 1>]>;

#endif // MX_ENUMS
