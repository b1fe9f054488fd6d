// RUN: mx-opt %s -split-input-file -verify-diagnostics

// The constraints of mx.quantize, mx.dequantize and mx.stats, in the order of
// dialects/mx/README.md.

// C1
func.func @mixed(%x: tensor<4x64xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op operands must be all tensors or all memrefs}}
  mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
  return
}

// -----

// C2
func.func @input_type(%x: memref<4x64xf64>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op input must be of f32, f16 or bf16, got 'f64'}}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x64xf64>)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
  return
}

// -----

// C2
func.func @input_encoding(%x: tensor<4x64xf32, "columns">, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op input must be row-major, got encoding "columns"}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32, "columns">)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  return
}

// -----

// C3
func.func @axis(%x: memref<4x64xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op axis must be a dimension of a rank-2 tensor, got 2}}
  mx.quantize <mxfp4> axis = 2 ins(%x : memref<4x64xf32>)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
  return
}

// -----

// C3
func.func @negative_axis(%x: memref<4x64xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op axis must be a dimension of a rank-2 tensor, got -1}}
  mx.quantize <mxfp4> axis = -1 ins(%x : memref<4x64xf32>)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
  return
}

// -----

// C3
func.func @rank_0(%x: memref<f32>, %e: memref<f4E2M1FN>, %s: memref<f8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op axis must be a dimension of a rank-0 tensor, got 0}}
  mx.quantize <mxfp4> axis = 0 ins(%x : memref<f32>)
      outs(%e, %s : memref<f4E2M1FN>, memref<f8E8M0FNU>)
  return
}

// -----

// C4
func.func @no_amax(%x: memref<4x64xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x4xf8E4M3FN>) {
  // expected-error @+1 {{'mx.quantize' op #mx.format<nvfp4> needs the tensor's amax}}
  mx.quantize <nvfp4> axis = 1 ins(%x : memref<4x64xf32>)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x4xf8E4M3FN>)
  return
}

// -----

// C4
func.func @amax(%x: memref<4x64xf32>, %a: memref<f32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op #mx.format<mxfp4> has no second level and takes no amax}}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x64xf32>) amax(%a : memref<f32>)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
  return
}

// -----

// C4
func.func @amax_type(%x: memref<4x64xf32>, %a: memref<1xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x4xf8E4M3FN>) {
  // expected-error @+1 {{'mx.quantize' op amax must be 'memref<f32>', got 'memref<1xf32>'}}
  mx.quantize <nvfp4> axis = 1 ins(%x : memref<4x64xf32>) amax(%a : memref<1xf32>)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x4xf8E4M3FN>)
  return
}

// -----

// C5
func.func @no_seed(%x: memref<4x64xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op rounding = sr needs random(seed, offset)}}
  mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : memref<4x64xf32>)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
  return
}

// -----

// C5
func.func @seed(%x: memref<4x64xf32>, %r: i64, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op random(seed, offset) needs rounding = sr}}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x64xf32>) random(%r, %r)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
  return
}

// -----

// C5
func.func @random_bits(%x: memref<4x64xf32>, %r: i64, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op random_bits must be 8 to 24, got 32}}
  mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : memref<4x64xf32>) random(%r, %r)
      outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) {random_bits = 32 : i64}
  return
}

// -----

// C6
func.func @outputs(%x: memref<4x64xf32>, %e: memref<4x64xf4E2M1FN>) {
  // expected-error @+1 {{'mx.quantize' op must have 2 outputs (elements, scales), got 1}}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x64xf32>) outs(%e : memref<4x64xf4E2M1FN>)
  return
}

// -----

// C6
func.func @zero_points(%x: memref<4x64xf32>, %e: memref<4x64xi4>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{'mx.quantize' op must have 3 outputs (elements, scales, zero points), got 2}}
  mx.quantize <int4_g32, zero_point = true> axis = 1 ins(%x : memref<4x64xf32>)
      outs(%e, %s : memref<4x64xi4>, memref<4x2xf32>)
  return
}

// -----

// C7, Q2
func.func @element_type(%x: tensor<4x64xf32>, %e: tensor<4x64xf8E4M3FN>, %s: tensor<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op elements must be 'tensor<4x64xf4E2M1FN>', got 'tensor<4x64xf8E4M3FN>'}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
  return
}

// -----

// C7, Q2
func.func @element_shape(%x: tensor<?x64xf32>, %e: tensor<?x32xf4E2M1FN>, %s: tensor<?x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op elements must be 'tensor<?x64xf4E2M1FN>', got 'tensor<?x32xf4E2M1FN>'}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<?x64xf32>)
      outs(%e, %s : tensor<?x32xf4E2M1FN>, tensor<?x2xf8E8M0FNU>) -> tensor<?x32xf4E2M1FN>, tensor<?x2xf8E8M0FNU>
  return
}

// -----

// C7, Q2: a byte holds two codes of 4 bits, the last one half empty.
func.func @packed_shape(%x: memref<4x33xf32>, %e: memref<4x16xi8>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op elements must be 'memref<4x17xi8>', got 'memref<4x16xi8>'}}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x33xf32>)
      outs(%e, %s : memref<4x16xi8>, memref<4x2xf8E8M0FNU>)
  return
}

// -----

// C7, Q2: elements of 8 bits are never packed.
func.func @packed_fp8(%x: memref<4x64xf32>, %e: memref<4x64xi8>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op elements must be 'memref<4x64xf8E4M3FN>', got 'memref<4x64xi8>'}}
  mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : memref<4x64xf32>)
      outs(%e, %s : memref<4x64xi8>, memref<4x2xf8E8M0FNU>)
  return
}

// -----

#tile = #mx.layout<tile_128x4>
// C7, Q2
func.func @element_layout(%x: tensor<128x4xf32>, %e: tensor<128x4xi8, #tile>, %s: tensor<128x1xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op elements must be row-major, got encoding #mx.layout<tile_128x4>}}
  %q:2 = mx.quantize <mxint8> axis = 1 ins(%x : tensor<128x4xf32>)
      outs(%e, %s : tensor<128x4xi8, #tile>, tensor<128x1xf8E8M0FNU>) -> tensor<128x4xi8, #tile>, tensor<128x1xf8E8M0FNU>
  return
}

// -----

// C7, Q3
func.func @scale_type(%x: tensor<4x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'mx.quantize' op scales must be 'tensor<4x2xf8E8M0FNU>', got 'tensor<4x2xf32>'}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf32>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf32>
  return
}

// -----

// C7, Q3: a ragged last block has a scale.
func.func @scale_shape(%x: tensor<4x70xf32>, %e: tensor<4x70xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op scales must be 'tensor<4x3xf8E8M0FNU>', got 'tensor<4x2xf8E8M0FNU>'}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x70xf32>)
      outs(%e, %s : tensor<4x70xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x70xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  return
}

// -----

// C7, Q3: block rows run along the innermost dimension that is not the axis.
func.func @scale_rows(%x: tensor<2x64x40xf32>, %e: tensor<2x64x40xf8E4M3FN>, %s: tensor<1x1x40xf32>) {
  // expected-error @+1 {{'mx.quantize' op scales must be 'tensor<2x1x1xf32>', got 'tensor<1x1x40xf32>'}}
  %q:2 = mx.quantize <fp8_block_weight> axis = 1 ins(%x : tensor<2x64x40xf32>)
      outs(%e, %s : tensor<2x64x40xf8E4M3FN>, tensor<1x1x40xf32>) -> tensor<2x64x40xf8E4M3FN>, tensor<1x1x40xf32>
  return
}

// -----

// C7, Q3
func.func @flattened(%x: tensor<4x64xf32>, %e: tensor<4x64xi4>, %s: tensor<4x1xf32>) {
  // expected-error @+1 {{'mx.quantize' op scales of variant bitsandbytes are those of the flattened tensor, whose blocks cross its rows; use variant = ocp}}
  %q:2 = mx.quantize <nf4, variant = bitsandbytes> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xi4>, tensor<4x1xf32>) -> tensor<4x64xi4>, tensor<4x1xf32>
  return
}

// -----

// C7, Q4
func.func @scale_encoding(%x: tensor<4x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU, "columns">) {
  // expected-error @+1 {{'mx.quantize' op scales must be row-major, got encoding "columns"}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU, "columns">) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU, "columns">
  return
}

// -----

// C7, Q5
func.func @zero_point_type(%x: memref<4x64xf32>, %e: memref<4x64xi4>, %s: memref<4x2xf32>, %z: memref<4x2xf32>) {
  // expected-error @+1 {{'mx.quantize' op zero points must be 'memref<4x2xi8>', got 'memref<4x2xf32>'}}
  mx.quantize <int4_g32, zero_point = true> axis = 1 ins(%x : memref<4x64xf32>)
      outs(%e, %s, %z : memref<4x64xi4>, memref<4x2xf32>, memref<4x2xf32>)
  return
}

// -----

// Of every destination-style op: outputs and results have one type.
func.func @result(%x: tensor<4x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{expected type of operand #2 ('tensor<4x2xf8E8M0FNU>') to match type of corresponding result ('tensor<?x2xf8E8M0FNU>')}}
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>
  return
}

// -----

// mx.dequantize C1
func.func @dequantize_mixed(%q: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>, %x: tensor<4x64xf32>) {
  // expected-error @+1 {{'mx.dequantize' op operands must be all tensors or all memrefs}}
  %r = mx.dequantize <mxfp4> axis = 1 ins(%q, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
      outs(%x : tensor<4x64xf32>) -> tensor<4x64xf32>
  return
}

// -----

// mx.dequantize C2
func.func @dequantize_output(%q: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>, %x: memref<4x64xi32>) {
  // expected-error @+1 {{'mx.dequantize' op output must be of f32, f16 or bf16, got 'i32'}}
  mx.dequantize <mxfp4> axis = 1 ins(%q, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
      outs(%x : memref<4x64xi32>)
  return
}

// -----

// mx.dequantize C3
func.func @dequantize_axis(%q: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>, %x: memref<4x64xf32>) {
  // expected-error @+1 {{'mx.dequantize' op axis must be a dimension of a rank-2 tensor, got 5}}
  mx.dequantize <mxfp4> axis = 5 ins(%q, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
      outs(%x : memref<4x64xf32>)
  return
}

// -----

// mx.dequantize C4, Q1
func.func @dequantize_count(%q: memref<4x64xf4E2M1FN>, %s: memref<4x4xf8E4M3FN>, %x: memref<4x64xf32>) {
  // expected-error @+1 {{'mx.dequantize' op inputs must be 3 values (elements, scales, amax), got 2}}
  mx.dequantize <nvfp4> axis = 1 ins(%q, %s : memref<4x64xf4E2M1FN>, memref<4x4xf8E4M3FN>)
      outs(%x : memref<4x64xf32>)
  return
}

// -----

// mx.dequantize C4, Q6
func.func @dequantize_amax(%q: memref<4x64xf4E2M1FN>, %s: memref<4x4xf8E4M3FN>, %a: memref<f16>, %x: memref<4x64xf32>) {
  // expected-error @+1 {{'mx.dequantize' op amax must be 'memref<f32>', got 'memref<f16>'}}
  mx.dequantize <nvfp4> axis = 1 ins(%q, %s, %a : memref<4x64xf4E2M1FN>, memref<4x4xf8E4M3FN>, memref<f16>)
      outs(%x : memref<4x64xf32>)
  return
}

// -----

// mx.stats C1
func.func @stats_mixed(%x: tensor<4x64xf32>, %q: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>, %o: memref<4xf32>) {
  // expected-error @+1 {{'mx.stats' op operands must be all tensors or all memrefs}}
  mx.stats <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      quantized(%q, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) outs(%o : memref<4xf32>)
  return
}

// -----

// mx.stats C2
func.func @stats_input(%x: memref<4x64xi32>, %q: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>, %o: memref<4xf32>) {
  // expected-error @+1 {{'mx.stats' op input must be of f32, f16 or bf16, got 'i32'}}
  mx.stats <mxfp4> axis = 1 ins(%x : memref<4x64xi32>)
      quantized(%q, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) outs(%o : memref<4xf32>)
  return
}

// -----

// mx.stats C3
func.func @stats_axis(%x: memref<4x64xf32>, %q: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>, %o: memref<4xf32>) {
  // expected-error @+1 {{'mx.stats' op axis must be a dimension of a rank-2 tensor, got 2}}
  mx.stats <mxfp4> axis = 2 ins(%x : memref<4x64xf32>)
      quantized(%q, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) outs(%o : memref<4xf32>)
  return
}

// -----

// mx.stats C4
func.func @stats_quantized(%x: memref<4x64xf32>, %q: memref<4x64xf4E2M1FN>, %o: memref<4xf32>) {
  // expected-error @+1 {{'mx.stats' op quantized must be 2 values (elements, scales), got 1}}
  mx.stats <mxfp4> axis = 1 ins(%x : memref<4x64xf32>)
      quantized(%q : memref<4x64xf4E2M1FN>) outs(%o : memref<4xf32>)
  return
}

// -----

// mx.stats C5
func.func @stats_output(%x: memref<4x64xf32>, %q: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>, %o: memref<3xf32>) {
  // expected-error @+1 {{'mx.stats' op output must be 'memref<4xf32>', got 'memref<3xf32>'}}
  mx.stats <mxfp4> axis = 1 ins(%x : memref<4x64xf32>)
      quantized(%q, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) outs(%o : memref<3xf32>)
  return
}
