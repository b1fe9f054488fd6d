// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Execute.h"

#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <random>

using namespace mx::ptx;
using namespace mx::ptx::test;

static const char *getRegisterType(unsigned bits) {
  return bits == 1    ? ".pred"
         : bits == 8  ? ".b8"
         : bits == 16 ? ".b16"
         : bits == 32 ? ".b32"
         : bits == 64 ? ".b64"
                      : ".b128";
}

/// Inputs and outputs lie in memory as 64 bits each, operand after operand.
static std::string makeKernel(const Snippet &snippet, size_t count) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << ".version " << snippet.version << "\n.target " << snippet.target
     << "\n.address_size 64\n"
     << snippet.module
     << ".visible .entry k(.param .u64 in, .param .u64 out)\n{\n"
     << ".reg .b32 %thread, %block, %small;\n"
     << ".reg .b64 %from, %to, %place, %word;\n";
  for (auto [k, bits] : llvm::enumerate(snippet.inputs))
    os << ".reg " << getRegisterType(bits) << " %i" << k << ";\n";
  for (auto [k, bits] : llvm::enumerate(snippet.outputs))
    os << ".reg " << getRegisterType(bits) << " %o" << k << ";\n";
  os << "mov.u32 %thread, %tid.x;\nmov.u32 %block, %ctaid.x;\n"
     << "mad.lo.s32 %thread, %block, 32, %thread;\n"
     << "mul.wide.u32 %place, %thread, 8;\n"
     << "ld.param.u64 %from, [in];\nld.param.u64 %to, [out];\n"
     << "add.s64 %from, %from, %place;\nadd.s64 %to, %to, %place;\n";
  for (auto [k, bits] : llvm::enumerate(snippet.inputs)) {
    os << "ld.global.b64 %word, [%from+" << k * count * 8 << "];\n";
    if (bits == 1)
      os << "setp.ne.b64 %i" << k << ", %word, 0;\n";
    else if (bits == 8)
      os << "cvt.u8.u64 %i" << k << ", %word;\n";
    else if (bits == 64)
      os << "mov.b64 %i" << k << ", %word;\n";
    else
      os << "cvt.u" << bits << ".u64 %i" << k << ", %word;\n";
  }
  os << snippet.text << "\n";
  for (auto [k, bits] : llvm::enumerate(snippet.outputs)) {
    if (bits == 1)
      os << "selp.b64 %word, 1, 0, %o" << k << ";\n";
    else if (bits == 64)
      os << "mov.b64 %word, %o" << k << ";\n";
    else
      os << "cvt.u64.u" << bits << " %word, %o" << k << ";\n";
    os << "st.global.b64 [%to+" << k * count * 8 << "], %word;\n";
  }
  os << "ret;\n}\n";
  return text;
}

Outcome mx::ptx::test::execute(const Snippet &snippet,
                               const std::vector<std::vector<uint64_t>> &inputs,
                               const ExecutionOptions &options) {
  size_t given = inputs.empty() ? 32 : inputs[0].size();
  size_t count = (given + 31) / 32 * 32;
  std::vector<uint64_t> data;
  for (const std::vector<uint64_t> &list : inputs) {
    data.insert(data.end(), list.begin(), list.end());
    data.insert(data.end(), count - given, list.back());
  }
  data.push_back(0);
  Outcome outcome;
  llvm::Expected<Module> module =
      parseModule(makeKernel(snippet, count), "test.ptx");
  if (!module) {
    outcome.error = llvm::toString(module.takeError());
    return outcome;
  }
  Device device;
  uint64_t in = device.allocate("in", data.size() * 8);
  uint64_t size = std::max<uint64_t>(snippet.outputs.size() * count * 8, 8);
  uint64_t parameters[] = {in, device.allocate("out", size)};
  auto bytes = [](auto &list) {
    return llvm::ArrayRef(reinterpret_cast<const uint8_t *>(&list[0]),
                          std::size(list) * sizeof(list[0]));
  };
  llvm::cantFail(device.write(in, bytes(data)));
  LaunchConfig config;
  config.grid.x = count / 32;
  config.block.x = 32;
  config.parameters = bytes(parameters);
  if (llvm::Error error = device.launch(*module, "k", config, options)) {
    outcome.error = llvm::toString(std::move(error));
    return outcome;
  }
  llvm::ArrayRef<uint8_t> out = device.getBytes(parameters[1]);
  for (size_t k = 0; k < snippet.outputs.size(); ++k) {
    outcome.values.emplace_back(given);
    std::memcpy(outcome.values.back().data(), &out[k * count * 8], given * 8);
  }
  return outcome;
}

std::vector<std::vector<uint64_t>>
mx::ptx::test::combine(const std::vector<std::vector<uint64_t>> &operands) {
  std::vector<std::vector<uint64_t>> lists(operands.size());
  size_t total = 1;
  for (const auto &operand : operands)
    total *= operand.size();
  for (size_t i = 0; i < total; ++i) {
    size_t rest = i;
    for (auto [list, operand] : llvm::zip_equal(lists, operands)) {
      list.push_back(operand[rest % operand.size()]);
      rest /= operand.size();
    }
  }
  return lists;
}

std::vector<uint64_t> mx::ptx::test::getPatterns(unsigned bits,
                                                 unsigned random) {
  uint64_t sign = uint64_t(1) << (bits - 1), all = sign | (sign - 1);
  std::vector<uint64_t> patterns = {
      0, 1, 2, 7, 31, 32, sign - 1, sign, sign + 1, all, all - 1, all / 3, 100};
  // One, the neighbour of one, the least normal number, the greatest finite
  // one, inf and a NaN, of both signs.
  std::vector<uint64_t> floats;
  if (bits == 16)
    floats = {0x3C00, 0x3C01, 0x0400, 0x03FF, 0x7BFF, 0x7C00,
              0x7E01, 0x3F80, 0x0080, 0x7F7F, 0x7F80, 0x4248};
  if (bits == 32)
    floats = {0x3F800000, 0x3F800001, 0x00800000, 0x007FFFFF,
              0x7F7FFFFF, 0x7F800000, 0x7FC00001, 0x40490FDB,
              0x33800000, 0x4B800000, 0x3EAAAAAB};
  if (bits == 64)
    floats = {0x3FF0000000000000, 0x3FF0000000000001, 0x0010000000000000,
              0x000FFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000,
              0x7FF8000000000001, 0x400921FB54442D18, 0x3CA0000000000000};
  for (uint64_t value : floats) {
    patterns.push_back(value);
    patterns.push_back(value | sign);
  }
  std::mt19937_64 generator(bits);
  for (unsigned i = 0; i < random; ++i)
    patterns.push_back(generator() & all);
  return patterns;
}
