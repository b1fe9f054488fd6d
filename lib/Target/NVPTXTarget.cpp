// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// #mx.nvptx as a target of upstream's gpu-module-to-binary, and the compilation
// that it shares with ours.

#include "mx/Target/NVPTX.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

using namespace mlir;
using namespace mx;

FailureOr<CompiledModule> mx::compileModule(gpu::GPUModuleOp module,
                                            NVPTXTargetAttr target,
                                            gpu::CompilationTarget format,
                                            StringRef toolkit,
                                            AlsoCompile also) {
  using gpu::CompilationTarget;
  const Chip &chip = *lookupChip(target.getChip());
  bool isBinary = format == CompilationTarget::Binary ||
                  format == CompilationTarget::Fatbin;
  CompiledModule result;
  if (format == CompilationTarget::Offload) {
    FailureOr<SmallVector<char, 0>> bitcode =
        translateToBitcode(module, target);
    if (failed(bitcode))
      return failure();
    result.object = std::move(*bitcode);
  }
  if (format == CompilationTarget::Assembly || isBinary || also.ptx ||
      also.cubin) {
    FailureOr<PTX> ptx = translateToPTX(module, target);
    if (failed(ptx))
      return failure();
    result.ptx = std::move(*ptx);
  }
  if (isBinary || also.cubin) {
    FailureOr<Cubin> cubin =
        runPtxas(module.getLoc(), result.ptx->text, chip, toolkit);
    if (failed(cubin))
      return failure();
    result.cubin = std::move(*cubin);
  }
  if (format == CompilationTarget::Assembly) {
    // The host code hands the text to the driver as a C string.
    const std::string &text = result.ptx->text;
    result.object.append(text.c_str(), text.c_str() + text.size() + 1);
  } else if (format == CompilationTarget::Binary) {
    result.object = result.cubin->image;
  } else if (format == CompilationTarget::Fatbin) {
    FailureOr<SmallVector<char, 0>> fatbin = runFatbinary(
        module.getLoc(), result.ptx->text, *result.cubin, chip, toolkit);
    if (failed(fatbin))
      return failure();
    result.object = std::move(*fatbin);
  }
  return result;
}

/// The kernel table of a module, with ptxas' figures as metadata.
static gpu::KernelTableAttr getKernelTable(gpu::GPUModuleOp module,
                                           const std::optional<Cubin> &cubin) {
  if (!cubin)
    return nullptr;
  Builder builder(module.getContext());
  SmallVector<gpu::KernelMetadataAttr> kernels;
  for (const KernelResources &resources : cubin->kernels) {
    auto function = dyn_cast_if_present<FunctionOpInterface>(
        module.lookupSymbol(resources.name));
    if (!function)
      continue;
    auto figure = [&](StringRef name, unsigned value) {
      return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
    };
    kernels.push_back(gpu::KernelMetadataAttr::get(
        function, builder.getDictionaryAttr(
                      {figure("registers", resources.registers),
                       figure("shared_memory", resources.sharedMemory),
                       figure("spill_stores", resources.spillStores),
                       figure("spill_loads", resources.spillLoads)})));
  }
  return gpu::KernelTableAttr::get(module.getContext(), kernels);
}

gpu::ObjectAttr mx::getObjectAttr(gpu::GPUModuleOp module,
                                  NVPTXTargetAttr target,
                                  gpu::CompilationTarget format,
                                  ArrayRef<char> object,
                                  const std::optional<Cubin> &cubin) {
  MLIRContext *context = module.getContext();
  return gpu::ObjectAttr::get(
      context, target, format,
      StringAttr::get(context, StringRef(object.data(), object.size())),
      /*properties=*/nullptr, getKernelTable(module, cubin));
}

namespace {
struct NVPTXTargetModel final
    : gpu::TargetAttrInterface::ExternalModel<NVPTXTargetModel,
                                              NVPTXTargetAttr> {
  std::optional<SmallVector<char, 0>>
  serializeToObject(Attribute attr, Operation *module,
                    const gpu::TargetOptions &options) const {
    FailureOr<CompiledModule> compiled = compileModule(
        cast<gpu::GPUModuleOp>(module), cast<NVPTXTargetAttr>(attr),
        options.getCompilationTarget(), options.getToolkitPath());
    if (failed(compiled))
      return std::nullopt;
    return std::move(compiled->object);
  }

  Attribute createObject(Attribute attr, Operation *module,
                         const SmallVector<char, 0> &object,
                         const gpu::TargetOptions &options) const {
    return getObjectAttr(cast<gpu::GPUModuleOp>(module),
                         cast<NVPTXTargetAttr>(attr),
                         options.getCompilationTarget(), object,
                         /*cubin=*/std::nullopt);
  }
};
} // namespace

void mx::registerNVPTXTarget(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
  registry.addExtension(+[](MLIRContext *context, MXDialect *) {
    NVPTXTargetAttr::attachInterface<NVPTXTargetModel>(*context);
  });
}
