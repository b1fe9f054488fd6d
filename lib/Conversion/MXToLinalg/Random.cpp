// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Random.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <array>

using namespace mlir;
using namespace mx;

/// The 32 bits of an i64 from bit `shift` on.
static Scalar getWord(ImplicitLocOpBuilder &b, Value value, int64_t shift) {
  if (shift) {
    Value amount = arith::ConstantOp::create(b, b.getI64IntegerAttr(shift));
    value = arith::ShRUIOp::create(b, value, amount);
  }
  return {b, arith::TruncIOp::create(b, b.getI32Type(), value)};
}

static std::pair<Scalar, Scalar> multiplyWide(Scalar lhs, uint32_t rhs) {
  ImplicitLocOpBuilder &b = lhs.getBuilder();
  auto product = arith::MulUIExtendedOp::create(b, lhs, lhs.i32(rhs));
  return {{b, product.getLow()}, {b, product.getHigh()}};
}

Scalar mx::getRandomWord(ImplicitLocOpBuilder &b, Value seed, Value offset,
                         Value index) {
  Value two = arith::ConstantOp::create(b, b.getI64IntegerAttr(2));
  Value block = arith::ShRUIOp::create(b, index, two);
  std::array<Scalar, 4> counter = {getWord(b, block, 0), getWord(b, block, 32),
                                   getWord(b, offset, 0),
                                   getWord(b, offset, 32)};
  std::array<Scalar, 2> key = {getWord(b, seed, 0), getWord(b, seed, 32)};
  for (unsigned round = 0; round < 10; ++round) {
    auto [low0, high0] = multiplyWide(counter[0], 0xD2511F53);
    auto [low1, high1] = multiplyWide(counter[2], 0xCD9E8D57);
    counter = {high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1],
               low0};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  // Of the block's four words the one of this element.
  Scalar position = getWord(b, index, 0) & 3u;
  Scalar word = counter[3];
  for (unsigned i = 0; i < 3; ++i)
    word = select(position == position.i32(i), counter[i], word);
  return word;
}
