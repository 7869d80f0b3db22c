"""One engine in a process of its own, asked over a pipe: the peers of the writer's benchmark, and ours.

``python writer_engines.py NAME FOLDER`` loads the engine NAME over the checkpoint in FOLDER, writes a line of JSON with
what loading took, and answers each line ``[[prompts], new_tokens]`` with what that took. It imports nothing of this
repository but for our own engine, so that peers can run in an environment that knows nothing of it.

FOLDER: hparams.json and the checkpoint, and for the peers weights.npz, the same weights by name.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

THREADS = 2
TOP_K = 40
TEMPERATURE = 0.9

Prompts = list[list[int]]
Draw = Callable[[Prompts, int], int]
"""Draws so many tokens after each prompt; how many it drew in all."""


def ours(folder: Path, *, threads: int, lanes: int) -> Draw:
    """Our own engine over its 8 bit export, eight slots."""
    from model.engine.decode import Request, generate
    from model.sampling import Sampling
    from model.serving import open_engine

    engine = open_engine(folder, slots=8, threads=threads, lanes=lanes)
    sampling = Sampling(temperature=TEMPERATURE, top_k=TOP_K, top_p=1.0, repeat_tokens=0)

    def draw(prompts: Prompts, new: int) -> int:
        return sum(1 for _ in generate(engine, [Request(ids, new, n, sampling) for n, ids in enumerate(prompts)]))

    return draw


def gpt_2_simple(folder: Path) -> Draw:
    """gpt-2-simple's own graph, built once for each shape: it builds a new one with every call of ``generate``."""
    import gpt_2_simple
    import tensorflow as tf
    from gpt_2_simple.src import model, sample

    session = gpt_2_simple.start_tf_sess(threads=THREADS)
    gpt_2_simple.load_gpt2(session, model_name=folder.name, model_dir=str(folder.parent))
    hparams = model.default_hparams()
    hparams.override_from_dict(json.loads((folder / "hparams.json").read_text(encoding="utf-8")))
    graphs: dict[tuple[int, int], tuple[object, object]] = {}

    def draw(prompts: Prompts, new: int) -> int:
        shape = (len(prompts), new)
        if shape not in graphs:
            context = tf.compat.v1.placeholder(tf.int32, [len(prompts), None])
            output = sample.sample_sequence(
                hparams=hparams, length=new, context=context, batch_size=shape[0], temperature=TEMPERATURE, top_k=TOP_K
            )
            graphs[shape] = (context, output)
        context, output = graphs[shape]
        drawn = session.run(output, feed_dict={context: prompts})
        return sum(len(row) - len(ids) for row, ids in zip(drawn, prompts, strict=True))

    return draw


def transformers(folder: Path, *, bfloat16: bool = False) -> Draw:
    """Hugging Face's GPT2LMHeadModel on PyTorch."""
    import numpy as np
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.set_num_threads(THREADS)
    hparams = json.loads((folder / "hparams.json").read_text(encoding="utf-8"))
    network = GPT2LMHeadModel(GPT2Config(**{f: hparams[f] for f in ("n_ctx", "n_embd", "n_head", "n_layer")}))
    with np.load(folder / "weights.npz") as arrays:
        state = {_name_there(name): torch.from_numpy(arrays[name].squeeze()) for name in arrays.files}
    missing = network.load_state_dict(state, strict=False)
    if missing.unexpected_keys or set(missing.missing_keys) - {"lm_head.weight"}:
        raise SystemExit(f"weights do not fit: {missing}")
    network.tie_weights()
    network = network.to(torch.bfloat16 if bfloat16 else torch.float32).eval()

    def draw(prompts: Prompts, new: int) -> int:
        ids = torch.tensor(prompts)
        torch.manual_seed(1)
        with torch.inference_mode():
            drawn = network.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=True,
                top_k=TOP_K,
                temperature=TEMPERATURE,
                max_new_tokens=new,
                min_new_tokens=new,
                pad_token_id=0,
            )
        return int(drawn.numel() - ids.numel())

    return draw


def _name_there(name: str) -> str:
    """``h0/attn/c_attn/w`` as transformers call it: ``transformer.h.0.attn.c_attn.weight``."""
    if "/" not in name:
        return f"transformer.{name}.weight"
    *parts, last = name.split("/")
    if parts[0][1:].isdigit():
        parts[:1] = ["h", parts[0][1:]]
    return ".".join(["transformer", *parts, {"w": "weight", "g": "weight", "b": "bias"}[last]])


def ctranslate2(folder: Path, *, replicas: int, threads: int) -> Draw:
    """CTranslate2 in 8 bits; a batch is shared out among the replicas."""
    import ctranslate2

    made = folder / "ctranslate2"
    if not (made / "model.bin").is_file():
        _convert(folder, made)
    generator = ctranslate2.Generator(
        str(made), device="cpu", compute_type="int8", inter_threads=replicas, intra_threads=threads
    )

    def draw(prompts: Prompts, new: int) -> int:
        results = generator.generate_batch(
            [[f"t{number}" for number in ids] for ids in prompts],
            max_batch_size=max(1, len(prompts) // replicas),
            max_length=new,
            min_length=new,
            sampling_topk=TOP_K,
            sampling_temperature=TEMPERATURE,
            include_prompt_in_result=False,
        )
        return sum(len(result.sequences_ids[0]) for result in results)

    return draw


def _convert(folder: Path, made: Path) -> None:
    import numpy as np
    from ctranslate2.specs import common_spec, transformer_spec

    hparams = json.loads((folder / "hparams.json").read_text(encoding="utf-8"))
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        hparams["n_layer"], hparams["n_head"], pre_norm=True, activation=common_spec.Activation.GELUTanh
    )
    with np.load(folder / "weights.npz") as arrays:
        _fill(spec.decoder, arrays)
    spec.config.unk_token = spec.config.bos_token = spec.config.eos_token = "end"
    spec.register_vocabulary([*(f"t{number}" for number in range(hparams["n_vocab"] - 1)), "end"])
    spec.validate()
    spec.optimize(quantization="int8")
    made.mkdir(exist_ok=True)
    spec.save(str(made))


def _fill(decoder: object, arrays: dict[str, object]) -> None:
    decoder.embeddings.weight = decoder.projection.weight = arrays["wte"]
    decoder.position_encodings.encodings = arrays["wpe"]
    decoder.scale_embeddings = False

    def norm(layer: object, name: str) -> None:
        layer.gamma, layer.beta = arrays[f"{name}/g"], arrays[f"{name}/b"]

    def linear(layer: object, name: str) -> None:
        layer.weight, layer.bias = arrays[f"{name}/w"][0].T.copy(), arrays[f"{name}/b"]

    norm(decoder.layer_norm, "ln_f")
    for number, layer in enumerate(decoder.layer):
        norm(layer.self_attention.layer_norm, f"h{number}/ln_1")
        linear(layer.self_attention.linear[0], f"h{number}/attn/c_attn")
        linear(layer.self_attention.linear[1], f"h{number}/attn/c_proj")
        norm(layer.ffn.layer_norm, f"h{number}/ln_2")
        linear(layer.ffn.linear_0, f"h{number}/mlp/c_fc")
        linear(layer.ffn.linear_1, f"h{number}/mlp/c_proj")


ENGINES: dict[str, Callable[[Path], Draw]] = {
    "ours, one thread a text": lambda folder: ours(folder, threads=1, lanes=2),
    "ours, two threads a text": lambda folder: ours(folder, threads=2, lanes=1),
    "gpt-2-simple": gpt_2_simple,
    "transformers float32": transformers,
    "transformers bfloat16": lambda folder: transformers(folder, bfloat16=True),
    "CTranslate2 int8, 2 threads": lambda folder: ctranslate2(folder, replicas=1, threads=2),
    "CTranslate2 int8, 2 replicas": lambda folder: ctranslate2(folder, replicas=2, threads=1),
}


def peak_megabytes() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(name: str, folder: Path) -> None:
    """Load, say so, and answer until the pipe ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    began = time.perf_counter()
    draw = ENGINES[name](folder)
    loaded = time.perf_counter() - began
    first = time.perf_counter()
    draw([list(range(200))], 1)
    spoken = {"load": loaded, "load_and_first": loaded + time.perf_counter() - first, "peak": peak_megabytes()}
    print(json.dumps(spoken), file=answers, flush=True)
    for line in sys.stdin:
        prompts, new = json.loads(line)
        began, used = time.perf_counter(), time.process_time()
        drawn = draw(prompts, new)
        spent = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used}
        print(json.dumps({**spent, "tokens": drawn, "peak": peak_megabytes()}), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
