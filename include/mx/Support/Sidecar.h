// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sidecar NAME.args.json of a module: which function argument is which
// parameter of the source model, and which are the inputs of a call.

#ifndef MX_SUPPORT_SIDECAR_H
#define MX_SUPPORT_SIDECAR_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mx {

/// Shape and type of a function's argument or result.
struct SidecarType {
  /// An extent that is written as "?"; the value of
  /// mlir::ShapedType::kDynamic.
  static constexpr int64_t dynamicExtent = INT64_MIN;

  llvm::SmallVector<int64_t> shape;
  /// As MLIR spells it: f32, bf16, i64, ...
  std::string dtype;
};

struct SidecarArgument : SidecarType {
  enum class Kind { Parameter, Input };

  /// The name under which a checkpoint stores the parameter: that of the
  /// tensor it is tied to, else its own.
  llvm::StringRef getStoredName() const {
    return tiedTo.empty() ? name : tiedTo;
  }

  /// Its name in the source model; never empty.
  std::string name;
  Kind kind = Kind::Input;
  /// Empty if the parameter is stored under its own name.
  std::string tiedTo;
};

/// One entry function. `arguments[i]` is the function's argument i. Results
/// have the shapes of one recorded run: they are documentation.
struct Sidecar {
  std::string entry;
  std::vector<SidecarArgument> arguments;
  std::vector<SidecarType> results;
};

/// Reads a sidecar from JSON text. `fileName` opens the message of an error,
/// which also has the line of a syntax error or the path of a wrong value.
/// Fields that are not known are ignored.
llvm::Expected<Sidecar> parseSidecar(llvm::StringRef text,
                                     llvm::StringRef fileName);

/// Reads the file at `path`.
llvm::Expected<Sidecar> readSidecar(llvm::StringRef path);

} // namespace mx

#endif // MX_SUPPORT_SIDECAR_H
