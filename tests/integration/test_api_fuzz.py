"""Requests that nobody would think of, from everybody, over the api's own description: none is a failure of ours.

Every answer is one that the description names, and of its form. ``TNG_TEST_FUZZ_EXAMPLES`` makes it longer.
"""

from __future__ import annotations

import copy
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import requests
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.operations_support import NEVER, NEW, OLD, furnish
from tests.unit.tng.api_support import ADA, PREFIX, WISH, House, make_house
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.api.views import Refusal
from tng.orders import Order
from tng.script import Premise

EXAMPLES = int(os.environ.get("TNG_TEST_FUZZ_EXAMPLES", "6"))
PATIENT = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES < 50,  # the same in every short run
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROLES = {"nobody": "", "customer": "ada-token", "another customer": "ben-token", "operator": "olga-token", "robot": "x"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
NOT_THERE = {"error": "HttpError", "message": "There is no such page."}
OPERATORS = {
    "overview": "GET",
    "releases": "GET",
    "evaluations/{}": "GET",
    "releases/promote": "POST",
    "releases/rollback": "POST",
    "schedules": "GET",
    "schedules/{}/pause": "POST",
    "schedules/{}/resume": "POST",
    "schedules/{}/run": "POST",
    "retrainings/{}/cancel": "POST",
    "retrainings/{}/retry": "POST",
    "retrainings/{}/{}/notebook.html": "GET",
    "retrainings/{}/{}/notebook.ipynb": "GET",
    "{}": "GET",
}
WORDS = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
    st.integers().map(str),
    st.sampled_from(["weekly", "r1", "1", "0", "..", "%00", OLD, NEVER]),
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(
                st.none(), st.integers(), st.text(st.characters(codec="utf-8")), st.sampled_from([OLD, NEW])
            )
            for name in ("release", "reason", "expected", "other")
        },
    ),
)


@dataclass(frozen=True)
class Served:
    """A house on a real port, and orders of Ada's in every state that an order comes to by itself."""

    house: House
    url: str
    orders: tuple[str, ...]
    ended: tuple[str, ...]


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of the application, without its loops."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait = threading.Event()
    while not server.started:
        wait.wait(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("fuzz")
    migrate(f"sqlite:///{folder / 'orders.sqlite'}")
    store = SqlStore(connect(f"sqlite:///{folder / 'orders.sqlite'}"))
    house = make_house(store=store, folder=folder)
    house.hub.admit("olga", "olga-token", groups=("operators",))
    delivered, expired = an_order(house, 1), an_order(house, 2)
    house.deliver(delivered)
    house.shop.cancel(expired.id, ADA)
    writing = house.pay(an_order(house, 3))
    house.claim()
    paid, placed = house.pay(an_order(house, 4)), an_order(house, 5)
    furnish(store, house.operations, folder)  # after the writing: what the fake worker wrote with is no release of it
    orders = (delivered.id, expired.id, writing.id, paid.id, placed.id)
    with serving(house.app) as url:
        yield Served(house, url, orders, orders[:2])
    store.close()


def an_order(house: House, seed: int) -> Order:
    """An order of Ada's with an open page."""
    placed = house.shop.place_order(ADA, Premise.checked(WISH | {"seed": seed}, house.show.cues), f"key-{seed}")
    return house.shop.open_checkout(placed.id, ADA)


def headers_of(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {ROLES[role]}"} if ROLES[role] else {}


@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_one_that_the_description_names(served: Served, role: str) -> None:
    schema = schemathesis.openapi.from_dict(served.house.app.openapi())
    schema.config.update(base_url=served.url)
    operations = [each.ok() for each in schema.get_all_operations()]
    assert len(operations) > 10
    faults = [fault for each in operations for fault in broken(each, served, role)]
    assert not faults, "\n\n".join(faults)


def broken(operation: Any, served: Served, role: str) -> list[str]:
    """What one operation answers that its description does not name; a sentence of the smallest example."""
    # the stream of an order that lives goes on for as long as it does
    known = served.ended if operation.path.endswith("/events") else served.orders
    orders = st.one_of(st.none(), st.sampled_from(known))
    strange = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @PATIENT
    @given(case=operation.as_strategy() | strange, order_id=orders)
    def ask(case: Any, order_id: str | None) -> None:
        if order_id is not None and "order_id" in (case.path_parameters or {}):
            case.path_parameters["order_id"] = order_id
        case.call_and_validate(session=session, headers=headers_of(role), checks=CHECKS)

    with requests.Session() as session:
        try:
            ask()
        except (Exception, FailureGroup) as fault:  # noqa: BLE001  all are asked, and then the test is told
            return [f"{operation.label}: {_words(fault)}"]
    return []


def _words(fault: BaseException) -> str:
    inner = "; ".join(_words(one) for one in fault.exceptions) if isinstance(fault, BaseExceptionGroup) else ""
    return inner or f"{fault}\n{''.join(getattr(fault, '__notes__', ()))}"


@pytest.mark.parametrize("role", ROLES)
def test_an_operators_route_never_breaks_and_opens_for_nobody_else(served: Served, role: str) -> None:
    with httpx.Client(base_url=f"{served.url}{PREFIX}", headers=headers_of(role)) as client:
        for path in OPERATORS:
            ask_for(client, path, is_operator=role == "operator")


@pytest.mark.parametrize("role", ROLES)
def test_not_even_the_name_of_the_operators_routes_is_told(served: Served, role: str) -> None:
    with httpx.Client(base_url=f"{served.url}{PREFIX}", headers=headers_of(role)) as client:
        answers = [client.request(method, path) for path in ("/operator", "/operator/") for method in ("GET", "POST")]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (404, json.dumps(NOT_THERE, separators=(",", ":")))
    }


def ask_for(client: httpx.Client, path: str, *, is_operator: bool) -> None:
    """One route, with words and bodies that fit and that do not."""

    @PATIENT
    @given(words=st.tuples(WORDS, WORDS), body=BODIES, method=st.sampled_from(["GET", "POST", OPERATORS[path]]))
    def ask(words: tuple[str, str], body: Any, method: str) -> None:
        # a client itself would go up a folder at two dots
        where = "/operator/" + path.format(*(quote(word, safe="").replace(".", "%2E") for word in words))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = client.request(method, where, content=content)
        assert answer.status_code < 500, f"{method} {path} {words!r} {content!r}: {answer.text}"
        if answer.status_code >= 300:
            Refusal.model_validate_json(answer.content)
        if not is_operator:
            assert (answer.status_code, answer.json()) == (404, NOT_THERE), f"{method} {path} {words!r}"

    ask()


@pytest.mark.parametrize("role", ROLES)
def test_a_method_that_a_route_has_not_is_refused_in_words(served: Served, role: str) -> None:
    described = served.house.app.openapi()["paths"].items()
    asked = [(path, method) for path, known in described for method in METHODS if method.lower() not in known]
    with httpx.Client(base_url=served.url, headers=headers_of(role)) as client:
        for path, method in asked:
            answer = client.request(method, path.replace("{order_id}", served.ended[0]))
            assert answer.status_code == 405, f"{method} {path}: {answer.status_code}"
            if method != "HEAD":
                Refusal.model_validate_json(answer.content)


def test_a_description_that_names_no_refusal_is_found_out(served: Served) -> None:
    """The control: where 401 is not described, the same questions of nobody's find it."""
    described = copy.deepcopy(served.house.app.openapi())
    for operations in described["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("401", None)
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=served.url)
    mine = next(each.ok() for each in schema.get_all_operations() if each.ok().path.endswith("/me"))
    assert "401" in "".join(broken(mine, served, "nobody"))
