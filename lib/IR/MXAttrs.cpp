// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/MX.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mx;

#include "mx/IR/MXEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mx/IR/MXAttrs.cpp.inc"

void MXDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mx/IR/MXAttrs.cpp.inc"
      >();
}

LogicalResult FormatAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 Format value) {
  if (llvm::Error error = value.verify())
    return emitError() << llvm::toString(std::move(error));
  return success();
}

/// The text between `<` and `>` belongs to mx/Formats: collect its tokens and
/// hand the source text over, so that tools and IR have one spelling.
Attribute FormatAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess())
    return {};
  const char *begin = parser.getCurrentLocation().getPointer();
  StringRef keyword;
  while (failed(parser.parseOptionalGreater())) {
    int64_t integer;
    if (succeeded(parser.parseOptionalKeyword(&keyword)) ||
        succeeded(parser.parseOptionalComma()) ||
        succeeded(parser.parseOptionalEqual()) ||
        succeeded(parser.parseOptionalQuestion()) ||
        parser.parseOptionalInteger(integer).has_value())
      continue;
    parser.emitError(parser.getCurrentLocation(),
                     "expected a preset or 'field = value' in #mx.format");
    return {};
  }
  // The `>` is the last character that was consumed before trailing space.
  StringRef text(begin,
                 parser.getCurrentLocation().getPointer() - begin);
  text = text.take_front(text.find('>'));
  llvm::Expected<Format> format = Format::parse(text);
  if (!format) {
    parser.emitError(loc, llvm::toString(format.takeError()));
    return {};
  }
  return FormatAttr::get(parser.getContext(), *format);
}

void FormatAttr::print(AsmPrinter &printer) const {
  printer << '<' << getValue().str() << '>';
}

LogicalResult HadamardAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t size, DenseI8ArrayAttr signs,
                                   IntegerAttr seed) {
  if (size < 2 || !llvm::isPowerOf2_64(size))
    return emitError() << "size must be a power of two, at least 2, got "
                       << size;
  if (signs && seed)
    return emitError() << "signs and seed exclude each other";
  if (signs && signs.size() != size)
    return emitError() << "expected " << size << " signs, got "
                       << signs.size();
  if (signs && !llvm::all_of(signs.asArrayRef(),
                             [](int8_t s) { return s == 1 || s == -1; }))
    return emitError() << "signs must be 1 or -1";
  return success();
}
