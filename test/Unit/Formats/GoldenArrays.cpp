// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GoldenArrays.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cmath>
#include <cstdlib>

using namespace llvm;
using namespace mx;

const char *mx::getGoldenDir() { return std::getenv("MX_GOLDEN_DIR"); }

static std::string getPath(StringRef archive, const Twine &name) {
  SmallString<128> path(getGoldenDir());
  sys::path::append(path, archive, name);
  return std::string(path);
}

NpyArray mx::readGolden(StringRef archive, const Twine &name) {
  return cantFail(NpyArray::open(getPath(archive, name + ".npy")));
}

void mx::forEachGoldenArray(
    StringRef archive, StringRef key,
    function_ref<void(StringRef, StringRef, const NpyArray &)> fn) {
  std::vector<std::string> names;
  std::error_code error;
  for (sys::fs::directory_iterator it(getPath(archive, ""), error), end;
       it != end && !error; it.increment(error))
    names.push_back(sys::path::stem(it->path()).str());
  llvm::sort(names);
  for (StringRef name : names) {
    StringRef rest = name;
    if (!rest.consume_front(key) || !rest.consume_front("."))
      continue;
    auto [input, array] = rest.split('.');
    fn(input, array, readGolden(archive, name));
  }
}

int64_t mx::countDifferingBytes(const Bytes &ours, const NpyArray &theirs,
                                bool nonFiniteIsEqual) {
  ArrayRef<char> expected = theirs.getData();
  if (ours.size() != expected.size())
    return std::max(ours.size(), expected.size());
  bool isFloat = theirs.getDType() == "f32";
  int64_t count = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    if (isFloat && i % 4 == 0) {
      float a, b;
      std::memcpy(&a, ours.data() + i, 4);
      std::memcpy(&b, expected.data() + i, 4);
      if ((std::isnan(a) && std::isnan(b)) ||
          (nonFiniteIsEqual && !std::isfinite(a) && !std::isfinite(b))) {
        i += 3;
        continue;
      }
    }
    count += ours[i] != uint8_t(expected[i]);
  }
  return count;
}

GoldenInput mx::readGoldenInput(StringRef name) {
  NpyArray bits = readGolden("inputs", name);
  GoldenInput input;
  input.shape.assign(bits.getShape().begin(), bits.getShape().end());
  for (uint32_t value : bits.getValues<uint32_t>())
    input.values.push_back(fromBits(value));
  if (name.ends_with("_bf16"))
    for (float value : input.values)
      input.bf16.push_back(encodeBF16(value));
  return input;
}

void GoldenInput::transpose() {
  int64_t rows = shape[0], cols = shape[1];
  SmallVector<float, 0> from = values;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j)
      values[j * rows + i] = from[i * cols + j];
  if (!bf16.empty())
    for (auto [to, value] : zip_equal(bf16, values))
      to = encodeBF16(value);
  std::swap(shape[0], shape[1]);
}

TensorView GoldenInput::getView(int64_t row,
                                ArrayRef<int64_t> viewShape) const {
  int64_t begin = row * shape[1];
  if (bf16.empty())
    return TensorView(FloatType::F32, values.data() + begin, viewShape);
  return TensorView(FloatType::BF16, bf16.data() + begin, viewShape);
}
