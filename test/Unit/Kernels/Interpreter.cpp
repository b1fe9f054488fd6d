// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ThreadBlock.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mx;
using namespace mx::test;

//===----------------------------------------------------------------------===//
// Set-up
//===----------------------------------------------------------------------===//

ThreadBlock::ThreadBlock(gpu::GPUFuncOp kernel, std::array<int64_t, 3> id,
                         int numThreads, int64_t sharedBytes,
                         ArrayRef<Argument> arguments)
    : id(id), numThreads(numThreads), active(numThreads, 1),
      shared(sharedBytes) {
  for (auto [value, argument] :
       llvm::zip_equal(kernel.getArguments(), arguments)) {
    uint64_t bits = argument.scalar;
    if (argument.buffer) {
      buffers.push_back(argument.buffer);
      bits = uint64_t(buffers.size()) << bufferShift;
    }
    Lanes &lanes = set(value);
    std::fill(lanes.bits.begin(), lanes.bits.end(), bits);
  }
}

ThreadBlock::ThreadBlock(func::FuncOp function, int numThreads,
                         ArrayRef<std::vector<uint64_t>> arguments)
    : numThreads(numThreads), active(numThreads, 1) {
  for (auto [value, argument] :
       llvm::zip_equal(function.getArguments(), arguments))
    set(value).bits = argument;
}

bool ThreadBlock::run(Block &block) {
  for (Operation &op : block)
    if (!execute(&op))
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

bool ThreadBlock::getUniform(Operation *op, Value value, int64_t &result) {
  Lanes &lanes = get(value);
  bool first = true;
  for (int t = 0; t < numThreads; ++t) {
    if (!active[t])
      continue;
    int64_t bits = extend(value.getType(), lanes.bits[t]);
    if (!first && bits != result)
      return fail(op, "threads disagree");
    result = bits;
    first = false;
  }
  return true;
}

bool ThreadBlock::executeFor(scf::ForOp op) {
  Mask outer = active;
  std::vector<uint64_t> next = get(op.getLowerBound()).bits;
  const std::vector<uint64_t> end = get(op.getUpperBound()).bits;
  const std::vector<uint64_t> step = get(op.getStep()).bits;
  Type type = op.getInductionVar().getType();
  std::vector<Lanes> carried;
  for (Value init : op.getInitArgs())
    carried.push_back(get(init));
  // Threads that have done their trips keep their values and wait.
  for (;;) {
    bool any = false;
    for (int t = 0; t < numThreads; ++t) {
      active[t] = outer[t] && extend(type, next[t]) < extend(type, end[t]);
      any |= active[t];
    }
    if (!any)
      break;
    set(op.getInductionVar()).bits = next;
    for (auto [argument, lanes] :
         llvm::zip_equal(op.getRegionIterArgs(), carried))
      set(argument) = lanes;
    if (!run(*op.getBody()))
      return false;
    for (auto [lanes, value] :
         llvm::zip_equal(carried, op.getYieldedValues())) {
      const Lanes &yielded = get(value);
      for (int t = 0; t < numThreads; ++t)
        if (active[t])
          std::copy_n(yielded.bits.begin() + t * lanes.count, lanes.count,
                      lanes.bits.begin() + t * lanes.count);
    }
    for (int t = 0; t < numThreads; ++t)
      if (active[t])
        next[t] = mask(type, next[t] + step[t]);
  }
  active = std::move(outer);
  for (auto [result, lanes] : llvm::zip_equal(op.getResults(), carried))
    set(result) = lanes;
  return true;
}

bool ThreadBlock::shuffle(gpu::ShuffleOp op) {
  int64_t width;
  if (op.getMode() != gpu::ShuffleMode::XOR ||
      !getUniform(op, op.getWidth(), width) || width != warpSize)
    return fail(op, "only shuffles by exclusive or in whole warps are known");
  const Lanes value = get(op.getValue()), offset = get(op.getOffset());
  Lanes &result = set(op.getShuffleResult());
  for (int t = 0; t < numThreads; ++t) {
    int lane = t % warpSize ^ int(offset.bits[t]);
    int source = t / warpSize * warpSize + lane;
    if (!active[t] || lane >= warpSize || !active[source])
      return fail(op, "a lane of the warp does not take part");
    result.bits[t] = value.bits[source];
  }
  Lanes &valid = set(op.getValid());
  std::fill(valid.bits.begin(), valid.bits.end(), 1);
  return true;
}

bool ThreadBlock::executeIf(scf::IfOp op) {
  if (op.getNumResults() || !op.getElseRegion().empty())
    return fail(op, "unknown if");
  Mask outer = active;
  bool any = false;
  for (int t = 0; t < numThreads; ++t) {
    active[t] = outer[t] && get(op.getCondition()).bits[t];
    any |= active[t];
  }
  bool ok = !any || run(*op.thenBlock());
  active = std::move(outer);
  return ok;
}

bool ThreadBlock::execute(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  if (dialect == "arith")
    return executeArith(op);
  if (dialect == "vector")
    return executeVector(op);
  if (dialect == "mxgpu")
    return executeMXGPU(op);
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<scf::ForOp>([&](auto op) { return executeFor(op); })
      .Case<scf::IfOp>([&](auto op) { return executeIf(op); })
      .Case<scf::YieldOp, gpu::ReturnOp>([&](auto) { return true; })
      .Case<math::FmaOp>([&](auto) {
        return mapFloat(op, [](const double *x) {
          // The product of two f32 is exact in double.
          return x[0] * x[1] + x[2];
        });
      })
      .Case<gpu::ThreadIdOp, gpu::BlockIdOp>([&](auto typed) {
        Lanes &lanes = set(typed.getResult());
        auto dim = int(typed.getDimension());
        for (int t = 0; t < numThreads; ++t)
          lanes.bits[t] = isa<gpu::BlockIdOp>(op) ? id[dim] : dim ? 0 : t;
        return true;
      })
      .Case<gpu::BarrierOp>([&](auto) {
        ++epoch;
        return llvm::all_of(active, [](char c) { return c; }) ||
               fail(op, "not all threads come to the barrier");
      })
      .Case<gpu::ShuffleOp>([&](auto op) { return shuffle(op); })
      .Case<LLVM::AddressOfOp>([&](auto typed) {
        Lanes &lanes = set(typed.getResult());
        std::fill(lanes.bits.begin(), lanes.bits.end(), sharedBase);
        return true;
      })
      .Case<LLVM::GEPOp>([&](LLVM::GEPOp gep) {
        if (gep.getIndices().size() != 1 || !gep.getElemType().isInteger(8))
          return fail(op, "unknown getelementptr");
        Lanes offsets;
        offsets.bits.resize(numThreads);
        auto index = *gep.getIndices().begin();
        for (int t = 0; t < numThreads; ++t) {
          if (auto value = dyn_cast<Value>(index))
            offsets.bits[t] = extend(value.getType(), get(value).bits[t]);
          else
            offsets.bits[t] = int64_t(cast<IntegerAttr>(index).getInt());
          offsets.bits[t] += get(gep.getBase()).bits[t];
        }
        set(gep.getResult()).bits = std::move(offsets.bits);
        return true;
      })
      .Case<LLVM::LoadOp>([&](auto op) { return load(op); })
      .Case<LLVM::StoreOp>([&](auto op) { return store(op); })
      .Case<LLVM::ExtractValueOp>([&](LLVM::ExtractValueOp extract) {
        const Lanes source = get(extract.getContainer());
        Lanes &result = set(extract.getResult());
        for (int t = 0; t < numThreads; ++t)
          result.bits[t] =
              source.bits[t * source.count + extract.getPosition()[0]];
        return true;
      })
      .Case<NVVM::CpAsyncOp>([&](auto op) { return executeCopy(op); })
      .Case<NVVM::CpAsyncCommitGroupOp>([&](auto) {
        groups.push_back(std::move(openCopies));
        openCopies.clear();
        return true;
      })
      .Case<NVVM::CpAsyncWaitGroupOp>(
          [&](auto wait) { return waitForCopies(op, wait.getN()); })
      .Case<NVVM::LdMatrixOp>([&](auto op) { return loadMatrix(op); })
      .Case<NVVM::MmaOp>([&](auto op) { return multiply(op); })
      .Case<func::ReturnOp>([&](func::ReturnOp ret) {
        result = get(ret.getOperand(0)).bits;
        return true;
      })
      .Default([&](Operation *op) { return fail(op, "unknown op"); });
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

llvm::Error mx::test::run(gpu::GPUFuncOp kernel, std::array<int64_t, 3> grid,
                          int64_t numThreads, int64_t sharedBytes,
                          ArrayRef<Argument> arguments) {
  for (int64_t z = 0; z < grid[2]; ++z)
    for (int64_t y = 0; y < grid[1]; ++y)
      for (int64_t x = 0; x < grid[0]; ++x) {
        ThreadBlock block(kernel, {x, y, z}, numThreads, sharedBytes,
                          arguments);
        if (!block.run(kernel.getBody().front()))
          return llvm::createStringError("block (" + Twine(x) + ", " +
                                         Twine(y) + ", " + Twine(z) +
                                         "): " + block.error);
      }
  return llvm::Error::success();
}

llvm::Expected<std::vector<uint64_t>>
mx::test::evaluate(func::FuncOp function, int64_t numThreads,
                   ArrayRef<std::vector<uint64_t>> arguments) {
  ThreadBlock block(function, numThreads, arguments);
  if (!block.run(function.getBody().front()))
    return llvm::createStringError(block.error);
  return std::move(block.result);
}
