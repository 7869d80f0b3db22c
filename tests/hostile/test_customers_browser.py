"""A customer's browser against its own page's kernel: any message, any widget value, any class. The api decides."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import pytest
from ipywidgets import Widget

from tests.hostile.attacks import answers
from tests.hostile.people import Person
from tests.hostile.tab import States, Tab, channels, cookies_for, find, kernel_of, socket_to, status_of, tab_of
from tests.open_house import OpenHouse, arrive, sign_in, visitor
from tests.processes import environment_of
from tng.script import SEED_LIMIT

BROWSER = "a customer's browser"
CANARY = "the canary of the house sings at night"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def tab(house: OpenHouse, ada: Person) -> Iterator[Tab]:
    """Ada's page, filled by the api."""
    with tab_of(house, ada.client) as opened:
        opened.wait_until_filled()
        yield opened


@pytest.fixture(scope="module")
def bens(ben: Person) -> dict[str, Any]:
    """An order of Ben's that waits for its payment."""
    return ben.place(title="A Door Ajar", logline="Somebody left it open on purpose.")


# --- running code -----------------------------------------------------------------------------------------------------


def _running(code: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Every message that makes a kernel run, look at or remember code: name → (type, channel, content)."""
    execute = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    looks = {"code": code, "cursor_pos": len(code), "detail_level": 1}
    history = {"hist_access_type": "tail", "n": 100, "output": True, "raw": True}
    initialise = {"type": "request", "seq": 1, "command": "evaluate", "arguments": {"expression": code}}
    return {
        "execute": ("execute_request", "shell", execute),
        "execute on the control channel": ("execute_request", "control", execute),
        "expressions of a silent request": (
            "execute_request", "shell", execute | {"code": "", "silent": True, "user_expressions": {"x": code}},
        ),
        "complete": ("complete_request", "shell", looks),
        "inspect": ("inspect_request", "shell", looks),
        "is complete": ("is_complete_request", "shell", {"code": code}),
        "history": ("history_request", "shell", history | {"session": 0, "start": 0, "stop": 100}),
        "debug": ("debug_request", "control", initialise),
        "debug on the shell channel": ("debug_request", "shell", initialise),
        "an answer to a question": ("input_reply", "stdin", {"value": code}),
        "a subshell": ("create_subshell_request", "control", {}),
        "a message of no known type": ("apply_request", "shell", {"code": code}),
    }  # fmt: skip


@answers(
    "sends the page's kernel code to run, complete, inspect or debug, on any channel",
    "the page's server lets a few kinds of message through, and none of them runs code",
    who=BROWSER,
)
def test_no_message_of_a_page_runs_code(tab: Tab, tmp_path: Path) -> None:
    for name, (kind, channel, content) in _running(f"open({str(tmp_path / 'written')!r}, 'w').close()").items():
        sent = tab.send(kind, content, channel=channel)
        heard = tab.settle()
        assert not [m["msg_type"] for m in heard if m["parent_header"].get("msg_id") == sent], name
        assert not list(tmp_path.iterdir()), name


def test_the_control_the_same_message_runs_in_a_jupyter_server(house: OpenHouse, tmp_path: Path) -> None:
    written = tmp_path / "written"
    kind, channel, content = _running(f"open({str(written)!r}, 'w').close()")["execute"]
    with visitor(house) as pia:
        sign_in(pia, "pia@example.com")
        lab = arrive(pia, "/hub/user-redirect/")
        base = "/".join(lab.url.path.split("/")[:3]) + "/"
        token = next(str(c.value) for c in pia.cookies.jar if c.name == "_xsrf" and c.path == base)
        kernel = pia.post(f"{base}api/kernels", headers={"X-XSRFToken": token}, json={}).json()["id"]
        path = f"{base}api/kernels/{kernel}/channels"
        with socket_to(house, path, cookies_for(pia, path)) as socket:
            jupyter = Tab(socket, kernel, lab)
            jupyter.answers_to(jupyter.send(kind, content, channel=channel))
    assert written.exists()


# --- looking ----------------------------------------------------------------------------------------------------------


def _secrets(house: OpenHouse) -> list[str]:
    """What no page may hold: the keys of the house, and the tokens of its processes."""
    kept = [path.read_text().strip() for path in (house.home / "keys").rglob("*") if path.is_file()]
    held = [
        value
        for process in house.belongings()
        for name, value in environment_of(process).items()
        if any(word in name for word in ("TOKEN", "SECRET", "KEY")) and len(value) > 15
    ]
    assert kept
    assert held
    return [*kept, *held]


@answers(
    "asks the kernel for the state of every widget, shown or not",
    "it is told, by protocol: no key, no token, no path of the house and nothing of anybody else is in any of them",
    who=BROWSER,
)
def test_what_all_widgets_hold_is_nothing_that_their_owner_may_not_know(
    house: OpenHouse, ada: Person, ben: Person, bens: dict[str, Any]
) -> None:
    own = ada.place(title="A Widget of One's Own")
    with tab_of(house, ada.client, f"?order={own['id']}") as tab:
        states = tab.wait_until_filled()
        told = json.dumps([states, tab.heard]) + tab.page.text
    assert "A Widget of One's Own" in told, "the control: it is told what it may know"
    assert not [secret for secret in _secrets(house) if secret in told]
    for foreign in (bens["id"], "A Door Ajar", ben.email, ben.name, str(house.home)):
        assert foreign not in told
    assert set(re.findall(r"[\w.+-]+@example\.com", told)) <= {ada.email}


@answers(
    "names somebody else's order in the page's address",
    "the api says that there is no such order, and the page holds nothing of it",
    who=BROWSER,
)
def test_an_order_of_somebody_else_in_the_address_is_not_shown(
    house: OpenHouse, ada: Person, bens: dict[str, Any]
) -> None:
    with tab_of(house, ada.client, f"?order={bens['id']}") as tab:
        states = tab.wait_until_filled()
        while "no such order" not in json.dumps(states):
            states = tab.states()
    assert "A Door Ajar" not in json.dumps(states)


# --- deciding ---------------------------------------------------------------------------------------------------------


@answers(
    "sets the price that the page shows to one cent, and orders",
    "the price is the shop's: it is not asked of the page, and the payment page shows it",
    who=BROWSER,
)
def test_a_price_set_in_the_browser_is_not_the_price(ada: Person, tab: Tab) -> None:
    states = tab.states()
    tab.set(find(states, "HTMLModel", value='<span class="tng-price">2.99 USD</span>'), value="0.01 USD")
    title = find(states, "AnyModel", label="Title")
    tab.set(title, price_cents=1, amount_cents=1, paid=True)
    tab.tell(title, {"kind": "says", "value": "One Cent", "price_cents": 1, "paid": True})
    length = find(states, "AnyModel", legend="Length")
    tab.set(length, options=[option | {"price": "0.01 USD"} for option in states[length]["options"]])
    tab.press(find(states, "ButtonModel", description="Order & pay"))
    order = ada.orders()[0]
    assert order["premise"]["title"] == "One Cent"
    assert (order["price"]["amount_cents"], order["state"]) == (299, "placed")
    assert "2.99" in ada.client.get(order["checkout_url"]).text


@answers(
    "gives the form's widgets values that no form offers: a tone, a length, a cast, a seed, a title of a book's length",
    "the page forgets what its widgets cannot be, the api refuses the rest with a sentence, and nothing is ordered",
    who=BROWSER,
)
@pytest.mark.parametrize("is_said", [False, True], ids=["set", "said"])
@pytest.mark.parametrize(
    ("control", "values"),
    [
        ({"label": "Title"}, {"value": "x" * 5000}),
        ({"label": "Title"}, {"value": "a\u202eb\x00"}),
        ({"label": "Title"}, {"value": {"title": "x"}}),
        ({"label": "Logline"}, {"value": "x" * 501}),
        ({"label": "Guest"}, {"value": "x" * 5000}),
        ({"legend": "Cast"}, {"chosen": ["WORF"]}),
        ({"legend": "Cast"}, {"options": [{"value": "Q"}, {"value": "R"}], "chosen": ["Q", "R"]}),
        ({"seed_below": SEED_LIMIT}, {"seed": -5}),
        ({"seed_below": SEED_LIMIT}, {"seed": "five"}),
    ],
)
def test_values_that_no_form_offers_order_nothing(
    ada: Person, tab: Tab, control: dict[str, Any], values: dict[str, Any], is_said: bool
) -> None:
    """A value of another kind, set past the form's own words, is dropped: what was there stays, and can be ordered."""
    before, states = [order["id"] for order in ada.orders()], tab.states()
    widget, title = find(states, "AnyModel", **control), find(states, "AnyModel", label="Title")
    is_dropped = _is_of_no_kind(control, values, is_said)
    if widget != title:
        tab.tell(title, {"kind": "says", "value": "" if is_dropped else "Forged"})
    if is_said:
        tab.set(widget, **{name: value for name, value in values.items() if name == "options"})
        tab.tell(widget, {"kind": "says"} | values)
    else:
        tab.set(widget, **values)
    tab.press(find(states, "ButtonModel", description="Order & pay"))
    assert [order["id"] for order in ada.orders()] == before
    assert _says_what_is_wrong(tab.states())


def test_the_control_the_same_form_is_ordered_with_values_that_it_offers(ada: Person, tab: Tab) -> None:
    states = tab.states()
    tab.tell(find(states, "AnyModel", label="Title"), {"kind": "says", "value": "In Good Form"})
    tab.tell(find(states, "AnyModel", legend="Cast"), {"kind": "says", "chosen": ["DATA", "WORF"]})
    tab.press(find(states, "ButtonModel", description="Order & pay"))
    assert ada.orders()[0]["premise"]["title"] == "In Good Form"
    assert not _says_what_is_wrong(tab.states())


def _is_of_no_kind(control: dict[str, Any], values: dict[str, Any], is_said: bool) -> bool:
    """Whether a trait cannot hold it, so that the form keeps what it had."""
    return not is_said and control == {"seed_below": SEED_LIMIT} and not isinstance(values["seed"], int)


def _says_what_is_wrong(states: States) -> bool:
    """Beside a control, at the top of the page or beside the button."""
    beside = [state["fault"] for state in states.values() if state.get("fault")]
    told = json.dumps([state.get("value") for state in states.values() if state["_model_name"] == "HTMLModel"])
    return bool(beside) or "tng-alert" in told or "tng-fault" in told


@answers(
    "chooses the hundredth of four tones and lengths by its number",
    "such a choice is not taken: what is ordered is something that was offered",
    who=BROWSER,
)
def test_a_choice_beyond_the_list_is_not_taken(ada: Person, tab: Tab) -> None:
    states = tab.states()
    tab.tell(find(states, "AnyModel", label="Title"), {"kind": "says", "value": "Beyond the List"})
    for legend in ("Tone", "Manner", "Length"):
        widget = find(states, "AnyModel", legend=legend)
        for chosen in (["free of charge"], [], [100], ["teaser", "episode"], "teaser", None, {"value": "teaser"}):
            tab.tell(widget, {"kind": "says", "chosen": chosen})
    tab.press(find(states, "ButtonModel", description="Order & pay"))
    assert ada.orders()[0]["premise"]["title"] == "Beyond the List", "the control: what was chosen before is ordered"
    for legend in ("Tone", "Manner", "Length"):
        free = {"value": "free of charge", "name": "Free"}
        tab.set(find(states, "AnyModel", legend=legend), options=[free], chosen=["free of charge"])
    tab.press(find(states, "ButtonModel", description="Order & pay"))
    for order in ada.orders():
        assert order["premise"]["tone"] in ("adventure", "mystery", "drama", "comedy")
        assert order["premise"]["length"] in ("teaser", "short", "episode")
        assert order["premise"]["seed"] >= 0


@answers(
    "presses the order button many times, also while it is disabled",
    "the draft has one key: the same draft is one order",
    who=BROWSER,
)
def test_a_button_that_sleeps_orders_the_same_draft_once(ada: Person, tab: Tab) -> None:
    states = tab.states()
    button = find(states, "ButtonModel", description="Order & pay")
    tab.tell(find(states, "AnyModel", label="Title"), {"kind": "says", "value": "Pressed in Its Sleep"})
    tab.set(button, disabled=True)
    for _ in range(5):
        tab.press(button)
    assert [o["premise"]["title"] for o in ada.orders()].count("Pressed in Its Sleep") == 1


@answers(
    "presses the hidden pay button of an order that is paid",
    "the api gives the order back as it is: there is no second payment page",
    who=BROWSER,
)
def test_a_hidden_pay_button_charges_nobody_twice(house: OpenHouse, ada: Person) -> None:
    paid = ada.pay(ada.place(title="Paid Once"))
    with tab_of(house, ada.client, f"?order={paid['id']}") as tab:
        states = tab.wait_until_filled()
        pay = find(states, "ButtonModel", description="Pay 2.99 USD")
        layout = states[pay]["layout"].removeprefix("IPY_MODEL_")
        assert states[layout]["display"] == "none"
        tab.set(layout, display="")
        tab.press(pay)
        assert '"kind": "go"' not in json.dumps(tab.heard), "it leads to no payment page"
    again = ada.api("POST", f"/orders/{paid['id']}/checkout").json()
    assert again["checkout_url"] is None
    assert again["paid_at"] == paid["paid_at"]


@answers(
    "presses the hidden buttons to pay, to cancel and to stop where no order is shown",
    "there is no order to pay or to take back: nothing is written",
    who=BROWSER,
)
def test_hidden_buttons_without_an_order_do_nothing(ada: Person, tab: Tab) -> None:
    before, states = [order["id"] for order in ada.orders()], tab.states()
    for hidden in ({"description": "Stop now"}, {"description": "", "button_style": ""}):
        tab.press(find(states, "ButtonModel", **hidden))
    tab.press(find(states, "ButtonModel", description="", button_style="primary"))
    assert [order["id"] for order in ada.orders()] == before
    assert "tng-alert" in json.dumps(tab.states())


@answers(
    "tells every widget of the page to show, share, name, throw away, stop or write again somebody else's order",
    "each hears of what its own person has and of nothing else, and the api refuses: nothing is fetched or changed",
    who=BROWSER,
)
def test_messages_to_the_pages_own_widgets_reach_nobody_elses_order(
    ada: Person, ben: Person, tab: Tab, bens: dict[str, Any]
) -> None:
    before, mine = ben.api("GET", f"/orders/{bens['id']}").json(), ada.place(title="Mine to Be Shown")
    own = [key for key, state in tab.states().items() if state["_model_name"] == "AnyModel"]
    assert len(own) > 10, "the control: they are there"
    for widget in own:
        tab.set(widget, editable=True, rows=[{"id": bens["id"]}], shown={"edition": 0, "versions": [], "guests": []})
        for content in _wishes_of(bens["id"]):
            tab.tell(widget, content)
    heard = json.dumps(tab.settle())
    assert "A Door Ajar" not in heard
    assert CANARY not in heard
    told = [{name: value for name, value in state.items() if name != "rows"} for state in tab.states().values()]
    assert bens["id"] not in json.dumps(told), "but for where this browser wrote it itself"
    assert "no such order" in json.dumps(told)
    assert ben.api("GET", f"/orders/{bens['id']}").json() == before
    for widget in own:
        tab.tell(widget, {"kind": "asked", "query": f"?order={mine['id']}"})
    assert "Mine to Be Shown" in json.dumps(tab.settle()), "the control: one of them shows what is her own"


def _wishes_of(order_id: str) -> list[Any]:
    """All that a widget of the page could be told about an order, and some that is nothing at all."""
    acts = ("open", "duplicate", "rename", "throw_away", "have_back", "share", "unshare")
    return [
        {"kind": "keep", "order": order_id},
        {"kind": "go", "url": "https://evil.example"},
        {"kind": "hello", "order": order_id, "sections": [[{"kind": "act", "text": CANARY}]]},
        *({"kind": act, "id": order_id, "title": CANARY} for act in acts),
        {"kind": "asked", "query": f"?order={order_id}"},
        {"kind": "asked", "query": f"?order=../orders/{order_id}"},
        {"kind": "scene", "number": 1, "act": "again", "order": order_id},
        {"kind": "line", "scene": 1, "block": 0, "text": CANARY, "place": f"{order_id}/0"},
        {"kind": "take", "scene": 1, "take": 1},
        {"kind": "back", "number": 0, "order": order_id},
        {"kind": "rename", "old": "A", "new": CANARY},
        {"kind": "action", "number": 1},
        {"kind": "kept", "draft": {"order": order_id}},
        [1, None, {"kind": ["hello"]}],
        "hello",
    ]


# --- making -----------------------------------------------------------------------------------------------------------


PLACES = ("value", "path", "filename", "src", "url", "format", "description", "_esm", "_css", "outputs", "children")
"""Everything of a widget that a file could be read from, or that might be shown."""


def _classes() -> Iterator[tuple[dict[str, str], list[str]]]:
    """For each class that a kernel of ours may know: what a browser must say to make one, and its PLACES."""
    parts = [f"_{what}_{part}" for what in ("model", "view") for part in ("module", "module_version", "name")]
    kinds = [kind for kind in vars(ipywidgets).values() if isinstance(kind, type) and issubclass(kind, Widget)]
    for traits in [kind.class_traits() for kind in (*kinds, anywidget.AnyWidget)]:
        made = {
            part: str(traits[part].default_value) for part in parts if part in traits and traits[part].default_value
        }
        if "_model_name" in made:
            yield made, [place for place in PLACES if place in traits or place.startswith("_")]


@answers(
    "makes a widget of every class that the kernel knows, each told to show a file of the house",
    "values of widgets are text and never paths: no file is read, and the kernel shows nothing by itself",
    who=BROWSER,
)
def test_a_widget_of_any_class_reads_no_file(house: OpenHouse, tab: Tab) -> None:
    canary = house.home / "canary.txt"
    canary.write_text(CANARY)
    shown = 0
    for kind, places in _classes():
        made = tab.make(kind)
        for value in (str(canary), "/etc/passwd"):
            for place in places:
                tab.set(made, **{place: value})
        tab.say(made, {"method": "request_state"})
        shown += any(m["content"].get("data", {}).get("method") == "update" for m in tab.settle())
    told = json.dumps(tab.heard)
    assert shown > 40, "the control: they were made"
    assert CANARY not in told
    assert "root:x:0:0" not in told
    assert not [m for m in tab.heard if m["msg_type"] in ("display_data", "execute_result", "execute_input")]


@answers(
    "makes a widget that holds bytes and asks for them by the older of Jupyter's two protocols",
    "they come, and the server goes on; Voilà's own would count to a number that does not end",
    who=BROWSER,
)
def test_bytes_by_the_older_protocol_do_not_hang_the_server(ada: Person, tab: Tab) -> None:
    kind = next(kind for kind, _places in _classes() if kind["_model_name"] == "ImageModel")
    tab.say(tab.make(kind), {"method": "request_state"})
    heard = tab.settle()
    assert [m for m in heard if m["content"].get("data", {}).get("buffer_paths") == [["value"]]]
    assert ada.client.get(f"{ada.base}voila/static/voila.js").status_code == 200


@answers(
    "opens comms to names that are no widgets: modules, files, functions",
    "only the two targets of the widgets are known; nothing is imported",
    who=BROWSER,
)
def test_a_comm_to_anything_else_is_closed(tab: Tab) -> None:
    for number, target in enumerate(("os", "builtins.exec", "ipython.widget", "matplotlib", "../../etc/passwd", "")):
        content = {"comm_id": f"c{number}", "target_name": target, "target_module": "this", "data": {"code": "1"}}
        tab.send("comm_open", content)
        heard = tab.settle()
        assert [m for m in heard if m["msg_type"] == "comm_close"], target
        assert "Zen of Python" not in json.dumps(heard), target


@answers(
    "sets a module of its own, from anywhere, as the view of the page's widgets",
    "its own browser may draw what it likes: another tab of the same customer knows nothing of it",
    who=BROWSER,
)
def test_what_a_browser_changes_is_seen_in_that_tab_alone(house: OpenHouse, ada: Person, tab: Tab) -> None:
    evil = "https://evil.example/module.js"
    for key, state in tab.states().items():
        tab.set(key, _view_module=evil, _esm=evil, value=f'<script src="{evil}"></script>', description=evil)
        assert state is not None
    tab.settle()
    with tab_of(house, ada.client) as another:
        told = json.dumps(another.wait_until_filled()) + another.page.text
    assert evil not in told


# --- other people's pages ---------------------------------------------------------------------------------------------


@answers(
    "connects to the kernel of somebody else's page, whose id it knows",
    "a server lets in its owner alone, and knows no kernel of another server",
    who=BROWSER,
)
def test_the_kernel_of_somebody_else_cannot_be_reached(house: OpenHouse, ada: Person, ben: Person) -> None:
    with tab_of(house, ben.client) as bens_tab:
        path = channels(bens_tab.page)
        assert _refused(house, ada, path)
        assert _refused(house, ada, path.replace(ben.base, ada.base))
        assert not _refused(house, ben, path), "the control: the owner may"


@answers(
    "ends, restarts or lists the kernels of somebody else",
    "refused, and the page goes on",
    who=BROWSER,
)
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_the_kernel_of_somebody_else_cannot_be_ended(house: OpenHouse, ada: Person, ben: Person, method: str) -> None:
    with tab_of(house, ben.client) as bens_tab:
        kernel = kernel_of(bens_tab.page)
        for base in (ben.base, ada.base):
            token = _token_for(ada)
            for path in (f"api/kernels/{kernel}", f"api/kernels/{kernel}/restart", f"voila/api/shutdown/{kernel}"):
                answer = ada.client.request(method, base + path, headers=token, follow_redirects=False)
                assert answer.status_code != 200, path
        assert bens_tab.settle(), "it still answers"


def _token_for(person: Person) -> dict[str, str]:
    tokens = [c.value for c in person.client.cookies.jar if c.name == "_xsrf" and c.path == person.base]
    return {"X-XSRFToken": str(tokens[0])}


def _refused(house: OpenHouse, person: Person, path: str) -> bool:
    return status_of(house, path, cookies_for(person.client, path)) in (403, 404)
