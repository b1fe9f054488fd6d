// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx::kernels;

//===----------------------------------------------------------------------===//
// I32
//===----------------------------------------------------------------------===//

I32::I32(Emitter &emitter, Value value) : emitter(&emitter), value(value) {}

template <typename Op, typename Fold>
I32 I32::apply(I32 lhs, I32 rhs, Fold fold) {
  Emitter *emitter = lhs.emitter ? lhs.emitter : rhs.emitter;
  if (!emitter)
    return I32(fold(lhs.constant, rhs.constant));
  return I32(*emitter,
             emitter->createOrFold<Op>(emitter->get(lhs), emitter->get(rhs)));
}

namespace mx::kernels {

I32 operator+(I32 lhs, I32 rhs) {
  if (lhs.is(0))
    return rhs;
  if (rhs.is(0))
    return lhs;
  return I32::apply<arith::AddIOp>(lhs, rhs, std::plus<int64_t>());
}

I32 operator-(I32 lhs, I32 rhs) {
  if (rhs.is(0))
    return lhs;
  return I32::apply<arith::SubIOp>(lhs, rhs, std::minus<int64_t>());
}

I32 operator*(I32 lhs, I32 rhs) {
  if (lhs.isConstant())
    std::swap(lhs, rhs);
  if (lhs.is(0) || rhs.is(0))
    return 0;
  if (rhs.is(1))
    return lhs;
  if (!lhs.isConstant() && rhs.isConstant() &&
      llvm::isPowerOf2_64(rhs.getConstant()))
    return lhs << llvm::Log2_64(rhs.getConstant());
  return I32::apply<arith::MulIOp>(lhs, rhs, std::multiplies<int64_t>());
}

I32 operator/(I32 lhs, I32 rhs) {
  if (rhs.is(1))
    return lhs;
  if (rhs.isConstant() && llvm::isPowerOf2_64(rhs.getConstant()))
    return lhs >> llvm::Log2_64(rhs.getConstant());
  return I32::apply<arith::DivUIOp>(lhs, rhs, std::divides<int64_t>());
}

I32 operator%(I32 lhs, I32 rhs) {
  if (rhs.is(1))
    return 0;
  if (rhs.isConstant() && llvm::isPowerOf2_64(rhs.getConstant()))
    return lhs & (rhs.getConstant() - 1);
  return I32::apply<arith::RemUIOp>(lhs, rhs, std::modulus<int64_t>());
}

I32 operator&(I32 lhs, I32 rhs) {
  if (lhs.is(0) || rhs.is(0))
    return 0;
  return I32::apply<arith::AndIOp>(lhs, rhs, std::bit_and<int64_t>());
}

I32 operator^(I32 lhs, I32 rhs) {
  if (lhs.is(0))
    return rhs;
  if (rhs.is(0))
    return lhs;
  return I32::apply<arith::XOrIOp>(lhs, rhs, std::bit_xor<int64_t>());
}

I32 operator<<(I32 lhs, I32 rhs) {
  if (rhs.is(0))
    return lhs;
  return I32::apply<arith::ShLIOp>(lhs, rhs,
                                   [](int64_t l, int64_t r) { return l << r; });
}

I32 operator>>(I32 lhs, I32 rhs) {
  if (rhs.is(0))
    return lhs;
  return I32::apply<arith::ShRUIOp>(
      lhs, rhs, [](int64_t l, int64_t r) { return l >> r; });
}

I32 min(I32 lhs, I32 rhs) {
  return I32::apply<arith::MinSIOp>(
      lhs, rhs, [](int64_t l, int64_t r) { return std::min(l, r); });
}

} // namespace mx::kernels

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value Emitter::get(I32 value) {
  if (!value.isConstant())
    return value.value;
  return arith::ConstantOp::create(*this,
                                   getI32IntegerAttr(value.getConstant()));
}

Value Emitter::get64(I32 value) {
  if (value.isConstant())
    return arith::ConstantOp::create(*this,
                                     getI64IntegerAttr(value.getConstant()));
  return arith::ExtUIOp::create(*this, getI64Type(), get(value));
}

Value Emitter::getFloat(Type type, double value) {
  return arith::ConstantOp::create(*this, getFloatAttr(type, value));
}

Value Emitter::splat(VectorType type, Value value) {
  return vector::BroadcastOp::create(*this, type, value);
}

SmallVector<Value> Emitter::getElements(Value vector) {
  SmallVector<Value> elements;
  int64_t count = cast<VectorType>(vector.getType()).getNumElements();
  for (int64_t i = 0; i < count; ++i)
    elements.push_back(createOrFold<vector::ExtractOp>(vector, i));
  return elements;
}

Value Emitter::makeVector(ValueRange elements) {
  auto type =
      VectorType::get({int64_t(elements.size())}, elements.front().getType());
  return vector::FromElementsOp::create(*this, type, elements);
}

Value Emitter::bitcast(Value vector, Type elementType) {
  auto type = cast<VectorType>(vector.getType());
  int64_t bits = type.getNumElements() * type.getElementTypeBitWidth();
  auto result = VectorType::get({bits / elementType.getIntOrFloatBitWidth()},
                                elementType);
  return createOrFold<vector::BitCastOp>(result, vector);
}

Value Emitter::atMost(Value value, double limit) {
  Value bound = getFloat(value.getType(), limit);
  Value above =
      arith::CmpFOp::create(*this, arith::CmpFPredicate::OGT, value, bound);
  return arith::SelectOp::create(*this, above, bound, value);
}

Emitter::TensorScale Emitter::getTensorScale(const Format &format, Value amax) {
  // S = min(6 scaleMax / amax, FLT_MAX); 1 if amax = 0 or S = 0.
  Type f32 = getF32Type();
  Value one = getFloat(f32, 1), zero = getFloat(f32, 0);
  Value encode =
      arith::DivFOp::create(*this, getFloat(f32, 6 * format.scaleMax), amax);
  encode = atMost(encode, std::numeric_limits<float>::max());
  for (Value value : {amax, encode}) {
    Value isZero =
        arith::CmpFOp::create(*this, arith::CmpFPredicate::OEQ, value, zero);
    encode = arith::SelectOp::create(*this, isZero, one, encode);
  }
  return {encode, arith::DivFOp::create(*this, one, encode)};
}

Value Emitter::isLess(I32 lhs, I32 rhs) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::slt, get(lhs),
                               get(rhs));
}

Value Emitter::isEqual(I32 lhs, I32 rhs) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, get(lhs),
                               get(rhs));
}

I32 Emitter::select(Value condition, I32 lhs, I32 rhs) {
  return I32(*this,
             arith::SelectOp::create(*this, condition, get(lhs), get(rhs)));
}

I32 Emitter::clamp(I32 value, int64_t limit) {
  Value bounded = arith::MaxSIOp::create(*this, get(value), get(0));
  return min(I32(*this, bounded), limit);
}

I32 Emitter::getThreadId() {
  Value id = gpu::ThreadIdOp::create(*this, gpu::Dimension::x);
  return I32(*this, arith::IndexCastOp::create(*this, getI32Type(), id));
}

I32 Emitter::getBlockId(unsigned dimension) {
  Value id = gpu::BlockIdOp::create(*this, gpu::Dimension(dimension));
  return I32(*this, arith::IndexCastOp::create(*this, getI32Type(), id));
}

I32 Emitter::getGridSize() {
  Value size = gpu::GridDimOp::create(*this, gpu::Dimension::x);
  return I32(*this, arith::IndexCastOp::create(*this, getI32Type(), size));
}

gpu::GPUFuncOp Emitter::startKernel(StringRef name, TypeRange arguments,
                                    int64_t numThreads) {
  auto func =
      gpu::GPUFuncOp::create(*this, name, getFunctionType(arguments, {}));
  func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), getUnitAttr());
  func.setKnownBlockSizeAttr(getDenseI32ArrayAttr({int32_t(numThreads), 1, 1}));
  setInsertionPointToStart(&func.getBody().front());
  return func;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void Emitter::emitIf(Value condition, function_ref<void()> then) {
  if (!condition)
    return then();
  auto ifOp = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  InsertionGuard guard(*this);
  setInsertionPoint(ifOp.thenYield());
  then();
}

void Emitter::emitIfElse(Value condition, function_ref<void()> then,
                         function_ref<void()> otherwise) {
  auto ifOp = scf::IfOp::create(*this, condition, /*withElseRegion=*/true);
  InsertionGuard guard(*this);
  setInsertionPoint(ifOp.thenYield());
  then();
  setInsertionPoint(ifOp.elseYield());
  otherwise();
}

SmallVector<Value>
Emitter::emitFor(I32 count, ValueRange carried,
                 function_ref<SmallVector<Value>(I32, ValueRange)> body) {
  auto loop = scf::ForOp::create(*this, get(0), get(count), get(1), carried);
  InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  SmallVector<Value> yielded =
      body(I32(*this, loop.getInductionVar()), loop.getRegionIterArgs());
  // Without carried values the builder has made the terminator.
  if (!carried.empty()) {
    setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(*this, yielded);
  }
  return llvm::to_vector_of<Value>(loop.getResults());
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Type Emitter::getGlobalPointerType() {
  return LLVM::LLVMPointerType::get(getContext(),
                                    unsigned(NVVM::NVVMMemorySpace::Global));
}

Type Emitter::getGenericPointerType() {
  return LLVM::LLVMPointerType::get(getContext());
}

Value Emitter::getSharedMemory(int64_t alignment) {
  constexpr llvm::StringLiteral name = "mx_shared";
  constexpr unsigned space = unsigned(NVVM::NVVMMemorySpace::Shared);
  auto module =
      getInsertionBlock()->getParentOp()->getParentOfType<gpu::GPUModuleOp>();
  if (!module.lookupSymbol(name)) {
    InsertionGuard guard(*this);
    setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(*this, LLVM::LLVMArrayType::get(getI8Type(), 0),
                           /*isConstant=*/false, LLVM::Linkage::External, name,
                           Attribute(), alignment, space);
  }
  return LLVM::AddressOfOp::create(
      *this, LLVM::LLVMPointerType::get(getContext(), space), name);
}

I32 Emitter::getAddress(Value pointer) {
  return I32(*this, LLVM::PtrToIntOp::create(*this, getI32Type(), pointer));
}

Value Emitter::advance(Value pointer, I32 bytes) {
  if (bytes.is(0))
    return pointer;
  LLVM::GEPArg index = bytes.isConstant()
                           ? LLVM::GEPArg(int32_t(bytes.getConstant()))
                           : LLVM::GEPArg(get(bytes));
  return LLVM::GEPOp::create(*this, pointer.getType(), getI8Type(), pointer,
                             index);
}

Value Emitter::advance64(Value pointer, Value bytes) {
  return LLVM::GEPOp::create(*this, pointer.getType(), getI8Type(), pointer,
                             LLVM::GEPArg(bytes));
}

static unsigned getByteSize(Type type) {
  int64_t count = 1;
  if (auto vector = dyn_cast<VectorType>(type))
    count = vector.getNumElements();
  return count * getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8;
}

Value Emitter::load(Type type, Value pointer) {
  return LLVM::LoadOp::create(*this, type, pointer, getByteSize(type));
}

void Emitter::store(Value value, Value pointer) {
  LLVM::StoreOp::create(*this, value, pointer, getByteSize(value.getType()));
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

void Emitter::barrier() { gpu::BarrierOp::create(*this); }

void Emitter::copyAsync(Value destination, Value source, int64_t size,
                        std::optional<I32> valid) {
  // Only 16-byte copies can bypass L1.
  auto cache = size == 16 ? NVVM::LoadCacheModifierKind::CG
                          : NVVM::LoadCacheModifierKind::CA;
  NVVM::CpAsyncOp::create(*this, destination, source, size, cache,
                          valid ? get(*valid) : Value());
}

void Emitter::commitCopies() { NVVM::CpAsyncCommitGroupOp::create(*this); }

void Emitter::waitForCopies(int64_t pending) {
  NVVM::CpAsyncWaitGroupOp::create(*this, pending);
}

Value Emitter::reduceMax(Value value, int64_t width) {
  for (int64_t distance = width / 2; distance > 0; distance /= 2) {
    Value other = gpu::ShuffleOp::create(*this, value, distance,
                                         /*width=*/32, gpu::ShuffleMode::XOR)
                      .getShuffleResult();
    value = arith::MaxUIOp::create(*this, value, other);
  }
  return value;
}

I32 Emitter::broadcast(I32 value) {
  Value first = gpu::ShuffleOp::create(*this, get(value), /*offset=*/0,
                                       /*width=*/32, gpu::ShuffleMode::IDX)
                    .getShuffleResult();
  return I32(*this, first);
}

SmallVector<Value> Emitter::loadMatrix(Value pointer) {
  SmallVector<Type> types(4, getI32Type());
  auto type = LLVM::LLVMStructType::getLiteral(getContext(), types);
  auto shape = NVVM::LdStMatrixShapeAttr::get(getContext(), 8, 8);
  Value matrices =
      NVVM::LdMatrixOp::create(*this, type, pointer, 4, NVVM::MMALayout::row,
                               shape, NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> registers;
  for (int64_t i = 0; i < 4; ++i)
    registers.push_back(LLVM::ExtractValueOp::create(*this, matrices, i));
  return registers;
}

Value Emitter::multiplyBF16(ValueRange a, ValueRange b, Value c) {
  SmallVector<Type> types(4, getF32Type());
  auto type = LLVM::LLVMStructType::getLiteral(getContext(), types);
  Value product = NVVM::MmaOp::create(
      *this, type, a, b, getElements(c), ArrayRef<int64_t>{16, 8, 16},
      /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
      std::array{NVVM::MMATypes::bf16, NVVM::MMATypes::bf16},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  SmallVector<Value> elements;
  for (int64_t i = 0; i < 4; ++i)
    elements.push_back(LLVM::ExtractValueOp::create(*this, product, i));
  return makeVector(elements);
}
