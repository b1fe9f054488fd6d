// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ModuleFixture.h"

#include "mx/Analysis/Contraction.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mx;

namespace {

class ContractionTest : public mx::test::ModuleFixture {
protected:
  FailureOr<Contraction> match(StringRef text, unsigned result = 0) {
    function = parse(text);
    return matchContraction(getResult(function, result).getDefiningOp(),
                            result);
  }
  Value getArgument(unsigned i) { return function.getArgument(i); }

  func::FuncOp function;
};

using Loops = SmallVector<unsigned, 2>;

TEST_F(ContractionTest, NamedOpWithTransposedMap) {
  auto c = match(R"(
    func.func @f(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                          affine_map<(m, n, k) -> (m, n)>]
          ins(%x, %w : tensor<4x64xf32>, tensor<8x64xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
      return %0 : tensor<4x8xf32>
    })");
  ASSERT_TRUE(succeeded(c));
  EXPECT_EQ(c->lhs->get(), getArgument(0));
  EXPECT_EQ(c->rhs->get(), getArgument(1));
  EXPECT_EQ(c->init->get(), getArgument(2));
  EXPECT_EQ(c->ranges, (SmallVector<int64_t>{4, 8, 64}));
  EXPECT_EQ(c->m, Loops{0});
  EXPECT_EQ(c->n, Loops{1});
  EXPECT_EQ(c->k, Loops{2});
  EXPECT_TRUE(c->batch.empty());
  EXPECT_TRUE(c->isPlain);
}

// The second result multiplies the right operand first and adds the product
// first; a dimension that both read is a batch.
TEST_F(ContractionTest, SecondResultOfGeneric) {
  StringRef text = R"(
    #a = affine_map<(b, m, n, k) -> (b, m, k)>
    #b = affine_map<(b, m, n, k) -> (b, k, n)>
    #c = affine_map<(b, m, n, k) -> (b, m, n)>
    func.func @f(%x: tensor<?x4x64xbf16>, %w: tensor<?x64x8xbf16>, %v: tensor<?x64x8xbf16>, %c: tensor<?x4x8xf32>)
        -> (tensor<?x4x8xf32>, tensor<?x4x8xf32>) {
      %0:2 = linalg.generic {indexing_maps = [#a, #b, #b, #c, #c],
                             iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
          ins(%x, %w, %v : tensor<?x4x64xbf16>, tensor<?x64x8xbf16>, tensor<?x64x8xbf16>)
          outs(%c, %c : tensor<?x4x8xf32>, tensor<?x4x8xf32>) {
      ^bb0(%in: bf16, %w0: bf16, %v0: bf16, %s: f32, %t: f32):
        %a = arith.extf %in : bf16 to f32
        %b = arith.extf %w0 : bf16 to f32
        %d = arith.extf %v0 : bf16 to f32
        %p = arith.mulf %a, %b : f32
        %q = arith.mulf %d, %a : f32
        %1 = arith.addf %s, %p : f32
        %2 = arith.addf %q, %t : f32
        linalg.yield %1, %2 : f32, f32
      } -> (tensor<?x4x8xf32>, tensor<?x4x8xf32>)
      return %0#0, %0#1 : tensor<?x4x8xf32>, tensor<?x4x8xf32>
    })";
  auto c = match(text, 1);
  ASSERT_TRUE(succeeded(c));
  EXPECT_EQ(c->result, 1u);
  Value operands[] = {c->lhs->get(), c->rhs->get()};
  EXPECT_TRUE(llvm::is_contained(operands, getArgument(0)));
  EXPECT_TRUE(llvm::is_contained(operands, getArgument(2)));
  EXPECT_EQ(c->batch, Loops{0});
  EXPECT_EQ(c->k, Loops{3});
  EXPECT_TRUE(ShapedType::isDynamic(c->ranges[0]));
  EXPECT_TRUE(c->isPlain);
}

TEST_F(ContractionTest, FactorComputedInside) {
  auto c = match(R"(
    func.func @f(%x: tensor<4x64xf32>, %w: tensor<64x8xi8>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                            affine_map<(m, n, k) -> (m, n)>],
                           iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%x, %w : tensor<4x64xf32>, tensor<64x8xi8>) outs(%c : tensor<4x8xf32>) {
      ^bb0(%in: f32, %code: i8, %out: f32):
        %v = arith.sitofp %code : i8 to f32
        %p = arith.mulf %in, %v : f32
        %s = arith.addf %out, %p : f32
        linalg.yield %s : f32
      } -> tensor<4x8xf32>
      return %0 : tensor<4x8xf32>
    })");
  ASSERT_TRUE(succeeded(c));
  EXPECT_FALSE(c->isPlain);
}

TEST_F(ContractionTest, TosaHasNoInit) {
  auto c = match(R"(
    func.func @f(%x: tensor<1x4x64xf32>, %w: tensor<1x64x8xf32>) -> tensor<1x4x8xf32> {
      %z = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
      %0 = tosa.matmul %x, %w, %z, %z : (tensor<1x4x64xf32>, tensor<1x64x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x8xf32>
      return %0 : tensor<1x4x8xf32>
    })");
  ASSERT_TRUE(succeeded(c));
  EXPECT_EQ(c->init, nullptr);
}

TEST_F(ContractionTest, NoProduct) {
  EXPECT_TRUE(failed(match(R"(
    func.func @f(%x: tensor<4x64xf32>, %c: tensor<4xf32>) -> tensor<4xf32> {
      %0 = linalg.reduce ins(%x : tensor<4x64xf32>) outs(%c : tensor<4xf32>) dimensions = [1]
          (%in: f32, %out: f32) {
            %1 = arith.maximumf %in, %out : f32
            linalg.yield %1 : f32
          }
      return %0 : tensor<4xf32>
    })")));
}

} // namespace
