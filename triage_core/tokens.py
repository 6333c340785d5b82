"""Control tokens of chat templates typed as plain text.

A tokenizer that meets `<|im_end|>` inside a prompt makes the real control token of it, so that the
text ends the message in which it stands. Text that holds one is flagged wherever it goes out.
"""

from __future__ import annotations

import re

_PATTERNS = (
    r"<\|[^\s<>|]{1,64}\|>",  # ChatML, Llama 3, Qwen, Phi, Cohere, end of text
    r"<｜[^\s<>｜]{1,64}｜>",  # DeepSeek, with full-width bars
    r"</?s>|<(?:bos|eos|pad|unk|mask)>",  # sentence marks of SentencePiece and their kin
    r"\[/?INST\]|<</?SYS>>",  # Llama 2, Mistral
    r"\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|TOOL_CONTENT|THINK|IMG|PREFIX|SUFFIX)\]",
    r"<(?:start|end)_of_(?:turn|image|audio)>|<(?:start|end)_function_(?:call|response|declaration)>",  # Gemma
    r"</?(?:think|tool_call|tool_response|tools)>",  # reasoning and tool calls of several families
    r"\[(?:CLS|SEP|MASK|PAD|UNK|gMASK|sMASK)\]|<(?:sop|eop)>",  # BERT, GLM
    r"<extra_id_\d{1,4}>|<reserved_\d{1,4}>",  # T5, Baichuan
)
_TOKEN = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS))

# What every token begins with, in the syntax that RE2 knows as well: text without any of these holds none.
SIGNS = (
    r"<[|/A-Za-z<｜]",
    r"\[/?[A-Zgs]",
)


def find(text: str) -> tuple[str, ...]:
    """The distinct control tokens in `text`, in the order in which they first stand there; spelled as found."""
    if "<" not in text and "[" not in text:
        return ()  # most texts, at a fraction of the cost
    return tuple(dict.fromkeys(match.group() for match in _TOKEN.finditer(text)))


def defang(text: str) -> str:
    """The text with a word joiner (U+2060) after the first character of each control token, which is then none."""
    if not find(text):
        return text
    return _TOKEN.sub(lambda token: f"{token[0][0]}\u2060{token[0][1:]}", text)
