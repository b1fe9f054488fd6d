// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MatrixKernel.h"

#include "llvm/Support/FormatVariadic.h"

#include "llvm/Support/Error.h"

#include <cstring>
#include <map>

namespace mx::ptx::test {

const std::vector<Element> &getElements(const std::string &type) {
  static const std::map<std::string, std::vector<Element>> table = {
      {"f16", {{0, 0}, {0x3C00, 1}, {0xC000, -2}, {0x4200, 3}, {0x3800, 0.5}}},
      {"bf16", {{0, 0}, {0x3F80, 1}, {0xC000, -2}, {0x4040, 3}, {0x3F00, 0.5}}},
      // The low 13 bits do not count.
      {"tf32", {{0, 0}, {0x3F801FFF, 1}, {0xC0000001, -2}, {0x40400000, 3}}},
      {"e4m3", {{0, 0}, {0x38, 1}, {0xC0, -2}, {0x44, 3}, {0x30, 0.5}}},
      {"e5m2", {{0, 0}, {0x3C, 1}, {0xC0, -2}, {0x42, 3}, {0x38, 0.5}}},
      {"e2m3", {{0, 0}, {0x08, 1}, {0x09, 1.125}, {0x30, -2}, {0x1F, 7.5}}},
      {"e3m2", {{0, 0}, {0x0C, 1}, {0x2C, -1}, {0x10, 2}, {0x1F, 28}}},
      {"e2m1", {{0, 0}, {2, 1}, {3, 1.5}, {5, 3}, {9, -0.5}, {7, 6}, {15, -6}}},
      {"s8", {{1, 1}, {0xFE, -2}, {0x7F, 127}, {0x80, -128}, {0, 0}}},
      {"u8", {{1, 1}, {0xFE, 254}, {0x7F, 127}, {0x80, 128}, {0, 0}}},
  };
  return table.at(type);
}

unsigned getBits(const std::string &type) {
  return type == "tf32"                     ? 32
         : type == "f16" || type == "bf16"  ? 16
         : type == "e2m1"                   ? 4
         : type == "e2m3" || type == "e3m2" ? 6
                                            : 8;
}

Matrix::Matrix(const std::string &type, unsigned rows, unsigned depth,
               std::mt19937 &random)
    : type(type), rows(rows), depth(depth) {
  const std::vector<Element> &choices = getElements(type);
  for (unsigned i = 0; i < rows * depth; ++i)
    elements.push_back(choices[random() % choices.size()]);
}

/// Sets `bits` bits at bit `position`.
static void setBits(std::vector<uint8_t> &image, size_t position, unsigned bits,
                    uint32_t code) {
  for (unsigned i = 0; i < bits; ++i)
    if (code >> i & 1)
      image[(position + i) / 8] |= 1 << (position + i) % 8;
}

uint64_t place(const Matrix &matrix, unsigned first, unsigned count,
               const Layout &layout, bool isWgmma, std::vector<uint8_t> &image,
               unsigned start) {
  unsigned bits = getBits(matrix.type), width = layout.swizzle;
  unsigned groups = matrix.depth / 8;
  // Distances of neighbouring blocks, which lie along K first.
  unsigned alongK = layout.isMNMajor ? 8 * width : 128;
  unsigned alongMN = layout.isMNMajor ? groups * alongK
                     : width == 16    ? 2 * alongK
                                      : 8 * width;
  for (unsigned r = 0; r < count; ++r)
    for (unsigned k = 0; k < matrix.depth; ++k) {
      // The bit along the contiguous dimension, and the row of a block of eight
      // rows of `width` bytes.
      unsigned along = (layout.isMNMajor ? r : k) * bits;
      if (layout.isPadded && bits < 8)
        along = k / 16 * 128 + k % 16 * bits;
      unsigned across = layout.isMNMajor ? k : r;
      unsigned block =
          layout.isMNMajor ? across / 8 * alongK + along / 8 / width * alongMN
          : width == 16    ? across / 8 * alongMN + along / 8 / 16 * alongK
                           : across / 8 * alongMN;
      unsigned inRow = along % (8 * width);
      unsigned linear = block + across % 8 * width + inRow / 8;
      // Pieces of 16 bytes change places with those of their row.
      unsigned piece = linear / 16 % (width / 16);
      unsigned other = piece ^ (linear / 128 % (width / 16));
      linear = linear - piece * 16 + other * 16;
      setBits(image, size_t(start + linear) * 8 + inRow % 8, bits,
              matrix.at(first + r, k).code);
    }
  // Without a swizzle the stride is along M or N and the leading offset along K
  // for both majors; with one only MN-major uses the leading offset, along MN.
  bool isSwizzledMN = layout.isMNMajor && width != 16;
  uint64_t leading = isSwizzledMN ? alongMN : alongK;
  uint64_t stride = isSwizzledMN ? alongK : alongMN;
  if (!layout.isMNMajor && width != 16)
    leading = 16;
  static const std::map<unsigned, uint64_t> wgmmaModes = {
      {16, 0}, {128, 1}, {64, 2}, {32, 3}};
  static const std::map<unsigned, uint64_t> tcgenModes = {
      {16, 0}, {128, 2}, {64, 4}, {32, 6}};
  uint64_t mode = isWgmma ? wgmmaModes.at(width) << 62
                          : tcgenModes.at(width) << 61 | uint64_t(1) << 46;
  return mode | stride >> 4 << 32 | leading >> 4 << 16 | start >> 4;
}

std::vector<uint8_t> packRow(const Matrix &matrix, unsigned row, bool isBytes) {
  std::vector<uint8_t> bytes(32);
  unsigned bits = getBits(matrix.type);
  for (unsigned k = 0; k < matrix.depth; ++k) {
    uint32_t code = matrix.at(row, k).code;
    if (isBytes)
      bytes[k] = bits == 4 ? code << 2 : code;
    else
      setBits(bytes, k * bits, bits, code);
  }
  return bytes;
}

std::string copyToShared(unsigned bytes) {
  return llvm::formatv(R"(  shl.b32 i, t, 4;
copy:
  cvt.u64.u32 o, i;
  add.u64 o, x, o;
  ld.global.v4.b32 {{v0, v1, v2, v3}, [o];
  add.u32 v4, s, i;
  st.shared.v4.b32 [v4], {{v0, v1, v2, v3};
  add.u32 i, i, 2048;
  setp.lt.u32 p, i, {0};
  @p bra copy;
  fence.proxy.async;
)",
                       bytes);
}

std::string run(const std::string &ptx, unsigned blocks, unsigned sharedBytes,
                std::vector<std::vector<uint32_t> *> buffers,
                const ExecutionOptions &options) {
  llvm::Expected<Module> module = parseModule(ptx, "kernel.ptx");
  if (!module)
    return llvm::toString(module.takeError());
  Device device;
  std::vector<uint64_t> parameters;
  for (std::vector<uint32_t> *buffer : buffers) {
    llvm::ArrayRef<uint8_t> bytes(
        reinterpret_cast<const uint8_t *>(buffer->data()), buffer->size() * 4);
    parameters.push_back(device.allocate("buffer", bytes.size()));
    if (llvm::Error error = device.write(parameters.back(), bytes))
      return llvm::toString(std::move(error));
  }
  LaunchConfig config;
  config.grid = config.cluster = {blocks, 1, 1};
  config.block = {128, 1, 1};
  config.dynamicShared = sharedBytes;
  config.parameters =
      llvm::ArrayRef(reinterpret_cast<const uint8_t *>(parameters.data()),
                     parameters.size() * 8);
  if (llvm::Error error = device.launch(*module, "k", config, options))
    return llvm::toString(std::move(error));
  for (auto [buffer, address] : llvm::zip(buffers, parameters))
    if (llvm::Error error = device.read(
            address,
            llvm::MutableArrayRef(reinterpret_cast<uint8_t *>(buffer->data()),
                                  buffer->size() * 4)))
      return llvm::toString(std::move(error));
  return {};
}

} // namespace mx::ptx::test
