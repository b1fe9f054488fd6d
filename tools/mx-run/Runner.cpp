// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Runner.h"

#include "mx/Report/HTMLReport.h"
#include "mx/Report/Measurement.h"
#include "mx/Support/OutputFile.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <cmath>

using namespace llvm;
using namespace mx;

double mx::getCPUSeconds(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

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

void Runner::addLikelihoods(const HostTensorView &nll) {
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
