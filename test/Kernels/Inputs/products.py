# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Print functions without arguments, each of which returns one quantised product of its own numbers.

    products.py NAME=MxNxK[xBATCH],FORMAT,FORMAT,RESULT[,init][,promote=N] ...
"""
import sys

HEADER = "// Made by products.py.\n"


def fill(name, shape, element, factors):
    """A tensor of numbers in (-4, 4) that follow from the indices; in steps of 1/256, exact in f32 and f16."""
    rank = len(shape)
    dims = ", ".join(f"d{i}" for i in range(rank))
    parallel = ", ".join(['"parallel"'] * rank)
    kind = f"tensor<{'x'.join(map(str, shape))}x{element}>"
    lines = [f"%{name}_e = tensor.empty() : {kind}",
             f"%{name} = linalg.generic {{indexing_maps = [affine_map<({dims}) -> ({dims})>], "
             f"iterator_types = [{parallel}]}} outs(%{name}_e : {kind}) {{",
             f"^bb0(%o: {element}):",
             "  %s0 = arith.constant 17 : index"]
    for i, factor in enumerate(factors[-rank:]):
        lines += [f"  %i{i} = linalg.index {i} : index",
                  f"  %f{i} = arith.constant {factor} : index",
                  f"  %p{i} = arith.muli %i{i}, %f{i} : index",
                  f"  %s{i + 1} = arith.addi %s{i}, %p{i} : index"]
    lines += ["  %mod = arith.constant 2003 : index",
              f"  %r = arith.remui %s{rank}, %mod : index",
              "  %r2 = arith.muli %r, %r : index",
              "  %q = arith.remui %r2, %mod : index",
              "  %c = arith.index_cast %q : index to i32",
              "  %h = arith.constant 1001 : i32",
              "  %d = arith.subi %c, %h : i32",
              f"  %x = arith.sitofp %d : i32 to {element}",
              f"  %w = arith.constant 0.00390625 : {element}",
              f"  %y = arith.mulf %x, %w : {element}",
              f"  linalg.yield %y : {element}",
              f"}} -> {kind}"]
    return lines, kind


def product(text):
    name, spec = text.split("=", 1)
    extents, lhs, rhs, result, *options = spec.split(",")
    m, n, k, *batch = map(int, extents.split("x"))
    lines, a = fill("a", (*batch, m, k), result, (31, 7919, 101))
    more, b = fill("b", (*batch, k, n), result, (77, 211, 4409))
    lines += more
    if "init" in options:
        more, d = fill("init", (*batch, m, n), result, (5, 13, 1009))
        lines += more
    else:
        d = f"tensor<{'x'.join(map(str, (*batch, m, n)))}x{result}>"
        lines += [f"%zero = arith.constant 0.0 : {result}", f"%empty = tensor.empty() : {d}",
                  f"%init = linalg.fill ins(%zero : {result}) outs(%empty : {d}) -> {d}"]
    promote = "".join(f"promote_every = {o[8:]}, " for o in options if o.startswith("promote="))
    op = "linalg.batch_matmul" if batch else "linalg.matmul"
    lines += [f"%d = {op} {{mx.policy = #mx.policy<lhs = <format = <{lhs}>>, rhs = <format = <{rhs}>>, {promote}"
              f'rule = "test", reason = "test">}} ins(%a, %b : {a}, {b}) outs(%init : {d}) -> {d}',
              f"return %d : {d}"]
    return f"func.func @{name}() -> {d} {{\n  " + "\n  ".join(lines) + "\n}\n"


if __name__ == "__main__":
    print(HEADER + "\n".join(map(product, sys.argv[1:])))
