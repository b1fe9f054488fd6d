// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Runtime/Jit.h"

#include "EmulatedGPU.h"
#include "RuntimeSymbols.h"
#include "mx/Conversion/LinalgToCPU/CPUTarget.h"
#include "mx/Runtime/ThreadPool.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <chrono>

using namespace llvm;

namespace mx {

//===----------------------------------------------------------------------===//
// Target
//===----------------------------------------------------------------------===//

Expected<std::unique_ptr<TargetMachine>> createTargetMachine(StringRef cpu) {
  std::optional<CPUTarget> target = CPUTarget::get(cpu);
  if (!target)
    return createStringError("unknown CPU '" + cpu +
                             "' for this architecture; there are native, avx2 "
                             "(x86-64) and generic");
  if (!target->runsHere())
    return createStringError("this machine cannot run code for '" + cpu + "'");
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  InitializeNativeTargetAsmParser();
  orc::JITTargetMachineBuilder builder{Triple(sys::getProcessTriple())};
  builder.setCPU(target->cpu);
  builder.getFeatures() = SubtargetFeatures(target->features);
  builder.setRelocationModel(Reloc::PIC_);
  builder.setCodeGenOptLevel(CodeGenOptLevel::Default);
  return builder.createTargetMachine();
}

//===----------------------------------------------------------------------===//
// LLVM IR
//===----------------------------------------------------------------------===//

static constexpr StringLiteral cInterfacePrefix = "_mlir_ciface_";
static constexpr StringLiteral packedPrefix = "mx_packed_";
static constexpr StringLiteral constructorsName = "mx_constructors";

/// A function has as many arguments as the source, so it cannot be called from
/// C++ directly. Adds void mx_packed_NAME(void **) for each C interface.
static void addPackedFunctions(Module &module) {
  LLVMContext &context = module.getContext();
  auto *pointer = PointerType::get(context, 0);
  auto *type = FunctionType::get(Type::getVoidTy(context), {pointer}, false);
  SmallVector<Function *> interfaces;
  for (Function &function : module)
    if (!function.isDeclaration() &&
        function.getName().starts_with(cInterfacePrefix) &&
        all_of(function.args(),
               [](Argument &a) { return a.getType()->isPointerTy(); }))
      interfaces.push_back(&function);
  for (Function *interface : interfaces) {
    StringRef name = interface->getName().drop_front(cInterfacePrefix.size());
    auto *packed = Function::Create(type, Function::ExternalLinkage,
                                    packedPrefix + name, module);
    IRBuilder<> builder(BasicBlock::Create(context, "", packed));
    SmallVector<Value *> arguments;
    for (unsigned i = 0; i < interface->arg_size(); ++i)
      arguments.push_back(builder.CreateLoad(
          pointer, builder.CreateConstGEP1_64(pointer, packed->getArg(0), i)));
    builder.CreateCall(interface, arguments);
    builder.CreateRetVoid();
    interface->setLinkage(Function::InternalLinkage);
  }
}

/// What runs before anything else (it loads GPU modules): without a runtime of
/// its own, the JIT leaves constructors to us. Makes of them one function, and
/// drops what would run at the end of the process.
static void collectConstructors(Module &module) {
  LLVMContext &context = module.getContext();
  auto *type = FunctionType::get(Type::getVoidTy(context), false);
  auto *all = Function::Create(type, Function::ExternalLinkage,
                               constructorsName, module);
  IRBuilder<> builder(BasicBlock::Create(context, "", all));
  if (GlobalVariable *list = module.getNamedGlobal("llvm.global_ctors")) {
    for (Value *entry : list->getInitializer()->operands())
      builder.CreateCall(type, cast<User>(entry)->getOperand(1));
    list->eraseFromParent();
  }
  builder.CreateRetVoid();
  if (GlobalVariable *list = module.getNamedGlobal("llvm.global_dtors"))
    list->eraseFromParent();
}

static void optimize(Module &module, TargetMachine &targetMachine) {
  // Tiles are written for the widest vectors there are; for some CPUs LLVM
  // prefers narrower ones in its own loops.
  for (Function &function : module)
    if (!function.isDeclaration())
      function.addFnAttr("prefer-vector-width", "512");
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = false;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&targetMachine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2)
      .run(module, modules);
}

//===----------------------------------------------------------------------===//
// Jit
//===----------------------------------------------------------------------===//

/// Seconds since `start`, which becomes now.
static double lap(std::chrono::steady_clock::time_point &start) {
  auto now = std::chrono::steady_clock::now();
  double seconds = std::chrono::duration<double>(now - start).count();
  start = now;
  return seconds;
}

/// An object file. The LLVM IR is gone when this returns.
static Expected<std::unique_ptr<MemoryBuffer>>
generateObject(mlir::ModuleOp source, TargetMachine &targetMachine,
               JitTimes &times) {
  auto start = std::chrono::steady_clock::now();
  LLVMContext context;
  std::unique_ptr<Module> module =
      mlir::translateModuleToLLVMIR(source, context);
  if (!module)
    return createStringError("the module does not translate to LLVM IR");
  module->setDataLayout(targetMachine.createDataLayout());
  module->setTargetTriple(targetMachine.getTargetTriple());
  addPackedFunctions(*module);
  collectConstructors(*module);
  times.translate = lap(start);
  optimize(*module, targetMachine);
  times.optimize = lap(start);

  SmallVector<char, 0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager codegen;
  if (targetMachine.addPassesToEmitFile(codegen, stream, nullptr,
                                        CodeGenFileType::ObjectFile))
    return createStringError("this target cannot write object files");
  codegen.run(*module);
  times.codegen = lap(start);
  return std::make_unique<SmallVectorMemoryBuffer>(
      std::move(object), "module", /*RequiresNullTerminator=*/false);
}

Expected<Jit> Jit::compile(mlir::ModuleOp module, TargetMachine &targetMachine,
                           JitTimes *times) {
  JitTimes ignored;
  Expected<std::unique_ptr<MemoryBuffer>> object =
      generateObject(module, targetMachine, times ? *times : ignored);
  if (!object)
    return object.takeError();

  Expected<std::unique_ptr<orc::LLJIT>> jit =
      orc::LLJITBuilder().setPlatformSetUp(orc::setUpInactivePlatform).create();
  if (!jit)
    return jit.takeError();
  orc::SymbolMap symbols;
  auto define = [&](ArrayRef<std::pair<StringRef, void *>> named) {
    for (auto [name, address] : named)
      symbols[(*jit)->mangleAndIntern(name)] = {
          orc::ExecutorAddr::fromPtr(address), JITSymbolFlags::Exported};
  };
  define(getThreadPoolSymbols());
  define(getRuntimeSymbols());
  define(getEmulatedGPUSymbols());
  if (Error error = (*jit)->getMainJITDylib().define(
          orc::absoluteSymbols(std::move(symbols))))
    return std::move(error);
  if (Error error = (*jit)->addObjectFile(std::move(*object)))
    return std::move(error);
  Expected<orc::ExecutorAddr> constructors = (*jit)->lookup(constructorsName);
  if (!constructors)
    return constructors.takeError();
  constructors->toPtr<void (*)()>()();
  return Jit(std::move(*jit));
}

Expected<Jit::Function> Jit::lookup(StringRef name) const {
  Expected<orc::ExecutorAddr> address =
      jit->lookup((packedPrefix + name).str());
  if (!address)
    return address.takeError();
  return address->toPtr<Function>();
}

Jit::Jit(std::unique_ptr<orc::LLJIT> jit) : jit(std::move(jit)) {}
Jit::Jit(Jit &&) = default;
Jit::~Jit() = default;

} // namespace mx
