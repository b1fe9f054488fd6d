// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The capability table: which chip has which instruction, from which PTX
// version on. Kernel selection, verifiers, diagnostics, PTX emission and the
// README's matrix read these rows and nothing else. A test assembles each row
// for each chip (test/Target/capabilities-ptxas.test).
//
// Sources: PTX ISA 9.1 ("Target ISA Notes" and "PTX ISA Notes" of each
// instruction); CUDA C++ Programming Guide, table of compute capabilities (shared
// memory).

include "llvm/TableGen/SearchableTable.td"

//===----------------------------------------------------------------------===//
// Chips
//===----------------------------------------------------------------------===//

class Chip<int index, int ptx, int sharedKiB, int sms> {
  string Name = NAME;
  /// Bit of this chip in a row's `Chips`.
  bits<8> Index = index;
  /// First PTX version that knows the chip, times ten.
  bits<8> PTX = ptx;
  /// Shared memory that one block can have (opt-in), in KiB.
  bits<16> SharedKiB = sharedKiB;
  /// Multiprocessors of the common data-centre or desktop part.
  bits<16> SMs = sms;
}

def sm_80  : Chip<0, 70, 163, 108>; // A100
def sm_86  : Chip<1, 71, 99, 84>;   // RTX 3090, A40
def sm_89  : Chip<2, 78, 99, 142>;  // RTX 4090, L40S
def sm_90  : Chip<3, 78, 227, 132>; // H100, without the arch-specific part
def sm_90a : Chip<4, 80, 227, 132>; // H100, H200
def sm_100a : Chip<5, 86, 227, 148>; // B200
def sm_103a : Chip<6, 88, 227, 148>; // B300
def sm_110a : Chip<7, 90, 227, 20>;  // Thor
def sm_120a : Chip<8, 87, 99, 170>;  // RTX 5090
def sm_121a : Chip<9, 88, 99, 48>;   // GB10

def Chips : GenericTable {
  let FilterClass = "Chip";
  let Fields = ["Name", "Index", "PTX", "SharedKiB", "SMs"];
  let PrimaryKey = ["Index"];
  let PrimaryKeyName = "lookupChipByIndex";
}

defvar Blackwell = [sm_100a, sm_103a, sm_110a];
defvar BlackwellRTX = [sm_120a, sm_121a];
defvar Sm100Up = !listconcat(Blackwell, BlackwellRTX);
defvar Sm90Up = !listconcat([sm_90, sm_90a], Sm100Up);
defvar Sm89Up = !listconcat([sm_89], Sm90Up);
defvar AllChips = !listconcat([sm_80, sm_86], Sm89Up);

/// A PTX version (times ten) that can be emitted: LLVM 22 prints it and ptxas
/// 13.0 reads it.
class PTXVersion<int version> {
  bits<8> Version = version;
}
foreach version = [70, 71, 72, 73, 74, 75, 76, 77, 78, 80, 81, 82, 83, 84, 85,
                   86, 87, 88, 90] in
  def ptx_#version : PTXVersion<version>;

def PTXVersions : GenericTable {
  let FilterClass = "PTXVersion";
  let Fields = ["Version"];
}

//===----------------------------------------------------------------------===//
// Operand types
//===----------------------------------------------------------------------===//

class OperandTypeDef<int position> {
  string Name = !tolower(NAME);
  bits<8> Bit = position;
}
def F16  : OperandTypeDef<0>;
def BF16 : OperandTypeDef<1>;
def E4M3 : OperandTypeDef<2>;
def E5M2 : OperandTypeDef<3>;
def E3M2 : OperandTypeDef<4>;
def E2M3 : OperandTypeDef<5>;
def E2M1 : OperandTypeDef<6>;
def UE8M0 : OperandTypeDef<7>;
def UE4M3 : OperandTypeDef<8>;
def F32 : OperandTypeDef<9>;

def OperandType : GenericEnum {
  let FilterClass = "OperandTypeDef";
  let ValueField = "Bit";
}
def OperandTypes : GenericTable {
  let FilterClass = "OperandTypeDef";
  let Fields = ["Name", "Bit"];
  let PrimaryKey = ["Bit"];
  let PrimaryKeyName = "lookupOperandTypeByBit";
}

defvar FP8 = [E4M3, E5M2];
defvar F8F6F4 = [E4M3, E5M2, E3M2, E2M3, E2M1];

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

class ChipMask<list<Chip> chips> {
  int value = !foldl(0, chips, mask, chip, !or(mask, !shl(1, chip.Index)));
}
class TypeMask<list<OperandTypeDef> types> {
  int value = !foldl(0, types, mask, type, !or(mask, !shl(1, type.Bit)));
}

/// One row: a form of an instruction that is there as a whole or not at all.
class Capability<list<Chip> chips, int ptx> {
  string Name = NAME;
  bits<16> Chips = ChipMask<chips>.value;
  /// First PTX version of the instruction, times ten.
  bits<8> PTX = ptx;
  /// Chips that have it only as a slow sequence of other instructions.
  bits<16> Emulated = 0;

  /// How it is recognised in a module: globs over the names of LLVM's
  /// intrinsics and over PTX opcodes with all their modifiers (inline PTX).
  string Intrinsic = "";
  string Opcode = "";

  /// Tensor cores only: types of A and B (any pair of them), shape (N is the
  /// smallest), type of the block scales and elements of K that share one.
  bits<16> A = 0;
  bits<16> B = 0;
  bits<16> M = 0;
  bits<16> N = 0;
  bits<16> K = 0;
  OperandTypeDef Scale = F32;
  bits<8> ScaleBlock = 0;

  /// For the test alone: a PTX statement that uses the instruction. {A} and
  /// {B} stand for each type in `Types`; registers are b<n> (8 bits), h<n>
  /// (16), r<n> (32), f<n> (f32), d<n> (64), p<n> (predicates).
  string Check = "";
  list<OperandTypeDef> Types = [];
}

/// A tensor core instruction.
class TensorCore<list<Chip> chips, int ptx, list<OperandTypeDef> types, int m,
                 int n, int k> : Capability<chips, ptx> {
  let A = TypeMask<types>.value;
  let B = TypeMask<types>.value;
  let M = m;
  let N = n;
  let K = k;
  let Types = types;
}

//--- mma.sync: one warp, operands in registers ------------------------------//

class Mma16<OperandTypeDef type> : TensorCore<AllChips, 70, [type], 16, 8, 16> {
  let Intrinsic = "llvm.nvvm.mma.m16n8k16.row.col." # !cond(
      !eq(type.Bit, BF16.Bit) : "bf16", true : "f32.f32");
  let Opcode = "mma.sync.*.m16n8k16.*.f32." # type.Name # ".*";
  let Check = "mma.sync.aligned.m16n8k16.row.col.f32.{A}.{A}.f32 "
      # "{f0,f1,f2,f3}, {r0,r1,r2,r3}, {r4,r5}, {f0,f1,f2,f3};";
}
def mma_f16 : Mma16<F16>;
def mma_bf16 : Mma16<BF16>;

def mma_fp8 : TensorCore<Sm89Up, 84, FP8, 16, 8, 32> {
  let Emulated = ChipMask<!listconcat([sm_90, sm_90a], Blackwell)>.value;
  let Intrinsic = "llvm.nvvm.mma.m16n8k32.row.col.f32.{e4m3,e5m2}.*";
  let Opcode = "mma.sync.aligned.m16n8k32.row.col.f32.{e4m3,e5m2}.*";
  let Check = "mma.sync.aligned.m16n8k32.row.col.f32.{A}.{B}.f32 "
      # "{f0,f1,f2,f3}, {r0,r1,r2,r3}, {r4,r5}, {f0,f1,f2,f3};";
}

class MmaBlockScale<string kind, string vec, list<OperandTypeDef> types, int k,
                    OperandTypeDef scale, int block>
    : TensorCore<BlackwellRTX, 87, types, 16, 8, k> {
  let Scale = scale;
  let ScaleBlock = block;
  let Intrinsic = "llvm.nvvm.mma.block.scale.m16n8k" # k # ".row.col." # kind
      # ".*." # scale.Name;
  let Opcode = "mma.sync.*kind::" # kind # ".*" # scale.Name;
  let Check = "mma.sync.aligned.m16n8k" # k # ".row.col.kind::" # kind
      # ".block_scale.scale_vec::" # vec # ".f32.{A}.{B}.f32." # scale.Name
      # " {f0,f1,f2,f3}, {r0,r1,r2,r3}, {r4,r5}, {f0,f1,f2,f3}, "
      # "r6, {0,0}, r7, {0,0};";
}
def mma_mxf8f6f4 : MmaBlockScale<"mxf8f6f4", "1X", F8F6F4, 32, UE8M0, 32>;
def mma_mxf4 : MmaBlockScale<"mxf4", "2X", [E2M1], 64, UE8M0, 32>;
def mma_mxf4nvf4_2x : MmaBlockScale<"mxf4nvf4", "2X", [E2M1], 64, UE8M0, 32>;
def mma_mxf4nvf4_4x : MmaBlockScale<"mxf4nvf4", "4X", [E2M1], 64, UE4M3, 16>;

//--- wgmma: one warpgroup, B (and here A) in shared memory ------------------//

class Wgmma<list<OperandTypeDef> types, int k, string trans>
    : TensorCore<[sm_90a], 80, types, 64, 8, k> {
  let Opcode = "wgmma.mma_async.*k" # k # ".f32.*";
  let Check = "wgmma.mma_async.sync.aligned.m64n8k" # k # ".f32.{A}.{B} "
      # "{f0,f1,f2,f3}, d0, d1, p0, 1, 1" # trans # ";";
}
def wgmma_f16 : Wgmma<[F16], 16, ", 0, 0"> { let Opcode = "wgmma.mma_async.*.f16.f16"; }
def wgmma_bf16 : Wgmma<[BF16], 16, ", 0, 0"> { let Opcode = "wgmma.mma_async.*.bf16.bf16"; }
def wgmma_fp8 : Wgmma<FP8, 32, "">;

//--- tcgen05: one thread, accumulator in tensor memory ----------------------//

class Tcgen05<string kind, list<OperandTypeDef> types, int k>
    : TensorCore<Blackwell, 86, types, 128, 8, k> {
  let Intrinsic = "llvm.nvvm.tcgen05.mma.*";
  let Opcode = "tcgen05.mma.*kind::" # kind # "*";
  let Check = "tcgen05.mma.cta_group::1.kind::" # kind
      # " [r0], d0, d1, r1, p0;";
}
class Tcgen05BlockScale<string kind, string vec, list<OperandTypeDef> types,
                        int k, OperandTypeDef scale, int block>
    : Tcgen05<kind, types, k> {
  let Intrinsic = "llvm.nvvm.tcgen05.mma.*." # kind # ".*";
  let Scale = scale;
  let ScaleBlock = block;
  let Opcode = "tcgen05.mma.*kind::" # kind # ".block_scale*";
  let Check = "tcgen05.mma.cta_group::1.kind::" # kind
      # ".block_scale.scale_vec::" # vec # " [r0], d0, d1, r1, [r2], [r3], p0;";
}
def tcgen05_f16 : Tcgen05<"f16", [F16, BF16], 16>;
def tcgen05_f8f6f4 : Tcgen05<"f8f6f4", F8F6F4, 32>;
def tcgen05_mxf8f6f4 : Tcgen05BlockScale<"mxf8f6f4", "1X", F8F6F4, 32, UE8M0, 32>;
def tcgen05_mxf4 : Tcgen05BlockScale<"mxf4", "2X", [E2M1], 64, UE8M0, 32>;
def tcgen05_mxf4nvf4_4x : Tcgen05BlockScale<"mxf4nvf4", "4X", [E2M1], 64, UE4M3, 16> {
  let PTX = 87; // the kind came one version after the others
}

//--- cvt --------------------------------------------------------------------//

/// `cvt.<mode>.<types>`; `check` is its opcode without `cvt.`, with operands.
class Convert<list<Chip> chips, int ptx, string mode, string types,
              string intrinsic, string check> : Capability<chips, ptx> {
  let Opcode = "cvt." # mode # ".*" # types;
  let Intrinsic = "llvm.nvvm." # intrinsic;
  let Check = "cvt." # check # ";";
}
def cvt_bf16x2_f32 : Convert<AllChips, 70, "rn", "bf16x2.f32", "ff2bf16x2.rn*",
                             "rn.bf16x2.f32 r0, f0, f1">;
foreach type = FP8 in {
  defvar T = type.Name;
  def cvt_#T#x2_f32 : Convert<Sm89Up, 81, "rn", T#"x2.f32", "ff.to."#T#"x2.rn*",
                              "rn.satfinite."#T#"x2.f32 h0, f0, f1">;
  def cvt_f16x2_#T#x2 : Convert<Sm89Up, 81, "rn", "f16x2."#T#"x2",
                                T#"x2.to.f16x2.rn*", "rn.f16x2."#T#"x2 r0, h0">;
  def cvt_rs_#T#x4_f32
      : Convert<[sm_100a, sm_103a], 87, "rs", T#"x4.f32", "f32x4.to."#T#"x4.rs*",
                "rs.satfinite."#T#"x4.f32 r0, {f0,f1,f2,f3}, r1">;
}
foreach type = [E2M1, E2M3, E3M2] in {
  defvar T = type.Name;
  // Registers of two and of four packed codes.
  defvar two = !if(!eq(T, "e2m1"), "b0", "h0");
  defvar four = !if(!eq(T, "e2m1"), "h0", "r0");
  def cvt_#T#x2_f32 : Convert<Sm100Up, 86, "rn", T#"x2.f32", "ff.to."#T#"x2.rn*",
                              "rn.satfinite."#T#"x2.f32 "#two#", f0, f1">;
  def cvt_f16x2_#T#x2
      : Convert<Sm100Up, 86, "rn", "f16x2."#T#"x2", T#"x2.to.f16x2.rn*",
                "rn.f16x2."#T#"x2 r0, "#two>;
  def cvt_rs_#T#x4_f32
      : Convert<[sm_100a, sm_103a], 87, "rs", T#"x4.f32", "f32x4.to."#T#"x4.rs*",
                "rs.satfinite."#T#"x4.f32 "#four#", {f0,f1,f2,f3}, r1">;
}
def cvt_ue8m0x2_f32
    : Convert<Sm100Up, 86, "{rz,rp}", "ue8m0x2.f32", "ff.to.ue8m0x2.*",
              "rp.satfinite.ue8m0x2.f32 h0, f0, f1">;
def cvt_ue8m0x2_bf16x2
    : Convert<Sm100Up, 86, "{rz,rp}", "ue8m0x2.bf16x2", "bf16x2.to.ue8m0x2.*",
              "rp.satfinite.ue8m0x2.bf16x2 h0, r0">;
def cvt_bf16x2_ue8m0x2
    : Convert<Sm100Up, 86, "rn", "bf16x2.ue8m0x2", "ue8m0x2.to.bf16x2",
              "rn.bf16x2.ue8m0x2 r0, h0">;

/// Conversion by integer arithmetic: what is left where there is no `cvt`.
def alu : Capability<AllChips, 70>;

//--- Moving and preparing data ----------------------------------------------//

def cp_async : Capability<AllChips, 70> {
  let Intrinsic = "llvm.nvvm.cp.async.{ca,cg}.*";
  let Opcode = "cp.async.{ca,cg}.*";
  let Check = "cp.async.cg.shared.global [r0], [d0], 16;";
}
def ldmatrix : Capability<AllChips, 70> {
  let Intrinsic = "llvm.nvvm.ldmatrix.*.b16*";
  let Opcode = "ldmatrix.*.b16";
  let Check = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {r0,r1,r2,r3}, [r4];";
}
def ldmatrix_b4x16_p64 : Capability<Sm100Up, 86> {
  let Intrinsic = "llvm.nvvm.ldmatrix.*b4x16_p64";
  let Opcode = "ldmatrix.*b4x16_p64*";
  let Check = "ldmatrix.sync.aligned.m8n16.x4.shared.b8x16.b4x16_p64 {r0,r1,r2,r3}, [r4];";
}
def ldmatrix_b6x16_p32 : Capability<Sm100Up, 86> {
  let Intrinsic = "llvm.nvvm.ldmatrix.*b6x16_p32";
  let Opcode = "ldmatrix.*b6x16_p32*";
  let Check = "ldmatrix.sync.aligned.m8n16.x4.shared.b8x16.b6x16_p32 {r0,r1,r2,r3}, [r4];";
}
def stmatrix : Capability<Sm90Up, 78> {
  let Intrinsic = "llvm.nvvm.stmatrix.*.b16*";
  let Opcode = "stmatrix.*.b16";
  let Check = "stmatrix.sync.aligned.m8n8.x4.shared.b16 [r4], {r0,r1,r2,r3};";
}
def mbarrier_try_wait : Capability<Sm90Up, 78> {
  let Intrinsic = "llvm.nvvm.mbarrier.try.wait*";
  let Opcode = "mbarrier.try_wait*";
  let Check = "mbarrier.try_wait.parity.shared.b64 p0, [r0], r1;";
}
def cp_async_bulk_tensor : Capability<Sm90Up, 80> {
  let Intrinsic = "llvm.nvvm.cp.async.bulk.tensor.*";
  let Opcode = "cp.async.bulk.tensor.*";
  let Check = "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [r0], [d0, {r1, r2}], [r3];";
}
def setmaxnreg : Capability<!listconcat([sm_90a], Sm100Up), 80> {
  let Intrinsic = "llvm.nvvm.setmaxnreg.*";
  let Opcode = "setmaxnreg.*";
  let Check = "setmaxnreg.dec.sync.aligned.u32 40;";
}
def fma_f32_bf16 : Capability<Sm100Up, 86> {
  let Opcode = "fma.rn.f32.bf16";
  let Check = "fma.rn.f32.bf16 f0, h0, h1, f1;";
}

def Instruction : GenericEnum {
  let FilterClass = "Capability";
}
def Capabilities : GenericTable {
  let FilterClass = "Capability";
  let Fields = ["Name", "Chips", "PTX", "Emulated", "Intrinsic", "Opcode", "A",
                "B", "M", "N", "K", "Scale", "ScaleBlock"];
  string TypeOf_Scale = "OperandType";
}
