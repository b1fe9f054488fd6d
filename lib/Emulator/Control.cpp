// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Branches, exits, fences of the generic proxy (PTX ISA 9.7.12, 9.7.13).

#include "Warp.h"

using namespace mx::ptx;

static void bra(Warp &warp, const Decoded &decoded) {
  warp.branch(decoded.target, warp.active);
}

/// ret of an entry function ends the thread.
static void exitThread(Warp &warp, const Decoded &) { warp.exit(warp.active); }

static void nothing(Warp &, const Decoded &) {}
static void nanosleep(Warp &warp, const Decoded &) { warp.yield(); }

static const Row rows[] = {
    {"bra", "", "uni", "l", bra},
    {"ret", "", "uni", "", exitThread},
    {"exit", "", "", "", exitThread},
    {"membar", "", "cta gl sys", "", nothing},
    {"fence", "", "sc acq_rel cta cluster gpu sys", "", nothing},
    {"nanosleep", "u32", "", "s", nanosleep},
};

llvm::ArrayRef<Row> mx::ptx::getControlRows() { return rows; }
