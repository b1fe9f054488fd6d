// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inline PTX, for two reasons. The offset is added to the descriptor within the
// statement, where LLVM cannot hoist it out of the loop: uniform registers do
// not hold all of these sums. And accumulators have to pass through the wait,
// or their uses could move above it.

#include "Wgmma.h"

#include "mx/Kernels/Layouts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

Wgmma::Wgmma(Emitter &emitter, const GemmConfig &config)
    : e(emitter), config(config) {}

Wgmma::Registers Wgmma::getUndefined() {
  Value undefined = LLVM::UndefOp::create(e, e.getF32Type());
  return Registers(config.tileN / 2, undefined);
}

Value Wgmma::getDescriptor(I32 address) {
  Value high = arith::ConstantOp::create(
      e, e.getI64IntegerAttr(wgmmaDescriptorHigh << 32));
  return arith::OrIOp::create(e, e.get64(getWgmmaDescriptorLow(address)), high);
}

static StringRef getType(const OperandConfig &operand) {
  if (operand.format)
    return stringify(*getOperandType(operand.format->element));
  return stringify(operand.type.isBF16() ? OperandType::BF16
                                         : OperandType::F16);
}

/// How an operand is passed to inline PTX.
static StringRef getConstraint(Type type) {
  return type.isF32()         ? "f"
         : type.isInteger(1)  ? "b"
         : type.isInteger(32) ? "r"
                              : "l";
}

Wgmma::Registers Wgmma::emitAssembly(const std::string &text,
                                     const Registers &registers,
                                     ValueRange others) {
  size_t count = registers.size();
  std::string constraints;
  for (Value value : registers)
    constraints += ("=" + getConstraint(value.getType()) + ",").str();
  for (size_t i = 0; i < count; ++i)
    constraints += std::to_string(i) + ",";
  for (Value other : others)
    constraints += getConstraint(other.getType()).str() + ",";
  constraints += "~{memory}";
  SmallVector<Value> operands(registers);
  llvm::append_range(operands, others);
  Type type;
  if (count > 0)
    type = LLVM::LLVMStructType::getLiteral(
        e.getContext(), llvm::to_vector(ValueRange(registers).getTypes()));
  auto assembly = LLVM::InlineAsmOp::create(
      e, type, operands, text, constraints, /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None,
      /*asm_dialect=*/nullptr,
      /*operand_attrs=*/nullptr);
  Registers results;
  for (size_t i = 0; i < count; ++i)
    results.push_back(
        LLVM::ExtractValueOp::create(e, assembly.getResult(0), i));
  return results;
}

Wgmma::Registers Wgmma::multiply(const Registers &sums, bool accumulate,
                                 Value a, int64_t offsetA, Value b,
                                 int64_t offsetB) {
  const Capability &row = getCapability(config.atom);
  std::string opcode =
      ("wgmma.mma_async.sync.aligned.m64n" + Twine(config.tileN) + "k" +
       Twine(row.k) + ".f32." + getType(config.lhs) + "." + getType(config.rhs))
          .str();
  std::string registers;
  for (size_t i = 0; i < sums.size(); ++i)
    registers += (i ? ", $" : "$") + std::to_string(i);
  // Where the operands behind the tied ones are.
  std::string first = std::to_string(2 * sums.size());
  std::string second = std::to_string(2 * sums.size() + 1);
  // 16-bit operands could be transposed.
  StringRef tail = row.k == 16 ? ", p, 1, 1, 0, 0;\n" : ", p, 1, 1;\n";

  NVVM::WgmmaFenceAlignedOp::create(e);
  Registers results = sums;
  for (int64_t byte = 0; byte < tensorRowBytes; byte += wgmmaRowBytes) {
    bool adds = accumulate || byte != 0;
    std::string text =
        ("{\n.reg .pred p;\n.reg .b64 da, db;\nadd.s64 da, $" + Twine(first) +
         ", " + Twine((offsetA + byte) >> 4) + ";\nadd.s64 db, $" +
         Twine(second) + ", " + Twine((offsetB + byte) >> 4) +
         ";\nsetp.ne.b32 p, " + Twine(int(adds)) + ", 0;\n" + opcode + " {" +
         registers + "}, da, db" + tail + "}")
            .str();
    results = emitAssembly(text, results, {a, b});
  }
  NVVM::WgmmaGroupSyncAlignedOp::create(e);
  return results;
}

std::string Wgmma::getArrival(const Release &released, size_t first) {
  return ("@$" + Twine(first + 1) + " mbarrier.arrive.shared::cta.b64 _, [$" +
          Twine(first) + "+" + Twine(released.offset) + "];")
      .str();
}

Wgmma::Registers Wgmma::wait(const Registers &sums, int64_t pending,
                             std::optional<Release> released) {
  std::string text =
      "wgmma.wait_group.sync.aligned " + std::to_string(pending) + ";";
  if (!released)
    return emitAssembly(text, sums, {});
  text += "\n" + getArrival(*released, 2 * sums.size());
  return emitAssembly(text, sums, {e.get(released->base), released->condition});
}

Wgmma::Registers Wgmma::finish(const Registers &sums, I32 &thread,
                               std::optional<Release> released) {
  Registers registers = sums;
  registers.push_back(e.get(thread));
  registers = wait(registers, /*pending=*/0, released);
  thread = I32(e, registers.pop_back_val());
  return registers;
}

void Wgmma::release(const Release &released) {
  emitAssembly(getArrival(released, 0), {},
               {e.get(released.base), released.condition});
}
