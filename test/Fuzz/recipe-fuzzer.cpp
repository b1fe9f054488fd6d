// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libFuzzer's entry: any bytes as a recipe, and what it says of some ops.

#include "mx/Recipe/Recipe.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

using namespace mx;

/// One context for all inputs, which takes note of diagnostics and is silent.
static mlir::MLIRContext &getContext(unsigned *&errors) {
  static unsigned count = 0;
  static mlir::MLIRContext *context = [] {
    auto *context =
        new mlir::MLIRContext(mlir::MLIRContext::Threading::DISABLED);
    context->getDiagEngine().registerHandler([](mlir::Diagnostic &diagnostic) {
      count += diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
      // Printing must not fail either.
      (void)diagnostic.str();
      return mlir::success();
    });
    return context;
  }();
  errors = &count;
  return *context;
}

static void read(llvm::StringRef text, llvm::StringRef path) {
  unsigned *errors;
  mlir::MLIRContext &context = getContext(errors);
  *errors = 0;
  mlir::FailureOr<RuleList> rules = parseRecipe(text, path, &context);
  // A recipe that is refused has one error, one that is read has none.
  if (*errors != unsigned(mlir::failed(rules)))
    llvm::report_fatal_error("a recipe must have one error or be read");
  if (mlir::failed(rules))
    return;
  for (Role role : {Role::linear, Role::lm_head, Role::attention_scores}) {
    OpDescription op;
    op.role = role;
    op.name = role == Role::linear ? "model.layers.1.mlp.up_proj" : "";
    op.layer = getLayer(op.name);
    op.numLayers = 4;
    op.shape = ProductShape{32, 64, 128, 1};
    (void)rules->decide(op).getSchemeName();
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  read(text, "fuzz.yaml");
  if (text.starts_with("{"))
    read(text, "fuzz.json");
  return 0;
}
