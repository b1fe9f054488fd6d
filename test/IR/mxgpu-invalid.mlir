// RUN: mx-opt %s --split-input-file --verify-diagnostics

// The constraints of dialects/mxgpu/README.md, in its order.

func.func @c1(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) {
  // expected-error @+1 {{kind mxf4 does not take elements of type 'f8E4M3FN'}}
  %0 = mxgpu.mma.block_scale mxf4 %a, %b, %c scale_a %s[0, 0] scale_b %s[0, 0] : f4E2M1FN, f8E4M3FN scaled_by f8E8M0FNU
  return
}

// -----

func.func @c1_integer(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) {
  // expected-error @+1 {{kind mxf8f6f4 does not take elements of type 'i8'}}
  %0 = mxgpu.mma.block_scale mxf8f6f4 %a, %b, %c scale_a %s[0, 0] scale_b %s[0, 0] : i8, f8E4M3FN scaled_by f8E8M0FNU
  return
}

// -----

func.func @c2(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) {
  // expected-error @+1 {{kind mxf4 does not take scales of type 'f8E4M3FN'}}
  %0 = mxgpu.mma.block_scale mxf4 %a, %b, %c scale_a %s[0, 0] scale_b %s[0, 0] : f4E2M1FN, f4E2M1FN scaled_by f8E4M3FN
  return
}

// -----

func.func @c3(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) {
  // expected-error @+1 {{byte id 1 does not name 2 bytes of a scale register; must be a multiple of 2 below 4}}
  %0 = mxgpu.mma.block_scale mxf4 %a, %b, %c scale_a %s[0, 0] scale_b %s[1, 0] : f4E2M1FN, f4E2M1FN scaled_by f8E8M0FNU
  return
}

// -----

func.func @c3_range(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) {
  // expected-error @+1 {{byte id -1 does not name 1 bytes}}
  %0 = mxgpu.mma.block_scale mxf8f6f4 %a, %b, %c scale_a %s[-1, 0] scale_b %s[0, 0] : f8E4M3FN, f8E4M3FN scaled_by f8E8M0FNU
  return
}

// -----

func.func @c4_a(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) {
  // expected-error @+1 {{thread id of scale_a must be 0 or 1, got 2}}
  %0 = mxgpu.mma.block_scale mxf4 %a, %b, %c scale_a %s[0, 2] scale_b %s[0, 0] : f4E2M1FN, f4E2M1FN scaled_by f8E8M0FNU
  return
}

// -----

func.func @c4_b(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) {
  // expected-error @+1 {{thread id of scale_b must be 0 to 3, got 4}}
  %0 = mxgpu.mma.block_scale mxf4 %a, %b, %c scale_a %s[0, 0] scale_b %s[0, 4] : f4E2M1FN, f4E2M1FN scaled_by f8E8M0FNU
  return
}

// -----

func.func @c5_encode(%x: vector<4xf32>) {
  // expected-error @+1 {{cannot encode to 'f8E8M0FNU'; must be a float type of 4, 6 or 8 bits}}
  %0 = mxgpu.encode %x : vector<4xf32> to f8E8M0FNU
  return
}

// -----

func.func @c5_decode(%w: i32) {
  // expected-error @+1 {{cannot decode 'i16'; must be i2, i4, i8, or a float type of 4, 6 or 8 bits}}
  %0 = mxgpu.decode %w : i16 to vector<2xbf16>
  return
}

// -----

func.func @c6_encode(%x: vector<4xf32>) {
  // expected-error @+1 {{32 bits hold 8 codes of 'f4E2M1FN', got 4 values}}
  %0 = mxgpu.encode %x : vector<4xf32> to f4E2M1FN
  return
}

// -----

func.func @c6_decode(%w: i32) {
  // expected-error @+1 {{32 bits hold 4 codes of 'f6E2M3FN', got 5 values}}
  %0 = mxgpu.decode %w : f6E2M3FN to vector<5xbf16>
  return
}
