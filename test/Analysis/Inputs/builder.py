# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes functions of linalg on tensors, with the role that each product should get, in several spellings."""

LETTERS = "abcdefghijklmnop"


def ty(shape, element="f32"):
    return f"tensor<{''.join(f'{d}x' for d in shape)}{element}>"


class Value:
    def __init__(self, name, shape, element="f32"):
        self.name, self.shape, self.element = name, list(shape), element

    @property
    def type(self):
        return ty(self.shape, self.element)


def maps(*specs):
    """('bmk', 'bkn', 'bmn') -> indexing maps; loops in the order of the result, then the others."""
    loops = list(dict.fromkeys("".join((specs[-1],) + specs[:-1])))
    text = ", ".join(f"affine_map<({', '.join(loops)}) -> ({', '.join(s)})>" for s in specs)
    kinds = ", ".join('"parallel"' if l in specs[-1] else '"reduction"' for l in loops)
    return f"indexing_maps = [{text}]", f"iterator_types = [{kinds}]"


class Function:
    """One function. `linear` says how linear layers are spelled: torch2d, torch3d, generic, contract, maps, left, init."""

    def __init__(self, name="main", linear="generic", private=False):
        self.name, self.linear_spelling, self.private = name, linear, private
        self.args, self.lines, self.count, self.roles = [], [], 0, []
        self.indent = "  "

    # Values and text.
    def fresh(self, shape, element="f32"):
        self.count += 1
        return Value(f"%v{self.count}", shape, element)

    def emit(self, text):
        self.lines.append(self.indent + text)

    def arg(self, shape, element="f32", parameter=None):
        value = Value(f"%arg{len(self.args)}", shape, element)
        self.args.append((value, parameter))
        return value

    def weight(self, name, *shape):
        return self.arg(shape, parameter=name)

    def scalar(self, number, element="f32"):
        value = self.fresh([], element)
        self.emit(f"{value.name} = arith.constant {number} : {element}")
        return value.name

    def empty(self, shape, element="f32"):
        value = self.fresh(shape, element)
        self.emit(f"{value.name} = tensor.empty() : {value.type}")
        return value

    def fill(self, shape, number="0.0"):
        zero, init, value = self.scalar(number), self.empty(shape), self.fresh(shape)
        self.emit(f"{value.name} = linalg.fill ins({zero} : f32) outs({init.name} : {init.type}) -> {value.type}")
        return value

    # Elementwise steps, reductions, views.
    def generic(self, inputs, init, specs, body):
        """`body(arguments)` -> lines that end in the value to yield; arguments are of inputs, then the init's."""
        value = self.fresh(init.shape, init.element)
        names = [f"%x{i}" for i in range(len(inputs))] + ["%out"]
        types = [v.element for v in inputs] + [init.element]
        lines = body(names)
        indexing, kinds = maps(*specs)
        ins = f"ins({', '.join(v.name for v in inputs)} : {', '.join(v.type for v in inputs)}) " if inputs else ""
        self.emit(f"{value.name} = linalg.generic {{{indexing}, {kinds}}} {ins}outs({init.name} : {init.type}) {{")
        self.emit("^bb0(" + ", ".join(f"{n}: {t}" for n, t in zip(names, types)) + "):")
        for line in lines[:-1]:
            self.emit("  " + line)
        self.emit(f"  linalg.yield {lines[-1]} : {init.element}")
        self.emit(f"}} -> {value.type}")
        return value

    def step(self, op, *values, spec=None, result=None, element=None):
        """`op` on values that `spec` ('ij,j->ij') broadcasts; all alike without."""
        shape = values[0].shape
        if spec is None:
            letters = LETTERS[: len(shape)]
            specs = [letters] * (len(values) + 1)
        else:
            operands, out = spec.split("->")
            specs = operands.split(",") + [out]
            extents = {l: d for s, v in zip(specs, values) for l, d in zip(s, v.shape)}
            shape = result or [extents[l] for l in out]
        init = self.empty(shape, element or values[0].element)
        kind = init.element

        def body(names):
            return [f"%y = {op} {', '.join(names[:-1])} : {kind}", "%y"]
        if op == "copy":
            return self.generic(values, init, specs, lambda names: [names[0]])
        if op == "arith.extf":
            return self.generic(values, init, specs, lambda n: [f"%y = arith.extf {n[0]} : {values[0].element} to {kind}", "%y"])
        if op == "arith.truncf":
            return self.generic(values, init, specs, lambda n: [f"%y = arith.truncf {n[0]} : {values[0].element} to {kind}", "%y"])
        return self.generic(values, init, specs, body)

    def constant_step(self, op, value, number):
        scalar = self.scalar(number)
        letters = LETTERS[: len(value.shape)]
        return self.generic([value], self.empty(value.shape), [letters, letters],
                            lambda n: [f"%y = {op} {n[0]}, {scalar} : f32", "%y"])

    def reduce(self, op, value, init="0.0"):
        """Over the last dimension."""
        letters = LETTERS[: len(value.shape)]
        return self.generic([value], self.fill(value.shape[:-1], init), [letters, letters[:-1]],
                            lambda n: [f"%y = {op} {n[0]}, {n[1]} : f32", "%y"])

    def transpose(self, value, permutation):
        init = self.empty([value.shape[p] for p in permutation], value.element)
        result = self.fresh(init.shape, value.element)
        self.emit(f"{result.name} = linalg.transpose ins({value.name} : {value.type}) outs({init.name} : {init.type}) "
                  f"permutation = {permutation}")
        return result

    def collapse(self, value, groups):
        shape = []
        for group in groups:
            extent = 1
            for d in group:
                extent *= value.shape[d]
            shape.append(extent)
        result = self.fresh(shape, value.element)
        self.emit(f"{result.name} = tensor.collapse_shape {value.name} {groups} : {value.type} into {result.type}")
        return result

    def expand(self, value, groups, shape):
        result = self.fresh(shape, value.element)
        self.emit(f"{result.name} = tensor.expand_shape {value.name} {groups} output_shape {shape} : {value.type} into {result.type}")
        return result

    def slice(self, value, offsets, sizes):
        result = self.fresh(sizes, value.element)
        ones = ", ".join("1" for _ in sizes)
        self.emit(f"{result.name} = tensor.extract_slice {value.name}[{', '.join(map(str, offsets))}] "
                  f"[{', '.join(map(str, sizes))}] [{ones}] : {value.type} to {result.type}")
        return result

    def gather_rows(self, table, ids):
        """table [V, D], ids [B, T] -> [B, T, D], as torch-mlir writes it."""
        b, t = ids.shape
        init = self.empty([b, t, table.shape[1]])
        result = self.fresh(init.shape)
        indexing, _ = maps("bt", "btd")
        self.emit(f'{result.name} = linalg.generic {{{indexing}, iterator_types = ["parallel", "parallel", "parallel"]}} '
                  f"ins({ids.name} : {ids.type}) outs({init.name} : {init.type}) {{")
        self.emit("^bb0(%x0: i64, %out: f32):")
        self.emit("  %row = arith.index_cast %x0 : i64 to index")
        self.emit("  %column = linalg.index 2 : index")
        self.emit(f"  %y = tensor.extract {table.name}[%row, %column] : {table.type}")
        self.emit("  linalg.yield %y : f32")
        self.emit(f"}} -> {result.type}")
        return result

    # Products.
    def product(self, role, lhs, rhs, spec, init=None, swapped=False, add_first=False):
        """einsum as a generic; `swapped` multiplies rhs * lhs, `add_first` adds the product to the accumulator."""
        operands, out = spec.split("->")
        a, b = operands.split(",")
        extents = {l: d for s, v in ((a, lhs), (b, rhs)) for l, d in zip(s, v.shape)}
        init = init or self.fill([extents[l] for l in out])
        self.roles.append(role)

        def body(n):
            lines, factors = [], []
            for name, value in zip(n, (lhs, rhs)):
                factors.append(name)
                if value.element != init.element:
                    lines.append(f"%e{len(lines)} = arith.extf {name} : {value.element} to {init.element}")
                    factors[-1] = f"%e{len(lines) - 1}"
            if swapped:
                factors.reverse()
            terms = ["%p", "%out"] if add_first else ["%out", "%p"]
            return lines + [f"%p = arith.mulf {factors[0]}, {factors[1]} : {init.element}",
                            f"%y = arith.addf {terms[0]}, {terms[1]} : {init.element}", "%y"]
        return self.generic([lhs, rhs], init, [a, b, out], body)

    def named(self, role, op, lhs, rhs, shape, attributes="", init=None):
        init = init or self.fill(shape)
        result = self.fresh(shape)
        self.roles.append(role)
        self.emit(f"{result.name} = {op} {attributes}ins({lhs.name}, {rhs.name} : {lhs.type}, {rhs.type}) "
                  f"outs({init.name} : {init.type}) -> {result.type}")
        return result

    def linear(self, x, name, n, role="linear", bias=False):
        """x [B, T, K] by a weight [n, K] -> [B, T, n]."""
        b, t, k = x.shape
        spelling = self.linear_spelling
        w = self.weight(name + ".weight", n, k)
        if spelling == "torch2d":
            x2 = self.collapse(x, [[0, 1], [2]])
            y = self.named(role, "linalg.matmul", x2, self.transpose(w, [1, 0]), [b * t, n])
            y = self.expand(y, [[0, 1], [2]], [b, t, n])
        elif spelling == "torch3d":
            wb = self.step("copy", self.transpose(w, [1, 0]), spec="kn->bkn", result=[b, k, n])
            y = self.named(role, "linalg.batch_matmul", x, wb, [b, t, n])
        elif spelling == "contract":
            indexing, _ = maps("btk", "nk", "btn")
            y = self.named(role, "linalg.contract", x, w, [b, t, n], indexing + " ")
        elif spelling == "maps":
            x2 = self.collapse(x, [[0, 1], [2]])
            indexing, _ = maps("mk", "nk", "mn")
            y = self.named(role, "linalg.matmul", x2, w, [b * t, n], indexing + " ")
            y = self.expand(y, [[0, 1], [2]], [b, t, n])
        elif spelling == "left":
            xt = self.transpose(self.collapse(x, [[0, 1], [2]]), [1, 0])
            y = self.transpose(self.named(role, "linalg.matmul", w, xt, [n, b * t]), [1, 0])
            y = self.expand(y, [[0, 1], [2]], [b, t, n])
        elif spelling == "init":
            v = self.weight(name + ".bias", n)
            init = self.step("copy", v, spec="n->btn", result=[b, t, n])
            return self.product(role, x, w, "btk,nk->btn", init=init, swapped=True, add_first=True)
        else:
            y = self.product(role, x, w, "btk,nk->btn")
        if bias:
            y = self.step("arith.addf", y, self.weight(name + ".bias", n), spec="btn,n->btn")
        return y

    # Parts of models.
    def rms_norm(self, x, name):
        spread = LETTERS[: len(x.shape)]
        mean = self.constant_step("arith.divf", self.reduce("arith.addf", self.step("arith.mulf", x, x)), f"{x.shape[-1]}.0")
        scale = self.step("math.rsqrt", self.constant_step("arith.addf", mean, "1.0e-05"))
        y = self.step("arith.mulf", x, scale, spec=f"{spread},{spread[:-1]}->{spread}")
        return self.step("arith.mulf", y, self.weight(name + ".weight", x.shape[-1]), spec=f"{spread},{spread[-1]}->{spread}")

    def layer_norm(self, x, name):
        spread = LETTERS[: len(x.shape)]
        count = f"{x.shape[-1]}.0"
        centre = self.step("arith.subf", x, self.constant_step("arith.divf", self.reduce("arith.addf", x), count),
                           spec=f"{spread},{spread[:-1]}->{spread}")
        mean = self.constant_step("arith.divf", self.reduce("arith.addf", self.step("arith.mulf", centre, centre)), count)
        scale = self.step("math.rsqrt", self.constant_step("arith.addf", mean, "1.0e-05"))
        y = self.step("arith.mulf", centre, scale, spec=f"{spread},{spread[:-1]}->{spread}")
        y = self.step("arith.mulf", y, self.weight(name + ".weight", x.shape[-1]), spec=f"{spread},{spread[-1]}->{spread}")
        return self.step("arith.addf", y, self.weight(name + ".bias", x.shape[-1]), spec=f"{spread},{spread[-1]}->{spread}")

    def softmax(self, x):
        spread = LETTERS[: len(x.shape)]
        e = self.step("math.exp", self.step("arith.subf", x, self.reduce("arith.maximumf", x, "0xFF800000"),
                                            spec=f"{spread},{spread[:-1]}->{spread}"))
        return self.step("arith.divf", e, self.reduce("arith.addf", e), spec=f"{spread},{spread[:-1]}->{spread}")

    def sigmoid(self, x):
        one = self.scalar("1.0")
        letters = LETTERS[: len(x.shape)]
        return self.generic([x], self.empty(x.shape), [letters, letters],
                            lambda n: [f"%n = arith.negf {n[0]} : f32", "%e = math.exp %n : f32",
                                       f"%s = arith.addf %e, {one} : f32", f"%y = arith.divf {one}, %s : f32", "%y"])

    def silu(self, x):
        return self.step("arith.mulf", x, self.sigmoid(x))

    def heads(self, x, h):
        b, t, d = x.shape
        return self.transpose(self.expand(x, [[0], [1], [2, 3]], [b, t, h, d // h]), [0, 2, 1, 3])

    def unheads(self, x):
        return self.collapse(self.transpose(x, [0, 2, 1, 3]), [[0], [1], [2, 3]])

    def attend(self, q, k, v, mask=None, cap=None, bias=None):
        """[B, H, T, D] each -> [B, H, T, D]."""
        s = self.product("attention_scores", q, k, "bhqd,bhkd->bhqk")
        s = self.constant_step("arith.mulf", s, "0.25")
        if cap:
            s = self.constant_step("arith.mulf", self.step("math.tanh", self.constant_step("arith.divf", s, cap)), cap)
        if bias:
            s = self.step("arith.addf", s, bias, spec="bhqk,hqk->bhqk")
        if mask:
            s = self.step("arith.addf", s, mask, spec="bhqk,qk->bhqk")
        return self.product("attention_context", self.softmax(s), v, "bhqk,bhkd->bhqd", swapped=True)

    def text(self, results, named=False):
        """The function; `named` says on each argument which parameter it is."""
        def argument(value, parameter):
            attribute = f' {{mx.parameter = "{parameter}"}}' if named and parameter else ""
            return f"{value.name}: {value.type}{attribute}"
        args = ", ".join(argument(*a) for a in self.args)
        types = ", ".join(r.type for r in results)
        visibility = "private " if self.private else ""
        return "\n".join([f"func.func {visibility}@{self.name}({args}) -> ({types}) {{", *self.lines,
                          f"  return {', '.join(r.name for r in results)} : {types}", "}"]) + "\n"
