// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ThreadBlock.h"

#include <cmath>

using namespace mlir;
using namespace mx;
using namespace mx::test;

bool ThreadBlock::loadMatrix(NVVM::LdMatrixOp op) {
  if (op.getNum() != 4 || op.getLayout() != NVVM::MMALayout::row)
    return fail(op, "only ldmatrix.x4 is known");
  std::vector<uint64_t> addresses = get(op.getPtr()).bits;
  Lanes &result = set(op.getResult());
  for (int warp = 0; warp < numThreads; warp += warpSize)
    for (int matrix = 0; matrix < 4; ++matrix)
      for (int row = 0; row < 8; ++row) {
        // Lane 8 m + r gives the address of row r of matrix m, whose 32-bit
        // words go to register m of lanes 4 r to 4 r + 3.
        int source = warp + 8 * matrix + row;
        uint8_t bytes[16];
        if (!active[source])
          return fail(op, "divergent warp");
        if (!read(op, source, addresses[source], sizeof(bytes), bytes))
          return false;
        for (int word = 0; word < 4; ++word)
          for (int i = 0; i < 4; ++i)
            result.bits[(warp + 4 * row + word) * 4 + matrix] |=
                uint64_t(bytes[4 * word + i]) << 8 * i;
      }
  return true;
}

/// d = c + sum over k of product(row, column, k), in double, rounded once to
/// f32: PTX leaves order and rounding of the sum open.
void ThreadBlock::multiplyTile(
    int64_t k, const Lanes &c, Lanes &d, int warp,
    llvm::function_ref<double(int64_t, int64_t, int64_t)> product) {
  for (int lane = 0; lane < warpSize; ++lane)
    for (int i = 0; i < 4; ++i) {
      int row = (lane >> 2) + 8 * (i >> 1), column = 2 * (lane & 3) + (i & 1);
      int64_t index = int64_t(warp + lane) * 4 + i;
      float old = llvm::bit_cast<float>(uint32_t(c.bits[index]));
      double sum = old;
      for (int64_t j = 0; j < k; ++j)
        sum += product(row, column, j);
      d.bits[index] = llvm::bit_cast<uint32_t>(float(sum));
    }
}

bool ThreadBlock::multiply(NVVM::MmaOp op) {
  Type bf16 = BFloat16Type::get(op.getContext());
  ValueRange a = op.getOperandA(), b = op.getOperandB();
  // The accumulators are scalars here: gather them.
  Lanes c;
  c.count = 4;
  c.bits.resize(4 * numThreads);
  for (auto [i, value] : llvm::enumerate(op.getOperandC()))
    for (int t = 0; t < numThreads; ++t)
      c.bits[t * 4 + i] = get(value).bits[t];
  Lanes d = c;
  auto half = [&](Value value, int thread, int h) {
    return toDouble(bf16, get(value).bits[thread] >> 16 * h & 0xFFFF);
  };
  for (int warp = 0; warp < numThreads; warp += warpSize)
    multiplyTile(16, c, d, warp, [&](int row, int column, int64_t k) {
      // A: register i, half h of lane 4 g + q is row g + 8 (i & 1), column
      // 2 q + h + 8 (i >> 1). B: row 2 q + h + 8 i, column g.
      int q = int(k % 8 / 2), h = int(k % 2);
      return half(a[row / 8 + 2 * (k / 8)], warp + 4 * (row % 8) + q, h) *
             half(b[k / 8], warp + 4 * column + q, h);
    });
  set(op.getResult()) = std::move(d);
  return true;
}

bool ThreadBlock::multiply(mxgpu::MmaBlockScaleOp op) {
  const Lanes a = get(op.getA()), b = get(op.getB()), c = get(op.getC());
  const Lanes scaleA = get(op.getScaleA()), scaleB = get(op.getScaleB());
  int64_t k = op.getK(), n = op.getScaleVectorSize();
  // Elements of a 32-bit register: a quad holds two words of each row.
  int64_t perWord = k / 8;
  Lanes d = c;
  auto element = [&](const Lanes &lanes, int64_t reg, int thread, int64_t i,
                     Type type) {
    int64_t bits = 32 / perWord;
    uint64_t code = lanes.bits[thread * lanes.count + reg] >> bits * i;
    return toDouble(type, code & ((uint64_t(1) << bits) - 1));
  };
  auto scale = [&](const Lanes &lanes, int thread, int64_t byte) {
    uint64_t code = lanes.bits[thread] >> 8 * byte & 0xFF;
    // The sign of ue4m3 is ignored.
    if (isa<Float8E4M3FNType>(op.getScaleType()))
      code &= 0x7F;
    return toDouble(op.getScaleType(), code);
  };
  for (int warp = 0; warp < numThreads; warp += warpSize)
    multiplyTile(k, c, d, warp, [&](int row, int column, int64_t j) {
      // A: element e of register i of lane 4 g + q is row g + 8 (i & 1), column
      // perWord q + e + 4 perWord (i >> 1). B: row perWord q + e + 4 perWord i,
      // column g.
      int64_t q = j % (4 * perWord) / perWord, e = j % perWord;
      int64_t high = j / (4 * perWord);
      double x = element(a, row / 8 + 2 * high, warp + 4 * (row % 8) + q, e,
                         op.getAType());
      double y = element(b, high, warp + 4 * column + q, e, op.getBType());
      // Scale s covers k / n elements of K. It is byte `byte id + s` of lane
      // 4 (row % 8) + 2 thread id + row / 8 for A, 4 column + thread id for B.
      int64_t s = j * n / k;
      double sx =
          scale(scaleA, warp + 4 * (row % 8) + 2 * op.getThreadIdA() + row / 8,
                op.getByteIdA() + s);
      double sy = scale(scaleB, warp + 4 * column + op.getThreadIdB(),
                        op.getByteIdB() + s);
      return x * sx * y * sy;
    });
  set(op.getResult()) = std::move(d);
  return true;
}
