"""How fast texts become vectors, and how near the vectors are to the reference.

Every contestant embeds the same distinct texts, cut to the model's 256 tokens so that all do the same work:
sentence-transformers (ST) in single precision with batches in arrival order and sorted by length, and our
OpenVINO runtime in f32 and in the precision that the processor has natively. Matrix products measured in the
same rounds give the machine's limit. Where torch finds a GPU, both stand there as well. Texts come from
../shared/data where it is present, else from data/demo.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import arguments, compete, finish, ratio, say, table
from triage_core.errors import ModelError
from triage_core.likeness.embed import WindowedEmbedder
from triage_core.likeness.embed_model import ModelFiles, find
from triage_core.likeness.embed_openvino import OpenVino, Precision
from triage_core.likeness.embed_reference import Device, Reference

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared" / "data"
FIELDS = {
    "wild_jailbreaks/wild_dev.jsonl": "text",
    "jbb_artifacts/prompts_dev.jsonl": "prompt",
    "template_x_payload/composed_dev.jsonl": "text",
    "harm_categories/ailuminate_en_dev.jsonl": "text",
    "harm_categories/openai_moderation_dev.jsonl": "text",
    "human_severity/scores_dev.jsonl": "response",
}
ST_BATCH, ST_GPU_BATCH = 32, 512
ST_ARRIVAL, ST_SORTED = "ST f32, arrival order", "ST f32, sorted"
ST_GPU, GPU = "ST f32 on the GPU, sorted", "Flawdesk f32 on the GPU"
GEMM = {"f32": "matrix product f32", "bf16": "matrix product bf16"}
TARGETS = {"ratio_to_st_sorted": (">=", 3.5), "cosine_min": (">=", 0.9999)}
GPU_TARGETS = {"gpu_ratio_to_st": (">=", 1.0), "gpu_cosine_min": (">=", 0.9999)}


def main() -> None:
    options = arguments(__doc__)
    files = find()
    whole = sample(60 if options.small else 400)
    texts, lengths = cut(whole, files)
    flops = sum(flops_of(length, files) for length in lengths)
    side = 2_048 if options.small else 3_072
    described = (
        f"{len(texts)} texts, {fmean(lengths):.0f} tokens and {flops / len(texts) / 1e9:.2f} GFLOP each"
    )
    say(described)
    st_encode = reference(files)
    with tempfile.TemporaryDirectory() as cache:
        ours = openvino(files, Path(cache))
        contestants: dict[str, Callable[[], object]] = {
            ST_ARRIVAL: lambda: [
                st_encode(texts[at : at + ST_BATCH]) for at in range(0, len(texts), ST_BATCH)
            ],
            ST_SORTED: lambda: st_encode(texts),
            **{name: partial(embedder.embed, texts) for name, embedder in ours.items()},
            **products(side),
        }
        times = compete(contestants, rounds=2 if options.small else 3)
        limits = {precision: 2 * side**3 / min(times[name].seconds) for precision, name in GEMM.items()}
        figures = {
            "tokens_mean": fmean(lengths),
            "gflop_per_text": flops / len(texts) / 1e9,
            "limit_f32_gflops": limits["f32"] / 1e9,
            "limit_bf16_gflops": limits["bf16"] / 1e9,
        }
        expected = st_encode(texts)
        rows = []
        for name in (ST_ARRIVAL, ST_SORTED, *ours):
            cosines = np.einsum("ij,ij->i", ours[name].embed(texts) if name in ours else expected, expected)
            speed, gain = len(texts) / times[name].median, 1 / ratio(times, name, ST_SORTED)
            share = flops / times[name].median / limits["bf16" if name.endswith("bf16") else "f32"]
            rows.append((name, speed, gain, f"{cosines.mean():.6f}", f"{cosines.min():.6f}", share))
            figures[f"texts_per_second, {name}"] = speed
        columns = ("runtime", "texts/s", "times ST sorted", "cosine mean", "cosine min", "share of the limit")
        table(described, columns, rows)
        if ours:
            # The last row and the last embedder are the native precision's.
            figures |= {
                "ratio_to_st_sorted": gain,
                "cosine_min": float(cosines.min()),
                "share_of_limit": share,
            }
            start = time.perf_counter()
            list(ours.values())[-1].embed(whole)
            figures["texts_per_second, whole, in windows"] = len(whole) / (time.perf_counter() - start)
    targets = dict(TARGETS)
    if on_gpu := gpu(files, sample(400 if options.small else 4_000), 2 if options.small else 3):
        figures, targets = figures | on_gpu, targets | GPU_TARGETS
    finish("likeness_embed", figures, targets)


def gpu(files: ModelFiles, whole: list[str], rounds: int) -> dict[str, float]:
    """Figures of the reference runtime on a GPU beside sentence-transformers there; none where there is no GPU."""
    import torch

    if not torch.cuda.is_available():
        return {}
    texts, lengths = cut(whole, files)
    st_encode, embedder = reference(files, "cuda"), WindowedEmbedder(files, Reference(files, "cuda"))
    times = compete({ST_GPU: lambda: st_encode(texts), GPU: lambda: embedder.embed(texts)}, rounds=rounds)
    few = texts[:400]
    expected = reference(files)(few)
    cosines = {
        name: np.einsum("ij,ij->i", np.asarray(embed(few)), expected)
        for name, embed in ((ST_GPU, st_encode), (GPU, embedder.embed))
    }
    table(
        f"{torch.cuda.get_device_name()}: {len(texts)} texts, {fmean(lengths):.0f} tokens each",
        ("runtime", "texts/s", "times ST", "cosine mean", "cosine min"),
        [
            (
                name,
                len(texts) / times[name].median,
                1 / ratio(times, name, ST_GPU),
                f"{found.mean():.6f}",
                f"{found.min():.6f}",
            )
            for name, found in cosines.items()
        ],
    )
    return {
        "gpu_texts_per_second": len(texts) / times[GPU].median,
        "gpu_ratio_to_st": 1 / ratio(times, GPU, ST_GPU),
        "gpu_cosine_min": float(cosines[GPU].min()),
    }


def openvino(files: ModelFiles, cache: Path) -> dict[str, WindowedEmbedder]:
    """Our embedder in f32 and, last, in the precision that is native here; none where it cannot run."""
    embedders = {}
    precisions: tuple[Precision, ...] = ("f32", "native")
    for precision in precisions:
        try:
            runtime = OpenVino(files, cache, precision)
        except ModelError as reason:
            say(f"OpenVINO is left out: {reason}")
            break
        embedders[f"OpenVINO {runtime.precision}"] = WindowedEmbedder(files, runtime)
    return embedders


def sample(count: int) -> list[str]:
    """`count` distinct texts, the same ones on every run."""
    distinct = sorted({text for text in all_texts() if text.strip()})
    random.Random(1).shuffle(distinct)
    return distinct[:count]


def all_texts() -> Iterator[str]:
    if not REAL.is_dir():
        say(f"{REAL} is not there: the texts are the demo's, which are short")
        for line in (ROOT / "data" / "demo" / "reports.jsonl").open(encoding="utf-8"):
            yield "\n".join(turn["content"] for turn in json.loads(line)["turns"])
        return
    for path, field in FIELDS.items():
        for line in (REAL / path).open(encoding="utf-8"):
            yield str(json.loads(line)[field])


def cut(texts: list[str], files: ModelFiles) -> tuple[list[str], list[int]]:
    """The beginning of each text that fits into one window, and its number of tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(files.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(files.max_tokens)
    encoded = tokenizer.encode_batch(texts)
    ends = [max(end for _, end in encoding.offsets) for encoding in encoded]
    return [text[:end] for text, end in zip(texts, ends, strict=True)], [len(e.ids) for e in encoded]


def flops_of(length: int, files: ModelFiles) -> float:
    """Floating-point operations of the model's matrix products for one text of `length` tokens."""
    config = json.loads((files.folder / "config.json").read_text(encoding="utf-8"))
    width, inner = config["hidden_size"], config["intermediate_size"]
    return float(
        config["num_hidden_layers"] * 2 * length * (4 * width**2 + 2 * width * inner + 2 * length * width)
    )


def reference(files: ModelFiles, device: Device = "cpu") -> Callable[[list[str]], NDArray[np.float32]]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(files.folder), device=device)
    batch = ST_BATCH if device == "cpu" else ST_GPU_BATCH
    return lambda texts: np.asarray(model.encode(texts, batch_size=batch, show_progress_bar=False))


def products(side: int) -> dict[str, Callable[[], object]]:
    """Square matrix products on all cores: the rate that no model can exceed."""
    import torch

    single = np.random.default_rng(1).random((side, side), np.float32)
    half = torch.from_numpy(single).to(torch.bfloat16)
    return {GEMM["f32"]: lambda: single @ single, GEMM["bf16"]: lambda: half @ half}


if __name__ == "__main__":
    main()
