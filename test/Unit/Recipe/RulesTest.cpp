// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Rules.h"

#include "gtest/gtest.h"

using namespace mx;

namespace {

Rule makeRule(const char *name, Role role, const char *scheme = "nvfp4") {
  Rule rule;
  rule.name = name;
  rule.roles = {role};
  rule.setScheme(llvm::cantFail(getScheme(scheme)));
  return rule;
}

Rule makeIgnore(const char *name, Role role) {
  Rule rule;
  rule.name = name;
  rule.roles = {role};
  rule.isIgnore = true;
  return rule;
}

OpDescription makeOp(Role role, llvm::StringRef name = "") {
  OpDescription op;
  op.role = role;
  op.gemm = Gemm::fprop;
  op.name = name;
  return op;
}

TEST(Rules, NoRuleKeeps) {
  Decision decision = RuleList().decide(makeOp(Role::linear, "fc"));
  EXPECT_EQ(decision.rule, "default");
  EXPECT_TRUE(decision.isKeep());
}

TEST(Rules, LastMatchWins) {
  RuleList rules;
  rules.add(makeRule("first", Role::linear));
  rules.add(makeRule("second", Role::linear, "mxfp8"));
  rules.add(makeRule("other", Role::router));
  Decision decision = rules.decide(makeOp(Role::linear));
  EXPECT_EQ(decision.rule, "second");
  EXPECT_EQ(decision.getSchemeName(), "mxfp8");
}

TEST(Rules, IgnoreBeatsWhatFollows) {
  RuleList rules;
  rules.add(makeIgnore("ignore", Role::linear));
  rules.add(makeRule("later", Role::linear));
  Decision decision = rules.decide(makeOp(Role::linear));
  EXPECT_EQ(decision.rule, "ignore");
  EXPECT_TRUE(decision.isKeep());
}

TEST(Rules, IgnoreIsOfItsSection) {
  RuleList rules;
  rules.add(makeRule("first", Role::linear));
  Rule ignore = makeIgnore("ignore", Role::linear);
  ignore.section = 0;
  rules.add(std::move(ignore));
  EXPECT_EQ(rules.decide(makeOp(Role::linear)).rule, "ignore");
  Rule other = makeRule("second", Role::linear, "mxfp8");
  other.section = 1;
  rules.add(std::move(other));
  EXPECT_EQ(rules.decide(makeOp(Role::linear)).rule, "second");
}

TEST(Rules, OperandsAreDecidedApart) {
  RuleList rules;
  rules.add(makeRule("both", Role::linear));
  Rule weights = makeRule("weights", Role::linear, "mxfp8");
  weights.activations.reset();
  rules.add(std::move(weights));
  Decision decision = rules.decide(makeOp(Role::linear));
  EXPECT_EQ(decision.rule, "weights; both");
  EXPECT_EQ(decision.activations.format->str(), "nvfp4");
  EXPECT_EQ(decision.weights.format->str(), "mxfp8_e4m3");
}

TEST(Rules, SchemeIsForLayersAndExperts) {
  RuleList rules = RuleList::fromScheme(llvm::cantFail(getScheme("nvfp4")));
  for (Role role : {Role::linear, Role::expert})
    EXPECT_FALSE(rules.decide(makeOp(role)).isKeep());
  for (Role role :
       {Role::lm_head, Role::router, Role::attention_scores,
        Role::attention_context, Role::embedding, Role::norm, Role::softmax,
        Role::rotary, Role::conv, Role::quantized, Role::other})
    EXPECT_TRUE(rules.decide(makeOp(role)).isKeep());
}

TEST(Rules, NamelessHeadAndRouter) {
  Rule rule = makeRule("head", Role::lm_head);
  rule.names = NamePattern::exact("lm_head");
  EXPECT_TRUE(rule.matches(makeOp(Role::lm_head)));
  EXPECT_FALSE(rule.matches(makeOp(Role::lm_head, "output")));
}

TEST(Rules, Layers) {
  EXPECT_EQ(getLayer("model.layers.3.mlp.experts.7.up_proj"), 3);
  EXPECT_EQ(getLayer("lm_head"), std::nullopt);
  EXPECT_EQ(getLayer("layers.x1.y"), std::nullopt);

  LayerRange range;
  range.first = 2;
  range.last = 1;
  range.ranges = {{4, 5}};
  std::string inside;
  for (int layer = 0; layer < 8; ++layer)
    inside += range.contains(layer, 8) ? '1' : '0';
  EXPECT_EQ(inside, "11001101");

  Rule rule = makeRule("first", Role::linear);
  rule.layers = range;
  OpDescription op = makeOp(Role::linear);
  EXPECT_FALSE(rule.matches(op));
  op.layer = 0;
  op.numLayers = 8;
  EXPECT_TRUE(rule.matches(op));
}

TEST(Rules, Extents) {
  ExtentCondition condition;
  condition.extent = 'n';
  condition.min = 64;
  condition.max = 128;
  condition.multipleOf = 32;
  auto holds = [&](int64_t n) {
    ProductShape shape;
    shape.n = n;
    return condition.holds(shape);
  };
  EXPECT_TRUE(holds(64));
  EXPECT_TRUE(holds(128));
  EXPECT_FALSE(holds(32));
  EXPECT_FALSE(holds(160));
  EXPECT_FALSE(holds(80));
  EXPECT_FALSE(holds(mlir::ShapedType::kDynamic));
}

} // namespace
