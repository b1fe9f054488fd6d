// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/Plan.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mx {
#define GEN_PASS_DEF_MXSTRIP
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

struct Strip : mx::impl::MXStripBase<Strip> {
  void runOnOperation() override;
};

bool isOurs(NamedAttribute attribute) {
  return attribute.getName().getValue().starts_with("mx.");
}

} // namespace

void Strip::runOnOperation() {
  getOperation().walk([](Operation *op) {
    for (NamedAttribute attribute : llvm::to_vector(op->getDiscardableAttrs()))
      if (isOurs(attribute))
        op->removeDiscardableAttr(attribute.getName());
    auto function = dyn_cast<FunctionOpInterface>(op);
    if (!function)
      return;
    for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
      for (NamedAttribute attribute : llvm::to_vector(
               mlir::function_interface_impl::getArgAttrs(function, i)))
        if (isOurs(attribute))
          function.removeArgAttr(i, attribute.getName());
  });
}
