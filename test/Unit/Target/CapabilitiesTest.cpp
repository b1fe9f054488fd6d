// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Target/Capabilities.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Intrinsics.h"
#include "gtest/gtest.h"

using namespace mx;

TEST(Capabilities, RowsAreAddressedByName) {
  for (auto [i, row] : llvm::enumerate(getCapabilities())) {
    auto instruction = static_cast<Instruction>(i);
    EXPECT_EQ(stringify(instruction), row.name);
    EXPECT_EQ(symbolizeInstruction(row.name), instruction);
  }
  EXPECT_EQ(symbolizeInstruction("mma_fp2"), std::nullopt);
  EXPECT_EQ(getCapability(Instruction::mma_mxf4nvf4_4x).scaleBlock, 16);
}

TEST(Capabilities, Chips) {
  const Chip *hopper = lookupChip("sm_90a"), *rtx = lookupChip("sm_120a");
  ASSERT_TRUE(hopper && rtx);
  EXPECT_FALSE(lookupChip("sm_120"));
  EXPECT_TRUE(hopper->has(Instruction::wgmma_fp8));
  EXPECT_FALSE(rtx->has(Instruction::wgmma_fp8));
  EXPECT_TRUE(getCapability(Instruction::mma_fp8).isEmulatedOn(*hopper));
  EXPECT_FALSE(getCapability(Instruction::mma_fp8).isEmulatedOn(*rtx));
  EXPECT_EQ(getChipNames([](const Chip &chip) {
              return chip.has(Instruction::mma_mxf4);
            }),
            "sm_120a, sm_121a");
}

// An instruction is no older than nothing: each row is on a chip, and at its
// PTX version at least one of these chips is known.
TEST(Capabilities, RowsAreUsable) {
  for (const Capability &row : getCapabilities()) {
    EXPECT_NE(row.chips, 0) << row.name.str();
    EXPECT_EQ(row.emulated & ~row.chips, 0) << row.name.str();
    EXPECT_TRUE(isPTXVersion(row.ptx)) << row.name.str();
  }
  for (const Chip &chip : getChips())
    EXPECT_TRUE(isPTXVersion(chip.ptx)) << chip.name.str();
}

// A glob that matches no intrinsic of this LLVM would never find its row.
TEST(Capabilities, IntrinsicGlobsMatchLLVM) {
  llvm::StringSet<> found;
  for (unsigned id = 1; id < llvm::Intrinsic::num_intrinsics; ++id) {
    llvm::StringRef name =
        llvm::Intrinsic::getBaseName(static_cast<llvm::Intrinsic::ID>(id));
    if (name.starts_with("llvm.nvvm."))
      for (const Capability *row : findByIntrinsic(name))
        found.insert(row->name);
  }
  for (const Capability &row : getCapabilities())
    if (!row.intrinsic.empty()) {
      EXPECT_TRUE(found.contains(row.name)) << row.name.str();
    }
}

TEST(Capabilities, Opcodes) {
  auto find = [](llvm::StringRef opcode) {
    std::vector<std::string> names;
    for (const Capability *row : findByOpcode(opcode))
      names.push_back(row->name.str());
    return names;
  };
  using Names = std::vector<std::string>;
  // Modifiers stand in both orders in practice.
  EXPECT_EQ(find("mma.sync.aligned.m16n8k64.row.col.kind::mxf4nvf4.block_scale."
                 "scale_vec::4X.f32.e2m1.e2m1.f32.ue4m3"),
            Names{"mma_mxf4nvf4_4x"});
  EXPECT_EQ(find("mma.sync.aligned.kind::mxf4nvf4.block_scale.scale_vec::4X."
                 "m16n8k64.row.col.f32.e2m1.e2m1.f32.ue4m3"),
            Names{"mma_mxf4nvf4_4x"});
  EXPECT_EQ(find("cvt.rn.satfinite.relu.e2m1x2.f32"), Names{"cvt_e2m1x2_f32"});
  EXPECT_EQ(find("cvt.rn.f16x2.e4m3x2"), Names{"cvt_f16x2_e4m3x2"});
  EXPECT_EQ(find("ldmatrix.sync.aligned.x4.m8n8.shared.b16"),
            Names{"ldmatrix"});
  EXPECT_EQ(find("add.f32"), Names{});
  EXPECT_EQ(find(""), Names{});
}
