// What a module has that cannot be run is one error at its location.

// RUN: split-file %s %t
// RUN: not mx-run %t/scalar.mlir 2>&1 | FileCheck %t/scalar.mlir --implicit-check-not=error:
// RUN: not mx-run %t/result.mlir 2>&1 | FileCheck %t/result.mlir --implicit-check-not=error:
// RUN: not mx-run %t/external.mlir 2>&1 | FileCheck %t/external.mlir --implicit-check-not=error:
// RUN: not mx-run %t/syntax.mlir 2>&1 | FileCheck %t/syntax.mlir --implicit-check-not=error:
// RUN: not mx-run %mx_test_root/Inputs/models/mixtral_unregistered.mlir 2>&1 | FileCheck %s --check-prefix=UNREGISTERED --implicit-check-not=error:
// RUN: not mx-run %mx_test_root/Inputs/models/mixtral_unregistered.mlir --allow-unregistered-dialect 2>&1 | FileCheck %s --check-prefix=ALLOWED --implicit-check-not=error:
// RUN: not mx-run %mx_test_root/Inputs/models/llama_elided.mlir 2>&1 | FileCheck %s --check-prefix=ELIDED --implicit-check-not=error:

// UNREGISTERED: mixtral_unregistered.mlir:505:30: error: operation being parsed with an unregistered dialect
// ALLOWED: mixtral_unregistered.mlir:505:14: error: 'tm_tensor.sort' op is not registered
// ELIDED: llama_elided.mlir:{{[0-9:]+}} error: {{.*}}elided

//--- scalar.mlir
// CHECK: scalar.mlir:[[#@LINE+1]]:34: error: argument 1 of 'main' is 'i1'; only ranked tensors of whole bytes can be given
func.func @main(%a: tensor<f32>, %b: i1) {
  return
}

//--- result.mlir
// CHECK: result.mlir:[[#@LINE+1]]:1: error: result 0 of 'main' is 'tensor<*xf32>'; only ranked tensors of whole bytes can be taken
func.func @main(%a: tensor<f32>) -> tensor<*xf32> {
  %c = tensor.cast %a : tensor<f32> to tensor<*xf32>
  return %c : tensor<*xf32>
}

//--- external.mlir
// CHECK: external.mlir:[[#@LINE+1]]:1: error: entry function 'main' has no body
func.func private @main(tensor<f32>)

//--- syntax.mlir
// CHECK: syntax.mlir:[[#@LINE+1]]:1: error: custom op 'func.fun' is unknown
func.fun @main() {
}
