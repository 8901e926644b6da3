"""Cuts the demo's texts into sentences, to see that none is used twice."""

import re
from collections.abc import Iterator
from typing import Any

from backend.demo.corpus import Conversation

_END = re.compile(r"(?<=[.!?。！？…])[\s\"”»)]+|\n\s*\n")
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_NO_SPACES = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
LONGEST_SHARED = 8
"""A sentence of so many words may occur twice: greetings, closings, thanks."""


def long_sentences(text: str) -> Iterator[str]:
    """The sentences of more than eight words, in small letters and without punctuation.

    Chinese and Japanese have no blanks between words; two signs are counted as one there.
    """
    rows = [row for row in text.split("\n") if not row.lstrip().startswith(">")]
    for sentence in _END.split("\n".join(rows)):
        words = _WORD.findall(sentence.lower())
        signs = len(_NO_SPACES.findall(sentence))
        if len(words) > LONGEST_SHARED or signs > 2 * LONGEST_SHARED:
            yield " ".join(words)


def conversation_texts(conversation: Conversation) -> Iterator[str]:
    """Everything written in a conversation, but for signatures and the HTML form of the same words."""
    for message in conversation.messages:
        yield message.text
    for comment in conversation.comments:
        yield comment.text
    yield from conversation.answers


def strings(value: Any) -> Iterator[str]:
    """All texts in a YAML document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
