// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Launch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// HostBuilder
//===----------------------------------------------------------------------===//

Value HostBuilder::getIndex(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value HostBuilder::getDim(Value memref, int64_t dim) {
  auto type = llvm::cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dim))
    return getIndex(type.getDimSize(dim));
  return memref::DimOp::create(*this, memref, dim);
}

Value HostBuilder::multiply(Value lhs, Value rhs) {
  return createOrFold<arith::MulIOp>(lhs, rhs);
}

Value HostBuilder::divideCeil(Value lhs, int64_t rhs) {
  return createOrFold<arith::CeilDivUIOp>(lhs, getIndex(rhs));
}

Value HostBuilder::cast(Value index, Type type) {
  return createOrFold<arith::IndexCastOp>(type, index);
}

Value HostBuilder::getPointer(Value memref) {
  constexpr unsigned globalSpace = 1;
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(*this, memref);
  return LLVM::IntToPtrOp::create(
      *this, LLVM::LLVMPointerType::get(getContext(), globalSpace),
      cast(address, getI64Type()));
}

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

void mx::emitUnlessEmpty(HostBuilder &b, ArrayRef<Value> gridSize,
                         function_ref<void()> body) {
  Value numBlocks = b.getIndex(1);
  for (Value extent : gridSize)
    numBlocks = b.multiply(numBlocks, extent);
  if (std::optional<int64_t> constant = getConstantIntValue(numBlocks)) {
    if (*constant != 0)
      body();
    return;
  }
  Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, numBlocks,
                                    b.getIndex(0));
  auto ifOp = scf::IfOp::create(b, any, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(ifOp.thenYield());
  body();
}

static Type getTokenType(OpBuilder &b) {
  return gpu::AsyncTokenType::get(b.getContext());
}

static SmallVector<Value> getDynamicSizes(HostBuilder &b, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(b.getDim(memref, dim));
  return sizes;
}

Launch::Launch(HostBuilder &builder, function_ref<bool(Value)> isOnDevice)
    : b(builder), isOnDevice(isOnDevice) {
  token = gpu::WaitOp::create(b, getTokenType(b), ValueRange()).getAsyncToken();
}

Value Launch::allocate(ValueRange dynamicSizes, MemRefType type) {
  auto alloc = gpu::AllocOp::create(b, type, getTokenType(b), token,
                                    dynamicSizes, ValueRange());
  token = alloc.getAsyncToken();
  return alloc.getMemref();
}

void Launch::deallocate(Value memref) {
  token =
      gpu::DeallocOp::create(b, getTokenType(b), token, memref).getAsyncToken();
}

Value Launch::getOnDevice(Value memref, bool read, bool written) {
  if (isOnDevice(memref))
    return memref;
  auto type = cast<MemRefType>(memref.getType());
  auto dense = MemRefType::get(type.getShape(), type.getElementType());
  // A view is first made dense on the host.
  Value host = memref;
  if (!type.getLayout().isIdentity()) {
    host = memref::AllocOp::create(b, dense, getDynamicSizes(b, memref));
    if (read)
      memref::CopyOp::create(b, memref, host);
  }
  Value device = allocate(getDynamicSizes(b, memref), dense);
  if (read)
    token = gpu::MemcpyOp::create(b, getTokenType(b), token, device, host)
                .getAsyncToken();
  copies.push_back({memref, host, device, written});
  return device;
}

void Launch::launch(gpu::GPUFuncOp kernel, ArrayRef<Value> gridSize,
                    int64_t numThreads, int64_t sharedBytes,
                    ValueRange arguments) {
  Value one = b.getIndex(1);
  Value shared = arith::ConstantOp::create(b, b.getI32IntegerAttr(sharedBytes));
  token = gpu::LaunchFuncOp::create(
              b, kernel, gpu::KernelDim3{gridSize[0], gridSize[1], gridSize[2]},
              gpu::KernelDim3{b.getIndex(numThreads), one, one}, shared,
              arguments, getTokenType(b), ValueRange(token))
              .getAsyncToken();
}

void Launch::finish() {
  for (const Copy &copy : copies)
    if (copy.written)
      token = gpu::MemcpyOp::create(b, getTokenType(b), token, copy.dense,
                                    copy.device)
                  .getAsyncToken();
  for (const Copy &copy : copies)
    deallocate(copy.device);
  gpu::WaitOp::create(b, Type(), token);
  for (const Copy &copy : copies) {
    if (copy.dense == copy.host)
      continue;
    if (copy.written)
      memref::CopyOp::create(b, copy.dense, copy.host);
    memref::DeallocOp::create(b, copy.dense);
  }
}
