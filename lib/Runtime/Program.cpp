// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Runtime/Program.h"

#include "mx/Conversion/LinalgToCPU/Passes.h"
#include "mx/IR/MX.h"
#include "mx/Runtime/Comparison.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Target/TargetMachine.h"

#include <chrono>

using namespace mlir;

namespace mx {

static_assert(SidecarType::dynamicExtent == ShapedType::kDynamic);

std::string ProgramTensor::getTypeString() const {
  std::string text = "tensor<";
  for (int64_t extent : shape)
    text += ShapedType::isDynamic(extent) ? "?x" : std::to_string(extent) + "x";
  return text + dtype + ">";
}

/// All that is freed when the code is there.
struct Program::IR {
  IR(const ProgramOptions &options, const DialectRegistry &registry)
      : options(options), context(registry),
        diagnostics(sourceMgr, &context, llvm::errs()) {
    context.printOpOnDiagnostic(false);
    context.allowUnregisteredDialects(options.allowUnregisteredDialects);
    context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
      hasError |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
      return failure(); // For the next handler to print.
    });
  }

  ProgramOptions options;
  llvm::SourceMgr sourceMgr;
  MLIRContext context;
  SourceMgrDiagnosticHandler diagnostics;
  bool hasError = false;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
};

Program::Program(std::unique_ptr<IR> ir) : ir(std::move(ir)) {}
Program::Program(Program &&) = default;
Program::~Program() = default;

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

/// The function that is to be called, or a diagnostic that says which ones
/// there are.
static func::FuncOp findEntry(ModuleOp module, StringRef name) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (function && !function.isExternal())
    return function;
  SmallVector<StringRef> names;
  for (auto other : module.getOps<func::FuncOp>())
    if (other.isPublic() && !other.isExternal())
      names.push_back(other.getName());
  if (function)
    function.emitError("entry function '") << name << "' has no body";
  else
    module.emitError("no function '")
        << name << "' to run; the module has "
        << (names.empty() ? "none" : "'" + llvm::join(names, "', '") + "'");
  return nullptr;
}

/// Fills in what `type` says. False for what cannot cross the boundary:
/// anything but a ranked tensor of whole bytes.
static bool readType(Type type, ProgramTensor &tensor) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  if (!ranked || ranked.getEncoding())
    return false;
  Type element = ranked.getElementType();
  llvm::raw_string_ostream(tensor.dtype) << element;
  if (!getElementDecoder(tensor.dtype))
    return false;
  unsigned bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  tensor.elementBytes = llvm::divideCeil(bits, 8);
  tensor.shape.assign(ranked.getShape().begin(), ranked.getShape().end());
  return true;
}

LogicalResult Program::readSignature() {
  func::FuncOp function = ir->function;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    ProgramArgument argument;
    argument.name = "argument " + std::to_string(i);
    if (!readType(type, argument))
      return mlir::emitError(function.getArgument(i).getLoc())
             << "argument " << i << " of '" << function.getName() << "' is "
             << type << "; only ranked tensors of whole bytes can be given";
    arguments.push_back(std::move(argument));
  }
  for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
    ProgramTensor result;
    if (!readType(type, result))
      return function.emitError("result ")
             << i << " of '" << function.getName() << "' is " << type
             << "; only ranked tensors of whole bytes can be taken";
    results.push_back(std::move(result));
  }
  const Sidecar *sidecar = ir->options.sidecar;
  if (!sidecar)
    return success();
  if (sidecar->arguments.size() != arguments.size())
    return function.emitError("the sidecar ")
           << ir->options.sidecarPath << " has " << sidecar->arguments.size()
           << " arguments, '" << function.getName() << "' has "
           << arguments.size();
  for (auto [i, argument, named] :
       llvm::enumerate(arguments, sidecar->arguments)) {
    if (named.shape != argument.shape || named.dtype != argument.dtype) {
      ProgramTensor wanted;
      static_cast<SidecarType &>(wanted) = named;
      return mlir::emitError(function.getArgument(i).getLoc())
             << "argument " << i << " ('" << named.name << "') is "
             << argument.getTypeString() << ", in the sidecar "
             << ir->options.sidecarPath << " " << wanted.getTypeString();
    }
    argument.name = named.name;
    if (named.kind == SidecarArgument::Kind::Parameter)
      argument.storedName = named.getStoredName();
  }
  return success();
}

/// What mx-annotate and mx-lower-precision take, in braces.
static std::string getPrecisionOptions(const ProgramOptions &options) {
  std::string text = options.scheme.empty()
                         ? "{recipe=\"" + options.recipePath + "\""
                         : "{scheme=" + options.scheme;
  if (!options.scaleRule.empty())
    text += " scale-rule=" + options.scaleRule;
  if (!options.sidecarPath.empty())
    text += " args=\"" + options.sidecarPath + "\"";
  return text + "}";
}

LogicalResult Program::observe() {
  const ProgramOptions &options = ir->options;
  if (options.lowersPrecision() &&
      failed(runPipeline("mx-annotate" + getPrecisionOptions(options) +
                         ",mx-quantize-matmuls")))
    return failure();
  // What is observed are products.
  if (failed(runPipeline("mx-inline-regions")))
    return failure();
  return options.observe(ir->function);
}

/// Seconds since `start`, which becomes now.
static double lap(std::chrono::steady_clock::time_point &start) {
  auto now = std::chrono::steady_clock::now();
  double seconds = std::chrono::duration<double>(now - start).count();
  start = now;
  return seconds;
}

FailureOr<Program> Program::load(StringRef path, const ProgramOptions &options,
                                 const DialectRegistry &registry) {
  auto start = std::chrono::steady_clock::now();
  Program program(std::make_unique<IR>(options, registry));
  IR &ir = *program.ir;
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(path, &error);
  if (!buffer) {
    llvm::WithColor::error() << error << '\n';
    return failure();
  }
  ir.sourceMgr.AddNewSourceBuffer(std::move(buffer), SMLoc());
  ir.module =
      parseSourceFile<ModuleOp>(ir.sourceMgr, ParserConfig(&ir.context));
  if (!ir.module)
    return failure();
  std::string entry = options.entry;
  if (entry.empty())
    entry = options.sidecar ? options.sidecar->entry : "main";
  ir.function = findEntry(*ir.module, entry);
  if (!ir.function || (options.observe && failed(program.observe())) ||
      failed(program.readSignature()))
    return failure();

  // Only what the entry needs has to be complete. Its body goes first: ops
  // that nobody knows keep symbols from being traced.
  for (auto function : ir.module->getOps<func::FuncOp>())
    if (function != ir.function)
      function.setPrivate();
  auto isComplete = [](Operation *root) {
    return !root->walk<WalkOrder::PreOrder>([](Operation *op) {
                  return WalkResult(checkIsComplete(op));
                })
                .wasInterrupted();
  };
  if (!isComplete(ir.function) || failed(program.runPipeline("symbol-dce")) ||
      !isComplete(*ir.module))
    return failure();
  program.times.emplace_back("parse", lap(start));
  return program;
}

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

LogicalResult Program::runPipeline(const Twine &pipeline) {
  ModuleOp module = *ir->module;
  std::string text = pipeline.str(), error;
  llvm::raw_string_ostream errorStream(error);
  PassManager manager(&ir->context);
  if (failed(parsePassPipeline(text, manager, errorStream)))
    return module.emitError("no pipeline '") << text << "': " << error;
  if (failed(manager.run(module))) {
    if (!ir->hasError)
      module.emitError("pipeline '") << text << "' failed";
    return failure();
  }
  return success();
}

LogicalResult Program::lower() {
  auto start = std::chrono::steady_clock::now();
  auto run = [&](StringRef phase, const Twine &pipeline) {
    LogicalResult result = runPipeline(pipeline);
    times.emplace_back(phase, lap(start));
    return result;
  };
  Builder builder(&ir->context);
  for (auto [i, argument] : llvm::enumerate(arguments))
    if (argument.isParameter())
      ir->function.setArgAttr(i, "mx.parameter",
                              builder.getStringAttr(argument.name));

  const ProgramOptions &options = ir->options;
  if (options.lowersPrecision() && !options.observe &&
      failed(run("lower-precision",
                 "mx-lower-precision" + getPrecisionOptions(options))))
    return failure();
  // What the module calls a parameter and nobody has bound comes with each
  // call.
  for (auto [i, argument] : llvm::enumerate(arguments))
    if (!argument.isParameter())
      ir->function.removeArgAttr(i, "mx.parameter");
  // Kernels want codes along K; what quantises a weight is about to move.
  if (!options.chip.empty() &&
      failed(run("move-k", "mx-inline-regions,mx-move-k-innermost")))
    return failure();
  if (failed(run("hoist-weights", "mx-hoist-weights")))
    return failure();
  readPrepareSteps();
  if (!options.chip.empty())
    return run("to-gpu", "mx-strip,mx-to-gpu{emit=ptx chip=" + options.chip +
                             "},mx-cpu-set-target{cpu=" + options.cpu + "}");
  if (failed(run("mx-to-linalg", "mx-strip,convert-mx-to-linalg")))
    return failure();
  return run("to-cpu", "mx-to-cpu{cpu=" + options.cpu + "}");
}

void Program::readPrepareSteps() {
  for (auto [i, argument] : llvm::enumerate(arguments))
    argument.isUsed = !ir->function.getArgument(i).use_empty();
  auto steps = ir->function->getAttrOfType<ArrayAttr>("mx.prepare");
  if (!steps)
    return;
  for (auto attribute : steps.getAsRange<PrepareAttr>()) {
    PrepareStep step;
    step.name = attribute.getCallee().getValue();
    llvm::append_range(step.arguments, attribute.getArguments());
    auto callee = ir->module->lookupSymbol<func::FuncOp>(step.name);
    for (Type type : callee.getResultTypes())
      step.resultRanks.push_back(cast<ShapedType>(type).getRank());
    prepareSteps.push_back(std::move(step));
  }
}

LogicalResult Program::compile() {
  std::string name = ir->function.getName().str();
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(ir->options.cpu);
  if (!machine)
    return ir->module->emitError(llvm::toString(machine.takeError()));
  if (failed(lower()))
    return failure();

  JitTimes jitTimes;
  llvm::Expected<Jit> compiled =
      Jit::compile(*ir->module, **machine, &jitTimes);
  if (!compiled)
    return ir->module->emitError(llvm::toString(compiled.takeError()));
  auto start = std::chrono::steady_clock::now();
  jit.emplace(std::move(*compiled));
  auto lookup = [&](StringRef name, Jit::Function &function) -> LogicalResult {
    llvm::Expected<Jit::Function> found = jit->lookup(name);
    if (!found)
      return ir->module->emitError(llvm::toString(found.takeError()));
    function = *found;
    return success();
  };
  if (failed(lookup(name, entry)))
    return failure();
  for (PrepareStep &step : prepareSteps)
    if (failed(lookup(step.name, step.function)))
      return failure();
  times.emplace_back("translate", jitTimes.translate);
  times.emplace_back("optimize", jitTimes.optimize);
  times.emplace_back("codegen", jitTimes.codegen);
  times.emplace_back("link", lap(start));
  ir.reset();
  return success();
}

} // namespace mx
