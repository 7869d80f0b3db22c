"""Slots do not disturb each other, and how tokens come in changes nothing but the time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.engine import slots
from model.engine.form import Kind
from model.engine.slots import Engine, open_session, sums_exactly
from tests.unit.model.engine.conftest import SHAPE, Exports
from tng.errors import ReleaseDamaged

IDS = [5, 17, 99, 3, 3, 64, 0, 119]
TEXTS = ([5, 17, 99], [8], [1, 2, 3, 4, 5, 6], [70, 71])


@pytest.fixture(params=list(Kind)[:2], ids=str)
def engine(exports: Exports, request: pytest.FixtureRequest) -> Engine:
    return Engine(exports(request.param), slots=4)


def alone(engine: Engine, ids: list[int]) -> np.ndarray:  # type: ignore[type-arg]
    """The logits after ids, one token at a time, in an engine of its own memory."""
    engine.rewind(3, 0)
    return [engine.feed({3: [token]})[3] for token in ids][-1]


def test_token_by_token_equals_all_at_once(engine: Engine) -> None:
    whole = engine.score(0, IDS)
    engine.rewind(0, 0)
    one_by_one = np.stack([engine.feed({0: [token]})[0] for token in IDS])
    np.testing.assert_allclose(one_by_one, whole, atol=1e-4)
    assert whole.shape == (len(IDS), SHAPE.n_vocab)


@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("kind", list(Kind)[:2], ids=str)
def test_rows_in_one_step_equal_rows_alone(exports: Exports, kind: Kind, lanes: int) -> None:
    engine, single = Engine(exports(kind), slots=4, lanes=lanes), Engine(exports(kind), slots=4)
    engine.feed(dict(enumerate(TEXTS)))
    for token in (9, 10, 11):
        together = engine.feed({slot: [token + slot] for slot in range(4)})
        for slot, ids in enumerate(TEXTS):
            expected = alone(single, [*ids, *(later + slot for later in range(9, token + 1))])
            np.testing.assert_allclose(together[slot], expected, atol=1e-4)


def test_in_8_bits_a_row_is_the_same_to_the_bit_in_any_company(exports: Exports) -> None:
    engine, single = Engine(exports(Kind.INT8), slots=4), Engine(exports(Kind.INT8), slots=1)
    for each in (engine, single):
        each.feed({0: IDS})
    engine.feed({1: [4], 2: [5, 6], 3: [7]})
    company = engine.feed({slot: [33] for slot in range(4)})[0]
    assert (company == single.feed({0: [33]})[0]).all()


def test_a_prompt_beside_others_leaves_them_as_they_are(engine: Engine) -> None:
    engine.feed({0: IDS, 2: IDS})
    engine.feed({1: [4] * 20, 0: [7]})
    assert [engine.position(slot) for slot in range(4)] == [9, 20, 8, 0]
    np.testing.assert_allclose(engine.feed({2: [7]})[2], alone(engine, [*IDS, 7]), atol=1e-4)


def test_idle_rows_between_two_others_keep_their_state(engine: Engine) -> None:
    engine.feed({0: [1, 2], 1: IDS, 2: [3] * SHAPE.n_ctx, 3: [9]})
    for token in (4, 5):
        engine.feed({0: [token], 3: [token]})  # 1 comes along as padding, 2 has no room for any
    assert engine.position(1) == len(IDS)
    np.testing.assert_allclose(engine.feed({1: [7]})[1], alone(engine, [*IDS, 7]), atol=1e-4)
    engine.rewind(2, SHAPE.n_ctx - 1)
    np.testing.assert_allclose(engine.feed({2: [3]})[2], alone(engine, [3] * SHAPE.n_ctx), atol=1e-4)


@pytest.mark.parametrize("cut", range(1, len(IDS)))
def test_in_two_parts_equals_all_at_once(engine: Engine, cut: int) -> None:
    whole = engine.score(0, IDS)[-1]
    engine.rewind(0, 0)
    engine.feed({0: IDS[:cut]})
    np.testing.assert_allclose(engine.feed({0: IDS[cut:]})[0], whole, atol=1e-4)


def test_going_back_forgets(engine: Engine) -> None:
    engine.feed({0: IDS[:4]})
    expected = engine.feed({0: IDS[4:]})[0]
    engine.rewind(0, 4)
    engine.feed({0: [1, 2, 3, 4, 5, 6]})
    engine.rewind(0, 4)
    assert engine.position(0) == 4
    assert (engine.feed({0: IDS[4:]})[0] == expected).all()


def test_an_answer_stays_as_it_was_given(engine: Engine) -> None:
    first = engine.feed({0: [1]})[0]
    kept = first.copy()
    engine.feed({0: [2]})
    assert (first == kept).all()


def test_nobody_fed_is_nobody_answered(engine: Engine) -> None:
    assert engine.feed({}) == {}


def test_the_window_is_a_limit(engine: Engine) -> None:
    engine.feed({0: [1] * SHAPE.n_ctx})
    with pytest.raises(ValueError, match="do not fit a window of 24"):
        engine.feed({1: [1], 0: [1]})
    assert engine.position(0) == engine.window == 24
    assert engine.position(1) == 0, "a step that is refused feeds nobody"


@pytest.mark.parametrize("ids", [[], [-1], [3, SHAPE.n_vocab]], ids=["none", "negative", "unknown"])
def test_ids_that_are_none_are_refused(engine: Engine, ids: list[int]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        engine.feed({0: ids})


@pytest.mark.parametrize("position", [-1, 5])
def test_it_cannot_go_where_it_never_was(engine: Engine, position: int) -> None:
    engine.feed({0: IDS[:4]})
    with pytest.raises(ValueError, match="cannot go back"):
        engine.rewind(0, position)


@pytest.mark.parametrize("wrong", [{"slots": 0}, {"threads": 0}, {"lanes": 0}], ids=str)
def test_an_engine_of_nothing_is_refused(exports: Exports, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="no such engine"):
        Engine(exports(Kind.INT8), **wrong)


@pytest.mark.parametrize("content", [b"", b"nothing of ours", None], ids=["empty", "other", "cut-short"])
def test_a_file_that_is_no_export_is_refused(exports: Exports, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "serving.onnx"
    path.write_bytes(exports(Kind.INT8).read_bytes()[:-200] if content is None else content)
    with pytest.raises(ReleaseDamaged, match=r"serving\.onnx"):
        open_session(path, threads=1)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.integers(0, 3), st.lists(st.integers(0, SHAPE.n_vocab - 1), min_size=1, max_size=3), min_size=1
        ),
        min_size=1,
        max_size=7,
    )
)
def test_whatever_is_fed_in_whatever_order_each_slot_knows_its_own_text(
    exports: Exports, steps: list[dict[int, list[int]]]
) -> None:
    engine, single = Engine(exports(Kind.INT8), slots=4, lanes=2), Engine(exports(Kind.INT8))
    texts: dict[int, list[int]] = {}
    for step in steps:
        answers = engine.feed(step)
        for slot, ids in step.items():
            texts.setdefault(slot, []).extend(ids)
    for slot, answer in answers.items():
        single.rewind(0, 0)
        np.testing.assert_allclose(answer, single.feed({0: texts[slot]})[0], atol=1e-3)


@pytest.mark.parametrize(
    ("told", "exact"),
    [("flags : avx2 avx512f avx512_vnni", True), ("flags : avx2 avx_vnni", True), ("flags : avx2", False)],
    ids=["vnni", "narrow-vnni", "none"],
)
def test_a_processor_says_whether_it_sums_exactly(tmp_path: Path, told: str, exact: bool) -> None:
    (tmp_path / "cpuinfo").write_text(told, encoding="ascii")
    assert sums_exactly(tmp_path / "cpuinfo") is exact
    assert not sums_exactly(tmp_path / "nothing")


def test_processors_that_sum_otherwise_give_the_same_to_the_bit(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    for exact in (True, False):
        monkeypatch.setattr(slots, "sums_exactly", lambda exact=exact: exact)
        answers.append(Engine(exports(Kind.INT8)).score(0, IDS))
    if sums_exactly():  # without the instruction, the quick way may cut sums off
        assert (answers[0] == answers[1]).all()
    assert np.isfinite(answers[1]).all()


def test_in_8_bits_a_prompt_may_be_cut_anywhere(exports: Exports) -> None:
    """Each row has a scale of its own: what is read beside it changes no product."""
    engine = Engine(exports(Kind.INT8), slots=2)
    whole = engine.feed({0: IDS})[0]
    engine.feed({1: IDS[:3]})
    np.testing.assert_allclose(engine.feed({1: IDS[3:]})[1], whole, atol=1e-5)
