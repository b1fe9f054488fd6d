// RUN: mx-opt %s -split-input-file -verify-diagnostics

// The constraints of the attributes, in the order of dialects/mx/README.md.
// Those of #mx.format are in test/Formats/format-invalid.mlir, those of
// #mx.kernel in kernel-invalid.mlir.

// expected-error @+1 {{expected a preset or 'field = value' in #mx.format}}
func.func private @f() attributes {a = #mx.format<"nvfp4">}

// -----

// H1
// expected-error @+1 {{size must be a power of two from 2 to 1024, got 12}}
func.func private @f() attributes {a = #mx.hadamard<12>}

// -----

// H1
// expected-error @+1 {{size must be a power of two from 2 to 1024, got 1}}
func.func private @f() attributes {a = #mx.hadamard<1>}

// -----

// H1
// expected-error @+1 {{size must be a power of two from 2 to 1024, got 2048}}
func.func private @f() attributes {a = #mx.hadamard<2048>}

// -----

// expected-error @+1 {{expected 'signs' or 'seed'}}
func.func private @f() attributes {a = #mx.hadamard<4, sign = [1]>}

// -----

// H2
// expected-error @+1 {{signs and seed exclude each other}}
func.func private @f() attributes {a = #mx.hadamard<2, signs = [1, -1], seed = 3>}

// -----

// H3
// expected-error @+1 {{expected 4 signs, got 2}}
func.func private @f() attributes {a = #mx.hadamard<4, signs = [1, -1]>}

// -----

// H4
// expected-error @+1 {{signs must be 1 or -1}}
func.func private @f() attributes {a = #mx.hadamard<2, signs = [1, 0]>}

// -----

// P1
// expected-error @+1 {{accumulate must be f32, got f16}}
func.func private @f() attributes {mx.policy = #mx.policy<accumulate = f16, rule = "r", reason = "x">}

// -----

// P2
// expected-error @+1 {{promote_every must not be negative, got -1}}
func.func private @f() attributes {mx.policy = #mx.policy<promote_every = -1, rule = "r", reason = "x">}

// -----

// P3
// expected-error @+1 {{result must be f32, f16 or bf16, got i8}}
func.func private @f() attributes {mx.policy = #mx.policy<result = i8, rule = "r", reason = "x">}

// -----

// P4
// expected-error @+1 {{lhs and rhs must have the same transform, or it does not cancel in their product}}
func.func private @f() attributes {mx.policy = #mx.policy<lhs = <format = <mxfp4>, transform = <16>>, rhs = <format = <mxfp4>>, rule = "r", reason = "x">}

// -----

// P5
// expected-error @+1 {{rule and reason must not be empty}}
func.func private @f() attributes {mx.policy = #mx.policy<rule = "r", reason = "">}

// -----

// L1
// expected-error @+1 {{#mx.layout<tile_128x4> needs a tensor of rank 2 or more, got 1}}
func.func private @f(tensor<4xf8E8M0FNU, #mx.layout<tile_128x4>>)

// -----

// L2
// expected-error @+1 {{#mx.layout<tile_128x4> needs elements of 8 bits, got 'f32'}}
func.func private @f(tensor<128x4xf32, #mx.layout<tile_128x4>>)

// -----

// A1
// expected-error @+1 {{'mx.role' must be a #mx.role, got "linear"}}
func.func private @f() attributes {mx.role = "linear"}

// -----

// A1
// expected-error @+1 {{'mx.gemm' must be a #mx.gemm, got #mx.role<linear>}}
func.func private @f() attributes {mx.gemm = #mx.role<linear>}

// -----

// A1
// expected-error @+1 {{'mx.policy' must be a #mx.policy, got unit}}
func.func private @f() attributes {mx.policy}

// -----

// A1: the rest of mx.kernel is in kernel-invalid.mlir.
// expected-error @+1 {{'mx.kernel' must be a #mx.kernel, got "gemm"}}
func.func private @f() attributes {mx.kernel = "gemm"}

// -----

// A1
// expected-error @+1 {{'mx.id' must be a position in the function's mx.plan, got -1 : i64}}
func.func private @f() attributes {mx.id = -1 : i64}

// -----

// A1
// expected-error @+1 {{'mx.id' must be a position in the function's mx.plan, got 1 : i32}}
func.func private @f() attributes {mx.id = 1 : i32}

// -----

// A1
// expected-error @+1 {{'mx.plan' must be an array of #mx.entry, got [#mx.role<linear>]}}
func.func private @f() attributes {mx.plan = [#mx.role<linear>]}

// -----

// A1
// expected-error @+1 {{'mx.prepare' must be an array of #mx.prepare, got @g}}
func.func private @f() attributes {mx.prepare = @g}

// -----

// A1
// expected-error @+1 {{the mx dialect has no attribute 'mx.colour' of ops}}
func.func private @f() attributes {mx.colour = 3 : i64}

// -----

// A2
// expected-error @+1 {{'mx.parameter' must be the name of the parameter that it is, got 3 : i64}}
func.func private @f(f32 {mx.parameter = 3 : i64})

// -----

// A2
// expected-error @+1 {{'mx.tied_to' must be the string under which the weights store it, got unit}}
func.func private @f(f32 {mx.tied_to})

// -----

// A2
// expected-error @+1 {{the mx dialect has no attribute 'mx.role' of arguments (argument 1)}}
func.func private @f(f32, f32 {mx.role = #mx.role<linear>})

// -----

// A2
// expected-error @+1 {{the mx dialect has no attribute 'mx.parameter' of results (result 0)}}
func.func private @f() -> (f32 {mx.parameter = "w"})

// -----

// expected-error @+2 {{expected the extents m x n x k x batch}}
// expected-error @+1 {{failed to parse MX_PlanEntryAttr parameter 'shape'}}
func.func private @f() attributes {a = #mx.entry<index = 0, op = "linalg.matmul", role = linear, gemm = <fprop>, shape = 4x8x32>}
