// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Support/Sidecar.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <optional>

using namespace llvm;

namespace mx {

//===----------------------------------------------------------------------===//
// From JSON values; found by llvm::json through argument-dependent lookup
//===----------------------------------------------------------------------===//

/// Maps the fields that arguments and results share, and `index`.
static bool fromJSON(json::ObjectMapper &mapper, const json::Value &value,
                     SidecarType &type, int64_t &index, json::Path path) {
  if (!mapper.map("index", index) || !mapper.map("dtype", type.dtype))
    return false;
  if (type.dtype.empty()) {
    path.field("dtype").report("expected a type's name");
    return false;
  }
  const json::Array *shape = value.getAsObject()->getArray("shape");
  if (!shape) {
    path.field("shape").report("expected array");
    return false;
  }
  for (auto [i, extent] : enumerate(*shape)) {
    std::optional<int64_t> known = extent.getAsInteger();
    if (extent.getAsString() == "?")
      known = SidecarType::dynamicExtent;
    else if (known && *known < 0)
      known.reset();
    if (!known) {
      path.field("shape").index(i).report(
          "expected an extent: an integer of at least 0, or \"?\"");
      return false;
    }
    type.shape.push_back(*known);
  }
  return true;
}

namespace {
/// An element with its position, which need not be that in the list.
template <typename T> struct Indexed {
  int64_t index = 0;
  T value;
};
} // namespace

static bool fromJSON(const json::Value &value, Indexed<SidecarType> &result,
                     json::Path path) {
  json::ObjectMapper mapper(value, path);
  return mapper && fromJSON(mapper, value, result.value, result.index, path);
}

static bool fromJSON(const json::Value &value, SidecarArgument::Kind &kind,
                     json::Path path) {
  auto known = StringSwitch<std::optional<SidecarArgument::Kind>>(
                   value.getAsString().value_or(""))
                   .Case("parameter", SidecarArgument::Kind::Parameter)
                   .Case("input", SidecarArgument::Kind::Input)
                   .Default(std::nullopt);
  if (!known) {
    path.report("expected \"parameter\" or \"input\"");
    return false;
  }
  kind = *known;
  return true;
}

static bool fromJSON(const json::Value &value,
                     Indexed<SidecarArgument> &argument, json::Path path) {
  json::ObjectMapper mapper(value, path);
  if (!mapper ||
      !fromJSON(mapper, value, argument.value, argument.index, path) ||
      !mapper.map("name", argument.value.name) ||
      !mapper.map("kind", argument.value.kind) ||
      !mapper.mapOptional("tied_to", argument.value.tiedTo))
    return false;
  if (argument.value.name.empty()) {
    path.field("name").report("expected a name");
    return false;
  }
  return true;
}

/// Puts elements at their index; each of 0 ... n-1 has to be there once.
template <typename T>
static bool sortByIndex(std::vector<Indexed<T>> &&elements,
                        std::vector<T> &sorted, json::Path path) {
  std::vector<bool> seen(elements.size());
  sorted.resize(elements.size());
  for (auto [i, element] : enumerate(elements)) {
    uint64_t index = element.index;
    if (index >= elements.size() || seen[index]) {
      path.index(i).field("index").report(
          "expected each index from 0 to the number of elements once");
      return false;
    }
    seen[index] = true;
    sorted[index] = std::move(element.value);
  }
  return true;
}

static bool fromJSON(const json::Value &value, Sidecar &sidecar,
                     json::Path path) {
  std::vector<Indexed<SidecarArgument>> arguments;
  std::vector<Indexed<SidecarType>> results;
  int64_t version = 0;
  json::ObjectMapper mapper(value, path);
  if (!mapper || !mapper.map("version", version) ||
      !mapper.map("entry", sidecar.entry) ||
      !mapper.map("arguments", arguments) ||
      !mapper.mapOptional("results", results))
    return false;
  if (version != 1) {
    path.field("version").report("expected 1, the only version there is");
    return false;
  }
  return sortByIndex(std::move(arguments), sidecar.arguments,
                     path.field("arguments")) &&
         sortByIndex(std::move(results), sidecar.results,
                     path.field("results"));
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

Expected<Sidecar> parseSidecar(StringRef text, StringRef fileName) {
  Expected<Sidecar> sidecar = json::parse<Sidecar>(text, "sidecar");
  if (!sidecar)
    return createFileError(fileName, sidecar.takeError());
  return sidecar;
}

Expected<Sidecar> readSidecar(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return createFileError(path, buffer.getError());
  return parseSidecar((*buffer)->getBuffer(), path);
}

} // namespace mx
