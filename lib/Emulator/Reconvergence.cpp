// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where lanes that part at a branch come together again: at its immediate
// post-dominator, as ptxas does in practice. PTX itself promises less.

#include "Program.h"

#include "llvm/ADT/STLExtras.h"

using namespace mx::ptx;

namespace {
/// Post-dominators of single instructions by the iterative algorithm of Cooper,
/// Harvey and Kennedy ("A Simple, Fast Dominance Algorithm"), on the reversed
/// graph from a common end. Instruction i is node i; the end is node n.
class PostDominators {
public:
  explicit PostDominators(const Program &program);
  /// n + 1 where there is none: a loop without exit.
  std::vector<uint32_t> immediate;

private:
  uint32_t intersect(uint32_t a, uint32_t b) const;

  std::vector<llvm::SmallVector<uint32_t, 2>> successors;
  /// Position in the reversed graph's post-order.
  std::vector<uint32_t> order;
};
} // namespace

uint32_t PostDominators::intersect(uint32_t a, uint32_t b) const {
  while (a != b) {
    while (order[a] < order[b])
      a = immediate[a];
    while (order[b] < order[a])
      b = immediate[b];
  }
  return a;
}

PostDominators::PostDominators(const Program &program) {
  uint32_t end = program.code.size(), none = end + 1;
  successors.resize(end + 1);
  std::vector<llvm::SmallVector<uint32_t, 2>> predecessors(end + 1);
  for (uint32_t i = 0; i < end; ++i) {
    const Decoded &decoded = program.code[i];
    bool fallsThrough = !decoded.isControl || !decoded.guard.isSink;
    if (decoded.table)
      for (unsigned target : *decoded.table)
        successors[i].push_back(decoded.target + target);
    else if (decoded.isControl)
      successors[i].push_back(decoded.source->opcode == "bra" ? decoded.target
                                                              : end);
    if (fallsThrough)
      successors[i].push_back(i + 1);
    for (uint32_t successor : successors[i])
      predecessors[successor].push_back(i);
  }
  // Post-order of a walk from the end against the edges.
  order.assign(end + 1, 0);
  immediate.assign(end + 1, none);
  std::vector<uint32_t> postOrder;
  std::vector<bool> seen(end + 1);
  std::vector<std::pair<uint32_t, unsigned>> walk = {{end, 0}};
  seen[end] = true;
  while (!walk.empty()) {
    auto &[node, next] = walk.back();
    if (next == predecessors[node].size()) {
      order[node] = postOrder.size();
      postOrder.push_back(node);
      walk.pop_back();
      continue;
    }
    uint32_t predecessor = predecessors[node][next++];
    if (!seen[predecessor]) {
      seen[predecessor] = true;
      walk.push_back({predecessor, 0});
    }
  }
  immediate[end] = end;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t node : llvm::reverse(postOrder)) {
      if (node == end)
        continue;
      uint32_t found = none;
      for (uint32_t successor : successors[node])
        if (immediate[successor] != none)
          found = found == none ? successor : intersect(found, successor);
      changed |= immediate[node] != found;
      immediate[node] = found;
    }
  }
}

void mx::ptx::computeReconvergence(Program &program) {
  PostDominators dominators(program);
  uint32_t end = program.code.size();
  for (auto [i, decoded] : llvm::enumerate(program.code))
    if (decoded.isControl)
      decoded.reconverge = std::min(dominators.immediate[i], end);
}
