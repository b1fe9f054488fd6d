// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a module's entry function on .npy inputs and safetensors weights.

#include "mx/InitAll.h"
#include "mx/Report/HTMLReport.h"
#include "mx/Report/Measurement.h"
#include "mx/Runtime/Comparison.h"
#include "mx/Runtime/Session.h"
#include "mx/Runtime/ThreadPool.h"
#include "mx/Support/Npy.h"
#include "mx/Support/OutputFile.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <cmath>
#include <ctime>
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
)";

namespace {

cl::OptionCategory &getCategory() {
  static cl::OptionCategory category("mx-run options");
  return category;
}

template <typename T> struct Opt : cl::opt<T> {
  template <typename... Mods>
  Opt(StringRef name, StringRef desc, const Mods &...mods)
      : cl::opt<T>(name, cl::desc(desc), cl::cat(getCategory()), mods...) {}
};
struct ListOpt : cl::list<std::string> {
  ListOpt(StringRef name, StringRef desc, StringRef value)
      : cl::list<std::string>(name, cl::desc(desc), cl::value_desc(value),
                              cl::cat(getCategory())) {}
};

/// The command line. A struct, not globals: LLVM's libraries have global
/// options of the same names, which are removed before it is built.
struct Options {
  cl::opt<std::string> module{cl::Positional, cl::Required,
                              cl::desc("MODULE.mlir (text or bytecode)")};
  Opt<std::string> entry{"entry", "function to run (the sidecar's, or main)",
                         cl::value_desc("name")};
  Opt<std::string> args{"args", "names, kinds and types of the arguments",
                        cl::value_desc("sidecar.json")};
  Opt<std::string> weights{"weights", "values of the parameters",
                           cl::value_desc("file.safetensors")};
  ListOpt inputs{
      "inputs",
      "a value for each argument that is no parameter, in order; may "
      "be repeated: one call for each",
      "a.npy,b.npy"};
  Opt<std::string> out{"out",
                       "write each result as resultI.npy (with several "
                       "--inputs as inputsJ.resultI.npy)",
                       cl::value_desc("folder")};
  ListOpt expect{"expect",
                 "a value for each result, - to skip one; once for each "
                 "--inputs",
                 "a.npy,b.npy"};
  Opt<double> maxRelError{
      "max-rel-error", "exit 1 if a result's relative Frobenius error is above",
      cl::value_desc("x"), cl::init(-1)};
  Opt<std::string> cpu{"cpu", "native, avx2 or generic", cl::init("native")};
  Opt<std::string> scheme{"scheme", "lower the precision by this scheme first",
                          cl::value_desc("name")};
  Opt<std::string> recipe{"recipe", "lower the precision by this recipe first",
                          cl::value_desc("file")};
  Opt<std::string> scaleRule{"scale-rule",
                             "E8M0 scale rule: floor, ceil, even or rceil",
                             cl::value_desc("rule")};
  Opt<unsigned> repeat{"repeat", "calls for each --inputs, each timed",
                       cl::init(1)};
  Opt<unsigned> threads{"threads", "threads (0: one a processor)", cl::init(0)};
  Opt<int> perplexity{
      "perplexity",
      "result of negative log-likelihoods, in nats; prints exp(mean) over all "
      "--inputs",
      cl::value_desc("index"), cl::init(-1)};
  Opt<std::string> stats{"stats", "write times, peak memory and errors as JSON",
                         cl::value_desc("file.json")};
  Opt<bool> allowUnregistered{"allow-unregistered-dialect",
                              "parse ops of unknown dialects"};
  Opt<std::string> on{"on", "where to run: cpu", cl::init("cpu")};
  Opt<std::string> report{
      "report",
      "write a page with the plan and what it does to each product, on the "
      "first --inputs (compiles and runs the module once more)",
      cl::value_desc("file.html")};
  // Refused by this build with a message of its own.
  Opt<std::string> chip{"chip", "a GPU", cl::Hidden};

  /// What is wrong with them; empty if nothing is.
  std::string check() const;
};

} // namespace

static int fail(const Twine &message) {
  WithColor::error(errs(), "mx-run") << message << '\n';
  return 1;
}
static int fail(Error error) { return fail(toString(std::move(error))); }

std::string Options::check() const {
  if (on != "cpu")
    return "--on=" + on + ": this build runs modules on the CPU only";
  if (!recipe.empty() && !scheme.empty())
    return "--scheme and --recipe exclude each other";
  if (!chip.empty())
    return "--chip: this build runs modules on the CPU only";
  if (!scaleRule.empty() && scheme.empty() && recipe.empty())
    return "--scale-rule has no effect without a --scheme or a --recipe";
  if (repeat == 0)
    return "--repeat takes at least 1";
  return "";
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
/// `what`) have to be. "-" leaves
/// a gap if `maySkip`.
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

/// Processor time of all threads since `start`. Unlike the clock on the wall it
/// says little about what else the machine does.
static double getCPUSeconds(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
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

namespace {

/// All calls of a program, with what came of them.
class Runner {
public:
  Runner(const Options &options, const Program &program, Session &session)
      : options(options), program(program), session(session) {}

  /// Calls the entry on one group of inputs, and prints, compares and writes.
  Error runGroup(unsigned group, std::vector<std::optional<NpyArray>> &inputs,
                 ArrayRef<std::optional<NpyArray>> expected);

  /// Prints what is about all groups.
  void finish();

  /// Measures each product on the first group; writes --report.
  Error writeReport(const ProgramOptions &programOptions,
                    const mlir::DialectRegistry &registry,
                    const Safetensors *weights);

  bool isWithinBound() const { return withinBound; }
  json::Object takeStats() { return std::move(stats); }

private:
  TensorView getView(unsigned index, const HostTensor &result) const {
    return {program.getResults()[index].dtype, result.getShape(),
            result.getData()};
  }
  Error compare(unsigned index, const HostTensor &result,
                const NpyArray &expected);
  Error write(unsigned group, unsigned index, const HostTensor &result);
  void addLikelihoods(const TensorView &nll);

  const Options &options;
  const Program &program;
  Session &session;
  bool withinBound = true;
  double nllSum = 0;
  int64_t nllCount = 0;
  json::Object stats;
  json::Array calls, callsCPU, comparisons;
  /// Of the first group.
  std::vector<HostTensor> firstInputs, firstResults;
};

} // namespace

Error Runner::runGroup(unsigned group,
                       std::vector<std::optional<NpyArray>> &inputs,
                       ArrayRef<std::optional<NpyArray>> expected) {
  std::vector<HostTensor> tensors;
  for (std::optional<NpyArray> &input : inputs)
    tensors.emplace_back(input->getShape(), input->getData().data());
  std::vector<HostTensor> results;
  for (unsigned i = 0; i < options.repeat; ++i) {
    results.clear();
    std::clock_t cpuStart = std::clock();
    auto start = std::chrono::steady_clock::now();
    results = session.run(tensors);
    std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - start;
    calls.push_back(seconds.count());
    callsCPU.push_back(getCPUSeconds(cpuStart));
    if (options.repeat.getNumOccurrences())
      outs() << formatv("call {0}: {1:f6} s\n", i, seconds.count());
  }
  for (auto [i, result] : enumerate(results)) {
    if (!options.out.empty())
      if (Error error = write(group, i, result))
        return error;
    if (!expected.empty() && expected[i])
      if (Error error = compare(i, result, *expected[i]))
        return error;
    if (static_cast<int>(i) == options.perplexity)
      addLikelihoods(getView(i, result));
  }
  if (group == 0) {
    firstInputs = std::move(tensors);
    firstResults = std::move(results);
  }
  return Error::success();
}

Error Runner::compare(unsigned index, const HostTensor &result,
                      const NpyArray &expected) {
  if (result.getShape() != expected.getShape()) {
    ProgramTensor is = program.getResults()[index];
    is.shape.assign(result.getShape().begin(), result.getShape().end());
    return createStringError(formatv(
        "result {0} is {1}, which is not the shape that was expected of it",
        index, is.getTypeString()));
  }
  TensorError error = compareTensors(
      getView(index, result), {program.getResults()[index].dtype,
                               expected.getShape(), expected.getData().data()});
  bool isWithin =
      options.maxRelError < 0 || error.relative <= options.maxRelError;
  withinBound &= isWithin;
  outs() << formatv("result {0}: max_abs_error {1} relative_error {2} cosine "
                    "{3:f8} top1 {4:f6}{5}\n",
                    index, format("%.3e", error.maxAbs),
                    format("%.3e", error.relative), error.cosine, error.top1,
                    isWithin ? "" : " FAILED");
  comparisons.push_back(json::Object{{"result", index},
                                     {"max_abs_error", error.maxAbs},
                                     {"relative_error", error.relative},
                                     {"cosine", error.cosine},
                                     {"top1", error.top1}});
  return Error::success();
}

Error Runner::write(unsigned group, unsigned index, const HostTensor &result) {
  std::string name = formatv("result{0}.npy", index);
  if (options.inputs.size() > 1)
    name = formatv("inputs{0}.{1}", group, name);
  SmallString<128> path(options.out);
  sys::path::append(path, name);
  const ProgramTensor &type = program.getResults()[index];
  return writeNpy(
      path, type.dtype, result.getShape(),
      ArrayRef(result.getData(), result.getNumElements() * type.elementBytes));
}

void Runner::addLikelihoods(const TensorView &nll) {
  ElementDecoder decode = getElementDecoder(nll.dtype);
  for (int64_t i = 0, e = nll.getNumElements(); i < e; ++i)
    nllSum += decode(nll.data, i);
  nllCount += nll.getNumElements();
}

void Runner::finish() {
  if (options.perplexity >= 0) {
    double mean = nllSum / nllCount;
    outs() << formatv("perplexity {0:f4} mean_nll {1:f6} tokens {2}\n",
                      std::exp(mean), mean, nllCount);
    stats["perplexity"] = std::exp(mean);
    stats["mean_nll"] = mean;
    stats["tokens"] = nllCount;
  }
  stats["call_seconds"] = std::move(calls);
  stats["call_cpu_seconds"] = std::move(callsCPU);
  stats["comparisons"] = std::move(comparisons);
}

Error Runner::writeReport(const ProgramOptions &programOptions,
                          const mlir::DialectRegistry &registry,
                          const Safetensors *weights) {
  Expected<json::Object> data =
      measureProducts(options.module, programOptions, registry, weights,
                      firstInputs, firstResults);
  if (!data)
    return data.takeError();
  return writeOutputFile(options.report, [&](raw_ostream &stream) {
    printHTML(*data, stream);
    return Error::success();
  });
}

static int run(Options &options) {
  if (std::string problem = options.check(); !problem.empty())
    return fail(problem);
  setNumThreads(options.threads);

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
  if (!options.out.empty())
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
