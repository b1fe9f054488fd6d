// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Search.h"

#include "mx/Support/OutputFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace mx;

Expected<PlanSearchOptions> mx::readSearchOptions(const Options &options) {
  PlanSearchOptions search;
  Expected<PlanBudget> budget = PlanBudget::parse(options.planSearch);
  if (!budget)
    return createStringError("--plan-search: " + toString(budget.takeError()));
  search.budget = *budget;
  for (StringRef name : split(options.candidates, ','))
    if (!name.empty())
      search.candidates.push_back(name.str());
  if (Error error = checkCandidates(search.candidates))
    return createStringError("--candidates: " + toString(std::move(error)));
  // One line that each step overwrites.
  bool isTerminal = errs().is_displayed();
  search.reportProgress = [isTerminal](const Twine &step) {
    if (isTerminal)
      errs() << "\r\033[K" << step;
  };
  return search;
}

Error mx::search(const Options &options, const PlanSearchOptions &searchOptions,
                 const ProgramOptions &programOptions,
                 const mlir::DialectRegistry &registry,
                 const Safetensors *weights, Session &session,
                 MutableArrayRef<std::vector<std::optional<NpyArray>>> inputs) {
  std::vector<SampleCall> calls;
  searchOptions.reportProgress("running the model as it is");
  for (std::vector<std::optional<NpyArray>> &group : inputs) {
    SampleCall &call = calls.emplace_back();
    for (std::optional<NpyArray> &input : group)
      call.inputs.emplace_back(input->getShape(), input->getData().data());
    call.results = session.run(call.inputs);
  }
  Expected<PlanSearchResult> found = searchPlan(
      options.module, programOptions, registry, weights, calls, searchOptions);
  searchOptions.reportProgress("");
  if (!found)
    return found.takeError();
  auto write = [&](raw_ostream &stream) {
    stream << found->recipe;
    return Error::success();
  };
  if (Error error = writeOutputFile(
          options.out.empty() ? StringRef("-") : StringRef(options.out), write))
    return error;
  if (!options.out.empty() && options.out != "-")
    outs() << format("effective_bits %.4f relative_error %.3e",
                     found->effectiveBits, found->error)
           << " quantized " << found->numQuantized << " of " << found->numLayers
           << " layers\n";
  return Error::success();
}
