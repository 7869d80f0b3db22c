"""Bytes become the text that was typed, whichever machine typed it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.corpus.teleplays.decoding import decode


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        (b"a sun", "a sun", "ascii"),
        ("Touché".encode(), "Touché", "utf-8"),
        ("Touché".encode("utf-8-sig"), "Touché", "utf-8-sig"),
        ("Touché".encode("utf-16"), "Touché", "utf-16"),
        (b"Touch\x8e.", "Touché.", "mac_roman"),
        (b"\x93Sir\x94 \x97 it\x92s", "“Sir” — it’s", "cp1252"),
        (b"It\x92s Ren\xe9\x85", "It’s René…", "cp1252"),
    ],
    ids=["ASCII", "UTF-8", "with a mark", "UTF-16", "a Macintosh", "Windows", "Windows with an accent"],
)
def test_the_encoding_is_found(content: bytes, text: str, encoding: str) -> None:
    decoded = decode(content)
    assert (decoded.text, decoded.encoding) == (text, encoding)


@pytest.mark.parametrize(
    "end", ["\r\n", "\r", "\n", "\f", "\u2028"], ids=["DOS", "Macintosh", "Unix", "page", "Unicode"]
)
def test_every_end_of_a_line_is_one(end: str) -> None:
    assert decode(f"one{end}two".encode()).text == "one\ntwo"


def test_what_word_processors_left_is_gone_and_lines_keep_their_numbers() -> None:
    content = b"one\r\n\x00\x00\x00\x1611:[5,#b],18:[1,#b]\r\ntwo\x00\x16\r\nSTXT\x00\x00\r\nthree\x1a"
    assert decode(content).text.split("\n") == ["one", "", "two", "", "three"]


@given(st.binary(max_size=200))
def test_no_bytes_are_refused(content: bytes) -> None:
    text = decode(content).text
    assert not {character for character in text if ord(character) < 32} - {"\t", "\n"}
