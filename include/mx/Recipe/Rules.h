// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rules about ops, and the one place where it is decided which of them holds.

#ifndef MX_RECIPE_RULES_H
#define MX_RECIPE_RULES_H

#include "mx/IR/MX.h"
#include "mx/Recipe/Pattern.h"
#include "mx/Recipe/Scheme.h"

#include "mlir/IR/Location.h"

#include "llvm/ADT/BitVector.h"
#include <limits>

namespace mx {

/// What a rule may ask about an op.
struct OpDescription {
  Role role = Role::other;
  std::optional<Gemm> gemm;
  /// Name in the source model; may be empty.
  llvm::StringRef name;
  /// Number of its block, and of blocks in its function, as names have them.
  std::optional<int64_t> layer;
  int64_t numLayers = 0;
  /// Extents, of a product.
  std::optional<ProductShape> shape;
  /// In a function that computes gradients.
  bool isTraining = false;
};

/// The number in a module's name that tells blocks apart: the first component
/// that is one (`model.layers.3.mlp.experts.0.up` is in block 3).
std::optional<int64_t> getLayer(llvm::StringRef name);

/// Blocks, counted from the start, and from the end.
struct LayerRange {
  int64_t first = 0;
  int64_t last = 0;
  /// From and to, both included.
  llvm::SmallVector<std::pair<int64_t, int64_t>, 2> ranges;

  bool contains(int64_t layer, int64_t numLayers) const;
};

/// Bounds of one extent; a dynamic extent satisfies none.
struct ExtentCondition {
  char extent = 'k';
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
  int64_t multipleOf = 1;

  bool holds(const ProductShape &shape) const;
};

/// What becomes of one operand of a product.
struct OperandChoice {
  /// Absent: it stays in high precision.
  std::optional<Format> format;
  Rounding rounding = Rounding::rne;
  HadamardAttr transform;
};

/// One rule of an ordered list.
struct Rule {
  /// As diagnostics and the plan name it: file, line, what it says.
  std::string name;
  /// Where it stands; null if no file has it.
  mlir::LocationAttr loc;

  /// Keeps what it matches, whatever the other rules of its section say, and
  /// the rules of none; without a section, whatever any rule says.
  bool isIgnore = false;
  std::optional<unsigned> section;

  // What it matches: all that is given must hold. An empty list is not given.
  llvm::SmallVector<Role, 4> roles;
  llvm::SmallVector<Gemm, 1> gemms;
  std::optional<NamePattern> names;
  /// Names that it does not match all the same.
  std::vector<NamePattern> exceptions;
  std::optional<LayerRange> layers;
  llvm::SmallVector<ExtentCondition, 1> extents;
  std::optional<bool> isTraining;

  // What it says, unless it ignores; what is absent is left to other rules.
  std::optional<OperandChoice> activations;
  std::optional<OperandChoice> weights;
  std::optional<int64_t> promoteEvery;

  bool matches(const OpDescription &op) const;
  /// `name` without the place.
  llvm::StringRef getText() const;
  /// Both operands as in `scheme`.
  void setScheme(const Scheme &scheme);
};

/// What is to be done with an op. Both operands without a format: it is kept.
struct Decision {
  /// The rule that decided, or both, if they are two.
  std::string rule;
  mlir::LocationAttr loc;
  OperandChoice activations;
  OperandChoice weights;
  int64_t promoteEvery = 0;

  bool isKeep() const { return !activations.format && !weights.format; }
  /// The scheme's name, or the formats.
  std::string getSchemeName() const {
    return nameFormats(activations.format, weights.format);
  }
};

class RuleList {
public:
  /// Layers and experts in the formats of `scheme`.
  static RuleList fromScheme(const Scheme &scheme);

  void add(Rule rule) { rules.push_back(std::move(rule)); }
  llvm::ArrayRef<Rule> getRules() const { return rules; }
  llvm::MutableArrayRef<Rule> getRules() { return rules; }

  /// The one rule of precedence: an ignore beats every rule (that of one of
  /// several sections, those of its own); else, for each operand, the last
  /// matching rule that speaks about it wins; else the op is kept. Readers of
  /// recipe files translate their tool's order into this one. Sets the bits of
  /// the rules that match in `matched`.
  Decision decide(const OpDescription &op,
                  llvm::BitVector *matched = nullptr) const;

private:
  std::vector<Rule> rules;
};

} // namespace mx

#endif // MX_RECIPE_RULES_H
