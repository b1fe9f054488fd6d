// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Runtime/Session.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace llvm;

namespace mx {

//===----------------------------------------------------------------------===//
// HostTensor
//===----------------------------------------------------------------------===//

HostTensor::HostTensor(ArrayRef<int64_t> shape, const char *data)
    : words(getDescriptorWords(shape.size())) {
  size_t rank = shape.size();
  words[0] = words[1] = reinterpret_cast<intptr_t>(data);
  int64_t stride = 1;
  for (size_t i = rank; i-- > 0;) {
    words[3 + i] = shape[i];
    words[3 + rank + i] = stride;
    stride *= shape[i];
  }
}

HostTensor::HostTensor(unsigned rank, const int64_t *descriptor)
    : words(descriptor, descriptor + getDescriptorWords(rank)),
      owned(reinterpret_cast<char *>(words[0])) {}

ArrayRef<int64_t> HostTensor::getShape() const {
  return ArrayRef(words).slice(3, (words.size() - 3) / 2);
}

int64_t HostTensor::getNumElements() const {
  int64_t n = 1;
  for (int64_t extent : getShape())
    n *= extent;
  return n;
}

const char *HostTensor::getData() const {
  return reinterpret_cast<const char *>(words[1]);
}

//===----------------------------------------------------------------------===//
// Session
//===----------------------------------------------------------------------===//

std::string checkTensor(const ProgramTensor &wanted, StringRef dtype,
                        ArrayRef<int64_t> shape) {
  // What NumPy and safetensors call unsigned is signless here, and floats of a
  // byte come as bytes.
  StringRef signless = dtype;
  signless.consume_front("u");
  bool sameType =
      dtype == wanted.dtype || signless == wanted.dtype ||
      (signless == "i8" && StringRef(wanted.dtype).starts_with("f8"));
  bool sameShape = shape.size() == wanted.shape.size() &&
                   all_of(zip(shape, wanted.shape), [](auto extents) {
                     auto [is, want] = extents;
                     return want == SidecarType::dynamicExtent || is == want;
                   });
  if (sameType && sameShape)
    return "";
  ProgramTensor is;
  is.dtype = dtype;
  is.shape.assign(shape.begin(), shape.end());
  return is.getTypeString() + " where the function has " +
         wanted.getTypeString();
}

Expected<Session> Session::bind(const Program &program,
                                const Safetensors *weights) {
  Session session(program);
  session.weights = weights;
  for (const ProgramArgument &argument : program.getArguments()) {
    if (!argument.isParameter()) {
      session.parameters.emplace_back();
      continue;
    }
    if (!weights)
      return createStringError(
          formatv("parameter \"{0}\" needs a checkpoint (--weights)",
                  argument.storedName));
    const SafetensorsEntry *entry = weights->lookup(argument.storedName);
    if (!entry)
      return createFileError(
          weights->getPath(),
          createStringError("no tensor \"" + argument.storedName + "\""));
    std::string problem = checkTensor(argument, entry->dtype, entry->shape);
    if (!problem.empty())
      return createFileError(weights->getPath(),
                             createStringError("tensor \"" +
                                               argument.storedName +
                                               "\": " + problem));
    const char *data = entry->data.data();
    std::unique_ptr<char[]> copy;
    if (!isAddrAligned(Align(argument.elementBytes), data)) {
      copy = std::make_unique<char[]>(entry->data.size());
      std::memcpy(copy.get(), data, entry->data.size());
      weights->releasePages(*entry);
      data = copy.get();
    }
    session.parameters.push_back(
        Parameter{HostTensor(entry->shape, data), entry, std::move(copy)});
  }
  return session;
}

/// Calls `function`, whose results have these ranks.
static std::vector<HostTensor> call(Jit::Function function,
                                    ArrayRef<unsigned> resultRanks,
                                    ArrayRef<void *> arguments) {
  size_t numWords = 0;
  for (unsigned rank : resultRanks)
    numWords += HostTensor::getDescriptorWords(rank);
  std::vector<int64_t> descriptors(numWords);
  SmallVector<void *> pointers;
  if (!resultRanks.empty())
    pointers.push_back(descriptors.data());
  append_range(pointers, arguments);
  function(pointers.data());

  std::vector<HostTensor> results;
  const int64_t *position = descriptors.data();
  for (unsigned rank : resultRanks) {
    results.emplace_back(rank, position);
    position += HostTensor::getDescriptorWords(rank);
  }
  return results;
}

void Session::prepare() {
  // The last step that reads each tensor of the file. Tied parameters share
  // one.
  ArrayRef<PrepareStep> steps = program.getPrepareSteps();
  SmallDenseMap<const SafetensorsEntry *, size_t> lastUse;
  for (auto [i, step] : enumerate(steps))
    for (unsigned argument : step.arguments)
      lastUse[parameters[argument]->entry] = i;
  for (auto [i, argument] : enumerate(program.getArguments()))
    if (argument.isUsed && parameters[i])
      lastUse.erase(parameters[i]->entry);

  for (auto [i, step] : enumerate(steps)) {
    SmallVector<void *> arguments;
    for (unsigned argument : step.arguments)
      arguments.push_back(parameters[argument]->tensor.getDescriptor());
    for (HostTensor &result : call(step.function, step.resultRanks, arguments))
      prepared.push_back(std::move(result));
    for (unsigned argument : step.arguments) {
      auto last = lastUse.find(parameters[argument]->entry);
      if (last == lastUse.end() || last->second != i)
        continue;
      weights->releasePages(*parameters[argument]->entry);
      parameters[argument]->copy.reset();
    }
  }
}

const HostTensor &Session::getArgument(unsigned index,
                                       ArrayRef<HostTensor> inputs) const {
  if (parameters[index])
    return parameters[index]->tensor;
  return inputs[count_if(ArrayRef(parameters).take_front(index),
                         [](const auto &parameter) { return !parameter; })];
}

std::vector<HostTensor> Session::run(MutableArrayRef<HostTensor> inputs) {
  SmallVector<void *> arguments;
  HostTensor *nextInput = inputs.begin();
  for (std::optional<Parameter> &parameter : parameters)
    arguments.push_back(parameter ? parameter->tensor.getDescriptor()
                                  : (nextInput++)->getDescriptor());
  for (HostTensor &value : prepared)
    arguments.push_back(value.getDescriptor());
  SmallVector<unsigned> ranks;
  for (const ProgramTensor &result : program.getResults())
    ranks.push_back(result.shape.size());
  return call(program.getEntry(), ranks, arguments);
}

} // namespace mx
