// RUN: mx-opt %s -one-shot-bufferize="bufferize-function-boundaries" -split-input-file -verify-diagnostics

#tile = #mx.layout<tile_128x4>
func.func @relayout(%s: tensor<128x4xf8E8M0FNU>, %e: tensor<128x4xf8E8M0FNU, #tile>) -> tensor<128x4xf8E8M0FNU, #tile> {
  // expected-error @+2 {{'mx.relayout' op is not bufferized: a memref does not carry the layout of 'tensor<128x4xf8E8M0FNU, #mx.layout<tile_128x4>>'; lower the op first}}
  // expected-error @+1 {{failed to bufferize op}}
  %t = mx.relayout ins(%s : tensor<128x4xf8E8M0FNU>) outs(%e : tensor<128x4xf8E8M0FNU, #tile>) -> tensor<128x4xf8E8M0FNU, #tile>
  return %t : tensor<128x4xf8E8M0FNU, #tile>
}
