"""A signed-in customer's browser against the hub and its own server: other doors, other people, other files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.hostile.attacks import answers
from tests.hostile.people import Person
from tests.hostile.routes import order_routes
from tests.hostile.tab import leave, xsrf
from tests.open_house import OpenHouse, arrive
from tests.processes import environment_of, words_of

BROWSER = "a customer's browser"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


# --- its own server ---------------------------------------------------------------------------------------------------

JUPYTER = (
    "api/contents",
    "api/contents/dashboard.ipynb",
    "api/sessions",
    "api/terminals",
    "api/kernels",
    "api/kernelspecs",
    "api/config/x",
    "api/me",
    "api/status",
    "lab",
    "lab/api/settings",
    "tree",
    "edit/dashboard.ipynb",
    "view/dashboard.ipynb",
    "terminals/1",
    "metrics",
    "nbconvert/html/dashboard.ipynb",
    "files/dashboard.ipynb",
    "dashboard.ipynb",
)
VOILAS = (
    "voila/tree",
    "voila/render/dashboard.ipynb",
    "voila/api/contents",
    "voila/files/dashboard.ipynb",
    "voila/files/../../../hub/auth.py",
    "voila/files/%2e%2e/%2e%2e/hub/auth.py",
    "voila/files//etc/passwd",
    "voila/static/..%2f..%2fapp.py",
    "voila/static/%2e%2e/%2e%2e/app.py",
    "voila/templates/tng/..%2f..%2fconf.json",
    "voila/templates/lab/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "voila/labextensions/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "voila/api/themes/..%2f..%2f..%2fetc%2fpasswd",
)


@answers(
    "asks its own server for what a Jupyter server has: contents, sessions, terminals, kernels, files, nbconvert",
    "it is none: it serves one page, and lists, reads and writes no file",
    who=BROWSER,
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_customers_server_is_no_jupyter_server(ada: Person, method: str) -> None:
    for path in JUPYTER:
        answer = ada.client.request(method, ada.base + path, headers=xsrf(ada.client, ada.base), json={})
        assert 400 <= answer.status_code < 500, (path, answer.status_code, str(answer.url))
        assert "nbformat" not in answer.text


@answers(
    "asks Voilà for the tree, another notebook, the notebook's source, or a file beyond its folders",
    "one notebook, never its source; no path leads out of the folders of static files",
    who=BROWSER,
)
@pytest.mark.parametrize("path", VOILAS)
def test_no_file_of_the_house_is_served(ada: Person, path: str) -> None:
    answer = ada.client.get(ada.base + path)
    assert answer.status_code != 200, path
    for content in ("nbformat", "root:x:0:0", "VerifiedGoogle", "class Voila"):
        assert content not in answer.text


@answers(
    "asks for the page with another template, theme or renderer in its address",
    "the template is ours, whatever the address says",
    who=BROWSER,
)
@pytest.mark.parametrize(
    "query",
    [
        "?template=reveal",
        "?template=classic&theme=dark",
        "?template=../../../../etc",
        "?voila-template=reveal&voila-theme=dark",
        "?theme=https://evil.example/x.css",
        "?token=x&_xsrf=y&show_tracebacks=1&enable_nbextensions=1",
    ],
)
def test_the_page_has_our_template_whatever_the_address_says(ada: Person, query: str) -> None:
    page = arrive(ada.client, ada.base + query)
    leave(ada.client, page)
    assert "tng-footer" in page.text
    assert "reveal.js" not in page.text
    assert "evil.example" not in page.text.replace(query, "")
    assert "Traceback" not in page.text


# --- the hub ----------------------------------------------------------------------------------------------------------

WISHES: dict[str, dict[str, Any]] = {
    "the workbench": {"door": "workbench"},
    "the workbench, as a form sends it": {"door": ["workbench"], "gpus": ["4"]},
    "GPUs": {"door": "dashboard", "gpus": 8},
    "another command": {"cmd": ["jupyter-lab"], "args": ["--allow-root"], "default_url": "/lab"},
    "another environment": {"environment": {"PYTHONPATH": "/home"}, "env_keep": ["STRIPE_SECRET_KEY"]},
    "another profile, image or notebook": {"profile": "gpu", "image": "evil/image", "notebook_dir": "/"},
    "another user": {"user": "root", "uid": 0, "home_dir": "/root"},
}


def _stop(house: OpenHouse, person: Person) -> None:
    answer = person.hub("DELETE", f"/api/users/{person.name}/server")
    assert answer.status_code in (202, 204), answer.text


@answers(
    "asks the hub for the workbench, for GPUs, or for another command, environment or user, by form or by REST",
    "what is started follows from the group: a customer's wishes are not read",
    who=BROWSER,
)
@pytest.mark.parametrize("wish", WISHES)
def test_a_customers_wishes_start_a_dashboard_all_the_same(house: OpenHouse, ada: Person, wish: str) -> None:
    arrive(ada.client, "/hub/user-redirect/")
    _stop(house, ada)
    answer = ada.hub("POST", f"/api/users/{ada.name}/server", json=WISHES[wish])
    assert answer.status_code in (201, 202, 400, 403), answer.text
    query = {f"opt-{name}": str(value) for name, value in WISHES[wish].items()}
    page = arrive(ada.client, ada.client.get("/hub/spawn", params=query).url.path)
    leave(ada.client, page)
    assert page.url.path == ada.base
    running = _servers_of(house, ada)
    assert [line for line in running if "hub.voila_server" in line], "the control: processes are seen"
    assert not [line for line in running if "lab" in line or "singleuser" in line]


@answers(
    "posts the form of the workbench's spawn page, which it was not shown",
    "there is no form for a customer: the answer is the dashboard or a refusal",
    who=BROWSER,
)
def test_the_form_of_a_power_user_does_nothing_for_a_customer(house: OpenHouse, ada: Person) -> None:
    arrive(ada.client, "/hub/user-redirect/")
    for path in ("/spawn", f"/spawn/{ada.name}", "/spawn?next=/hub/home"):
        answer = ada.hub("POST", path, data={"door": "workbench", "gpus": "4", **_as_field(ada)})
        assert answer.status_code in (302, 400, 403, 404), path
    assert not [line for line in _servers_of(house, ada) if "lab" in line or "singleuser" in line]


def _servers_of(house: OpenHouse, person: Person) -> list[str]:
    """What runs in somebody's name, as it was started: the modules and programs alone."""
    found = [p for p in house.belongings() if environment_of(p).get("JUPYTERHUB_SERVICE_PREFIX") == person.base]
    return [" ".join(word for word in words_of(process) if not word.startswith("--")) for process in found]


def _as_field(person: Person) -> dict[str, str]:
    return {"_xsrf": xsrf(person.client, "/hub/")["X-XSRFToken"]}


@answers("starts a second server under a name", "there are no named servers", who=BROWSER)
@pytest.mark.parametrize("name", ["x", "..", "%2e%2e", "x/y"])
def test_there_are_no_named_servers(ada: Person, name: str) -> None:
    assert ada.hub("POST", f"/api/users/{ada.name}/servers/{name}", json={}).status_code in (400, 403, 404)
    assert ada.hub("GET", f"/spawn/{ada.name}/{name}").status_code in (302, 400, 403, 404)
    servers = ada.hub("GET", "/api/user").json().get("servers") or {}
    assert set(servers) <= {""}


@answers(
    "makes itself a token, for itself or another, on the hub's page or by REST",
    "nobody has the right to",
    who=BROWSER,
)
def test_nobody_makes_tokens(ada: Person, ben: Person) -> None:
    for name in (ada.name, ben.name):
        for body in ({}, {"roles": ["admin"]}, {"scopes": ["admin:users"]}, {"expires_in": 1, "note": "x"}):
            assert ada.hub("POST", f"/api/users/{name}/tokens", json=body).status_code in (403, 404)
        assert ada.hub("GET", f"/api/users/{name}/tokens").status_code in (403, 404)
    assert ada.hub("POST", "/token", data=_as_field(ada)).status_code in (403, 404, 405)


OTHERS = (
    ("POST", "/api/users/{name}/server", {}),
    ("DELETE", "/api/users/{name}/server", None),
    ("POST", "/api/users/{name}/activity", {"last_activity": "2030-01-01T00:00:00Z"}),
    ("GET", "/api/users/{name}", None),
    ("GET", "/api/users/{name}/server/progress", None),
    ("PATCH", "/api/users/{name}", {"admin": True}),
    ("DELETE", "/api/users/{name}", None),
    ("GET", "/spawn/{name}", None),
    ("GET", "/spawn-pending/{name}", None),
    ("GET", "/user/{name}/", None),
)


@answers(
    "starts, stops, follows or describes the server of somebody else",
    "the hub knows nobody of that name, as far as a customer is told",
    who=BROWSER,
)
@pytest.mark.parametrize(("method", "path", "body"), OTHERS)
def test_the_server_of_somebody_else_is_not_there(
    ada: Person, ben: Person, method: str, path: str, body: dict[str, Any] | None
) -> None:
    leave(ben.client, arrive(ben.client, "/hub/user-redirect/"))
    answer = ada.hub(method, path.format(name=ben.name), json=body)
    assert answer.status_code in (302, 403, 404)
    assert ben.email not in answer.text
    assert answer.headers.get("location", "/hub/").startswith(("/hub/", ada.base, ada.house.url, ben.base))
    assert ben.client.get(f"{ben.base}voila/static/voila.js").status_code == 200, "the control: his server goes on"


@answers(
    "opens the administrator's page, lists people, groups and services, makes itself one, shuts the hub down",
    "refused: only operators are administrators, and nobody becomes one by asking",
    who=BROWSER,
)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/admin", None),
        ("GET", "/metrics", None),
        ("GET", "/api/users", None),
        ("POST", "/api/users", {"usernames": ["mallory"], "admin": True}),
        ("PATCH", "/api/users/{own}", {"admin": True}),
        ("GET", "/api/groups", None),
        ("POST", "/api/groups/operators/users", {"users": ["{own}"]}),
        ("POST", "/api/groups/power-users/users", {"users": ["{own}"]}),
        ("GET", "/api/services", None),
        ("GET", "/api/services/api", None),
        ("GET", "/api/proxy", None),
        ("PATCH", "/api/proxy", {"api_url": "http://evil.example"}),
        ("POST", "/api/shutdown", {"servers": True}),
        ("GET", "/api/info", None),
        ("POST", "/api/shares/{own}/x", {"scopes": ["access:servers"]}),
        ("POST", "/api/share-codes/{own}/", {}),
        ("GET", "/accept-share?code=x", None),
    ],
)
def test_a_customer_administers_nothing(ada: Person, method: str, path: str, body: dict[str, Any] | None) -> None:
    told = json.loads(json.dumps(body).replace("{own}", ada.name)) if body else None
    assert ada.hub(method, path.replace("{own}", ada.name), json=told).status_code in (400, 403, 404, 405)
    assert not ada.hub("GET", "/api/user").json()["admin"]


# --- the api ----------------------------------------------------------------------------------------------------------


@answers(
    "asks the api for somebody else's order: to read, follow, pay, take along, cancel, stop, name, share or rework",
    "there is no such order, whichever way it is asked for",
    who=BROWSER,
)
def test_an_order_of_somebody_else_does_not_exist(ada: Person, ben: Person) -> None:
    order = ben.place(title="Not for Ada")
    routes = order_routes(ada.client.get("/services/api/openapi.json").json(), "/services/api")
    assert len(routes) >= 18
    for route in routes:
        asked = route.of(order["id"])
        answer = ada.api(asked.pop("method"), asked.pop("url"), **asked)
        assert answer.status_code == 404, route
        assert "Not for Ada" not in answer.text
    kept = ben.api("GET", f"/orders/{order['id']}")
    assert (kept.status_code, kept.json()["state"]) == (200, "placed"), (
        "the control: the owner may, and nothing changed"
    )
    assert ben.api("POST", f"/orders/{order['id']}/cancel").json()["state"] == "expired"


@answers(
    "asks for an operator's pages of the api",
    "they are not there for a customer",
    who=BROWSER,
)
def test_an_operators_routes_do_not_exist_for_a_customer(ada: Person) -> None:
    paths: dict[str, dict[str, Any]] = ada.client.get("/services/api/openapi.json").json()["paths"]
    operators = {path: methods for path, methods in paths.items() if "/operator/" in path}
    for path, methods in (operators | {"/services/api/metrics": {"get": {}}}).items():
        for method in methods:
            own = path.removeprefix("/services/api").replace("{", "").replace("}", "")
            answer = ada.api(method.upper(), own, json={})
            assert answer.status_code in (403, 404), (method, path)


@answers(
    "comes back from a payment that somebody else made, or from none",
    "Stripe is asked, the owner is compared: nothing of theirs is shown, and nothing becomes paid",
    who=BROWSER,
)
def test_the_way_back_from_a_payment_of_another_shows_nothing(ada: Person, ben: Person) -> None:
    order = ben.place(title="Paid by Nobody")
    session = order["checkout_url"].rstrip("/").rpartition("/")[2]
    for number in (session, f"cs_test_{'0' * 20}", "cs_'; --", "../../x", ""):
        answer = ada.api("GET", "/pay/return", params={"session_id": number})
        assert answer.status_code == 303
        assert order["id"] not in answer.headers["location"]
    assert ben.api("GET", f"/orders/{order['id']}").json()["state"] == "placed"
