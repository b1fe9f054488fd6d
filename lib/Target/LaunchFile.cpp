// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Target/LaunchFile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mx;
namespace json = llvm::json;

namespace {
/// Collects arguments and buffers of one launch.
class LaunchBuilder {
public:
  explicit LaunchBuilder(std::string &why) : why(why) {}

  /// Appends the operand as the kernel sees it; false with `why` set if a size
  /// or a value is not a constant.
  bool add(Value operand, bool barePointer) {
    std::string name = "arg" + llvm::utostr(index++);
    if (LLVM::CallOp encode = getTensorMap(operand))
      return addTensorMap(encode, name);
    if (auto type = dyn_cast<MemRefType>(operand.getType()))
      return addMemRef(type, name, barePointer);
    if (Value memref = getBuffer(operand))
      return addMemRef(cast<MemRefType>(memref.getType()), name,
                       /*barePointer=*/true);
    Attribute value;
    if (!matchPattern(operand, m_Constant(&value)))
      return fail(name + " is not a constant");
    return addScalar(operand.getType(), value, name);
  }

  json::Array args, buffers;

private:
  bool fail(std::string text) {
    why = std::move(text);
    return false;
  }

  /// The call that made the tensor map that is loaded as `operand`, or null.
  static LLVM::CallOp getTensorMap(Value operand) {
    auto load = operand.getDefiningOp<LLVM::LoadOp>();
    if (!load)
      return {};
    for (Operation *user : load.getAddr().getUsers())
      if (auto call = dyn_cast<LLVM::CallOp>(user);
          call && call.getCallee() == "mgpuTensorMapEncodeTiled" &&
          call.getArgOperands()[0] == load.getAddr())
        return call;
    return {};
  }

  /// The integers that are stored in the array at `pointer`; false if one is
  /// not a constant.
  static bool readArray(Value pointer, json::Array &array) {
    SmallVector<std::pair<int64_t, int64_t>> values;
    auto addStores = [&](Value place, int64_t position) {
      for (Operation *user : place.getUsers())
        if (auto store = dyn_cast<LLVM::StoreOp>(user)) {
          APInt value;
          if (!matchPattern(store.getValue(), m_ConstantInt(&value)))
            return false;
          values.emplace_back(position, value.getSExtValue());
        }
      return true;
    };
    if (!addStores(pointer, 0))
      return false;
    for (Operation *user : pointer.getUsers())
      if (auto gep = dyn_cast<LLVM::GEPOp>(user))
        if (!addStores(gep, gep.getRawConstantIndices()[0]))
          return false;
    llvm::sort(values);
    for (auto [position, value] : values)
      array.push_back(value);
    return true;
  }

  /// The operands are those of cuTensorMapEncodeTiled.
  bool addTensorMap(LLVM::CallOp encode, StringRef name) {
    OperandRange operands = encode.getArgOperands();
    Value memref = getBuffer(operands[3]);
    APInt type, swizzle;
    json::Array dims, strides, box, steps;
    if (!memref || !matchPattern(operands[1], m_ConstantInt(&type)) ||
        !matchPattern(operands[9], m_ConstantInt(&swizzle)) ||
        !readArray(operands[4], dims) || !readArray(operands[5], strides) ||
        !readArray(operands[6], box) || !readArray(operands[7], steps))
      return fail((name + " is a tensor map that is not a constant").str());
    if (!addMemRef(cast<MemRefType>(memref.getType()), name,
                   /*barePointer=*/true))
      return false;
    constexpr StringLiteral types[] = {"u8",  "u16", "u32", "s32", "u64",
                                       "s64", "f16", "f32", "f64", "bf16"};
    constexpr StringLiteral swizzles[] = {"none", "32B", "64B", "128B"};
    args.back() = json::Object{{"kind", "tensormap"},
                               {"name", (name + ".map").str()},
                               {"buffer", name.str()},
                               {"element", types[type.getZExtValue()]},
                               {"dims", std::move(dims)},
                               {"strides_bytes", std::move(strides)},
                               {"box", std::move(box)},
                               {"element_strides", std::move(steps)},
                               {"swizzle", swizzles[swizzle.getZExtValue()]},
                               {"interleave", "none"},
                               {"oob_fill", "zero"}};
    return true;
  }

  /// The memref whose address `pointer` is, or null.
  static Value getBuffer(Value pointer) {
    auto toPointer = pointer.getDefiningOp<LLVM::IntToPtrOp>();
    if (!toPointer)
      return {};
    Value address = toPointer.getArg();
    if (auto cast = address.getDefiningOp<arith::IndexCastOp>())
      address = cast.getIn();
    auto extract =
        address.getDefiningOp<memref::ExtractAlignedPointerAsIndexOp>();
    return extract ? extract.getSource() : Value();
  }

  void addScalarArg(StringRef name, StringRef dtype, json::Value value) {
    args.push_back(json::Object{{"kind", "scalar"},
                                {"name", name.str()},
                                {"dtype", dtype},
                                {"value", std::move(value)}});
  }

  bool addScalar(Type type, Attribute value, StringRef name) {
    if (auto integer = dyn_cast<IntegerAttr>(value)) {
      unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
      addScalarArg(name, width == 64 ? "u64" : "u32",
                   integer.getValue().getSExtValue());
      return true;
    }
    if (auto number = dyn_cast<FloatAttr>(value); number && type.isF32()) {
      addScalarArg(name, "f32", number.getValueAsDouble());
      return true;
    }
    return fail((name + " is a scalar of another type than index, integer or "
                        "f32")
                    .str());
  }

  bool addMemRef(MemRefType type, StringRef name, bool barePointer) {
    SmallVector<int64_t> strides;
    int64_t offset;
    if (!type.hasStaticShape() ||
        failed(type.getStridesAndOffset(strides, offset)) ||
        ShapedType::isDynamic(offset) ||
        llvm::any_of(strides, ShapedType::isDynamic))
      return fail(
          (name + " has dynamic sizes, and the file's are constants").str());
    json::Object init;
    StringRef dtype;
    if (!describeElement(type.getElementType(), dtype, init))
      return fail((name + " has an element type that launch files lack").str());

    // A scalar is an array of one; a view needs its buffer up to the last
    // element.
    json::Array shape(type.getRank() ? type.getShape() : ArrayRef<int64_t>(1));
    if (!type.getLayout().isIdentity()) {
      int64_t extent = offset + 1;
      for (auto [size, stride] : llvm::zip_equal(type.getShape(), strides))
        extent += (size - 1) * stride;
      shape = json::Array{extent};
    }
    buffers.push_back(json::Object{{"name", name.str()},
                                   {"dtype", dtype},
                                   {"shape", std::move(shape)},
                                   {"init", std::move(init)}});
    args.push_back(json::Object{{"kind", "buffer"}, {"name", name.str()}});
    if (barePointer)
      return true;
    // The descriptor: allocated and aligned pointer, offset, sizes, strides.
    args.push_back(json::Object{{"kind", "buffer"}, {"name", name.str()}});
    addScalarArg((name + ".offset").str(), "u64", offset);
    for (auto [i, size] : llvm::enumerate(type.getShape()))
      addScalarArg((name + ".size" + Twine(i)).str(), "u64", size);
    for (auto [i, stride] : llvm::enumerate(strides))
      addScalarArg((name + ".stride" + Twine(i)).str(), "u64", stride);
    return true;
  }

  /// Name of the element type and contents: small numbers, finite scales near
  /// one, any code of a packed format.
  bool describeElement(Type type, StringRef &dtype, json::Object &init) {
    auto codes = [&](int64_t mask, int64_t add) {
      init = json::Object{
          {"gen", "codes"}, {"seed", index}, {"mask", mask}, {"add", add}};
    };
    if (type.isF32() || type.isBF16()) {
      dtype = type.isF32() ? "f32" : "bf16";
      init = json::Object{
          {"gen", "uniform"}, {"seed", index}, {"lo", -1}, {"hi", 1}};
    } else if (isa<Float8E4M3FNType>(type)) {
      dtype = "e4m3";
      codes(/*mask=*/0b10111111, /*add=*/0); // |x| < 2
    } else if (isa<Float8E8M0FNUType>(type)) {
      dtype = "u8";
      codes(/*mask=*/7, /*add=*/124); // 2^-3 to 2^4
    } else if (isa<Float8E5M2Type>(type)) {
      dtype = "u8";
      codes(/*mask=*/0b10111111, /*add=*/0);
    } else if (type.isInteger(8)) {
      dtype = "u8";
      codes(/*mask=*/255, /*add=*/0);
    } else if (type.isInteger(32)) {
      dtype = "i32";
      codes(/*mask=*/255, /*add=*/0);
    } else {
      return false;
    }
    return true;
  }

  std::string &why;
  unsigned index = 0;
};
} // namespace

/// Three extents if all are constants.
static std::optional<json::Array> getExtents(gpu::KernelDim3 dims) {
  json::Array extents;
  for (Value dim : {dims.x, dims.y, dims.z}) {
    APInt value;
    if (!dim || !matchPattern(dim, m_ConstantInt(&value)))
      return std::nullopt;
    extents.push_back(value.getSExtValue());
  }
  return extents;
}

std::optional<json::Object> mx::getLaunchFile(gpu::LaunchFuncOp launch,
                                              unsigned numParameters,
                                              StringRef ptxName, StringRef chip,
                                              std::string &why) {
  std::optional<json::Array> grid =
      getExtents(launch.getGridSizeOperandValues());
  std::optional<json::Array> block =
      getExtents(launch.getBlockSizeOperandValues());
  std::optional<json::Array> cluster = json::Array{1, 1, 1};
  if (launch.hasClusterSize())
    cluster = getExtents(launch.getClusterSizeOperandValues());
  APInt dynamicShared(32, 0);
  if (!grid || !block || !cluster ||
      (launch.getDynamicSharedMemorySize() &&
       !matchPattern(launch.getDynamicSharedMemorySize(),
                     m_ConstantInt(&dynamicShared)))) {
    why = "the grid, the block or the shared memory depends on dynamic sizes, "
          "and the file's are constants";
    return std::nullopt;
  }

  LaunchBuilder builder(why);
  bool barePointer = numParameters == launch.getNumKernelOperands();
  for (Value operand : launch.getKernelOperands())
    if (!builder.add(operand, barePointer))
      return std::nullopt;
  if (builder.args.size() != numParameters) {
    why = "the kernel's parameters are neither pointers nor descriptors";
    return std::nullopt;
  }
  StringRef entry = launch.getKernelName().getValue();
  return json::Object{{"name", entry},
                      {"ptx", ptxName},
                      {"target", chip},
                      {"entry", entry},
                      {"grid", std::move(*grid)},
                      {"block", std::move(*block)},
                      {"cluster", std::move(*cluster)},
                      {"dynamic_shared", dynamicShared.getSExtValue()},
                      {"args", std::move(builder.args)},
                      {"buffers", std::move(builder.buffers)},
                      {"checks", json::Array()}};
}
