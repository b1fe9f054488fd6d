// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TensorMap.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mx;

/// Stack memory for `count` values, reserved once a call of the function.
static Value reserve(HostBuilder &b, Type type, int64_t count,
                     int64_t alignment) {
  OpBuilder::InsertionGuard guard(b);
  auto func = b.getInsertionBlock()
                  ->getParentOp()
                  ->getParentOfType<FunctionOpInterface>();
  if (auto parent =
          dyn_cast<FunctionOpInterface>(b.getInsertionBlock()->getParentOp()))
    func = parent;
  b.setInsertionPointToStart(&func.getFunctionBody().front());
  Value size = LLVM::ConstantOp::create(b, b.getI64IntegerAttr(count));
  return LLVM::AllocaOp::create(b, LLVM::LLVMPointerType::get(b.getContext()),
                                type, size, alignment);
}

static Value storeArray(HostBuilder &b, Type type, ValueRange values) {
  Value array = reserve(b, type, values.size(), /*alignment=*/8);
  for (auto [i, value] : llvm::enumerate(values)) {
    Value place = array;
    if (i > 0)
      place = LLVM::GEPOp::create(b, array.getType(), type, array,
                                  LLVM::GEPArg(int32_t(i)));
    LLVM::StoreOp::create(b, b.cast(value, type), place);
  }
  return array;
}

Value mx::encodeTensorMap(HostBuilder &b,
                          const kernels::TensorMapConfig &config, Value device,
                          const TensorExtents &tensor) {
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  size_t rank = tensor.extents.size();
  SmallVector<Value> box(rank, b.getIndex(1)), steps(rank, b.getIndex(1));
  box[0] = b.getIndex(config.boxK);
  box[1] = b.getIndex(config.boxRows);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
  };
  // CUtensorMapL2promotion; the others are "none".
  constexpr int64_t promote128B = 2;
  Value map = reserve(b, i64, 128 / 8, /*alignment=*/64);
  Value address = LLVM::IntToPtrOp::create(
      b, pointer,
      b.cast(memref::ExtractAlignedPointerAsIndexOp::create(b, device), i64));
  Value operands[] = {map,
                      constant(config.dataType),
                      constant(rank),
                      address,
                      storeArray(b, i64, tensor.extents),
                      storeArray(b, i64, tensor.strides),
                      storeArray(b, i32, box),
                      storeArray(b, i32, steps),
                      /*interleave=*/constant(0),
                      constant(config.swizzle),
                      constant(promote128B),
                      /*outOfBounds=*/constant(0)};
  auto module = device.getParentRegion()->getParentOfType<ModuleOp>();
  SmallVector<Type> types;
  for (Value operand : operands)
    types.push_back(operand.getType());
  LLVM::LLVMFuncOp encode =
      *LLVM::lookupOrCreateFn(b, module, "mgpuTensorMapEncodeTiled", types,
                              LLVM::LLVMVoidType::get(b.getContext()));
  LLVM::CallOp::create(b, encode, operands);
  return map;
}
