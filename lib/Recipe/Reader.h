// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the readers of the kinds of files share. A reader translates the tree of
// a file into rules; it decides nothing.

#ifndef MX_LIB_RECIPE_READER_H
#define MX_LIB_RECIPE_READER_H

#include "Document.h"
#include "mx/Recipe/Rules.h"

namespace mx {

/// The keys of a mapping, each taken at most once; what is left is unknown.
class Fields {
public:
  /// An error if `node` is not a mapping; `what` names it there.
  static mlir::FailureOr<Fields> get(const DocumentNode &node,
                                     llvm::StringRef what);

  /// The value of a key; null if it is absent or null.
  const DocumentNode *take(llvm::StringRef key);
  /// The value of a key that must be there.
  mlir::FailureOr<const DocumentNode *> require(llvm::StringRef key);
  /// Keys that say nothing about numerics.
  void accept(std::initializer_list<llvm::StringLiteral> keys);
  /// Keys that would change numerics, which is not supported: an error unless
  /// they are null, false or empty.
  mlir::LogicalResult refuse(std::initializer_list<llvm::StringLiteral> keys);
  /// An error at the first key that nobody took.
  mlir::LogicalResult finish() const;

private:
  Fields(const DocumentNode &node, llvm::StringRef what)
      : node(&node), what(what) {}

  const DocumentNode *node;
  std::string what;
  llvm::SmallVector<llvm::StringRef> known;
};

// Typed values; an error, located, that says what `what` must be.
mlir::FailureOr<llvm::StringRef> getString(const DocumentNode &node,
                                           llvm::StringRef what);
mlir::FailureOr<bool> getBool(const DocumentNode &node, llvm::StringRef what);
mlir::FailureOr<int64_t> getInteger(const DocumentNode &node,
                                    llvm::StringRef what);
/// A list of strings; one string is a list too.
mlir::FailureOr<llvm::SmallVector<const DocumentNode *>>
getStrings(const DocumentNode &node, llvm::StringRef what);
/// Keys that are given and false, or absent, or null.
mlir::FailureOr<bool> getBoolOr(const DocumentNode *node, llvm::StringRef what,
                                bool otherwise);

/// The value, or the error at `node`.
template <typename T>
mlir::FailureOr<T> orEmit(llvm::Expected<T> value, const DocumentNode &node,
                          llvm::StringRef what) {
  if (value)
    return std::move(*value);
  return mlir::emitError(node.loc)
         << what << ": " << llvm::toString(value.takeError());
}

/// A format from its spelling in the dialect.
mlir::FailureOr<Format> getFormat(llvm::StringRef spelling,
                                  const DocumentNode &node);

/// A file that is being read.
struct RecipeReader {
  RecipeReader(mlir::MLIRContext *context, llvm::StringRef path)
      : context(context), path(path) {}

  mlir::MLIRContext *context;
  llvm::StringRef path;
  RuleList rules;
  /// Of the rules that are made; see Rule::section.
  std::optional<unsigned> section;

  /// A rule that stands at `node` and says `text`.
  Rule makeRule(const DocumentNode &node, const llvm::Twine &text) const;
};

/// Ignores the modules that the globs in a list match, with all that is inside
/// of them. The list may be absent.
mlir::LogicalResult readExcludedModules(RecipeReader &reader,
                                        const DocumentNode *list,
                                        llvm::StringRef what);

// One function a kind of file, each in a source of that name.
/// `stage: modifiers: QuantizationModifier:` of llm-compressor, at `node`.
mlir::LogicalResult readLLMCompressorStage(RecipeReader &reader,
                                           const DocumentNode &node);
/// A `quantization_config` of compressed-tensors.
mlir::LogicalResult readCompressedTensors(RecipeReader &reader,
                                          const DocumentNode &node);
/// What a target of compressed-tensors (a name, `re:` and a regular expression,
/// a class) matches, in `rule`.
mlir::LogicalResult setTarget(Rule &rule, const DocumentNode &target);
/// The `quantization_config` of a config.json, of any method.
mlir::LogicalResult readHuggingFace(RecipeReader &reader,
                                    const DocumentNode &node);
/// ModelOpt's `quantize` (or the mapping with `quant_cfg` itself).
mlir::LogicalResult readModelOptRecipe(RecipeReader &reader,
                                       const DocumentNode &root);
/// ModelOpt's hf_quant_config.json.
mlir::LogicalResult readModelOptExport(RecipeReader &reader,
                                       const DocumentNode &root);
/// ModelOpt's `quantization_config` of a config.json.
mlir::LogicalResult readModelOptConfig(RecipeReader &reader,
                                       const DocumentNode &node);
/// Megatron's matchers of Transformer Engine recipes.
mlir::LogicalResult readMegatron(RecipeReader &reader,
                                 const DocumentNode &root);
/// The rules of this project.
mlir::LogicalResult readOwnRules(RecipeReader &reader,
                                 const DocumentNode &node);

} // namespace mx

#endif // MX_LIB_RECIPE_READER_H
