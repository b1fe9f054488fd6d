// RUN: mx-opt %s -split-input-file -verify-diagnostics

// The constraints of mx.amax, mx.hadamard and mx.relayout, in the order of
// dialects/mx/README.md.

// mx.amax C1
func.func @amax_mixed(%x: tensor<4xf32>, %a: memref<f32>) {
  // expected-error @+1 {{'mx.amax' op operands must be all tensors or all memrefs}}
  mx.amax ins(%x : tensor<4xf32>) outs(%a : memref<f32>)
  return
}

// -----

// mx.amax C2
func.func @amax_input(%x: memref<4xi8>, %a: memref<f32>) {
  // expected-error @+1 {{'mx.amax' op input must be of f32, f16 or bf16, got 'i8'}}
  mx.amax ins(%x : memref<4xi8>) outs(%a : memref<f32>)
  return
}

// -----

// mx.amax C3
func.func @amax_output(%x: memref<4xbf16>, %a: memref<bf16>) {
  // expected-error @+1 {{'mx.amax' op output must be 'memref<f32>', got 'memref<bf16>'}}
  mx.amax ins(%x : memref<4xbf16>) outs(%a : memref<bf16>)
  return
}

// -----

// mx.hadamard C1
func.func @hadamard_mixed(%x: tensor<4x32xf32>, %y: memref<4x32xf32>) {
  // expected-error @+1 {{'mx.hadamard' op operands must be all tensors or all memrefs}}
  mx.hadamard <16> axis = 1 ins(%x : tensor<4x32xf32>) outs(%y : memref<4x32xf32>)
  return
}

// -----

// mx.hadamard C2
func.func @hadamard_input(%x: memref<4x32xi8>, %y: memref<4x32xf32>) {
  // expected-error @+1 {{'mx.hadamard' op input must be of f32, f16 or bf16, got 'i8'}}
  mx.hadamard <16> axis = 1 ins(%x : memref<4x32xi8>) outs(%y : memref<4x32xf32>)
  return
}

// -----

// mx.hadamard C2
func.func @hadamard_output(%x: memref<4x32xf32>, %y: memref<4x32xf64>) {
  // expected-error @+1 {{'mx.hadamard' op output must be of f32, f16 or bf16, got 'f64'}}
  mx.hadamard <16> axis = 1 ins(%x : memref<4x32xf32>) outs(%y : memref<4x32xf64>)
  return
}

// -----

// mx.hadamard C3
func.func @hadamard_axis(%x: memref<4x32xf32>, %y: memref<4x32xf32>) {
  // expected-error @+1 {{'mx.hadamard' op axis must be a dimension of a rank-2 tensor, got 2}}
  mx.hadamard <16> axis = 2 ins(%x : memref<4x32xf32>) outs(%y : memref<4x32xf32>)
  return
}

// -----

// mx.hadamard C4
func.func @hadamard_shape(%x: memref<?x32xf32>, %y: memref<4x16xbf16>) {
  // expected-error @+1 {{'mx.hadamard' op output must be 'memref<?x32xbf16>', got 'memref<4x16xbf16>'}}
  mx.hadamard <16> axis = 1 ins(%x : memref<?x32xf32>) outs(%y : memref<4x16xbf16>)
  return
}

// -----

// mx.hadamard C5
func.func @hadamard_extent(%x: memref<4x24xf32>, %y: memref<4x24xf32>) {
  // expected-error @+1 {{'mx.hadamard' op extent of axis 1 must be a multiple of the transform's size 16, got 24}}
  mx.hadamard <16> axis = 1 ins(%x : memref<4x24xf32>) outs(%y : memref<4x24xf32>)
  return
}

// -----

// mx.relayout C1
func.func @relayout_memref(%x: memref<128x4xf8E8M0FNU>, %y: memref<128x4xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.relayout' op operands must be tensors: the type of a memref does not carry the layout}}
  mx.relayout ins(%x : memref<128x4xf8E8M0FNU>) outs(%y : memref<128x4xf8E8M0FNU>)
  return
}

// -----

// mx.relayout C2
func.func @relayout_encoding(%x: tensor<128x4xf8E8M0FNU, "columns">, %y: tensor<128x4xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.relayout' op encoding must be a #mx.layout or none, got "columns"}}
  %r = mx.relayout ins(%x : tensor<128x4xf8E8M0FNU, "columns">) outs(%y : tensor<128x4xf8E8M0FNU>) -> tensor<128x4xf8E8M0FNU>
  return
}

// -----

#tile = #mx.layout<tile_128x4>
// mx.relayout C3: nothing is swizzled twice.
func.func @relayout_twice(%x: tensor<128x4xf8E8M0FNU, #tile>, %y: tensor<128x4xf8E8M0FNU, #tile>) {
  // expected-error @+1 {{'mx.relayout' op must change the layout}}
  %r = mx.relayout ins(%x : tensor<128x4xf8E8M0FNU, #tile>) outs(%y : tensor<128x4xf8E8M0FNU, #tile>) -> tensor<128x4xf8E8M0FNU, #tile>
  return
}

// -----

#tile = #mx.layout<tile_128x4>
// mx.relayout C4
func.func @relayout_shape(%x: tensor<100x4xf8E8M0FNU>, %y: tensor<128x4xf8E8M0FNU, #tile>) {
  // expected-error @+1 {{'mx.relayout' op output must be 'tensor<100x4xf8E8M0FNU, #mx.layout<tile_128x4>>', got 'tensor<128x4xf8E8M0FNU, #mx.layout<tile_128x4>>'}}
  %r = mx.relayout ins(%x : tensor<100x4xf8E8M0FNU>) outs(%y : tensor<128x4xf8E8M0FNU, #tile>) -> tensor<128x4xf8E8M0FNU, #tile>
  return
}
