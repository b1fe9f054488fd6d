// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ThreadBlock.h"

using namespace mlir;
using namespace mx;
using namespace mx::test;

uint8_t *ThreadBlock::getGlobal(Operation *op, uint64_t address, int64_t size) {
  uint64_t buffer = (address >> bufferShift) - 1;
  uint64_t offset = address & ((uint64_t(1) << bufferShift) - 1);
  if (buffer < buffers.size() && offset + size <= buffers[buffer]->size())
    return buffers[buffer]->data() + offset;
  fail(op, "global memory out of bounds: buffer " + Twine(buffer) + ", byte " +
               Twine(offset));
  return nullptr;
}

bool ThreadBlock::read(Operation *op, int thread, uint64_t address,
                       int64_t size, uint8_t *bytes) {
  if (address % size != 0)
    return fail(op, "misaligned read of " + Twine(size));
  if (address < sharedBase) {
    const uint8_t *data = getGlobal(op, address, size);
    if (data)
      std::copy_n(data, size, bytes);
    return data;
  }
  uint64_t offset = address - sharedBase;
  if (offset + size > shared.size())
    return fail(op, "shared memory out of bounds: " + Twine(offset));
  for (int64_t i = 0; i < size; ++i) {
    SharedByte &byte = shared[offset + i];
    if (byte.pending)
      return fail(op, "shared byte " + Twine(offset + i) +
                          " is read while a copy to it is on its way");
    if (!byte.defined)
      return fail(op, "shared byte " + Twine(offset + i) + " was not written");
    if (byte.writer != thread && byte.writeEpoch == epoch)
      return fail(op, "shared byte " + Twine(offset + i) +
                          " was written by another thread since the barrier");
    bool sameEpoch = byte.readEpoch == epoch;
    byte.reader =
        sameEpoch && byte.reader != thread ? SharedByte::many : thread;
    byte.readEpoch = epoch;
    bytes[i] = byte.value;
  }
  return true;
}

bool ThreadBlock::markWrite(Operation *op, int thread, SharedByte &byte) {
  if (byte.pending || (byte.writer != thread && byte.writeEpoch == epoch))
    return fail(op, "a shared byte is written twice without a barrier");
  if (byte.readEpoch == epoch && byte.reader != thread)
    return fail(op, "a shared byte is overwritten that another thread read "
                    "since the barrier");
  return true;
}

bool ThreadBlock::write(Operation *op, int thread, uint64_t address,
                        int64_t size, const uint8_t *bytes) {
  if (address % size != 0)
    return fail(op, "misaligned write of " + Twine(size));
  if (address < sharedBase) {
    uint8_t *data = getGlobal(op, address, size);
    if (data)
      std::copy_n(bytes, size, data);
    return data;
  }
  uint64_t offset = address - sharedBase;
  if (offset + size > shared.size())
    return fail(op, "shared memory out of bounds: " + Twine(offset));
  for (int64_t i = 0; i < size; ++i) {
    SharedByte &byte = shared[offset + i];
    if (!markWrite(op, thread, byte))
      return false;
    byte.value = bytes[i];
    byte.defined = true;
    byte.writer = thread;
    byte.writeEpoch = epoch;
  }
  return true;
}

bool ThreadBlock::load(LLVM::LoadOp op) {
  Type type = op.getType();
  int64_t count = getCount(type), bytes = getWidth(type) / 8;
  std::vector<uint64_t> addresses = get(op.getAddr()).bits;
  Lanes &result = set(op.getResult());
  std::vector<uint8_t> buffer(count * bytes);
  for (int t = 0; t < numThreads; ++t) {
    if (!active[t])
      continue;
    if (!read(op, t, addresses[t], buffer.size(), buffer.data()))
      return false;
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < bytes; ++j)
        result.bits[t * count + i] |= uint64_t(buffer[i * bytes + j]) << 8 * j;
  }
  return true;
}

bool ThreadBlock::store(LLVM::StoreOp op) {
  Lanes &value = get(op.getValue());
  int64_t bytes = getWidth(op.getValue().getType()) / 8;
  std::vector<uint8_t> buffer(value.count * bytes);
  for (int t = 0; t < numThreads; ++t) {
    if (!active[t])
      continue;
    for (int64_t i = 0; i < value.count; ++i)
      for (int64_t j = 0; j < bytes; ++j)
        buffer[i * bytes + j] = value.bits[t * value.count + i] >> 8 * j;
    if (!write(op, t, get(op.getAddr()).bits[t], buffer.size(), buffer.data()))
      return false;
  }
  return true;
}

bool ThreadBlock::executeCopy(NVVM::CpAsyncOp op) {
  for (int t = 0; t < numThreads; ++t) {
    if (!active[t])
      continue;
    int64_t size = op.getSize(), valid = size;
    if (op.getCpSize())
      valid = extend(op.getCpSize().getType(), get(op.getCpSize()).bits[t]);
    Copy copy{t, get(op.getDst()).bits[t], get(op.getSrc()).bits[t], size,
              valid};
    if (valid < 0 || valid > size)
      return fail(op, "copies " + Twine(valid) + " of " + Twine(size));
    if (copy.destination % size != 0 || copy.source % size != 0)
      return fail(op, "misaligned copy");
    uint64_t offset = copy.destination - sharedBase;
    if (copy.destination < sharedBase || offset + size > shared.size())
      return fail(op, "shared memory out of bounds");
    if (valid > 0 && !getGlobal(op, copy.source, valid))
      return false;
    for (int64_t i = 0; i < size; ++i) {
      if (!markWrite(op, t, shared[offset + i]))
        return false;
      shared[offset + i].pending = true;
    }
    openCopies.push_back(copy);
  }
  return true;
}

bool ThreadBlock::waitForCopies(Operation *op, int64_t pending) {
  while (int64_t(groups.size()) > pending) {
    for (const Copy &copy : groups.front()) {
      std::vector<uint8_t> bytes(copy.size, 0);
      if (copy.valid > 0)
        std::copy_n(getGlobal(op, copy.source, copy.valid), copy.valid,
                    bytes.begin());
      for (int64_t i = 0; i < copy.size; ++i)
        shared[copy.destination - sharedBase + i].pending = false;
      if (!write(op, copy.thread, copy.destination, copy.size, bytes.data()))
        return false;
    }
    groups.erase(groups.begin());
  }
  return true;
}
