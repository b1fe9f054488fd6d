// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/LinalgToCPU/CPUTarget.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/Triple.h"

using namespace mx;

static CPUTarget getNative(bool isX86) {
  CPUTarget target;
  target.cpu = llvm::sys::getHostCPUName().str();
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  llvm::SubtargetFeatures features;
  for (const auto &feature : host)
    features.AddFeature(feature.first(), feature.second);
  target.features = features.getString();
  if (!isX86) {
    // Arm's NEON, the narrowest of the others that matter here.
    target.registers = 32;
    target.hasFMA = true;
  } else if (host.lookup("avx512f")) {
    target.lanes = 16;
    target.registers = 32;
    target.hasFMA = true;
  } else if (host.lookup("avx2") && host.lookup("fma")) {
    target.lanes = 8;
    target.hasFMA = true;
  }
  return target;
}

std::optional<CPUTarget> CPUTarget::get(llvm::StringRef option) {
  bool isX86 = llvm::Triple(llvm::sys::getProcessTriple()).getArch() ==
               llvm::Triple::x86_64;
  if (option == "native")
    return getNative(isX86);
  CPUTarget target;
  if (option == "generic") {
    target.cpu = isX86 ? "x86-64" : "generic";
    return target;
  }
  if (option == "avx2" && isX86) {
    target.cpu = "x86-64-v3";
    target.lanes = 8;
    target.hasFMA = true;
    return target;
  }
  return std::nullopt;
}

bool CPUTarget::runsHere() const {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  return cpu != "x86-64-v3" || (host.lookup("avx2") && host.lookup("fma") &&
                                host.lookup("bmi2") && host.lookup("f16c"));
}
