// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Target/LaunchFile.h"
#include "mx/Target/NVPTX.h"
#include "mx/Target/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Threading.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace mx {
#define GEN_PASS_DEF_MXGPUMODULETOBINARY
#include "mx/Target/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {
/// A gpu.module and what became of it for one of its targets.
struct Job {
  gpu::GPUModuleOp module;
  NVPTXTargetAttr target;
  CompiledModule result;
};

class GPUModuleToBinary final
    : public mx::impl::MXGPUModuleToBinaryBase<GPUModuleToBinary> {
public:
  using MXGPUModuleToBinaryBase::MXGPUModuleToBinaryBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<gpu::GPUDialect, LLVM::LLVMDialect, MXDialect>();
    registerNVPTXTarget(registry);
  }

  void runOnOperation() override;

private:
  LogicalResult collectJobs(SmallVectorImpl<Job> &jobs);
  LogicalResult dumpJob(const Job &job);
  void printTable(ArrayRef<Job> jobs);
  /// The first launch of a kernel, or null.
  gpu::LaunchFuncOp getLaunch(gpu::GPUModuleOp module, StringRef kernel);

  LogicalResult writeFile(Location loc, const Twine &name, StringRef data);

  /// The first launch of each kernel of the module that the pass runs on.
  llvm::DenseMap<SymbolRefAttr, gpu::LaunchFuncOp> launches;
};
} // namespace

static std::optional<gpu::CompilationTarget> parseFormat(StringRef name) {
  return llvm::StringSwitch<std::optional<gpu::CompilationTarget>>(name)
      .Case("offload", gpu::CompilationTarget::Offload)
      .Case("ptx", gpu::CompilationTarget::Assembly)
      .Case("cubin", gpu::CompilationTarget::Binary)
      .Case("fatbin", gpu::CompilationTarget::Fatbin)
      .Default(std::nullopt);
}

/// 87 for "8.7"; 0 for the empty string.
static std::optional<unsigned> parseVersion(StringRef text) {
  if (text.empty())
    return 0;
  auto [majorText, minorText] = text.split('.');
  unsigned major, minor;
  if (majorText.getAsInteger(10, major) || minorText.getAsInteger(10, minor) ||
      major > 99 || minor > 9)
    return std::nullopt;
  return 10 * major + minor;
}

LogicalResult GPUModuleToBinary::collectJobs(SmallVectorImpl<Job> &jobs) {
  std::optional<unsigned> version = parseVersion(ptx);
  if (!version)
    return emitError(getOperation()->getLoc(),
                     "ptx must be a version such as 8.7, got '")
           << ptx << "'";
  launches.clear();
  WalkResult result = getOperation()->walk([&](Operation *op) {
    if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
      launches.try_emplace(launch.getKernel(), launch);
    auto module = dyn_cast<gpu::GPUModuleOp>(op);
    if (!module)
      return WalkResult::advance();
    ArrayAttr targets = module.getTargetsAttr();
    if (!targets || !llvm::all_of(targets, llvm::IsaPred<NVPTXTargetAttr>))
      return WalkResult::skip();
    for (auto target : targets.getAsRange<NVPTXTargetAttr>()) {
      if (target.getPtx() == 0)
        target = NVPTXTargetAttr::getChecked(
            [&] { return emitError(module.getLoc()); }, &getContext(),
            target.getChip(), *version, target.getO());
      if (!target)
        return WalkResult::interrupt();
      jobs.push_back({module, target, {}});
    }
    return WalkResult::skip();
  });
  return failure(result.wasInterrupted());
}

void GPUModuleToBinary::runOnOperation() {
  Operation *root = getOperation();
  std::optional<gpu::CompilationTarget> format = parseFormat(emit);
  if (!format) {
    emitError(root->getLoc(),
              "emit must be offload, ptx, cubin or fatbin, got '")
        << emit << "'";
    return signalPassFailure();
  }

  SmallVector<Job> jobs;
  if (failed(collectJobs(jobs)))
    return signalPassFailure();

  // A dump has cubins if there is a ptxas; the formats that need one fail
  // without.
  AlsoCompile also;
  if (!dump.empty() && !jobs.empty()) {
    llvm::Expected<std::string> ptxas = findCUDAProgram("ptxas", toolkit);
    also = {/*ptx=*/true, /*cubin=*/static_cast<bool>(ptxas)};
    if (!ptxas)
      emitWarning(jobs.front().module.getLoc(), "no cubins are dumped: ")
          << llvm::toString(ptxas.takeError());
  }
  if (failed(failableParallelForEach(&getContext(), jobs, [&](Job &job) {
        FailureOr<CompiledModule> compiled =
            compileModule(job.module, job.target, *format, toolkit, also);
        if (failed(compiled))
          return failure();
        job.result = std::move(*compiled);
        return success();
      })))
    return signalPassFailure();
  numModules += jobs.size();

  if (!dump.empty()) {
    for (const Job &job : jobs)
      if (failed(dumpJob(job)))
        return signalPassFailure();
    printTable(jobs);
  }

  // Jobs of one module are neighbours.
  for (size_t begin = 0, end; begin < jobs.size(); begin = end) {
    gpu::GPUModuleOp module = jobs[begin].module;
    SmallVector<Attribute> objects;
    for (end = begin; end < jobs.size() && jobs[end].module == module; ++end) {
      const CompiledModule &result = jobs[end].result;
      objects.push_back(getObjectAttr(module, jobs[end].target, *format,
                                      result.object, result.cubin));
      if (result.cubin)
        numSpills += llvm::count_if(
            result.cubin->kernels,
            [](const KernelResources &kernel) { return kernel.spillStores; });
    }
    OpBuilder builder(module);
    gpu::BinaryOp::create(builder, module.getLoc(), module.getName(),
                          module.getOffloadingHandlerAttr(),
                          builder.getArrayAttr(objects));
    module.erase();
  }
}

LogicalResult GPUModuleToBinary::writeFile(Location loc, const Twine &name,
                                           StringRef data) {
  SmallString<128> path(dump);
  llvm::sys::path::append(path, name);
  if (std::error_code error = llvm::sys::fs::create_directories(dump))
    return emitError(loc, "cannot create the folder ")
           << dump << ": " << error.message();
  // Written to a temporary file and renamed.
  llvm::Error error = llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    os << data;
    return llvm::Error::success();
  });
  if (error)
    return emitError(loc, "cannot write ")
           << path << ": " << llvm::toString(std::move(error));
  return success();
}

LogicalResult GPUModuleToBinary::dumpJob(const Job &job) {
  gpu::GPUModuleOp module = job.module;
  const CompiledModule &result = job.result;
  // Several targets of one module: each has files of its own.
  std::string suffix;
  if (module.getTargetsAttr().size() > 1)
    suffix = "." + job.target.getChip().str();
  std::string ptxName = module.getName().str() + suffix + ".ptx";
  if (failed(writeFile(module.getLoc(), ptxName, result.ptx->text)))
    return failure();
  if (result.cubin) {
    StringRef image(result.cubin->image.data(), result.cubin->image.size());
    if (failed(writeFile(module.getLoc(), module.getName() + suffix + ".cubin",
                         image)))
      return failure();
  }
  for (auto kernel : module.getOps<LLVM::LLVMFuncOp>()) {
    gpu::LaunchFuncOp launch = getLaunch(module, kernel.getName());
    if (!launch)
      continue;
    std::string why;
    std::optional<llvm::json::Object> file = getLaunchFile(
        launch, kernel.getNumArguments(), ptxName, job.target.getChip(), why);
    if (!file) {
      emitRemark(kernel.getLoc(), "no launch file for ")
          << kernel.getName() << ": " << why;
      continue;
    }
    std::string text =
        llvm::formatv("{0:2}\n", llvm::json::Value(std::move(*file)));
    if (failed(writeFile(kernel.getLoc(), kernel.getName() + suffix + ".json",
                         text)))
      return failure();
  }
  return success();
}

gpu::LaunchFuncOp GPUModuleToBinary::getLaunch(gpu::GPUModuleOp module,
                                               StringRef kernel) {
  return launches.lookup(SymbolRefAttr::get(
      module.getNameAttr(), {FlatSymbolRefAttr::get(&getContext(), kernel)}));
}

/// Bytes of dynamic shared memory of a launch (null: none), 0 if unknown.
static int64_t getDynamicSharedMemory(gpu::LaunchFuncOp launch) {
  APInt bytes;
  if (launch && launch.getDynamicSharedMemorySize() &&
      matchPattern(launch.getDynamicSharedMemorySize(), m_ConstantInt(&bytes)))
    return bytes.getZExtValue();
  return 0;
}

void GPUModuleToBinary::printTable(ArrayRef<Job> jobs) {
  size_t width = StringRef("kernel").size();
  for (const Job &job : jobs)
    if (job.result.cubin)
      for (const KernelResources &kernel : job.result.cubin->kernels)
        width = std::max(width, kernel.name.size());
  // One string: other threads may print, too.
  std::string text;
  llvm::raw_string_ostream os(text);
  os << llvm::left_justify("kernel", width)
     << " chip     PTX  PTX lines registers  shared spilled  ptxas ms\n";
  for (const Job &job : jobs) {
    if (!job.result.cubin)
      continue;
    const PTX &ptx = *job.result.ptx;
    for (const KernelResources &kernel : job.result.cubin->kernels)
      os << llvm::left_justify(kernel.name, width)
         << llvm::formatv(
                " {0,-8} {1,-4} {2,9} {3,9} {4,7} {5,7} {6,9:f1}\n",
                job.target.getChip(), formatPTXVersion(ptx.version),
                StringRef(ptx.text).count('\n'), kernel.registers,
                kernel.sharedMemory +
                    getDynamicSharedMemory(getLaunch(job.module, kernel.name)),
                kernel.spillStores + kernel.spillLoads,
                job.result.cubin->milliseconds);
  }
  llvm::errs() << text;
}
