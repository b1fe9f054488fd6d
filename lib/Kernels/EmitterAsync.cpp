// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sources: PTX ISA 9.7.13.15 (mbarrier), 9.7.9.25 (asynchronous
// copies), 9.7.15.5 and 9.7.19 (elect.sync, setmaxnreg).

#include "Emitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mx::kernels;

void Emitter::initBarrier(Value barrier, int64_t arrivals) {
  NVVM::MBarrierInitOp::create(*this, barrier, get(arrivals),
                               /*predicate=*/Value());
}

void Emitter::fenceBarrierInit() { NVVM::FenceMbarrierInitOp::create(*this); }

void Emitter::arrive(Value barrier) {
  NVVM::MBarrierArriveOp::create(*this, getI64Type(), barrier,
                                 /*count=*/Value());
}

void Emitter::arriveExpecting(Value barrier, int64_t bytes) {
  NVVM::MBarrierArriveExpectTxOp::create(
      *this, getI64Type(), barrier, get(bytes), NVVM::MemScopeKind::CTA,
      /*relaxed=*/false, /*predicate=*/Value());
}

void Emitter::arriveAfterCopies(Value barrier) {
  NVVM::CpAsyncMBarrierArriveOp::create(*this, barrier, /*noinc=*/true);
}

void Emitter::waitForBarrier(Value barrier, I32 parity) {
  // A hint of how long a try may last; the op tries again.
  constexpr int64_t nanoseconds = 10'000'000;
  NVVM::MBarrierTryWaitParityOp::create(*this, barrier, get(parity),
                                        get(nanoseconds));
}

void Emitter::copyTensor(Value destination, Value map,
                         ArrayRef<I32> coordinates, Value barrier) {
  // An address in the block's shared memory is one in the cluster's as it is; a
  // cast of address spaces would go through generic addresses.
  auto cluster = LLVM::LLVMPointerType::get(
      getContext(), unsigned(NVVM::NVVMMemorySpace::SharedCluster));
  Value address = LLVM::PtrToIntOp::create(*this, getI64Type(), destination);
  destination = LLVM::IntToPtrOp::create(*this, cluster, address);
  SmallVector<Value> values;
  for (I32 coordinate : coordinates)
    values.push_back(get(coordinate));
  NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
      *this, destination, map, values, barrier, /*im2colOffsets=*/ValueRange(),
      /*multicastMask=*/Value(), /*l2CacheHint=*/Value(),
      NVVM::TMALoadMode::TILE, /*isCTAOnly=*/false, /*group=*/nullptr,
      /*predicate=*/Value());
}

Value Emitter::electLane() {
  return NVVM::ElectSyncOp::create(*this, getI1Type(), /*membermask=*/Value());
}

void Emitter::decreaseRegisters(int64_t count) {
  NVVM::SetMaxRegisterOp::create(*this, count,
                                 NVVM::SetMaxRegisterAction::decrease);
}

void Emitter::increaseRegisters(int64_t count) {
  NVVM::SetMaxRegisterOp::create(*this, count,
                                 NVVM::SetMaxRegisterAction::increase);
}
