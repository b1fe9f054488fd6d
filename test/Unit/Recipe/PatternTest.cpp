// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Pattern.h"

#include "gtest/gtest.h"

using namespace mx;

namespace {

/// Expectations are those of Python's `re.match(pattern, text)`.
TEST(Pattern, PythonRegex) {
  struct Row {
    const char *pattern, *text;
    bool matches;
  };
  const Row rows[] = {
      {".*lm_head", "model.lm_head", true},
      {".*lm_head", "model.lm_head.x", true},
      {".*lm_head$", "model.lm_head.x", false},
      // At the start, not anywhere.
      {"lm_head", "model.lm_head", false},
      {"a|b", "xb", false},
      {"a|b", "b", true},
      {"^(a|b)$", "b", true},
      {R"(model\.layers\.\d+\.mlp)", "model.layers.12.mlp.up", true},
      {R"(model\.layers\.\d+\.mlp)", "model.layers.x.mlp", false},
      {R"(\w+\.gate)", "mlp_1.gate", true},
      {R"([\w.]+\.(?:up|down)_proj)", "m.0.down_proj", true},
      {R"(layers\.[0-9]{1,2}\.)", "layers.123.", false},
      {R"(layers\.[0-9]{2,}\.)", "layers.123.", true},
      {R"(.*?proj)", "q_proj", true},
      {R"((?i).*LM_HEAD)", "x.lm_head", true},
      {R"((?P<kind>q|k)_proj)", "k_proj", true},
      {R"(^(?!.*lm_head).*)", "model.q", true},
      {R"(^(?!.*lm_head).*)", "model.lm_head", false},
      {R"((?=model)(?!.*gate).*proj)", "model.up_proj", true},
      {R"((?=model)(?!.*gate).*proj)", "model.gate_proj", false},
      {R"([^\d]+)", "1a", false},
      {R"([]a]b)", "]b", true},
      {R"([a\]]b)", "]b", true},
      {R"([\-x]b)", "-b", true},
      {R"([x^]b)", "^b", true},
      {R"([[:]b)", "[b", true},
      {R"(a{b)", "a{b", true},
      {R"(a}b)", "a}b", true},
      {R"(a\/b\-c)", "a/b-c", true},
      {R"(\Aa\Z)", "a", true},
      {R"(\Aa\Z)", "ab", false},
      {"", "anything", true},
  };
  for (const Row &row : rows) {
    llvm::Expected<NamePattern> pattern = NamePattern::regex(row.pattern);
    ASSERT_TRUE(bool(pattern))
        << row.pattern << ": " << llvm::toString(pattern.takeError());
    EXPECT_EQ(pattern->matches(row.text), row.matches)
        << row.pattern << " " << row.text;
  }
}

TEST(Pattern, RegexErrors) {
  for (const char *text :
       {"(",        ")",      "a)",      "[a",       "*a",
        "a**",      "a|*",    "(?<=a)b", "a(?!b)",   R"(\b)",
        R"((a)\1)", "a*+",    "[b-a]",   "\\",       R"([\)",
        "a{3,1}",   "a{999}", "()",      "(?!a)b|c", "((a{255}){255}){255}",
        "(?"}) {
    llvm::Expected<NamePattern> pattern = NamePattern::regex(text);
    EXPECT_FALSE(bool(pattern)) << text;
    llvm::consumeError(pattern.takeError());
  }
  llvm::Expected<NamePattern> pattern =
      NamePattern::regex(std::string(2000, 'a'));
  EXPECT_FALSE(bool(pattern));
  llvm::consumeError(pattern.takeError());
}

TEST(Pattern, Globs) {
  NamePattern glob =
      llvm::cantFail(NamePattern::glob("*mlp.gate.*", ".weight_quantizer"));
  EXPECT_TRUE(glob.matches("model.mlp.gate"));
  EXPECT_FALSE(glob.matches("model.mlp.gate_proj"));
  EXPECT_FALSE(llvm::cantFail(NamePattern::glob("fc1")).matches("a.fc1"));

  NamePattern modules =
      llvm::cantFail(NamePattern::moduleGlob("model.layers.*.self_attn"));
  EXPECT_TRUE(modules.matches("model.layers.0.self_attn"));
  EXPECT_TRUE(modules.matches("model.layers.0.self_attn.q_proj"));
  EXPECT_FALSE(modules.matches("model.layers.0.mlp"));
  EXPECT_FALSE(modules.matches(""));

  llvm::Expected<NamePattern> bad = NamePattern::glob("[a");
  EXPECT_FALSE(bool(bad));
  llvm::consumeError(bad.takeError());
}

} // namespace
