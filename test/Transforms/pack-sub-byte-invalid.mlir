// RUN: mx-opt %s -split-input-file -verify-diagnostics -mx-pack-sub-byte

func.func @slice(%a: tensor<4x8xf4E2M1FN>) -> tensor<4x3xf4E2M1FN> {
  // expected-error@below {{parts a byte of packed codes}}
  %0 = tensor.extract_slice %a[0, 0] [4, 3] [1, 1] : tensor<4x8xf4E2M1FN> to tensor<4x3xf4E2M1FN>
  return %0 : tensor<4x3xf4E2M1FN>
}

// -----

func.func @dynamic_offset(%a: tensor<4x8xf4E2M1FN>, %b: tensor<4x2xf4E2M1FN>, %o: index) -> tensor<4x8xf4E2M1FN> {
  // expected-error@below {{parts a byte of packed codes}}
  %0 = tensor.insert_slice %b into %a[0, %o] [4, 2] [1, 1] : tensor<4x2xf4E2M1FN> into tensor<4x8xf4E2M1FN>
  return %0 : tensor<4x8xf4E2M1FN>
}

// -----

func.func @dropped(%a: tensor<4x1xi4>) -> tensor<4xi4> {
  // expected-error@below {{parts a byte of packed codes}}
  %0 = tensor.extract_slice %a[0, 0] [4, 1] [1, 1] : tensor<4x1xi4> to tensor<4xi4>
  return %0 : tensor<4xi4>
}

// -----

func.func @reshape(%a: tensor<4x8xi4>) -> tensor<32xi4> {
  // expected-error@below {{reshapes the dimension along which codes are packed}}
  %0 = tensor.collapse_shape %a [[0, 1]] : tensor<4x8xi4> into tensor<32xi4>
  return %0 : tensor<32xi4>
}

// -----

func.func @dim(%a: tensor<4x?xi4>) -> index {
  %c1 = arith.constant 1 : index
  // expected-error@below {{asks for the number of codes, of which packing keeps the bytes only}}
  %0 = tensor.dim %a, %c1 : tensor<4x?xi4>
  return %0 : index
}

// -----

func.func @extract(%a: tensor<4x8xf4E2M1FN>, %i: index) -> f4E2M1FN {
  // expected-error@below {{has no form on packed codes}}
  %0 = tensor.extract %a[%i, %i] : tensor<4x8xf4E2M1FN>
  return %0 : f4E2M1FN
}

// -----

func.func @unranked(%a: tensor<4x8xi4>) {
  // expected-error@below {{cannot pack an unranked tensor}}
  %0 = tensor.cast %a : tensor<4x8xi4> to tensor<*xi4>
  return
}

// -----

func.func @elided() -> tensor<4x8xi4> {
  // expected-error@below {{has no data to pack}}
  %0 = arith.constant dense_resource<__elided__> : tensor<4x8xi4>
  return %0 : tensor<4x8xi4>
}
