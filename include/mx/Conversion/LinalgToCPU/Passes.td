// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_CONVERSION_LINALGTOCPU_PASSES
#define MX_CONVERSION_LINALGTOCPU_PASSES

include "mlir/Pass/PassBase.td"

def MXCPUPrepare : Pass<"mx-cpu-prepare", "::mlir::ModuleOp"> {
  let summary = "check that a module can run on the CPU, and state its interface";
  let description = [{
    Refuses, at its location, the first op that no pass of `mx-to-cpu` lowers
    (an unregistered op, a dialect other than upstream's tensor-level ones) and
    the first constant whose data was elided from the text.

    Each public function gets the C interface (`_mlir_ciface_NAME`) and promises
    not to write its arguments:

    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32>
    // becomes
    func.func @main(%x: tensor<4xf32> {bufferization.writable = false})
        -> tensor<4xf32> attributes {llvm.emit_c_interface}
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def MXCPUExpandCopies : Pass<"mx-cpu-expand-copies"> {
  let summary = "turn strided memref.copy ops into loops";
  let description = [{
    Upstream lowers a `memref.copy` between buffers that are not contiguous to a
    call of a runtime library; as a linalg op it becomes a loop, and one that
    vectorises.

    ```mlir
    memref.copy %a, %b : memref<4x4xf32, strided<[8, 1]>> to memref<4x4xf32>
    // becomes
    linalg.generic {...} ins(%a) outs(%b) { ^bb0(%x: f32, %y: f32): linalg.yield %x }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def MXCPUSetTarget : Pass<"mx-cpu-set-target", "::mlir::ModuleOp"> {
  let summary = "say for which processor each function is compiled";
  let description = [{
    ```mlir
    llvm.func @f() { ... }
    // with cpu=avx2 becomes
    llvm.func @f() attributes {target_cpu = "x86-64-v3"} { ... }
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"native\"",
           "processor: native, avx2 or generic">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // MX_CONVERSION_LINALGTOCPU_PASSES
