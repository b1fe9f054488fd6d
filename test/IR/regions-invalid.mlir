// RUN: mx-opt %s -split-input-file -verify-diagnostics

// The constraints of prologues and epilogues, R1 to R6 of dialects/mx/README.md.

// R1
func.func @maps(%x: memref<4x64xf32>, %a: memref<f32>, %g: memref<64xf32>) {
  // expected-error @+1 {{'mx.amax' op prologue must have a map for each of its 1 inputs, got 0}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue ins(%g : memref<64xf32>) maps = [] {
  ^bb0(%in: f32, %gamma: f32):
    mx.yield %in : f32
  }
  return
}

// -----

// R1
func.func @no_region(%x: memref<4x64xf32>, %a: memref<f32>, %g: memref<64xf32>) {
  // expected-error @+1 {{'mx.amax' op prologue inputs need a prologue}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue ins(%g : memref<64xf32>) maps = [affine_map<(m, k) -> (k)>]
  return
}

// -----

// R1
func.func @two_regions(%x: memref<4x64xf32>, %a: memref<f32>) {
  // expected-error @+1 {{'mx.amax' op must have one prologue, got 2}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue {
  ^bb0(%in: f32):
    mx.yield %in : f32
  }, {
  ^bb0(%in: f32):
    mx.yield %in : f32
  }
  return
}

// -----

// R1
func.func @empty_region(%x: memref<4x64xf32>, %a: memref<f32>) {
  // expected-error @+1 {{'mx.amax' op region #0 ('prologue') failed to verify constraint: region with 1 blocks}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue {}
  return
}

// -----

// R2
func.func @input_type(%x: memref<4x64xf32>, %a: memref<f32>, %g: memref<64xf8E4M3FN>) {
  // expected-error @+1 {{'mx.amax' op prologue input 0 must be of f64, f32, f16, bf16 or signless integers of 1, 8, 16, 32 or 64 bits, got 'f8E4M3FN'}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue ins(%g : memref<64xf8E4M3FN>) maps = [affine_map<(m, k) -> (k)>] {
  ^bb0(%in: f32, %gamma: f8E4M3FN):
    mx.yield %in : f32
  }
  return
}

// -----

// R2
func.func @input_encoding(%x: tensor<4x64xf32>, %a: tensor<f32>, %g: tensor<64xf32, "columns">) {
  // expected-error @+1 {{'mx.amax' op prologue input 0 must be row-major, got encoding "columns"}}
  %0 = mx.amax ins(%x : tensor<4x64xf32>) outs(%a : tensor<f32>) -> tensor<f32>
      prologue ins(%g : tensor<64xf32, "columns">) maps = [affine_map<(m, k) -> (k)>] {
  ^bb0(%in: f32, %gamma: f32):
    mx.yield %in : f32
  }
  return
}

// -----

// R3
func.func @map_dims(%x: memref<4x64xf32>, %a: memref<f32>, %g: memref<64xf32>) {
  // expected-error @+1 {{'mx.amax' op map of prologue input 0 must be a projected permutation of 2 dimensions to 1, got affine_map<(d0) -> (d0)>}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue ins(%g : memref<64xf32>) maps = [affine_map<(k) -> (k)>] {
  ^bb0(%in: f32, %gamma: f32):
    mx.yield %in : f32
  }
  return
}

// -----

// R3
func.func @map_kind(%x: memref<4x64xf32>, %a: memref<f32>, %g: memref<64xf32>) {
  // expected-error @+1 {{'mx.amax' op map of prologue input 0 must be a projected permutation of 2 dimensions to 1, got affine_map<(d0, d1) -> (0)>}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue ins(%g : memref<64xf32>) maps = [affine_map<(m, k) -> (0)>] {
  ^bb0(%in: f32, %gamma: f32):
    mx.yield %in : f32
  }
  return
}

// -----

// R4
func.func @input_shape(%x: memref<4x64xf32>, %a: memref<f32>, %g: memref<32xf32>) {
  // expected-error @+1 {{'mx.amax' op prologue input 0 must be 'memref<64xf32>', got 'memref<32xf32>'}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue ins(%g : memref<32xf32>) maps = [affine_map<(m, k) -> (k)>] {
  ^bb0(%in: f32, %gamma: f32):
    mx.yield %in : f32
  }
  return
}

// -----

// R5
func.func @arguments(%x: memref<4x64xbf16>, %a: memref<f32>) {
  // expected-error @+1 {{'mx.amax' op prologue arguments must be ('bf16'), got ('f32')}}
  mx.amax ins(%x : memref<4x64xbf16>) outs(%a : memref<f32>) prologue {
  ^bb0(%in: f32):
    mx.yield %in : f32
  }
  return
}

// -----

// R6
func.func @no_yield(%x: memref<4x64xf32>, %a: memref<f32>) {
  // expected-error @+1 {{'mx.amax' op prologue must end with mx.yield}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue {
  ^bb0(%in: f32):
    %0 = arith.negf %in : f32
  }
  return
}

// -----

// R6: a vector is no scalar.
func.func @vector(%x: memref<4x64xf32>, %a: memref<f32>) {
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue {
  ^bb0(%in: f32):
    // expected-error @+1 {{'arith.constant' op is no pure arith or math op on scalars, and nothing else may be in a prologue}}
    %0 = arith.constant dense<0.0> : vector<4xf32>
    mx.yield %in : f32
  }
  return
}

// -----

// R6: a division by zero has an effect.
func.func @effect(%x: memref<4x64xf32>, %a: memref<f32>, %i: memref<4xi32>) {
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue ins(%i : memref<4xi32>) maps = [affine_map<(m, k) -> (m)>] {
  ^bb0(%in: f32, %n: i32):
    // expected-error @+1 {{'arith.divui' op is no pure arith or math op on scalars, and nothing else may be in a prologue}}
    %0 = arith.divui %n, %n : i32
    %1 = arith.sitofp %0 : i32 to f32
    mx.yield %1 : f32
  }
  return
}

// -----

// R6: what is quantised is of high precision.
func.func @yielded(%x: memref<4x64xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>) {
  // expected-error @+1 {{'mx.quantize' op prologue must yield f32, f16 or bf16, got 'f64'}}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x64xf32>) outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) prologue {
  ^bb0(%in: f32):
    %0 = arith.extf %in : f32 to f64
    mx.yield %0 : f64
  }
  return
}

// -----

// Regions see nothing outside.
func.func @isolated(%x: memref<4x64xf32>, %a: memref<f32>, %scale: f32) {
  // expected-note @+1 {{required by region isolation constraints}}
  mx.amax ins(%x : memref<4x64xf32>) outs(%a : memref<f32>) prologue {
  ^bb0(%in: f32):
    // expected-error @+1 {{using value defined outside the region}}
    %0 = arith.mulf %in, %scale : f32
    mx.yield %0 : f32
  }
  return
}

// -----

func.func @yield(%x: f32) {
  // expected-error @+1 {{'mx.yield' op expects parent op to be one of 'mx.amax, mx.matmul, mx.quantize'}}
  mx.yield %x : f32
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// R6 of an epilogue: an element of the output.
func.func @epilogue(%a: memref<4x64xf32>, %b: memref<8x64xf8E4M3FN>, %s: memref<8x2xf8E8M0FNU>, %c: memref<4x8xbf16>) {
  // expected-error @+1 {{'mx.matmul' op epilogue must yield 'bf16', got 'f32'}}
  mx.matmul lhs(%a : memref<4x64xf32>) rhs(%b, %s : memref<8x64xf8E4M3FN>, memref<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : memref<4x8xbf16>) indexing_maps = [#lhs, #rhs, #out] epilogue {
  ^bb0(%sum: f32):
    mx.yield %sum : f32
  }
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// R5 of an epilogue: the sum, not an element of the output.
func.func @epilogue_sum(%a: memref<4x64xf32>, %b: memref<8x64xf8E4M3FN>, %s: memref<8x2xf8E8M0FNU>, %c: memref<4x8xbf16>) {
  // expected-error @+1 {{'mx.matmul' op epilogue arguments must be ('f32'), got ('bf16')}}
  mx.matmul lhs(%a : memref<4x64xf32>) rhs(%b, %s : memref<8x64xf8E4M3FN>, memref<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : memref<4x8xbf16>) indexing_maps = [#lhs, #rhs, #out] epilogue {
  ^bb0(%sum: bf16):
    mx.yield %sum : bf16
  }
  return
}
