// RUN: mx-opt %s --mx-cpu-place-buffers --canonicalize | FileCheck %s

func.func private @use(memref<16xf32>, memref<16xf32>)

// Three buffers, two alive at a time.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: %[[X:.+]]: memref<16xf32>
// CHECK: %[[ARENA:.+]] = memref.alloc() {alignment = 64 : i64} : memref<128xi8>
// CHECK: %[[A:.+]] = memref.view %[[ARENA]][%c0][] : memref<128xi8> to memref<16xf32>
// CHECK: call @use(%[[X]], %[[A]])
// CHECK: %[[B:.+]] = memref.view %[[ARENA]][%c64][]
// CHECK: call @use(%[[A]], %[[B]])
// CHECK: %[[C:.+]] = memref.view %[[ARENA]][%c0][]
// CHECK: call @use(%[[B]], %[[C]])
// CHECK: %[[D:.+]] = memref.alloc() : memref<16xf32>
// CHECK: call @use(%[[C]], %[[D]])
// CHECK: memref.dealloc %[[ARENA]]
// CHECK: return %[[D]]
func.func @chain(%x: memref<16xf32>) -> memref<16xf32> {
  %a = memref.alloc() : memref<16xf32>
  call @use(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
  %b = memref.alloc() : memref<16xf32>
  call @use(%a, %b) : (memref<16xf32>, memref<16xf32>) -> ()
  %c = memref.alloc() : memref<16xf32>
  call @use(%b, %c) : (memref<16xf32>, memref<16xf32>) -> ()
  %d = memref.alloc() : memref<16xf32>
  call @use(%c, %d) : (memref<16xf32>, memref<16xf32>) -> ()
  return %d : memref<16xf32>
}

// A view keeps its buffer alive.
// CHECK-LABEL: func.func @view
// CHECK: memref.alloc() {{.*}} : memref<128xi8>
func.func @view(%x: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  call @use(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
  %v = memref.expand_shape %a [[0, 1]] output_shape [4, 4] : memref<16xf32> into memref<4x4xf32>
  %b = memref.alloc() : memref<16xf32>
  call @use(%x, %b) : (memref<16xf32>, memref<16xf32>) -> ()
  %c = memref.collapse_shape %v [[0, 1]] : memref<4x4xf32> into memref<16xf32>
  call @use(%c, %b) : (memref<16xf32>, memref<16xf32>) -> ()
  return
}

// The caller frees each result: arguments and second uses are copied.
// CHECK-LABEL: func.func @results
// CHECK-SAME: %[[X:.+]]: memref<?xf32>
// CHECK: %[[A:.+]] = memref.alloc(%{{.+}}) : memref<?xf32>
// CHECK: %[[B:.+]] = memref.alloc(%{{.+}}) {alignment = 64 : i64} : memref<?xf32>
// CHECK: memref.copy %[[A]], %[[B]]
// CHECK: %[[C:.+]] = memref.alloc(%{{.+}}) {alignment = 64 : i64} : memref<?xf32>
// CHECK: memref.copy %[[X]], %[[C]]
// CHECK-NOT: memref.dealloc
// CHECK: return %{{.+}}, %{{.+}}, %[[C]]
func.func @results(%x: memref<?xf32>, %n: index) -> (memref<?xf32>, memref<?xf32>, memref<?xf32>) {
  %a = memref.alloc(%n) : memref<?xf32>
  return %a, %a, %x : memref<?xf32>, memref<?xf32>, memref<?xf32>
}

// CHECK-LABEL: func.func @dynamic
// CHECK: %[[A:.+]] = memref.alloc(%{{.+}}) : memref<?xf32>
// CHECK: call @use_dynamic(%[[A]])
// CHECK-NEXT: memref.dealloc %[[A]]
// CHECK: scf.for
// CHECK: %[[B:.+]] = memref.alloc
// CHECK: call @use_dynamic(%[[B]])
// CHECK-NEXT: memref.dealloc %[[B]]
func.func private @use_dynamic(memref<?xf32>)
func.func @dynamic(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc(%n) : memref<?xf32>
  call @use_dynamic(%a) : (memref<?xf32>) -> ()
  scf.for %i = %c0 to %n step %c1 {
    %b = memref.alloc(%n) : memref<?xf32>
    func.call @use_dynamic(%b) : (memref<?xf32>) -> ()
  }
  return
}

// Which buffer is whose is known at run time only.
// CHECK-LABEL: func.func @choice
// CHECK: scf.if
// CHECK: memref.dealloc
func.func @choice(%p: i1, %x: memref<16xf32>) -> f32 {
  %c0 = arith.constant 0 : index
  %a = scf.if %p -> memref<16xf32> {
    %b = memref.alloc() : memref<16xf32>
    func.call @use(%x, %b) : (memref<16xf32>, memref<16xf32>) -> ()
    scf.yield %b : memref<16xf32>
  } else {
    scf.yield %x : memref<16xf32>
  }
  %r = memref.load %a[%c0] : memref<16xf32>
  return %r : f32
}
