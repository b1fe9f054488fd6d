// REQUIRES: ptxas
// RUN: rm -rf %t && mx-opt %s -mx-gpu-module-to-binary="emit=ptx dump=%t/new/folder" -o /dev/null 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: ls %t/new/folder | FileCheck %s --check-prefix=FILES
// RUN: FileCheck %s --check-prefix=JSON --input-file=%t/new/folder/scale.json
// RUN: FileCheck %s --check-prefix=BARE --input-file=%t/new/folder/bare.json
// RUN: ptxas -arch=sm_80 %t/new/folder/scale.ptx -o /dev/null

// TABLE: remark: no launch file for dynamic: arg0 has dynamic sizes, and the file's are constants
// TABLE: kernel chip PTX PTX lines registers shared spilled ptxas ms
// TABLE: scale sm_80 7.0 {{[0-9]+ [0-9]+}} 1024 0 {{[0-9.]+}}
// TABLE: bare sm_80 7.0
// TABLE: dynamic sm_80 7.0

// Nothing but the files themselves: they are written beside and renamed.
// FILES-NOT: tmp
// FILES: bare.cubin
// FILES-NEXT: bare.json
// FILES-NEXT: bare.ptx
// FILES-NEXT: dynamic.cubin
// FILES-NEXT: dynamic.ptx
// FILES-NEXT: scale.cubin
// FILES-NEXT: scale.json
// FILES-NEXT: scale.ptx
// FILES-NOT: {{.}}

// JSON: "args": [
// JSON-COUNT-2: "kind": "buffer",
// JSON: "dtype": "u64",
// JSON-NEXT: "kind": "scalar",
// JSON-NEXT: "name": "arg0.offset",
// JSON-NEXT: "value": 0
// JSON: "name": "arg0.size0",
// JSON-NEXT: "value": 4
// JSON: "name": "arg0.stride0",
// JSON-NEXT: "value": 64
// JSON: "dtype": "f32",
// JSON-NEXT: "kind": "scalar",
// JSON-NEXT: "name": "arg1",
// JSON-NEXT: "value": 0.5
// JSON: "block": [
// JSON-NEXT: 128,
// JSON: "dtype": "bf16",
// JSON: "shape": [
// JSON-NEXT: 4,
// JSON-NEXT: 64
// JSON: "dynamic_shared": 1024,
// JSON-NEXT: "entry": "scale",
// JSON: "grid": [
// JSON-NEXT: 2,
// JSON: "ptx": "scale.ptx",
// JSON-NEXT: "target": "sm_80"

// BARE: "args": [
// BARE-COUNT-2: "kind": "buffer",
// BARE-NOT: "kind"
// BARE: "block"
// BARE: "buffers": [
// BARE: "dtype": "u8"
// BARE: "mask": 255
// BARE: "shape": [
// BARE-NEXT: 16
// BARE: "add": 124,
// BARE: "shape": [
// BARE-NEXT: 2,
// BARE-NEXT: 4

module attributes {gpu.container_module} {
  // One memref as a descriptor and a scalar.
  gpu.module @scale [#mx.nvptx<chip = "sm_80">] {
    llvm.func @scale(%a: !llvm.ptr, %p: !llvm.ptr, %o: i64, %m: i64, %n: i64, %s: i64, %t: i64, %x: f32)
        attributes {gpu.kernel, nvvm.kernel} {
      llvm.store %x, %p : f32, !llvm.ptr
      llvm.return
    }
  }
  // Two memrefs as bare pointers.
  gpu.module @bare [#mx.nvptx<chip = "sm_80">] {
    llvm.func @bare(%p: !llvm.ptr, %q: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      llvm.return
    }
  }
  gpu.module @dynamic [#mx.nvptx<chip = "sm_80">] {
    llvm.func @dynamic(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      llvm.return
    }
  }
  func.func @host(%a: memref<4x64xbf16>, %b: memref<?xf32>, %c: memref<16xi8>, %d: memref<2x4xf8E8M0FNU>) {
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c128 = arith.constant 128 : index
    %shared = arith.constant 1024 : i32
    // The address of a memref is a buffer, too.
    %address = memref.extract_aligned_pointer_as_index %c : memref<16xi8> -> index
    %integer = arith.index_cast %address : index to i64
    %pointer = llvm.inttoptr %integer : i64 to !llvm.ptr
    %x = arith.constant 0.5 : f32
    gpu.launch_func @scale::@scale blocks in (%c2, %c1, %c1) threads in (%c128, %c1, %c1)
      dynamic_shared_memory_size %shared args(%a : memref<4x64xbf16>, %x : f32)
    gpu.launch_func @bare::@bare blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%pointer : !llvm.ptr, %d : memref<2x4xf8E8M0FNU>)
    gpu.launch_func @dynamic::@dynamic blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%b : memref<?xf32>)
    return
  }
}
