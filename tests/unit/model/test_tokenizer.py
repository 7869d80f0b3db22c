"""Text comes back as it was, and no text can end a record. That ids equal gpt-2-simple's is an integration test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.tokenizer import Tokenizer, train_tokenizer
from tng.errors import ReleaseDamaged

TEXTS = ["PICARD: (rising) On screen.\n", "  two  blanks\n\n", "Naïve — “quoted” 🖖 text", "<|endoftext|>", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back_as_it_was(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_end_of_text_is_the_last_id_and_no_text_makes_it(tokenizer: Tokenizer) -> None:
    assert tokenizer.end_of_text == tokenizer.size - 1 == 1499
    assert all(tokenizer.end_of_text not in tokenizer.encode(text) for text in TEXTS)
    assert tokenizer.decode([tokenizer.end_of_text]) == ""


def test_a_newline_is_one_token_of_its_own(tokenizer: Tokenizer) -> None:
    text = "DATA: Captain.\nPICARD: Yes.\n"
    by_line = [token for line in text.splitlines(keepends=True) for token in tokenizer.encode(line)]
    assert len(tokenizer.encode("\n")) == 1
    assert by_line == tokenizer.encode(text)


def test_a_cue_that_is_put_down_reads_like_one_that_is_drawn(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("DATA:") + tokenizer.encode(" Captain.") == tokenizer.encode("DATA: Captain.")


def test_the_files_are_as_gpt_2_simple_wants_them(tmp_path: Path) -> None:
    train_tokenizer(["Picard rises. Picard sits."], 270, tmp_path)
    ids = json.loads((tmp_path / "encoder.json").read_text(encoding="ascii"))
    merges = (tmp_path / "vocab.bpe").read_text(encoding="utf-8")
    assert ids["<|endoftext|>"] == max(ids.values()) == len(ids) - 1
    assert merges.startswith("#version")
    assert merges.endswith("\n")


@pytest.mark.parametrize(
    "content",
    [None, "{", "[]", '{"a": 0}', '{"a": 0, "<|endoftext|>": 1}'],
    ids=["missing", "half", "list", "no-end", "of-other-merges"],
)
def test_files_that_cannot_be_read_are_a_damaged_release(tmp_path: Path, content: str | None) -> None:
    train_tokenizer(["Picard"], 260, tmp_path)
    path = tmp_path / "encoder.json"
    path.unlink() if content is None else path.write_text(content, encoding="ascii")
    with pytest.raises(ReleaseDamaged):
        Tokenizer(tmp_path)


def test_what_occurs_once_is_learnt_where_too_little_occurs_twice(tmp_path: Path) -> None:
    few = "Picard rises slowly. Data considers everything. Somebody whispers behind Worf."
    assert train_tokenizer([few], 300, tmp_path / "enough").size == 300
    assert train_tokenizer([few], 5000, tmp_path / "few").size < 400
    assert "ĠWorf" in json.loads((tmp_path / "few" / "encoder.json").read_text(encoding="ascii"))
