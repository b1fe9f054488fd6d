# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole models of further families, with what surrounds their layers: stems, towers, queries, loops of generation."""
from architectures import B, D, H, T, V, add, embed, mlp, qkv
from builder import Value
from variants import N, concat, head, output


def talking_heads(f):
    """Scores mixed over heads by a small matrix before the softmax, probabilities by another after it."""
    x = embed(f)
    q, k, v = qkv(f, f.rms_norm(x, "norm"), "attn")
    s = f.constant_step("arith.mulf", f.product("attention_scores", q, k, "bhqd,bhkd->bhqk"), "0.25")
    s = f.product("attention_scores", s, f.weight("pre_mix", H, H), "bhqk,hg->bgqk")
    p = f.softmax(f.step("arith.addf", s, f.arg([T, T]), spec="bhqk,qk->bhqk"))
    p = f.product("attention_scores", p, f.weight("post_mix", H, H), "bhqk,hg->bgqk")
    return output(f, x, f.product("attention_context", p, v, "bhqk,bhkd->bhqd"))


def talking_heads_first(f):
    """Only the mixing of scores, the matrix on the left."""
    x = embed(f)
    q, k, v = qkv(f, f.rms_norm(x, "norm"), "attn")
    s = f.product("attention_scores", q, k, "bhqd,bhkd->bhqk")
    s = f.product("attention_scores", f.weight("pre_mix", H, H), s, "gh,bhqk->bgqk")
    return output(f, x, f.product("attention_context", f.softmax(s), v, "bhqk,bhkd->bhqd"))


def conv(f, x, name, out, size, strides, rank):
    """x [B, C, ...] by a kernel, with a bias and GELU (its tanh)."""
    kernel = f.weight(name + ".weight", out, x.shape[1], *[size] * rank)
    shape = [x.shape[0], out] + [(d - size) // strides + 1 for d in x.shape[2:]]
    init, y = f.fill(shape), f.fresh(shape)
    op = {1: "conv_1d_ncw_fcw", 2: "conv_2d_nchw_fchw"}[rank]
    f.emit(f"{y.name} = linalg.{op} {{strides = dense<{strides}> : vector<{rank}xi64>}} ins({x.name}, {kernel.name} : "
           f"{x.type}, {kernel.type}) outs({init.name} : {init.type}) -> {y.type}")
    letters = "bcxy"[: rank + 2]
    y = f.step("arith.addf", y, f.weight(name + ".bias", out), spec=f"{letters},c->{letters}")
    return f.step("arith.mulf", y, f.step("math.tanh", y))


def encoder_layer(f, x, name, bias=True):
    n = f.layer_norm(x, name + ".norm1")
    x = add(f, x, f.linear(f.unheads(f.attend(*qkv(f, n, name + ".attn"))), name + ".o_proj", D, bias=bias))
    m = f.linear(f.layer_norm(x, name + ".norm2"), name + ".fc1", 2 * D, bias=bias)
    return add(f, x, f.linear(f.step("arith.mulf", m, f.step("math.erf", m)), name + ".fc2", D, bias=bias))


def speech(f):
    """Whisper: two convolutions on a spectrogram, an encoder, a decoder whose head is its table."""
    x = f.arg([B, 20, 2 * T + 4])
    x = conv(f, conv(f, x, "conv1", D, 3, 1, 1), "conv2", D, 2, 2, 1)
    x = f.transpose(x, [0, 2, 1])
    length = x.shape[1]
    x = f.step("arith.addf", x, f.weight("embed_positions.weight", length, D), spec="btd,td->btd")
    encoded = f.layer_norm(encoder_layer(f, x, "encoder"), "encoder.norm")
    table = f.weight("embed_tokens.weight", V, D)
    y = f.gather_rows(table, f.arg([B, T], "i64"))
    y = f.step("arith.addf", y, f.weight("decoder.positions", T, D), spec="btd,td->btd")
    n = f.layer_norm(y, "decoder.norm1")
    y = add(f, y, f.linear(f.unheads(f.attend(*qkv(f, n, "decoder.self"), mask=f.arg([T, T]))), "decoder.o_proj", D))
    n = f.layer_norm(y, "decoder.norm2")
    y = add(f, y, f.linear(f.unheads(f.attend(*qkv(f, encoded, "decoder.cross", q=n))), "decoder.cross.o_proj", D))
    y = f.layer_norm(y, "decoder.final")
    return [f.product("lm_head", y, table, "btk,vk->btv")]


def detector(f):
    """DETR: a convolution's features, learned queries that attend to them, boxes and classes of each."""
    x = conv(f, f.arg([B, 3, 16, 16]), "backbone", 2 * D, 4, 4, 2)
    x = f.transpose(f.collapse(x, [[0], [1], [2, 3]]), [0, 2, 1])
    x = f.linear(x, "input_proj", D)
    encoded = encoder_layer(f, x, "encoder")
    queries = f.step("copy", f.weight("query_position_embeddings.weight", T, D), spec="td->btd", result=[B, T, D])
    n = f.layer_norm(queries, "decoder.norm1")
    q, k, v = f.linear(n, "cross.q_proj", D), f.linear(encoded, "cross.k_proj", D), f.linear(encoded, "cross.v_proj", D)
    y = add(f, queries, f.linear(f.unheads(f.attend(*(f.heads(z, H) for z in (q, k, v)))), "cross.o_proj", D))
    y = f.layer_norm(add(f, y, mlp(f, f.layer_norm(y, "decoder.norm2"), "mlp")), "decoder.final")
    hidden = f.constant_step("arith.maximumf", f.linear(y, "bbox_predictor.0", D, bias=True), "0.0")
    boxes = f.sigmoid(f.linear(hidden, "bbox_predictor.1", 4, bias=True))
    return [f.linear(y, "class_labels_classifier", 92, bias=True), boxes]


def two_towers(f):
    """CLIP: patches without a bias and a class token; a text tower read at its last token; a scaled similarity."""
    patches = conv(f, f.arg([B, 3, 16, 16]), "patch_embedding", D, 4, 4, 2)
    x = f.transpose(f.collapse(patches, [[0], [1], [2, 3]]), [0, 2, 1])
    token = f.step("copy", f.weight("class_embedding", D), spec="d->btd", result=[B, 1, D])
    both = f.fresh([B, 17, D])
    f.emit(f"{both.name} = tensor.concat dim(1) {token.name}, {x.name} : ({token.type}, {x.type}) -> {both.type}")
    x = f.step("arith.addf", both, f.weight("position_embedding.weight", 17, D), spec="btd,td->btd")
    x = encoder_layer(f, f.layer_norm(x, "pre_layrnorm"), "vision")
    image = f.linear(f.layer_norm(f.slice(x, [0, 0, 0], [B, 1, D]), "post_layernorm"), "visual_projection", 32)
    y = f.step("arith.addf", embed(f), f.weight("text.positions", T, D), spec="btd,td->btd")
    n = f.layer_norm(y, "text.norm1")
    y = add(f, y, f.linear(f.unheads(f.attend(*qkv(f, n, "text"), mask=f.arg([T, T]))), "text.o_proj", D))
    y = f.layer_norm(add(f, y, mlp(f, f.layer_norm(y, "text.norm2"), "text.mlp")), "text.final")
    text = f.linear(f.slice(y, [0, T - 1, 0], [B, 1, D]), "text_projection", 32)

    def unit(z):
        z = f.collapse(z, [[0], [1, 2]])
        length = f.step("math.sqrt", f.reduce("arith.addf", f.step("arith.mulf", z, z)))
        return f.step("arith.divf", z, length, spec="bd,b->bd")
    return [f.constant_step("arith.mulf", f.product("other", unit(text), unit(image), "id,jd->ij"), "100.0")]


def token_shift(f):
    """RWKV: a mix with the previous token before each layer, receptances that gate, a recurrence of exponentials."""
    x = embed(f)
    n = f.layer_norm(x, "ln1")

    def shifted(y, name):
        before = f.fresh([B, T, D])
        zero, previous = f.fill([B, 1, D]), f.slice(y, [0, 0, 0], [B, T - 1, D])
        f.emit(f"{before.name} = tensor.concat dim(1) {zero.name}, {previous.name} : ({zero.type}, {previous.type}) -> {before.type}")
        share = f.weight(name, D)
        return add(f, y, f.step("arith.mulf", f.step("arith.subf", before, y), share, spec="btd,d->btd"))
    k = f.linear(shifted(n, "time_mix_k"), "att.key", D)
    v = f.linear(shifted(n, "time_mix_v"), "att.value", D)
    r = f.sigmoid(f.linear(shifted(n, "time_mix_r"), "att.receptance", D))
    w, state, out = f.step("math.exp", f.weight("time_decay", D)), f.fill([B, D]), f.fill([B, T, D])
    for name, number in (("zero", 0), ("one", 1), ("steps", T)):
        f.emit(f"%{name} = arith.constant {number} : index")
    f.emit(f"%wkv:3 = scf.for %t = %zero to %steps step %one iter_args(%a = {state.name}, %b = {state.name}, %o = {out.name}) -> "
           f"({state.type}, {state.type}, {out.type}) {{")
    f.indent += "  "

    def at(value):
        z = f.fresh([B, D])
        f.emit(f"{z.name} = tensor.extract_slice {value.name}[0, %t, 0] [{B}, 1, {D}] [1, 1, 1] : {value.type} to {z.type}")
        return z
    weight = f.step("math.exp", at(k))
    num = add(f, f.step("arith.mulf", Value("%a", [B, D]), w, spec="bd,d->bd"), f.step("arith.mulf", weight, at(v)))
    den = add(f, f.step("arith.mulf", Value("%b", [B, D]), w, spec="bd,d->bd"), weight)
    y, result = f.step("arith.divf", num, den), f.fresh([B, T, D])
    f.emit(f"{result.name} = tensor.insert_slice {y.name} into %o[0, %t, 0] [{B}, 1, {D}] [1, 1, 1] : {y.type} into {out.type}")
    f.emit(f"scf.yield {num.name}, {den.name}, {result.name} : {num.type}, {den.type}, {result.type}")
    f.indent = f.indent[:-2]
    f.emit("}")
    x = add(f, x, f.linear(f.step("arith.mulf", r, Value("%wkv#2", [B, T, D])), "att.output", D))
    n = f.layer_norm(x, "ln2")
    h = f.constant_step("arith.maximumf", f.linear(shifted(n, "ffn_mix_k"), "ffn.key", 2 * D), "0.0")
    r = f.sigmoid(f.linear(shifted(n, "ffn_mix_r"), "ffn.receptance", D))
    x = add(f, x, f.step("arith.mulf", r, f.linear(f.step("arith.mulf", h, h), "ffn.value", D)))
    return [f.linear(f.layer_norm(x, "ln_out"), "head", V, "lm_head")]


def state_duality(f):
    """Mamba 2: within a chunk, products of data weighted by decays, and no softmax."""
    x = embed(f)
    n = f.rms_norm(x, "norm")
    both = f.linear(n, "in_proj", 2 * D + 2 * N + H)
    u, z = f.slice(both, [0, 0, 0], [B, T, D]), f.silu(f.slice(both, [0, 0, D], [B, T, D]))
    b, c = f.slice(both, [0, 0, 2 * D], [B, T, N]), f.slice(both, [0, 0, 2 * D + N], [B, T, N])
    dt = f.step("math.exp", f.slice(both, [0, 0, 2 * D + 2 * N], [B, T, H]))
    decay = f.step("math.exp", f.step("arith.mulf", dt, f.weight("A_log", H), spec="bth,h->bht"))
    l = f.step("arith.mulf", decay, decay, spec="bhq,bhk->bhqk")
    g = f.product("other", c, b, "bqn,bkn->bqk")
    m = f.step("arith.mulf", g, l, spec="bqk,bhqk->bhqk")
    y = f.unheads(f.product("other", m, f.heads(u, H), "bhqk,bhkd->bhqd"))
    y = f.rms_norm(f.step("arith.mulf", y, z), "gate_norm")
    return head(f, add(f, x, f.linear(y, "out_proj", D)))


def windows(f):
    """Swin: attention within windows, a bias that is gathered by positions, patches merged by a layer."""
    x = f.arg([4, 4, D])
    n = f.layer_norm(x, "norm1")
    table, index = f.weight("relative_position_bias_table", 49, H), f.arg([4, 4], "i64")
    bias = f.transpose(f.gather_rows(table, index), [2, 0, 1])
    x = add(f, x, f.linear(f.unheads(f.attend(*qkv(f, n, "attn"), bias=bias)), "attn.proj", D, bias=True))
    x = add(f, x, mlp(f, f.layer_norm(x, "norm2"), "mlp"))
    merged = f.expand(f.collapse(x, [[0], [1, 2]]), [[0], [1, 2]], [4, 1, 4 * D])
    return [f.linear(f.layer_norm(merged, "downsample.norm"), "downsample.reduction", 2 * D)]


def diffusion(f):
    """A U-Net's middle: sines of the time step, a convolution, attention to a text, a gated GELU."""
    t, text = f.arg([B, 1, 1]), f.arg([B, T, D])
    angles = f.step("arith.mulf", t, f.weight("freqs", D // 2), spec="bto,f->btf")
    time = concat(f, f.step("math.sin", angles), f.step("math.cos", angles))
    time = f.linear(f.silu(f.linear(time, "time_embedding.linear_1", D, bias=True)), "time_embedding.linear_2", D, bias=True)
    image = conv(f, f.arg([B, 4, 6, 6]), "conv_in", D, 3, 1, 2)
    image = f.step("arith.addf", image, f.collapse(f.linear(f.silu(time), "time_emb_proj", D), [[0], [1, 2]]), spec="bchw,bc->bchw")
    x = f.transpose(f.collapse(image, [[0], [1], [2, 3]]), [0, 2, 1])
    x = encoder_layer(f, x, "transformer")
    n = f.layer_norm(x, "norm2")
    q, k, v = f.linear(n, "attn2.to_q", D), f.linear(text, "attn2.to_k", D), f.linear(text, "attn2.to_v", D)
    x = add(f, x, f.linear(f.unheads(f.attend(*(f.heads(y, H) for y in (q, k, v)))), "attn2.to_out", D, bias=True))
    both = f.linear(f.layer_norm(x, "norm3"), "ff.net.0.proj", 4 * D, bias=True)
    shape = [x.shape[0], x.shape[1], 2 * D]
    gate = f.step("math.erf", f.slice(both, [0, 0, 2 * D], shape))
    x = add(f, x, f.linear(f.step("arith.mulf", f.slice(both, [0, 0, 0], shape), gate), "ff.net.2", D, bias=True))
    return [f.linear(x, "proj_out", 4)]


def generation(f):
    """Greedy decoding: each iteration gathers the token that the one before chose; one layer, a tied head."""
    table = f.weight("embed_tokens.weight", V, D)
    first = f.arg([B, 1], "i64")
    for name, number in (("zero", 0), ("one", 1), ("steps", T)):
        f.emit(f"%{name} = arith.constant {number} : index")
    f.emit(f"%tokens = scf.for %step = %zero to %steps step %one iter_args(%token = {first.name}) -> ({first.type}) {{")
    f.indent += "  "
    x = f.gather_rows(table, Value("%token", [B, 1], "i64"))
    x = add(f, x, mlp(f, f.rms_norm(x, "norm"), "mlp"))
    logits = f.product("lm_head", f.rms_norm(x, "final"), table, "btk,vk->btv")
    best, where = f.fill([B, 1], "0xFF800000"), f.empty([B, 1], "i64")
    f.emit(f"%arg_max:2 = linalg.generic {{indexing_maps = [affine_map<(b, t, v) -> (b, t, v)>, affine_map<(b, t, v) -> (b, t)>, "
           f'affine_map<(b, t, v) -> (b, t)>], iterator_types = ["parallel", "parallel", "reduction"]}} ins({logits.name} : {logits.type}) '
           f"outs({best.name}, {where.name} : {best.type}, {where.type}) {{")
    f.emit("^bb0(%x0: f32, %out: f32, %at: i64):")
    f.emit("  %v = linalg.index 2 : index")
    f.emit("  %i = arith.index_cast %v : index to i64")
    f.emit("  %more = arith.cmpf ogt, %x0, %out : f32")
    f.emit("  %y = arith.select %more, %x0, %out : f32")
    f.emit("  %j = arith.select %more, %i, %at : i64")
    f.emit("  linalg.yield %y, %j : f32, i64")
    f.emit(f"}} -> ({best.type}, {where.type})")
    f.emit(f"scf.yield %arg_max#1 : {where.type}")
    f.indent = f.indent[:-2]
    f.emit("}")
    return [Value("%tokens", [B, 1], "i64")]


MODELS = [talking_heads, talking_heads_first, speech, detector, two_towers, token_shift, state_duality, windows, diffusion,
          generation]
