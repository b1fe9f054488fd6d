// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXGPU_DIALECT
#define MXGPU_DIALECT

include "mlir/IR/DialectBase.td"

def MXGPUDialect : Dialect {
  let name = "mxgpu";
  let cppNamespace = "::mx::mxgpu";
  let summary = "What nvgpu and nvvm lack for narrow formats";
  let useDefaultAttributePrinterParser = 1;
  let description = [{
    Each op is one instruction of the PTX ISA, or the short fixed sequence that
    stands for it on a chip without that instruction; the two give the same
    bits. Codes travel packed in i32 registers, low codes in low bits, as the
    tensor core and memory hold them.

    `README.md` beside this file numbers the constraints that the verifiers
    enforce.
  }];
}

#endif // MXGPU_DIALECT
