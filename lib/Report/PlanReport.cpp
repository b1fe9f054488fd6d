// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/PlanReport.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <array>
#include <cmath>

using namespace mlir;
using namespace mx;

namespace json = llvm::json;

std::vector<PlanRow> mx::collectPlan(ModuleOp module) {
  std::vector<PlanRow> rows;
  module.walk<WalkOrder::PreOrder>([&](FunctionOpInterface function) {
    for (PlanEntryAttr entry : getPlan(function))
      rows.push_back({function.getName(), entry});
  });
  return rows;
}

//===----------------------------------------------------------------------===//
// Summary
//===----------------------------------------------------------------------===//

/// The format that the weight of an entry gets; null if it stays.
static FormatAttr getWeightFormat(PlanEntryAttr entry) {
  // The weight is the operand that has a format, or either if both have.
  PolicyAttr decision = entry.getDecision();
  OperandAttr operand =
      decision.getRhs() ? decision.getRhs() : decision.getLhs();
  return operand ? operand.getFormat() : FormatAttr();
}

/// Bits of a weight of `elements` elements along K as codes and block scales.
static double getBits(MLIRContext *context, const Format &format,
                      double elements, int64_t k) {
  double bits = elements * getBitWidth(format.element);
  if (ShapedType::isDynamic(k) || k == 0)
    return bits;
  double rows = elements / k;
  double rowBlocks = format.blockRows == Format::Whole
                         ? 1
                         : std::ceil(rows / format.blockRows);
  double columnBlocks = format.blockCols == Format::Whole
                            ? 1
                            : std::ceil(double(k) / format.blockCols);
  double scales = rowBlocks * columnBlocks;
  bits += scales * getScaleType(context, format.scale).getIntOrFloatBitWidth();
  if (format.zeroPoint)
    bits += scales * 8;
  if (format.secondLevel)
    bits += 32;
  return bits;
}

WeightBits mx::getWeightBits(PlanEntryAttr entry) {
  if (!entry.getWeight())
    return {};
  double elements = entry.getWeightElements();
  double original =
      elements * entry.getWeightType().getValue().getIntOrFloatBitWidth();
  FormatAttr format = getWeightFormat(entry);
  if (!format || elements == 0)
    return {original, original};
  return {original, getBits(entry.getContext(), format.getValue(), elements,
                            entry.getShape()->k)};
}

PlanSummary mx::summarize(ArrayRef<PlanRow> plan) {
  struct Weight {
    double bitsBefore = 0, bitsQuantized = 0;
    bool isKept = false;
  };
  PlanSummary summary;
  double flops = 0, flopsQuantized = 0;
  llvm::MapVector<std::pair<StringRef, StringRef>, Weight> weights;
  for (const PlanRow &row : plan) {
    PlanEntryAttr entry = row.entry;
    bool isKept = entry.getDecision().isKeep();
    ++(isKept ? summary.keep : summary.quantize);
    if (entry.getShape()) {
      flops += entry.getShape()->getFlops();
      if (!isKept)
        flopsQuantized += entry.getShape()->getFlops();
    }
    if (!entry.getWeight())
      continue;
    Weight &weight = weights[{row.function, entry.getWeight().getValue()}];
    WeightBits bits = getWeightBits(entry);
    weight.bitsBefore = bits.original;
    if (getWeightFormat(entry))
      weight.bitsQuantized = std::max(weight.bitsQuantized, bits.decided);
    else
      weight.isKept = true;
  }
  double before = 0, after = 0;
  for (auto &[name, weight] : weights) {
    before += weight.bitsBefore;
    after += weight.bitsQuantized + (weight.isKept ? weight.bitsBefore : 0);
  }
  summary.flopsQuantized = flops == 0 ? 0 : flopsQuantized / flops;
  summary.bytesBefore = before / 8;
  summary.bytesAfter = after / 8;
  return summary;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static std::string printType(TypeAttr type) {
  std::string text;
  llvm::raw_string_ostream(text) << type.getValue();
  return text;
}

/// The format of an operand, or the type that it keeps.
static std::string describe(OperandAttr operand, TypeAttr type) {
  return operand ? operand.getFormat().getValue().str() : printType(type);
}

static StringRef getText(StringAttr attribute) {
  return attribute ? attribute.getValue() : "";
}

static json::Value toJSON(int64_t extent) {
  if (ShapedType::isDynamic(extent))
    return "?";
  return extent;
}

static json::Object toJSON(const PlanRow &row) {
  PlanEntryAttr entry = row.entry;
  PolicyAttr decision = entry.getDecision();
  bool isKept = decision.isKeep();
  // Strings are copied: a report may outlive the module.
  json::Object object{
      {"function", row.function.str()},
      {"index", entry.getIndex()},
      {"location", getText(entry.getLocation()).str()},
      {"op", entry.getOp().str()},
      {"role", stringifyRole(entry.getRole())},
      {"decision", isKept ? "keep" : "quantize"},
      {"policy", isKept ? "keep" : getText(entry.getScheme()).str()},
      {"rule", decision.getRule().str()},
      {"reason", decision.getReason().str()}};
  if (entry.getGemm())
    object["gemm"] = stringifyGemm(entry.getGemm().getValue());
  if (entry.getWeight()) {
    WeightBits bits = getWeightBits(entry);
    object["weight"] = entry.getWeight().str();
    object["bytes_before"] = int64_t(bits.original / 8);
    object["bytes_after"] = int64_t(bits.decided / 8);
  }
  if (std::optional<ProductShape> shape = entry.getShape()) {
    object["m"] = toJSON(shape->m);
    object["n"] = toJSON(shape->n);
    object["k"] = toJSON(shape->k);
    object["batch"] = toJSON(shape->batch);
    if (double flops = shape->getFlops())
      object["flops"] = flops;
    object["lhs"] = describe(decision.getLhs(), entry.getLhs());
    object["rhs"] = describe(decision.getRhs(), entry.getRhs());
    object["accumulate"] =
        printType(decision.getAccumulate() ? decision.getAccumulate()
                                           : entry.getAccumulate());
  }
  return object;
}

json::Value mx::toJSON(ArrayRef<PlanRow> plan) {
  json::Array ops;
  for (const PlanRow &row : plan)
    ops.push_back(::toJSON(row));
  PlanSummary summary = summarize(plan);
  return json::Object{
      {"version", 1},
      {"ops", std::move(ops)},
      {"summary", json::Object{{"quantize", summary.quantize},
                               {"keep", summary.keep},
                               {"flops_quantized", summary.flopsQuantized},
                               {"bytes_before", summary.bytesBefore},
                               {"bytes_after", summary.bytesAfter}}}};
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

namespace {
/// Widest line of the table.
constexpr size_t maxWidth = 120;
/// What names may lose before other columns do.
constexpr size_t minNameWidth = 16;

enum Column {
  IndexColumn,
  OpColumn,
  NameColumn,
  RoleColumn,
  ShapeColumn,
  LhsColumn,
  RhsColumn,
  WhyColumn,
  NumColumns
};

using Cells = std::array<std::string, NumColumns>;
} // namespace

/// `m x n x k`, and the batch if there is one.
static std::string printShape(const std::optional<ProductShape> &shape) {
  std::string text;
  if (!shape)
    return text;
  llvm::raw_string_ostream os(text);
  auto print = [](int64_t extent) {
    return ShapedType::isDynamic(extent) ? "?" : std::to_string(extent);
  };
  os << print(shape->m) << 'x' << print(shape->n) << 'x' << print(shape->k);
  if (shape->batch != 1)
    os << " (" << print(shape->batch) << " times)";
  return text;
}

static bool isContinuation(char c) { return (c & 0xC0) == 0x80; }

/// Columns that a text in UTF-8 takes, wide characters and marks aside.
static size_t getColumns(StringRef text) {
  return text.size() - llvm::count_if(text, isContinuation);
}

/// The end of a text (or its start), at most `width` columns.
static std::string shorten(StringRef text, size_t width, bool keepEnd) {
  constexpr StringLiteral dots = "...";
  size_t columns = getColumns(text);
  if (columns <= width)
    return text.str();
  for (size_t excess = columns + dots.size() - width; excess > 0; --excess)
    do
      text = keepEnd ? text.drop_front() : text.drop_back();
    while (!text.empty() &&
           isContinuation(keepEnd ? text.front() : text.back()));
  return keepEnd ? (dots + text).str() : (text + dots).str();
}

static std::string printBytes(int64_t bytes) {
  if (bytes < 1000)
    return llvm::formatv("{0} B", bytes);
  if (bytes < 1000000)
    return llvm::formatv("{0:F1} kB", bytes / 1e3);
  return llvm::formatv("{0:F1} MB", bytes / 1e6);
}

/// The widths of the columns, such that a line has at most `maxWidth`: names
/// give way first, then whatever is widest.
static std::array<size_t, NumColumns> getWidths(ArrayRef<Cells> table) {
  std::array<size_t, NumColumns> widths = {};
  for (const Cells &cells : table)
    for (auto [width, cell] : llvm::zip_equal(widths, cells))
      width = std::max(width, getColumns(cell));
  size_t total = 2 * (NumColumns - 1);
  for (size_t width : widths)
    total += width;
  for (; total > maxWidth; --total)
    --(widths[NameColumn] > minNameWidth ? widths[NameColumn]
                                         : *llvm::max_element(widths));
  return widths;
}

/// Prints words, in lines of at most `maxWidth` that start with `indent` spaces
/// but for the first, which has that much already.
static void printWrapped(StringRef text, size_t indent, raw_ostream &os) {
  size_t column = indent;
  for (StringRef word : llvm::split(text, " ")) {
    size_t width = getColumns(word);
    if (column > indent && column + 1 + width > maxWidth) {
      os << '\n';
      os.indent(indent);
      column = indent;
    } else if (column > indent) {
      os << ' ';
      ++column;
    }
    os << word;
    column += width;
  }
  os << '\n';
}

void mx::printText(ArrayRef<PlanRow> plan, raw_ostream &os) {
  std::vector<Cells> table = {
      {"index", "op", "name", "role", "m x n x k", "lhs", "rhs", "why"}};
  // Reasons repeat; each is printed once, below the table.
  llvm::MapVector<std::pair<StringRef, StringRef>, unsigned> reasons;
  for (const PlanRow &row : plan) {
    PlanEntryAttr entry = row.entry;
    PolicyAttr decision = entry.getDecision();
    unsigned why = reasons
                       .try_emplace({decision.getReason().getValue(),
                                     decision.getRule().getValue()},
                                    reasons.size() + 1)
                       .first->second;
    Cells cells;
    cells[IndexColumn] = std::to_string(entry.getIndex());
    cells[OpColumn] = entry.getOp().str();
    cells[NameColumn] = getText(entry.getLocation()).str();
    cells[RoleColumn] = stringifyRole(entry.getRole()).str();
    cells[ShapeColumn] = printShape(entry.getShape());
    if (entry.getShape()) {
      cells[LhsColumn] = describe(decision.getLhs(), entry.getLhs());
      cells[RhsColumn] = describe(decision.getRhs(), entry.getRhs());
    }
    cells[WhyColumn] = std::to_string(why);
    table.push_back(std::move(cells));
  }

  std::array<size_t, NumColumns> widths = getWidths(table);
  auto print = [&](const Cells &cells) {
    std::string line(widths[IndexColumn] - cells[IndexColumn].size(), ' ');
    line += cells[IndexColumn];
    for (unsigned i = OpColumn; i < NumColumns; ++i) {
      std::string cell = shorten(cells[i], widths[i], i == NameColumn);
      line += "  " + cell;
      line.append(widths[i] - getColumns(cell), ' ');
    }
    os << StringRef(line).rtrim() << "\n";
  };
  StringRef function;
  for (auto [i, row] : llvm::enumerate(plan)) {
    if (i == 0 || row.function != function) {
      function = row.function;
      os << (i == 0 ? "" : "\n") << "Precision plan of @" << function << "\n";
      print(table.front());
    }
    print(table[i + 1]);
  }

  os << "\nwhy\n";
  for (auto &[reason, number] : reasons) {
    os << llvm::formatv("{0,5}  ", number);
    printWrapped((reason.first + " (rule " + reason.second + ")").str(), 7, os);
  }
  PlanSummary summary = summarize(plan);
  os << llvm::formatv("\n{0} quantized, {1} kept; {2:P1} of the FLOPs of "
                      "products; parameters {3} -> {4}\n",
                      summary.quantize, summary.keep, summary.flopsQuantized,
                      printBytes(summary.bytesBefore),
                      printBytes(summary.bytesAfter));
}
