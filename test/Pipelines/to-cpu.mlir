// RUN: mx-opt %s --mx-to-cpu=cpu=generic | FileCheck %s
// RUN: mx-opt %s --mx-to-cpu=cpu=generic | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=LLVM
// RUN: not mx-opt %s --mx-to-cpu=cpu=z80 2>&1 | FileCheck %s --check-prefix=ERROR

// ERROR: there is no processor 'z80' here; native, generic and on x86-64 avx2 exist

// The C interface, the entry, one kernel for both layers, one that quantises.
// CHECK-DAG: llvm.func @main(
// CHECK-DAG: llvm.func @_mlir_ciface_main(%{{.+}}: !llvm.ptr, %{{.+}}: !llvm.ptr, %{{.+}}: !llvm.ptr, %{{.+}}: !llvm.ptr)
// CHECK-DAG: llvm.func internal @mx_kernel_generic(%{{.+}}: !llvm.ptr {llvm.noalias}, %{{.+}}: !llvm.ptr {llvm.noalias}) attributes {llvm.bareptr, no_inline
// CHECK-NOT: builtin.unrealized_conversion_cast

// LLVM-LABEL: define {{.*}} @main(
// LLVM: call void @[[PRODUCT:mx_kernel_generic[_0-9]*]](
// LLVM: call void @[[PRODUCT]](
// LLVM: call void {{.*}}@__kmpc_fork_call(
// No flags where something is rounded by adding and subtracting.
// LLVM-NOT: fadd fast
// LLVM-NOT: contract

func.func @main(%x: tensor<8x64xf32>, %v: tensor<64x64xf32>, %w: tensor<64x64xf32>) -> (tensor<8x64xf32>, tensor<8x64xi8>) {
  %zero = arith.constant 0.0 : f32
  %magic = arith.constant 12582912.0 : f32
  %e = tensor.empty() : tensor<8x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x64xf32>) -> tensor<8x64xf32>
  %0 = linalg.matmul ins(%x, %v : tensor<8x64xf32>, tensor<64x64xf32>) outs(%f : tensor<8x64xf32>) -> tensor<8x64xf32>
  %1 = linalg.matmul ins(%0, %w : tensor<8x64xf32>, tensor<64x64xf32>) outs(%f : tensor<8x64xf32>) -> tensor<8x64xf32>
  %c = tensor.empty() : tensor<8x64xi8>
  %2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%1 : tensor<8x64xf32>) outs(%c : tensor<8x64xi8>) {
  ^bb0(%a: f32, %o: i8):
    %p = arith.addf %a, %magic : f32
    %q = arith.subf %p, %magic : f32
    %r = arith.fptosi %q : f32 to i8
    linalg.yield %r : i8
  } -> tensor<8x64xi8>
  return %1, %2 : tensor<8x64xf32>, tensor<8x64xi8>
}
