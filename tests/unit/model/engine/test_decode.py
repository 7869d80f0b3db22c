"""A request gives the same text alone or in company, and ends when it should."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.engine.decode import Ending, Event, Request, generate
from model.engine.form import Kind
from model.engine.slots import Engine
from model.sampling import Sampling
from tests.unit.model.engine.conftest import SHAPE, Exports

BOLD = Sampling(temperature=1.0, top_k=40, top_p=1.0, repeat_tokens=0)
REQUESTS = [
    Request([1, 2, 3], 9, seed=5, sampling=BOLD),
    Request([40], 14, seed=6, sampling=BOLD),
    Request(list(range(20)), 12, seed=7, sampling=BOLD),
    Request([9, 9], 1, seed=8, sampling=BOLD),
    Request([1, 2, 3], 9, seed=9, sampling=BOLD),
    Request([77, 78, 79, 80], 40, seed=10, sampling=BOLD, pinned=2),
]


@pytest.fixture(scope="module")
def engine(exports: Exports) -> Engine:
    return Engine(exports(Kind.INT8), slots=3)


def texts(events: Iterable[Event]) -> dict[int, list[int]]:
    drawn: dict[int, list[int]] = defaultdict(list)
    for event in events:
        if event.token is not None:
            drawn[event.number].append(event.token)
    return dict(drawn)


def alone(engine: Engine, request: Request) -> list[int]:
    return texts(generate(engine, [request]))[0]


def test_a_seed_gives_its_text_alone_and_in_any_company(engine: Engine, exports: Exports) -> None:
    together = texts(generate(engine, REQUESTS))
    assert [together[number] for number in range(6)] == [alone(engine, request) for request in REQUESTS]
    assert together == texts(generate(Engine(exports(Kind.INT8), slots=6, lanes=2), REQUESTS))
    assert together[0] != together[4], "another seed, another text"
    assert [len(together[number]) for number in range(6)] == [request.most_tokens for request in REQUESTS]


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(len(REQUESTS))), st.integers(1, 4))
def test_neither_order_nor_slots_change_a_text(exports: Exports, order: Sequence[int], slots: int) -> None:
    found = texts(generate(Engine(exports(Kind.INT8), slots=slots), [REQUESTS[number] for number in order]))
    expected = texts(generate(Engine(exports(Kind.INT8), slots=1), REQUESTS))
    assert found == {place: expected[number] for place, number in enumerate(order)}


def test_tokens_come_as_they_are_drawn_and_the_next_request_waits_for_a_slot(engine: Engine) -> None:
    taken: list[int] = []

    def arriving() -> Iterator[Request]:
        for number, request in enumerate(REQUESTS):
            taken.append(number)
            yield request

    events = generate(engine, arriving())
    assert taken == []
    assert [next(events).number for _ in range(3)] == [0, 1, 2]
    assert taken == [0, 1, 2]
    rest = list(events)
    assert taken == list(range(6))
    assert {event.number for event in rest if event.ending is Ending.LONG} == set(range(6))


def test_the_likeliest_is_what_the_network_says(engine: Engine) -> None:
    drawn = alone(engine, Request([4, 5], 4, sampling=Sampling(temperature=0, repeat_tokens=0)))
    known = [4, 5]
    for token in drawn:
        assert token == int(engine.score(0, known)[-1].argmax())
        known.append(token)


def test_it_stops_where_it_is_told(engine: Engine) -> None:
    whole = alone(engine, REQUESTS[0])
    stop = whole[4]
    events = list(generate(engine, [Request([1, 2, 3], 9, 5, BOLD, stop_ids=frozenset({stop}))]))
    assert [event.token for event in events] == whole[: whole.index(stop) + 1]
    assert events[-1].ending is Ending.STOPPED
    assert all(event.ending is None for event in events[:-1])


def test_a_text_longer_than_the_window_keeps_its_pinned_beginning(engine: Engine) -> None:
    request = REQUESTS[-1]
    drawn = alone(engine, request)
    known = [*request.ids, *drawn[: SHAPE.n_ctx - len(request.ids)]]
    assert len(known) == SHAPE.n_ctx
    in_sight = known[:2] + known[-11:]
    greedy = Sampling(temperature=0, repeat_tokens=0)
    pinned = Request(known, 1, sampling=greedy, pinned=2)
    assert alone(engine, pinned) == [int(engine.score(0, in_sight)[-1].argmax())]


def test_a_long_text_is_the_same_in_company(engine: Engine) -> None:
    long = Request([3, 1, 4], 100, seed=1, sampling=BOLD, pinned=3)
    drawn = texts(generate(engine, [long, *REQUESTS]))[0]
    assert drawn == alone(engine, long)
    assert len(drawn) == 100


def test_its_form_can_be_enforced_token_by_token(engine: Engine) -> None:
    def even_after_odd(drawn: Sequence[int], token: int) -> bool:
        return token % 2 == len(drawn) % 2

    every = Sampling(temperature=1.0, top_k=0, top_p=1.0, repeat_tokens=0)
    drawn = alone(engine, Request([1], 12, seed=3, sampling=every, fits=even_after_odd))
    assert [token % 2 for token in drawn] == [0, 1] * 6
    assert drawn != alone(engine, Request([1], 12, seed=3, sampling=every))


def test_no_run_of_tokens_stands_twice(engine: Engine) -> None:
    greedy = Sampling(temperature=0, repeat_tokens=0)
    looping = alone(engine, Request([7], 120, sampling=greedy))
    runs = [tuple(looping[place : place + 3]) for place in range(len(looping) - 2)]
    assert len(set(runs)) < len(runs), "without a ban it would repeat itself"
    drawn = alone(engine, Request([7], 120, sampling=Sampling(temperature=0, repeat_tokens=3)))
    runs = [tuple(drawn[place : place + 3]) for place in range(len(drawn) - 2)]
    assert len(set(runs)) == len(runs)


def test_a_penalty_makes_it_say_more_things(engine: Engine) -> None:
    plain = alone(engine, Request([7], 100, sampling=Sampling(temperature=0, repeat_tokens=0)))
    varied = alone(engine, Request([7], 100, sampling=Sampling(temperature=0, repeat_tokens=0, repeat_penalty=1.5)))
    assert len(set(varied)) > len(set(plain))


def test_what_is_cancelled_ends_and_the_others_go_on(engine: Engine) -> None:
    wanted = {"first": True}
    cancelled = Request([1, 2, 3], 50, 5, BOLD, is_cancelled=lambda: not wanted["first"])
    events = generate(engine, [cancelled, *REQUESTS[1:]])
    seen: list[Event] = []
    for event in events:
        seen.append(event)
        if len(seen) == 6:
            wanted["first"] = False
    first = [event for event in seen if event.number == 0]
    assert first[-1] == Event(0, None, Ending.CANCELLED)
    assert len(first) == 3
    assert texts(seen)[1] == alone(engine, REQUESTS[1])


def test_when_all_are_cancelled_it_ends(engine: Engine) -> None:
    events = list(generate(engine, [Request([1], 5, is_cancelled=lambda: True)] * 4))
    assert events == [Event(number, None, Ending.CANCELLED) for number in range(4)]


def test_closing_it_frees_the_engine(engine: Engine) -> None:
    events = generate(engine, REQUESTS)
    next(events)
    events.close()
    assert alone(engine, REQUESTS[1]) == texts(generate(engine, REQUESTS))[1]


def test_nothing_asked_is_nothing_drawn(engine: Engine) -> None:
    assert list(generate(engine, [])) == []


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(Request([], 5), id="no-ids"),
        pytest.param(Request([1], 0), id="no-tokens"),
        pytest.param(Request([1], 5, pinned=-1), id="less-than-nothing-pinned"),
        pytest.param(Request([1] * 20, 5, pinned=12), id="half-the-window-pinned"),
    ],
)
def test_what_cannot_be_drawn_is_refused(engine: Engine, wrong: Request) -> None:
    with pytest.raises(ValueError, match="request 0 cannot be drawn"):
        next(generate(engine, [wrong]))


def test_a_prompt_longer_than_the_window_is_read_from_its_end(engine: Engine) -> None:
    ids = np.random.default_rng(1).integers(0, SHAPE.n_vocab, 90).tolist()
    greedy = Sampling(temperature=0, repeat_tokens=0)
    assert alone(engine, Request(ids, 6, sampling=greedy)) == alone(engine, Request(ids[-12:], 6, sampling=greedy))
