// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXGPU_ENUMS
#define MXGPU_ENUMS

include "mlir/IR/EnumAttr.td"

def MXGPU_BlockScaleKind : I32Enum<"BlockScaleKind",
    "`.kind` of mma with block scaling", [
  // 8-bit containers, K = 32, one ue8m0 scale a row.
  I32EnumCase<"mxf8f6f4", 0>,
  // Packed e2m1, K = 64, two ue8m0 scales a row.
  I32EnumCase<"mxf4", 1>,
  // Packed e2m1, K = 64, two ue8m0 or four ue4m3 scales a row.
  I32EnumCase<"mxf4nvf4", 2>]> {
  let cppNamespace = "::mx::mxgpu";
}

#endif // MXGPU_ENUMS
