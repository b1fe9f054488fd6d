// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of mx-run.

#ifndef MX_TOOLS_MX_RUN_OPTIONS_H
#define MX_TOOLS_MX_RUN_OPTIONS_H

#include "llvm/Support/CommandLine.h"

#include <string>

namespace mx {

inline llvm::cl::OptionCategory &getCategory() {
  static llvm::cl::OptionCategory category("mx-run options");
  return category;
}

template <typename T> struct Opt : llvm::cl::opt<T> {
  template <typename... Mods>
  Opt(llvm::StringRef name, llvm::StringRef desc, const Mods &...mods)
      : llvm::cl::opt<T>(name, llvm::cl::desc(desc),
                         llvm::cl::cat(getCategory()), mods...) {}
};
struct ListOpt : llvm::cl::list<std::string> {
  ListOpt(llvm::StringRef name, llvm::StringRef desc, llvm::StringRef value)
      : llvm::cl::list<std::string>(name, llvm::cl::desc(desc),
                                    llvm::cl::value_desc(value),
                                    llvm::cl::cat(getCategory())) {}
};

/// The command line. A struct, not globals: LLVM's libraries have global
/// options of the same names, which are removed before it is built.
struct Options {
  llvm::cl::opt<std::string> module{
      llvm::cl::Positional, llvm::cl::Required,
      llvm::cl::desc("MODULE.mlir (text or bytecode)")};
  Opt<std::string> entry{"entry", "function to run (the sidecar's, or main)",
                         llvm::cl::value_desc("name")};
  Opt<std::string> args{"args", "names, kinds and types of the arguments",
                        llvm::cl::value_desc("sidecar.json")};
  Opt<std::string> weights{"weights", "values of the parameters",
                           llvm::cl::value_desc("file.safetensors")};
  ListOpt inputs{
      "inputs",
      "a value for each argument that is no parameter, in order; may "
      "be repeated: one call for each",
      "a.npy,b.npy"};
  Opt<std::string> out{
      "out",
      "write each result as resultI.npy (with several --inputs as "
      "inputsJ.resultI.npy); with --plan-search, the recipe",
      llvm::cl::value_desc("folder or file")};
  ListOpt expect{"expect",
                 "a value for each result, - to skip one; once for each "
                 "--inputs",
                 "a.npy,b.npy"};
  Opt<double> maxRelError{
      "max-rel-error", "exit 1 if a result's relative Frobenius error is above",
      llvm::cl::value_desc("x"), llvm::cl::init(-1)};
  Opt<std::string> cpu{"cpu", "native, avx2 or generic",
                       llvm::cl::init("native")};
  Opt<std::string> scheme{"scheme", "lower the precision by this scheme first",
                          llvm::cl::value_desc("name")};
  Opt<std::string> recipe{"recipe", "lower the precision by this recipe first",
                          llvm::cl::value_desc("file")};
  Opt<std::string> scaleRule{"scale-rule",
                             "E8M0 scale rule: floor, ceil, even or rceil",
                             llvm::cl::value_desc("rule")};
  Opt<unsigned> repeat{"repeat", "calls for each --inputs, each timed",
                       llvm::cl::init(1)};
  Opt<unsigned> threads{"threads", "threads (0: one a processor)",
                        llvm::cl::init(0)};
  Opt<int> perplexity{
      "perplexity",
      "result of negative log-likelihoods, in nats; prints exp(mean) over all "
      "--inputs",
      llvm::cl::value_desc("index"), llvm::cl::init(-1)};
  Opt<std::string> stats{"stats", "write times, peak memory and errors as JSON",
                         llvm::cl::value_desc("file.json")};
  Opt<bool> allowUnregistered{"allow-unregistered-dialect",
                              "parse ops of unknown dialects"};
  Opt<std::string> on{"on",
                      "where to run: cpu, or emulator (GPU kernels in the PTX "
                      "emulator, the rest on the CPU)",
                      llvm::cl::init("cpu")};
  Opt<std::string> report{
      "report",
      "write a page with the plan and what it does to each product, on the "
      "first --inputs (compiles and runs the module once more)",
      llvm::cl::value_desc("file.html")};
  Opt<std::string> planSearch{
      "plan-search",
      "choose a format for each linear and expert layer by its error on the "
      "--inputs, and print the recipe (see --candidates, --out). max_error=X: "
      "the fewest bits with no result (relative Frobenius error, against the "
      "model as it is) beyond X. effective_bits=X: the least error with at "
      "most X bits for each weight of these layers, scales included",
      llvm::cl::value_desc("budget")};
  Opt<std::string> candidates{
      "candidates", "with --plan-search, schemes that a layer may get",
      llvm::cl::value_desc("a,b"),
      llvm::cl::init("mxfp4,nvfp4,mxfp6_e2m3,mxfp8")};
  Opt<std::string> chip{"chip", "with --on=emulator, the GPU to compile for",
                        llvm::cl::value_desc("sm_...")};

  /// What is wrong with them; empty if nothing is.
  std::string check() const;
};

} // namespace mx

#endif // MX_TOOLS_MX_RUN_OPTIONS_H
