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

// -----

func.func @variant(%x: tensor<4x64xf32>, %e: tensor<4x64xi4>, %s: tensor<4x2xf32>) -> tensor<4x64xi4> {
  // expected-error@+1 {{'mx.quantize' op of #mx.format<int4_g32, variant = torchao> is not lowered: variant torchao is left to constants; use variant = ocp}}
  %q:2 = mx.quantize <int4_g32, variant = torchao> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xi4>, tensor<4x2xf32>) -> tensor<4x64xi4>, tensor<4x2xf32>
  return %q#0 : tensor<4x64xi4>
}

// -----

func.func @four_over_six(%x: tensor<4x64xf32>, %a: tensor<f32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x1xf8E4M3FN>) -> tensor<4x64xf4E2M1FN> {
  // expected-error@+1 {{four_over_six needs blocks of a fixed size}}
  %q:2 = mx.quantize <nvfp4, block = 1x?, four_over_six = mse> axis = 1 ins(%x : tensor<4x64xf32>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x1xf8E4M3FN>) -> tensor<4x64xf4E2M1FN>, tensor<4x1xf8E4M3FN>
  return %q#0 : tensor<4x64xf4E2M1FN>
}

// -----

func.func @swizzled(%x: tensor<4x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU, #mx.layout<tile_128x4>>) -> tensor<4x64xf4E2M1FN> {
  // expected-error@+1 {{its scales must be row-major; take them to their layout by mx.relayout}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU, #mx.layout<tile_128x4>>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU, #mx.layout<tile_128x4>>
  return %q#0 : tensor<4x64xf4E2M1FN>
}

// -----

func.func @packed_zero_points(%x: tensor<4x33xf32>, %e: tensor<4x17xi8>, %s: tensor<4x2xf32>, %z: tensor<4x2xi8>) -> tensor<4x17xi8> {
  // expected-error@+1 {{packed elements with zero points need a last dimension that fills whole bytes}}
  %q:3 = mx.quantize <int4_g32, zero_point = true> axis = 1 ins(%x : tensor<4x33xf32>)
      outs(%e, %s, %z : tensor<4x17xi8>, tensor<4x2xf32>, tensor<4x2xi8>) -> tensor<4x17xi8>, tensor<4x2xf32>, tensor<4x2xi8>
  return %q#0 : tensor<4x17xi8>
}

// -----

func.func @values(%q: tensor<4x64xf4E2M1FN>, %s: tensor<4x4xf8E4M3FN>, %a: tensor<f32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // expected-error@+1 {{'mx.dequantize' op of #mx.format<nvfp4, variant = compressed_tensors> is not lowered: variant compressed_tensors has values of its own; use variant = ocp}}
  %x = mx.dequantize <nvfp4, variant = compressed_tensors> axis = 1
      ins(%q, %s, %a : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %x : tensor<4x64xf32>
}

// -----

// A constant of which no bytes are at hand.
func.func @sparse() -> tensor<4xi4> {
  // expected-error@+1 {{'arith.constant' op has no form on codes for 'tensor<4xi4>'}}
  %c = arith.constant sparse<[[0]], [3]> : tensor<4xi4>
  return %c : tensor<4xi4>
}

// -----

func.func @stats_values(%x: tensor<4x64xf32>, %q: tensor<4x64xf4E2M1FN>, %s: tensor<4x4xf8E4M3FN>, %a: tensor<f32>, %e: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'mx.stats' op of #mx.format<nvfp4, variant = compressed_tensors> is not lowered: variant compressed_tensors has values of its own; use variant = ocp}}
  %r = mx.stats <nvfp4, variant = compressed_tensors> axis = 1 ins(%x : tensor<4x64xf32>)
      quantized(%q, %s, %a : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @lhs_values(%q: tensor<4x64xf4E2M1FN>, %s: tensor<4x4xf8E4M3FN>, %a: tensor<f32>, %b: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error@+1 {{'mx.matmul' op of #mx.format<nvfp4, variant = compressed_tensors> is not lowered: variant compressed_tensors has values of its own; use variant = ocp}}
  %d = mx.matmul lhs(%q, %s, %a : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4, variant = compressed_tensors>
      rhs(%b : tensor<8x64xf32>) outs(%c : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// -----

func.func @rhs_values(%a: tensor<4x64xf32>, %q: tensor<8x64xi4>, %s: tensor<8x2xf32>, %z: tensor<8x2xi8>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error@+1 {{'mx.matmul' op of #mx.format<int4_g32, variant = torchao, zero_point = true> is not lowered: variant torchao has values of its own; use variant = ocp}}
  %d = mx.matmul lhs(%a : tensor<4x64xf32>)
      rhs(%q, %s, %z : tensor<8x64xi4>, tensor<8x2xf32>, tensor<8x2xi8>) as <int4_g32, zero_point = true, variant = torchao>
      outs(%c : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// -----

// Every op on buffers, each reported.
func.func @all_buffers(%x: memref<4x32xf32>, %q: memref<4x32xf4E2M1FN>, %s: memref<4x1xf8E8M0FNU>, %c: memref<4x4xf32>, %r: memref<4xf32>) {
  // expected-error@+1 {{'mx.quantize' op on memrefs is not lowered to linalg; run convert-mx-to-linalg before bufferization}}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x32xf32>) outs(%q, %s : memref<4x32xf4E2M1FN>, memref<4x1xf8E8M0FNU>)
  // expected-error@+1 {{'mx.dequantize' op on memrefs is not lowered to linalg}}
  mx.dequantize <mxfp4> axis = 1 ins(%q, %s : memref<4x32xf4E2M1FN>, memref<4x1xf8E8M0FNU>) outs(%x : memref<4x32xf32>)
  // expected-error@+1 {{'mx.stats' op on memrefs is not lowered to linalg}}
  mx.stats <mxfp4> axis = 1 ins(%x : memref<4x32xf32>) quantized(%q, %s : memref<4x32xf4E2M1FN>, memref<4x1xf8E8M0FNU>) outs(%r : memref<4xf32>)
  // expected-error@+1 {{'mx.hadamard' op on memrefs is not lowered to linalg}}
  mx.hadamard <16> axis = 1 ins(%x : memref<4x32xf32>) outs(%x : memref<4x32xf32>)
  // expected-error@+1 {{'mx.matmul' op on memrefs is not lowered to linalg}}
  mx.matmul lhs(%q, %s : memref<4x32xf4E2M1FN>, memref<4x1xf8E8M0FNU>) as <mxfp4> rhs(%x : memref<4x32xf32>) outs(%c : memref<4x4xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
  return
}

// -----

// A linalg op that has no generic form.
func.func @softmax(%x: tensor<4x64xf8E4M3FN>, %e: tensor<4x64xf8E4M3FN>) -> tensor<4x64xf8E4M3FN> {
  // expected-error@+1 {{'linalg.softmax' op has no form on codes for 'tensor<4x64xf8E4M3FN>'}}
  %y = linalg.softmax dimension(1) ins(%x : tensor<4x64xf8E4M3FN>) outs(%e : tensor<4x64xf8E4M3FN>) -> tensor<4x64xf8E4M3FN>
  return %y : tensor<4x64xf8E4M3FN>
}

// -----

// Not among the ops that are known to only move codes.
func.func @bitcast(%x: tensor<4xf4E2M1FN>) -> tensor<4xi4> {
  // expected-error@+1 {{'tensor.bitcast' op has no form on codes for 'tensor<4xf4E2M1FN>'}}
  %y = tensor.bitcast %x : tensor<4xf4E2M1FN> to tensor<4xi4>
  return %y : tensor<4xi4>
}

// -----

func.func @function_value(%f: (tensor<4xf8E4M3FN>) -> (), %x: tensor<4xf8E4M3FN>) {
  // expected-error@+1 {{'func.call_indirect' op has no form on codes for '(tensor<4xf8E4M3FN>) -> ()'}}
  func.call_indirect %f(%x) : (tensor<4xf8E4M3FN>) -> ()
  return
}

// -----

// Control flow that the conversion does not know.
func.func @region(%x: tensor<4xf8E4M3FN>, %n: index) -> tensor<4xf8E4M3FN> {
  // expected-error@+1 {{'scf.index_switch' op has no form on codes for 'tensor<4xf8E4M3FN>'; lower it to func, cf, scf (for, if, while), tensor, linalg or elementwise arith ops first}}
  %y = scf.index_switch %n -> tensor<4xf8E4M3FN>
  default {
    scf.yield %x : tensor<4xf8E4M3FN>
  }
  return %y : tensor<4xf8E4M3FN>
}
