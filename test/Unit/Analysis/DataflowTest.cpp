// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ModuleFixture.h"

#include "mx/Analysis/Dataflow.h"

using namespace mlir;
using namespace mx;

namespace {

TEST(SmallNodeSetTest, KeepsFewNodesInOrder) {
  SmallNodeSet set;
  EXPECT_TRUE(set.isNone());
  for (unsigned node : {5, 3, 5, 4})
    set.insert(node);
  EXPECT_EQ(set.get(), (ArrayRef<unsigned>{3, 4, 5}));
  EXPECT_FALSE(set.isNone());
}

TEST(SmallNodeSetTest, IsUnknownBeyondItsLimit) {
  SmallNodeSet full;
  for (unsigned node = 0; node < SmallNodeSet::limit; ++node)
    full.insert(node);
  EXPECT_TRUE(full.isKnown());
  full.insert(0);
  EXPECT_TRUE(full.isKnown());
  full.insert(SmallNodeSet::limit);
  EXPECT_FALSE(full.isKnown());
  EXPECT_FALSE(full.isNone());
  EXPECT_TRUE(full.get().empty());
  // What it is joined with is unknown as well, and stays so.
  SmallNodeSet other;
  other.insert(full);
  other.insert(1);
  EXPECT_FALSE(other.isKnown());
}

TEST(FactsTest, JoinTellsWhatIsNew) {
  Facts facts, data;
  data.origin = Origin::Data;
  data.products.insert(7);
  EXPECT_TRUE(facts.join(data));
  EXPECT_EQ(facts.origin, Origin::Data);
  EXPECT_FALSE(facts.join(data));
  EXPECT_FALSE(facts.join(Facts()));
  data.isLowPrecision = true;
  EXPECT_TRUE(facts.join(data));
}

class DataflowTest : public mx::test::ModuleFixture {};

// A loop hands a weight on and changes a state; what it takes from the counter
// is a choice that no input makes.
TEST_F(DataflowTest, Loops) {
  func::FuncOp function = parse(R"(
    func.func @f(%w: tensor<6x64xf32>, %x: tensor<64xf32>, %n: index) -> (tensor<6x64xf32>, tensor<64xf32>, tensor<64xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %e = tensor.empty() : tensor<64xf32>
      %0:3 = scf.for %i = %c0 to %n step %c1 iter_args(%v = %w, %h = %x, %last = %e)
          -> (tensor<6x64xf32>, tensor<64xf32>, tensor<64xf32>) {
        %row = tensor.extract_slice %v[%i, 0] [1, 64] [1, 1] : tensor<6x64xf32> to tensor<64xf32>
        %1 = linalg.add ins(%h, %row : tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<64xf32>) -> tensor<64xf32>
        scf.yield %v, %1, %row : tensor<6x64xf32>, tensor<64xf32>, tensor<64xf32>
      }
      return %0#0, %0#1, %0#2 : tensor<6x64xf32>, tensor<64xf32>, tensor<64xf32>
    })");
  ModelGraph graph(
      function, [](CallOpInterface) -> FunctionOpInterface { return nullptr; });
  SmallVector<ArgumentInfo> arguments(3);
  arguments[0].origin = Origin::Weight;
  Dataflow flow(graph, arguments);
  auto getOrigin = [&](unsigned result) {
    return flow[*graph.getNode(getResult(function, result))].origin;
  };
  EXPECT_EQ(getOrigin(0), Origin::Weight);
  EXPECT_EQ(getOrigin(1), Origin::Data);
  EXPECT_EQ(getOrigin(2), Origin::Weight);
}

// Scores are what the softmax is taken of, through a mask and a scale; values
// are not among them.
TEST_F(DataflowTest, ScoresOfAttention) {
  func::FuncOp function = parse(R"(
    func.func @f(%q: tensor<2x8x16xf32>, %k: tensor<2x16x8xf32>, %m: tensor<2x8x8xf32>, %c: tensor<2x8x8xf32>)
        -> (tensor<2x8x8xf32>, tensor<2x8x8xf32>) {
      %0 = linalg.batch_matmul ins(%q, %k : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%c : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
      %1 = linalg.add ins(%0, %m : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%c : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
      %2 = linalg.softmax dimension(2) ins(%1 : tensor<2x8x8xf32>) outs(%c : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
      return %1, %2 : tensor<2x8x8xf32>, tensor<2x8x8xf32>
    })");
  ModelGraph graph(
      function, [](CallOpInterface) -> FunctionOpInterface { return nullptr; });
  SmallVector<ArgumentInfo> arguments(4);
  arguments[3].origin = Origin::Literal;
  Dataflow flow(graph, arguments);
  ASSERT_EQ(graph.products.size(), 1u);
  ASSERT_EQ(flow.getSoftmaxes().size(), 1u);
  EXPECT_EQ(flow.getSoftmaxes()[0].extent, 8);
  unsigned masked = *graph.getNode(getResult(function, 0));
  unsigned probabilities = *graph.getNode(getResult(function, 1));
  EXPECT_TRUE(flow.getScores(masked).get().empty());
  EXPECT_EQ(flow.getScores(probabilities).get(),
            ArrayRef<unsigned>{graph.products[0].node});
}

} // namespace
