// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls of functions (PTX ISA 7.1, 9.7.12.5) and the stack of a thread (7.3,
// 9.7.17). A call pushes an entry onto the warp's stack of lane masks; when all
// its lanes have returned, the results are handed over. Frames lie one behind
// another in local memory, at an address of each lane's own.

#include "Decoder.h"
#include "Warp.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Twine;

static constexpr size_t maxDepth = 1024;
static constexpr uint64_t stackAlignment = 16;

static Region &getLocal(Warp &warp, unsigned lane) {
  Space space = Space::Local;
  uint64_t address = 0;
  return *warp.findRegion(lane, space, address);
}

namespace {
/// A parameter or result on its way between two frames.
struct Parcel {
  uint64_t values[warpSize] = {};
  uint32_t initialized = 0;
};
} // namespace

/// The value of a register, or the first bytes of a place in the frames.
static Parcel pick(Warp &warp, const std::optional<Value> &value,
                   uint64_t offset, uint64_t size) {
  Parcel parcel;
  if (value) {
    parcel.initialized = warp.getInitialized(*value);
    std::copy_n(warp.lanes(*value), warpSize, parcel.values);
    return parcel;
  }
  if (size > 8)
    return parcel;
  forEachLane(warp.active, [&](unsigned lane) {
    Region &local = getLocal(warp, lane);
    uint64_t address = warp.frameBase[lane] + offset;
    std::memcpy(&parcel.values[lane], local.at(address), size);
    if (areStatesFine(local.stateAt(address), size, Access::Read))
      parcel.initialized |= 1u << lane;
  });
  return parcel;
}

static void put(Warp &warp, const Parcel &parcel,
                const std::optional<Value> &value, uint64_t offset,
                uint64_t size) {
  uint32_t all = warp.active;
  warp.active &= parcel.initialized;
  if (value && !value->isSink) {
    uint64_t keep = llvm::maskTrailingOnes<uint64_t>(value->bits);
    uint64_t *lanes = warp.write(*value);
    forEachLane(warp.active,
                [&](unsigned i) { lanes[i] = parcel.values[i] & keep; });
  } else if (!value) {
    forEachLane(warp.active, [&](unsigned lane) {
      getLocal(warp, lane)
          .write(warp.frameBase[lane] + offset, &parcel.values[lane], size);
    });
  }
  warp.active = all;
}

/// Bytes and their states from one frame to another.
static void copyBytes(Warp &warp, const uint64_t *from, uint64_t fromOffset,
                      const uint64_t *to, uint64_t toOffset, uint64_t size) {
  forEachLane(warp.active, [&](unsigned lane) {
    Region &local = getLocal(warp, lane);
    uint64_t source = from[lane] + fromOffset, target = to[lane] + toOffset;
    std::memcpy(local.at(target), local.at(source), size);
    std::copy_n(local.stateAt(source), size, local.stateAt(target));
  });
}

void mx::ptx::callRoutine(Warp &warp, const Decoded &decoded) {
  const Program &program = warp.machine.program;
  const CallSite &site = program.calls[decoded.target];
  const Routine &routine = program.routines[site.routine];
  unsigned first = llvm::countr_zero(warp.active);
  if (warp.calls.size() == maxDepth)
    return warp.fault(first,
                      "calls nest deeper than " + Twine(unsigned(maxDepth)));
  Activation activation;
  activation.site = &site;
  activation.boundary = warp.stack.size();
  activation.mask = warp.active;
  uint64_t base[warpSize] = {};
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    activation.frameBase[lane] = warp.frameBase[lane];
    activation.stackTop[lane] = warp.stackTop[lane];
    base[lane] = llvm::alignTo(warp.stackTop[lane], stackAlignment);
    if ((warp.active >> lane & 1) &&
        base[lane] + routine.frameSize > program.localSize)
      return warp.fault(
          lane, "stack overflow: the frame of '" + routine.function->name +
                    "' needs more than the " + Twine(program.localSize) +
                    " bytes of local memory");
  }
  // Arguments are read before anything of the function is touched: it may be
  // the caller itself.
  llvm::SmallVector<Parcel, 4> parcels;
  for (auto [passed, formal] : llvm::zip_equal(site.inputs, routine.params))
    parcels.push_back(pick(warp, passed.value, passed.offset, formal.size));
  if (routine.isRecursive) {
    // They are kept for each call, and text must not fill the memory.
    constexpr size_t most = 1 << 18;
    size_t kept = routine.numRegisters;
    for (const Activation &outer : warp.calls)
      kept += outer.initialized.size();
    if (kept > most)
      return warp.fault(first, "the registers of nested calls are more than " +
                                   Twine(unsigned(most)));
    Value value;
    for (uint32_t i = 0; i < routine.numRegisters; ++i) {
      value.index = routine.firstRegister + i;
      activation.values.insert(activation.values.end(), warp.lanes(value),
                               warp.lanes(value) + warpSize);
      activation.initialized.push_back(warp.getInitialized(value));
    }
  }
  warp.forget(routine.firstRegister, routine.numRegisters);
  forEachLane(warp.active, [&](unsigned lane) {
    if (routine.frameSize)
      getLocal(warp, lane)
          .setState(base[lane], routine.frameSize, ByteState::Uninitialized);
    warp.frameBase[lane] = base[lane];
    warp.stackTop[lane] = base[lane] + routine.frameSize;
  });
  for (auto [i, index] : llvm::enumerate(routine.addressRegisters)) {
    if (!index)
      continue;
    Value value;
    value.index = index;
    uint64_t *lanes = warp.write(value);
    forEachLane(warp.active, [&, i = i](unsigned lane) {
      lanes[lane] = base[lane] + routine.addresses[i];
    });
  }
  for (auto [parcel, passed, formal] :
       llvm::zip_equal(parcels, site.inputs, routine.params)) {
    if (passed.value || formal.value)
      put(warp, parcel, formal.value, formal.offset, formal.size);
    else
      copyBytes(warp, activation.frameBase, passed.offset, base, formal.offset,
                formal.size);
  }
  // No branch meets there, so that the entry stays until its lanes are gone.
  uint32_t nowhere = uint32_t(1) << 31 | uint32_t(warp.calls.size());
  warp.calls.push_back(std::move(activation));
  warp.stack.push_back({routine.firstInstruction, nowhere, warp.active});
}

void Warp::leaveCall(uint32_t mask) {
  if (calls.empty())
    return exit(mask);
  for (size_t i = calls.back().boundary; i < stack.size(); ++i)
    stack[i].mask &= ~mask;
  ++stack.back().pc;
}

void Warp::finishCall() {
  Activation activation = std::move(calls.back());
  calls.pop_back();
  const CallSite &site = *activation.site;
  const Routine &routine = machine.program.routines[site.routine];
  active = activation.mask & live;
  llvm::SmallVector<Parcel, 2> parcels;
  for (const Formal &formal : routine.results)
    parcels.push_back(pick(*this, formal.value, formal.offset, formal.size));
  uint64_t base[warpSize];
  std::copy_n(frameBase, warpSize, base);
  forEachLane(activation.mask, [&](unsigned lane) {
    frameBase[lane] = activation.frameBase[lane];
    stackTop[lane] = activation.stackTop[lane];
  });
  if (routine.isRecursive) {
    Value value;
    for (uint32_t i = 0; i < routine.numRegisters; ++i) {
      value.index = routine.firstRegister + i;
      forEachLane(active, [&](unsigned lane) {
        lanes(value)[lane] = activation.values[i * warpSize + lane];
      });
      initialized[value.index] = (initialized[value.index] & ~active) |
                                 (activation.initialized[i] & active);
    }
  }
  for (auto [parcel, passed, formal] :
       llvm::zip_equal(parcels, site.outputs, routine.results)) {
    if (passed.value || formal.value)
      put(*this, parcel, passed.value, passed.offset, formal.size);
    else
      copyBytes(*this, base, formal.offset, frameBase, passed.offset,
                formal.size);
  }
}

void Warp::forget(uint32_t first, uint32_t count) {
  for (uint32_t i = first; i < first + count; ++i)
    initialized[i] &= ~active;
}

//===----------------------------------------------------------------------===//
// The stack (PTX ISA 9.7.17)
//===----------------------------------------------------------------------===//

/// alloca d, size{, alignment}: bytes that live until the function returns.
static void allocaBytes(Warp &warp, const Decoded &decoded) {
  const uint64_t *size = warp.read(decoded.value(1));
  const uint64_t *wanted =
      decoded.getNumOperands() == 3 ? warp.read(decoded.value(2)) : nullptr;
  if (!size || (decoded.getNumOperands() == 3 && !wanted))
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned lane) {
    uint64_t alignment = wanted ? wanted[lane] : 8;
    if (!llvm::isPowerOf2_64(alignment) || alignment > (1 << 23))
      return warp.fault(lane, "alloca: the alignment is not a power of two up "
                              "to 2^23");
    uint64_t address = llvm::alignTo(warp.stackTop[lane], alignment);
    if (size[lane] > warp.machine.program.localSize ||
        address + size[lane] > warp.machine.program.localSize)
      return warp.fault(lane, "stack overflow: alloca of " + Twine(size[lane]) +
                                  " bytes");
    warp.stackTop[lane] = address + size[lane];
    d[lane] = address;
  });
}

static void stackSave(Warp &warp, const Decoded &decoded) {
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = warp.stackTop[i]; });
}

static void stackRestore(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(0));
  if (!a)
    return;
  forEachLane(warp.active, [&](unsigned lane) {
    if (a[lane] > warp.stackTop[lane] || a[lane] < warp.frameBase[lane])
      return warp.fault(lane, "stackrestore of a value that stacksave did not "
                              "give");
    warp.stackTop[lane] = a[lane];
  });
}

static const Row rows[] = {
    {"alloca", "u32|u64", "", "d s i?", allocaBytes},
    {"stacksave", "u32|u64", "", "d", stackSave},
    {"stackrestore", "u32|u64", "", "s", stackRestore},
};

llvm::ArrayRef<Row> mx::ptx::getStackRows() { return rows; }
