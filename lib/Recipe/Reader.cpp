// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Reader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

FailureOr<Fields> Fields::get(const DocumentNode &node, StringRef what) {
  if (!node.isMapping())
    return emitError(node.loc) << what << " must be a mapping";
  return Fields(node, what);
}

const DocumentNode *Fields::take(StringRef key) {
  known.push_back(key);
  const DocumentNode *value = node->find(key);
  return value && !value->isNull() ? value : nullptr;
}

FailureOr<const DocumentNode *> Fields::require(StringRef key) {
  if (const DocumentNode *value = take(key))
    return value;
  return emitError(node->loc) << what << " needs '" << key << "'";
}

void Fields::accept(std::initializer_list<StringLiteral> keys) {
  known.append(keys.begin(), keys.end());
}

LogicalResult Fields::refuse(std::initializer_list<StringLiteral> keys) {
  for (StringLiteral key : keys)
    if (const DocumentNode *value = take(key); value && !value->isEmpty())
      return emitError(value->loc)
             << "'" << key
             << "' would change the numerics and is not supported; it must be "
                "null, false or empty";
  return success();
}

LogicalResult Fields::finish() const {
  llvm::StringSet<> names;
  for (StringRef key : known)
    names.insert(key);
  for (const DocumentNode::Entry &entry : node->entries)
    if (!names.contains(entry.key.text))
      return emitError(entry.key.loc)
             << "unknown key '" << entry.key.text << "' in " << what
             << "; known are " << join(known, ", ");
  return success();
}

//===----------------------------------------------------------------------===//
// Typed values
//===----------------------------------------------------------------------===//

FailureOr<StringRef> mx::getString(const DocumentNode &node, StringRef what) {
  if (node.isScalar() && !node.isNull())
    return StringRef(node.text);
  return emitError(node.loc) << what << " must be a string";
}

FailureOr<bool> mx::getBool(const DocumentNode &node, StringRef what) {
  if (std::optional<bool> value = node.getBool())
    return *value;
  return emitError(node.loc) << what << " must be true or false";
}

FailureOr<bool> mx::getBoolOr(const DocumentNode *node, StringRef what,
                              bool otherwise) {
  return node ? getBool(*node, what) : otherwise;
}

FailureOr<int64_t> mx::getInteger(const DocumentNode &node, StringRef what) {
  if (std::optional<int64_t> value = node.getInteger())
    return *value;
  return emitError(node.loc) << what << " must be an integer";
}

FailureOr<SmallVector<const DocumentNode *>>
mx::getStrings(const DocumentNode &node, StringRef what) {
  SmallVector<const DocumentNode *> strings;
  if (node.isScalar() && !node.isNull())
    return SmallVector<const DocumentNode *>{&node};
  if (!node.isSequence())
    return emitError(node.loc) << what << " must be a list of strings";
  for (const DocumentNode &item : node.items) {
    if (failed(getString(item, what)))
      return failure();
    strings.push_back(&item);
  }
  return strings;
}

FailureOr<Format> mx::getFormat(StringRef spelling, const DocumentNode &node) {
  return orEmit(Format::parse(spelling), node, "format");
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

Rule RecipeReader::makeRule(const DocumentNode &node, const Twine &text) const {
  Rule rule;
  rule.name = (path + ":" + Twine(node.line) + ": " + text).str();
  rule.loc = node.loc;
  rule.section = section;
  return rule;
}

LogicalResult mx::readExcludedModules(RecipeReader &reader,
                                      const DocumentNode *list,
                                      StringRef what) {
  if (!list)
    return success();
  FailureOr<SmallVector<const DocumentNode *>> names = getStrings(*list, what);
  if (failed(names))
    return failure();
  for (const DocumentNode *name : *names) {
    FailureOr<NamePattern> pattern =
        orEmit(NamePattern::moduleGlob(name->text), *name, "bad pattern");
    if (failed(pattern))
      return failure();
    Rule rule = reader.makeRule(*name, "ignore " + name->text);
    rule.isIgnore = true;
    rule.names = std::move(*pattern);
    reader.rules.add(std::move(rule));
  }
  return success();
}
