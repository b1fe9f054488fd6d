// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Fingerprint.h"

#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mx;

namespace {

/// Order-dependent combination of hashes that, unlike llvm::hash_code, is the
/// same in every process.
class Hash {
public:
  void add(uint64_t value) {
    state = (state ^ value) * 0x9E3779B97F4A7C15ull;
    state ^= state >> 29;
  }
  void add(StringRef text) { add(llvm::xxh3_64bits(text)); }
  uint64_t get() const { return state; }

private:
  uint64_t state = 0x243F6A8885A308D3ull;
};

class Fingerprinter {
public:
  explicit Fingerprinter(ArrayRef<PlanEntryAttr> plan) : plan(plan) {}

  /// Visits each op once; the hash of what the block computes for its parent or
  /// stores. Ops in between count by what they feed, as in a function: one that
  /// the plan rewrites is not a change of the loop that it is in.
  uint64_t visitBlock(Block &block, unsigned depth);
  llvm::DenseMap<Operation *, Fingerprint> fingerprints;

private:
  uint64_t hashPrinted(const void *key,
                       function_ref<void(raw_ostream &)> print);
  uint64_t hashType(Type type);
  uint64_t hashAttribute(Attribute attribute);
  uint64_t hashSelf(Operation *op, unsigned depth);
  uint64_t hashOrigins(Operation *op);
  uint64_t getOrigin(Value value);

  ArrayRef<PlanEntryAttr> plan;
  llvm::DenseMap<const void *, uint64_t> printed;
  llvm::DenseMap<Value, uint64_t> origins;
};

} // namespace

uint64_t Fingerprinter::hashPrinted(const void *key,
                                    function_ref<void(raw_ostream &)> print) {
  auto [it, isNew] = printed.try_emplace(key);
  if (isNew) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    print(stream);
    it->second = llvm::xxh3_64bits(text);
  }
  return it->second;
}

uint64_t Fingerprinter::hashType(Type type) {
  return hashPrinted(type.getAsOpaquePointer(),
                     [&](raw_ostream &os) { type.print(os); });
}

uint64_t Fingerprinter::hashAttribute(Attribute attribute) {
  auto elements = dyn_cast<DenseElementsAttr>(attribute);
  if (elements && !elements.isSplat())
    return hashType(elements.getType());
  return hashPrinted(attribute.getAsOpaquePointer(),
                     [&](raw_ostream &os) { attribute.print(os); });
}

uint64_t Fingerprinter::getOrigin(Value value) {
  // Not there: a block that is not reached in the order of the walk.
  return origins.lookup(value);
}

uint64_t Fingerprinter::hashSelf(Operation *op, unsigned depth) {
  Hash hash;
  hash.add(op->getName().getStringRef());
  for (NamedAttribute attribute : op->getAttrs()) {
    if (attribute.getName().getValue().starts_with("mx."))
      continue;
    hash.add(attribute.getName().getValue());
    hash.add(hashAttribute(attribute.getValue()));
  }
  for (Type type : op->getOperandTypes())
    hash.add(hashType(type));
  for (Type type : op->getResultTypes())
    hash.add(hashType(type));
  for (Region &region : op->getRegions())
    for (Block &block : region)
      hash.add(visitBlock(block, depth + 1));
  return hash.get();
}

uint64_t Fingerprinter::hashOrigins(Operation *op) {
  Hash hash;
  for (Value operand : op->getOperands())
    hash.add(getOrigin(operand));
  return hash.get();
}

uint64_t Fingerprinter::visitBlock(Block &block, unsigned depth) {
  Hash all;
  for (BlockArgument argument : block.getArguments()) {
    Hash hash;
    hash.add("argument");
    hash.add(depth);
    hash.add(argument.getArgNumber());
    hash.add(hashType(argument.getType()));
    origins[argument] = hash.get();
  }
  for (Operation &op : block) {
    uint64_t self = hashSelf(&op, depth);
    uint64_t from = hashOrigins(&op);
    if (op.getNumResults() == 0) {
      all.add(self);
      all.add(from);
    }
    std::optional<int64_t> id = getPlanId(&op);
    bool isPlanned = id && *id >= 0 && *id < int64_t(plan.size());
    if (isPlanned)
      fingerprints[&op] = {uint32_t(self), uint32_t(from)};
    for (OpResult result : op.getResults()) {
      Hash hash;
      if (!isPlanned) {
        hash.add(self);
        hash.add(from);
        hash.add(result.getResultNumber());
        origins[result] = hash.get();
        continue;
      }
      // The entry about this result: one of those that share the op, or, on
      // what stands for a quantised result, the entry itself.
      int64_t entry = *id;
      unsigned number = result.getResultNumber();
      if (plan[entry].getOp().getValue() != op.getName().getStringRef())
        number = plan[entry].getResult();
      hash.add("entry");
      hash.add(plan[entry].getIndex());
      hash.add(number);
      origins[result] = hash.get();
    }
  }
  return all.get();
}

llvm::DenseMap<Operation *, Fingerprint>
mx::getFingerprints(FunctionOpInterface function,
                    ArrayRef<PlanEntryAttr> plan) {
  Fingerprinter fingerprinter(plan);
  for (Block &block : function.getFunctionBody())
    fingerprinter.visitBlock(block, 0);
  return std::move(fingerprinter.fingerprints);
}
