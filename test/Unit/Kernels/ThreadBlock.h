// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One block of threads of the interpreter. Interpreter.cpp has control flow,
// InterpreterMemory.cpp loads, stores and copies, InterpreterMma.cpp the tensor
// core, InterpreterArith.cpp ops on values.

#ifndef MX_TEST_UNIT_KERNELS_THREADBLOCK_H
#define MX_TEST_UNIT_KERNELS_THREADBLOCK_H

#include "Interpreter.h"

#include "mx/IR/MXGPU.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/DenseMap.h"

namespace mx::test {

using namespace mlir;

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

/// The value of a float's bits.
double toDouble(Type type, uint64_t bits);

/// Rounded to nearest even once; exact doubles only come from one operation on
/// f32 or narrower, for which double rounding is harmless.
uint64_t fromDouble(Type type, double value);

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
  bool map(Operation *op, llvm::function_ref<uint64_t(const uint64_t *)> fn);
  bool mapFloat(Operation *op, llvm::function_ref<double(const double *)> fn);
  /// The same value in all active threads.
  bool getUniform(Operation *op, Value value, int64_t &result);

  //===--- Memory ---------------------------------------------------------===//

  /// The bytes at an address, or null, with an error, if they are no buffer's.
  uint8_t *getGlobal(Operation *op, uint64_t address, int64_t size);
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
  /// `product(row, column, k)`: of elements of A and B.
  void
  multiplyTile(int64_t k, const Lanes &c, Lanes &d, int warp,
               llvm::function_ref<double(int64_t, int64_t, int64_t)> product);

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

} // namespace mx::test

#endif // MX_TEST_UNIT_KERNELS_THREADBLOCK_H
