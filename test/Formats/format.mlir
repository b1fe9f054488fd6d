// RUN: mx-opt %s | mx-opt | FileCheck %s

// Presets and aliases print by their name.
func.func private @presets() attributes {
  // CHECK: a = #mx.format<mxfp8_e4m3>
  a = #mx.format<mxfp8>,
  // CHECK-SAME: b = #mx.format<int4_g128>
  b = #mx.format<int4>,
  // CHECK-SAME: c = #mx.format<fp8_block_act>
  c = #mx.format<fp8_block>,
  // CHECK-SAME: d = #mx.format<ternary>
  d = #mx.format<ternary>}

// What differs from a preset prints as an override, and nothing else.
func.func private @overrides() attributes {
  // CHECK: a = #mx.format<mxfp4, rule = floor>
  a = #mx.format<mxfp4, rule = floor>,
  // CHECK-SAME: b = #mx.format<nvfp4, four_over_six = mse, scale_max = 256>
  b = #mx.format<nvfp4, scale_max = 256, four_over_six = mse>,
  // CHECK-SAME: c = #mx.format<int4_g32, zero_point = true>
  c = #mx.format<int4_g32, zero_point = true>,
  // CHECK-SAME: d = #mx.format<mxfp4>
  d = #mx.format<mxfp4, rule = even>,
  // CHECK-SAME: e = #mx.format<nvfp4_2d, variant = te>
  e = #mx.format<nvfp4, block = 16x16, variant = te>}

// Every field can be spelled out, and a preset is recognised.
func.func private @fields() attributes {
  // CHECK: a = #mx.format<fp8_row>
  a = #mx.format<element = e4m3, block = 1x?, scale = f32, rule = amax>,
  // CHECK-SAME: b = #mx.format<mxfp6_e2m3, block = ?x64, rule = even>
  b = #mx.format<element = e2m3, block = ?x64, scale = e8m0, rule = even>,
  // CHECK-SAME: c = #mx.format<nf4, double_quant = true>
  c = #mx.format<element = nf4, block = 1x64, scale = f32, rule = amax, double_quant = true>}
