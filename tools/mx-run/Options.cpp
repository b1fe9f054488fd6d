// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Options.h"

using namespace mx;

/// Options of a run that --plan-search, which makes runs of its own, does not
/// have; empty if none is given.
static std::string findExcluded(const Options &options) {
  std::pair<llvm::StringRef, bool> given[] = {
      {"scheme", !options.scheme.empty()},
      {"recipe", !options.recipe.empty()},
      {"scale-rule", !options.scaleRule.empty()},
      {"expect", !options.expect.empty()},
      {"report", !options.report.empty()},
      {"stats", !options.stats.empty()},
      {"chip", !options.chip.empty()},
      {"repeat", options.repeat.getNumOccurrences() != 0},
      {"perplexity", options.perplexity >= 0}};
  for (auto [name, isGiven] : given)
    if (isGiven)
      return name.str();
  return "";
}

std::string Options::check() const {
  if (!planSearch.empty())
    if (std::string excluded = findExcluded(*this); !excluded.empty())
      return "--plan-search and --" + excluded + " exclude each other";
  if (planSearch.empty() && candidates.getNumOccurrences())
    return "--candidates has no effect without --plan-search";
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
