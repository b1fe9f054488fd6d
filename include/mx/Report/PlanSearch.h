// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Choosing a format for each layer of a model within a budget, from what each
// format does to each layer on sample inputs.

#ifndef MX_REPORT_PLANSEARCH_H
#define MX_REPORT_PLANSEARCH_H

#include "mx/Runtime/Session.h"

#include "llvm/ADT/Twine.h"

namespace mx {

/// One call of the function that is searched a plan for.
struct SampleCall {
  /// For the arguments that are no parameters.
  std::vector<HostTensor> inputs;
  /// What the function returns for them, nothing being quantised.
  std::vector<HostTensor> results;
};

struct PlanBudget {
  enum Kind {
    /// The error of the model that is lowered by the recipe, measured: the
    /// largest relative error (Frobenius norm) of any result of floats in any
    /// of the calls.
    MaxError,
    /// Bits of elements and scales (those of a whole tensor too), by weight,
    /// over all weights of linear and expert layers; of kept ones, the width
    /// of their type.
    EffectiveBits
  };
  Kind kind = MaxError;
  double limit = 0;

  /// As the command line spells it: `max_error=0.1`, `effective_bits=5`.
  static llvm::Expected<PlanBudget> parse(llvm::StringRef text);
  std::string str() const;
};

struct PlanSearchOptions {
  PlanBudget budget;
  /// Names of schemes, of which each layer gets one or none.
  std::vector<std::string> candidates;
  /// Called before each long step.
  std::function<void(const llvm::Twine &)> reportProgress;
};

/// Checks names that a user has given as candidates: schemes that quantise
/// something, each once.
llvm::Error checkCandidates(llvm::ArrayRef<std::string> names);

struct PlanSearchResult {
  /// A file of lib/Recipe's `mx_rules` that replays the choice.
  std::string recipe;
  double effectiveBits = 0;
  /// Measured, as PlanBudget::MaxError says.
  double error = 0;
  unsigned numQuantized = 0, numLayers = 0;
};

/// Searches a plan for the module at `path`, which `options` (without scheme
/// and recipe) load.
///
/// A layer is what a recipe cannot tell apart: the linear and expert products
/// of one name, and those that share a weight. Each candidate is run once, all
/// layers being measured in it (see ObserveProducts.h); what a layer loses is
/// the square of its products' relative errors. Those that cannot be observed,
/// in loops and called functions, are run alone. Plans are those of a
/// PrecisionPath. For an error the smallest is searched that is within it, each
/// being run, until less than 1 % of the bits is left to be gained; for bits
/// the first plan within them is taken, and run to say its error.
///
/// A layer without a name is an error. An error whose text is empty has been
/// reported as a diagnostic.
llvm::Expected<PlanSearchResult>
searchPlan(llvm::StringRef path, const ProgramOptions &options,
           const mlir::DialectRegistry &registry, const Safetensors *weights,
           llvm::MutableArrayRef<SampleCall> calls,
           const PlanSearchOptions &search);

} // namespace mx

#endif // MX_REPORT_PLANSEARCH_H
