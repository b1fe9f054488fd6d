// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers: which have a value, and which asynchronous operations own.

#include "Warp.h"

#include "llvm/Support/MathExtras.h"

using namespace mx::ptx;
using llvm::Twine;

void Warp::faultUninitialized(const Value &value) {
  if (!cluster.getChecks().uninitialized && !isOwned(value)) {
    initialized[value.index] |= active;
    return;
  }
  uint32_t missing = active & ~initialized[value.index];
  unsigned lane = llvm::countr_zero(missing);
  std::string name = machine.program.getRegisterName(value.index);
  auto owner = owners.find(value.index);
  if (owner != owners.end() && owner->second.initialized >> lane & 1)
    return fault(lane, "read of register '" + name +
                           "', which an asynchronous operation will write: " +
                           owner->second.what + " is missing");
  auto from = spread.find(value.index);
  if (from == spread.end())
    return fault(lane,
                 "read of register '" + name + "', which was never written");
  fault(lane, "read of register '" + name + "', which line " +
                  Twine(from->second.by->location.line) + " computes from '" +
                  machine.program.getRegisterName(from->second.from) +
                  "', which was never written");
}

void Warp::spreadUndefined(const Value &to, uint32_t lanes,
                           std::initializer_list<const Value *> sources) {
  for (const Value *source : sources) {
    if ((lanes & ~initialized[source->index]) == 0)
      continue;
    if (isOwned(*source))
      return faultUninitialized(*source);
    // Where it began.
    auto from = spread.find(source->index);
    spread[to.index] = from == spread.end()
                           ? Spread{source->index, current->source}
                           : from->second;
    break;
  }
}

void Warp::own(const Value &value, const char *what, bool readable) {
  auto [it, isNew] =
      owners.try_emplace(value.index, Owner{what, 0, initialized[value.index]});
  ++it->second.count;
  if (!readable) {
    it->second.initialized |= active;
    initialized[value.index] &= ~active;
  }
}

void Warp::release(const Value &value, uint32_t mask, bool isWritten) {
  auto it = owners.find(value.index);
  if (it == owners.end() || --it->second.count)
    return;
  initialized[value.index] = it->second.initialized;
  if (isWritten)
    initialized[value.index] |= mask;
  owners.erase(it);
}

uint64_t Warp::getDefined(const Value &value, unsigned lane) const {
  if (initialized[value.index] >> lane & 1)
    return ~uint64_t(0);
  auto it = partly.find(value.index);
  return it == partly.end() ? 0 : it->second[lane];
}

void Warp::writePartly(const Value &value, unsigned lane, uint64_t bits,
                       uint64_t defined, unsigned width) {
  uint32_t bit = 1u << lane;
  bool isWhole = defined == llvm::maskTrailingOnes<uint64_t>(width);
  if (LLVM_UNLIKELY(!owners.empty()))
    checkOwner(value);
  lanes(value)[lane] = bits;
  if (isWhole) {
    initialized[value.index] |= bit;
    return;
  }
  initialized[value.index] &= ~bit;
  partly[value.index][lane] = defined;
}

void Warp::checkOwner(const Value &value) {
  auto owner = owners.find(value.index);
  if (owner != owners.end())
    fault(llvm::countr_zero(active),
          "write of register '" + machine.program.getRegisterName(value.index) +
              "', which an asynchronous operation uses: " + owner->second.what +
              " is missing");
}

std::optional<uint64_t> Warp::readUniform(const Value &value,
                                          const char *what) {
  const uint64_t *values = read(value);
  if (!values)
    return std::nullopt;
  unsigned first = llvm::countr_zero(active);
  for (unsigned lane = first + 1; lane < warpSize; ++lane)
    if ((active >> lane & 1) && values[lane] != values[first]) {
      fault(lane, what + Twine(" has to be the same in all lanes"));
      return std::nullopt;
    }
  return values[first];
}

bool Warp::checkMask(const Value &mask) {
  const uint64_t *masks = read(mask);
  if (!masks)
    return true;
  bool isWrong = false;
  forEachLane(active, [&](unsigned i) {
    uint32_t members = masks[i];
    isWrong |= !(members >> i & 1) || (members & live & ~active);
  });
  if (isWrong)
    fault(llvm::countr_zero(active),
          "the executing lanes do not agree with the member mask");
  return isWrong;
}

bool Warp::checkConverged() {
  if (LLVM_LIKELY(active == live))
    return false;
  fault(llvm::countr_zero(active),
        "divergent warp: all its threads have to execute this instruction "
        "together");
  return true;
}
