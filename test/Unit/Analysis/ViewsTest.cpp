// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ModuleFixture.h"

#include "mx/Analysis/Views.h"

using namespace mlir;
using namespace mx;

namespace {

class ViewsTest : public mx::test::ModuleFixture {
protected:
  /// What the function returns, read in its own order.
  IndexedValue look(StringRef text) {
    function = parse(text);
    Value value = getResult(function);
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    return lookThroughCopies(
        {value, AffineMap::getMultiDimIdentityMap(rank, &context)}, &copies);
  }
  AffineExpr dim(unsigned i) { return getAffineDimExpr(i, &context); }

  func::FuncOp function;
  SmallVector<Operation *> copies;
};

// As torch-mlir writes a weight: transposed, then copied to each batch.
TEST_F(ViewsTest, TransposeBroadcastExtend) {
  IndexedValue looked = look(R"(
    func.func @f(%w: tensor<8x64xbf16>) -> tensor<2x64x8xf32> {
      %e = tensor.empty() : tensor<64x8xbf16>
      %t = linalg.transpose ins(%w : tensor<8x64xbf16>) outs(%e : tensor<64x8xbf16>) permutation = [1, 0]
      %i = tensor.empty() : tensor<2x64x8xf32>
      %0 = linalg.generic {indexing_maps = [affine_map<(b, k, n) -> (k, n)>, affine_map<(b, k, n) -> (b, k, n)>],
                           iterator_types = ["parallel", "parallel", "parallel"]}
          ins(%t : tensor<64x8xbf16>) outs(%i : tensor<2x64x8xf32>) {
      ^bb0(%in: bf16, %out: f32):
        %1 = arith.extf %in : bf16 to f32
        linalg.yield %1 : f32
      } -> tensor<2x64x8xf32>
      return %0 : tensor<2x64x8xf32>
    })");
  EXPECT_EQ(looked.value, function.getArgument(0));
  EXPECT_EQ(looked.map, AffineMap::get(3, 0, {dim(2), dim(1)}, &context));
  ASSERT_EQ(copies.size(), 2u);
  EXPECT_EQ(copies.front(), getResult(function).getDefiningOp());
}

TEST_F(ViewsTest, UnitDimensionIsReadAtZero) {
  IndexedValue looked = look(R"(
    func.func @f(%w: tensor<1x64xf32>) -> tensor<64xf32> {
      %0 = tensor.collapse_shape %w [[0, 1]] : tensor<1x64xf32> into tensor<64xf32>
      return %0 : tensor<64xf32>
    })");
  EXPECT_EQ(looked.value, function.getArgument(0));
  EXPECT_EQ(looked.map,
            AffineMap::get(1, 0, {getAffineConstantExpr(0, &context), dim(0)},
                           &context));
}

// A conversion to fewer bits changes values; a reshape that splits a dimension
// has no such map.
TEST_F(ViewsTest, StopsAtOtherOps) {
  EXPECT_TRUE(isa<OpResult>(look(R"(
    func.func @f(%w: tensor<8x64xf32>) -> tensor<8x64xbf16> {
      %0 = arith.truncf %w : tensor<8x64xf32> to tensor<8x64xbf16>
      return %0 : tensor<8x64xbf16>
    })")
                                .value));
  EXPECT_TRUE(isa<OpResult>(look(R"(
    func.func @f(%w: tensor<8x64xf32>) -> tensor<8x4x16xf32> {
      %0 = tensor.expand_shape %w [[0], [1, 2]] output_shape [8, 4, 16] : tensor<8x64xf32> into tensor<8x4x16xf32>
      return %0 : tensor<8x4x16xf32>
    })")
                                .value));
  EXPECT_TRUE(copies.empty());
}

} // namespace
