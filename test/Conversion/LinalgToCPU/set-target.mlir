// RUN: mx-opt %s --mx-cpu-set-target | FileCheck %s
// RUN: not mx-opt %s --mx-cpu-set-target=cpu=z80 2>&1 | FileCheck %s --check-prefix=ERROR

// ERROR: there is no processor 'z80' here; native, generic and on x86-64 avx2 exist

// CHECK: llvm.func @f() attributes {no_inline, target_cpu = "{{.+}}"
llvm.func @f() {
  llvm.return
}
// CHECK: llvm.func @outside()
// CHECK-NOT: attributes
llvm.func @outside()
