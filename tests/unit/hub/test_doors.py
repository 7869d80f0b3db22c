"""What somebody may open, and what is opened for a wish: decided here, whatever a request carries."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader
from traitlets.config import Config

from hub import spawner
from hub.auth import OPERATORS, POWER_USERS
from hub.doors import Choice, Door, Form, Offer, Refusal, WithoutTraceback, again_query, choose, offer
from hub.gpus import State, busy
from hub.places import TEMPLATES
from hub.spawner import HouseSpawner
from tests.fakes import START
from tests.nvidia import uuid
from tng.errors import StoreBusy

POWER = Offer((Door.WORKBENCH, Door.DASHBOARD), 2)
CUSTOMER = Offer((Door.DASHBOARD,))


@pytest.mark.parametrize(
    ("groups", "doors"),
    [
        ((), [Door.DASHBOARD]),
        ((OPERATORS,), [Door.DASHBOARD]),
        ((POWER_USERS,), [Door.WORKBENCH, Door.DASHBOARD]),
        ((OPERATORS, POWER_USERS), [Door.WORKBENCH, Door.DASHBOARD]),
        (("powerusers",), [Door.DASHBOARD]),
    ],
)
def test_the_group_decides_what_is_offered(groups: tuple[str, ...], doors: list[Door]) -> None:
    offered = offer(groups, 3)
    assert list(offered.doors) == doors
    assert offered.most_gpus == (3 if len(doors) > 1 else 0)


@pytest.mark.parametrize(
    ("wish", "choice"),
    [
        ({}, Choice(Door.WORKBENCH)),
        ({"door": ["dashboard"]}, Choice(Door.DASHBOARD)),
        ({"door": "workbench", "gpus": 2}, Choice(Door.WORKBENCH, 2)),
        ({"gpus": ["1"]}, Choice(Door.WORKBENCH, 1)),
        ({"door": ["dashboard"], "gpus": ["2"]}, Choice(Door.DASHBOARD)),
        ({"door": None, "gpus": ""}, Choice(Door.WORKBENCH)),
        ({"door": [], "gpus": []}, Choice(Door.WORKBENCH)),
        ({"image": "evil", "cmd": "sh"}, Choice(Door.WORKBENCH)),
    ],
)
def test_a_power_user_gets_what_is_chosen(wish: dict[str, Any], choice: Choice) -> None:
    assert choose(POWER, wish) == choice


@pytest.mark.parametrize(
    "wish",
    [
        {"door": "bridge"},
        {"door": "workbench ", "gpus": 0},
        {"door": {"a": 1}},
        {"gpus": 3},
        {"gpus": -1},
        {"gpus": "-1"},
        {"gpus": 1.5},
        {"gpus": True},
        {"gpus": "1e9"},
        {"gpus": "²"},
        {"gpus": "0001"},
        {"gpus": {"$gt": 0}},
        {"gpus": [["1"]]},
    ],
    ids=repr,
)
def test_what_is_not_offered_is_refused_with_a_sentence(wish: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        choose(POWER, wish)
    assert refused.value.status_code == 400
    assert refused.value.jupyterhub_message.endswith(".")
    assert choose(CUSTOMER, wish) == Choice(Door.DASHBOARD)  # where there is no choice, nothing is even read


def test_a_machine_without_gpus_says_so() -> None:
    with pytest.raises(Refusal, match="none to give"):
        choose(Offer(POWER.doors, 0), {"gpus": 1})


def test_a_choice_is_remembered_as_it_is_asked_for() -> None:
    choice = Choice(Door.WORKBENCH, 2)
    assert choose(POWER, choice.to_options()) == choice
    asked = {name.removeprefix("opt-"): value for name, value in parse_qs(choice.to_query()).items()}
    assert choose(POWER, asked) == choice


class TestForm:
    def test_asks_again_for_the_same_and_leads_on(self) -> None:
        choice = Choice(Door.WORKBENCH, 1)
        assert parse_qs(again_query(choice, "/hub/user-redirect/?order=1&paid=yes")) == {
            "opt-door": ["workbench"],
            "opt-gpus": ["1"],
            "next": ["/hub/user-redirect/?order=1&paid=yes"],
        }
        assert again_query(choice, "") == choice.to_query()

    @pytest.mark.parametrize(
        ("gpus", "marked"),
        [
            (State(0, 20, 1, 2), 1),
            (State(0, 20, None, 2), 1),
            (State(0, 20, 0, 2), 0),
            (State(20, 20, 1, 2), 0),
            (None, 0),
        ],
    )
    def test_marks_a_gpu_where_one_can_be_had(self, gpus: State | None, marked: int) -> None:
        form = Form(POWER, gpus)
        assert [number for number in range(3) if form.checks_gpus(number)] == [marked]
        assert [door for door in Door if form.checks(door)] == [Door.WORKBENCH]

    def test_speaks_only_of_the_refusal_that_the_page_is_about(self) -> None:
        form = Form(POWER, refused=busy(1))
        assert form.refusal_of(form.refused.jupyterhub_message) is form.refused  # type: ignore[union-attr]
        assert form.refusal_of("500: something else") is form.refusal_of(None) is Form(POWER).refusal_of(None) is None


def page_of(form: Form) -> str:
    """The part of the spawn page that is its own."""
    told = {
        "spawner_options_form": form,
        "error_message": form.refused.jupyterhub_message if form.refused else None,
        "for_user": SimpleNamespace(name="pia", escaped_name="p%C3%ADa"),
        "user": SimpleNamespace(name="pia"),
        "base_url": "/hub/",
        "url": "/hub/spawn?_xsrf=token",
    }
    bare = {
        "page.html": "{% block meta %}{% endblock %}{% block stylesheet %}{% endblock %}{% block main %}{% endblock %}"
    }
    pages = Environment(loader=ChoiceLoader([DictLoader(bare), FileSystemLoader(TEMPLATES)]), autoescape=True)
    return pages.get_template("spawn.html").render(told)


class TestPage:
    def test_works_without_a_script_and_names_every_field(self) -> None:
        page = page_of(Form(POWER, gpus=State(3.52, 20, 1, 2)))
        assert "<script" not in page
        assert page.count("<fieldset") == page.count("<legend") == 2
        assert page.count('type="radio"') == page.count("<label") == 5
        assert '<form id="spawn_form" action="/hub/spawn?_xsrf=token" method="post">' in page
        assert "3.5 of 20 GPU hours used in the last seven days." in page
        assert "1 of 2 is free now." in page

    def test_says_when_there_is_nothing_to_give(self) -> None:
        assert "none to give" in page_of(Form(Offer(POWER.doors, 0)))
        assert "you would wait" in page_of(Form(POWER, gpus=State(0, 20, 0, 2)))

    def test_says_when_the_hours_are_used_up(self) -> None:
        page = page_of(Form(POWER, gpus=State(20, 20, 1, 2, START)))
        assert "20 of 20 GPU hours used in the last seven days." in page
        assert "free on Tuesday, 24 November, 12:00 UTC" in page

    def test_asks_again_by_itself_while_all_are_busy(self) -> None:
        waits = busy(2)
        waits.again_query = again_query(Choice(Door.WORKBENCH, 1), "/x")
        page = page_of(Form(POWER, refused=waits))
        assert "You are number 2 in the queue" in page
        assert 'content="20; url=/hub/spawn/p%C3%ADa?opt-door=workbench&amp;opt-gpus=1&amp;next=%2Fx"' in page
        assert "<form" not in page

    def test_asks_only_once_after_a_wish_that_is_not_offered(self) -> None:
        with pytest.raises(Refusal) as refused:
            choose(POWER, {"gpus": 9})
        page = page_of(Form(POWER, refused=refused.value))
        assert "http-equiv" not in page
        assert 'role="alert"' in page
        assert "<form" in page


def test_a_refusal_is_logged_as_a_line_and_anything_else_with_its_traceback() -> None:
    kept = []
    for error in (busy(1), ValueError("x")):
        try:
            raise error
        except Exception:  # noqa: BLE001
            record = logging.LogRecord("hub", logging.ERROR, "", 1, "Failed %s", ("to",), sys.exc_info())
        assert WithoutTraceback().filter(record)
        kept.append((record.getMessage(), bool(record.exc_info)))
    assert kept == [("Failed to: gpus-busy", False), ("Failed to", True)]


@pytest.fixture
def at_the_door(monkeypatch: pytest.MonkeyPatch, configured: Callable[..., Config]) -> Callable[..., HouseSpawner]:
    """The spawner of somebody, on a machine with two GPUs of which one is kept, whose processes are not started."""
    monkeypatch.setattr("hub.gpus._gpus", lambda: (uuid(0), uuid(1)))

    async def start(_self: Any) -> tuple[str, int]:
        return "127.0.0.1", 1

    monkeypatch.setattr(spawner.SimpleLocalProcessSpawner, "start", start)

    def build(*groups: str, name: str = "ada", **wishes: Any) -> HouseSpawner:
        house = HouseSpawner(config=configured())
        house.user = SimpleNamespace(
            name=name, id=7, groups=[SimpleNamespace(name=group) for group in groups], url="/x"
        )
        house.user_options = wishes
        return house

    return build


async def test_a_customer_sees_no_form_and_starts_at_once(at_the_door: Any) -> None:
    assert await at_the_door().get_options_form() is None


async def test_a_power_user_is_asked_and_told_of_the_hours(at_the_door: Any) -> None:
    assert await at_the_door(POWER_USERS).get_options_form() == Form(Offer(POWER.doors, 1), State(0, 20, 1, 1))


async def test_a_busy_database_costs_the_numbers_and_not_the_form(
    at_the_door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_busy(*_: Any) -> None:
        raise StoreBusy("locked")

    house = at_the_door(POWER_USERS)
    monkeypatch.setattr("hub.gpus.GpuDesk.state", is_busy)
    assert await house.get_options_form() == Form(Offer(POWER.doors, 1))


async def test_the_form_an_address_and_a_request_are_read_alike(at_the_door: Any) -> None:
    options = {"door": "dashboard", "gpus": 0}
    assert await at_the_door(POWER_USERS).run_options_from_form({"door": ["dashboard"]}) == options
    assert await at_the_door(POWER_USERS).options_from_query({"door": ["dashboard"]}) == options
    house = at_the_door(POWER_USERS, **options)
    await house.start()
    assert house.cmd[-1] == "hub.voila_server"
    for wish in ({"gpus": 2}, {"door": "bridge"}):
        with pytest.raises(Refusal):
            await at_the_door(POWER_USERS).run_options_from_form(wish)
        with pytest.raises(Refusal):
            await at_the_door(POWER_USERS, **wish).start()


async def test_a_page_is_shown_by_another_spawner_than_the_one_that_refused(at_the_door: Any) -> None:
    """The hub makes a new one after a failure, and does not always remember it."""
    with pytest.raises(Refusal) as refused:
        await at_the_door(POWER_USERS, gpus=9).start()
    assert (await at_the_door(POWER_USERS).get_options_form()).refused is refused.value
    assert (await at_the_door(POWER_USERS, name="bob").get_options_form()).refused is None
    await at_the_door(POWER_USERS, gpus=0).start()
    assert (await at_the_door(POWER_USERS).get_options_form()).refused is None


async def test_a_customers_wishes_reach_nobody(at_the_door: Any) -> None:
    house = at_the_door(door="workbench", gpus=1, image="evil", profile="power")
    await house.start()
    assert house.user_options == {"door": "dashboard", "gpus": 0}
    assert house.hold.gpus == ()
