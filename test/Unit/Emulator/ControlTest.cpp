// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Branches, branch tables, calls, the stack, clocks (PTX ISA 7, 9.7.12, 9.7.17,
// 9.7.19, 10).

#include "Execute.h"

#include "gtest/gtest.h"

using namespace mx::ptx::test;

namespace {
std::vector<uint64_t> iota(unsigned count = 32) {
  std::vector<uint64_t> list;
  for (unsigned i = 0; i < count; ++i)
    list.push_back(i);
  return list;
}
bool contains(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}
} // namespace

/// Lanes leave a loop one after the other and meet behind it.
TEST(Control, DivergentLoop) {
  Outcome outcome =
      execute({"{ .reg .pred %p; mov.b32 %o0, 0; mov.b32 %o1, 0;\n"
               "again: add.s32 %o0, %o0, %i0; add.s32 %o1, %o1, 1;\n"
               "setp.le.u32 %p, %o1, %i0; @%p bra again;\n"
               "activemask.b32 %o2; }",
               {32, 32, 32},
               {32}},
              {iota()});
  ASSERT_EQ(outcome.error, "");
  for (uint64_t i = 0; i < 32; ++i) {
    EXPECT_EQ(outcome.values[0][i], i * (i + 1));
    EXPECT_EQ(outcome.values[2][i], UINT32_MAX);
  }
}

TEST(Control, BranchTable) {
  Snippet snippet = {
      "{ .reg .b32 %n; .reg .pred %p; and.b32 %n, %i0, 3; mov.b32 %o0, 100;\n"
      "setp.lt.u32 %p, %i0, 30;\n"
      "table: .branchtargets A, B, A, C;\n"
      "@%p brx.idx %n, table; mov.b32 %o0, 5; bra meet;\n"
      "A: mov.b32 %o0, 1; bra meet; B: mov.b32 %o0, 2; bra meet;\n"
      "C: add.s32 %o0, %o0, 3;\n"
      "meet: activemask.b32 %o1; }",
      {32, 32},
      {32}};
  Outcome outcome = execute(snippet, {iota()});
  ASSERT_EQ(outcome.error, "");
  for (uint64_t i = 0; i < 32; ++i) {
    uint64_t want[] = {1, 2, 1, 103};
    EXPECT_EQ(outcome.values[0][i], i < 30 ? want[i % 4] : 5);
    EXPECT_EQ(outcome.values[1][i], UINT32_MAX);
  }
  outcome =
      execute({"{ table: .branchtargets A; brx.idx %i0, table; A: mov.b32 "
               "%o0, 0; }",
               {32},
               {32}},
              {iota()});
  EXPECT_TRUE(contains(outcome.error, "index 1 is beyond the table's 1 labels"))
      << outcome.error;
}

namespace {
const char *const functions = R"(
.func (.param .b32 result) square(.param .b32 a)
{
  .reg .b32 %r<3>;
  ld.param.b32 %r0, [a];
  mul.lo.s32 %r1, %r0, %r0;
  st.param.b32 [result], %r1;
  ret;
}
.func (.reg .b32 result) twice(.reg .b32 a)
{
  add.s32 result, a, a;
}
// Part of the lanes return early; a frame variable is written through a pointer.
.func fill(.param .b64 place, .param .b32 a)
{
  .reg .b64 %p; .reg .b32 %r; .reg .pred %q;
  ld.param.b64 %p, [place];
  ld.param.b32 %r, [a];
  setp.lt.u32 %q, %r, 10;
  @%q ret;
  st.b32 [%p], %r;
  ret;
}
.func (.param .b32 result) fibonacci(.param .b32 n)
{
  .reg .b32 %r<6>; .reg .pred %p;
  ld.param.b32 %r0, [n];
  setp.lt.u32 %p, %r0, 2;
  @%p bra small;
  {
    .param .b32 a; .param .b32 b;
    sub.s32 %r1, %r0, 1;
    st.param.b32 [a], %r1;
    call.uni (b), fibonacci, (a);
    ld.param.b32 %r2, [b];
  }
  {
    .param .b32 a; .param .b32 b;
    sub.s32 %r1, %r0, 2;
    st.param.b32 [a], %r1;
    call.uni (b), fibonacci, (a);
    ld.param.b32 %r3, [b];
  }
  add.s32 %r4, %r2, %r3;
  st.param.b32 [result], %r4;
  ret;
small:
  st.param.b32 [result], %r0;
  ret;
}
.func endless() { call.uni endless; ret; }
.extern .func nowhere();
.func (.param .align 8 .b8 result[16]) pair(.param .align 8 .b8 a[16])
{
  .reg .b64 %r<2>;
  ld.param.b64 %r0, [a]; ld.param.b64 %r1, [a+8];
  st.param.b64 [result], %r1; st.param.b64 [result+8], %r0;
  ret;
}
)";

Outcome runCalls(const std::string &text, std::vector<unsigned> outputs) {
  return execute({text, outputs, {32}, functions}, {iota()});
}
} // namespace

TEST(Control, Calls) {
  Outcome outcome = runCalls(
      "{ .param .b32 in; .param .b32 out; .reg .pred %p; mov.b32 %o0, 9;\n"
      "setp.ge.u32 %p, %i0, 3; st.param.b32 [in], %i0; st.param.b32 [out], 7;\n"
      "@%p call (out), square, (in); ld.param.b32 %o0, [out];\n"
      "call (%o1), twice, (%i0); call (%o2), twice, (21);\n"
      "call (out), twice, (in); ld.param.b32 %o3, [out]; call (%o4), square, "
      "(%i0); }",
      {32, 32, 32, 32, 32});
  ASSERT_EQ(outcome.error, "");
  for (uint64_t i = 0; i < 32; ++i) {
    EXPECT_EQ(outcome.values[0][i], i < 3 ? 7 : i * i);
    EXPECT_EQ(outcome.values[1][i], 2 * i);
    EXPECT_EQ(outcome.values[2][i], 42u);
    EXPECT_EQ(outcome.values[3][i], 2 * i);
    EXPECT_EQ(outcome.values[4][i], i * i);
  }
  outcome =
      runCalls("{ .param .align 8 .b8 in[16]; .param .align 8 .b8 "
               "out[16]; .reg .b64 %w; cvt.u64.u32 %w, %i0;\n"
               "st.param.b64 [in], %w; st.param.b64 [in+8], 5; call "
               "(out), pair, (in); ld.param.b64 %o0, [out]; ld.param.b64 %o1, "
               "[out+8]; }",
               {64, 64});
  ASSERT_EQ(outcome.error, "");
  for (uint64_t i = 0; i < 32; ++i) {
    EXPECT_EQ(outcome.values[0][i], 5u);
    EXPECT_EQ(outcome.values[1][i], i);
  }
}

TEST(Control, PointersToTheStack) {
  Outcome outcome = runCalls(
      "{ .local .b32 mine; .param .b64 a; .param .b32 b; .reg .b64 %p;\n"
      "mov.b64 %p, mine; cvta.local.u64 %p, %p; st.local.b32 [mine], 3;\n"
      "st.param.b64 [a], %p; st.param.b32 [b], %i0; call fill, (a, b);\n"
      "ld.local.b32 %o0, [mine]; activemask.b32 %o1; }",
      {32, 32});
  ASSERT_EQ(outcome.error, "");
  for (uint64_t i = 0; i < 32; ++i) {
    EXPECT_EQ(outcome.values[0][i], i < 10 ? 3 : i);
    EXPECT_EQ(outcome.values[1][i], UINT32_MAX);
  }
}

/// Each lane recurses to its own depth.
TEST(Control, Recursion) {
  Outcome outcome = runCalls(
      "{ .param .b32 a; .param .b32 b; .reg .b32 %n; and.b32 %n, %i0, 7;\n"
      "st.param.b32 [a], %n; call (b), fibonacci, (a); ld.param.b32 %o0, [b]; "
      "}",
      {32});
  ASSERT_EQ(outcome.error, "");
  const uint64_t want[] = {0, 1, 1, 2, 3, 5, 8, 13};
  for (unsigned i = 0; i < 32; ++i)
    EXPECT_EQ(outcome.values[0][i], want[i % 8]);
  EXPECT_TRUE(contains(runCalls("call endless; mov.b32 %o0, 0;", {32}).error,
                       "calls nest deeper than 1024"));
  EXPECT_TRUE(contains(runCalls("call nowhere; mov.b32 %o0, 0;", {32}).error,
                       "'nowhere' is declared, but not defined"));
}

TEST(Control, Stack) {
  Outcome outcome = execute(
      {"{ .reg .b64 %s, %a, %b; stacksave.u64 %s; alloca.u64 %a, 16; "
       "alloca.u64 "
       "%b, 32, 64;\n"
       "st.local.b32 [%a], %i0; st.local.b32 [%b], 5; ld.local.b32 %o0, [%a];\n"
       "and.b64 %o1, %b, 63; stackrestore.u64 %s; stacksave.u64 %a; sub.s64 "
       "%o2, %a, %s; }",
       {32, 64, 64},
       {32}},
      {iota()});
  ASSERT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.values[0], iota());
  EXPECT_EQ(outcome.values[1], std::vector<uint64_t>(32, 0));
  EXPECT_EQ(outcome.values[2], std::vector<uint64_t>(32, 0));
  EXPECT_TRUE(contains(execute({"{ .reg .b64 %a; alloca.u64 %a, %i0; mov.b64 "
                                "%o0, %a; }",
                                {64},
                                {64}},
                               {{uint64_t(1) << 40}})
                           .error,
                       "stack overflow"));
}

TEST(Control, Builtins) {
  const char *module = R"(
.extern .func __assertfail(.param .b64 a, .param .b64 b, .param .b32 c, .param .b64 d, .param .b64 e);
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.global .align 1 .b8 text[8] = {120, 32, 62, 32, 48, 0, 0, 0};
.global .align 1 .b8 file[8] = {97, 46, 99, 117, 0, 0, 0, 0};
.global .align 1 .b8 format[8] = {37, 100, 32, 37, 115, 10, 0, 0};
)";
  Outcome outcome = execute(
      {"{ .param .b64 a; .param .b64 b; .param .b32 c; .param .b64 d; .param "
       ".b64 e; .reg .b64 %p; mov.b64 %p, text; cvta.global.u64 %p, %p;\n"
       "st.param.b64 [a], %p; mov.b64 %p, file; st.param.b64 [b], %p;\n"
       "st.param.b32 [c], 12; st.param.b64 [d], %p; st.param.b64 [e], 1;\n"
       "mov.b32 %o0, 1; call.uni __assertfail, (a, b, c, d, e); }",
       {32},
       {},
       module},
      {});
  EXPECT_TRUE(contains(outcome.error, "assertion failed: x > 0 (a.cu:12)"))
      << outcome.error;
  testing::internal::CaptureStderr();
  outcome = execute(
      {"{ .param .b64 a; .param .b64 b; .param .b32 r; .local .align 8 .b8 "
       "args[16]; .reg .b64 %p; .reg .pred %q; setp.eq.u32 %q, %thread, 3;\n"
       "mov.b64 %p, text; st.local.b64 [args+8], %p; st.local.b32 [args], "
       "%i0; mov.b64 %p, format; st.param.b64 [a], %p;\n"
       "mov.b64 %p, args; cvta.local.u64 %p, %p; st.param.b64 [b], %p; mov.b32 "
       "%o0, 1; @%q call (r), vprintf, (a, b); @%q ld.param.b32 %o0, [r]; }",
       {32},
       {32},
       module},
      {std::vector<uint64_t>(32, uint32_t(-5))});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "-5 x > 0\n");
  EXPECT_EQ(outcome.error, "");
}

TEST(Control, TrapsAndClocks) {
  EXPECT_TRUE(contains(execute({"mov.b32 %o0, 0; trap;", {32}, {}}, {}).error,
                       ": trap"));
  Outcome outcome = execute(
      {"mov.u64 %o0, %clock64; nanosleep.u32 20; mov.u64 %o1, %clock64;"
       "mov.u64 %o2, %globaltimer; mov.u32 %o3, %smid; mov.u32 %o4, %nsmid;"
       "mov.b32 %o5, %envreg3; mov.pred %o6, %is_explicit_cluster; brkpt;"
       "griddepcontrol.launch_dependents; griddepcontrol.wait; pmevent 1;"
       "mov.u32 %o7, %clock; mov.u32 %o8, %warpid; mov.u32 %o9, %lanemask_lt;",
       {64, 64, 64, 32, 32, 32, 1, 32, 32, 32},
       {}},
      {});
  ASSERT_EQ(outcome.error, "");
  EXPECT_LT(outcome.values[0][0], outcome.values[1][0]);
  EXPECT_LT(outcome.values[1][0], outcome.values[2][0]);
  EXPECT_LT(outcome.values[3][0], outcome.values[4][0]);
  EXPECT_EQ(outcome.values[5][0], 0u);
  EXPECT_EQ(outcome.values[6][0], 0u);
  EXPECT_LT(outcome.values[1][0], outcome.values[7][0]);
  EXPECT_EQ(outcome.values[9][5], 31u);
}
