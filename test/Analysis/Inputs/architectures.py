# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small models of many architectures, written with builder.Function: each adds its ops and returns its results."""

B, T, D, H, V = 2, 8, 64, 4, 96


def qkv(f, x, name, q=None):
    q = f.linear(q if q else x, name + ".q_proj", D)
    return [f.heads(y, H) for y in (q, f.linear(x, name + ".k_proj", D), f.linear(x, name + ".v_proj", D))]


def mlp(f, x, name):
    gate, up = f.silu(f.linear(x, name + ".gate_proj", 2 * D)), f.linear(x, name + ".up_proj", 2 * D)
    return f.linear(f.step("arith.mulf", gate, up), name + ".down_proj", D)


def add(f, x, y):
    return f.step("arith.addf", x, y)


def embed(f, name="embed_tokens"):
    return f.gather_rows(f.weight(name + ".weight", V, D), f.arg([B, T], "i64"))


def encoder_decoder(f):
    """T5: relative positions as a bias, cross-attention on the encoder's output, a head."""
    bias = f.transpose(f.gather_rows(f.weight("relative_attention_bias.weight", 32, H), f.arg([T, T], "i64")), [2, 0, 1])
    x = embed(f)
    n = f.rms_norm(x, "encoder.norm1")
    x = add(f, x, f.linear(f.unheads(f.attend(*qkv(f, n, "encoder.self"), bias=bias)), "encoder.o_proj", D))
    n = f.rms_norm(x, "encoder.norm2")
    encoded = f.rms_norm(add(f, x, mlp(f, n, "encoder.mlp")), "encoder.final")
    y = embed(f, "decoder.embed_tokens")
    n = f.rms_norm(y, "decoder.norm1")
    y = add(f, y, f.linear(f.unheads(f.attend(*qkv(f, n, "decoder.self"), bias=bias)), "decoder.o_proj", D))
    n = f.rms_norm(y, "decoder.norm2")
    y = add(f, y, f.linear(f.unheads(f.attend(*qkv(f, encoded, "decoder.cross", q=n))), "decoder.cross.o_proj", D))
    n = f.rms_norm(y, "decoder.norm3")
    y = f.rms_norm(add(f, y, mlp(f, n, "decoder.mlp")), "decoder.final")
    return [f.linear(y, "lm_head", V, "lm_head")]


def soft_capped(f):
    """Gemma 2 and 3: norms of queries and keys, soft caps of scores and logits, four norms a layer, a tied head."""
    table = f.weight("embed_tokens.weight", V, D)
    x = f.constant_step("arith.mulf", f.gather_rows(table, f.arg([B, T], "i64")), "8.0")
    mask = f.arg([T, T])
    n = f.rms_norm(x, "norm1")
    q, k, v = qkv(f, n, "attn")
    q, k = f.rms_norm(q, "q_norm"), f.rms_norm(k, "k_norm")
    a = f.linear(f.unheads(f.attend(q, k, v, mask=mask, cap="50.0")), "o_proj", D)
    x = add(f, x, f.rms_norm(a, "norm2"))
    x = add(f, x, f.rms_norm(mlp(f, f.rms_norm(x, "norm3"), "mlp"), "norm4"))
    logits = f.product("lm_head", f.rms_norm(x, "norm"), table, "btk,vk->btv")
    return [f.constant_step("arith.mulf", f.step("math.tanh", f.constant_step("arith.divf", logits, "30.0")), "30.0")]


def parallel(f):
    """GPT-NeoX: attention and MLP on one norm each, side by side; one projection for queries, keys and values."""
    x = embed(f)
    fused = f.linear(f.layer_norm(x, "norm1"), "query_key_value", 3 * D, bias=True)
    fused = f.transpose(f.expand(fused, [[0], [1], [2, 3]], [B, T, H, 3 * D // H]), [0, 2, 1, 3])
    q, k, v = (f.slice(fused, [0, 0, 0, i * D // H], [B, H, T, D // H]) for i in range(3))
    a = f.linear(f.unheads(f.attend(q, k, v, mask=f.arg([T, T]))), "dense", D, bias=True)
    m = f.step("math.erf", f.linear(f.layer_norm(x, "norm2"), "dense_h_to_4h", 4 * D, bias=True))
    m = f.linear(m, "dense_4h_to_h", D, bias=True)
    x = f.layer_norm(add(f, x, add(f, a, m)), "final_layer_norm")
    return [f.linear(x, "embed_out", V, "lm_head")]


def one_norm(f):
    """GPT-J, Command R: attention and MLP on the same norm; fused gate and up."""
    x = embed(f)
    n = f.layer_norm(x, "norm")
    a = f.linear(f.unheads(f.attend(*qkv(f, n, "attn"), mask=f.arg([T, T]))), "o_proj", D)
    both = f.linear(n, "gate_up_proj", 4 * D)
    gate, up = (f.slice(both, [0, 0, i * 2 * D], [B, T, 2 * D]) for i in range(2))
    m = f.linear(f.step("arith.mulf", f.silu(gate), up), "down_proj", D)
    x = f.layer_norm(add(f, add(f, x, a), m), "final")
    return [f.linear(x, "lm_head", V, "lm_head")]


def vision(f):
    """ViT: patches as a convolution, learned positions, no mask, a classifier on the first token."""
    image, kernel = f.arg([B, 3, 16, 16]), f.weight("patch_embeddings.projection.weight", D, 3, 4, 4)
    init, conv = f.fill([B, D, 4, 4]), f.fresh([B, D, 4, 4])
    f.emit(f"{conv.name} = linalg.conv_2d_nchw_fchw {{strides = dense<4> : vector<2xi64>}} ins({image.name}, {kernel.name} : "
           f"{image.type}, {kernel.type}) outs({init.name} : {init.type}) -> {conv.type}")
    x = f.transpose(f.collapse(conv, [[0], [1], [2, 3]]), [0, 2, 1])
    x = f.step("arith.addf", x, f.weight("position_embeddings", 16, D), spec="btd,td->btd")
    n = f.layer_norm(x, "norm1")
    x = add(f, x, f.linear(f.unheads(f.attend(*qkv(f, n, "attention"))), "o_proj", D, bias=True))
    m = f.linear(f.step("math.erf", f.linear(f.layer_norm(x, "norm2"), "fc1", 4 * D, bias=True)), "fc2", D, bias=True)
    x = f.layer_norm(add(f, x, m), "layernorm")
    first = f.slice(x, [0, 0, 0], [B, 1, D])
    return [f.linear(first, "classifier", 10, bias=True)]


def state_space(f):
    """Mamba: a causal convolution, a scan in a loop, the step's projection with the weight on the left."""
    N, R = 8, 4
    x = embed(f)
    both = f.linear(f.rms_norm(x, "norm"), "in_proj", 2 * D)
    u, z = (f.slice(both, [0, 0, i * D], [B, T, D]) for i in range(2))
    u = f.silu(u)
    params = f.linear(u, "x_proj", R + 2 * N)
    dt, b, c = (f.slice(params, [0, 0, o], [B, T, s]) for o, s in ((0, R), (R, N), (R + N, N)))
    dt = f.product("linear", f.weight("dt_proj.weight", D, R), dt, "nk,btk->nbt")
    dt = f.step("math.log1p", f.step("math.exp", f.transpose(dt, [1, 2, 0])))
    decay = f.step("math.exp", f.step("arith.mulf", dt, f.weight("A_log", D, N), spec="btd,dn->btdn"))
    drive = f.step("arith.mulf", f.step("arith.mulf", dt, u), b, spec="btd,btn->btdn")
    state, out = f.fill([B, D, N]), f.fill([B, T, D])
    for name, number in (("zero", 0), ("one", 1), ("steps", T)):
        f.emit(f"%{name} = arith.constant {number} : index")
    f.emit(f"%scan:2 = scf.for %t = %zero to %steps step %one iter_args(%h = {state.name}, %o = {out.name}) -> ({state.type}, {out.type}) {{")
    f.indent += "  "
    def at(value, name, shape):
        r = f.fresh(shape)
        rest = value.shape[2:]
        f.emit(f"{r.name} = tensor.extract_slice {value.name}[0, %t, {', '.join('0' for _ in rest)}] "
               f"[{B}, 1, {', '.join(map(str, rest))}] [1, 1, {', '.join('1' for _ in rest)}] : {value.type} to {r.type}")
        return r
    class Carried:
        pass
    h = Carried()
    h.name, h.shape, h.element, h.type = "%h", state.shape, "f32", state.type
    h = f.step("arith.mulf", h, at(decay, "decay", [B, D, N]))
    h = add(f, h, at(drive, "drive", [B, D, N]))
    y = f.product("other", h, at(c, "c", [B, N]), "bdn,bn->bd")
    result = f.fresh(out.shape)
    f.emit(f"{result.name} = tensor.insert_slice {y.name} into %o[0, %t, 0] [{B}, 1, {D}] [1, 1, 1] : {y.type} into {out.type}")
    f.emit(f"scf.yield {h.name}, {result.name} : {h.type}, {result.type}")
    f.indent = f.indent[:-2]
    f.emit("}")
    out.name = "%scan#1"
    y = f.step("arith.mulf", f.step("arith.addf", out, f.step("arith.mulf", u, f.weight("D", D), spec="btd,d->btd")), f.silu(z))
    x = f.rms_norm(add(f, x, f.linear(y, "out_proj", D)), "norm_f")
    return [f.linear(x, "lm_head", V, "lm_head")]


def latent(f):
    """MLA: low-rank queries, keys and values, and a second score from the part that carries positions."""
    N, R, L = D // H, 8, 32
    x = embed(f)
    n = f.rms_norm(x, "norm")
    q = f.linear(f.rms_norm(f.linear(n, "q_a_proj", L), "q_a_norm"), "q_b_proj", H * (N + R))
    q = f.transpose(f.expand(q, [[0], [1], [2, 3]], [B, T, H, N + R]), [0, 2, 1, 3])
    q_nope, q_rope = f.slice(q, [0, 0, 0, 0], [B, H, T, N]), f.slice(q, [0, 0, 0, N], [B, H, T, R])
    kv = f.linear(n, "kv_a_proj_with_mqa", L + R)
    latent_kv, k_rope = f.slice(kv, [0, 0, 0], [B, T, L]), f.slice(kv, [0, 0, L], [B, T, R])
    kv = f.linear(f.rms_norm(latent_kv, "kv_a_norm"), "kv_b_proj", H * 2 * N)
    kv = f.transpose(f.expand(kv, [[0], [1], [2, 3]], [B, T, H, 2 * N]), [0, 2, 1, 3])
    k, v = (f.slice(kv, [0, 0, 0, i * N], [B, H, T, N]) for i in range(2))
    cos, sin = f.arg([T, R]), f.arg([T, R])
    q_rope = add(f, f.step("arith.mulf", q_rope, cos, spec="bhtr,tr->bhtr"), f.step("arith.mulf", q_rope, sin, spec="bhtr,tr->bhtr"))
    s = add(f, f.product("attention_scores", q_nope, k, "bhqd,bhkd->bhqk"),
            f.product("attention_scores", q_rope, k_rope, "bhqd,bkd->bhqk"))
    p = f.softmax(f.step("arith.addf", s, f.arg([T, T]), spec="bhqk,qk->bhqk"))
    a = f.product("attention_context", p, v, "bhqk,bhkd->bhqd")
    x = f.rms_norm(add(f, x, f.linear(f.unheads(a), "o_proj", D)), "final")
    return [f.linear(x, "lm_head", V, "lm_head")]


def latent_absorbed(f):
    """MLA at decode time: the up-projections of keys and values applied to queries and to the context."""
    N, L, S = D // H, 32, 16
    x = f.arg([B, T, D])
    n = f.rms_norm(x, "norm")
    q = f.heads(f.linear(n, "q_proj", D), H)
    cache = f.arg([B, S, L])
    # Without its name a matrix for each head could as well be data.
    absorbed = f.product("linear or other", q, f.weight("k_up", H, N, L), "bhtd,hdl->bhtl")
    s = f.product("attention_scores", absorbed, cache, "bhtl,bsl->bhts")
    a = f.product("attention_context", f.softmax(s), cache, "bhts,bsl->bhtl")
    y = f.product("linear or other", a, f.weight("v_up", H, N, L), "bhtl,hdl->bhtd")
    return [add(f, x, f.linear(f.unheads(y), "o_proj", D))]


def einsum(f):
    """JAX: heads in the weights, two reduction dimensions in the output projection, grouped queries without a copy."""
    N, G = D // H, 2
    x = embed(f)
    n = f.rms_norm(x, "norm")
    q = f.product("linear", n, f.weight("q", D, H // G, G, N), "btd,dkgn->btkgn")
    k = f.product("linear", f.weight("k", D, H // G, N), n, "dkn,bsd->bksn")
    v = f.product("linear", n, f.weight("v", D, H // G, N), "bsd,dkn->bskn", swapped=True)
    s = f.product("attention_scores", q, k, "btkgn,bksn->bkgts")
    p = f.softmax(f.step("arith.addf", s, f.arg([T, T]), spec="bkgts,ts->bkgts"))
    a = f.product("attention_context", v, p, "bskn,bkgts->btkgn", add_first=True)
    y = f.product("linear", a, f.weight("o", H // G, G, N, D), "btkgn,kgnd->btd")
    x = f.rms_norm(add(f, x, y), "final")
    return [f.product("lm_head", x, f.weight("head", D, V), "btd,dv->btv")]


def adapters(f):
    """LoRA on one layer; a gate of each head on the attention's result."""
    x = embed(f)
    n = f.rms_norm(x, "norm")
    q = add(f, f.linear(n, "q_proj", D),
            f.constant_step("arith.mulf", f.linear(f.linear(n, "lora_A", 8), "lora_B", D), "2.0"))
    k, v = f.linear(n, "k_proj", D), f.linear(n, "v_proj", D)
    a = f.attend(*(f.heads(y, H) for y in (q, k, v)))
    gate = f.sigmoid(f.linear(n, "head_gate", H))
    a = f.step("arith.mulf", a, gate, spec="bhtd,bth->bhtd")
    x = f.rms_norm(add(f, x, f.linear(f.unheads(a), "o_proj", D)), "final")
    return [f.linear(x, "lm_head", V, "lm_head")]


def grouped_experts(f):
    """Every expert on every token, as products of stacks; the router's softmax weighs them. A shared expert with a gate."""
    E, F = 4, 32
    x = embed(f)
    n = f.rms_norm(x, "norm")
    p = f.softmax(f.linear(n, "gate", E, "router"))
    h = f.silu(f.product("expert", n, f.weight("experts.gate", E, D, F), "btd,edf->ebtf"))
    h = f.step("arith.mulf", h, f.product("expert", n, f.weight("experts.up", E, D, F), "btd,edf->ebtf"))
    y = f.product("expert", h, f.weight("experts.down", E, F, D), "ebtf,efd->ebtd")
    y = f.step("arith.mulf", f.transpose(y, [1, 2, 3, 0]), p, spec="btde,bte->btde")
    y = f.reduce("arith.addf", y)
    gate = f.collapse(f.sigmoid(f.linear(n, "shared_gate", 1, "router")), [[0], [1, 2]])
    shared = f.step("arith.mulf", mlp(f, n, "shared"), gate, spec="btd,bt->btd")
    x = f.rms_norm(add(f, x, add(f, y, shared)), "final")
    return [f.linear(x, "lm_head", V, "lm_head")]


def cross_attention(f):
    """Whisper's decoder: keys and values of the encoder's states, biases; BERT-like norms after the sum."""
    states = f.arg([B, T, D])
    x = embed(f)
    x = f.step("arith.addf", x, f.weight("embed_positions.weight", T, D), spec="btd,td->btd")
    a = f.linear(f.unheads(f.attend(*qkv(f, x, "self"), mask=f.arg([T, T]))), "o_proj", D, bias=True)
    x = f.layer_norm(add(f, x, a), "norm1")
    a = f.linear(f.unheads(f.attend(*qkv(f, states, "cross", q=x))), "cross.o_proj", D, bias=True)
    x = f.layer_norm(add(f, x, a), "norm2")
    m = f.linear(f.step("math.tanh", f.linear(x, "fc1", 2 * D, bias=True)), "fc2", D, bias=True)
    return [f.linear(f.layer_norm(add(f, x, m), "norm3"), "proj_out", V, "lm_head")]


def block(f):
    """One layer without embedding or head: all of it is linear."""
    x = f.arg([B, T, D])
    n = f.rms_norm(x, "norm1")
    x = add(f, x, f.linear(f.unheads(f.attend(*qkv(f, n, "attn"), mask=f.arg([T, T]))), "o_proj", D))
    return [add(f, x, mlp(f, f.rms_norm(x, "norm2"), "mlp"))]


def linear_attention(f):
    """No softmax: keys by values, then queries by that."""
    x = embed(f)
    n = f.rms_norm(x, "norm")
    q, k, v = qkv(f, n, "attn")
    kv = f.product("other", f.sigmoid(k), v, "bhtd,bhte->bhde")
    a = f.product("other", f.sigmoid(q), kv, "bhtd,bhde->bhte")
    x = f.rms_norm(add(f, x, f.linear(f.unheads(a), "o_proj", D)), "final")
    return [f.linear(x, "lm_head", V, "lm_head")]


def contrastive(f):
    """CLIP: two towers, unit vectors, and a product of the two that is no layer."""
    image = f.linear(f.layer_norm(f.arg([1, T, D]), "visual.ln_post"), "visual.proj", 32)
    text = f.linear(f.layer_norm(f.arg([1, T, D]), "ln_final"), "text_projection", 32)
    return [f.product("other", image, text, "aid,ajd->aij")]


ALL = [encoder_decoder, soft_capped, parallel, one_norm, vision, state_space, latent, latent_absorbed, einsum, adapters,
       grouped_experts, cross_attention, block, linear_attention, contrastive]
SPELLINGS = ["torch2d", "torch3d", "generic", "contract", "maps", "left", "init"]
