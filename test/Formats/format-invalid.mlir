// RUN: mx-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{unknown format 'fp3'; presets are mxfp8_e4m3, mxfp8_e5m2,}}
func.func private @f() attributes {a = #mx.format<fp3>}

// -----
// expected-error @+1 {{unknown field 'colour'; fields are element, block, scale, rule,}}
func.func private @f() attributes {a = #mx.format<mxfp4, colour = red>}

// -----
// expected-error @+1 {{expected 'field = value', got 'even'}}
func.func private @f() attributes {a = #mx.format<mxfp4, even>}

// -----
// expected-error @+1 {{field 'rule' is given twice}}
func.func private @f() attributes {a = #mx.format<mxfp4, rule = even, rule = floor>}

// -----
// expected-error @+1 {{without a preset, field 'block' must be given}}
func.func private @f() attributes {a = #mx.format<element = e2m1, scale = e8m0, rule = even>}

// -----
// expected-error @+1 {{'element' must be e2m1, e2m3, e3m2, e4m3, e5m2, mxint8, int8, int4, nf4, ternary; got 'e1m2'}}
func.func private @f() attributes {a = #mx.format<mxfp4, element = e1m2>}

// -----
// expected-error @+1 {{'block' must be ROWSxCOLS, each positive or '?' for a whole extent; got '1x0'}}
func.func private @f() attributes {a = #mx.format<mxfp4, block = 1x0>}

// -----
// expected-error @+1 {{'scale' e8m0 needs an MX element, not int4}}
func.func private @f() attributes {a = #mx.format<mxfp4, element = int4>}

// -----
// expected-error @+1 {{'scale' of mxint8 must be e8m0, not f32}}
func.func private @f() attributes {a = #mx.format<mxint8, scale = f32, rule = amax>}

// -----
// expected-error @+1 {{'scale' e4m3 needs element e2m1, not e4m3}}
func.func private @f() attributes {a = #mx.format<nvfp4, element = e4m3>}

// -----
// expected-error @+1 {{'scale' of e2m1 must be e8m0 or e4m3, not f32}}
func.func private @f() attributes {a = #mx.format<mxfp4, scale = f32, rule = amax>}

// -----
// expected-error @+1 {{'scale' of nf4 must be f32, not bf16}}
func.func private @f() attributes {a = #mx.format<nf4, scale = bf16>}

// -----
// expected-error @+1 {{'rule' of an e8m0 scale must be floor, ceil, even or rceil, not amax}}
func.func private @f() attributes {a = #mx.format<mxfp4, rule = amax>}

// -----
// expected-error @+1 {{'rule' of a f32 scale of ternary must be absmean, not amax}}
func.func private @f() attributes {a = #mx.format<ternary, rule = amax>}

// -----
// expected-error @+1 {{'second_level' needs scale e4m3, not e8m0}}
func.func private @f() attributes {a = #mx.format<mxfp4, second_level = true>}

// -----
// expected-error @+1 {{'four_over_six' needs second_level = true}}
func.func private @f() attributes {a = #mx.format<mxfp4, four_over_six = mse>}

// -----
// expected-error @+1 {{'four_over_six' is not defined by variant torchao; use ocp, te or fouroversix}}
func.func private @f() attributes {a = #mx.format<nvfp4, four_over_six = mse, variant = torchao>}

// -----
// expected-error @+1 {{'scale_max' must be 448 or 256; got 300}}
func.func private @f() attributes {a = #mx.format<nvfp4, scale_max = 300>}

// -----
// expected-error @+1 {{'scale_max' needs second_level = true}}
func.func private @f() attributes {a = #mx.format<nvfp4, second_level = false, scale_max = 256>}

// -----
// expected-error @+1 {{'zero_point' needs element int4, not e2m1}}
func.func private @f() attributes {a = #mx.format<mxfp4, zero_point = true>}

// -----
// expected-error @+1 {{'double_quant' needs element nf4, not int4}}
func.func private @f() attributes {a = #mx.format<int4, double_quant = true>}

// -----
// expected-error @+1 {{'variant' bitsandbytes does not define this format; use ocp}}
func.func private @f() attributes {a = #mx.format<mxfp4, variant = bitsandbytes>}
