// REQUIRES: ptxas
// RUN: rm -rf %t && mx-opt %s -mx-to-gpu="chip=sm_120a emit=cubin dump=%t/120" -o %t.120.mlir 2>%t.120.log
// RUN: FileCheck %s --check-prefix=RTX --input-file=%t.120.mlir
// RUN: FileCheck %s --check-prefix=RTX-LOG --implicit-check-not=remark: --implicit-check-not=warning: --input-file=%t.120.log
// RUN: ls %t/120 | FileCheck %s --check-prefix=FILES
// RUN: FileCheck %s --check-prefix=PTX --input-file=%t/120/gemm_mxfp4_mxfp4_f32_64x64x128_k256.ptx
// RUN: FileCheck %s --check-prefix=JSON --input-file=%t/120/gemm_mxfp4_mxfp4_f32_64x64x128_k256.json

// RUN: mx-opt %s -mx-to-gpu="chip=sm_80 emit=ptx dump=%t/80" -o %t.80.mlir 2>%t.80.log
// RUN: FileCheck %s --check-prefix=AMPERE --input-file=%t.80.mlir
// RUN: FileCheck %s --check-prefix=AMPERE-LOG --implicit-check-not=warning: --input-file=%t.80.log

// The host code is plain LLVM dialect: it translates with the kernels embedded.
// RUN: sed 's/#mx.nvptx<[^>]*>/#nvvm.target/g' %t.120.mlir | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=HOST

// RUN: not mx-opt %s -mx-to-gpu="chip=sm_80 fallback=error" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REFUSED

// One kernel for two products of one shape and configuration.
// RTX: gpu.binary @gemm_mxfp4_mxfp4_f32_64x64x128_k256 [#gpu.object<#mx.nvptx<chip = "sm_120a">
// RTX-SAME: spill_loads = 0 : i64, spill_stores = 0 : i64
// RTX-SAME: bin = "\7FELF
// RTX-NOT: gpu.binary
// RTX: llvm.func @two_layers
// RTX-COUNT-2: gpu.launch_func {{.*}} @gemm_mxfp4_mxfp4_f32_64x64x128_k256::@gemm_mxfp4_mxfp4_f32_64x64x128_k256
// RTX-NOT: {{mx.matmul|memref|unrealized}}

// RTX-LOG: kernel {{ *}}chip {{ *}}PTX PTX lines registers shared spilled ptxas ms
// RTX-LOG-NEXT: gemm_mxfp4_mxfp4_f32_64x64x128_k256 {{ *}}sm_120a 8.7 {{[0-9]+ +[0-9]+ +[1-9][0-9]+ +0 +[0-9.]+$}}

// FILES: {{^}}gemm_mxfp4_mxfp4_f32_64x64x128_k256.cubin
// FILES-NEXT: {{^}}gemm_mxfp4_mxfp4_f32_64x64x128_k256.json
// FILES-NEXT: {{^}}gemm_mxfp4_mxfp4_f32_64x64x128_k256.ptx
// FILES-NOT: {{.}}

// PTX: .version 8.7
// PTX: .target sm_120a
// PTX: .visible .entry gemm_mxfp4_mxfp4_f32_64x64x128_k256(
// PTX: mma.sync.aligned.m16n8k64.row.col.kind::mxf4.block_scale.scale_vec::2X

// JSON: "args": [
// JSON-COUNT-5: "kind": "buffer"
// JSON: "dynamic_shared": {{[1-9][0-9]*}}
// JSON: "entry": "gemm_mxfp4_mxfp4_f32_64x64x128_k256"
// JSON: "target": "sm_120a"

// AMPERE: gpu.binary @gemm_mxfp4_mxfp4_f32_{{.*}}.version 7.0
// AMPERE-LOG: remark: sm_80 has no tensor core instruction for mxfp4 x mxfp4
// AMPERE-LOG: sm_80 7.0

// HOST: c"\7FELF
// HOST: call {{.*}}@mgpuLaunchKernel

// REFUSED: error: 'mx.matmul' op sm_80 has no tensor core instruction for mxfp4 x mxfp4 {{.*}}: refused by fallback=error

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
func.func @two_layers(%a: memref<512x128xi8>, %sa: memref<512x8xf8E8M0FNU>, %b: memref<768x128xi8>, %sb: memref<768x8xf8E8M0FNU>,
                      %c: memref<512x768xf32>, %d: memref<512x768xf32>) {
  mx.matmul lhs(%a, %sa : memref<512x128xi8>, memref<512x8xf8E8M0FNU>) as <mxfp4>
     rhs(%b, %sb : memref<768x128xi8>, memref<768x8xf8E8M0FNU>) as <mxfp4>
     outs(%c : memref<512x768xf32>) indexing_maps = #maps
  mx.matmul lhs(%a, %sa : memref<512x128xi8>, memref<512x8xf8E8M0FNU>) as <mxfp4>
     rhs(%b, %sb : memref<768x128xi8>, memref<768x8xf8E8M0FNU>) as <mxfp4>
     outs(%d : memref<512x768xf32>) indexing_maps = #maps
  return
}
