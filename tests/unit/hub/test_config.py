"""What JupyterHub is told, as truth tables over a bare Config."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from hub.config import configure, proxy_command, robots_route
from hub.front import front, stand_ins
from hub.places import find_node
from tests.certificates import make_certificate
from tests.shows import FIRST, SECOND
from tests.unit.hub.conftest import DEMO, PRODUCTION, WITH_GOOGLE, WITH_STRIPE
from tng.errors import SettingsError
from tng.settings import Settings
from tng.shows import SHOW_FILE, read_show

Configured = Callable[..., Config]
MakeSettings = Callable[..., Settings]

ways = pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(DEMO, ["Google", "Stripe"], id="demo"),
        pytest.param(WITH_GOOGLE, ["Stripe"], id="google-is-real"),
        pytest.param(WITH_STRIPE, ["Google"], id="stripe-is-real"),
        pytest.param(PRODUCTION, [], id="production"),
    ],
)


@ways
def test_the_pages_name_what_is_not_real(configured: Configured, changes: dict[str, Any], expected: list[str]) -> None:
    assert configured(**changes).JupyterHub.template_vars["stand_ins"] == expected


@ways
def test_stand_ins_run_only_where_keys_are_missing(
    configured: Configured, changes: dict[str, Any], expected: list[str]
) -> None:
    names = {service["name"] for service in configured(**changes).JupyterHub.services}
    always = {"api", "worker", "scheduler", "idle-culler", "prometheus", "forget"}
    assert names == always | {name.lower() for name in expected}


@ways
def test_configuring_twice_is_configuring_once(
    settings: MakeSettings, changes: dict[str, Any], expected: list[str]
) -> None:
    once, twice = Config(), Config()
    configure(once, settings(**changes))
    configure(twice, settings(**changes))
    configure(twice, settings(**changes))
    assert once == twice
    assert stand_ins(settings(**changes)) == expected


@ways
def test_everything_listens_on_loopback(configured: Configured, changes: dict[str, Any], expected: list[str]) -> None:
    c = configured(**changes)
    addresses = [c.JupyterHub.bind_url, c.JupyterHub.hub_bind_url, c.ConfigurableHTTPProxy.api_url]
    addresses += [service["url"] for service in c.JupyterHub.services if "url" in service]
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)
    assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize("changes", [DEMO, WITH_GOOGLE, WITH_STRIPE], ids=["demo", "google-is-real", "stripe-is-real"])
@pytest.mark.parametrize("url", ["http://192.0.2.7:8000", "https://shop.example", "http://[2001:db8::1]:8000"])
def test_a_stand_in_is_refused_where_others_could_reach_it(
    settings: MakeSettings, changes: dict[str, Any], url: str
) -> None:
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1 only"):
        configure(Config(), settings(**changes, public_url=url))


@pytest.mark.parametrize("url", ["http://localhost:9000", "http://127.0.0.1:9000/", "http://[::1]:9000"])
def test_a_loopback_address_may_be_named_otherwise(configured: Configured, url: str) -> None:
    assert configured(public_url=url).JupyterHub.public_url == url.rstrip("/") + "/"


@pytest.mark.parametrize("url", ["shop.example", "localhost:9000", "ftp://shop.example", "https://"])
def test_an_address_that_is_none_is_refused_with_an_example(settings: MakeSettings, url: str) -> None:
    with pytest.raises(SettingsError, match=r"is no address; .*https://shop\.example"):
        configure(Config(), settings(public_url=url))


@pytest.mark.parametrize("folder", [FIRST, SECOND], ids=lambda folder: folder.name)
def test_the_pages_know_the_show(configured: Configured, folder: Path, tmp_path: Path) -> None:
    told = configured(show=folder, release=tmp_path).JupyterHub.template_vars["house"]
    assert told == front(read_show(folder))


def test_a_house_of_one_show_does_not_open_with_a_release_of_another(configured: Configured, tmp_path: Path) -> None:
    shutil.copy(FIRST / SHOW_FILE, tmp_path)
    with pytest.raises(SettingsError, match="TNG_SHOW is lantern"):
        configured(show=SECOND, release=tmp_path)


def test_behind_tls_every_cookie_is_secure_whatever_the_request_says(configured: Configured) -> None:
    assert configured(**PRODUCTION).JupyterHub.tornado_settings["cookie_options"] == {"secure": True}
    assert "cookie_options" not in configured().JupyterHub.tornado_settings


def test_tls_ends_at_the_proxy_where_the_house_has_a_certificate(configured: Configured, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    hub = configured(tls_certificate=made.chain, tls_key=made.key).JupyterHub
    assert (hub.bind_url, hub.public_url) == ("https://127.0.0.1:8000", "https://127.0.0.1:8000/")
    assert (hub.ssl_cert, hub.ssl_key) == (str(made.chain), str(made.key))
    assert hub.tornado_settings["cookie_options"] == {"secure": True}
    assert "ssl_key" not in configured().JupyterHub


def test_people_have_hosts_of_their_own_and_services_that_of_the_house(configured: Configured) -> None:
    hub = configured(**PRODUCTION, power_users="grace@example.com").JupyterHub
    assert hub.subdomain_host == "https://shop.example"
    ada, grace = (hub.subdomain_hook(name, "shop.example", kind="user") for name in ("1093", "1094"))
    assert ada != grace
    assert ada.count(".") == grace.count(".") == 2  # one certificate for *.shop.example is enough
    assert hub.subdomain_hook("api", "shop.example", kind="service") == "shop.example"
    assert "https://*.shop.example" in hub.tornado_settings["headers"]["Content-Security-Policy"]
    assert "subdomain_host" not in configured(**PRODUCTION).JupyterHub


def test_what_may_not_be_opened_is_not_configured_either(settings: MakeSettings) -> None:
    with pytest.raises(SettingsError, match="TNG_TRUSTED_USERS"):
        configure(Config(), settings(**{**PRODUCTION, "trusted_users": False, "isolation": "one"}))


def test_a_public_address_has_no_path(settings: MakeSettings) -> None:
    with pytest.raises(SettingsError, match="no path"):
        configure(Config(), settings(public_url="http://127.0.0.1:8000/shop"))


def test_a_refused_configuration_leaves_no_trace(settings: MakeSettings, tmp_path: Path) -> None:
    c = Config()
    with pytest.raises(SettingsError):
        configure(c, settings(public_url="https://shop.example"))
    assert c == Config()
    assert not list(tmp_path.iterdir())


def test_all_state_is_in_the_home_folder(configured: Configured, tmp_path: Path) -> None:
    c = configured()
    home = tmp_path / "home"
    assert c.JupyterHub.db_url == f"sqlite:///{home}/hub.sqlite"
    assert Path(c.ConfigurableHTTPProxy.pid_file).parent == home
    assert Path(c.HouseSpawner.homes).parent == home
    assert home.stat().st_mode & 0o777 == 0o700


def test_the_proxy_is_run_by_node_itself_and_not_by_its_wrapper(configured: Configured) -> None:
    node, script = configured().ConfigurableHTTPProxy.command
    assert Path(node) == find_node()
    assert Path(node).read_bytes()[:2] != b"#!"
    assert script.endswith("node_modules/configurable-http-proxy/bin/configurable-http-proxy")


def test_sessions_survive_a_restart(settings: MakeSettings) -> None:
    first, second = Config(), Config()
    configure(first, settings())
    configure(second, settings())
    assert first.JupyterHub.cookie_secret == second.JupyterHub.cookie_secret
    assert len(first.JupyterHub.cookie_secret) == 32


def test_the_proxy_is_not_asked_who_is_there(configured: Configured) -> None:
    assert configured().JupyterHub.last_activity_interval == 0


def test_robots_are_answered_by_the_api_at_the_root(settings: MakeSettings, configured: Configured) -> None:
    routes = configured(port=9000).ConfigurableHTTPProxy.extra_routes
    assert routes == {"/robots.txt/": "http://127.0.0.1:9003"}
    assert robots_route(settings(**PRODUCTION, subdomains=True)) == "shop.example/robots.txt/"


def test_the_places_of_dashboards_are_there_when_the_house_opens(settings: MakeSettings) -> None:
    told = settings(kernels_in_all=3)
    configure(Config(), told)
    assert {path.name for path in (told.home / "slots").iterdir()} == {"000", "001", "002", "wanted"}


@pytest.mark.parametrize(("minutes", "timeout", "every"), [(30, 1800, 60), (0.2, 12, 3)])
def test_idle_servers_are_looked_for_in_time(configured: Configured, minutes: float, timeout: int, every: int) -> None:
    services = configured(idle_minutes=minutes).JupyterHub.services
    command = next(service["command"] for service in services if service["name"] == "idle-culler")
    assert {f"--timeout={timeout}", f"--cull-every={every}"} <= set(command)
    assert any(word.startswith("--max-age=") for word in command)


def test_what_is_started_is_cleaned_up(configured: Configured) -> None:
    hub = configured().JupyterHub
    assert hub.cleanup_servers
    assert hub.cleanup_proxy
    assert not hub.allow_named_servers


@pytest.mark.parametrize(
    ("changes", "is_root"),
    [
        pytest.param({}, False, id="apart"),
        pytest.param({"port": 443}, True, id="a-port-that-only-root-gets"),
        pytest.param({"tls_certificate": "c.pem", "tls_key": "k.pem"}, True, id="a-key-that-only-root-reads"),
    ],
)
def test_the_proxy_is_no_root_unless_it_must(
    settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], is_root: bool
) -> None:
    monkeypatch.setattr("hub.config.isolates", lambda _: True)
    command = proxy_command(settings(**changes))
    assert (command[1:4] == ["-m", "hub.step_down", "200005:200005"]) != is_root
    assert command[-1].endswith("configurable-http-proxy")
