#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a tool on mutants (mutate_mlir.py) and tells its crashes from upstream's.

  fuzz_opt.py --count=100000 --tool="mx-opt --mx-lower-precision" --stock="mlir-opt --canonicalize --cse" a.mlir b.mlir

Mutants go to the tool in batches, split by `// -----`; a batch that dies is run one mutant at a time. A mutant on which the
tool dies of a signal, a time or memory limit, is then given to each --stock command: if one of those dies too, the fault is
counted as upstream's, else as ours and kept in --keep. Diagnostics and exit 1 are no fault. Exit 1 if any fault is ours.
An input that is a folder stands for all .mlir files below it.
"""
import argparse
import collections
import os
import pathlib
import re
import resource
import shlex
import subprocess
import sys

import mutate_mlir as mm

SPLIT = '\n// -----\n'


def run(command, text, limit, memory):
    """'ok', 'error', or what it died of and where."""
    def limits():
        resource.setrlimit(resource.RLIMIT_AS, (memory << 20, memory << 20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=limits)
    try:
        _, err = p.communicate(text.encode('utf8', 'replace'), timeout=limit)
    except subprocess.TimeoutExpired:
        p.kill()
        p.communicate()
        return 'timeout'
    err = err.decode('utf8', 'replace')
    if p.returncode < 0 or p.returncode >= 128 or 'Stack dump' in err or 'LLVM ERROR' in err or 'AddressSanitizer' in err or 'runtime error:' in err:
        said = re.search(r'(LLVM ERROR: .*|.*Assertion .* failed|ERROR: AddressSanitizer: \S+|runtime error: .*|std::bad_alloc)', err)
        doing = re.findall(r'^\d+\.\s+(?!Program arguments)(.{1,80})', err, re.M)
        frames = re.findall(r'^\s*#\d+ 0x[0-9a-f]+ (?:in )?([\w:~<>,*& ]+)', err, re.M)
        frames = [f.strip() for f in frames if not re.match(r'(llvm::sys|SignalHandler|__|gsignal|abort|raise|pthread)', f)]
        return (f'signal {-p.returncode}' + (f': {said[1].strip()[:100]}' if said else '') + (f': {doing[-1].strip()}' if doing else '')
                + (': ' + ' < '.join(frames[:3]) if frames else ''))
    return 'ok' if p.returncode == 0 else 'error'


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('inputs', nargs='+')
    p.add_argument('--tool', required=True)
    p.add_argument('--stock', action='append', default=[])
    p.add_argument('--count', type=int, default=1000)
    p.add_argument('--first', type=int, default=0)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--gentle', type=float, default=0.7)
    p.add_argument('--batch', type=int, default=25, help='1: also counts how many mutants pass')
    p.add_argument('--limit', type=float, default=20, help='seconds for one mutant')
    p.add_argument('--memory', type=int, default=4096, help='MiB of address space')
    p.add_argument('--keep', help='folder for mutants on which the fault is ours')
    a = p.parse_args()
    seeds = []
    for path in map(pathlib.Path, a.inputs):
        for file in sorted(path.rglob('*.mlir')) if path.is_dir() else [path]:
            seeds.append(mm.Seed(file.name, file.read_text()))
    tool, stock = shlex.split(a.tool), [shlex.split(s) for s in a.stock]
    counts, ours, upstream = collections.Counter(), collections.Counter(), collections.Counter()
    for start in range(a.first, a.first + a.count, a.batch):
        texts = [mm.mutant(seeds, a.seed, i, a.gentle) for i in range(start, min(start + a.batch, a.first + a.count))]
        if a.batch > 1:
            joined = SPLIT.join(t.replace('// -----', '// - ----') for t in texts)
            if run([*tool, '--split-input-file'], joined, a.limit * 2, a.memory) in ('ok', 'error'):
                counts['survived'] += len(texts)
                continue
        for i, t in enumerate(texts, start):
            how = run(tool, t, a.limit, a.memory)
            if how in ('ok', 'error'):
                counts[how] += 1
                continue
            theirs = next((h for s in stock if (h := run(s, t, a.limit, a.memory)) not in ('ok', 'error')), None)
            (upstream if theirs else ours)[how] += 1
            print(f'mutant {i}: {how}' + (f'; upstream too: {theirs}' if theirs else '; OURS'), flush=True)
            if a.keep and not theirs:
                os.makedirs(a.keep, exist_ok=True)
                with open(os.path.join(a.keep, f'{a.seed}-{i}.mlir'), 'w') as f:
                    f.write(t)
    print(dict(counts), f'ours: {sum(ours.values())}', f'upstream: {sum(upstream.values())}')
    for name, c in (('ours', ours), ('upstream', upstream)):
        for k, v in c.most_common():
            print(f'  {name} {v} × {k}')
    return 1 if ours else 0


if __name__ == '__main__':
    sys.exit(main())
