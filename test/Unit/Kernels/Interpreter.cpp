// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Interpreter.h"

#include "mx/Formats/Codec.h"
#include "mx/IR/MXGPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mx;
using namespace mx::test;

namespace {

/// Element e of thread t is bits[t * count + e]; a pointer is its address.
struct Lanes {
  int64_t count = 1;
  std::vector<uint64_t> bits;
};

/// Shared memory starts at this address; buffer i of global memory at
/// (i + 1) << bufferShift.
constexpr uint64_t sharedBase = uint64_t(1) << 62;
constexpr unsigned bufferShift = 40;
constexpr int warpSize = 32;

/// What is known of a byte of shared memory.
struct SharedByte {
  uint8_t value = 0;
  bool defined = false, pending = false;
  /// Last writer and reader, and the number of barriers before that; `many` if
  /// several threads read it since.
  static constexpr int none = -1, many = -2;
  int writer = none, reader = none;
  int64_t writeEpoch = -1, readEpoch = -1;
};

/// A cp.async of one thread.
struct Copy {
  int thread;
  uint64_t destination, source;
  int64_t size, valid;
};

double toDouble(Type type, uint64_t bits) {
  if (type.isF32())
    return llvm::bit_cast<float>(uint32_t(bits));
  if (type.isBF16())
    return llvm::bit_cast<float>(uint32_t(bits) << 16);
  // APFloat makes infinity of its NaN.
  if (isa<Float8E8M0FNUType>(type))
    return decodeE8M0(uint8_t(bits));
  auto floatType = cast<FloatType>(type);
  APFloat value(floatType.getFloatSemantics(),
                APInt(floatType.getWidth(), bits, /*isSigned=*/false,
                      /*implicitTrunc=*/true));
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}

/// Rounded to nearest even once; exact doubles only come from one operation on
/// f32 or narrower, for which double rounding is harmless.
uint64_t fromDouble(Type type, double value) {
  if (type.isF32())
    return llvm::bit_cast<uint32_t>(float(value));
  APFloat rounded(value);
  bool losesInfo;
  rounded.convert(cast<FloatType>(type).getFloatSemantics(),
                  APFloat::rmNearestTiesToEven, &losesInfo);
  return rounded.bitcastToAPInt().getZExtValue();
}

class ThreadBlock {
public:
  ThreadBlock(gpu::GPUFuncOp kernel, std::array<int64_t, 3> id, int numThreads,
              int64_t sharedBytes, ArrayRef<Argument> arguments);
  ThreadBlock(func::FuncOp function, int numThreads,
              ArrayRef<std::vector<uint64_t>> arguments);

  bool run(Block &block);

  std::string error;
  /// What a function returns.
  std::vector<uint64_t> result;

private:
  using Mask = std::vector<char>;

  bool fail(Operation *op, const Twine &text) {
    if (error.empty()) {
      llvm::raw_string_ostream os(error);
      os << text << " in: ";
      op->print(os, OpPrintingFlags().skipRegions());
    }
    return false;
  }

  //===--- Values ---------------------------------------------------------===//

  Lanes &set(Value value) {
    Lanes &lanes = values[value];
    lanes.count = getCount(value.getType());
    lanes.bits.assign(lanes.count * numThreads, 0);
    return lanes;
  }
  Lanes &get(Value value) { return values.find(value)->second; }
  static int64_t getCount(Type type) {
    if (auto vector = dyn_cast<VectorType>(type))
      return vector.getNumElements();
    if (auto structType = dyn_cast<LLVM::LLVMStructType>(type))
      return structType.getBody().size();
    return 1;
  }
  static unsigned getWidth(Type type) {
    type = getElementTypeOrSelf(type);
    return type.isIndex() || isa<LLVM::LLVMPointerType>(type)
               ? 64
               : type.getIntOrFloatBitWidth();
  }
  static uint64_t mask(Type type, uint64_t bits) {
    unsigned width = getWidth(type);
    return width == 64 ? bits : bits & ((uint64_t(1) << width) - 1);
  }
  static int64_t extend(Type type, uint64_t bits) {
    unsigned width = getWidth(type);
    return int64_t(bits << (64 - width)) >> (64 - width);
  }
  /// result[i] = fn(operands[i]...) for each element of each thread.
  template <typename Fn> bool map(Operation *op, Fn fn);
  template <typename Fn> bool mapFloat(Operation *op, Fn fn);
  /// The same value in all active threads.
  bool getUniform(Operation *op, Value value, int64_t &result);

  //===--- Memory ---------------------------------------------------------===//

  bool checkGlobal(Operation *op, uint64_t address, int64_t size);
  bool read(Operation *op, int thread, uint64_t address, int64_t size,
            uint8_t *bytes);
  bool write(Operation *op, int thread, uint64_t address, int64_t size,
             const uint8_t *bytes);
  bool markWrite(Operation *op, int thread, SharedByte &byte);
  bool load(LLVM::LoadOp op);
  bool store(LLVM::StoreOp op);

  //===--- Ops ------------------------------------------------------------===//

  bool execute(Operation *op);
  bool executeArith(Operation *op);
  bool executeVector(Operation *op);
  bool executeMXGPU(Operation *op);
  bool executeFor(scf::ForOp op);
  bool executeIf(scf::IfOp op);
  bool shuffle(gpu::ShuffleOp op);
  bool executeCopy(NVVM::CpAsyncOp op);
  bool waitForCopies(Operation *op, int64_t pending);
  bool loadMatrix(NVVM::LdMatrixOp op);
  bool multiply(NVVM::MmaOp op);
  bool multiply(mxgpu::MmaBlockScaleOp op);
  template <typename Product>
  void multiplyTile(int64_t k, const Lanes &c, Lanes &d, int warp,
                    Product product);

  std::array<int64_t, 3> id = {0, 0, 0};
  int numThreads = 1;
  llvm::DenseMap<Value, Lanes> values;
  Mask active;
  std::vector<std::vector<uint8_t> *> buffers;
  std::vector<SharedByte> shared;
  int64_t epoch = 0;
  std::vector<Copy> openCopies;
  std::vector<std::vector<Copy>> groups;
};

} // namespace

//===----------------------------------------------------------------------===//
// Set-up
//===----------------------------------------------------------------------===//

ThreadBlock::ThreadBlock(gpu::GPUFuncOp kernel, std::array<int64_t, 3> id,
                         int numThreads, int64_t sharedBytes,
                         ArrayRef<Argument> arguments)
    : id(id), numThreads(numThreads), active(numThreads, 1),
      shared(sharedBytes) {
  for (auto [value, argument] :
       llvm::zip_equal(kernel.getArguments(), arguments)) {
    uint64_t bits = argument.scalar;
    if (argument.buffer) {
      buffers.push_back(argument.buffer);
      bits = uint64_t(buffers.size()) << bufferShift;
    }
    Lanes &lanes = set(value);
    std::fill(lanes.bits.begin(), lanes.bits.end(), bits);
  }
}

ThreadBlock::ThreadBlock(func::FuncOp function, int numThreads,
                         ArrayRef<std::vector<uint64_t>> arguments)
    : numThreads(numThreads), active(numThreads, 1) {
  for (auto [value, argument] :
       llvm::zip_equal(function.getArguments(), arguments))
    set(value).bits = argument;
}

bool ThreadBlock::run(Block &block) {
  for (Operation &op : block)
    if (!execute(&op))
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

template <typename Fn> bool ThreadBlock::map(Operation *op, Fn fn) {
  Type type = op->getResult(0).getType();
  std::vector<uint64_t> bits(getCount(type) * numThreads);
  const uint64_t *operands[3] = {};
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    operands[i] = get(operand).bits.data();
  for (size_t i = 0; i < bits.size(); ++i) {
    uint64_t x[3];
    for (unsigned j = 0; j < op->getNumOperands(); ++j)
      x[j] = operands[j][i];
    bits[i] = mask(type, fn(x));
  }
  set(op->getResult(0)).bits = std::move(bits);
  return true;
}

template <typename Fn> bool ThreadBlock::mapFloat(Operation *op, Fn fn) {
  Type from = getElementTypeOrSelf(op->getOperand(0).getType());
  Type to = getElementTypeOrSelf(op->getResult(0).getType());
  return map(op, [&](const uint64_t *x) {
    double d[3];
    for (unsigned i = 0; i < op->getNumOperands(); ++i)
      d[i] = toDouble(from, x[i]);
    return fromDouble(to, fn(d));
  });
}

bool ThreadBlock::getUniform(Operation *op, Value value, int64_t &result) {
  Lanes &lanes = get(value);
  bool first = true;
  for (int t = 0; t < numThreads; ++t) {
    if (!active[t])
      continue;
    int64_t bits = extend(value.getType(), lanes.bits[t]);
    if (!first && bits != result)
      return fail(op, "threads disagree");
    result = bits;
    first = false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

bool ThreadBlock::checkGlobal(Operation *op, uint64_t address, int64_t size) {
  uint64_t buffer = (address >> bufferShift) - 1;
  uint64_t offset = address & ((uint64_t(1) << bufferShift) - 1);
  if (buffer >= buffers.size() || offset + size > buffers[buffer]->size())
    return fail(op, "global memory out of bounds: buffer " + Twine(buffer) +
                        ", byte " + Twine(offset));
  return true;
}

bool ThreadBlock::read(Operation *op, int thread, uint64_t address,
                       int64_t size, uint8_t *bytes) {
  if (address % size != 0)
    return fail(op, "misaligned read of " + Twine(size));
  if (address < sharedBase) {
    if (!checkGlobal(op, address, size))
      return false;
    uint64_t offset = address & ((uint64_t(1) << bufferShift) - 1);
    const auto &buffer = *buffers[(address >> bufferShift) - 1];
    std::copy_n(buffer.begin() + offset, size, bytes);
    return true;
  }
  uint64_t offset = address - sharedBase;
  if (offset + size > shared.size())
    return fail(op, "shared memory out of bounds: " + Twine(offset));
  for (int64_t i = 0; i < size; ++i) {
    SharedByte &byte = shared[offset + i];
    if (byte.pending)
      return fail(op, "shared byte " + Twine(offset + i) +
                          " is read while a copy to it is on its way");
    if (!byte.defined)
      return fail(op, "shared byte " + Twine(offset + i) + " was not written");
    if (byte.writer != thread && byte.writeEpoch == epoch)
      return fail(op, "shared byte " + Twine(offset + i) +
                          " was written by another thread since the barrier");
    bool sameEpoch = byte.readEpoch == epoch;
    byte.reader =
        sameEpoch && byte.reader != thread ? SharedByte::many : thread;
    byte.readEpoch = epoch;
    bytes[i] = byte.value;
  }
  return true;
}

bool ThreadBlock::markWrite(Operation *op, int thread, SharedByte &byte) {
  if (byte.pending || (byte.writer != thread && byte.writeEpoch == epoch))
    return fail(op, "a shared byte is written twice without a barrier");
  if (byte.readEpoch == epoch && byte.reader != thread)
    return fail(op, "a shared byte is overwritten that another thread read "
                    "since the barrier");
  return true;
}

bool ThreadBlock::write(Operation *op, int thread, uint64_t address,
                        int64_t size, const uint8_t *bytes) {
  if (address % size != 0)
    return fail(op, "misaligned write of " + Twine(size));
  if (address < sharedBase) {
    if (!checkGlobal(op, address, size))
      return false;
    uint64_t offset = address & ((uint64_t(1) << bufferShift) - 1);
    std::copy_n(bytes, size,
                buffers[(address >> bufferShift) - 1]->begin() + offset);
    return true;
  }
  uint64_t offset = address - sharedBase;
  if (offset + size > shared.size())
    return fail(op, "shared memory out of bounds: " + Twine(offset));
  for (int64_t i = 0; i < size; ++i) {
    SharedByte &byte = shared[offset + i];
    if (!markWrite(op, thread, byte))
      return false;
    byte.value = bytes[i];
    byte.defined = true;
    byte.writer = thread;
    byte.writeEpoch = epoch;
  }
  return true;
}

bool ThreadBlock::load(LLVM::LoadOp op) {
  Type type = op.getType();
  int64_t count = getCount(type), bytes = getWidth(type) / 8;
  std::vector<uint64_t> addresses = get(op.getAddr()).bits;
  Lanes &result = set(op.getResult());
  std::vector<uint8_t> buffer(count * bytes);
  for (int t = 0; t < numThreads; ++t) {
    if (!active[t])
      continue;
    if (!read(op, t, addresses[t], buffer.size(), buffer.data()))
      return false;
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < bytes; ++j)
        result.bits[t * count + i] |= uint64_t(buffer[i * bytes + j]) << 8 * j;
  }
  return true;
}

bool ThreadBlock::store(LLVM::StoreOp op) {
  Lanes &value = get(op.getValue());
  int64_t bytes = getWidth(op.getValue().getType()) / 8;
  std::vector<uint8_t> buffer(value.count * bytes);
  for (int t = 0; t < numThreads; ++t) {
    if (!active[t])
      continue;
    for (int64_t i = 0; i < value.count; ++i)
      for (int64_t j = 0; j < bytes; ++j)
        buffer[i * bytes + j] = value.bits[t * value.count + i] >> 8 * j;
    if (!write(op, t, get(op.getAddr()).bits[t], buffer.size(), buffer.data()))
      return false;
  }
  return true;
}

bool ThreadBlock::executeCopy(NVVM::CpAsyncOp op) {
  for (int t = 0; t < numThreads; ++t) {
    if (!active[t])
      continue;
    int64_t size = op.getSize(), valid = size;
    if (op.getCpSize())
      valid = extend(op.getCpSize().getType(), get(op.getCpSize()).bits[t]);
    Copy copy{t, get(op.getDst()).bits[t], get(op.getSrc()).bits[t], size,
              valid};
    if (valid < 0 || valid > size)
      return fail(op, "copies " + Twine(valid) + " of " + Twine(size));
    if (copy.destination % size != 0 || copy.source % size != 0)
      return fail(op, "misaligned copy");
    uint64_t offset = copy.destination - sharedBase;
    if (copy.destination < sharedBase || offset + size > shared.size())
      return fail(op, "shared memory out of bounds");
    if (valid > 0 && !checkGlobal(op, copy.source, valid))
      return false;
    for (int64_t i = 0; i < size; ++i) {
      if (!markWrite(op, t, shared[offset + i]))
        return false;
      shared[offset + i].pending = true;
    }
    openCopies.push_back(copy);
  }
  return true;
}

bool ThreadBlock::waitForCopies(Operation *op, int64_t pending) {
  while (int64_t(groups.size()) > pending) {
    for (const Copy &copy : groups.front()) {
      std::vector<uint8_t> bytes(copy.size, 0);
      uint64_t offset = copy.source & ((uint64_t(1) << bufferShift) - 1);
      if (copy.valid > 0)
        std::copy_n(buffers[(copy.source >> bufferShift) - 1]->begin() + offset,
                    copy.valid, bytes.begin());
      for (int64_t i = 0; i < copy.size; ++i)
        shared[copy.destination - sharedBase + i].pending = false;
      if (!write(op, copy.thread, copy.destination, copy.size, bytes.data()))
        return false;
    }
    groups.erase(groups.begin());
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Tensor core
//===----------------------------------------------------------------------===//

bool ThreadBlock::loadMatrix(NVVM::LdMatrixOp op) {
  if (op.getNum() != 4 || op.getLayout() != NVVM::MMALayout::row)
    return fail(op, "only ldmatrix.x4 is known");
  std::vector<uint64_t> addresses = get(op.getPtr()).bits;
  Lanes &result = set(op.getResult());
  for (int warp = 0; warp < numThreads; warp += warpSize)
    for (int matrix = 0; matrix < 4; ++matrix)
      for (int row = 0; row < 8; ++row) {
        // Lane 8 m + r gives the address of row r of matrix m, whose 32-bit
        // words go to register m of lanes 4 r to 4 r + 3.
        int source = warp + 8 * matrix + row;
        uint8_t bytes[16];
        if (!active[source])
          return fail(op, "divergent warp");
        if (!read(op, source, addresses[source], sizeof(bytes), bytes))
          return false;
        for (int word = 0; word < 4; ++word)
          for (int i = 0; i < 4; ++i)
            result.bits[(warp + 4 * row + word) * 4 + matrix] |=
                uint64_t(bytes[4 * word + i]) << 8 * i;
      }
  return true;
}

/// d = c + sum over k of product(row, column, k), in double, rounded once to
/// f32: PTX leaves order and rounding of the sum open.
template <typename Product>
void ThreadBlock::multiplyTile(int64_t k, const Lanes &c, Lanes &d, int warp,
                               Product product) {
  for (int lane = 0; lane < warpSize; ++lane)
    for (int i = 0; i < 4; ++i) {
      int row = (lane >> 2) + 8 * (i >> 1), column = 2 * (lane & 3) + (i & 1);
      int64_t index = int64_t(warp + lane) * 4 + i;
      float old = llvm::bit_cast<float>(uint32_t(c.bits[index]));
      double sum = old;
      for (int64_t j = 0; j < k; ++j)
        sum += product(row, column, j);
      d.bits[index] = llvm::bit_cast<uint32_t>(float(sum));
    }
}

bool ThreadBlock::multiply(NVVM::MmaOp op) {
  Type bf16 = BFloat16Type::get(op.getContext());
  ValueRange a = op.getOperandA(), b = op.getOperandB();
  // The accumulators are scalars here: gather them.
  Lanes c;
  c.count = 4;
  c.bits.resize(4 * numThreads);
  for (auto [i, value] : llvm::enumerate(op.getOperandC()))
    for (int t = 0; t < numThreads; ++t)
      c.bits[t * 4 + i] = get(value).bits[t];
  Lanes d = c;
  auto half = [&](Value value, int thread, int h) {
    return toDouble(bf16, get(value).bits[thread] >> 16 * h & 0xFFFF);
  };
  for (int warp = 0; warp < numThreads; warp += warpSize)
    multiplyTile(16, c, d, warp, [&](int row, int column, int64_t k) {
      // A: register i, half h of lane 4 g + q is row g + 8 (i & 1), column
      // 2 q + h + 8 (i >> 1). B: row 2 q + h + 8 i, column g.
      int q = int(k % 8 / 2), h = int(k % 2);
      return half(a[row / 8 + 2 * (k / 8)], warp + 4 * (row % 8) + q, h) *
             half(b[k / 8], warp + 4 * column + q, h);
    });
  set(op.getResult()) = std::move(d);
  return true;
}

bool ThreadBlock::multiply(mxgpu::MmaBlockScaleOp op) {
  const Lanes a = get(op.getA()), b = get(op.getB()), c = get(op.getC());
  const Lanes scaleA = get(op.getScaleA()), scaleB = get(op.getScaleB());
  int64_t k = op.getK(), n = op.getScaleVectorSize();
  // Elements of a 32-bit register: a quad holds two words of each row.
  int64_t perWord = k / 8;
  Lanes d = c;
  auto element = [&](const Lanes &lanes, int64_t reg, int thread, int64_t i,
                     Type type) {
    int64_t bits = 32 / perWord;
    uint64_t code = lanes.bits[thread * lanes.count + reg] >> bits * i;
    return toDouble(type, code & ((uint64_t(1) << bits) - 1));
  };
  auto scale = [&](const Lanes &lanes, int thread, int64_t byte) {
    uint64_t code = lanes.bits[thread] >> 8 * byte & 0xFF;
    // The sign of ue4m3 is ignored.
    if (isa<Float8E4M3FNType>(op.getScaleType()))
      code &= 0x7F;
    return toDouble(op.getScaleType(), code);
  };
  for (int warp = 0; warp < numThreads; warp += warpSize)
    multiplyTile(k, c, d, warp, [&](int row, int column, int64_t j) {
      // A: element e of register i of lane 4 g + q is row g + 8 (i & 1), column
      // perWord q + e + 4 perWord (i >> 1). B: row perWord q + e + 4 perWord i,
      // column g.
      int64_t q = j % (4 * perWord) / perWord, e = j % perWord;
      int64_t high = j / (4 * perWord);
      double x = element(a, row / 8 + 2 * high, warp + 4 * (row % 8) + q, e,
                         op.getAType());
      double y = element(b, high, warp + 4 * column + q, e, op.getBType());
      // Scale s covers k / n elements of K. It is byte `byte id + s` of lane
      // 4 (row % 8) + 2 thread id + row / 8 for A, 4 column + thread id for B.
      int64_t s = j * n / k;
      double sx =
          scale(scaleA, warp + 4 * (row % 8) + 2 * op.getThreadIdA() + row / 8,
                op.getByteIdA() + s);
      double sy = scale(scaleB, warp + 4 * column + op.getThreadIdB(),
                        op.getByteIdB() + s);
      return x * sx * y * sy;
    });
  set(op.getResult()) = std::move(d);
  return true;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

bool ThreadBlock::executeArith(Operation *op) {
  using U = const uint64_t *;
  Type from = op->getNumOperands() ? op->getOperand(0).getType()
                                   : op->getResult(0).getType();
  Type to = op->getResult(0).getType();
  auto s = [&](uint64_t bits) { return extend(from, bits); };
  unsigned width = getWidth(from);
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<arith::ConstantOp>([&](arith::ConstantOp op) {
        SmallVector<uint64_t> bits;
        auto add = [&](Attribute attr) {
          if (auto integer = dyn_cast<IntegerAttr>(attr))
            bits.push_back(mask(to, integer.getValue().getZExtValue()));
          else
            bits.push_back(cast<FloatAttr>(attr)
                               .getValue()
                               .bitcastToAPInt()
                               .getZExtValue());
        };
        if (auto elements = dyn_cast<DenseElementsAttr>(op.getValue()))
          for (Attribute attr : elements.getValues<Attribute>())
            add(attr);
        else
          add(op.getValue());
        Lanes &lanes = set(op.getResult());
        for (size_t i = 0; i < lanes.bits.size(); ++i)
          lanes.bits[i] = bits[i % bits.size()];
        return true;
      })
      .Case<arith::AddIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] + x[1]; }); })
      .Case<arith::SubIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] - x[1]; }); })
      .Case<arith::MulIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] * x[1]; }); })
      .Case<arith::DivUIOp>([&](auto) {
        return map(op, [](U x) { return x[1] ? x[0] / x[1] : 0; });
      })
      .Case<arith::RemUIOp>([&](auto) {
        return map(op, [](U x) { return x[1] ? x[0] % x[1] : 0; });
      })
      .Case<arith::AndIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] & x[1]; }); })
      .Case<arith::OrIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] | x[1]; }); })
      .Case<arith::XOrIOp>(
          [&](auto) { return map(op, [](U x) { return x[0] ^ x[1]; }); })
      .Case<arith::ShLIOp>([&](auto) {
        return map(op, [=](U x) { return x[1] < width ? x[0] << x[1] : 0; });
      })
      .Case<arith::ShRUIOp>([&](auto) {
        return map(op, [=](U x) { return x[1] < width ? x[0] >> x[1] : 0; });
      })
      .Case<arith::ShRSIOp>([&](auto) {
        return map(op, [=](U x) {
          return uint64_t(s(x[0]) >> std::min<uint64_t>(x[1], width - 1));
        });
      })
      .Case<arith::MinSIOp>([&](auto) {
        return map(op,
                   [=](U x) { return uint64_t(std::min(s(x[0]), s(x[1]))); });
      })
      .Case<arith::MaxSIOp>([&](auto) {
        return map(op,
                   [=](U x) { return uint64_t(std::max(s(x[0]), s(x[1]))); });
      })
      .Case<arith::MinUIOp>([&](auto) {
        return map(op, [](U x) { return std::min(x[0], x[1]); });
      })
      .Case<arith::MaxUIOp>([&](auto) {
        return map(op, [](U x) { return std::max(x[0], x[1]); });
      })
      .Case<arith::ExtUIOp, arith::TruncIOp, arith::BitcastOp>(
          [&](auto) { return map(op, [](U x) { return x[0]; }); })
      .Case<arith::ExtSIOp, arith::IndexCastOp>(
          [&](auto) { return map(op, [=](U x) { return uint64_t(s(x[0])); }); })
      .Case<arith::SelectOp>([&](auto) {
        // A scalar condition of vectors is not used.
        return map(op, [](U x) { return x[0] ? x[1] : x[2]; });
      })
      .Case<arith::CmpIOp>([&](arith::CmpIOp cmp) {
        arith::CmpIPredicate predicate = cmp.getPredicate();
        return map(op, [=](U x) {
          return uint64_t(arith::applyCmpPredicate(
              predicate, APInt(width, x[0]), APInt(width, x[1])));
        });
      })
      .Case<arith::CmpFOp>([&](arith::CmpFOp cmp) {
        Type type = getElementTypeOrSelf(from);
        arith::CmpFPredicate predicate = cmp.getPredicate();
        return map(op, [=](U x) {
          return uint64_t(
              arith::applyCmpPredicate(predicate, APFloat(toDouble(type, x[0])),
                                       APFloat(toDouble(type, x[1]))));
        });
      })
      .Case<arith::AddFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0] + x[1]; });
      })
      .Case<arith::SubFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0] - x[1]; });
      })
      .Case<arith::MulFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0] * x[1]; });
      })
      .Case<arith::DivFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0] / x[1]; });
      })
      .Case<arith::MaximumFOp>([&](auto) {
        return mapFloat(op, [](const double *x) {
          return std::isnan(x[0]) || std::isnan(x[1]) ? std::nan("")
                                                      : std::fmax(x[0], x[1]);
        });
      })
      .Case<arith::MaxNumFOp>([&](auto) {
        return mapFloat(op,
                        [](const double *x) { return std::fmax(x[0], x[1]); });
      })
      .Case<arith::MinNumFOp>([&](auto) {
        return mapFloat(op,
                        [](const double *x) { return std::fmin(x[0], x[1]); });
      })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) {
        return mapFloat(op, [](const double *x) { return x[0]; });
      })
      .Case<arith::SIToFPOp>([&](auto) {
        Type type = getElementTypeOrSelf(to);
        return map(op, [=](U x) { return fromDouble(type, double(s(x[0]))); });
      })
      .Default([&](Operation *op) { return fail(op, "unknown op"); });
}

bool ThreadBlock::executeVector(Operation *op) {
  if (auto broadcast = dyn_cast<vector::BroadcastOp>(op)) {
    const Lanes source = get(broadcast.getSource());
    Lanes &result = set(broadcast.getResult());
    for (size_t i = 0; i < result.bits.size(); ++i)
      result.bits[i] = source.bits[i / result.count * source.count];
    return source.count == 1 || fail(op, "broadcast of a vector");
  }
  if (auto extract = dyn_cast<vector::ExtractOp>(op)) {
    const Lanes source = get(extract.getSource());
    Lanes &result = set(extract.getResult());
    if (result.count != 1 || extract.hasDynamicPosition())
      return fail(op, "unknown extract");
    for (int t = 0; t < numThreads; ++t)
      result.bits[t] =
          source.bits[t * source.count + extract.getStaticPosition()[0]];
    return true;
  }
  if (auto elements = dyn_cast<vector::FromElementsOp>(op)) {
    Lanes &result = set(elements.getResult());
    for (auto [i, element] : llvm::enumerate(elements.getElements()))
      for (int t = 0; t < numThreads; ++t)
        result.bits[t * result.count + i] = get(element).bits[t];
    return true;
  }
  if (auto shuffle = dyn_cast<vector::ShuffleOp>(op)) {
    const Lanes a = get(shuffle.getV1()), b = get(shuffle.getV2());
    Lanes &result = set(shuffle.getResult());
    for (int t = 0; t < numThreads; ++t)
      for (auto [i, from] : llvm::enumerate(shuffle.getMask()))
        result.bits[t * result.count + i] =
            from < a.count ? a.bits[t * a.count + from]
                           : b.bits[t * b.count + from - a.count];
    return true;
  }
  if (auto bitcast = dyn_cast<vector::BitCastOp>(op)) {
    const Lanes source = get(bitcast.getSource());
    unsigned from = getWidth(bitcast.getSource().getType());
    unsigned to = getWidth(bitcast.getType());
    Lanes &result = set(bitcast.getResult());
    for (int t = 0; t < numThreads; ++t)
      for (int64_t bit = 0; bit < result.count * to; ++bit) {
        uint64_t value =
            source.bits[t * source.count + bit / from] >> bit % from & 1;
        result.bits[t * result.count + bit / to] |= value << bit % to;
      }
    return true;
  }
  if (auto reduction = dyn_cast<vector::ReductionOp>(op)) {
    const Lanes source = get(reduction.getVector());
    Lanes &result = set(reduction.getResult());
    for (int t = 0; t < numThreads; ++t) {
      uint64_t total = source.bits[t * source.count];
      for (int64_t i = 1; i < source.count; ++i) {
        uint64_t next = source.bits[t * source.count + i];
        if (reduction.getKind() == vector::CombiningKind::OR)
          total |= next;
        else if (reduction.getKind() == vector::CombiningKind::MAXUI)
          total = std::max(total, next);
        else
          return fail(op, "unknown reduction");
      }
      result.bits[t] = total;
    }
    return true;
  }
  return fail(op, "unknown op");
}

/// Nearest, ties to even, saturating; NaN has all bits of the magnitude set.
static uint64_t encodeReference(FloatType type, uint32_t bits) {
  const llvm::fltSemantics &semantics = type.getFloatSemantics();
  float value = llvm::bit_cast<float>(bits);
  uint64_t signBit = uint64_t(1) << (type.getWidth() - 1);
  if (std::isnan(value))
    return signBit - 1;
  APFloat largest = APFloat::getLargest(semantics);
  APFloat rounded(std::fabs(value));
  if (std::fabs(value) >= largest.convertToDouble()) {
    rounded = largest;
  } else {
    bool losesInfo;
    rounded.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  }
  return rounded.bitcastToAPInt().getZExtValue() |
         (std::signbit(value) ? signBit : 0);
}

bool ThreadBlock::executeMXGPU(Operation *op) {
  if (auto mma = dyn_cast<mxgpu::MmaBlockScaleOp>(op))
    return multiply(mma);
  if (auto decode = dyn_cast<mxgpu::DecodeOp>(op)) {
    const Lanes codes = get(decode.getCodes());
    Lanes &result = set(decode.getResult());
    Type bf16 = BFloat16Type::get(op->getContext());
    unsigned container = mxgpu::getContainerBits(decode.getElementType());
    for (size_t i = 0; i < result.bits.size(); ++i) {
      uint64_t code =
          codes.bits[i / result.count] >> container * (i % result.count) &
          ((uint64_t(1) << container) - 1);
      double value = isa<FloatType>(decode.getElementType())
                         ? toDouble(decode.getElementType(), code)
                         : double(extend(decode.getElementType(), code));
      result.bits[i] = fromDouble(bf16, value);
    }
    return true;
  }
  if (auto encode = dyn_cast<mxgpu::EncodeOp>(op)) {
    const Lanes source = get(encode.getValue());
    Lanes &result = set(encode.getResult());
    auto type = cast<FloatType>(encode.getElementType());
    unsigned container = mxgpu::getContainerBits(type);
    for (size_t i = 0; i < source.bits.size(); ++i)
      result.bits[i / source.count] |= encodeReference(type, source.bits[i])
                                       << container * (i % source.count);
    return true;
  }
  if (auto decode = dyn_cast<mxgpu::DecodeScaleOp>(op)) {
    Type e8m0 = Float8E8M0FNUType::get(op->getContext());
    Type to = decode.getType();
    return map(op, [=](const uint64_t *x) {
      return fromDouble(to, toDouble(e8m0, x[0]));
    });
  }
  if (isa<mxgpu::EncodeScaleOp>(op))
    return map(op, [](const uint64_t *x) -> uint64_t {
      float value = std::fabs(llvm::bit_cast<float>(uint32_t(x[0])));
      if (std::isnan(value))
        return 0xFF;
      for (int code = 0; code < 0xFE; ++code)
        if (value <= std::ldexp(1.0, code - 127))
          return code;
      return 0xFE;
    });
  return fail(op, "unknown op");
}

bool ThreadBlock::executeFor(scf::ForOp op) {
  Mask outer = active;
  std::vector<uint64_t> next = get(op.getLowerBound()).bits;
  const std::vector<uint64_t> end = get(op.getUpperBound()).bits;
  const std::vector<uint64_t> step = get(op.getStep()).bits;
  Type type = op.getInductionVar().getType();
  std::vector<Lanes> carried;
  for (Value init : op.getInitArgs())
    carried.push_back(get(init));
  // Threads that have done their trips keep their values and wait.
  for (;;) {
    bool any = false;
    for (int t = 0; t < numThreads; ++t) {
      active[t] = outer[t] && extend(type, next[t]) < extend(type, end[t]);
      any |= active[t];
    }
    if (!any)
      break;
    set(op.getInductionVar()).bits = next;
    for (auto [argument, lanes] :
         llvm::zip_equal(op.getRegionIterArgs(), carried))
      set(argument) = lanes;
    if (!run(*op.getBody()))
      return false;
    for (auto [lanes, value] :
         llvm::zip_equal(carried, op.getYieldedValues())) {
      const Lanes &yielded = get(value);
      for (int t = 0; t < numThreads; ++t)
        if (active[t])
          std::copy_n(yielded.bits.begin() + t * lanes.count, lanes.count,
                      lanes.bits.begin() + t * lanes.count);
    }
    for (int t = 0; t < numThreads; ++t)
      if (active[t])
        next[t] = mask(type, next[t] + step[t]);
  }
  active = std::move(outer);
  for (auto [result, lanes] : llvm::zip_equal(op.getResults(), carried))
    set(result) = lanes;
  return true;
}

bool ThreadBlock::shuffle(gpu::ShuffleOp op) {
  int64_t width;
  if (op.getMode() != gpu::ShuffleMode::XOR ||
      !getUniform(op, op.getWidth(), width) || width != warpSize)
    return fail(op, "only shuffles by exclusive or in whole warps are known");
  const Lanes value = get(op.getValue()), offset = get(op.getOffset());
  Lanes &result = set(op.getShuffleResult());
  for (int t = 0; t < numThreads; ++t) {
    int lane = t % warpSize ^ int(offset.bits[t]);
    int source = t / warpSize * warpSize + lane;
    if (!active[t] || lane >= warpSize || !active[source])
      return fail(op, "a lane of the warp does not take part");
    result.bits[t] = value.bits[source];
  }
  Lanes &valid = set(op.getValid());
  std::fill(valid.bits.begin(), valid.bits.end(), 1);
  return true;
}

bool ThreadBlock::executeIf(scf::IfOp op) {
  if (op.getNumResults() || !op.getElseRegion().empty())
    return fail(op, "unknown if");
  Mask outer = active;
  bool any = false;
  for (int t = 0; t < numThreads; ++t) {
    active[t] = outer[t] && get(op.getCondition()).bits[t];
    any |= active[t];
  }
  bool ok = !any || run(*op.thenBlock());
  active = std::move(outer);
  return ok;
}

bool ThreadBlock::execute(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  if (dialect == "arith")
    return executeArith(op);
  if (dialect == "vector")
    return executeVector(op);
  if (dialect == "mxgpu")
    return executeMXGPU(op);
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<scf::ForOp>([&](auto op) { return executeFor(op); })
      .Case<scf::IfOp>([&](auto op) { return executeIf(op); })
      .Case<scf::YieldOp, gpu::ReturnOp>([&](auto) { return true; })
      .Case<math::FmaOp>([&](auto) {
        return mapFloat(op, [](const double *x) {
          // The product of two f32 is exact in double.
          return x[0] * x[1] + x[2];
        });
      })
      .Case<gpu::ThreadIdOp, gpu::BlockIdOp>([&](auto typed) {
        Lanes &lanes = set(typed.getResult());
        auto dim = int(typed.getDimension());
        for (int t = 0; t < numThreads; ++t)
          lanes.bits[t] = isa<gpu::BlockIdOp>(op) ? id[dim] : dim ? 0 : t;
        return true;
      })
      .Case<gpu::BarrierOp>([&](auto) {
        ++epoch;
        return llvm::all_of(active, [](char c) { return c; }) ||
               fail(op, "not all threads come to the barrier");
      })
      .Case<gpu::ShuffleOp>([&](auto op) { return shuffle(op); })
      .Case<LLVM::AddressOfOp>([&](auto typed) {
        Lanes &lanes = set(typed.getResult());
        std::fill(lanes.bits.begin(), lanes.bits.end(), sharedBase);
        return true;
      })
      .Case<LLVM::GEPOp>([&](LLVM::GEPOp gep) {
        if (gep.getIndices().size() != 1 || !gep.getElemType().isInteger(8))
          return fail(op, "unknown getelementptr");
        Lanes offsets;
        offsets.bits.resize(numThreads);
        auto index = *gep.getIndices().begin();
        for (int t = 0; t < numThreads; ++t) {
          if (auto value = dyn_cast<Value>(index))
            offsets.bits[t] = extend(value.getType(), get(value).bits[t]);
          else
            offsets.bits[t] = int64_t(cast<IntegerAttr>(index).getInt());
          offsets.bits[t] += get(gep.getBase()).bits[t];
        }
        set(gep.getResult()).bits = std::move(offsets.bits);
        return true;
      })
      .Case<LLVM::LoadOp>([&](auto op) { return load(op); })
      .Case<LLVM::StoreOp>([&](auto op) { return store(op); })
      .Case<LLVM::ExtractValueOp>([&](LLVM::ExtractValueOp extract) {
        const Lanes source = get(extract.getContainer());
        Lanes &result = set(extract.getResult());
        for (int t = 0; t < numThreads; ++t)
          result.bits[t] =
              source.bits[t * source.count + extract.getPosition()[0]];
        return true;
      })
      .Case<NVVM::CpAsyncOp>([&](auto op) { return executeCopy(op); })
      .Case<NVVM::CpAsyncCommitGroupOp>([&](auto) {
        groups.push_back(std::move(openCopies));
        openCopies.clear();
        return true;
      })
      .Case<NVVM::CpAsyncWaitGroupOp>(
          [&](auto wait) { return waitForCopies(op, wait.getN()); })
      .Case<NVVM::LdMatrixOp>([&](auto op) { return loadMatrix(op); })
      .Case<NVVM::MmaOp>([&](auto op) { return multiply(op); })
      .Case<func::ReturnOp>([&](func::ReturnOp ret) {
        result = get(ret.getOperand(0)).bits;
        return true;
      })
      .Default([&](Operation *op) { return fail(op, "unknown op"); });
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

llvm::Error mx::test::run(gpu::GPUFuncOp kernel, std::array<int64_t, 3> grid,
                          int64_t numThreads, int64_t sharedBytes,
                          ArrayRef<Argument> arguments) {
  for (int64_t z = 0; z < grid[2]; ++z)
    for (int64_t y = 0; y < grid[1]; ++y)
      for (int64_t x = 0; x < grid[0]; ++x) {
        ThreadBlock block(kernel, {x, y, z}, numThreads, sharedBytes,
                          arguments);
        if (!block.run(kernel.getBody().front()))
          return llvm::createStringError("block (" + Twine(x) + ", " +
                                         Twine(y) + ", " + Twine(z) +
                                         "): " + block.error);
      }
  return llvm::Error::success();
}

llvm::Expected<std::vector<uint64_t>>
mx::test::evaluate(func::FuncOp function, int64_t numThreads,
                   ArrayRef<std::vector<uint64_t>> arguments) {
  ThreadBlock block(function, numThreads, arguments);
  if (!block.run(function.getBody().front()))
    return llvm::createStringError(block.error);
  return std::move(block.result);
}
