// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Target/NVPTX.h"

#include "mlir/Target/LLVM/ModuleToObject.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mx;

namespace {
using CapabilitySet = llvm::SmallSetVector<const Capability *, 8>;

/// Adds the table's rows for the statements of an inline PTX string.
void collectInlinePTX(StringRef text, CapabilitySet &rows) {
  SmallVector<StringRef> statements;
  text.split(statements, ';');
  for (StringRef statement : statements) {
    statement = statement.ltrim("{} \t\n");
    if (statement.consume_front("@"))
      statement = statement.drop_until(llvm::isSpace).ltrim();
    for (const Capability *row :
         findByOpcode(statement.take_until(llvm::isSpace)))
      rows.insert(row);
  }
}

/// The rows of the capability table that `module` uses, by intrinsics and
/// inline PTX.
CapabilitySet collectCapabilities(const llvm::Module &module) {
  CapabilitySet rows;
  llvm::SmallPtrSet<const llvm::InlineAsm *, 8> seen;
  for (const llvm::Function &function : module) {
    if (function.isIntrinsic() && !function.use_empty())
      for (const Capability *row : findByIntrinsic(function.getName()))
        rows.insert(row);
    for (const llvm::Instruction &inst : llvm::instructions(function)) {
      auto *call = dyn_cast<llvm::CallBase>(&inst);
      if (!call)
        continue;
      auto *assembly = dyn_cast<llvm::InlineAsm>(call->getCalledOperand());
      if (assembly && seen.insert(assembly).second)
        collectInlinePTX(assembly->getAsmString(), rows);
    }
  }
  return rows;
}

/// The PTX version to emit: the target's, or the oldest that has every row.
FailureOr<unsigned> chooseVersion(Location loc, NVPTXTargetAttr target,
                                  const CapabilitySet &rows) {
  const Chip &chip = *lookupChip(target.getChip());
  unsigned version = chip.ptx;
  const Capability *newest = nullptr;
  for (const Capability *row : rows) {
    if (!row->isOn(chip))
      return emitError(loc)
             << "uses " << row->name << ", which " << chip.name
             << " does not have; it is on "
             << getChipNames([&](const Chip &c) { return row->isOn(c); });
    if (row->ptx > version) {
      version = row->ptx;
      newest = row;
    }
  }
  if (target.getPtx() == 0)
    return version;
  if (target.getPtx() < version)
    return emitError(loc) << "uses " << newest->name << ", which needs PTX "
                          << formatPTXVersion(version) << ", but PTX "
                          << formatPTXVersion(target.getPtx())
                          << " is asked for";
  return target.getPtx();
}

/// Translation, optimisation and code generation of one gpu.module.
class Emitter final : public LLVM::ModuleToObject {
public:
  Emitter(gpu::GPUModuleOp module, NVPTXTargetAttr target)
      : ModuleToObject(*module, "nvptx64-nvidia-cuda", target.getChip(),
                       /*features=*/{}, target.getO()),
        target(target) {}

  /// The optimised LLVM module, with `version` and the target machine set.
  std::unique_ptr<llvm::Module> getLLVMModule(llvm::LLVMContext &context) {
    std::unique_ptr<llvm::Module> llvmModule = translateToLLVMIR(context);
    if (!llvmModule)
      return nullptr; // Translation has reported it.
    FailureOr<unsigned> chosen = chooseVersion(
        getOperation().getLoc(), target, collectCapabilities(*llvmModule));
    if (failed(chosen))
      return nullptr;
    version = *chosen;
    featureString = "+ptx" + llvm::utostr(version);
    features = featureString;
    if (failed(getOrCreateTargetMachine()))
      return nullptr;
    setDataLayoutAndTriple(*llvmModule);
    if (failed(optimizeModule(*llvmModule, optLevel)))
      return nullptr;
    return llvmModule;
  }

  FailureOr<PTX> emitPTX() {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> llvmModule = getLLVMModule(context);
    if (!llvmModule)
      return failure();
    FailureOr<SmallString<0>> text =
        translateModuleToISA(*llvmModule, **getOrCreateTargetMachine(), [&] {
          return emitError(getOperation().getLoc());
        });
    if (failed(text))
      return failure();
    return PTX{std::string(text->str()), version};
  }

  FailureOr<SmallVector<char, 0>> emitBitcode() {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> llvmModule = getLLVMModule(context);
    if (!llvmModule)
      return failure();
    return moduleToObject(*llvmModule);
  }

private:
  NVPTXTargetAttr target;
  unsigned version = 0;
  std::string featureString;
};

/// Where the reason of a fatal error of LLVM goes on this thread; null outside
/// of runGuarded.
thread_local std::string *fatalReason = nullptr;

/// Ends the guarded run that `message` comes from. Elsewhere LLVM's own
/// behaviour: the message, then (by the caller) the end of the process.
void handleFatalError(void *, const char *message, bool) {
  if (!fatalReason) {
    llvm::errs() << "LLVM ERROR: " << message << "\n";
    return;
  }
  *fatalReason = StringRef(message).split('\n').first.str();
  llvm::CrashRecoveryContext::GetCurrent()->HandleExit(1);
}

/// Runs `emit` so that a fatal error of LLVM's backend (an intrinsic that it
/// cannot select for the chip and that the table does not list) is a diagnostic
/// and not the end of the process. What the failed run holds is leaked.
template <typename Result>
FailureOr<Result> runGuarded(gpu::GPUModuleOp module, NVPTXTargetAttr target,
                             FailureOr<Result> (Emitter::*emit)()) {
  [[maybe_unused]] static const bool initialized = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    llvm::CrashRecoveryContext::Enable();
    llvm::install_fatal_error_handler(handleFatalError);
    return true;
  }();
  auto *emitter = new Emitter(module, target);
  FailureOr<Result> result = failure();
  std::string reason;
  fatalReason = &reason;
  llvm::CrashRecoveryContext recovery;
  bool completed = recovery.RunSafely([&] { result = (emitter->*emit)(); });
  fatalReason = nullptr;
  if (!completed) {
    InFlightDiagnostic error =
        emitError(module.getLoc(),
                  "LLVM's NVPTX backend cannot generate code for ")
        << target.getChip();
    if (!reason.empty())
      error << ": " << reason;
    return error;
  }
  delete emitter;
  return result;
}
} // namespace

FailureOr<PTX> mx::translateToPTX(gpu::GPUModuleOp module,
                                  NVPTXTargetAttr target) {
  return runGuarded<PTX>(module, target, &Emitter::emitPTX);
}

FailureOr<SmallVector<char, 0>> mx::translateToBitcode(gpu::GPUModuleOp module,
                                                       NVPTXTargetAttr target) {
  return runGuarded<SmallVector<char, 0>>(module, target,
                                          &Emitter::emitBitcode);
}
