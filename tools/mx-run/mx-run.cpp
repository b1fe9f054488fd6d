// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a module's entry function on .npy inputs and safetensors weights.

#include "Runner.h"
#include "Search.h"

#include "mx/InitAll.h"
#include "mx/Runtime/GPUStatistics.h"
#include "mx/Runtime/ThreadPool.h"
#include "mx/Support/OutputFile.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace llvm;
using namespace mx;

static constexpr char overview[] =
    R"(Runs a function of an MLIR module on the CPU.

Example: a language model quantised to NVFP4 on the way, compared with what is
expected of it (at most 40 % off):

  mx-run model.mlir --args model.args.json --weights model.safetensors \
      --scheme nvfp4 --inputs ids.npy,mask.npy --expect logits.npy \
      --max-rel-error 0.4

Example: a recipe of 5 bits a weight, chosen by the error of each layer:

  mx-run model.mlir --args model.args.json --weights model.safetensors \
      --inputs ids.npy,mask.npy --plan-search effective_bits=5 --out recipe.yaml
)";

static int fail(const Twine &message) {
  WithColor::error(errs(), "mx-run") << message << '\n';
  return 1;
}
/// What has no text has been reported as a diagnostic.
static int fail(Error error) {
  std::string text = toString(std::move(error));
  return text.empty() ? 1 : fail(text);
}

/// The files of one --inputs or --expect, in order.
static SmallVector<StringRef> splitList(StringRef list) {
  SmallVector<StringRef> paths;
  if (!list.empty())
    list.split(paths, ',');
  return paths;
}

using ArrayGroups = std::vector<std::vector<std::optional<NpyArray>>>;

/// Opens the files of each list; `wanted` says what they (the function's
/// `what`) have to be. "-" leaves a gap if `maySkip`.
static Expected<ArrayGroups> openGroups(StringRef what,
                                        ArrayRef<std::string> lists,
                                        ArrayRef<const ProgramTensor *> wanted,
                                        bool maySkip) {
  ArrayGroups groups;
  for (StringRef list : lists) {
    SmallVector<StringRef> paths = splitList(list);
    if (paths.size() != wanted.size())
      return createStringError(
          formatv("the function has {0} {1}, but {2} files are given",
                  wanted.size(), what, paths.size()));
    std::vector<std::optional<NpyArray>> &arrays = groups.emplace_back();
    for (auto [path, tensor] : zip(paths, wanted)) {
      if (maySkip && path == "-") {
        arrays.emplace_back();
        continue;
      }
      Expected<NpyArray> array = NpyArray::open(path);
      if (!array)
        return array.takeError();
      std::string problem =
          checkTensor(*tensor, array->getDType(), array->getShape());
      if (!problem.empty())
        return createFileError(path, createStringError(problem));
      arrays.push_back(std::move(*array));
    }
  }
  return groups;
}

/// glibc maps and unmaps each large buffer, which costs more than computing
/// it; and it keeps what the compiler has freed.
static void tuneAllocator() {
#ifdef __GLIBC__
  malloc_trim(0);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

/// Of this process only: what getrusage says on Linux counts the process that
/// has started this one.
static double getPeakMiB() {
  if (auto status = MemoryBuffer::getFileAsStream("/proc/self/status")) {
    StringRef peak = (*status)->getBuffer().split("VmHWM:").second.ltrim();
    uint64_t kib;
    if (!peak.consumeInteger(10, kib))
      return kib / 1024.0;
  }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024.0;
}

static int run(Options &options) {
  if (std::string problem = options.check(); !problem.empty())
    return fail(problem);
  setNumThreads(options.threads);
  std::optional<PlanSearchOptions> searchOptions;
  if (!options.planSearch.empty()) {
    Expected<PlanSearchOptions> read = readSearchOptions(options);
    if (!read)
      return fail(read.takeError());
    searchOptions = std::move(*read);
  }

  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  mx::registerAllDialects(registry);
  mlir::registerAllPasses();
  mx::registerAllPasses();

  std::optional<Sidecar> sidecar;
  if (!options.args.empty()) {
    Expected<Sidecar> read = readSidecar(options.args);
    if (!read)
      return fail(read.takeError());
    sidecar = std::move(*read);
  }
  ProgramOptions programOptions;
  programOptions.entry = options.entry;
  programOptions.sidecarPath = options.args;
  programOptions.sidecar = sidecar ? &*sidecar : nullptr;
  programOptions.scheme = options.scheme;
  programOptions.recipePath = options.recipe;
  programOptions.scaleRule = options.scaleRule;
  programOptions.cpu = options.cpu;
  programOptions.chip = options.chip;
  programOptions.allowUnregisteredDialects = options.allowUnregistered;
  std::clock_t loadStart = std::clock();
  mlir::FailureOr<Program> program =
      Program::load(options.module, programOptions, registry);
  if (mlir::failed(program))
    return 1;

  // Everything that comes from outside is checked before the long part.
  std::optional<Safetensors> weights;
  if (!options.weights.empty()) {
    Expected<Safetensors> file = Safetensors::open(options.weights);
    if (!file)
      return fail(file.takeError());
    weights = std::move(*file);
  }
  Expected<Session> session =
      Session::bind(*program, weights ? &*weights : nullptr);
  if (!session)
    return fail(session.takeError());

  SmallVector<const ProgramTensor *> inputTypes, resultTypes;
  for (const ProgramArgument &argument : program->getArguments())
    if (!argument.isParameter())
      inputTypes.push_back(&argument);
  for (const ProgramTensor &result : program->getResults())
    resultTypes.push_back(&result);
  if (options.inputs.empty())
    options.inputs.push_back("");
  if (!options.expect.empty() && options.expect.size() != options.inputs.size())
    return fail("--expect has to be given once for each --inputs");
  if (options.perplexity >= static_cast<int>(resultTypes.size()))
    return fail(formatv("--perplexity={0}: the function has {1} results",
                        options.perplexity, resultTypes.size()));
  Expected<ArrayGroups> inputs =
      openGroups("inputs", options.inputs, inputTypes, /*maySkip=*/false);
  if (!inputs)
    return fail(inputs.takeError());
  Expected<ArrayGroups> expected =
      openGroups("results", options.expect, resultTypes, /*maySkip=*/true);
  if (!expected)
    return fail(expected.takeError());
  if (!options.out.empty() && !searchOptions)
    if (std::error_code error = sys::fs::create_directories(options.out))
      return fail(options.out + ": " + error.message());

  if (mlir::failed(program->compile()))
    return 1;
  double compileCPUSeconds = getCPUSeconds(loadStart);
  tuneAllocator();
  auto start = std::chrono::steady_clock::now();
  session->prepare();
  std::chrono::duration<double> prepareSeconds =
      std::chrono::steady_clock::now() - start;

  if (searchOptions) {
    Error error = search(options, *searchOptions, programOptions, registry,
                         weights ? &*weights : nullptr, *session, *inputs);
    return error ? fail(std::move(error)) : 0;
  }
  Runner runner(options, *program, *session);
  for (auto [i, group] : enumerate(*inputs))
    if (Error error = runner.runGroup(i, group,
                                      expected->empty()
                                          ? ArrayRef<std::optional<NpyArray>>()
                                          : ArrayRef((*expected)[i])))
      return fail(std::move(error));
  runner.finish();

  if (!options.report.empty())
    if (Error error = runner.writeReport(programOptions, registry,
                                         weights ? &*weights : nullptr))
      return fail(std::move(error));
  if (!options.stats.empty()) {
    json::Object stats = runner.takeStats();
    json::Object phases;
    for (const auto &[phase, seconds] : program->getTimes())
      phases[phase] = seconds;
    stats["compile_seconds"] = std::move(phases);
    stats["compile_cpu_seconds"] = compileCPUSeconds;
    stats["prepare_seconds"] = prepareSeconds.count();
    stats["peak_mib"] = getPeakMiB();
    if (!options.chip.empty()) {
      GPUStatistics gpu = getGPUStatistics();
      stats["gpu"] = json::Object{{"launches", gpu.launches},
                                  {"host_to_device_copies", gpu.hostToDevice},
                                  {"device_to_host_copies", gpu.deviceToHost},
                                  {"lane_instructions", gpu.laneInstructions}};
    }
    Error error = writeOutputFile(options.stats, [&](raw_ostream &stream) {
      stream << formatv("{0:2}\n", json::Value(std::move(stats)));
      return Error::success();
    });
    if (error)
      return fail(std::move(error));
  }
  return runner.isWithinBound() ? 0 : 1;
}

int main(int argc, char **argv) {
  // What the libraries have registered; "stats" comes back with the reset.
  cl::ResetCommandLineParser();
  if (cl::Option *option = cl::getRegisteredOptions().lookup("stats"))
    option->removeArgument();
  Options options;
  cl::SetVersionPrinter([](raw_ostream &stream) {
    stream << "mx-run " MX_VERSION " (LLVM " LLVM_VERSION_STRING ")\n";
  });
  cl::ParseCommandLineOptions(argc, argv, overview);
  return run(options);
}
