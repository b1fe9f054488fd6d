// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_OPS
#define MX_OPS

include "MXAttrs.td"
include "mlir/IR/OpBase.td"

#endif // MX_OPS
