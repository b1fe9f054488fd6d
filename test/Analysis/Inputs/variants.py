# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""More small models: variants of attention and of mixtures of experts."""
from architectures import B, D, H, T, V, add, embed, mlp, qkv
from builder import Value

N = D // H


def head(f, x):
    return [f.linear(f.rms_norm(x, "final"), "lm_head", V, "lm_head")]


def output(f, x, a):
    return head(f, add(f, x, f.linear(f.unheads(a), "o_proj", D)))


def concat(f, x, y):
    """Along the last dimension."""
    shape = x.shape[:-1] + [x.shape[-1] + y.shape[-1]]
    result = f.fresh(shape)
    f.emit(f"{result.name} = tensor.concat dim({len(shape) - 1}) {x.name}, {y.name} : ({x.type}, {y.type}) -> {result.type}")
    return result


def sinks(f):
    """gpt-oss: a learned score that takes part in the softmax and is cut off after it."""
    x = embed(f)
    q, k, v = qkv(f, f.rms_norm(x, "norm"), "attn")
    s = f.product("attention_scores", q, k, "bhqd,bhkd->bhqk")
    sink = f.step("copy", f.weight("sinks", H), spec="h->bhqx", result=[B, H, T, 1])
    p = f.slice(f.softmax(concat(f, s, sink)), [0, 0, 0, 0], [B, H, T, T])
    return output(f, x, f.product("attention_context", p, v, "bhqk,bhkd->bhqd"))


def differential(f):
    """Two softmaxes, the difference of which multiplies the values."""
    x = embed(f)
    n = f.rms_norm(x, "norm")
    q, k, v = qkv(f, n, "attn")
    q2, k2 = f.heads(f.linear(n, "q2_proj", D), H), f.heads(f.linear(n, "k2_proj", D), H)
    p1 = f.softmax(f.product("attention_scores", q, k, "bhqd,bhkd->bhqk"))
    p2 = f.softmax(f.product("attention_scores", q2, k2, "bhqd,bhkd->bhqk"))
    p = f.step("arith.subf", p1, f.step("arith.mulf", p2, f.weight("lambda", H), spec="bhqk,h->bhqk"))
    return output(f, x, f.product("attention_context", p, v, "bhqk,bhkd->bhqd"))


def grouped(f):
    """Grouped queries: keys and values copied to each query head, then collapsed."""
    x = embed(f)
    n = f.rms_norm(x, "norm")
    q = f.heads(f.linear(n, "q_proj", D), H)
    def repeat(name):
        y = f.heads(f.linear(n, name, D // 2), H // 2)
        y = f.step("copy", y, spec="bhtd->bhgtd", result=[B, H // 2, 2, T, N])
        return f.collapse(y, [[0], [1, 2], [3], [4]])
    return output(f, x, f.attend(q, repeat("k_proj"), repeat("v_proj"), mask=f.arg([T, T])))


def cached(f):
    """One new token: keys and values are put into caches at a position, which are results."""
    S = 16
    x = f.arg([B, 1, D])
    n = f.rms_norm(x, "norm")
    q, k, v = (f.heads(f.linear(n, name, D), H) for name in ("q_proj", "k_proj", "v_proj"))
    caches = []
    for new in (k, v):
        cache, result = f.arg([B, H, S, N]), f.fresh([B, H, S, N])
        f.emit(f"{result.name} = tensor.insert_slice {new.name} into {cache.name}[0, 0, 8, 0] [{B}, {H}, 1, {N}] [1, 1, 1, 1] : "
               f"{new.type} into {cache.type}")
        caches.append(result)
    a = f.attend(q, *caches)
    y = f.collapse(f.transpose(a, [0, 2, 1, 3]), [[0], [1], [2, 3]])
    x = add(f, x, f.linear(y, "o_proj", D))
    return [add(f, x, mlp(f, f.rms_norm(x, "norm2"), "mlp")), *caches]


def expert_loop(f):
    """A loop over experts that slices its weights from stacks and its column from the router's probabilities."""
    E, F = 4, 32
    x = embed(f)
    n = f.rms_norm(x, "norm")
    p = f.softmax(f.linear(n, "gate", E, "router"))
    up, down = f.weight("experts.up", E, F, D), f.weight("experts.down", E, D, F)
    start = f.fill([B, T, D])
    for name, number in (("zero", 0), ("one", 1), ("experts", E)):
        f.emit(f"%{name} = arith.constant {number} : index")
    f.emit(f"%sum = scf.for %expert = %zero to %experts step %one iter_args(%acc = {start.name}) -> ({start.type}) {{")
    f.indent += "  "
    def at(value, offsets, sizes, shape):
        r = f.fresh(shape)
        f.emit(f"{r.name} = tensor.extract_slice {value.name}[{offsets}] [{sizes}] [1, 1, 1] : {value.type} to {r.type}")
        return r
    h = f.silu(f.product("expert", n, at(up, "%expert, 0, 0", f"1, {F}, {D}", [F, D]), "btd,fd->btf"))
    y = f.product("expert", h, at(down, "%expert, 0, 0", f"1, {D}, {F}", [D, F]), "btf,df->btd")
    y = f.step("arith.mulf", y, at(p, "0, 0, %expert", f"{B}, {T}, 1", [B, T]), spec="btd,bt->btd")
    acc = add(f, Value("%acc", [B, T, D]), y)
    f.emit(f"scf.yield {acc.name} : {acc.type}")
    f.indent = f.indent[:-2]
    f.emit("}")
    return head(f, add(f, x, Value("%sum", [B, T, D])))


def sigmoid_router(f):
    """DeepSeek V3: sigmoids and a learned bias choose experts by a sort that MLIR does not know; the sums are normalised."""
    E, F, K = 4, 32, 2
    x = embed(f)
    n = f.rms_norm(x, "norm")
    scores = f.sigmoid(f.linear(n, "gate", E, "router"))
    biased = f.step("arith.addf", scores, f.weight("gate.e_score_correction_bias", E), spec="bte,e->bte")
    values, ids = f.fresh([B, T, K]), f.fresh([B, T, K], "i64")
    f.emit(f'{values.name}, {ids.name} = "tm_tensor.topk"({biased.name}) : ({biased.type}) -> ({values.type}, {ids.type})')
    weights = f.step("arith.divf", values, f.reduce("arith.addf", values), spec="btk,bt->btk")

    def choose(stack):
        init = f.empty([B, T, K] + stack.shape[1:])
        result = f.fresh(init.shape)
        f.emit(f"{result.name} = linalg.generic {{indexing_maps = [affine_map<(b, t, k, i, j) -> (b, t, k)>, "
               f'affine_map<(b, t, k, i, j) -> (b, t, k, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}} '
               f"ins({ids.name} : {ids.type}) outs({init.name} : {init.type}) {{")
        f.emit("^bb0(%x0: i64, %out: f32):")
        f.emit("  %which = arith.index_cast %x0 : i64 to index")
        f.emit("  %i = linalg.index 3 : index")
        f.emit("  %j = linalg.index 4 : index")
        f.emit(f"  %y = tensor.extract {stack.name}[%which, %i, %j] : {stack.type}")
        f.emit("  linalg.yield %y : f32")
        f.emit(f"}} -> {result.type}")
        return result
    h = f.silu(f.product("expert", choose(f.weight("experts.up", E, F, D)), n, "btkfd,btd->btkf"))
    y = f.product("expert", choose(f.weight("experts.down", E, D, F)), h, "btkdf,btkf->btkd")
    y = f.step("arith.mulf", y, weights, spec="btkd,btk->btkd")
    y = f.reduce("arith.addf", f.transpose(y, [0, 1, 3, 2]))
    return head(f, add(f, x, y))


def multi_query(f):
    """One key and value for all heads; scores as a product of matrices, as collapsed operands."""
    x = embed(f)
    n = f.rms_norm(x, "norm")
    q = f.heads(f.linear(n, "q_proj", D), H)
    k, v = f.linear(n, "k_proj", N), f.linear(n, "v_proj", N)
    rows = f.collapse(q, [[0], [1, 2], [3]])
    s = f.named("attention_scores", "linalg.batch_matmul", rows, f.transpose(k, [0, 2, 1]), [B, H * T, T])
    p = f.softmax(s)
    a = f.named("attention_context", "linalg.batch_matmul", p, v, [B, H * T, N])
    return output(f, x, f.expand(a, [[0], [1, 2], [3]], [B, H, T, N]))


VARIANTS = [sinks, differential, grouped, cached, expert_loop, sigmoid_router, multi_query]
