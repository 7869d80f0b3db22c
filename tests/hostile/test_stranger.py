"""Somebody who has not signed in, at every address of the house; and what a foreign page makes a browser do here."""

from __future__ import annotations

import gzip
import io
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import httpx
import psutil
import pytest
from jupyterhub import apihandlers, handlers

from hub import journal
from hub.journal import LONGEST_LINE, Journal
from tests.hostile.attacks import answers
from tests.hostile.people import WISH, Person
from tests.hostile.tab import cookies_for, kernel_of, leave, status_of
from tests.open_house import OpenHouse, arrive, visitor
from tests.processes import environment_of

STRANGER = "a stranger"
EVIL = "evil.example"
FOREIGN = {"Origin": f"https://{EVIL}", "Referer": f"https://{EVIL}/", "Sec-Fetch-Site": "cross-site"}
WRITES = ("POST", "PUT", "PATCH", "DELETE")
METHODS = ("GET", "HEAD", *WRITES)
WEBHOOK = "/services/api/stripe/webhook"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def nobody(house: OpenHouse) -> Iterator[httpx.Client]:
    """A browser that has no cookie, keeps none, and goes nowhere by itself."""
    with httpx.Client(base_url=house.url, timeout=60, headers={"accept": "text/html"}) as client:
        client.cookies.jar.set_policy(_NoCookies())
        yield client


class _NoCookies(DefaultCookiePolicy):
    def set_ok(self, *_whatever: Any) -> bool:
        return False


# --- every address ----------------------------------------------------------------------------------------------------


def _filled(pattern: str, name: str) -> str:
    """An address that a pattern of the hub fits."""
    path = re.sub(r"\(\?P<[^>]+>[^()]*(\([^()]*\))?[^()]*\)", name, pattern)
    path = re.sub(r"\([^()]*\)[?*+]?", "x", path)
    return "/hub/" + re.sub(r"[\\?$]", "", path).lstrip("/")


def hub_addresses(name: str) -> list[str]:
    """Every address of the hub's pages and of its REST interface, about this person."""
    patterns = [route[0] for route in (*handlers.default_handlers, *apihandlers.default_handlers)]
    return sorted({_filled(pattern, name) for pattern in patterns} | {"/", "/hub/oauth_callback", "/hub/oauth_login"})


def api_addresses(nobody: httpx.Client, order_id: str) -> list[str]:
    """Every address of the api, about this order."""
    paths: dict[str, Any] = nobody.get("/services/api/openapi.json").json()["paths"]
    listed = [re.sub(r"\{\w+\}", order_id, path) for path in paths]
    return [*listed, "/services/api/oauth_callback", "/services/api/operator/overview", "/services/api/metrics"]


def server_addresses(base: str, kernel: str) -> list[str]:
    """Addresses of a person's server: those that Voilà has, and those that a Jupyter server would have."""
    own = ("", "bridge", f"api/kernels/{kernel}", f"voila/api/shutdown/{kernel}", "voila/files/dashboard.ipynb", "x")
    jupyter = ("api/contents", "api/sessions", "api/terminals", "api/kernels", "lab", "tree", "metrics", "api/status")
    return [base + path for path in (*own, *jupyter)]


PUBLIC = re.compile(
    r"/hub/(login|health|api/|api/health|api)?$|/hub/(static|logo)|/services/api/(offer|health|docs|openapi\.json)$"
    r"|/services/(google|stripe)/$|/robots.txt$"
)
"""What is open to everybody: the front door, who we are, whether we are up, and what there is to buy."""

OF_JUPYTERHUB = re.compile(r"/hub/api/authorizations/token/")
"""JupyterHub 6.1's own handler of an endpoint that it removed trips over its parameter, and answers 500."""


@answers(
    "asks for every address of the hub, the api and people's servers, by every method, without a cookie",
    "sent to sign in, or refused: never data, and never an error of the house",
    who=STRANGER,
)
def test_without_a_cookie_no_address_gives_anything(
    nobody: httpx.Client, ada: Person, bens_page: httpx.Response, ben: Person
) -> None:
    order = ada.place(title="Behind the Door")
    kernel = kernel_of(bens_page)
    addresses = [*hub_addresses(ada.name), *api_addresses(nobody, order["id"]), *server_addresses(ben.base, kernel)]
    assert len(addresses) > 80
    open_to_all = []
    for path in addresses:
        for method in METHODS:
            answer = nobody.request(method, path)
            what = (method, path, answer.status_code)
            assert answer.status_code < 500 or OF_JUPYTERHUB.search(path), what
            for own in (order["id"], "Behind the Door", ada.email, ada.csrf):
                assert own not in answer.text.replace(path, ""), what
            if answer.is_success and not PUBLIC.search(path):
                open_to_all.append(what)
            if answer.is_redirect:
                assert _host(answer, nobody) in ("", urlsplit(str(nobody.base_url)).netloc), what
    assert not open_to_all


@pytest.fixture
def bens_page(ben: Person) -> Iterator[httpx.Response]:
    """Ben's dashboard is open."""
    page = arrive(ben.client, "/hub/user-redirect/")
    yield page
    leave(ben.client, page)


@answers(
    "shows a page of the house in a frame of its own page, to have somebody press what they do not see",
    "no page of the house may be framed",
    who=STRANGER,
)
def test_no_page_can_be_framed(nobody: httpx.Client, ada: Person, bens_page: httpx.Response) -> None:
    pages = [bens_page]
    pages += [
        nobody.get(path) for path in ("/hub/login", "/hub/no-such-page", "/no-such-service/", "/services/api/docs")
    ]
    pages += [ada.client.get(path) for path in ("/hub/home", "/hub/token", "/hub/spawn/x")]
    order = ada.place()
    pages += [ada.client.get(order["checkout_url"])]
    for page in pages:
        assert "text/html" in page.headers["content-type"], page.url
        assert re.search(r"frame-ancestors ('none'|'self')", page.headers.get("content-security-policy", "")), page.url


@answers(
    "writes markup into addresses, to have pages of the house repeat it",
    "no page repeats it as markup",
    who=STRANGER,
)
def test_no_page_repeats_markup_from_its_address(nobody: httpx.Client, ada: Person) -> None:
    markup = [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{7*7}}<b>x</b>",
        "</title><svg onload=x>",
    ]
    places = (
        "/hub/{}",
        "/hub/login?next={}",
        "/hub/error/404?url={}",
        "/hub/oauth_callback?error={0}&state={0}",
        "/x{}",
    )
    services = ("/services/api/{}", "/services/google/authorize?client_id={}", "/services/stripe/pay/{}", "/user/{}/")
    for text in markup:
        for place in (*places, *services):
            for client in (nobody, ada.client):
                answer = client.get(place.format(quote(text)))
                assert text not in answer.text or "json" in answer.headers["content-type"], place
                assert "49<b>" not in answer.text, place


@answers("asks the house from another machine", "all of it listens on this machine alone", who=STRANGER)
def test_every_port_of_the_house_is_on_loopback(house: OpenHouse) -> None:
    ports: dict[int, str] = {}
    for process in house.belongings():
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                ports[connection.laddr.port] = connection.laddr.ip
    assert set(range(house.port, house.port + 4)) <= set(ports), "the control: the house's own ports are seen"
    assert set(ports.values()) <= {"127.0.0.1", "::1"}


# --- what a foreign page makes a browser do ---------------------------------------------------------------------------


@answers(
    "has a signed-in browser write to the hub: across sites, without the page's token, also as no-cors",
    "refused: every write of a browser carries a token that only our own pages know",
    who=STRANGER,
    threat="CVE-2026-40864",
)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param(FOREIGN, id="foreign origin"),
        pytest.param(FOREIGN | {"Sec-Fetch-Mode": "no-cors"}, id="no-cors"),
        pytest.param({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, id="as an image"),
        pytest.param(FOREIGN | {"Content-Type": "text/plain"}, id="plain text"),
        pytest.param(FOREIGN | {"X-XSRFToken": "guessed"}, id="guessed"),
    ],
)
def test_a_write_without_our_token_is_refused_by_the_hub(ada: Person, headers: dict[str, str]) -> None:
    for path in hub_addresses(ada.name):
        for method in WRITES:
            answer = ada.client.request(method, path, headers=headers, content="{}", follow_redirects=False)
            if not OF_JUPYTERHUB.search(path) and "/security/" not in path:
                assert answer.status_code in (302, 400, 403, 404, 405), (method, path, answer.status_code)
    assert ada.hub("GET", "/api/user").json()["name"] == ada.name, "and nothing has changed"


@answers(
    "has a signed-in browser write to the api, across sites or without the page's token",
    "refused, and nothing is ordered or cancelled",
    who=STRANGER,
)
@pytest.mark.parametrize("token", [{}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}, {"X-XSRFToken": "x"}])
def test_a_write_without_our_token_is_refused_by_the_api(ada: Person, token: dict[str, str]) -> None:
    order, before = ada.place(), len(ada.orders())
    own = f"/orders/{order['id']}"
    for path, body in (("/orders", WISH), (f"{own}/checkout", None), (f"{own}/cancel", None)):
        headers = FOREIGN | token | {"Idempotency-Key": "foreign"}
        answer = ada.client.post(f"/services/api{path}", json=body, headers=headers, follow_redirects=False)
        assert answer.status_code == 403, path
    assert len(ada.orders()) == before
    assert ada.api("GET", own).json()["state"] == "placed", "nobody cancelled it"


@answers(
    "has a signed-in browser end the kernels of its own dashboard, or connect to them from a foreign page",
    "refused without the page's token, and from any origin but ours",
    who=STRANGER,
)
def test_a_foreign_page_reaches_no_kernel(house: OpenHouse, ben: Person, bens_page: httpx.Response) -> None:
    kernel = kernel_of(bens_page)
    for method, path in (("POST", f"voila/api/shutdown/{kernel}"), ("DELETE", f"api/kernels/{kernel}")):
        answer = ben.client.request(method, ben.base + path, headers=FOREIGN, follow_redirects=False)
        assert answer.status_code in (403, 404, 405), path
    channels = f"{ben.base}api/kernels/{kernel}/channels"
    cookie = cookies_for(ben.client, channels)
    assert status_of(house, channels, cookie, origin=f"https://{EVIL}") in (403, 404)
    assert status_of(house, channels, "") in (403, 404)
    assert status_of(house, channels, cookie) == 101, "the control: its own page may"


# --- sign-in ----------------------------------------------------------------------------------------------------------

NEXTS = (
    f"//{EVIL}",
    f"///{EVIL}",
    f"https://{EVIL}",
    f"https:{EVIL}",
    f"http:/{EVIL}",
    f"\\\\{EVIL}",
    f"/\\{EVIL}",
    f"\\/{EVIL}",
    f"/\t/{EVIL}",
    f"/%5c{EVIL}",
    f"%2f%2f{EVIL}",
    f"/%2f{EVIL}",
    f"/hub/../..//{EVIL}",
    f"http://127.0.0.1@{EVIL}",
    f"http://{EVIL}#@127.0.0.1",
    "javascript:alert(1)",
    "data:text/html,x",
)


def _host(answer: httpx.Response, client: httpx.Client) -> str:
    """Where a browser would go: it takes a backslash for a slash, and does not see tabs."""
    target = re.sub(r"[\t\r\n]", "", answer.headers.get("location", "")).replace("\\", "/")
    there = urlsplit(urljoin(str(client.base_url), target))
    return there.netloc if there.scheme in ("http", "https") else f"{there.scheme}: is no address of the web"


@answers(
    "hands out a link to our sign-in that goes on to a page of its own",
    "after sign-in everybody is in this house, however the address is written",
    who=STRANGER,
    threat="CVE-2026-33709",
)
@pytest.mark.parametrize("target", NEXTS)
def test_sign_in_leads_nowhere_else(house: OpenHouse, ada: Person, target: str) -> None:
    here = urlsplit(house.url).netloc
    for path in ("/hub/login", "/hub/oauth_login", "/hub/spawn", "/hub/"):
        answer = ada.client.get(path, params={"next": target}, follow_redirects=False)
        assert _host(answer, ada.client) == here, path
    for begins in ("/hub/user-redirect/", "/services/api/", "/user-redirect/"):
        answer = ada.client.get(begins + quote(target, safe="/:\\%@"), follow_redirects=False)
        assert _host(answer, ada.client) == here, begins
    with visitor(house) as client:
        page = client.get("/hub/oauth_login", params={"next": target})
        client.follow_redirects = False
        answer = client.post(page.url, data={"email": "ada@example.com"})
        for _ in range(6):
            if not answer.is_redirect:
                break
            assert _host(answer, client) == here, answer.headers["location"]
            answer = client.get(answer.headers["location"])


@answers(
    "has somebody come back from a sign-in that the attacker began, to sign them in as the attacker",
    "a sign-in ends only in the browser in which it began",
    who=STRANGER,
)
def test_a_sign_in_that_another_browser_began_signs_nobody_in(house: OpenHouse, ada: Person) -> None:
    with visitor(house) as attacker, visitor(house) as victim:
        page = attacker.get("/hub/oauth_login")
        attacker.follow_redirects = False
        callback = attacker.post(page.url, data={"email": "ada@example.com"}).headers["location"]
        assert parse_qs(urlsplit(callback).query).keys() == {"code", "state"}
        assert victim.get(callback).status_code in (400, 403)
        assert victim.get("/hub/home").url.path == "/hub/login"
        assert attacker.get(callback).status_code == 302, "the control: its own browser may"
    for begun, name in ((f"{ada.house.url}/services/api/me", "tng-api-session"), (ada.house.url + ada.base, "user")):
        with visitor(house) as victim:
            fresh = httpx.Client(base_url=house.url, cookies=_hub_cookies(ada), headers={"accept": "text/html"})
            asked = fresh.get(begun, follow_redirects=False)
            granted = fresh.get(asked.headers["location"], follow_redirects=False)
            callback = urljoin(house.url, granted.headers["location"])
            assert "code=" in callback
            answer = victim.get(callback, follow_redirects=False)
            assert answer.status_code in (302, 400, 403)
            assert not [cookie for cookie in victim.cookies.jar if name in cookie.name and "state" not in cookie.name]


def _hub_cookies(person: Person) -> dict[str, str]:
    return {c.name: str(c.value) for c in person.client.cookies.jar if c.path in ("/", "/hub/")}


@answers(
    "gives somebody cookies before they sign in, to use the session that they then have",
    "what signs in is a cookie that the hub gives out afterwards: those from before open nothing",
    who=STRANGER,
)
def test_cookies_from_before_the_sign_in_open_nothing(house: OpenHouse, nobody: httpx.Client) -> None:
    given = {"jupyterhub-session-id": "f" * 32, "_xsrf": "guessed", "tng-api-session": "y"}
    with visitor(house) as victim:
        for name, value in given.items():
            victim.cookies.set(name, value, domain="127.0.0.1", path="/")
        page = victim.get("/hub/oauth_login")
        victim.post(page.url, data={"email": "ben@example.com"})
        assert victim.get("/hub/api/user").json()["name"], "the control: the victim is in"
        session = {c.name: str(c.value) for c in victim.cookies.jar if c.name == "jupyterhub-session-id"}
    for cookies in (given, session):
        header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        assert nobody.get("/hub/home", headers=header).status_code == 302
        assert nobody.get("/hub/api/user", headers=header).status_code == 403


@answers(
    "puts a token into an address, where logs and other sites see it",
    "tokens in addresses are not read",
    who=STRANGER,
)
def test_a_token_in_an_address_opens_nothing(house: OpenHouse, nobody: httpx.Client, ben: Person) -> None:
    arrive(ben.client, "/hub/user-redirect/")
    token = environment_of(house.service("hub.voila_server"))["JUPYTERHUB_API_TOKEN"]
    for scheme in ("token", "Bearer"):
        answer = nobody.get("/hub/api/user", headers={"Authorization": f"{scheme} {token}"})
        assert answer.status_code == 200, "the control: in the header it is"
    for path in ("/hub/api/user", "/hub/home", ben.base, f"{ben.base}api/kernels", "/services/api/orders"):
        for name in ("token", "access_token", "_xsrf"):
            answer = nobody.get(path, params={name: token}, headers={"accept": "application/json"})
            assert answer.status_code in (302, 401, 403, 404), (path, name)


@answers(
    "sends another host name, so that links and redirects lead to it",
    "addresses are made from the settings, or from nothing: the name does not come back",
    who=STRANGER,
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": EVIL},
        {"X-Forwarded-Host": EVIL},
        {"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"},
        {"Forwarded": f"host={EVIL};proto=https"},
        {"X-Original-URL": f"https://{EVIL}/", "X-Rewrite-URL": f"https://{EVIL}/"},
        {"Host": f"127.0.0.1@{EVIL}"},
    ],
    ids=lambda headers: ", ".join(f"{name}: {value}" for name, value in headers.items()),
)
def test_another_host_name_does_not_come_back(
    house: OpenHouse, nobody: httpx.Client, ada: Person, headers: dict[str, str]
) -> None:
    paths = ["/", "/hub/", "/hub/login", "/hub/oauth_login", "/hub/user-redirect/", "/hub/x", "/services/api/me", "/x"]
    paths += [
        "/services/api/pay/cancel",
        "/services/api/docs",
        "/services/api/openapi.json",
        ada.base,
        "/services/google/",
    ]
    for path in paths:
        answer = nobody.get(path, headers=headers)
        assert answer.status_code < 500, path
        assert EVIL not in answer.headers.get("location", ""), path
        assert EVIL not in answer.headers.get("set-cookie", ""), path
        assert EVIL not in answer.text, path
    order = ada.api("POST", "/orders", json=WISH, headers=headers | {"Idempotency-Key": f"host-{len(str(headers))}"})
    assert EVIL not in order.text


# --- floods -----------------------------------------------------------------------------------------------------------


@answers(
    "sends five hundred forged webhooks at once",
    "each is refused, nothing is kept, the log grows by a line each at most, and the shop goes on answering",
    who=STRANGER,
)
def test_a_flood_of_forged_webhooks_changes_nothing(house: OpenHouse, ada: Person) -> None:
    kept, log = _kept(house), len(house.log)
    body = b'{"id":"evt_1","type":"checkout.session.completed","data":{"object":{"id":"cs_1"}}}'

    def forge(number: int) -> int:
        signature = {"Stripe-Signature": f"t={int(time.time())},v1={number:064x}"} if number % 2 else {}
        return flooding.post(WEBHOOK, content=body, headers=signature).status_code

    limits = httpx.Limits(max_connections=50)
    with httpx.Client(base_url=house.url, timeout=120, limits=limits) as flooding, ThreadPoolExecutor(50) as pool:
        sent = [pool.submit(forge, number) for number in range(500)]
        began = time.monotonic()
        assert ada.api("GET", "/offer").status_code == 200
        waited_seconds = time.monotonic() - began
        assert {each.result() for each in sent} == {400}
    assert waited_seconds < 20
    assert _kept(house) == kept
    assert len(house.log) - log < 500 * 400


def _kept(house: OpenHouse) -> list[int]:
    """How many rows the orders database has, table by table."""
    database = next(path for path in house.home.rglob("orders.sqlite"))
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as rows:
        tables = [name for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return [rows.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for t in tables if "fault" not in t]  # noqa: S608


@answers(
    "sends a webhook of two megabytes, one that unpacks to a hundred, or one that never says how long it is",
    "beyond 256 KiB nothing is read, and nothing is ever unpacked",
    who=STRANGER,
)
def test_a_body_is_bounded(house: OpenHouse, nobody: httpx.Client) -> None:
    api = house.url.replace(str(house.port), str(house.port + 3))
    for door in (api, house.url):
        assert _posted(f"{door}{WEBHOOK}", b"x" * 2_000_000) in (413, CUT_OFF)
        assert _posted(f"{door}{WEBHOOK}", iter([b"x" * 65_536] * 40)) in (413, CUT_OFF)
    assert _posted(f"{api}{WEBHOOK}", b"x" * 300_000) == 413, "with a sentence, where the answer is waited for"
    bomb = gzip.compress(bytes(100_000_000))
    assert len(bomb) < 256 * 1024
    answer = nobody.post(WEBHOOK, content=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert answer.elapsed.total_seconds() < 20


CUT_OFF = 0
"""No answer was read: who goes on sending a body that nobody reads finds the connection closed."""


def _posted(url: str, content: Any) -> int:
    try:
        return httpx.post(url, content=content, timeout=60, trust_env=False).status_code
    except httpx.TransportError:
        return CUT_OFF


@answers(
    "opens a hundred connections and sends nothing more on them",
    "they wait, and nobody else does",
    who=STRANGER,
)
def test_slow_bodies_hold_up_nobody(house: OpenHouse, nobody: httpx.Client) -> None:
    head = f"POST {WEBHOOK} HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nContent-Length: 1000\r\n\r\n{{"
    with ExitStack() as stack:
        for _ in range(100):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", house.port), timeout=20))
            slow.sendall(head.encode())
        for path in ("/services/api/health", "/hub/health"):
            answer = nobody.get(path)
            assert answer.status_code == 200
            assert answer.elapsed.total_seconds() < 20


@answers(
    "fills the log with long addresses and long names",
    "one address is a few lines at most, and the log is two files of ten megabytes",
    who=STRANGER,
    threat="CVE-2026-54338",
)
def test_the_log_cannot_be_filled(
    house: OpenHouse, nobody: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, long = len(house.log), "a" * 6000
    for path in (f"/hub/{long}", f"/user/{long}/", f"/hub/login?next={long}", f"/services/api/orders/{long}"):
        for headers in ({}, {"Authorization": f"token {long}"}):
            assert nobody.get(path, headers=headers).status_code < 500, path[:20]
    assert len(house.log) - before < 8 * 4 * len(long)
    monkeypatch.setattr(journal, "LONGEST_LOG", 2**18)
    kept = Journal(tmp_path / "logs" / "hub.log", "00" * 32)
    kept.keep(io.BytesIO(b"x." * 2**18 + b"\n" + b"y\n" * 100))
    kept.keep(io.BytesIO(b"z" * 2**19))
    sizes = [path.stat().st_size for path in (tmp_path / "logs").iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 2**18 + LONGEST_LINE


@answers(
    "sends a name so long that searching it for addresses takes seconds, while everything waits for the log",
    "a name is searched in time that grows with its length, not with the square of it",
    who=STRANGER,
)
def test_a_long_name_does_not_hold_up_the_log(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "logs" / "hub.log", "00" * 32)

    def seconds(length: int) -> float:
        began = time.process_time()
        for _ in range(5):
            kept.hide("a" * length)
        return time.process_time() - began

    seconds(100)
    assert seconds(40_000) < 40 * max(seconds(4_000), 0.001), "in the square of it: a hundred times"
    assert "person-" in kept.hide("a" * 100 + "@example.com"), "the control: addresses are found"


@answers(
    "breaks the wait of a prepared page for its visitor, which Voilà answers without asking who calls",
    "only the kernel itself can wait there: the next page opens as fast as ever",
    who=STRANGER,
)
def test_the_wait_of_a_prepared_page_cannot_be_broken(house: OpenHouse, ben: Person, bens_page: httpx.Response) -> None:
    kernel, other = kernel_of(bens_page), "00000000-0000-0000-0000-000000000000"
    for known in (kernel, other, other, other):
        assert status_of(house, f"{ben.base}voila/query/{known}", "") in (403, 404)
    page = arrive(ben.client, "/hub/user-redirect/?order=ord_1")
    leave(ben.client, page)
    assert page.status_code == 200


@answers(
    "writes line ends and colours of a terminal into addresses and headers, to forge lines of the log",
    "what does not print is quoted before it is logged",
    who=STRANGER,
)
def test_no_line_of_the_log_can_be_forged(house: OpenHouse, nobody: httpx.Client) -> None:
    forged = "2026-11-24T12:00:00.000Z INFO tng.money.till: PLACED→PAID order=ord_forged"
    for path in ("/hub/x", "/services/api/orders/x", "/user/x/"):
        nobody.get(f"{path}%0d%0a{quote(forged)}%1b%5b31m", headers={"User-Agent": "x\x1b[31m"})
        nobody.get(f"/hub/login?next=%0a{quote(forged)}")
    assert not [line for line in house.log.splitlines() if line.startswith(forged[:40]) and "ord_forged" in line]
    assert "\x1b[31mx" not in house.log
