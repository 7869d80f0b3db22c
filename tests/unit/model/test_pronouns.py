"""Pronouns are turned where they are certain, and stay where they are not."""

from __future__ import annotations

import pytest

from model.pronouns import names_alone, turned
from tests.shows import first_show
from tng.shows import Member

SHOW = first_show()


def member(cue: str) -> Member:
    found = SHOW.member(cue)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("of_a_man", "of_a_woman"),
    [
        ("Riker sits. He waits.", "Riker sits. She waits."),
        ("Riker closes his hand around the cup.", "Riker closes her hand around the cup."),
        ("Riker talks to himself.", "Riker talks to herself."),
        ("The door opens for Riker, and closes behind him.", "The door opens for Riker, and closes behind her."),
        ("Riker takes the cup to him and waits.", "Riker takes the cup to her and waits."),
        ("Riker says that the cup is his.", "Riker says that the cup is hers."),
        ("Riker sits.", "Riker sits."),
        ("", ""),
    ],
)
def test_what_is_certain_is_turned_both_ways(of_a_man: str, of_a_woman: str) -> None:
    assert turned(of_a_man, to_woman=True) == of_a_woman
    assert turned(of_a_woman, to_woman=False) == of_a_man


UNCERTAIN = [
    "She calls her back.",
    "Troi takes her wet coat.",
    "She sees her go.",
    "He looks at her.",
    "She greets him.",
]


@pytest.mark.parametrize("text", UNCERTAIN)
def test_what_is_not_certain_stays(text: str) -> None:
    assert turned(text, to_woman=False) == text


def test_a_line_with_both_sexes_stays() -> None:
    assert turned("He looks at her.", to_woman=True) == "He looks at her."


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        pytest.param("Riker sits. He waits.", True, id="alone"),
        pytest.param("Riker's hands stop.", True, id="genitive"),
        pytest.param("Riker looks at Worf. He waits.", False, id="another"),
        pytest.param("Riker looks at XGUEST's hands.", False, id="guest"),
        pytest.param("Riker waves to the boy. He waits.", False, id="boy"),
        pytest.param("Riker and the captain wait. He sits.", False, id="rank"),
        pytest.param("Riker watches the ship. Her lamps go out.", False, id="ship"),
        pytest.param("He stops, so that Riker runs into his boots.", False, id="pronoun-first"),
        pytest.param("He waits.", False, id="nobody"),
        pytest.param("Rikers everywhere.", False, id="part-of-a-word"),
    ],
)
def test_a_line_that_may_speak_of_somebody_else_is_known(text: str, alone: bool) -> None:
    assert names_alone(text, member("RIKER"), SHOW) is alone


def test_a_name_that_two_members_share_counts_for_either() -> None:
    assert names_alone("Crusher sits.", member("BEVERLY"), SHOW)
