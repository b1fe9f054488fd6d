// RUN: mx-opt %s -split-input-file -verify-diagnostics

// The constraints of mx.matmul, in the order of dialects/mx/README.md. Each
// case is the op of @valid with one thing wrong.

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @valid(%a: memref<4x64xf4E2M1FN>, %sa: memref<4x2xf8E8M0FNU>, %b: memref<8x64xf4E2M1FN>, %sb: memref<8x2xf8E8M0FNU>, %c: memref<4x8xf32>) {
  mx.matmul lhs(%a, %sa : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b, %sb : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C1
func.func @mixed(%a0: tensor<4x64xf4E2M1FN>, %a1: tensor<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op operands must be all tensors or all memrefs}}
  mx.matmul lhs(%a0, %a1 : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C2
func.func @no_format(%a0: memref<4x64xf32>, %b0: memref<8x64xf32>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op lhs or rhs must have a format}}
  mx.matmul lhs(%a0 : memref<4x64xf32>)
      rhs(%b0 : memref<8x64xf32>)
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C3, Q1
func.func @count(%a0: memref<4x64xf4E2M1FN>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op lhs must be 2 values (elements, scales), got 1}}
  mx.matmul lhs(%a0 : memref<4x64xf4E2M1FN>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C3, Q1
func.func @count_amax(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x4xf8E4M3FN>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op rhs must be 3 values (elements, scales, amax), got 2}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x4xf8E4M3FN>) as <nvfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C3
func.func @no_format_count(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op lhs without a format must be one tensor, got 2}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C3
func.func @no_format_type(%a0: memref<4x64xf4E2M1FN>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op lhs must be of f32, f16 or bf16, got 'f4E2M1FN'}}
  mx.matmul lhs(%a0 : memref<4x64xf4E2M1FN>)
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C4
func.func @bias(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %d0: memref<8xi32>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op bias must be of f32, f16 or bf16, got 'i32'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4> bias(%d0 : memref<8xi32>)
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, affine_map<(m, n, k) -> (n)>, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C4
func.func @output(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xi32>) {
  // expected-error @+1 {{'mx.matmul' op output must be of f32, f16 or bf16, got 'i32'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xi32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C5
func.func @map_count(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op must have 3 indexing maps (lhs, rhs, result), got 2}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C5
func.func @map_count_bias(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %d0: memref<8xf32>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op must have 4 indexing maps (lhs, rhs, bias, result), got 3}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4> bias(%d0 : memref<8xf32>)
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C6
func.func @map_dims(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op indexing map of rhs must be a projected permutation of 3 dimensions, got affine_map<(d0, d1) -> (d0, d1)>}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, affine_map<(n, k) -> (n, k)>, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C6
func.func @map_form(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op indexing map of lhs must be a projected permutation of 3 dimensions, got affine_map<(d0, d1, d2) -> (d0, d2 * 2)>}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [affine_map<(m, n, k) -> (m, k * 2)>, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C6
func.func @map_repeated(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op indexing map of result must be a projected permutation of 3 dimensions, got affine_map<(d0, d1, d2) -> (d0, d0)>}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, affine_map<(m, n, k) -> (m, m)>]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C6
func.func @map_rank(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op indexing map of lhs must have 2 results, one a dimension of 'memref<4x64xf4E2M1FN>', got affine_map<(d0, d1, d2) -> (d2)>}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [affine_map<(m, n, k) -> (k)>, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C7
func.func @two_reductions(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4xf32>) {
  // expected-error @+1 {{'mx.matmul' op exactly one dimension must be reduced, the result's map affine_map<(d0, d1, d2) -> (d0)> lacks 2}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4xf32>) indexing_maps = [#lhs, #rhs, affine_map<(m, n, k) -> (m)>]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C7
func.func @no_reduction(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8x64xf32>) {
  // expected-error @+1 {{'mx.matmul' op exactly one dimension must be reduced, the result's map affine_map<(d0, d1, d2) -> (d0, d1, d2)> lacks 0}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8x64xf32>) indexing_maps = [#lhs, #rhs, affine_map<(m, n, k) -> (m, n, k)>]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C8
func.func @k_in_one(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op the reduced dimension d2 must be in the maps of lhs and rhs}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, affine_map<(m, n, k) -> (m, n)>, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C8
func.func @k_in_bias(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %d0: memref<64xf32>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op the reduced dimension d2 must not be in the bias's map}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4> bias(%d0 : memref<64xf32>)
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, affine_map<(m, n, k) -> (k)>, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C9
func.func @dim_in_result_only(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<3x4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op dimension d0 must be in the map of lhs or rhs}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<3x4x8xf32>) indexing_maps = [affine_map<(b, m, n, k) -> (m, k)>, affine_map<(b, m, n, k) -> (n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C10
func.func @k_extent(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x96xf4E2M1FN>, %b1: memref<8x3xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op rhs elements must be 'memref<8x64xf4E2M1FN>', got 'memref<8x96xf4E2M1FN>'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x96xf4E2M1FN>, memref<8x3xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C10
func.func @high_precision_extent(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x65xbf16>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op rhs must be 'memref<8x64xbf16>', got 'memref<8x65xbf16>'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0 : memref<8x65xbf16>)
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C10
func.func @bias_extent(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %d0: memref<4xf32>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op bias must be 'memref<8xf32>', got 'memref<4xf32>'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4> bias(%d0 : memref<4xf32>)
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, affine_map<(m, n, k) -> (n)>, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C10
func.func @output_extent(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<8x4xf32>) {
  // expected-error @+1 {{'mx.matmul' op output must be 'memref<4x8xf32>', got 'memref<8x4xf32>'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<8x4xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C10, Q2: K is as long as the operand that is not packed says, 17 bytes here.
func.func @packed_extent(%a0: memref<4x33xf32>, %b0: memref<8x16xi8>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op rhs elements must be 'memref<8x17xi8>', got 'memref<8x16xi8>'}}
  mx.matmul lhs(%a0 : memref<4x33xf32>)
      rhs(%b0, %b1 : memref<8x16xi8>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C10, Q2: packed by both, K is what the bytes hold.
func.func @packed_extents(%a0: memref<4x16xi8>, %a1: memref<4x1xf8E8M0FNU>, %b0: memref<8x17xi8>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op rhs elements must be 'memref<8x16xi8>', got 'memref<8x17xi8>'}}
  mx.matmul lhs(%a0, %a1 : memref<4x16xi8>, memref<4x1xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x17xi8>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C10 before C11: the extents of both operands, then the scales of either.
func.func @extents_first(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x3xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x9xf32>) {
  // expected-error @+1 {{'mx.matmul' op output must be 'memref<4x8xf32>', got 'memref<4x9xf32>'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x3xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x9xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C11, Q3
func.func @lhs_scales(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x3xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op lhs scales must be 'memref<4x2xf8E8M0FNU>', got 'memref<4x3xf8E8M0FNU>'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x3xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C11, Q3: blocks run along K, here the first dimension of rhs.
func.func @rhs_scales(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<64x8xf4E2M1FN>, %b1: memref<64x1xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op rhs scales must be 'memref<2x8xf8E8M0FNU>', got 'memref<64x1xf8E8M0FNU>'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<64x8xf4E2M1FN>, memref<64x1xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, affine_map<(m, n, k) -> (k, n)>, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C11, Q4
func.func @encoding(%a0: tensor<4x64xf4E2M1FN>, %a1: tensor<4x2xf8E8M0FNU, "columns">, %b0: tensor<8x64xbf16>, %c0: tensor<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op lhs scales must be row-major, got encoding "columns"}}
  %d = mx.matmul lhs(%a0, %a1 : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU, "columns">) as <mxfp4>
      rhs(%b0 : tensor<8x64xbf16>) outs(%c0 : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C11, Q5
func.func @zero_points(%a0: memref<4x64xbf16>, %b0: memref<8x64xi4>, %b1: memref<8x2xf32>, %b2: memref<8x1xi8>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op rhs zero points must be 'memref<8x2xi8>', got 'memref<8x1xi8>'}}
  mx.matmul lhs(%a0 : memref<4x64xbf16>)
      rhs(%b0, %b1, %b2 : memref<8x64xi4>, memref<8x2xf32>, memref<8x1xi8>) as <int4_g32, zero_point = true>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C11, Q6
func.func @rhs_amax(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x4xf8E4M3FN>, %b2: memref<1xf32>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op rhs amax must be 'memref<f32>', got 'memref<1xf32>'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1, %b2 : memref<8x64xf4E2M1FN>, memref<8x4xf8E4M3FN>, memref<1xf32>) as <nvfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C12
func.func @blocks(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op blocks along K must be multiples of each other, got 32 (lhs) and 48 (rhs)}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4, block = 1x48>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out]
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C13
func.func @accumulate(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op accumulate must be f32, got 'f16'}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] {accumulate = f16}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C14
func.func @promote_every(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op promote_every must be 0 or a multiple of the 32 elements of a block along K, got 48}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] {promote_every = 48 : i64}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// C14
func.func @promote_negative(%a0: memref<4x64xf4E2M1FN>, %a1: memref<4x2xf8E8M0FNU>, %b0: memref<8x64xf4E2M1FN>, %b1: memref<8x2xf8E8M0FNU>, %c0: memref<4x8xf32>) {
  // expected-error @+1 {{'mx.matmul' op promote_every must be 0 or a multiple of the 32 elements of a block along K, got -32}}
  mx.matmul lhs(%a0, %a1 : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b0, %b1 : memref<8x64xf4E2M1FN>, memref<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c0 : memref<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] {promote_every = -32 : i64}
  return
}
