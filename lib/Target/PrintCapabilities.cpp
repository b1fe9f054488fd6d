// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Target/KernelChoice.h"
#include "mx/Target/Passes.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace mx {
#define GEN_PASS_DEF_MXPRINTCAPABILITIES
#include "mx/Target/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;
using kernels::GemmConfig;
using kernels::OperandConfig;

/// A row of the first table: the formats of two operands; none: bf16.
static constexpr std::pair<StringLiteral, StringLiteral> products[] = {
    {"nvfp4", "nvfp4"},
    {"mxfp4", "mxfp4"},
    {"mxfp8_e4m3", "mxfp8_e4m3"},
    {"mxfp8_e5m2", "mxfp8_e5m2"},
    {"mxfp6_e2m3", "mxfp6_e2m3"},
    {"mxfp6_e3m2", "mxfp6_e3m2"},
    {"fp8_row", "fp8_row"},
    {"fp8_block_act", "fp8_block_weight"},
    {"", "nvfp4"},
    {"", "mxfp4"},
    {"", "int4_g128"},
    {"", "nf4"}};

static std::string joinCells(ArrayRef<std::string> cells) {
  return "| " + llvm::join(cells, " | ") + " |\n";
}

/// What mx-select-kernels takes for each product on a chip; in brackets where
/// the operands are dequantised because there is nothing better.
static FailureOr<std::vector<std::string>> getColumn(Operation *op,
                                                     const Chip &chip) {
  Type bf16 = BFloat16Type::get(op->getContext());
  auto getOperand = [&](StringRef name) -> OperandConfig {
    if (std::optional<Format> format = lookupFormatPreset(name))
      return {format, Type()};
    return {std::nullopt, bf16};
  };
  std::vector<std::string> column;
  for (auto [lhs, rhs] : products) {
    GemmConfig config;
    config.lhs = getOperand(lhs);
    config.rhs = getOperand(rhs);
    config.result = bf16;
    config.k = 4096;
    FailureOr<Choice> choice =
        chooseGemm(chip, {4096, 4096, config.k, 1}, config,
                   [&] { return emitError(op->getLoc()); });
    if (failed(choice))
      return failure();
    std::string name = stringify(config.atom).str();
    column.push_back(choice->isFallback ? "(" + name + ")" : name);
  }
  return column;
}

/// A column for each set of chips for which the choices are the same.
static LogicalResult printProducts(Operation *op, raw_ostream &os) {
  std::vector<std::pair<std::string, std::vector<std::string>>> columns;
  for (const Chip &chip : getChips()) {
    FailureOr<std::vector<std::string>> column = getColumn(op, chip);
    if (failed(column))
      return failure();
    auto same = llvm::find_if(
        columns, [&](const auto &other) { return other.second == *column; });
    if (same == columns.end())
      columns.emplace_back(chip.name.str(), std::move(*column));
    else
      same->first += ", " + chip.name.str();
  }
  std::vector<std::string> cells = {"product"};
  for (const auto &[chips, column] : columns)
    cells.push_back(chips);
  os << joinCells(cells)
     << joinCells(std::vector<std::string>(cells.size(), "---"));
  for (auto [i, product] : llvm::enumerate(products)) {
    auto [lhs, rhs] = product;
    cells = {((lhs.empty() ? "bf16" : lhs) + " x " + rhs).str()};
    for (const auto &[chips, column] : columns)
      cells.push_back(column[i]);
    os << joinCells(cells);
  }
  return success();
}

/// The tensor core rows of the capability table.
static void printInstructions(raw_ostream &os) {
  os << "| instruction | A and B | block scales | K | PTX | chips |\n"
        "| --- | --- | --- | --- | --- | --- |\n";
  for (const Capability &row : getCapabilities()) {
    if (!row.isTensorCore())
      continue;
    std::string types;
    for (unsigned type = 0; type < 16; ++type)
      if (row.a >> type & 1)
        types += (types.empty() ? "" : " ") +
                 stringify(static_cast<OperandType>(type)).str();
    std::string scales = "-";
    if (row.scaleBlock)
      scales = (stringify(row.scale) + ", one for " +
                Twine(unsigned(row.scaleBlock)))
                   .str();
    auto isNative = [&](const Chip &c) {
      return row.isOn(c) && !row.isEmulatedOn(c);
    };
    os << joinCells({row.name.str(), types, scales, std::to_string(row.k),
                     formatPTXVersion(row.ptx), getChipNames(isNative)});
  }
}

namespace {
struct PrintCapabilities
    : mx::impl::MXPrintCapabilitiesBase<PrintCapabilities> {
  using MXPrintCapabilitiesBase::MXPrintCapabilitiesBase;

  void runOnOperation() override {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "The instruction of a matmul's kernel; in brackets where the chip "
          "cannot multiply\nthe formats as they are, or no kernel is built on "
          "it yet, so that operands are\ndequantised in the kernel:\n\n";
    if (failed(printProducts(getOperation(), os)))
      return signalPassFailure();
    os << "\nTensor core instructions that the table knows:\n\n";
    printInstructions(os);
    llvm::Error error = llvm::writeToOutput(output, [&](raw_ostream &stream) {
      stream << text;
      return llvm::Error::success();
    });
    if (error) {
      emitError(getOperation()->getLoc(), "cannot write ")
          << output << ": " << llvm::toString(std::move(error));
      signalPassFailure();
    }
  }
};
} // namespace
