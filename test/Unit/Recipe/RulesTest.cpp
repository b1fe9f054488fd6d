// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Rules.h"

#include "gtest/gtest.h"

using namespace mx;

namespace {

Rule makeRule(const char *name, Role role, bool isIgnore = false) {
  Rule rule;
  rule.name = name;
  rule.roles = {role};
  rule.isIgnore = isIgnore;
  rule.scheme.name = name;
  return rule;
}

TEST(Rules, NoRuleKeeps) {
  Decision decision = RuleList().decide({Role::linear, Gemm::fprop, "fc"});
  EXPECT_EQ(decision.rule, "default");
  EXPECT_EQ(decision.scheme, nullptr);
}

TEST(Rules, LastMatchWins) {
  RuleList rules;
  rules.add(makeRule("first", Role::linear));
  rules.add(makeRule("second", Role::linear));
  rules.add(makeRule("other", Role::router));
  Decision decision = rules.decide({Role::linear, Gemm::fprop, ""});
  EXPECT_EQ(decision.rule, "second");
  ASSERT_NE(decision.scheme, nullptr);
  EXPECT_EQ(decision.scheme->name, "second");
}

TEST(Rules, IgnoreBeatsWhatFollows) {
  RuleList rules;
  rules.add(makeRule("ignore", Role::linear, /*isIgnore=*/true));
  rules.add(makeRule("later", Role::linear));
  Decision decision = rules.decide({Role::linear, Gemm::fprop, ""});
  EXPECT_EQ(decision.rule, "ignore");
  EXPECT_EQ(decision.scheme, nullptr);
}

TEST(Rules, SchemeIsForLayersAndExperts) {
  RuleList rules = RuleList::fromScheme(llvm::cantFail(getScheme("nvfp4")));
  for (Role role : {Role::linear, Role::expert})
    EXPECT_NE(rules.decide({role, Gemm::fprop, ""}).scheme, nullptr);
  for (Role role :
       {Role::lm_head, Role::router, Role::attention_scores,
        Role::attention_context, Role::embedding, Role::norm, Role::softmax,
        Role::rotary, Role::conv, Role::quantized, Role::other})
    EXPECT_EQ(rules.decide({role, Gemm::fprop, ""}).scheme, nullptr);
}

} // namespace
