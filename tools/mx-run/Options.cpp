// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Options.h"

using namespace mx;

std::string Options::check() const {
  if (on == "cuda")
    return "--on=cuda: this build has no CUDA runtime; --on=emulator executes "
           "the same kernels on the CPU";
  if (on != "cpu" && on != "emulator")
    return "--on=" + on + ": there are cpu and emulator";
  if (!recipe.empty() && !scheme.empty())
    return "--scheme and --recipe exclude each other";
  if (chip.empty() != (on == "cpu"))
    return "--on=emulator and --chip=NAME (the GPU whose kernels run) belong "
           "together";
  if (!scaleRule.empty() && scheme.empty() && recipe.empty())
    return "--scale-rule has no effect without a --scheme or a --recipe";
  if (repeat == 0)
    return "--repeat takes at least 1";
  return "";
}
