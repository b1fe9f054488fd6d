// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wgmma (PTX ISA 9.7.15). Each of the four warps executes the instruction; the
// product begins when the last has, and takes effect when a wait asks for it.

#include "WgmmaProduct.h"

#include "llvm/ADT/StringExtras.h"

using namespace mx::ptx;
using llvm::Twine;

static constexpr char missingWait[] =
    "a wgmma.wait_group for its committed group";

/// An immediate of +1 or -1: whether it is -1.
static bool readSign(Warp &warp, const Value &value) {
  int64_t sign = int64_t(warp.lanes(value)[0]);
  if (sign != 1 && sign != -1)
    warp.fault(llvm::countr_zero(warp.active),
               "an operand is scaled by 1 or -1, not " + Twine(sign));
  return sign < 0;
}

static bool readFlag(Warp &warp, const Value &value) {
  uint64_t flag = warp.lanes(value)[0];
  if (flag > 1)
    warp.fault(llvm::countr_zero(warp.active),
               "a transpose flag is 0 or 1, not " + Twine(flag));
  return flag;
}

/// Nothing after a fault: the operands are not those of the form.
static std::optional<WgmmaForm> getForm(Warp &warp, const Decoded &decoded) {
  auto fail = [&](const Twine &message) {
    warp.fault(llvm::countr_zero(warp.active), message);
    return std::nullopt;
  };
  WgmmaForm form{decoded.types[0], decoded.types[1], decoded.types[2]};
  for (llvm::StringRef word : decoded.source->modifiers)
    if (word.consume_front("m64n"))
      word.take_while(llvm::isDigit).getAsInteger(10, form.columns);
  bool isInteger = form.d == Type::S32;
  if (isInteger && form.columns > 32 && form.columns % 16)
    return fail("wgmma of integers has N = 8, 24 or a multiple of 16");
  unsigned perRegister = form.d == Type::F16 ? 2 : 1;
  if (decoded.vector(0).size() != form.columns / 2 / perRegister)
    return fail("D of m64n" + Twine(form.columns) + " has " +
                Twine(form.columns / 2 / perRegister) + " registers, not " +
                Twine(decoded.vector(0).size()));
  form.isRegisterA = decoded.vector(1).size() == 4;
  if (!form.isRegisterA &&
      (decoded.vector(1).size() != 1 || decoded.value(1).bits != 64))
    return fail("A is a descriptor of 64 bits or four registers of 32");
  // Integers are not scaled; only types of 16 bits can be MN-major, and only in
  // shared memory.
  bool isWide = getBitWidth(form.a) == 16;
  unsigned immediates =
      isInteger ? 0 : 2 + (isWide ? 2 - unsigned(form.isRegisterA) : 0);
  if (decoded.getNumOperands() != 4 + immediates)
    return fail("this wgmma has " + Twine(immediates) +
                " immediates behind scale-d, not " +
                Twine(decoded.getNumOperands() - 4));
  if (immediates) {
    form.negatesA = readSign(warp, decoded.value(4));
    form.negatesB = readSign(warp, decoded.value(5));
    if (isWide && !form.isRegisterA)
      form.isMNMajorA = readFlag(warp, decoded.value(6));
    if (isWide)
      form.isMNMajorB = readFlag(warp, decoded.value(3 + immediates));
  }
  return form;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

/// The registers that wgmmas of the program use, for `Warp::touches`.
static void watchRegisters(Warp &warp) {
  const Program &program = warp.machine.program;
  warp.touches.assign(program.numRegisters, Warp::unwatched);
  for (const Decoded &decoded : program.code) {
    if (!decoded.isWgmma() || !decoded.hasModifier("mma_async"))
      continue;
    for (unsigned operand : {0, 1})
      for (const Value &value : decoded.vector(operand))
        if (!value.isSink && value.bits == 32)
          warp.touches[value.index] = 0;
  }
}

static void fence(Warp &warp, const Decoded &) {
  if (warp.checkConverged())
    return;
  if (warp.touches.empty())
    return watchRegisters(warp);
  for (uint32_t &line : warp.touches)
    if (line != Warp::unwatched)
      line = 0;
}

static bool haveSameRegisters(llvm::ArrayRef<Value> a,
                              llvm::ArrayRef<Value> b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](const Value &x, const Value &y) {
                                              return x.index == y.index &&
                                                     x.isSink == y.isSink;
                                            });
}

/// Whether `d` belongs to a wgmma that the warp has not waited for: then they
/// run in order.
static bool isChained(Warpgroup &group, const Warpgroup::Member &member,
                      llvm::ArrayRef<Value> d) {
  for (uint64_t i = member.begun; i-- > member.released;)
    if (haveSameRegisters(group.get(i).decoded->vector(0), d))
      return true;
  return false;
}

/// Registers of A and D may be used: fenced, initialised, not in use by another
/// operation (PTX ISA 9.7.15.7.1). False after a fault.
static bool checkRegisters(Warp &warp, const Decoded &decoded,
                           const WgmmaForm &form, bool isChained,
                           bool accumulates) {
  unsigned lane = llvm::countr_zero(warp.active);
  auto fail = [&](const Twine &message) {
    warp.fault(lane, message);
    return false;
  };
  if (warp.touches.empty())
    return fail("no wgmma.fence before the first wgmma of the warp: "
                "wgmma.fence.sync.aligned has to come before it");
  auto checkFence = [&](const Value &value) {
    uint32_t line = warp.touches[value.index];
    if (!line || line == Warp::unwatched)
      return true;
    return fail("register '" +
                warp.machine.program.getRegisterName(value.index) +
                "' was accessed in line " + Twine(line) +
                " since the last wgmma.fence: a wgmma.fence has to come "
                "between");
  };
  for (const Value &value : decoded.vector(0)) {
    if (value.isSink)
      return fail("D needs all its registers");
    if (isChained)
      continue;
    if (warp.isOwned(value))
      return fail("register '" +
                  warp.machine.program.getRegisterName(value.index) +
                  "' is in use by a wgmma of another shape or as an operand: " +
                  missingWait + " has to come before");
    if (!checkFence(value) || (accumulates && !warp.read(value)))
      return false;
  }
  if (form.isRegisterA)
    for (const Value &value : decoded.vector(1))
      if (!warp.read(value) || !checkFence(value))
        return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Starting
//===----------------------------------------------------------------------===//

/// The operand that a descriptor means; false after a fault.
static bool assignOperand(Warp &warp, SharedOperand &operand, const char *name,
                          uint64_t bits, bool isMNMajor, unsigned rows,
                          Type type) {
  std::string problem;
  std::optional<SharedDescriptor> descriptor =
      decodeSharedDescriptor(bits, DescriptorKind::Wgmma, problem);
  if (descriptor &&
      operand.assign(warp.parent.shared, *descriptor, isMNMajor, rows,
                     operandBytes, getBitWidth(type) / 8, chunkBytes, problem))
    return true;
  warp.fault(llvm::countr_zero(warp.active), name + Twine(": ") + problem);
  return false;
}

/// Where the operands of a new operation lie; false after a fault.
static bool makeProduct(Warp &warp, WarpgroupOperation &operation,
                        const WgmmaForm &form) {
  auto product = std::make_shared<WgmmaProduct>();
  product->decoded = operation.decoded;
  product->form = form;
  product->accumulates = operation.accumulates;
  unsigned first = warp.number / Warpgroup::numWarps * Warpgroup::numWarps;
  for (unsigned w = 0; w < Warpgroup::numWarps; ++w)
    product->warps[w] = warp.parent.warps[first + w].get();
  if ((!form.isRegisterA &&
       !assignOperand(warp, product->a, "matrix A", operation.descriptorA,
                      form.isMNMajorA, WgmmaProduct::numRows, form.a)) ||
      !assignOperand(warp, product->b, "matrix B", operation.descriptorB,
                     form.isMNMajorB, form.columns, form.b))
    return false;
  operation.product = std::move(product);
  return true;
}

/// The warp's part of operation `number` reads shared memory from now on.
static void startReads(Warp &warp, Warpgroup &group, uint64_t number) {
  unsigned w = warp.number % Warpgroup::numWarps;
  constexpr unsigned rows = WgmmaProduct::numRows / Warpgroup::numWarps;
  WarpgroupOperation &operation = group.get(number);
  const WgmmaProduct &product = *operation.product;
  AsyncOperation reads;
  reads.isGrouped = true;
  if (!product.form.isRegisterA)
    product.a.addFootprints(reads.reads, w * rows, rows);
  product.b.addFootprints(reads.reads);
  reads.perform = [&group, number, w](AsyncOperation &self) {
    WarpgroupOperation &operation = group.get(number);
    operation.reads[w] = nullptr;
    operation.done[w] = self.knowledge;
  };
  operation.reads[w] = warp.cluster.start(warp, std::move(reads));
}

/// All four warps have executed operation `number`.
static void startProduct(Warp &warp, Warpgroup &group, uint64_t number) {
  WarpgroupOperation &operation = group.get(number);
  const WgmmaForm &form = operation.product->form;
  MatrixProduct sums(warp.machine, TensorUnit::Wgmma, form.d, form.a, 0,
                     operation.decoded->sat);
  if (sums.isUnknown())
    return warp.fault(0, "no model of this target's wgmma is published: use "
                         "--accumulate exact");
  AsyncOperation async;
  async.queue = group.queue;
  async.isGrouped = true;
  async.perform = [&group, number, sums](AsyncOperation &) {
    WarpgroupOperation &operation = group.get(number);
    operation.product->run(sums);
    operation.operation = nullptr;
  };
  operation.operation = warp.cluster.start(warp, std::move(async));
}

static void mmaAsync(Warp &warp, const Decoded &decoded) {
  unsigned lane = llvm::countr_zero(warp.active);
  if (warp.checkConverged())
    return;
  Warpgroup *group = getWarpgroup(warp);
  if (!group)
    return warp.fault(lane, "wgmma needs four warps, the first of them a "
                            "multiple of four; the block has " +
                                Twine(warp.parent.warps.size()));
  std::optional<WgmmaForm> form = getForm(warp, decoded);
  if (!form || warp.hasFault())
    return;
  std::optional<uint64_t> descriptorA = 0;
  if (!form->isRegisterA)
    descriptorA = warp.readUniform(decoded.value(1), "the descriptor of A");
  std::optional<uint64_t> descriptorB =
      warp.readUniform(decoded.value(2), "the descriptor of B");
  uint32_t holds = warp.readPredicate(decoded.value(3)) & warp.active;
  if (!descriptorA || !descriptorB || warp.hasFault())
    return;
  if (holds && holds != warp.active)
    return warp.fault(lane, "scale-d has to be the same in all lanes");

  Warpgroup::Member &member = group->members[warp.number % Warpgroup::numWarps];
  bool chained = isChained(*group, member, decoded.vector(0));
  if (!checkRegisters(warp, decoded, *form, chained, holds))
    return;
  uint64_t number = member.begun++;
  bool isFirst = group->makeOperation(number);
  WarpgroupOperation &operation = group->get(number);
  if (isFirst) {
    operation.origin = warp.getOrigin(lane);
    operation.decoded = &decoded;
    operation.descriptorA = *descriptorA;
    operation.descriptorB = *descriptorB;
    operation.accumulates = holds;
    if (!makeProduct(warp, operation, *form))
      return;
  } else if (operation.decoded != &decoded) {
    return warp.fault(lane, "warp " + Twine(operation.origin.warp) +
                                " of the warpgroup executed the wgmma in "
                                "line " +
                                Twine(operation.origin.source->location.line) +
                                " instead: its four warps have to execute the "
                                "same");
  } else if (operation.descriptorA != *descriptorA ||
             operation.descriptorB != *descriptorB ||
             operation.accumulates != (holds != 0)) {
    return warp.fault(lane, "the descriptors or scale-d are not those of "
                            "warp " +
                                Twine(operation.origin.warp) +
                                ": they have to be the same in the warpgroup");
  }
  startReads(warp, *group, number);
  if (warp.hasFault())
    return;
  for (const Value &value : decoded.vector(0))
    warp.own(value, missingWait, /*readable=*/false);
  if (form->isRegisterA)
    for (const Value &value : decoded.vector(1))
      warp.own(value, missingWait, /*readable=*/true);
  operation.arrived |= 1u << warp.number % Warpgroup::numWarps;
  if (operation.arrived == Warpgroup::allWarps)
    startProduct(warp, *group, number);
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

static void commitGroup(Warp &warp, const Decoded &) {
  if (warp.checkConverged())
    return;
  // Without wgmmas before it a group is empty.
  if (Warpgroup *group = getWarpgroup(warp)) {
    Warpgroup::Member &member =
        group->members[warp.number % Warpgroup::numWarps];
    member.groups.push_back(member.begun);
  }
}

static std::string describeWait(uint64_t line, uint64_t warp) {
  return ("waits for the wgmma in line " + Twine(line) + ", which warp " +
          Twine(warp) + " of its warpgroup has not executed,")
      .str();
}

static void waitGroup(Warp &warp, const Decoded &decoded) {
  if (warp.checkConverged())
    return;
  Warpgroup *group = getWarpgroup(warp);
  if (!group)
    return;
  unsigned w = warp.number % Warpgroup::numWarps;
  Warpgroup::Member &member = group->members[w];
  uint64_t mayPend = warp.lanes(decoded.value(0))[0];
  while (member.groups.size() > mayPend) {
    for (uint64_t end = member.groups.front(); member.released < end;) {
      WarpgroupOperation &operation = group->get(member.released);
      unsigned missing = Warpgroup::allWarps & ~operation.arrived;
      if (missing)
        return warp.block({describeWait, operation.origin.source->location.line,
                           unsigned(llvm::countr_zero(missing))});
      if (operation.operation)
        warp.cluster.complete(operation.operation);
      if (AsyncOperation *reads = operation.reads[w])
        warp.cluster.complete(reads);
      if (warp.hasFault())
        return;
      warp.acquireFrom(operation.done[w]);
      for (const Value &value : operation.decoded->vector(0))
        warp.release(value, allLanes, /*isWritten=*/true);
      if (operation.decoded->vector(1).size() == 4)
        for (const Value &value : operation.decoded->vector(1))
          warp.release(value, 0, /*isWritten=*/false);
      operation.released |= 1u << w;
      ++member.released;
    }
    member.groups.pop_front();
  }
  group->discard();
}

#define SHAPES(K)                                                              \
  "m64n8" K " m64n16" K " m64n24" K " m64n32" K " m64n40" K " m64n48" K        \
  " m64n56" K " m64n64" K " m64n72" K " m64n80" K " m64n88" K " m64n96" K      \
  " m64n104" K " m64n112" K " m64n120" K " m64n128" K " m64n136" K             \
  " m64n144" K " m64n152" K " m64n160" K " m64n168" K " m64n176" K             \
  " m64n184" K " m64n192" K " m64n200" K " m64n208" K " m64n216" K             \
  " m64n224" K " m64n232" K " m64n240" K " m64n248" K " m64n256" K
#define FP8 "e4m3|e5m2"
// scale-d, imm-scale-a, imm-scale-b, imm-trans-a, imm-trans-b.
#define OPERANDS "V=32 v* s=64 P i? i? i? i?"
#define MMA "wgmma.mma_async.sync.aligned"

static const Row rows[] = {
    {"wgmma.fence.sync.aligned", "", "", "", fence},
    {"wgmma.commit_group.sync.aligned", "", "", "", commitGroup},
    {"wgmma.wait_group.sync.aligned", "", "", "i", waitGroup},
    {MMA, "f32|f16 f16 f16", SHAPES("k16"), OPERANDS, mmaAsync},
    {MMA, "f32 bf16 bf16", SHAPES("k16"), OPERANDS, mmaAsync},
    {MMA, "f32 tf32 tf32", SHAPES("k8"), OPERANDS, mmaAsync},
    {MMA, "f32|f16 " FP8 " " FP8, SHAPES("k32"), OPERANDS, mmaAsync},
    {MMA, "s32 s8|u8 s8|u8", SHAPES("k32") " satfinite", OPERANDS, mmaAsync},
};

llvm::ArrayRef<Row> mx::ptx::getWgmmaRows() { return rows; }
