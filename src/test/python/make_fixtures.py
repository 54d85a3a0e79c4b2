"""Makes src/test/resources/pytorch: tiny models and what PyTorch computes with them.

Run from the project's root, with Debian's python3-torch (PyTorch 1.13) or any later PyTorch:

    python3 src/test/python/make_fixtures.py

Each variant is a directory in the layout of Hugging Face: config.json and model.safetensors
(parameter names and shapes as in `transformers`), and beside them

    expected.json          a batch (input_ids, targets; -1 is not counted), its mean loss, and the
                           losses and gradient norms (before clipping) of ten AdamW steps on it
    expected.safetensors   the logits of every position and the gradient of every parameter

A second kind, `files-…`, is for readers of files: the same models as others write them (half
precision, shards with an index, names without prefix, buffers, old and new keys of
configurations), with the logits alone.

The models are written out below; everything is computed in float64, from weights that are float32
numbers, and tensors are stored rounded to float32. Weights are random, biases and gains included,
and larger than an initialization, so that no term of a gradient is small enough to hide an error.
"""

import json
import math
import pathlib
import struct

import torch
import torch.nn.functional as F

SEQUENCES, TIME, VOCABULARY, CONTEXT = 3, 17, 61, 24
STEPS, LEARNING_RATE, BETAS, EPSILON, DECAY, CLIP = 10, 1e-3, (0.9, 0.99), 1e-8, 0.1, 1.0


# ---- the models: parameters p by their names in transformers, configuration c by its keys ----


def attention(q, k, v):
    """Causal attention; q (B,H,T,D), k and v (B,G,T,D) with G dividing H -> (B,T,H*D)."""
    batch, heads, time, size = q.shape
    k = k.repeat_interleave(heads // k.shape[1], dim=1)
    v = v.repeat_interleave(heads // v.shape[1], dim=1)
    scores = q @ k.transpose(-1, -2) / math.sqrt(size)
    future = torch.ones(time, time, dtype=torch.bool).triu(1)
    weights = scores.masked_fill(future, -math.inf).softmax(-1)
    return (weights @ v).transpose(1, 2).reshape(batch, time, heads * size)


def split_heads(x, heads):
    batch, time, width = x.shape
    return x.view(batch, time, heads, width // heads).transpose(1, 2)


def gpt2(p, c, ids):
    def norm(x, name):
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        y = centred / torch.sqrt(variance + c["layer_norm_epsilon"]) * p[name + ".weight"]
        return y + p.get(name + ".bias", 0)

    def conv1d(x, name):  # weight (in, out)
        return x @ p[name + ".weight"] + p.get(name + ".bias", 0)

    def gelu(x):
        if c["activation_function"] == "gelu":
            return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    x = p["transformer.wte.weight"][ids] + p["transformer.wpe.weight"][: ids.shape[1]]
    for i in range(c["n_layer"]):
        h = f"transformer.h.{i}."
        qkv = conv1d(norm(x, h + "ln_1"), h + "attn.c_attn").chunk(3, dim=-1)
        x = x + conv1d(attention(*(split_heads(y, c["n_head"]) for y in qkv)), h + "attn.c_proj")
        x = x + conv1d(gelu(conv1d(norm(x, h + "ln_2"), h + "mlp.c_fc")), h + "mlp.c_proj")
    return norm(x, "transformer.ln_f") @ p.get("lm_head.weight", p["transformer.wte.weight"]).T


def scaled(frequencies, scaling):
    """Rotary frequencies by rope_scaling: all divided, or as Llama 3.1 by their wavelength."""
    kind = scaling["rope_type"]
    if kind == "default":
        return frequencies
    divided = frequencies / scaling["factor"]
    if kind == "linear":
        return divided
    original = scaling["original_max_position_embeddings"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    wavelength = 2 * math.pi / frequencies
    smooth = (original / wavelength - low) / (high - low)
    between = (1 - smooth) * divided + smooth * frequencies
    result = torch.where(wavelength > original / low, divided, between)
    return torch.where(wavelength < original / high, frequencies, result)


def llama(p, c, ids):
    """Llama, Qwen2 and Qwen3: what they have not, the parameters have not."""
    def norm(x, name):
        variance = x.square().mean(-1, keepdim=True)
        return x / torch.sqrt(variance + c["rms_norm_eps"]) * p[name + ".weight"]

    def linear(x, name):  # weight (out, in)
        return x @ p[name + ".weight"].T + p.get(name + ".bias", 0)

    def normed_heads(x, name):  # qwen3: each head by itself
        return norm(x, name) if name + ".weight" in p else x

    def rotate(x):
        half = c["head_dim"] // 2
        frequencies = c["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) / half)
        frequencies = scaled(frequencies, c.get("rope_scaling") or {"rope_type": "default"})
        angles = torch.outer(torch.arange(x.shape[2], dtype=torch.float64), frequencies)
        a, b = x[..., :half], x[..., half:]
        cos, sin = angles.cos(), angles.sin()
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)

    x = p["model.embed_tokens.weight"][ids]
    for i in range(c["num_hidden_layers"]):
        h = f"model.layers.{i}."
        y = norm(x, h + "input_layernorm")
        q = split_heads(linear(y, h + "self_attn.q_proj"), c["num_attention_heads"])
        q = rotate(normed_heads(q, h + "self_attn.q_norm"))
        k = split_heads(linear(y, h + "self_attn.k_proj"), c["num_key_value_heads"])
        k = rotate(normed_heads(k, h + "self_attn.k_norm"))
        v = split_heads(linear(y, h + "self_attn.v_proj"), c["num_key_value_heads"])
        x = x + linear(attention(q, k, v), h + "self_attn.o_proj")
        y = norm(x, h + "post_attention_layernorm")
        gate = linear(y, h + "mlp.gate_proj")
        up = linear(y, h + "mlp.up_proj")
        x = x + linear(gate * torch.sigmoid(gate) * up, h + "mlp.down_proj")
    head = p.get("lm_head.weight", p["model.embed_tokens.weight"])
    return norm(x, "model.norm") @ head.T


# ---- their configurations and shapes ----


def gpt2_config(channels, inner, activation="gelu_new", epsilon=1e-5, tied=True, bias=True):
    return {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": VOCABULARY,
        "n_positions": CONTEXT,
        "n_embd": channels,
        "n_layer": 2,
        "n_head": 3,
        "n_inner": inner,
        "activation_function": activation,
        "layer_norm_epsilon": epsilon,
        "tie_word_embeddings": tied,
        "bias": bias,  # nanoGPT's key; transformers always has biases
    }


def llama_config(
    channels,
    inner,
    heads,
    groups,
    size,
    theta=10000.0,
    epsilon=1e-5,
    tied=True,
    attention_bias=False,
    mlp_bias=False,
    scaling=None,
    kind="llama",
):
    return {
        "model_type": kind,
        "architectures": [kind.capitalize() + "ForCausalLM"],
        "vocab_size": VOCABULARY,
        "max_position_embeddings": CONTEXT,
        "hidden_size": channels,
        "intermediate_size": inner,
        "num_hidden_layers": 2,
        "num_attention_heads": heads,
        "num_key_value_heads": groups,
        "head_dim": size,
        "hidden_act": "silu",
        "rms_norm_eps": epsilon,
        "rope_theta": theta,
        "tie_word_embeddings": tied,
        **({"attention_bias": attention_bias} if kind != "qwen2" else {}),
        **({"mlp_bias": mlp_bias} if kind == "llama" else {}),
        **({"rope_scaling": scaling} if scaling else {}),
    }


def gpt2_shapes(c):
    channels, inner = c["n_embd"], c["n_inner"]
    shapes = {
        "transformer.wte.weight": (VOCABULARY, channels),
        "transformer.wpe.weight": (CONTEXT, channels),
    }

    def norm(name):
        shapes[name + ".weight"] = (channels,)
        if c["bias"]:
            shapes[name + ".bias"] = (channels,)

    def conv1d(name, inputs, outputs):
        shapes[name + ".weight"] = (inputs, outputs)
        if c["bias"]:
            shapes[name + ".bias"] = (outputs,)

    for i in range(c["n_layer"]):
        h = f"transformer.h.{i}."
        norm(h + "ln_1")
        conv1d(h + "attn.c_attn", channels, 3 * channels)
        conv1d(h + "attn.c_proj", channels, channels)
        norm(h + "ln_2")
        conv1d(h + "mlp.c_fc", channels, inner)
        conv1d(h + "mlp.c_proj", inner, channels)
    norm("transformer.ln_f")
    if not c["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (VOCABULARY, channels)
    return shapes


def llama_shapes(c):
    channels, inner = c["hidden_size"], c["intermediate_size"]
    queries = c["num_attention_heads"] * c["head_dim"]
    keys = c["num_key_value_heads"] * c["head_dim"]
    shapes = {"model.embed_tokens.weight": (VOCABULARY, channels)}

    def linear(name, outputs, inputs, bias):
        shapes[name + ".weight"] = (outputs, inputs)
        if bias:
            shapes[name + ".bias"] = (outputs,)

    output_bias = c.get("attention_bias", False)
    bias = output_bias or c["model_type"] == "qwen2"
    mlp_bias = c.get("mlp_bias", False)
    for i in range(c["num_hidden_layers"]):
        h = f"model.layers.{i}."
        shapes[h + "input_layernorm.weight"] = (channels,)
        linear(h + "self_attn.q_proj", queries, channels, bias)
        linear(h + "self_attn.k_proj", keys, channels, bias)
        linear(h + "self_attn.v_proj", keys, channels, bias)
        linear(h + "self_attn.o_proj", channels, queries, output_bias)
        if c["model_type"] == "qwen3":
            shapes[h + "self_attn.q_norm.weight"] = (c["head_dim"],)
            shapes[h + "self_attn.k_norm.weight"] = (c["head_dim"],)
        shapes[h + "post_attention_layernorm.weight"] = (channels,)
        linear(h + "mlp.gate_proj", inner, channels, mlp_bias)
        linear(h + "mlp.up_proj", inner, channels, mlp_bias)
        linear(h + "mlp.down_proj", channels, inner, mlp_bias)
    shapes["model.norm.weight"] = (channels,)
    if not c["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (VOCABULARY, channels)
    return shapes


# So that of eight frequencies some are divided, some stay and some lie between.
LLAMA3_SCALING = {
    "rope_type": "llama3",
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 3.0,
    "original_max_position_embeddings": 12,
}
VARIANTS = {
    "gpt2": gpt2_config(48, 100),
    "gpt2-exact-gelu-no-bias": gpt2_config(24, 96, activation="gelu", bias=False),
    "gpt2-untied": gpt2_config(24, 50, epsilon=1e-6, tied=False),
    "llama": llama_config(48, 56, heads=3, groups=1, size=16),
    "llama-untied": llama_config(24, 40, heads=3, groups=3, size=8, theta=500.0, tied=False),
    "llama-wide-heads-bias": llama_config(
        24, 35, heads=4, groups=2, size=10, epsilon=1e-6, attention_bias=True, mlp_bias=True
    ),
    "llama-attention-bias": llama_config(
        16, 20, heads=2, groups=1, size=8, theta=1e6, attention_bias=True
    ),
    "llama-mlp-bias-linear-rope": llama_config(
        16, 20, heads=2, groups=2, size=8, mlp_bias=True, scaling={"rope_type": "linear", "factor": 3.5}
    ),
    "llama3-rope": llama_config(
        16, 20, heads=2, groups=1, size=16, theta=40.0, scaling=LLAMA3_SCALING
    ),
    "qwen2": llama_config(24, 40, heads=4, groups=2, size=6, epsilon=1e-6, kind="qwen2"),
    "qwen2-untied": llama_config(
        16, 20, heads=2, groups=1, size=10, theta=1e6, tied=False, kind="qwen2"
    ),
    "qwen3": llama_config(24, 40, heads=4, groups=2, size=10, epsilon=1e-6, kind="qwen3"),
    "qwen3-untied-bias": llama_config(
        16, 20, heads=3, groups=3, size=4, tied=False, attention_bias=True, kind="qwen3"
    ),
}
MODELS = {"gpt2": (gpt2, gpt2_shapes), **dict.fromkeys(("llama", "qwen2", "qwen3"), (llama, llama_shapes))}


# ---- weights, batch, losses, files ----


def random_weights(shapes, generator):
    """Float32 numbers as float64 leaves; a row of a matrix gives values of about one."""
    weights = {}
    for name, shape in shapes.items():
        x = torch.randn(shape, generator=generator)
        if name.endswith(("wte.weight", "wpe.weight", "embed_tokens.weight", "lm_head.weight")):
            x = 0.4 * x
        elif len(shape) == 2:
            x = x / math.sqrt(sum(shape) / 2)
        elif name.endswith("bias"):
            x = 0.3 * x
        else:
            x = 1 + 0.3 * x
        weights[name] = x.double().requires_grad_()
    return weights


def mean_loss(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)


def adamw(model, weights, config, ids, targets):
    """The losses and gradient norms of the steps; changes the weights."""
    groups = [
        {"params": [w for w in weights.values() if w.dim() >= 2], "weight_decay": DECAY},
        {"params": [w for w in weights.values() if w.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON)
    losses, norms = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = mean_loss(model(weights, config, ids), targets)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(weights.values(), CLIP).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def little_endian(tensor, dtype):
    if dtype == "BF16":  # the upper half of a float32; numpy has no such type
        bits = tensor.to(torch.bfloat16).float().contiguous().view(torch.int32) >> 16
        return struct.pack(f"<{tensor.numel()}h", *bits.flatten().tolist())
    letter = {"F64": "d", "F32": "f", "F16": "e"}[dtype]
    return struct.pack(f"<{tensor.numel()}{letter}", *tensor.flatten().tolist())


def write_safetensors(path, tensors, dtype="F32"):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name in sorted(tensors):
        begin = len(data)
        data += little_endian(tensors[name].detach(), dtype)
        shape = list(tensors[name].shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


def make(directory, config, seed):
    generator = torch.Generator().manual_seed(seed)
    model, shapes = MODELS[config["model_type"]]
    weights = random_weights(shapes(config), generator)
    size = (SEQUENCES, TIME)
    ids = torch.randint(VOCABULARY, size, generator=generator)
    targets = torch.randint(VOCABULARY, size, generator=generator)
    targets[torch.rand(size, generator=generator) < 0.2] = -1

    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / "config.json", config)
    write_safetensors(directory / "model.safetensors", weights)
    logits = model(weights, config, ids)
    loss = mean_loss(logits, targets)
    loss.backward()
    gradients = {name: weight.grad.clone() for name, weight in weights.items()}
    write_safetensors(directory / "expected.safetensors", {"logits": logits, **gradients})
    losses, norms = adamw(model, weights, config, ids, targets)
    write_json(
        directory / "expected.json",
        {
            "input_ids": ids.flatten().tolist(),
            "targets": targets.flatten().tolist(),
            "loss": loss.item(),
            "adamw_losses": losses,
            "adamw_gradient_norms": norms,
        },
    )
    print(f"{directory.name}: losses {losses[0]:.4f} ... {losses[-1]:.4f}, norm {norms[0]:.3f}")


# ---- models as others write them ----


def gpt2_as_openai(weights, c):
    """OpenAI's first files: no prefix, and the causal masks as buffers."""
    tensors = {name.replace("transformer.", ""): weight for name, weight in weights.items()}
    mask = torch.ones(CONTEXT, CONTEXT, dtype=torch.float64).tril().view(1, 1, CONTEXT, CONTEXT)
    for i in range(c["n_layer"]):
        tensors[f"h.{i}.attn.bias"] = mask
        tensors[f"h.{i}.attn.masked_bias"] = torch.tensor(-1e4, dtype=torch.float64)
    old = {k: v for k, v in c.items() if k not in ("bias", "n_inner", "tie_word_embeddings")}
    return tensors, {**old, "n_ctx": CONTEXT, "summary_type": "cls_index"}


def head_only(weights, c):
    """Of two names of one matrix the other; the configuration of transformers 5."""
    tensors = dict(weights)
    tensors["lm_head.weight"] = tensors.pop("model.embed_tokens.weight")
    new = {k: v for k, v in c.items() if not k.startswith("rope_")}
    new["rope_parameters"] = {"rope_theta": c["rope_theta"], **c["rope_scaling"]}
    return tensors, {**new, "dtype": "float16", "eos_token_id": [3, 5]}


def old_llama(weights, c):
    """Rotary frequencies as buffers; scaling by its first name; no head_dim, heads of Llama 1."""
    tensors = {name.replace("model.", "", 1): weight for name, weight in weights.items()}
    for i in range(c["num_hidden_layers"]):
        tensors[f"layers.{i}.self_attn.rotary_emb.inv_freq"] = torch.ones(c["head_dim"] // 2)
    old = {k: v for k, v in c.items() if k not in ("head_dim", "attention_bias", "mlp_bias")}
    scaling = {"type": "linear", "factor": c["rope_scaling"]["factor"]}
    return tensors, {**old, "num_key_value_heads": None, "rope_scaling": scaling}


def mistral(weights, c):
    old = {k: v for k, v in c.items() if k not in ("attention_bias", "mlp_bias")}
    old["model_type"], old["architectures"] = "mistral", ["MistralForCausalLM"]
    return weights, {**old, "sliding_window": CONTEXT, "torch_dtype": "bfloat16"}


def released_qwen(weights, c):
    keys = {"use_sliding_window": False, "sliding_window": 16, "max_window_layers": 1}
    return weights, {**c, **keys, "torch_dtype": "bfloat16"}


FILES = {  # the model, its type, the number of its files, how it is written
    "files-gpt2-f64": (gpt2_config(18, 72), "F64", 1, gpt2_as_openai),
    "files-llama-f16": (
        llama_config(16, 20, heads=2, groups=1, size=16, scaling=LLAMA3_SCALING),
        "F16",
        1,
        head_only,
    ),
    "files-llama-f32": (
        llama_config(
            16, 20, 2, 2, 8, tied=False, scaling={"rope_type": "linear", "factor": 2.0}
        ),
        "F32",
        1,
        old_llama,
    ),
    "files-mistral-bf16": (llama_config(16, 20, 4, 2, 6, tied=False), "BF16", 3, mistral),
    "files-qwen2-bf16": (llama_config(16, 20, 2, 1, 8, kind="qwen2"), "BF16", 1, released_qwen),
    "files-qwen3-bf16": (llama_config(16, 20, 2, 1, 10, kind="qwen3"), "BF16", 2, released_qwen),
}


def make_files(directory, config, dtype, shards, rewrite, seed):
    generator = torch.Generator().manual_seed(seed)
    model, shapes = MODELS[config["model_type"]]
    weights = random_weights(shapes(config), generator)
    weights = {name: w.detach().to(TYPES[dtype]).double() for name, w in weights.items()}
    ids = torch.randint(VOCABULARY, (SEQUENCES, TIME), generator=generator)
    tensors, written = rewrite(weights, config)
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / "config.json", written)
    names = sorted(tensors)
    if shards == 1:
        write_safetensors(directory / "model.safetensors", tensors, dtype)
    else:
        file = lambda i: f"model-{i % shards + 1:05}-of-{shards:05}.safetensors"
        for i in range(shards):
            part = {name: tensors[name] for name in names[i::shards]}
            write_safetensors(directory / file(i), part, dtype)
        size = sum(tensor.numel() for tensor in tensors.values()) * 2
        index = {
            "metadata": {"total_size": size},
            "weight_map": {name: file(i) for i, name in enumerate(names)},
        }
        write_json(directory / "model.safetensors.index.json", index)
    write_safetensors(directory / "expected.safetensors", {"logits": model(weights, config, ids)})
    write_json(directory / "expected.json", {"input_ids": ids.flatten().tolist()})
    print(f"{directory.name}: {len(tensors)} tensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    root = pathlib.Path(__file__).resolve().parents[1] / "resources" / "pytorch"
    for number, (name, config) in enumerate(VARIANTS.items()):
        make(root / name, config, seed=1000 + number)
    for number, (name, arguments) in enumerate(FILES.items()):
        make_files(root / name, *arguments, seed=2000 + number)
