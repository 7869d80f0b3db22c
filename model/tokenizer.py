"""GPT-2's byte-level BPE in gpt-2-simple's two files, ``encoder.json`` and ``vocab.bpe``: trained, read, used.

Ids equal those of gpt-2-simple's own encoder for any text. The one difference is deliberate: gpt-2-simple has no way
to write the end-of-text id, here it is ``end_of_text``, the last id.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tokenizers import ByteLevelBPETokenizer
from tokenizers import Tokenizer as FastTokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from tng.errors import ReleaseDamaged

ENCODER_FILE: Final = "encoder.json"
MERGES_FILE: Final = "vocab.bpe"
_END_OF_TEXT: Final = "<|endoftext|>"


class Tokenizer:
    """Text to ids and back, by the two files in a folder. Raises ReleaseDamaged where they cannot be read."""

    def __init__(self, folder: Path) -> None:
        try:
            ids = json.loads((folder / ENCODER_FILE).read_text(encoding="utf-8"))
            merges = (folder / MERGES_FILE).read_text(encoding="utf-8").split("\n")[1:-1]
            self.end_of_text: int = ids.pop(_END_OF_TEXT)
            pairs = [(left, right) for left, right in map(str.split, merges)]
            if not all(left in ids and right in ids and left + right in ids for left, right in pairs):
                raise ValueError("a merge of no tokens")  # the library would raise a bare Exception
            self._bpe = ByteLevelBPETokenizer(ids, pairs)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ReleaseDamaged(f"the tokenizer in {folder.name} cannot be read ({type(error).__name__})") from error

    @property
    def size(self) -> int:
        """How many ids there are, the end-of-text id among them."""
        return self.end_of_text + 1

    @functools.cached_property
    def pieces(self) -> tuple[str, ...]:
        """The text of each id by itself; U+FFFD where it is part of a character."""
        return tuple(self.decode([number]) for number in range(self.size))

    def encode(self, text: str) -> list[int]:
        """The ids of a text. The letters ``<|endoftext|>`` in it are letters: no text can end a record."""
        ids: list[int] = self._bpe.encode(text).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids. Half a character becomes U+FFFD; the end-of-text id is nothing."""
        text: str = self._bpe.decode([number for number in ids if number != self.end_of_text])
        return text


def train_tokenizer(texts: Iterable[str], vocabulary_tokens: int, folder: Path) -> Tokenizer:
    """Learn ``vocabulary_tokens`` ids (the last is end-of-text) from texts, write both files, and read them back.

    Where too little occurs twice to learn so many, what occurs once is learnt, too; of a few pages it may be fewer.
    """
    read = list(texts)
    for least_often in (2, 1):
        learnt = _learnt(read, vocabulary_tokens - 1, least_often)
        if len(learnt["vocab"]) == vocabulary_tokens - 1:
            break
    write_tokenizer(learnt["vocab"], learnt["merges"], folder)
    return Tokenizer(folder)


def _learnt(texts: Sequence[str], ids: int, least_often: int) -> dict[str, Any]:
    """``vocab`` and ``merges`` of a learning."""
    learner = FastTokenizer(BPE())
    learner.pre_tokenizer = ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=ids,
        min_frequency=least_often,
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    model: dict[str, Any] = json.loads(learner.to_str())["model"]
    return model


def write_tokenizer(ids: dict[str, int], merges: Iterable[Sequence[str] | str], folder: Path) -> None:
    """Write both files. gpt-2-simple drops the last line of the merges, so they end with a newline."""
    folder.mkdir(parents=True, exist_ok=True)
    numbered = {**ids, _END_OF_TEXT: len(ids)}
    (folder / ENCODER_FILE).write_text(json.dumps(numbered), encoding="ascii")
    lines = "".join(f"{line}\n" for line in _merge_lines(merges))
    (folder / MERGES_FILE).write_text("#version: 0.2\n" + lines, encoding="utf-8")


def _merge_lines(merges: Iterable[Sequence[str] | str]) -> Iterator[str]:
    for merge in merges:
        yield merge if isinstance(merge, str) else " ".join(merge)


__all__ = ["ENCODER_FILE", "MERGES_FILE", "Tokenizer", "train_tokenizer", "write_tokenizer"]
