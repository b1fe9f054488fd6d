// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layers of a model of which a plan is searched, and what each candidate
// does to them.

#ifndef MX_LIB_REPORT_SEARCHEDLAYERS_H
#define MX_LIB_REPORT_SEARCHEDLAYERS_H

#include "PreparedProgram.h"

#include "mx/Report/ObserveProducts.h"
#include "mx/Report/PlanReport.h"
#include "mx/Report/PlanSearch.h"
#include "mx/Report/PrecisionPath.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"

namespace mx {

/// Products that get one choice.
struct SearchedLayer {
  /// Each once.
  std::vector<std::string> names;
  double numWeights = 0;
  /// Those of which the loss is known: the sum of the squares of the relative
  /// errors of the layer's products, on average over the calls.
  LayerOptions choices;
  /// Those of which it is not, since not all of its products could be observed.
  llvm::SmallVector<PrecisionOption, 4> unmeasured;
};

/// Runs the model once for each candidate, all layers being in it.
class LayerMeasurement {
public:
  LayerMeasurement(llvm::StringRef path, const ProgramOptions &options,
                   const mlir::DialectRegistry &registry,
                   const Safetensors *weights,
                   llvm::MutableArrayRef<SampleCall> calls)
      : path(path), options(options), registry(registry), weights(weights),
        calls(calls) {}

  llvm::Error measure(llvm::StringRef candidate);
  std::vector<SearchedLayer> takeLayers() { return std::move(layers); }

private:
  /// A linear or expert product of the forward pass.
  struct Product {
    PlanRow row;
    /// The entry's position in the plan of its function.
    int64_t position = 0;
  };
  static std::vector<Product> getProducts(mlir::func::FuncOp function);
  mlir::LogicalResult findLayers(mlir::func::FuncOp function,
                                 llvm::ArrayRef<Product> products);
  mlir::LogicalResult observe(mlir::func::FuncOp function);

  llvm::StringRef path;
  const ProgramOptions &options;
  const mlir::DialectRegistry &registry;
  const Safetensors *weights;
  llvm::MutableArrayRef<SampleCall> calls;

  std::vector<SearchedLayer> layers;
  /// By product, in the order of the plan: the same for all candidates.
  std::vector<unsigned> layerOf;
  /// Of products of the entry function, by position.
  llvm::DenseMap<int64_t, unsigned> productAt;
  unsigned numCandidates = 0;

  // Of the candidate that is being measured.
  ObservedFunction observed;
  /// By layer: whether the candidate is no choice for it, whether a product of
  /// it is not observed, and its bits.
  llvm::BitVector isKept, isUnseen;
  std::vector<double> bits;
};

} // namespace mx

#endif // MX_LIB_REPORT_SEARCHEDLAYERS_H
