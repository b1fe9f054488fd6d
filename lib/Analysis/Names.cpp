// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Roles.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

/// The name of the first NameLoc in `loc`, callees before callers.
static StringRef getFirstName(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().getValue();
  if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    StringRef name = getFirstName(call.getCallee());
    return name.empty() ? getFirstName(call.getCaller()) : name;
  }
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location inner : fused.getLocations())
      if (StringRef name = getFirstName(inner); !name.empty())
        return name;
  return "";
}

std::string mx::getModuleName(Location loc) {
  StringRef name = getFirstName(loc);
  if (!name.contains('/'))
    return name.str();
  // A path of scopes that ends in a primitive. Frames of transformations are
  // calls (`jit(f)`), einsums name themselves by their specification.
  SmallVector<StringRef> scopes;
  name.split(scopes, '/');
  scopes.pop_back();
  llvm::erase_if(scopes, [](StringRef scope) {
    return scope.contains('(') || scope.contains("->") || scope.empty();
  });
  return llvm::join(scopes, ".");
}
