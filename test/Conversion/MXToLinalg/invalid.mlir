// RUN: mx-opt %s --convert-mx-to-linalg --split-input-file --verify-diagnostics

func.func @tosa(%x: tensor<4xf8E4M3FN>) -> tensor<4xf32> {
  // expected-error@+1 {{'tosa.cast' op has no form on codes for 'tensor<4xf8E4M3FN>'; lower it to func, cf, scf (for, if, while), tensor, linalg or elementwise arith ops first}}
  %y = tosa.cast %x : (tensor<4xf8E4M3FN>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @buffers(%x: memref<4x32xf32>, %a: memref<f32>) {
  // expected-error@+1 {{'mx.amax' op on memrefs is not lowered to linalg; run convert-mx-to-linalg before bufferization}}
  mx.amax ins(%x : memref<4x32xf32>) outs(%a : memref<f32>)
  return
}

// -----

func.func @layout(%s: tensor<128x8xf8E8M0FNU, #mx.layout<tile_128x4>>) -> tensor<64x8xf8E8M0FNU, #mx.layout<tile_128x4>> {
  // expected-error@+1 {{'tensor.extract_slice' op has no form on codes for 'tensor<128x8xf8E8M0FNU, #mx.layout<tile_128x4>>'; make it row-major by mx.relayout first}}
  %t = tensor.extract_slice %s[0, 0] [64, 8] [1, 1] : tensor<128x8xf8E8M0FNU, #mx.layout<tile_128x4>> to tensor<64x8xf8E8M0FNU, #mx.layout<tile_128x4>>
  return %t : tensor<64x8xf8E8M0FNU, #mx.layout<tile_128x4>>
}
