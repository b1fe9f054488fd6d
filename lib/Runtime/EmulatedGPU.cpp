// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EmulatedGPU.h"

#include "mx/Emulator/Device.h"
#include "mx/Emulator/TensorMap.h"
#include "mx/Runtime/GPUStatistics.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <cstring>
#include <deque>

using namespace llvm;
using mx::ptx::Device;

namespace {

struct LoadedKernel {
  const mx::ptx::Module *module;
  const mx::ptx::Function *function;
};

/// Stable addresses are the handles that host code gets.
struct State {
  Device device;
  std::deque<mx::ptx::Module> modules;
  std::deque<LoadedKernel> kernels;
  mx::GPUStatistics statistics;
};

State &getState() {
  static State state;
  return state;
}

[[noreturn]] void stop(const Twine &message) {
  errs() << message << '\n';
  std::_Exit(1);
}
void check(Error error) {
  if (error)
    stop(toString(std::move(error)));
}

bool isOnDevice(const void *pointer) {
  return getState().device.contains(reinterpret_cast<uint64_t>(pointer));
}

//===----------------------------------------------------------------------===//
// Modules and kernels
//===----------------------------------------------------------------------===//

void *moduleLoadJIT(void *data, int /*optLevel*/) {
  const char *text = static_cast<const char *>(data);
  auto module = mx::ptx::parseModule(text, "kernel.ptx");
  if (!module)
    stop(toString(module.takeError()));
  return &getState().modules.emplace_back(std::move(*module));
}

void *moduleGetFunction(void *handle, const char *name) {
  const auto &module = *static_cast<const mx::ptx::Module *>(handle);
  const mx::ptx::Function *function = module.lookupEntry(name);
  if (!function)
    stop("error: the kernels' module has no '" + Twine(name) + "'");
  return &getState().kernels.emplace_back(LoadedKernel{&module, function});
}

void launchCluster(void *handle, intptr_t clusterX, intptr_t clusterY,
                   intptr_t clusterZ, intptr_t gridX, intptr_t gridY,
                   intptr_t gridZ, intptr_t blockX, intptr_t blockY,
                   intptr_t blockZ, int32_t sharedBytes, void * /*stream*/,
                   void **arguments, void ** /*extra*/, size_t count) {
  State &state = getState();
  auto *kernel = static_cast<LoadedKernel *>(handle);
  mx::ptx::ParameterLayout layout =
      mx::ptx::getParameterLayout(*kernel->function);
  if (count != layout.offsets.size())
    stop("error: kernel '" + kernel->function->name + "' has " +
         Twine(layout.offsets.size()) + " parameters, the launch " +
         Twine(count));
  std::vector<uint8_t> parameters(layout.size);
  for (size_t i = 0; i < count; ++i)
    std::memcpy(&parameters[layout.offsets[i]], arguments[i],
                kernel->function->params[i].size);
  auto dim = [](intptr_t x, intptr_t y, intptr_t z) {
    return mx::ptx::Dim3{unsigned(x), unsigned(y), unsigned(z)};
  };
  mx::ptx::LaunchConfig config;
  config.grid = dim(gridX, gridY, gridZ);
  config.block = dim(blockX, blockY, blockZ);
  config.cluster = dim(clusterX, clusterY, clusterZ);
  config.dynamicShared = sharedBytes;
  config.parameters = parameters;
  mx::ptx::LaunchStatistics statistics;
  if (Error error = state.device.launch(*kernel->module, kernel->function->name,
                                        config, {}, &statistics))
    stop("kernel '" + kernel->function->name +
         "': " + toString(std::move(error)));
  ++state.statistics.launches;
  state.statistics.laneInstructions += statistics.laneInstructions;
}

void launchKernel(void *function, intptr_t gridX, intptr_t gridY,
                  intptr_t gridZ, intptr_t blockX, intptr_t blockY,
                  intptr_t blockZ, int32_t sharedBytes, void *stream,
                  void **arguments, void **extra, size_t count) {
  launchCluster(function, 1, 1, 1, gridX, gridY, gridZ, blockX, blockY, blockZ,
                sharedBytes, stream, arguments, extra, count);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void *allocate(uint64_t size, void * /*stream*/, bool /*isHostShared*/) {
  return reinterpret_cast<void *>(
      getState().device.allocate("a buffer of the host code", size));
}

void release(void *pointer, void * /*stream*/) {
  getState().device.free(reinterpret_cast<uint64_t>(pointer));
}

/// The host and the device have addresses of their own, so that the pointers
/// say which way it goes.
void copyMemory(void *to, void *from, size_t size, void * /*stream*/) {
  State &state = getState();
  bool toDevice = isOnDevice(to), fromDevice = isOnDevice(from);
  std::vector<uint8_t> bytes;
  ArrayRef<uint8_t> source(static_cast<const uint8_t *>(from), size);
  if (fromDevice) {
    MutableArrayRef<uint8_t> target(static_cast<uint8_t *>(to), size);
    if (toDevice) {
      bytes.resize(size);
      target = bytes;
    }
    check(state.device.read(reinterpret_cast<uint64_t>(from), target));
    source = target;
  }
  if (toDevice)
    check(state.device.write(reinterpret_cast<uint64_t>(to), source));
  else if (!fromDevice)
    std::memmove(to, from, size);
  state.statistics.hostToDevice += toDevice && !fromDevice;
  state.statistics.deviceToHost += fromDevice && !toDevice;
}

template <typename T>
void fill(void *to, T value, size_t count, void * /*stream*/) {
  std::vector<T> values(count, value);
  ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t *>(values.data()),
                          count * sizeof(T));
  check(getState().device.write(reinterpret_cast<uint64_t>(to), bytes));
}

/// As cuTensorMapEncodeTiled, for strides of all but the first dimension.
void encodeTensorMap(void *map, int32_t element, uint32_t rank, void *address,
                     const uint64_t *dims, const uint64_t *strides,
                     const uint32_t *box, const uint32_t *elementStrides,
                     int32_t interleave, int32_t swizzle, int32_t /*promotion*/,
                     int32_t fill) {
  mx::ptx::TensorMapParams params;
  params.element = static_cast<mx::ptx::TensorElement>(element);
  params.address = reinterpret_cast<uint64_t>(address);
  params.dims.assign(dims, dims + rank);
  params.strides.assign(strides, strides + rank - 1);
  params.box.assign(box, box + rank);
  params.elementStrides.assign(elementStrides, elementStrides + rank);
  params.interleave = static_cast<mx::ptx::TensorInterleave>(interleave);
  params.swizzle = static_cast<mx::ptx::TensorSwizzle>(swizzle);
  params.fill = static_cast<mx::ptx::TensorFill>(fill);
  auto bytes = mx::ptx::encodeTensorMap(params);
  if (!bytes)
    stop("error: a tensor map: " + toString(bytes.takeError()));
  std::memcpy(map, bytes->data(), bytes->size());
}

//===----------------------------------------------------------------------===//
// Streams: everything happens at once, in order
//===----------------------------------------------------------------------===//

char streamOrEvent;
void *create() { return &streamOrEvent; }
void useOne(void *) {}
void useTwo(void *, void *) {}

} // namespace

mx::GPUStatistics mx::getGPUStatistics() { return getState().statistics; }

ArrayRef<std::pair<StringRef, void *>> mx::getEmulatedGPUSymbols() {
  static const std::pair<StringRef, void *> symbols[] = {
      {"mgpuModuleLoadJIT", reinterpret_cast<void *>(moduleLoadJIT)},
      {"mgpuModuleUnload", reinterpret_cast<void *>(useOne)},
      {"mgpuModuleGetFunction", reinterpret_cast<void *>(moduleGetFunction)},
      {"mgpuLaunchKernel", reinterpret_cast<void *>(launchKernel)},
      {"mgpuLaunchClusterKernel", reinterpret_cast<void *>(launchCluster)},
      {"mgpuMemAlloc", reinterpret_cast<void *>(allocate)},
      {"mgpuMemFree", reinterpret_cast<void *>(release)},
      {"mgpuMemcpy", reinterpret_cast<void *>(copyMemory)},
      {"mgpuMemset32", reinterpret_cast<void *>(fill<uint32_t>)},
      {"mgpuMemset16", reinterpret_cast<void *>(fill<uint16_t>)},
      {"mgpuTensorMapEncodeTiled", reinterpret_cast<void *>(encodeTensorMap)},
      {"mgpuStreamCreate", reinterpret_cast<void *>(create)},
      {"mgpuStreamDestroy", reinterpret_cast<void *>(useOne)},
      {"mgpuStreamSynchronize", reinterpret_cast<void *>(useOne)},
      {"mgpuStreamWaitEvent", reinterpret_cast<void *>(useTwo)},
      {"mgpuEventCreate", reinterpret_cast<void *>(create)},
      {"mgpuEventDestroy", reinterpret_cast<void *>(useOne)},
      {"mgpuEventSynchronize", reinterpret_cast<void *>(useOne)},
      {"mgpuEventRecord", reinterpret_cast<void *>(useTwo)},
  };
  return symbols;
}
