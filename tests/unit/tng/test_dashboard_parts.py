"""The parts of the page, without a browser: markup, the address, the form, the reader, the library, the client."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from websockets.sync.server import ServerConnection, serve

from tests.unit.tng.api_support import SCRIPT, WISH
from tng.dashboard.client import ApiClient, LengthChoice, Offer, OrderCard, Player
from tng.dashboard.compose_words import length_in_words, time_in_words
from tng.dashboard.form import ORDER, ComposeForm
from tng.dashboard.library import WORDS, Library
from tng.dashboard.markup import Html, is_address, joined, link, tag
from tng.dashboard.navigator import Navigator
from tng.dashboard.page import Dashboard
from tng.dashboard.reader import STATIC, ScriptReader
from tng.dashboard.request import Visit, query_string
from tng.dashboard.sentences import SENTENCES
from tng.dashboard.story import Story
from tng.errors import ApiError
from tng.orders import OrderState
from tng.script import Length, Premise

EVIL = "<img src=x onerror=alert(1)>\"'&"
CARD = OrderCard("ord_1", OrderState.DELIVERED, EVIL, "2.99 USD", datetime(2026, 11, 24, tzinfo=UTC))
PLAYERS = (Player("MAREN", "Maren", lead=True), Player("OSKAR", "Oskar", lead=True), Player("PIP", "Pip"))
LENGTHS = (LengthChoice(Length.TEASER, 1, 1, 1), LengthChoice(Length.SHORT, 9, 6, 11))
OFFER = Offer("Scripts", EVIL, "4.99 USD", PLAYERS, ("mystery", "comedy"), LENGTHS, 80, 500, 2, 2**31)


# --- markup ---------------------------------------------------------------------------------------------------------


def test_text_is_escaped_and_markup_of_ours_is_not() -> None:
    assert tag("p", EVIL, tag("b", "x"), class_="a") == (
        '<p class="a">&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;<b>x</b></p>'
    )
    assert tag("p", aria_label=EVIL, id=None).count("<") == 2
    assert joined(["<b>", Html("<i></i>")]) == "&lt;b&gt;<i></i>"


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        ("https://checkout.stripe.com/x", True),
        ("http://127.0.0.1:8000/services/stripe/x", True),
        ("/services/api/orders/1/script.txt", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.test", False),
        ("/\\evil.test", False),
        (" https://x", False),
        ("", False),
    ],
)
def test_links_lead_to_the_web_or_to_this_house(url: str, leads: bool) -> None:
    assert is_address(url) is leads
    assert ("href" in link("go", url)) is leads


# --- the address ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "visit"),
    [
        ("", Visit()),
        ("order=ord_1", Visit("ord_1")),
        ("?order=ord_1&cancelled=1", Visit("ord_1", cancelled=True)),
        ("order=../../x", Visit()),
        ("order=..%2Fme", Visit()),
        ("order=a%0Ab", Visit()),
        ("order=" + "x" * 65, Visit()),
        ("cancelled=1", Visit()),
        ("order=ord_1&order=ord_2", Visit("ord_1")),
        ("order=ord_1&cancelled=yes", Visit("ord_1")),
        ("order=ord_1&returned=1", Visit("ord_1", returned=True)),
        ("returned=1", Visit()),
    ],
)
def test_an_address_names_an_order_or_nothing(query: str, visit: Visit) -> None:
    assert Visit.read(query) == visit


def test_a_kernel_of_a_page_reads_the_query_at_once() -> None:
    assert query_string({"QUERY_STRING": "order=1", "VOILA_PREHEAT": "False"}) == "order=1"
    assert query_string({}) == ""


def test_a_preheated_kernel_waits_for_its_page() -> None:
    given = threading.Event()

    def answer(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert connection.request.path == "/user/ada/voila/query/kernel-1"
        assert connection.request.headers["Authorization"] == "Bearer a-secret-of-the-server"
        given.wait(5)
        connection.send(json.dumps({"QUERY_STRING": "order=ord_1"}))

    with serve(answer, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environ = {
            "VOILA_PREHEAT": "True",
            "VOILA_APP_PORT": str(server.socket.getsockname()[1]),
            "VOILA_SERVER_URL": "/user/ada/",
            "VOILA_KERNEL_ID": "kernel-1",
            "TNG_VISIT_KEY": "a-secret-of-the-server",
        }
        answers: list[str] = []
        waiting = threading.Thread(target=lambda: answers.append(query_string(environ)))
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        given.set()
        waiting.join(5)
        assert answers == ["order=ord_1"]
        server.shutdown()


def test_a_preheated_kernel_whose_server_is_gone_opens_without_an_address() -> None:
    gone = {"VOILA_PREHEAT": "True", "VOILA_APP_PORT": "1", "VOILA_SERVER_URL": "/", "VOILA_KERNEL_ID": "k"}
    assert query_string(gone) == ""


# --- the form -------------------------------------------------------------------------------------------------------


@pytest.fixture
def form() -> ComposeForm:
    """A form that knows the offer."""
    form = ComposeForm(lambda: None)
    form.show_offer(OFFER)
    return form


def test_a_new_form_is_a_premise_but_for_its_title(form: ComposeForm) -> None:
    form.title.value = "X"
    premise = Premise.checked(form.wish, [who.cue for who in PLAYERS])
    assert (premise.length, premise.cast) == (Length.SHORT, ("MAREN", "OSKAR"))
    assert set(form.wish) == {*WISH, "guests", "temperature"}


def test_a_draft_has_one_key_until_it_changes(form: ComposeForm) -> None:
    key = form.request_key
    assert re.fullmatch(r"[0-9a-f]{32}", key)
    form.busy(True)
    form.busy(False)
    assert form.request_key == key
    for change in (
        lambda: setattr(form.title, "value", "Y"),
        lambda: form.cast.choose(["MAREN", "PIP"]),
        lambda: setattr(form.guests[1], "value", "Oran"),
        lambda: setattr(form.length, "value", "teaser"),
        form.roll,
    ):
        change()
        assert form.request_key != key
        key = form.request_key


def test_the_offer_is_what_the_form_shows(form: ComposeForm) -> None:
    assert "4.99 USD" in form.price.value
    assert form.length.options == [
        {
            "value": "teaser",
            "name": "Teaser",
            "words": "about 1 scene, 1 page, written in about 5 seconds",
            "price": "4.99 USD",
        },
        {
            "value": "short",
            "name": "Short",
            "words": "about 9 scenes, 6 pages, written in about 10 seconds",
            "price": "4.99 USD",
        },
    ]
    assert form.length.value == "short"
    assert [option["name"] for option in form.tone.options] == ["Mystery", "Comedy"]
    assert [option["name"] for option in form.cast.options] == ["Maren", "Oskar", "Pip"]
    assert form.cast.chosen == ["MAREN", "OSKAR"]
    assert "<img" not in form.heading.value


def test_nobody_is_in_the_form_before_the_offer_has_come() -> None:
    form = ComposeForm(lambda: None)
    assert (form.wish["cast"], form.cast.options, form.price.value) == ([], [], "")


def test_the_same_offer_again_changes_nothing_that_was_chosen(form: ComposeForm) -> None:
    form.cast.choose(["MAREN", "OSKAR", "PIP"])
    form.length.value, form.tone.value = "teaser", "comedy"
    key, wish = form.request_key, form.wish
    form.show_offer(OFFER)
    assert (form.request_key, form.wish) == (key, wish)


def test_another_offer_keeps_what_it_still_has(form: ComposeForm) -> None:
    form.cast.choose(["MAREN", "OSKAR", "PIP"])
    form.length.value = "teaser"
    form.show_offer(replace(OFFER, cast=(*PLAYERS[1:], Player("GRETE", "Grete")), lengths=LENGTHS[1:]))
    assert form.wish["cast"] == ["OSKAR", "PIP"]
    assert form.wish["length"] == "short"
    assert form.cast.values == ["OSKAR", "PIP", "GRETE"]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (
            LengthChoice(Length.EPISODE, 50, 31, 60),
            "about 50 scenes, 31 pages, written in about a minute",
        ),
        (LengthChoice(Length.SHORT, 12, 7, 14), "about 12 scenes, 7 pages, written in about 15 seconds"),
    ],
    ids=["episode", "short"],
)
def test_a_length_is_said_in_words(choice: LengthChoice, words: str) -> None:
    assert length_in_words(choice) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "about 5 seconds"),
        (44, "about 45 seconds"),
        (45, "about a minute"),
        (80, "about a minute"),
        (100, "about 2 minutes"),
    ],
)
def test_a_time_is_said_in_words(seconds: int, words: str) -> None:
    assert time_in_words(seconds) == words


def test_a_closed_shop_says_so_before_anybody_writes_and_its_button_rests() -> None:
    form = ComposeForm(lambda: None)
    form.show_offer(replace(OFFER, closed=f"We cannot take new orders. {EVIL}"))
    assert form.button.disabled
    assert "We cannot take new orders." in form.closed.value
    assert "<img" not in form.closed.value
    form.busy(False)
    assert form.button.disabled, "nothing that ends here opens the shop"
    form.show_offer(OFFER)
    assert (form.button.disabled, form.closed.value) == (False, "")


def test_the_button_rests_while_an_order_is_placed() -> None:
    clicks: list[str] = []
    form = ComposeForm(lambda: clicks.append("order"))
    form.title.value = "X"
    form.button.click()
    form.busy(True)
    assert form.button.disabled
    form.busy(False)
    assert (form.button.disabled, form.button.description) == (False, ORDER)
    assert clicks == ["order"]


# --- reader and navigator -------------------------------------------------------------------------------------------


class Sent(list[dict[str, Any]]):
    """What a widget sends to the browser."""

    def of(self, widget: Any, monkeypatch: pytest.MonkeyPatch) -> Sent:
        monkeypatch.setattr(widget, "send", lambda content, *_: self.append(content))
        return self


def test_only_new_scenes_are_sent_and_all_of_them_to_a_browser_that_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, story = ScriptReader(), Story(CARD)
    sent = Sent().of(reader, monkeypatch)
    story.tell(SCRIPT)
    reader.show(story.sections[:1])
    reader.show(story.sections[:3])
    assert [(message["kind"], message["index"]) for message in sent] == [("more", 0), ("more", 1), ("more", 2)]
    reader._asked(reader, {"kind": "hello"}, [])
    assert sent[-1]["sections"] == reader.sections
    for nonsense in (None, "hello", {"kind": "other"}, ["hello"]):
        reader._asked(reader, nonsense, [])
    assert len(sent) == 4


def test_another_script_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, story = ScriptReader(), Story(CARD)
    sent = Sent().of(reader, monkeypatch)
    story.tell(SCRIPT)
    reader.show(story.sections)
    before = sent[-1]["drawing"]
    reader.show([])
    assert (sent[-1]["kind"], sent[-1]["sections"], sent[-1]["drawing"]) == ("all", [], before + 1)


def test_the_scripts_of_the_page_set_text_and_never_markup() -> None:
    for path in STATIC.glob("*.js"):
        code = path.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "import(", "fetch("):
            assert way not in code
        assert "https://" not in code


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/hub/logout", "ftp://x", "", "//evil.test"])
def test_the_browser_is_sent_to_web_pages_alone(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Navigator().go(url)


def html_of(widget: Any) -> str:
    """All the markup in a widget and below it."""
    return str(getattr(widget, "value", "")) + "".join(html_of(child) for child in getattr(widget, "children", ()))


# --- the library ----------------------------------------------------------------------------------------------------


def test_the_library_says_titles_as_they_are_and_links_files_by_path() -> None:
    library = Library(lambda _id: None)
    library.show(
        [replace(CARD, downloads={"txt": "/services/api/orders/ord_1/script.txt", "fountain": "javascript:x"})]
    )
    [row] = library.rows
    assert row["title"] == EVIL
    assert [file["path"] for file in row["files"]] == ["/services/api/orders/ord_1/script.txt"]


def test_every_state_has_its_words() -> None:
    assert set(WORDS) == set(SENTENCES) == set(OrderState)


# --- the client -----------------------------------------------------------------------------------------------------


def client_of(answer: Any) -> ApiClient:
    return ApiClient("http://api.test/services/api", "t", transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("answer", "status", "retryable", "says"),
    [
        (
            lambda r: httpx.Response(422, json={"error": "PremiseError", "message": "Too long."}),
            422,
            False,
            "Too long.",
        ),
        (lambda r: httpx.Response(503, json={"error": "ShopClosed", "message": "Closed."}), 503, True, "Closed."),
        (lambda r: httpx.Response(502, text="<html>proxy</html>"), 502, True, "does not answer"),
        (lambda r: httpx.Response(200, text="not json"), 500, False, "went wrong"),
        (lambda r: httpx.Response(200, json={"orders": [{"id": 1}]}), 500, False, "went wrong"),
    ],
    ids=["refused", "closed", "a proxy's page", "no json", "half an order"],
)
def test_every_failure_is_an_api_error_with_a_sentence(answer: Any, status: int, retryable: bool, says: str) -> None:
    with pytest.raises(ApiError) as caught:
        client_of(answer).orders()
    assert (caught.value.status, caught.value.retryable) == (status, retryable)
    assert says in caught.value.user_message


def test_no_answer_is_an_api_error_too() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ApiError) as caught:
        client_of(refuse).offer()
    assert (caught.value.status, caught.value.retryable) == (0, True)


def test_calls_carry_the_token_and_the_request_key() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(409, json={})

    with pytest.raises(ApiError):
        client_of(answer).place(WISH, "key-1")
    assert asked[0].url == "http://api.test/services/api/orders"
    assert asked[0].headers["authorization"] == "Bearer t"
    assert asked[0].headers["idempotency-key"] == "key-1"


def test_building_the_page_asks_nobody_anything() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"asked {request.url}")

    dashboard = Dashboard(client_of(refuse), product="Lantern Scripts")
    assert dashboard.header.product == "Lantern Scripts"


def test_the_page_says_whose_it_is_by_the_address_that_the_hub_gave_it() -> None:
    dashboard = Dashboard.from_environment({"TNG_ACCOUNT": "ada&ben@example.com", "JUPYTERHUB_BASE_URL": "/"})
    assert dashboard.header.account == "ada&ben@example.com"
    assert dashboard.header.leave == "/hub/logout"


@pytest.mark.parametrize(
    ("stand_ins", "says", "hides"),
    [
        pytest.param("Google,Stripe", "no money moves", "is real", id="demo"),
        pytest.param("Google", "The payment is real", "no money moves", id="stripe-is-real"),
        pytest.param("Stripe", "The sign-in is real", "No real account", id="google-is-real"),
        pytest.param("", "", "Demonstration", id="production"),
        pytest.param("<b>", "", "<b>", id="nonsense"),
    ],
)
def test_the_banner_never_says_that_no_money_moves_where_some_does(stand_ins: str, says: str, hides: str) -> None:
    shown = html_of(Dashboard.from_environment({"TNG_STAND_INS": stand_ins}).page)
    assert says in shown
    assert hides not in shown
