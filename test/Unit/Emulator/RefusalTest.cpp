// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is not known in public, or not implemented, is refused by its name
// before anything runs: the kernels would write out of bounds first.

#include "Execute.h"

#include "gtest/gtest.h"

using namespace mx::ptx::test;

TEST(Refusal, ByName) {
  const char *const instructions[] = {
      // The random bits of FP6 were not measured.
      "cvt.rs.satfinite.e2m3x4.f32 %a, {%a, %a, %a, %a}, %a",
      "cvt.rs.satfinite.e3m2x4.f32 %a, {%a, %a, %a, %a}, %a",
      "cvt.rn.satfinite.scaled::n2::ue8m0.s2f6x2.f32 %h, %a, %a, %h",
      // Sparse and sub-byte matrix products, and that of sm_70.
      "mma.sp.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {%a}, {%a}, {%a}, "
      "{%a}, %a, 0",
      "mma.sp::ordered_metadata.sync.aligned.m16n8k64.row.col.f32.e4m3.e4m3."
      "f32 "
      "{%a}, {%a}, {%a}, {%a}, %a, 0",
      "mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32 {%a}, {%a}, {%a}, {%a}",
      "mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.xor.popc {%a}, {%a}, "
      "{%a}, {%a}",
      "mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 {%a}, {%a}, {%a}, {%a}",
      "mma.sync.aligned.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::"
      "2X.f32.e2m1.e2m1.f32.ue4m3 {%a}, {%a}, {%a}, {%a}, %a, {0, 0}, %a, {0, "
      "0}",
      // Textures, surfaces, multimem, video.
      "tex.2d.v4.f32.f32 {%a, %a, %a, %a}, [%w, {%a, %a}]",
      "suld.b.1d.b32.clamp %a, [%w, {%a}]",
      "multimem.ld_reduce.global.add.u32 %a, [%w]",
      "vadd.u32.u32.u32 %a, %a, %a",
      "vadd4.u32.u32.u32 %a, %a, %a, %a",
      // Forms that do not exist.
      "add.rna.f32 %a, %a, %a",
      "fma.f32 %a, %a, %a, %a",
      "div.f32 %a, %a, %a",
      "fma.rn.oob.f16 %h, %h, %h, %h",
      "ldmatrix.sync.aligned.m16n16.x1.shared.b8 {%a, %a}, [%a]",
      "stmatrix.sync.aligned.m16n8.x1.shared.b8 [%a], {%a}",
      "atom.global.min.f32 %a, [%w], %a",
      "atom.global.add.f16 %h, [%w], %h",
      "red.shared.add.v2.f32 [%a], {%a, %a}",
      "shfl.idx.b32 %a, %a, %a, %a",
      "vote.all.pred %p, %p",
  };
  for (const char *text : instructions) {
    std::string name = std::string(text).substr(0, std::string(text).find(' '));
    Outcome outcome =
        execute({"{ .reg .b32 %a; .reg .b16 %h; .reg .b64 %w; .reg .pred %p; "
                 "st.global.b32 [0], 0;\n" +
                     std::string(text) + "; }",
                 {},
                 {}},
                {});
    for (const std::string &part :
         {"'" + name + "'", std::string(" not implemented")})
      EXPECT_NE(outcome.error.find(part), std::string::npos)
          << text << ": " << outcome.error;
    EXPECT_NE(outcome.error.find("test.ptx:"), std::string::npos);
  }
}

TEST(Refusal, OtherThings) {
  struct {
    const char *text, *error;
  } cases[] = {
      {"{ .reg .b64 %f; mov.b64 %f, 0; call %f, (); }", "indirect calls"},
      {"{ .reg .b32 %a; mov.b32 %a, %nonsense; }",
       "special register '%nonsense' is not implemented"},
      {"call.foo k;", ""},
  };
  for (const auto &c : cases) {
    Outcome outcome = execute({c.text, {}, {}}, {});
    EXPECT_NE(outcome.error.find(c.error), std::string::npos) << outcome.error;
    EXPECT_NE(outcome.error, "");
  }
}
