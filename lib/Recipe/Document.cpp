// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Document.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"

using namespace llvm;
using namespace mlir;
using namespace mx;

namespace yaml = llvm::yaml;

/// Bounds what recursion over a file can cost; recipes nest about ten deep.
static constexpr unsigned maxDepth = 64;
/// Bounds the scanner, which is not linear; configurations are kilobytes.
static constexpr size_t maxBytes = 1 << 20;

//===----------------------------------------------------------------------===//
// DocumentNode
//===----------------------------------------------------------------------===//

bool DocumentNode::isNull() const {
  return isScalar() && !isQuoted &&
         (text.empty() || text == "~" || text == "null" || text == "Null" ||
          text == "NULL");
}

bool DocumentNode::isEmpty() const {
  switch (kind) {
  case Kind::Scalar:
    return isNull() || getBool() == false;
  case Kind::Sequence:
    return items.empty();
  case Kind::Mapping:
    return entries.empty();
  }
  llvm_unreachable("unknown kind");
}

std::optional<bool> DocumentNode::getBool() const {
  if (!isScalar() || isQuoted)
    return std::nullopt;
  if (text == "true" || text == "True" || text == "TRUE")
    return true;
  if (text == "false" || text == "False" || text == "FALSE")
    return false;
  return std::nullopt;
}

std::optional<int64_t> DocumentNode::getInteger() const {
  int64_t value;
  if (!isScalar() || isQuoted || StringRef(text).getAsInteger(10, value))
    return std::nullopt;
  return value;
}

const DocumentNode *DocumentNode::find(StringRef key) const {
  for (const Entry &entry : entries)
    if (entry.key.text == key)
      return &entry.value;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

namespace {

class Parser {
public:
  Parser(StringRef text, StringRef path, MLIRContext *context)
      : text(text), path(path), context(context),
        stream(text, sources, /*ShowColors=*/false, &error) {
    sources.setDiagHandler(handle, this);
  }

  FailureOr<DocumentNode> run();

private:
  static void handle(const SMDiagnostic &diagnostic, void *self);
  LogicalResult fail(LocationAttr loc, const Twine &message);
  /// Line and column, counted from 1, of a position in the text.
  std::pair<unsigned, unsigned> getPosition(SMLoc loc, bool isCollection) const;
  LogicalResult convert(yaml::Node *from, DocumentNode &to, unsigned depth);
  LogicalResult convertMapping(yaml::MappingNode *from, DocumentNode &to,
                               unsigned depth);

  StringRef text, path;
  MLIRContext *context;
  SourceMgr sources;
  std::error_code error;
  yaml::Stream stream;
  /// The scanner goes on after an error; the first one is told.
  bool hasFailed = false;
};

} // namespace

void Parser::handle(const SMDiagnostic &diagnostic, void *self) {
  Parser &parser = *static_cast<Parser *>(self);
  (void)parser.fail(FileLineColLoc::get(parser.context, parser.path,
                                        std::max(diagnostic.getLineNo(), 1),
                                        diagnostic.getColumnNo() + 1),
                    diagnostic.getMessage());
}

LogicalResult Parser::fail(LocationAttr loc, const Twine &message) {
  if (!hasFailed)
    emitError(loc) << message;
  hasFailed = true;
  return failure();
}

std::pair<unsigned, unsigned> Parser::getPosition(SMLoc loc,
                                                  bool isCollection) const {
  const char *at = loc.getPointer();
  if (!at || at < text.begin() || at > text.end())
    return {1, 1};
  // A collection in brackets starts at its first element for the YAML parser.
  if (isCollection) {
    StringRef before = text.take_front(at - text.begin()).rtrim();
    if (before.ends_with("[") || before.ends_with("{"))
      at = before.end() - 1;
  }
  StringRef before = text.take_front(at - text.begin());
  return {before.count('\n') + 1, before.size() - (before.rfind('\n') + 1) + 1};
}

LogicalResult Parser::convert(yaml::Node *from, DocumentNode &to,
                              unsigned depth) {
  if (!from)
    return fail(to.loc, "expected a value");
  auto [line, column] =
      getPosition(from->getSourceRange().Start,
                  isa<yaml::SequenceNode, yaml::MappingNode>(from));
  to.line = line;
  to.loc = FileLineColLoc::get(context, path, line, column);
  if (depth > maxDepth)
    return fail(to.loc, "nested too deep");
  if (isa<yaml::AliasNode>(from) || !from->getAnchor().empty())
    return fail(to.loc, "anchors and aliases are not supported; write the "
                        "value out");
  if (!from->getRawTag().empty())
    return fail(to.loc, "tag '" + from->getRawTag() + "' is not supported");

  if (auto *scalar = dyn_cast<yaml::ScalarNode>(from)) {
    SmallString<64> storage;
    to.text = scalar->getValue(storage).str();
    to.isQuoted = scalar->getRawValue().starts_with("\"") ||
                  scalar->getRawValue().starts_with("'");
    // A plain one goes up to what ends it.
    if (!to.isQuoted)
      to.text = StringRef(to.text).rtrim().str();
  } else if (auto *block = dyn_cast<yaml::BlockScalarNode>(from)) {
    to.text = block->getValue().str();
    to.isQuoted = true;
  } else if (auto *sequence = dyn_cast<yaml::SequenceNode>(from)) {
    to.kind = DocumentNode::Kind::Sequence;
    for (yaml::Node &item : *sequence) {
      DocumentNode node;
      node.loc = to.loc;
      if (failed(convert(&item, node, depth + 1)))
        return failure();
      to.items.push_back(std::move(node));
    }
  } else if (auto *mapping = dyn_cast<yaml::MappingNode>(from)) {
    to.kind = DocumentNode::Kind::Mapping;
    if (failed(convertMapping(mapping, to, depth)))
      return failure();
  }
  return success(!hasFailed && !stream.failed());
}

LogicalResult Parser::convertMapping(yaml::MappingNode *from, DocumentNode &to,
                                     unsigned depth) {
  llvm::StringSet<> keys;
  for (yaml::KeyValueNode &pair : *from) {
    DocumentNode::Entry entry;
    entry.key.loc = entry.value.loc = to.loc;
    if (failed(convert(pair.getKey(), entry.key, depth + 1)) ||
        failed(convert(pair.getValue(), entry.value, depth + 1)))
      return failure();
    // A value that is not there stands where its key does.
    if (entry.value.isNull()) {
      entry.value.loc = entry.key.loc;
      entry.value.line = entry.key.line;
    }
    if (!entry.key.isScalar())
      return fail(entry.key.loc, "a key must be a string");
    if (!keys.insert(entry.key.text).second)
      return fail(entry.key.loc, "key '" + entry.key.text + "' is given twice");
    to.entries.push_back(std::move(entry));
  }
  return success(!hasFailed && !stream.failed());
}

FailureOr<DocumentNode> Parser::run() {
  DocumentNode root;
  root.line = 1;
  root.loc = FileLineColLoc::get(context, path, 1, 1);
  yaml::document_iterator document = stream.begin();
  if (hasFailed)
    return failure();
  if (failed(convert(document->getRoot(), root, 0)) || stream.failed())
    return fail(root.loc, "not YAML");
  if (root.isNull())
    return fail(root.loc, "the file is empty");
  ++document;
  if (hasFailed || stream.failed())
    return fail(root.loc, "not YAML");
  if (document != stream.end() && document->getRoot() &&
      !isa<yaml::NullNode>(document->getRoot()))
    return fail(root.loc, "the file has several documents; one is expected");
  // Looking for another one has read on.
  if (hasFailed)
    return failure();
  return root;
}

/// JSON is checked by a JSON parser, so that what only YAML allows is an error.
static LogicalResult checkJSON(StringRef text, StringRef path,
                               MLIRContext *context) {
  // Its parser recurses without a bound.
  unsigned depth = 0, deepest = 0;
  bool isString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (isString && c == '\\')
      ++i;
    else if (c == '"')
      isString = !isString;
    else if (!isString && (c == '[' || c == '{'))
      deepest = std::max(deepest, ++depth);
    else if (!isString && (c == ']' || c == '}') && depth > 0)
      --depth;
  }
  auto fail = [&](unsigned line, unsigned column, const Twine &message) {
    return emitError(FileLineColLoc::get(context, path, line, column))
           << message;
  };
  if (deepest > maxDepth)
    return fail(1, 1, "nested too deep");
  Expected<json::Value> value = json::parse(text);
  if (value)
    return success();
  // The error is `[line:column, byte=offset]: message`.
  std::string whole = toString(value.takeError());
  StringRef message = whole;
  unsigned line = 1, column = 0;
  if (message.consume_front("[") && !message.consumeInteger(10, line) &&
      message.consume_front(":") && !message.consumeInteger(10, column))
    message = message.split("]: ").second;
  return fail(line, std::max(column, 1u),
              message.empty() ? StringRef(whole) : message);
}

FailureOr<DocumentNode> mx::parseDocument(StringRef text, StringRef path,
                                          bool isJSON, MLIRContext *context) {
  if (text.size() > maxBytes)
    return emitError(FileLineColLoc::get(context, path, 1, 1))
           << "the file has " << text.size() << " bytes; a recipe has at most "
           << maxBytes;
  if (isJSON && failed(checkJSON(text, path, context)))
    return failure();
  return Parser(text, path, context).run();
}
