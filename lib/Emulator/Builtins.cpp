// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions that the CUDA runtime provides to every module: vprintf and
// __assertfail (CUDA C++ Programming Guide, formatted output and assertions).

#include "Decoder.h"
#include "Warp.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <cstring>

using namespace mx::ptx;

/// The bits of argument `i` of a call in `lane`, of at most 8 bytes.
static uint64_t getArgument(Warp &warp, const CallSite &site, unsigned i,
                            unsigned lane, unsigned size) {
  const Passed &passed = site.inputs[i];
  uint64_t bits = 0;
  if (passed.value) {
    const uint64_t *lanes = warp.read(*passed.value);
    return lanes ? lanes[lane] : 0;
  }
  if (const uint8_t *bytes =
          warp.access(lane, Space::Local, warp.frameBase[lane] + passed.offset,
                      size, 1, Access::Read))
    std::memcpy(&bits, bytes, size);
  return bits;
}

/// A string that ends with zero, at a generic address.
static std::string readString(Warp &warp, unsigned lane, uint64_t address) {
  constexpr size_t most = 4096;
  std::string text;
  while (text.size() < most) {
    const uint8_t *byte = warp.access(
        lane, Space::Generic, address + text.size(), 1, 1, Access::Read);
    if (!byte || !*byte)
      break;
    text += char(*byte);
  }
  return text;
}

static void assertFail(Warp &warp, const Decoded &decoded) {
  const CallSite &site = warp.machine.program.calls[decoded.target];
  unsigned lane = llvm::countr_zero(warp.active);
  auto text = [&](unsigned i) {
    return readString(warp, lane, getArgument(warp, site, i, lane, 8));
  };
  std::string message = text(0), file = text(1);
  uint64_t line = getArgument(warp, site, 2, lane, 4);
  warp.fault(lane, "assertion failed: " + message + " (" + file + ":" +
                       llvm::Twine(line) + ")");
}

/// What a printf format makes of the arguments at `arguments`, each at its
/// natural alignment.
static std::string formatText(Warp &warp, unsigned lane, llvm::StringRef format,
                              uint64_t arguments) {
  std::string text;
  uint64_t offset = 0;
  auto next = [&](unsigned size) {
    uint64_t bits = 0;
    offset = llvm::alignTo(offset, size);
    if (const uint8_t *bytes = warp.access(
            lane, Space::Generic, arguments + offset, size, size, Access::Read))
      std::memcpy(&bits, bytes, size);
    offset += size;
    return bits;
  };
  while (!format.empty()) {
    size_t plain = std::min(format.find('%'), format.size());
    text += format.take_front(plain);
    format = format.drop_front(plain);
    if (format.empty())
      break;
    size_t end = format.find_first_not_of("0123456789.+-# ", 1);
    llvm::StringRef flags = format.slice(1, end);
    llvm::StringRef rest = format.substr(end);
    unsigned longs = 0;
    while (rest.consume_front("l") || rest.consume_front("z"))
      ++longs;
    while (rest.consume_front("h"))
      ;
    char conversion = rest.empty() ? '%' : rest[0];
    format = rest.drop_front(rest.empty() ? 0 : 1);
    // Widths of more than three digits would fill the memory.
    std::string spec = "%" + flags.take_front(8).str();
    char buffer[1100] = {};
    switch (conversion) {
    case 'd':
    case 'i': {
      uint64_t bits = next(longs ? 8 : 4);
      long long value = longs ? int64_t(bits) : int32_t(bits);
      std::snprintf(buffer, sizeof(buffer), (spec + "lld").c_str(), value);
      break;
    }
    case 'u':
    case 'x':
    case 'X':
    case 'o':
      std::snprintf(buffer, sizeof(buffer), (spec + "ll" + conversion).c_str(),
                    (unsigned long long)(next(longs ? 8 : 4)));
      break;
    case 'c':
      buffer[0] = char(next(4));
      break;
    case 'p':
      std::snprintf(buffer, sizeof(buffer), "0x%llx",
                    (unsigned long long)(next(8)));
      break;
    case 's':
      std::snprintf(buffer, sizeof(buffer), (spec + "s").c_str(),
                    readString(warp, lane, next(8)).c_str());
      break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
      std::snprintf(buffer, sizeof(buffer), (spec + conversion).c_str(),
                    llvm::bit_cast<double>(next(8)));
      break;
    default:
      buffer[0] = conversion;
    }
    text += buffer;
  }
  return text;
}

/// Writes to stderr, lane after lane.
static void printFormatted(Warp &warp, const Decoded &decoded) {
  const CallSite &site = warp.machine.program.calls[decoded.target];
  std::string text;
  forEachLane(warp.active, [&](unsigned lane) {
    std::string format =
        readString(warp, lane, getArgument(warp, site, 0, lane, 8));
    text += formatText(warp, lane, format, getArgument(warp, site, 1, lane, 8));
  });
  if (!warp.hasFault())
    llvm::errs() << text;
  for (const Passed &result : site.outputs) {
    if (result.value) {
      if (result.value->isSink)
        continue;
      uint64_t *d = warp.write(*result.value);
      forEachLane(warp.active, [&](unsigned lane) { d[lane] = 0; });
      continue;
    }
    uint32_t zero = 0;
    forEachLane(warp.active, [&](unsigned lane) {
      if (uint8_t *place = warp.access(lane, Space::Local,
                                       warp.frameBase[lane] + result.offset,
                                       sizeof(zero), 1, Access::Write))
        std::memcpy(place, &zero, sizeof(zero));
    });
  }
}

Handler mx::ptx::getBuiltin(const Function &declaration) {
  size_t numParams = declaration.params.size();
  if (declaration.name == "vprintf" && numParams == 2)
    return printFormatted;
  if (declaration.name == "__assertfail" && numParams == 5)
    return assertFail;
  return nullptr;
}
