// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Options.h"

using namespace mx;

std::string Options::check() const {
  if (on != "cpu")
    return "--on=" + on + ": this build runs modules on the CPU only";
  if (!recipe.empty() && !scheme.empty())
    return "--scheme and --recipe exclude each other";
  if (!chip.empty())
    return "--chip: this build runs modules on the CPU only";
  if (!scaleRule.empty() && scheme.empty() && recipe.empty())
    return "--scale-rule has no effect without a --scheme or a --recipe";
  if (repeat == 0)
    return "--repeat takes at least 1";
  return "";
}
