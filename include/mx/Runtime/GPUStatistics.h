// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What has been done on the emulated GPU of this process.

#ifndef MX_RUNTIME_GPUSTATISTICS_H
#define MX_RUNTIME_GPUSTATISTICS_H

#include <cstdint>

namespace mx {

struct GPUStatistics {
  uint64_t launches = 0;
  /// Copies, not bytes.
  uint64_t hostToDevice = 0, deviceToHost = 0;
  /// Instructions times the threads that executed them.
  uint64_t laneInstructions = 0;
};

GPUStatistics getGPUStatistics();

} // namespace mx

#endif // MX_RUNTIME_GPUSTATISTICS_H
