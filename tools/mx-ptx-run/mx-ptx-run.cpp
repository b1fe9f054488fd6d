// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Executes a PTX kernel on the CPU.

#include "mx/Emulator/LaunchFile.h"

#include "llvm/ADT/Statistic.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

static cl::OptionCategory category("mx-ptx-run options");
static cl::opt<std::string> kernelPath(cl::Positional, cl::Required,
                                       cl::desc("KERNEL.ptx"),
                                       cl::cat(category));
static cl::opt<std::string>
    launchPath("launch", cl::value_desc("KERNEL.json"), cl::Required,
               cl::desc("what is launched, and what is expected"),
               cl::cat(category));
static cl::opt<std::string> outDir("out", cl::value_desc("DIR"),
                                   cl::desc("writes each buffer as NAME.npy"),
                                   cl::cat(category));

static cl::opt<mx::ptx::Completion> completion(
    "completion", cl::desc("when asynchronous work takes effect"),
    cl::values(clEnumValN(mx::ptx::Completion::Latest, "latest",
                          "as late as the memory model allows"),
               clEnumValN(mx::ptx::Completion::Random, "random",
                          "at random moments, warps in a random order")),
    cl::init(mx::ptx::Completion::Latest), cl::cat(category));
static cl::opt<mx::ptx::Accumulate> accumulation(
    "accumulate",
    cl::desc("how tensor cores sum (default: what the launch file says)"),
    cl::values(clEnumValN(mx::ptx::Accumulate::Exact, "exact",
                          "exactly, with one rounding an instruction"),
               clEnumValN(mx::ptx::Accumulate::Hardware, "hardware",
                          "as measured on the target's generation")),
    cl::cat(category));
static cl::opt<mx::ptx::Approx> approx(
    "approx", cl::desc("results of .approx instructions and div.full"),
    cl::values(clEnumValN(mx::ptx::Approx::Exact, "exact", "correctly rounded"),
               clEnumValN(mx::ptx::Approx::Low, "low",
                          "the least that the PTX ISA allows"),
               clEnumValN(mx::ptx::Approx::High, "high",
                          "the greatest that the PTX ISA allows"),
               clEnumValN(mx::ptx::Approx::Random, "random",
                          "any that the PTX ISA allows")),
    cl::init(mx::ptx::Approx::Exact), cl::cat(category));
static cl::opt<uint64_t> seed("seed", cl::desc("decides all that is random"),
                              cl::init(0), cl::cat(category));
static cl::opt<std::string>
    checks("check", cl::value_desc("all|none|LIST"),
           cl::desc("what is looked for, out of uninit, race, async, tmem; "
                    "bounds and barrier always are"),
           cl::init("all"), cl::cat(category));
static cl::opt<bool>
    strict("strict",
           cl::desc("ask for tcgen05.fence as the PTX ISA does; Triton's "
                    "kernels do without"),
           cl::init(false), cl::cat(category));
static cl::opt<uint64_t> maxInstructions(
    "max-instructions",
    cl::desc("warp instructions of a cluster after which it counts as endless "
             "(0: no limit)"),
    cl::init(0), cl::cat(category));

static cl::opt<std::string>
    traceFile("trace", cl::value_desc("FILE"),
              cl::desc("writes what a warp executes, with its lanes"),
              cl::cat(category));
static cl::opt<std::string>
    traceWarp("trace-warp", cl::value_desc("BLOCK:WARP"),
              cl::desc("the warp that is traced (blocks count x fastest)"),
              cl::init("0:0"), cl::cat(category));
static cl::opt<bool>
    traceValues("trace-values",
                cl::desc("trace what the registers are that are written"),
                cl::cat(category));

/// The checks that `list` names.
static Expected<mx::ptx::Checks> parseChecks(StringRef list) {
  if (list == "all")
    return mx::ptx::Checks();
  mx::ptx::Checks checks = mx::ptx::Checks::none();
  if (list == "none")
    return checks;
  for (StringRef name : split(list, ',')) {
    if (name == "uninit")
      checks.uninitialized = true;
    else if (name == "race")
      checks.races = true;
    else if (name == "async")
      checks.async = true;
    else if (name == "tmem")
      checks.tensorMemory = true;
    else if (name != "bounds" && name != "barrier")
      return createStringError("--check=" + list +
                               ": there are all, none, and "
                               "lists of bounds, uninit, race, async, barrier "
                               "and tmem");
  }
  return checks;
}

/// Runs the launch, with a trace if one is wanted: also of one that fails.
static Error run(const mx::ptx::Module &module,
                 mx::ptx::LaunchOptions &options) {
  if (traceFile.empty())
    return mx::ptx::runLaunch(module, launchPath, options, outs());
  auto [block, warp] = StringRef(traceWarp).split(':');
  if (block.getAsInteger(10, options.execution.traceBlock) ||
      warp.getAsInteger(10, options.execution.traceWarp))
    return createStringError("--trace-warp=" + traceWarp +
                             ": expected BLOCK:WARP, two numbers");
  options.execution.traceValues = traceValues;
  Error launchError = Error::success();
  // Written to a temporary file and renamed.
  Error error = writeToOutput(traceFile, [&](raw_ostream &os) {
    options.execution.trace = &os;
    launchError =
        joinErrors(std::move(launchError),
                   mx::ptx::runLaunch(module, launchPath, options, outs()));
    return Error::success();
  });
  return joinErrors(std::move(launchError), std::move(error));
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](raw_ostream &os) { os << "mx-ptx-run 0.1.0\n"; });
  cl::ParseCommandLineOptions(
      argc, argv,
      "executes a PTX kernel on the CPU, with checks\n\n"
      "example: mx-ptx-run kernel.ptx --launch kernel.json --out results\n");
  auto fail = [](const Twine &message) {
    WithColor::error(errs(), "mx-ptx-run") << message << "\n";
    return 1;
  };
  auto file = MemoryBuffer::getFile(kernelPath);
  if (!file)
    return fail(kernelPath + ": " + file.getError().message());
  auto module = mx::ptx::parseModule((*file)->getBuffer(), kernelPath);
  if (!module) {
    errs() << toString(module.takeError()) << "\n";
    return 1;
  }
  mx::ptx::LaunchOptions options;
  options.execution.completion = completion;
  options.execution.seed = seed;
  options.execution.approx = approx;
  if (accumulation.getNumOccurrences())
    options.accumulate = accumulation;
  Expected<mx::ptx::Checks> parsed = parseChecks(checks);
  if (!parsed)
    return fail(toString(parsed.takeError()));
  options.execution.checks = *parsed;
  options.execution.strict = strict;
  options.execution.maxInstructions = maxInstructions;
  options.outDir = outDir;
  // LLVM registers --stats for every tool.
  options.stats = AreStatisticsEnabled();
  if (Error error = run(*module, options)) {
    errs() << toString(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}
