// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Trace.h"

#include "Warp.h"

#include "llvm/Support/Format.h"

using namespace mx::ptx;
using llvm::StringRef;

/// Bytes that a lane moves by loads, stores and atomics; what bulk and matrix
/// instructions move is not counted.
static uint64_t getBytes(Warp &warp, const Decoded &decoded) {
  StringRef opcode = decoded.source->opcode;
  bool isAccess =
      opcode == "ld" || opcode == "st" || opcode == "atom" || opcode == "red";
  if (!isAccess || decoded.types.empty())
    return 0;
  return uint64_t(getByteWidth(decoded.types[0])) * decoded.vectorWidth;
}

void Trace::note(Warp &warp) {
  const Decoded &decoded = *warp.current;
  InstructionCount &count = counts[&decoded - warp.machine.program.code.data()];
  unsigned lanes = llvm::popcount(warp.active);
  ++count.warps;
  count.lanes += lanes;
  count.bytes += lanes * getBytes(warp, decoded);
  const Dim3 &grid = warp.machine.config.grid, &block = warp.parent.index;
  if (options.trace && warp.number == options.traceWarp &&
      block.x + uint64_t(grid.x) * (block.y + uint64_t(grid.y) * block.z) ==
          options.traceBlock)
    print(warp);
}

/// LINE MASK TEXT (without the guard: the lanes say it), and below it the
/// destination registers of the active lanes.
void Trace::print(Warp &warp) {
  llvm::raw_ostream &os = *options.trace;
  const Decoded &decoded = *warp.current;
  const Instruction &source = *decoded.source;
  StringRef text = *warp.machine.program.module->text;
  for (unsigned line = 1; line < source.location.line; ++line)
    text = text.split('\n').second;
  text = text.split('\n').first.substr(source.location.column - 1);
  os << source.location.line << " " << llvm::format_hex(warp.active, 10) << " "
     << text.split(';').first.trim() << "\n";
  llvm::SmallVector<Type, 2> types;
  std::string error;
  const Row *row = lookupRow(source, types, error);
  if (!options.traceValues || !row)
    return;
  StringRef rest = row->operands;
  for (unsigned i = 0; i < decoded.getNumOperands(); ++i) {
    auto [kind, tail] = rest.split(' ');
    rest = tail;
    if (kind[0] != 'd' && kind[0] != 'p' && kind[0] != 'V')
      continue;
    for (const Value &value : decoded.vector(i)) {
      if (value.isSink)
        continue;
      os << "  " << warp.machine.program.getRegisterName(value.index) << " =";
      if (value.isPredicate)
        os << " " << llvm::format_hex(uint32_t(warp.lanes(value)[0]), 10);
      else
        forEachLane(warp.active, [&](unsigned lane) {
          // An asynchronous operation has not written it yet.
          if (warp.getInitialized(value) >> lane & 1)
            os << " " << llvm::format_hex(warp.lanes(value)[lane], 1);
          else
            os << " -";
        });
      os << "\n";
    }
  }
}

void mx::ptx::addCounts(const Program &program,
                        llvm::ArrayRef<InstructionCount> counts,
                        LaunchStatistics &statistics) {
  for (auto [decoded, count] : llvm::zip(program.code, counts)) {
    if (!count.warps)
      continue;
    InstructionCount &sum =
        statistics.instructions[decoded.source->getSpelling()];
    sum.warps += count.warps;
    sum.lanes += count.lanes;
    sum.bytes += count.bytes;
  }
}
