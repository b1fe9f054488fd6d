// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A group of threads owns one block: it finds the largest magnitude, makes the
// scale, and encodes. A thread takes 32 bits of codes (a chunk) at a time.

#include "mx/Kernels/Quantize.h"

#include "Emitter.h"
#include "EncodeBlock.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

/// Bits of a code in memory, and codes of a chunk.
static int64_t getCodeBits(const Format &format) {
  return llvm::PowerOf2Ceil(getBitWidth(format.element));
}
static int64_t getChunkSize(const Format &format) {
  return 32 / getCodeBits(format);
}

int64_t QuantizeConfig::getThreadsOfBlock() const {
  constexpr int64_t maxChunks = 8;
  // A thread can keep the blocks of MX and NVFP4 in its registers.
  int64_t chunks =
      format.blockRows == 1 && format.blockCols != Format::Whole
          ? llvm::divideCeil(format.blockCols, getChunkSize(format))
          : 32;
  if (chunks <= maxChunks)
    return 1;
  return std::min<int64_t>(llvm::PowerOf2Ceil(chunks), 32);
}

std::string QuantizeConfig::getName() const {
  std::string name;
  llvm::raw_string_ostream os(name);
  os << "quantize_" << StringRef(format.str()).take_while([](char c) {
    return llvm::isAlnum(c) || c == '_';
  }) << '_'
     << input;
  if (!ShapedType::isDynamic(k))
    os << "_k" << k;
  if (batched)
    os << "_batched";
  return name;
}

SmallVector<QuantizeArgument>
kernels::getQuantizeArguments(const QuantizeConfig &config) {
  SmallVector<QuantizeArgument> arguments = {QuantizeArgument::Input};
  if (config.format.secondLevel)
    arguments.push_back(QuantizeArgument::Amax);
  arguments.append({QuantizeArgument::Elements, QuantizeArgument::Scales});
  if (config.format.zeroPoint)
    arguments.push_back(QuantizeArgument::ZeroPoints);
  arguments.push_back(QuantizeArgument::M);
  if (ShapedType::isDynamic(config.k))
    arguments.push_back(QuantizeArgument::K);
  if (config.batched)
    arguments.push_back(QuantizeArgument::Batches);
  return arguments;
}

LogicalResult
kernels::verifyQuantize(const QuantizeConfig &config,
                        function_ref<InFlightDiagnostic()> emitError) {
  const Format &format = config.format;
  if (format.variant != Variant::OCP || format.fourOverSix != FourOverSix::None)
    return emitError() << "no kernel follows the edge rules of "
                       << format.str();
  if (format.doubleQuant || format.zeroPoint ||
      format.element == Element::Ternary)
    return emitError() << "no kernel makes the scales of " << format.str();
  if (format.blockCols != Format::Whole &&
      format.blockCols % getChunkSize(format) != 0)
    return emitError() << "blocks of " << format.blockCols
                       << " elements have no whole words of codes";
  return success();
}

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

namespace {

class QuantizeBuilder {
public:
  QuantizeBuilder(Emitter &emitter, const QuantizeConfig &config,
                  ValueRange arguments)
      : e(emitter), config(config), format(config.format),
        roles(getQuantizeArguments(config)), arguments(arguments) {}

  void build();

private:
  Value getArgument(QuantizeArgument role) {
    for (auto [argument, value] : llvm::zip_equal(roles, arguments))
      if (argument == role)
        return value;
    return Value();
  }
  /// A chunk of this thread's block.
  struct Chunk {
    I32 row, column;
  };
  Chunk getChunk(I32 index);
  /// True if no chunk lies on the end of a row.
  bool isWholeChunks() const {
    return k.isConstant() && k.getConstant() % getChunkSize(format) == 0;
  }
  /// True if whole chunks of a block may lie past the end of its row.
  bool mayPassEnd() const {
    return keptChunks &&
           !(k.isConstant() && k.getConstant() % format.blockCols == 0);
  }
  /// Its values as f32; zero past the end of the row.
  Value loadChunk(const Chunk &chunk);
  /// Zero for what is past the end of the row: a scale may be NaN.
  Value clearPadding(const Chunk &chunk, Value values);
  void storeChunk(const Chunk &chunk, Value codes);
  /// Calls `body` for each chunk of this thread, as unrolled code where all
  /// threads have the same few, else in a loop that carries a value.
  Value forEachChunk(Value init,
                     function_ref<Value(int64_t, const Chunk &, Value)> body);
  /// The largest |x| of the block as f32 bits, so that NaN wins.
  Value getAmaxBits(Value values, Value amax);

  Emitter &e;
  const QuantizeConfig &config;
  const Format &format;
  SmallVector<QuantizeArgument> roles;
  ValueRange arguments;

  I32 m = 0, k = 0;
  /// Of this thread's block: first row and column, rows and columns.
  I32 row0 = 0, column0 = 0, numRows = 1, numColumns = 0;
  /// This thread in its block's group.
  I32 member = 0;
  /// True if this thread's block exists (null: surely).
  Value exists;
  /// Number of chunks that each thread has, if they are kept; else 0.
  int64_t keptChunks = 0;
  SmallVector<Value> kept;
};

} // namespace

QuantizeBuilder::Chunk QuantizeBuilder::getChunk(I32 index) {
  I32 chunksOfRow =
      (numColumns + (getChunkSize(format) - 1)) / getChunkSize(format);
  return {row0 + index / chunksOfRow,
          column0 + index % chunksOfRow * getChunkSize(format)};
}

Value QuantizeBuilder::loadChunk(const Chunk &chunk) {
  int64_t size = getChunkSize(format);
  int64_t bytes = config.input.getIntOrFloatBitWidth() / 8;
  Value start = e.advance64(
      getArgument(QuantizeArgument::Input),
      arith::MulIOp::create(e, e.get64(chunk.row), e.get64(k * bytes)));
  auto f32 = VectorType::get({size}, e.getF32Type());
  auto type = VectorType::get({size}, config.input);
  Value values;
  if (isWholeChunks()) {
    // In pieces of at most 16 bytes.
    I32 column = mayPassEnd() ? min(chunk.column, k - size) : chunk.column;
    Value pointer = e.advance(start, column * bytes);
    int64_t piece = std::min<int64_t>(size, 16 / bytes);
    SmallVector<Value> elements;
    for (int64_t i = 0; i < size; i += piece)
      llvm::append_range(
          elements, e.getElements(e.load(VectorType::get({piece}, config.input),
                                         e.advance(pointer, i * bytes))));
    if (mayPassEnd()) {
      Value isInRow = e.isLess(chunk.column, k);
      for (Value &element : elements)
        element = arith::SelectOp::create(e, isInRow, element,
                                          e.getFloat(config.input, 0));
    }
    values = e.makeVector(elements);
  } else {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < size; ++i) {
      I32 column = chunk.column + i;
      Value element =
          e.load(config.input, e.advance(start, min(column, k - 1) * bytes));
      elements.push_back(arith::SelectOp::create(
          e, e.isLess(column, k), element, e.getFloat(config.input, 0)));
    }
    values = e.makeVector(elements);
  }
  if (type == f32)
    return values;
  return arith::ExtFOp::create(e, f32, values);
}

Value QuantizeBuilder::clearPadding(const Chunk &chunk, Value values) {
  // What lies past the end is not stored.
  if (isWholeChunks())
    return values;
  SmallVector<Value> elements = e.getElements(values);
  for (auto [i, element] : llvm::enumerate(elements))
    element = arith::SelectOp::create(e, e.isLess(chunk.column + int64_t(i), k),
                                      element, e.getFloat(e.getF32Type(), 0));
  return e.makeVector(elements);
}

void QuantizeBuilder::storeChunk(const Chunk &chunk, Value codes) {
  int64_t bits = getCodeBits(format);
  I32 rowBytes = (k * bits + 7) / 8;
  Value start = e.advance64(
      getArgument(QuantizeArgument::Elements),
      arith::MulIOp::create(e, e.get64(chunk.row), e.get64(rowBytes)));
  I32 byte = chunk.column * bits / 8;
  if (isWholeChunks()) {
    auto store = [&] { e.store(codes, e.advance(start, byte)); };
    return mayPassEnd() ? e.emitIf(e.isLess(chunk.column, k), store) : store();
  }
  for (int64_t i = 0; i < 4; ++i)
    e.emitIf(e.isLess(byte + i, rowBytes), [&] {
      Value code = e.get(I32(e, codes) >> 8 * i);
      e.store(arith::TruncIOp::create(e, e.getI8Type(), code),
              e.advance(start, byte + i));
    });
}

Value QuantizeBuilder::forEachChunk(
    Value init, function_ref<Value(int64_t, const Chunk &, Value)> body) {
  int64_t threads = config.getThreadsOfBlock();
  if (keptChunks) {
    for (int64_t i = 0; i < keptChunks; ++i)
      init = body(i, getChunk(member + i * threads), init);
    return init;
  }
  I32 chunksOfRow =
      (numColumns + (getChunkSize(format) - 1)) / getChunkSize(format);
  I32 trips = (numRows * chunksOfRow - member + (threads - 1)) / threads;
  return e.emitFor(trips, init, [&](I32 i, ValueRange carried) {
    return SmallVector<Value>{
        body(0, getChunk(member + i * threads), carried[0])};
  })[0];
}

Value QuantizeBuilder::getAmaxBits(Value values, Value amax) {
  auto type = cast<VectorType>(values.getType());
  auto bits = type.clone(e.getI32Type());
  Value magnitude =
      arith::AndIOp::create(e, arith::BitcastOp::create(e, bits, values),
                            e.splat(bits, e.get(0x7FFFFFFF)));
  for (Value element : e.getElements(magnitude))
    amax = arith::MaxUIOp::create(e, amax, element);
  return amax;
}

void QuantizeBuilder::build() {
  m = I32(e, getArgument(QuantizeArgument::M));
  k = ShapedType::isDynamic(config.k) ? I32(e, getArgument(QuantizeArgument::K))
                                      : I32(config.k);
  int64_t threads = config.getThreadsOfBlock();
  I32 thread = e.getBlockId(0) * config.getNumThreads() + e.getThreadId();
  member = thread % threads;
  I32 block = thread / threads;

  // Blocks count along rows of blocks. One past the last works on the last, so
  // that all threads of a warp can exchange values, and stores nothing.
  bool wholeRow = format.blockCols == Format::Whole;
  bool wholeColumn = format.blockRows == Format::Whole;
  I32 blocksOfRow =
      wholeRow ? I32(1) : (k + (format.blockCols - 1)) / format.blockCols;
  I32 rowsOfBlocks =
      wholeColumn ? I32(1) : (m + (format.blockRows - 1)) / format.blockRows;
  I32 blocksOfMatrix = blocksOfRow * rowsOfBlocks;
  I32 numBlocks = blocksOfMatrix;
  if (config.batched)
    numBlocks = numBlocks * I32(e, getArgument(QuantizeArgument::Batches));
  exists = e.isLess(block, numBlocks);
  I32 index = min(block, numBlocks - 1);
  I32 matrix = config.batched ? index / blocksOfMatrix : I32(0);
  I32 inMatrix = config.batched ? index % blocksOfMatrix : index;
  I32 blockRow = inMatrix / blocksOfRow, blockColumn = inMatrix % blocksOfRow;
  row0 = wholeColumn ? I32(0) : blockRow * format.blockRows;
  numRows = wholeColumn ? m : min(m - row0, format.blockRows);
  row0 = matrix * m + row0;
  column0 = wholeRow ? I32(0) : blockColumn * format.blockCols;
  numColumns = wholeRow ? k : I32(format.blockCols);
  if (format.blockRows == 1) {
    numRows = 1;
    if (!wholeRow) {
      // Elements past the end of the row are zero, so blocks are whole.
      keptChunks = format.blockCols / getChunkSize(format) / threads;
    }
  } else if (!wholeRow) {
    numColumns = min(k - column0, format.blockCols);
  }

  Value amax =
      forEachChunk(e.get(0), [&](int64_t, const Chunk &chunk, Value amax) {
        Value values = loadChunk(chunk);
        if (keptChunks)
          kept.push_back(values);
        return getAmaxBits(values, amax);
      });
  amax = e.reduceMax(amax, threads);
  Value tensorAmax;
  if (format.secondLevel)
    tensorAmax = e.load(e.getF32Type(), getArgument(QuantizeArgument::Amax));
  EncodedScale scale = emitScale(e, format, amax, tensorAmax);

  e.emitIf(exists, [&] {
    forEachChunk(e.get(0), [&](int64_t i, const Chunk &chunk, Value unused) {
      Value values = keptChunks ? kept[i] : loadChunk(chunk);
      values = clearPadding(chunk, applyScale(e, scale, values));
      storeChunk(chunk, emitCodes(e, format.element, values));
      return unused;
    });
    e.emitIf(e.isEqual(member, 0), [&] {
      int64_t bytes = scale.stored.getType().getIntOrFloatBitWidth() / 8;
      e.store(scale.stored, e.advance64(getArgument(QuantizeArgument::Scales),
                                        arith::MulIOp::create(e, e.get64(index),
                                                              e.get64(bytes))));
    });
  });
}

gpu::GPUFuncOp kernels::buildQuantize(OpBuilder &builder, Location loc,
                                      const QuantizeConfig &config,
                                      StringRef name) {
  Emitter e(loc, builder);
  SmallVector<Type> types;
  for (QuantizeArgument argument : getQuantizeArguments(config)) {
    bool isSize = argument >= QuantizeArgument::M;
    types.push_back(isSize ? e.getI32Type() : e.getGlobalPointerType());
  }
  gpu::GPUFuncOp func = e.startKernel(name, types, config.getNumThreads());
  QuantizeBuilder(e, config, func.getArguments()).build();
  gpu::ReturnOp::create(e);
  return func;
}
