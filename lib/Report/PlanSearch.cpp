// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/PlanSearch.h"
#include "SearchedLayers.h"

#include "mx/Recipe/Scheme.h"
#include "mx/Report/PrecisionPath.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace llvm;
using namespace mx;

//===----------------------------------------------------------------------===//
// What is asked for
//===----------------------------------------------------------------------===//

static StringRef getName(PlanBudget::Kind kind) {
  return kind == PlanBudget::MaxError ? "max_error" : "effective_bits";
}

/// Four digits are more than a measurement has.
static std::string spell(double value) {
  std::string text;
  raw_string_ostream(text) << format("%.4g", value);
  return text;
}

std::string PlanBudget::str() const {
  return (getName(kind) + "=" + spell(limit)).str();
}

Expected<PlanBudget> PlanBudget::parse(StringRef text) {
  auto [name, value] = text.split('=');
  std::optional<Kind> kind = StringSwitch<std::optional<Kind>>(name)
                                 .Case("max_error", MaxError)
                                 .Case("effective_bits", EffectiveBits)
                                 .Default(std::nullopt);
  if (!kind)
    return createStringError("'" + text +
                             "' is no budget; give max_error=X or "
                             "effective_bits=X");
  PlanBudget budget;
  budget.kind = *kind;
  if (value.getAsDouble(budget.limit) || !std::isfinite(budget.limit) ||
      budget.limit <= 0)
    return createStringError("'" + name + "' must be a number above 0, not '" +
                             value + "'");
  return budget;
}

Error mx::checkCandidates(ArrayRef<std::string> names) {
  if (names.empty())
    return createStringError("no candidate is given");
  for (auto [i, name] : enumerate(names)) {
    Expected<Scheme> scheme = getScheme(name);
    if (!scheme)
      return scheme.takeError();
    if (!scheme->activations && !scheme->weights)
      return createStringError("'" + name +
                               "' quantises nothing: a layer may stay as it "
                               "is whatever the candidates are");
    if (is_contained(names.take_front(i), name))
      return createStringError("'" + name + "' is given twice");
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// The recipe
//===----------------------------------------------------------------------===//

/// A name as a target that matches it alone. What could be a class of modules
/// or a regular expression is spelled as the latter.
static std::string spellTarget(StringRef name) {
  std::string target = name.str();
  if (!name.contains('.') || name.starts_with("re:"))
    target = "re:" + Regex::escape(name) + "$";
  return formatv("{0}", json::Value(target));
}

using Plan = SmallVector<std::optional<unsigned>>;

/// One rule for each scheme, and one for what is kept.
static std::string printRules(ArrayRef<SearchedLayer> layers, const Plan &plan,
                              ArrayRef<std::string> candidates) {
  std::string text = "mx_rules:\n";
  raw_string_ostream os(text);
  auto printRule = [&](std::optional<unsigned> candidate, const Twine &choice) {
    bool isFirst = true;
    for (auto [layer, chosen] : zip_equal(layers, plan)) {
      if (chosen != candidate)
        continue;
      for (const std::string &name : layer.names) {
        if (isFirst)
          os << "  - " << choice << "\n    roles: [linear, expert]\n"
             << "    gemm: fprop\n    targets:\n";
        isFirst = false;
        os << "      - " << spellTarget(name) << "\n";
      }
    }
  };
  for (auto [i, name] : enumerate(candidates))
    printRule(i, "scheme: " + name);
  printRule(std::nullopt, "keep: true");
  return text;
}

//===----------------------------------------------------------------------===//
// The search
//===----------------------------------------------------------------------===//

namespace {

class PlanSearch {
public:
  PlanSearch(StringRef path, const ProgramOptions &options,
             const mlir::DialectRegistry &registry, const Safetensors *weights,
             MutableArrayRef<SampleCall> calls, const PlanSearchOptions &search)
      : path(path), options(options), registry(registry), weights(weights),
        calls(calls), search(search) {}

  Expected<PlanSearchResult> run();

private:
  /// A plan of the path, with its error.
  struct Choice {
    size_t plan = 0;
    double error = 0;
  };
  Expected<Choice> chooseByError(const PrecisionPath &precisions);
  Expected<Choice> chooseByBits(const PrecisionPath &precisions);
  Expected<double> measureError(const Plan &plan);
  Expected<double> getErrorOfLoss();
  Error measureAlone();
  double getEffectiveBits(const PrecisionPath &precisions, size_t plan) const {
    return precisions.getBits(plan) / numWeights;
  }

  StringRef path;
  const ProgramOptions &options;
  const mlir::DialectRegistry &registry;
  const Safetensors *weights;
  MutableArrayRef<SampleCall> calls;
  const PlanSearchOptions &search;

  std::vector<SearchedLayer> layers;
  double numWeights = 0;
};

} // namespace

/// Lowers the model by the recipe itself, and compares what it returns.
Expected<double> PlanSearch::measureError(const Plan &plan) {
  SmallString<128> recipe;
  int file;
  if (std::error_code error =
          sys::fs::createTemporaryFile("mx-plan", "yaml", file, recipe))
    return createFileError(recipe, error);
  FileRemover remover(recipe);
  {
    raw_fd_ostream os(file, /*shouldClose=*/true);
    os << printRules(layers, plan, search.candidates);
    if (os.has_error()) {
      std::error_code error = os.error();
      os.clear_error();
      return createFileError(recipe, error);
    }
  }
  ProgramOptions lowered = options;
  lowered.recipePath = recipe.str();
  Expected<std::unique_ptr<PreparedProgram>> program =
      PreparedProgram::create(path, lowered, registry, weights);
  if (!program)
    return program.takeError();
  double largest = 0;
  for (SampleCall &call : calls) {
    std::vector<HostTensor> results = (*program)->getSession().run(call.inputs);
    for (unsigned i = 0, e = results.size(); i < e; ++i) {
      HostTensorView is = (*program)->getView(results, i);
      if (!hasErrors(is.dtype))
        continue;
      // A shape that depends on values may be another.
      if (is.shape != call.results[i].getShape())
        largest = HUGE_VAL;
      else
        largest = std::max(
            largest,
            compareTensors(is, (*program)->getView(call.results, i)).relative);
    }
  }
  return largest;
}

/// The square of the error of the results for each unit of the observed layers'
/// losses, from a run of all of them in the first candidate; 1 if there is
/// none.
Expected<double> PlanSearch::getErrorOfLoss() {
  Plan plan(layers.size());
  double loss = 0;
  for (auto [layer, chosen] : zip_equal(layers, plan)) {
    if (layer.choices.options.empty())
      continue;
    chosen = layer.choices.options.front().candidate;
    loss += layer.choices.options.front().loss;
  }
  if (loss == 0)
    return 1;
  Expected<double> error = measureError(plan);
  if (!error)
    return error.takeError();
  double square = *error * *error;
  return square > 0 && std::isfinite(square) ? square / loss : 1;
}

/// Layers that cannot be observed are run alone, each in each candidate: those
/// in loops and functions, which a model has few of. What they do to the
/// results is brought to the measure of the others.
Error PlanSearch::measureAlone() {
  if (none_of(layers, [](const SearchedLayer &layer) {
        return !layer.unmeasured.empty();
      }))
    return Error::success();
  Expected<double> errorOfLoss = getErrorOfLoss();
  if (!errorOfLoss)
    return errorOfLoss.takeError();
  for (auto [i, layer] : enumerate(layers))
    for (PrecisionOption option : layer.unmeasured) {
      search.reportProgress("running the model with " + layer.names.front() +
                            " in " + search.candidates[option.candidate]);
      Plan plan(layers.size());
      plan[i] = option.candidate;
      Expected<double> error = measureError(plan);
      if (!error)
        return error.takeError();
      option.loss = *error * *error / *errorOfLoss;
      if (std::isfinite(option.loss))
        layer.choices.options.push_back(option);
    }
  return Error::success();
}

/// Bisection, for an error that grows along the path; where it does not, what
/// is found is still within the limit. Every other guess takes the square of
/// the error to be proportional to the path's sum of squares.
Expected<PlanSearch::Choice>
PlanSearch::chooseByError(const PrecisionPath &precisions) {
  // Nothing quantised is within any limit.
  Choice within, beyond{precisions.getNumPlans(), HUGE_VAL};
  size_t next = beyond.plan - 1;
  for (bool interpolate = true;; interpolate = !interpolate) {
    search.reportProgress("running a plan of " +
                          Twine(spell(getEffectiveBits(precisions, next))) +
                          " bits");
    Expected<double> error = measureError(precisions.getPlan(next));
    if (!error)
      return error.takeError();
    Choice measured{next, *error};
    (measured.error <= search.budget.limit ? within : beyond) = measured;
    if (within.plan + 1 == beyond.plan)
      break;
    double bits = precisions.getBits(within.plan);
    if (within.plan != 0 &&
        bits - precisions.getBits(beyond.plan - 1) < 0.01 * bits)
      break;

    next = (within.plan + beyond.plan) / 2;
    if (interpolate && measured.error > 0 && std::isfinite(measured.error)) {
      double ratio = search.budget.limit / measured.error;
      double loss = ratio * ratio * precisions.getLoss(measured.plan);
      for (next = beyond.plan - 1; next > within.plan + 1; --next)
        if (precisions.getLoss(next) <= loss)
          break;
    }
  }
  if (within.plan != 0)
    return within;
  Plan first = precisions.getPlan(1);
  auto *changed = find_if(first, [](auto candidate) { return candidate; });
  return createStringError(formatv(
      "{0} cannot be reached: the best plan that quantises anything ('{1}' "
      "alone, in {2}) has an error of {3}",
      search.budget.str(), layers[changed - first.begin()].names.front(),
      search.candidates[**changed], spell(beyond.error)));
}

Expected<PlanSearch::Choice>
PlanSearch::chooseByBits(const PrecisionPath &precisions) {
  Choice choice;
  while (getEffectiveBits(precisions, choice.plan) > search.budget.limit)
    if (++choice.plan == precisions.getNumPlans())
      return createStringError(formatv(
          "{0} cannot be reached: the fewest that these candidates give is {1}",
          search.budget.str(),
          spell(getEffectiveBits(precisions, choice.plan - 1))));
  if (choice.plan == 0)
    return choice;
  search.reportProgress("running the plan");
  Expected<double> error = measureError(precisions.getPlan(choice.plan));
  if (!error)
    return error.takeError();
  choice.error = *error;
  return choice;
}

Expected<PlanSearchResult> PlanSearch::run() {
  LayerMeasurement measurement(path, options, registry, weights, calls);
  for (const std::string &candidate : search.candidates) {
    search.reportProgress("measuring each layer in " + Twine(candidate));
    if (Error error = measurement.measure(candidate))
      return std::move(error);
  }
  layers = measurement.takeLayers();
  if (Error error = measureAlone())
    return std::move(error);
  std::vector<LayerOptions> choices;
  for (const SearchedLayer &layer : layers) {
    choices.push_back(layer.choices);
    numWeights += layer.numWeights;
  }
  if (numWeights == 0)
    return createStringError("there is no linear or expert layer with a weight "
                             "of known extents, for which to choose a format");
  PrecisionPath precisions(choices);
  if (precisions.getNumPlans() == 1)
    return createStringError("no candidate saves bits in any layer");
  Expected<Choice> choice = search.budget.kind == PlanBudget::MaxError
                                ? chooseByError(precisions)
                                : chooseByBits(precisions);
  if (!choice)
    return choice.takeError();

  PlanSearchResult result;
  Plan plan = precisions.getPlan(choice->plan);
  result.effectiveBits = getEffectiveBits(precisions, choice->plan);
  result.error = choice->error;
  result.numLayers = layers.size();
  result.numQuantized = count_if(plan, [](auto chosen) { return chosen; });
  result.recipe = formatv(
      "# A plan for {0}, searched within {1} among {2}.\n"
      "# {3} bits for each weight of the linear and expert layers; error of "
      "the results {4},\n# measured; {5} of {6} layers quantised.\n{7}",
      json::Value(json::fixUTF8(path)), search.budget.str(),
      join(search.candidates, ", "), spell(result.effectiveBits),
      spell(result.error), result.numQuantized, result.numLayers,
      printRules(layers, plan, search.candidates));
  return result;
}

Expected<PlanSearchResult> mx::searchPlan(StringRef path,
                                          const ProgramOptions &options,
                                          const mlir::DialectRegistry &registry,
                                          const Safetensors *weights,
                                          MutableArrayRef<SampleCall> calls,
                                          const PlanSearchOptions &search) {
  return PlanSearch(path, options, registry, weights, calls, search).run();
}
