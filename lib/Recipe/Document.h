// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A YAML or JSON file as a tree in which each value knows where it stands.

#ifndef MX_LIB_RECIPE_DOCUMENT_H
#define MX_LIB_RECIPE_DOCUMENT_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"

#include <optional>
#include <string>
#include <vector>

namespace mx {

/// One value. Scalars keep their text; what it means is asked for.
struct DocumentNode {
  enum class Kind { Scalar, Sequence, Mapping };
  struct Entry;

  Kind kind = Kind::Scalar;
  mlir::LocationAttr loc;
  unsigned line = 0;
  std::string text;
  /// Quoted scalars are strings whatever they say.
  bool isQuoted = false;
  std::vector<DocumentNode> items;
  std::vector<Entry> entries;

  bool isScalar() const { return kind == Kind::Scalar; }
  bool isSequence() const { return kind == Kind::Sequence; }
  bool isMapping() const { return kind == Kind::Mapping; }
  /// `null`, `~`, or nothing.
  bool isNull() const;
  /// Null, false, or a collection without elements.
  bool isEmpty() const;
  std::optional<bool> getBool() const;
  std::optional<int64_t> getInteger() const;
  /// The value of a key of a mapping; null if there is none.
  const DocumentNode *find(llvm::StringRef key) const;
};

struct DocumentNode::Entry {
  DocumentNode key, value;
};

/// Parses one document; JSON strictly if `isJSON`, else as YAML (of which JSON
/// is a part). Anchors, aliases, tags and repeated keys are refused. Errors are
/// emitted at their line and column of `path`.
mlir::FailureOr<DocumentNode> parseDocument(llvm::StringRef text,
                                            llvm::StringRef path, bool isJSON,
                                            mlir::MLIRContext *context);

} // namespace mx

#endif // MX_LIB_RECIPE_DOCUMENT_H
