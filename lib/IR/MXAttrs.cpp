// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/MX.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mx;

#include "mx/IR/MXEnums.cpp.inc"

/// The name of a row of the capability table.
static ParseResult parseInstruction(AsmParser &parser, Instruction &result) {
  StringRef name;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&name))
    return failure();
  std::optional<Instruction> instruction = symbolizeInstruction(name);
  if (!instruction)
    return parser.emitError(loc)
           << "the capability table has no '" << name << "'";
  result = *instruction;
  return success();
}

static void printInstruction(AsmPrinter &printer, Instruction instruction) {
  printer << stringify(instruction);
}

/// `128x128x64`, an extent for each dimension of a tile.
static ParseResult parseDimensions(AsmParser &parser,
                                   SmallVectorImpl<int64_t> &dims) {
  return parser.parseDimensionList(dims, /*allowDynamic=*/false,
                                   /*withTrailingX=*/false);
}

static void printDimensions(AsmPrinter &printer, ArrayRef<int64_t> dims) {
  printer.printDimensionList(dims);
}

#define GET_ATTRDEF_CLASSES
#include "mx/IR/MXAttrs.cpp.inc"

void MXDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mx/IR/MXAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// ProductShape
//===----------------------------------------------------------------------===//

AsmPrinter &mx::operator<<(AsmPrinter &printer,
                           const std::optional<ProductShape> &shape) {
  printer.printDimensionList({shape->m, shape->n, shape->k, shape->batch});
  return printer;
}

FailureOr<std::optional<ProductShape>>
FieldParser<std::optional<ProductShape>>::parse(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t> extents;
  if (parser.parseDimensionList(extents, /*allowDynamic=*/true,
                                /*withTrailingX=*/false))
    return failure();
  if (extents.size() != 4) {
    parser.emitError(loc, "expected the extents m x n x k x batch");
    return failure();
  }
  return std::optional<ProductShape>(
      {extents[0], extents[1], extents[2], extents[3]});
}

//===----------------------------------------------------------------------===//
// FormatAttr
//===----------------------------------------------------------------------===//

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
  StringRef text(begin, parser.getCurrentLocation().getPointer() - begin);
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

LogicalResult
LayoutAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                           function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() < 2)
    return emitError() << *this << " needs a tensor of rank 2 or more, got "
                       << shape.size();
  if (!elementType.isIntOrFloat() || elementType.getIntOrFloatBitWidth() != 8)
    return emitError() << *this << " needs elements of 8 bits, got "
                       << elementType;
  return success();
}

HadamardAttr HadamardAttr::getRHT16(MLIRContext *context) {
  Hadamard transform = Hadamard::getTransformerEngine();
  return get(context, transform.size(), transform.signs, std::nullopt);
}

Hadamard HadamardAttr::getValue() const {
  if (getSeed())
    return Hadamard::getSeeded(getSize(), *getSeed());
  if (getSigns().empty())
    return Hadamard::getPlain(getSize());
  return {llvm::to_vector(getSigns())};
}

/// `rht16`, or the size and perhaps signs or a seed.
Attribute HadamardAttr::parse(AsmParser &parser, Type) {
  MLIRContext *context = parser.getContext();
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess())
    return {};
  if (succeeded(parser.parseOptionalKeyword("rht16")))
    return parser.parseGreater() ? Attribute() : getRHT16(context);

  int64_t size;
  SmallVector<int8_t> signs;
  std::optional<int64_t> seed;
  if (parser.parseInteger(size))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    StringRef field;
    SMLoc fieldLoc = parser.getCurrentLocation();
    if (failed(parser.parseOptionalKeyword(&field, {"signs", "seed"}))) {
      parser.emitError(fieldLoc, "expected 'signs' or 'seed'");
      return {};
    }
    if (parser.parseEqual())
      return {};
    auto parseSign = [&] { return parser.parseInteger(signs.emplace_back()); };
    if (field == "seed" ? parser.parseInteger(seed.emplace())
                        : parser.parseCommaSeparatedList(
                              AsmParser::Delimiter::Square, parseSign))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<HadamardAttr>(loc, context, size, signs, seed);
}

void HadamardAttr::print(AsmPrinter &printer) const {
  if (*this == getRHT16(getContext())) {
    printer << "<rht16>";
    return;
  }
  printer << '<' << getSize();
  if (!getSigns().empty()) {
    printer << ", signs = [";
    llvm::interleaveComma(getSigns(), printer,
                          [&](int8_t sign) { printer << int(sign); });
    printer << ']';
  }
  if (getSeed())
    printer << ", seed = " << *getSeed();
  printer << '>';
}

LogicalResult HadamardAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t size, ArrayRef<int8_t> signs,
                                   std::optional<int64_t> seed) {
  constexpr int64_t maxSize = 1024;
  if (size < 2 || size > maxSize || !llvm::isPowerOf2_64(size)) // H1
    return emitError() << "size must be a power of two from 2 to " << maxSize
                       << ", got " << size;
  if (!signs.empty() && seed) // H2
    return emitError() << "signs and seed exclude each other";
  if (!signs.empty() && signs.size() != size_t(size)) // H3
    return emitError() << "expected " << size << " signs, got " << signs.size();
  if (!llvm::all_of(signs, [](int8_t s) { return s == 1 || s == -1; })) // H4
    return emitError() << "signs must be 1 or -1";
  return success();
}

static InFlightDiagnostic
emitUnknownChip(function_ref<InFlightDiagnostic()> emitError, StringRef name) {
  return emitError() << "unknown chip '" << name << "'; known are "
                     << getChipNames([](const Chip &) { return true; });
}

LogicalResult PolicyAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 OperandAttr lhs, OperandAttr rhs,
                                 TypeAttr accumulate, int64_t promoteEvery,
                                 TypeAttr result, StringAttr rule,
                                 StringAttr reason) {
  if (accumulate && !accumulate.getValue().isF32()) // P1
    return emitError() << "accumulate must be f32, got " << accumulate;
  if (promoteEvery < 0) // P2
    return emitError() << "promote_every must not be negative, got "
                       << promoteEvery;
  if (result && !isHighPrecisionType(result.getValue())) // P3
    return emitError() << "result must be f32, f16 or bf16, got " << result;
  HadamardAttr lhsTransform = lhs ? lhs.getTransform() : nullptr; // P4
  HadamardAttr rhsTransform = rhs ? rhs.getTransform() : nullptr;
  if (lhsTransform != rhsTransform)
    return emitError() << "lhs and rhs must have the same transform, or it "
                          "does not cancel in their product";
  if (rule.empty() || reason.empty()) // P5
    return emitError() << "rule and reason must not be empty";
  return success();
}

LogicalResult KernelAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 KernelFamily family, StringRef chipName,
                                 Instruction atom, ArrayRef<int64_t> tile,
                                 ArrayRef<int64_t> warps, int64_t stages) {
  const Chip *chip = lookupChip(chipName);
  if (!chip)
    return emitUnknownChip(emitError, chipName);
  const Capability &row = getCapability(atom);
  if (!row.isOn(*chip))
    return emitError() << chipName << " has no " << row.name << "; it is on "
                       << getChipNames(
                              [&](const Chip &c) { return row.isOn(c); });
  bool isGemm = family == KernelFamily::gemm;
  if (row.isTensorCore() != isGemm)
    return emitError() << "a " << stringifyKernelFamily(family)
                       << " kernel cannot be built on " << row.name;
  size_t tileRank = isGemm ? 3 : 0, warpsRank = isGemm ? 2 : 1;
  if (tile.size() != tileRank || warps.size() != warpsRank)
    return emitError() << "expected a tile of " << tileRank
                       << " dimensions and warps of " << warpsRank << ", got "
                       << tile.size() << " and " << warps.size();
  auto isPositive = [](int64_t extent) { return extent > 0; };
  if (!llvm::all_of(tile, isPositive) || !llvm::all_of(warps, isPositive) ||
      stages < 1)
    return emitError() << "tile, warps and stages must be positive";
  constexpr int64_t maxWarps = 32;
  if (computeProduct(warps) > maxWarps)
    return emitError() << "a block has at most " << maxWarps << " warps, got "
                       << computeProduct(warps);
  int64_t atomShape[] = {row.m, row.n, row.k};
  if (isGemm)
    for (auto [extent, unit] : llvm::zip_equal(tile, atomShape))
      if (extent % unit != 0)
        return emitError() << "the tile must be a multiple of the atom's "
                           << row.m << "x" << row.n << "x" << row.k;
  return success();
}

int64_t KernelAttr::getNumThreads() const {
  constexpr int64_t warpSize = 32;
  return computeProduct(getWarps()) * warpSize;
}

LogicalResult
NVPTXTargetAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                        StringRef chipName, unsigned ptx, unsigned optLevel) {
  const Chip *chip = lookupChip(chipName);
  if (!chip)
    return emitUnknownChip(emitError, chipName);
  if (ptx != 0 && !isPTXVersion(ptx))
    return emitError() << "PTX version " << formatPTXVersion(ptx)
                       << " cannot be emitted";
  if (ptx != 0 && ptx < chip->ptx)
    return emitError() << chipName << " needs PTX "
                       << formatPTXVersion(chip->ptx) << " or later, got "
                       << formatPTXVersion(ptx);
  if (optLevel > 3)
    return emitError() << "O must be 0 to 3, got " << optLevel;
  return success();
}
