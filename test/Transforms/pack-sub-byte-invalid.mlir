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

// -----

#id = affine_map<(m, k) -> (m, k)>
func.func @computed(%a: tensor<4x8xi4>) -> tensor<4x8xi4> {
  %e = tensor.empty() : tensor<4x8xi4>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4x8xi4>) outs(%e : tensor<4x8xi4>) {
  ^bb0(%x: i4, %out: i4):
    // expected-error@below {{has no form on packed codes: it looks at codes}}
    %y = arith.addi %x, %x : i4
    linalg.yield %y : i4
  } -> tensor<4x8xi4>
  return %0 : tensor<4x8xi4>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
#t = affine_map<(m, k) -> (k, m)>
func.func @transposed(%a: tensor<8x4xi4>) -> tensor<4x8xi4> {
  %e = tensor.empty() : tensor<4x8xi4>
  // expected-error@below {{has no form on packed codes: operand 0 is not read or written row by row}}
  %0 = linalg.transpose ins(%a : tensor<8x4xi4>) outs(%e : tensor<4x8xi4>) permutation = [1, 0]
  return %0 : tensor<4x8xi4>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
func.func @mixed_widths(%a: tensor<4x8xi2>) -> tensor<4x8xi4> {
  %e = tensor.empty() : tensor<4x8xi4>
  // expected-error@below {{has no form on packed codes: mixes codes of different widths}}
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4x8xi2>) outs(%e : tensor<4x8xi4>) {
  ^bb0(%x: i2, %out: i4):
    linalg.yield %out : i4
  } -> tensor<4x8xi4>
  return %0 : tensor<4x8xi4>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
func.func @position(%a: tensor<4x8xi4>, %b: tensor<4x8xi4>) -> tensor<4x8xi4> {
  %c3 = arith.constant 3 : index
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4x8xi4>) outs(%b : tensor<4x8xi4>) {
  ^bb0(%x: i4, %out: i4):
    %k = linalg.index 1 : index
    // expected-error@below {{has no form on packed codes: it looks at the position in a row of codes}}
    %c = arith.cmpi ult, %k, %c3 : index
    %s = arith.select %c, %x, %out : i4
    linalg.yield %s : i4
  } -> tensor<4x8xi4>
  return %0 : tensor<4x8xi4>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
func.func @steps_with_codes(%p: tensor<4x8xi1>, %a: tensor<4x8xi4>, %b: tensor<4x8xi4>) -> tensor<4x8xi4> {
  // expected-error@below {{has no form on packed codes: operand 0 steps with the codes of a row}}
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %a : tensor<4x8xi1>, tensor<4x8xi4>) outs(%b : tensor<4x8xi4>) {
  ^bb0(%c: i1, %x: i4, %out: i4):
    %s = arith.select %c, %x, %out : i4
    linalg.yield %s : i4
  } -> tensor<4x8xi4>
  return %0 : tensor<4x8xi4>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
func.func @part_of_rows(%a: tensor<4x9xi4>) -> tensor<4x7xi4> {
  %e = tensor.empty() : tensor<4x7xi4>
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<4x7xi4>) {
  ^bb0(%out: i4):
    %m = linalg.index 0 : index
    %k = linalg.index 1 : index
    // expected-error@below {{has no form on packed codes: its rows may end within a byte}}
    %x = tensor.extract %a[%m, %k] : tensor<4x9xi4>
    linalg.yield %x : i4
  } -> tensor<4x7xi4>
  return %0 : tensor<4x7xi4>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
func.func @shifted(%a: tensor<8x8xi4>) -> tensor<8x8xi4> {
  %e = tensor.empty() : tensor<8x8xi4>
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<8x8xi4>) {
  ^bb0(%out: i4):
    %m = linalg.index 0 : index
    %k = linalg.index 1 : index
    // expected-error@below {{has no form on packed codes: it does not read rows from their start}}
    %x = tensor.extract %a[%k, %m] : tensor<8x8xi4>
    linalg.yield %x : i4
  } -> tensor<8x8xi4>
  return %0 : tensor<8x8xi4>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
func.func @bits(%a: tensor<8x8xi4>) -> tensor<8x8xi8> {
  %e = tensor.empty() : tensor<8x8xi8>
  // expected-error@below {{has no form on packed codes: it does not write rows of codes}}
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<8x8xi8>) {
  ^bb0(%out: i8):
    %m = linalg.index 0 : index
    %k = linalg.index 1 : index
    %x = tensor.extract %a[%m, %k] : tensor<8x8xi4>
    %y = arith.extui %x : i4 to i8
    linalg.yield %y : i8
  } -> tensor<8x8xi8>
  return %0 : tensor<8x8xi8>
}

// -----

func.func @fill(%x: i4) -> tensor<4x8xi4> {
  %e = tensor.empty() : tensor<4x8xi4>
  // expected-error@below {{has no form on packed codes: operand 0 is a single code}}
  %0 = linalg.fill ins(%x : i4) outs(%e : tensor<4x8xi4>) -> tensor<4x8xi4>
  return %0 : tensor<4x8xi4>
}

// -----

#id = affine_map<(m, k) -> (m, k)>
func.func @captured(%x: i4) -> tensor<4x8xi4> {
  %e = tensor.empty() : tensor<4x8xi4>
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<4x8xi4>) {
  ^bb0(%out: i4):
    // expected-error@below {{has no form on packed codes: it takes a single code from outside}}
    linalg.yield %x : i4
  } -> tensor<4x8xi4>
  return %0 : tensor<4x8xi4>
}

// -----

// Fewer bytes than codes.
func.func @short_blob() -> tensor<4x8xf4E2M1FN> {
  // expected-error@below {{has no data to pack}}
  %0 = arith.constant dense_resource<short> : tensor<4x8xf4E2M1FN>
  return %0 : tensor<4x8xf4E2M1FN>
}

{-# dialect_resources: { builtin: { short: "0x0100000001020304" } } #-}
