"""Every example of docs/loaders.md runs: one step on the CPU, on a tiny random model from a folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.documents import REPOSITORY
from tests.making import EVERYBODY, FLAW, POLICY, Clock, bring, decide, make_report, open_store
from triage_core.desk.decision import Decision
from triage_core.exporters.build import ExportRequest, build

PAGE = (REPOSITORY / "docs" / "loaders.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"^## ([^\n]+)\n```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
PROFILES = ("sft", "preference", "kto", "reward", "prompt_only", "classifier")
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
MODEL = """
import json
from pathlib import Path
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
marks = ["<pad>", "</s>", "<|user|>", "<|assistant|>", "<|system|>", "<|tool|>"]
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {token: number for number, token in enumerate(marks + letters)}
tokenizer = Tokenizer(models.BPE(vocabulary, []))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>")
fast.chat_template = json.loads(Path("template.json").read_text())
fast.save_pretrained("model")
shape = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2)
LlamaForCausalLM(LlamaConfig(vocab_size=len(vocabulary), pad_token_id=0, eos_token_id=1, **shape)).save_pretrained(
    "model"
)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an ML engineer works: a version of each dataset, and a model."""
    made = tmp_path_factory.mktemp("work")
    store = open_store(made / "store", Clock())
    better = Decision(FLAW.clauses, FLAW.inputs, better_answer="I cannot help with that.")
    for number in range(24):
        line = make_report(f"Question {number} 東京", consent_training="any_safety_training")
        (report_id,) = bring(store, line)
        decide(store, report_id, better if number % 3 else Decision(("EXP-1",)))
    for profile in PROFILES:
        build(store, POLICY, EVERYBODY, ExportRequest(profile, made / "datasets"))
    store.close()
    (made / "template.json").write_text(json.dumps(TEMPLATE))
    (made / "model.py").write_text(MODEL)
    return made


def run(folder: Path, code: str) -> str:
    """Run code in the folder, in a process of its own that finds no hub; gives what it printed."""
    # The trainer's own warnings are no fault of ours.
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_there_is_an_example_for_each_trainer() -> None:
    assert [name.partition(":")[0] for name in EXAMPLES] == [
        "SFT",
        "DPO",
        "KTO",
        "Reward model",
        "GRPO",
        "A classifier with scikit-learn",
    ]
    assert max(len(code.splitlines()) for code in EXAMPLES.values()) <= 25


@pytest.mark.optional
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXAMPLES if "scikit" not in name])
def test_a_trainer_takes_one_step(folder: Path, name: str) -> None:
    pytest.importorskip("trl")
    if not (folder / "model").exists():
        run(folder, MODEL)
    assert "train_loss" in run(folder, EXAMPLES[name])


def test_the_classifier_learns(folder: Path) -> None:
    assert "unharmful" in run(folder, EXAMPLES["A classifier with scikit-learn"])
