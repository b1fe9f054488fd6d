// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the kernel builders write with: 32-bit index arithmetic that folds as it
// goes, byte-addressed memory, and the handful of NVVM instructions that they
// use. NVVM's header is included in Emitter.cpp, EmitterAsync.cpp and the atoms
// alone.

#ifndef MX_LIB_KERNELS_EMITTER_H
#define MX_LIB_KERNELS_EMITTER_H

#include "mx/Formats/Format.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <optional>

namespace mx::kernels {

class Emitter;

/// A non-negative 32-bit integer: known now, or computed by the kernel. Its
/// operators fold constants and turn products and quotients by powers of two
/// into shifts, so `Layouts.h` can be instantiated with it.
class I32 {
public:
  I32(int64_t constant) : constant(constant) {}
  I32(Emitter &emitter, mlir::Value value);

  bool isConstant() const { return !emitter; }
  /// Only for constants.
  int64_t getConstant() const { return constant; }
  bool is(int64_t other) const { return isConstant() && constant == other; }

  friend I32 operator+(I32 lhs, I32 rhs);
  friend I32 operator-(I32 lhs, I32 rhs);
  friend I32 operator*(I32 lhs, I32 rhs);
  /// Unsigned.
  friend I32 operator/(I32 lhs, I32 rhs);
  friend I32 operator%(I32 lhs, I32 rhs);
  friend I32 operator&(I32 lhs, I32 rhs);
  friend I32 operator^(I32 lhs, I32 rhs);
  friend I32 operator<<(I32 lhs, I32 rhs);
  friend I32 operator>>(I32 lhs, I32 rhs);
  friend I32 min(I32 lhs, I32 rhs);

private:
  friend class Emitter;
  template <typename Op, typename Fold>
  static I32 apply(I32 lhs, I32 rhs, Fold fold);

  Emitter *emitter = nullptr;
  int64_t constant = 0;
  mlir::Value value;
};

/// Builds the body of one kernel.
class Emitter : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  //===--- Values ---------------------------------------------------------===//

  /// An i32 value.
  mlir::Value get(I32 value);
  /// An i64 value.
  mlir::Value get64(I32 value);
  mlir::Value getFloat(mlir::Type type, double value);
  /// `value` in all lanes of `type`.
  mlir::Value splat(mlir::VectorType type, mlir::Value value);
  llvm::SmallVector<mlir::Value> getElements(mlir::Value vector);
  mlir::Value makeVector(mlir::ValueRange elements);
  /// The same bits as vectors of another element type.
  mlir::Value bitcast(mlir::Value vector, mlir::Type elementType);

  /// S of an NVFP4 tensor, and its inverse, from its amax: what block scales
  /// are multiplied with before they are stored (mx/Formats/Scale.h).
  struct TensorScale {
    mlir::Value encode, decode;
  };
  TensorScale getTensorScale(const Format &format, mlir::Value amax);
  /// `value` if it is at most `limit` or NaN, else `limit`.
  mlir::Value atMost(mlir::Value value, double limit);

  /// i1 values; the comparison is signed.
  mlir::Value isLess(I32 lhs, I32 rhs);
  mlir::Value isEqual(I32 lhs, I32 rhs);
  I32 select(mlir::Value condition, I32 lhs, I32 rhs);
  /// min(max(value, 0), limit) of a value that may be negative.
  I32 clamp(I32 value, int64_t limit);

  /// The thread in its block, and the block in the grid (dimension 0, 1, 2).
  I32 getThreadId();
  I32 getBlockId(unsigned dimension);
  /// Number of blocks along x.
  I32 getGridSize();

  //===--- Kernels --------------------------------------------------------===//

  /// A kernel of one-dimensional blocks in the module at the builder's place;
  /// moves into its body.
  mlir::gpu::GPUFuncOp startKernel(llvm::StringRef name,
                                   mlir::TypeRange arguments,
                                   int64_t numThreads);

  //===--- Control flow ---------------------------------------------------===//

  /// `then` under `condition`; a null condition is true.
  void emitIf(mlir::Value condition, llvm::function_ref<void()> then);
  void emitIfElse(mlir::Value condition, llvm::function_ref<void()> then,
                  llvm::function_ref<void()> otherwise);
  /// for (i = 0; i < count; ++i) carried = body(i, carried)
  llvm::SmallVector<mlir::Value> emitFor(
      I32 count, mlir::ValueRange carried,
      llvm::function_ref<llvm::SmallVector<mlir::Value>(I32, mlir::ValueRange)>
          body);

  //===--- Memory ---------------------------------------------------------===//

  mlir::Type getGlobalPointerType();
  /// Of memory that any address space may hold: a kernel's by-value parameter.
  mlir::Type getGenericPointerType();
  /// The module's dynamic shared memory.
  mlir::Value getSharedMemory(int64_t alignment);
  /// The address of shared memory as a number.
  I32 getAddress(mlir::Value pointer);
  /// `pointer` advanced by bytes.
  mlir::Value advance(mlir::Value pointer, I32 bytes);
  mlir::Value advance64(mlir::Value pointer, mlir::Value bytes);
  /// Loads and stores of a scalar or a vector, aligned to its whole size.
  mlir::Value load(mlir::Type type, mlir::Value pointer);
  void store(mlir::Value value, mlir::Value pointer);

  //===--- Instructions ---------------------------------------------------===//

  void barrier();
  /// cp.async of `size` (4, 8 or 16) bytes, of which the first `valid` come
  /// from `source` and the rest are zero; nullopt: all.
  void copyAsync(mlir::Value destination, mlir::Value source, int64_t size,
                 std::optional<I32> valid);
  void commitCopies();
  /// Waits until at most `pending` of this thread's groups are in flight.
  void waitForCopies(int64_t pending);
  /// The largest of `value` (an unsigned i32) in each group of `width` lanes, a
  /// power of two; every lane of a warp must come here.
  mlir::Value reduceMax(mlir::Value value, int64_t width);
  /// The value of a warp's first lane, all of which come here: so ptxas knows
  /// that it is the same in all of them.
  I32 broadcast(I32 value);
  /// ldmatrix.x4: four i32.
  llvm::SmallVector<mlir::Value> loadMatrix(mlir::Value pointer);
  /// mma.sync m16n8k16 bf16 with f32 accumulators (vector<4xf32>).
  mlir::Value multiplyBF16(mlir::ValueRange a, mlir::ValueRange b,
                           mlir::Value c);

  //===--- Asynchronous instructions, from sm_90 on (EmitterAsync.cpp) ----===//

  /// mbarriers, in shared memory. `arrivals`: how many complete a phase.
  void initBarrier(mlir::Value barrier, int64_t arrivals);
  /// Makes initialised mbarriers known to asynchronous copies.
  void fenceBarrierInit();
  void arrive(mlir::Value barrier);
  /// Arrives, and has the phase wait for `bytes` of tensor copies, too.
  void arriveExpecting(mlir::Value barrier, int64_t bytes);
  /// Arrives when this thread's earlier cp.async are done. The arrival is one
  /// of those that the barrier was initialised with.
  void arriveAfterCopies(mlir::Value barrier);
  /// Waits until the phase of this parity (0 or 1) is complete.
  void waitForBarrier(mlir::Value barrier, I32 parity);
  /// Copies the box at `coordinates`, contiguous dimension first, of the tensor
  /// that `map` describes; its bytes are counted on `barrier`.
  void copyTensor(mlir::Value destination, mlir::Value map,
                  llvm::ArrayRef<I32> coordinates, mlir::Value barrier);
  /// True in one lane of a warp, all of which come here.
  mlir::Value electLane();
  /// Takes registers from the warps of a warpgroup, or gives them.
  void decreaseRegisters(int64_t count);
  void increaseRegisters(int64_t count);
};

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_EMITTER_H
