"""What each address of a customer's server is, and which requests are of a person who opens a page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from tornado.web import HTTPError, RedirectHandler
from voila.app import Voila
from voila.static_file_handler import AllowListFileHandler, MultiStaticFileHandler, TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler

from hub.busy import looks_ahead
from hub.pages import DeskPage, NoPage, PageChannel, StyleFiles, VisitTeller, house_handlers

BASE = "/user/1000/"
OF_VOILA = [
    (f"{BASE}api/kernels/x", KernelHandler),
    (f"{BASE}voila/templates/(.*)", TemplateStaticFileHandler),
    (f"{BASE}voila/static/(.*)", MultiStaticFileHandler, {"paths": []}),
    (f"{BASE}voila/labextensions/(.*)", FileFindHandler, {"path": []}),
    (f"{BASE}voila/files/(.*)", AllowListFileHandler, {"path": "/home/somebody"}),
    (f"{BASE}(.*)", TornadoVoilaHandler, {"notebook_path": "dashboard.ipynb"}),
]


@pytest.fixture
def handlers() -> list[tuple[Any, ...]]:
    pages = {"": {"notebook_path": "dashboard.ipynb"}, "bridge": {"notebook_path": "bridge.ipynb"}}
    return house_handlers(OF_VOILA, pages, base=BASE, key="a-key")


def answering(handlers: list[tuple[Any, ...]], path: str) -> Any:
    """The class that answers at a path, as tornado looks for it."""
    return next(handler for route, handler, *_ in handlers if re.fullmatch(route, path))


@pytest.mark.parametrize("path", ["", "bridge", "bridge/"])
def test_a_page_is_at_its_path(handlers: list[tuple[Any, ...]], path: str) -> None:
    assert answering(handlers, BASE + path) is DeskPage


def test_the_address_without_its_last_slash_leads_to_the_page(handlers: list[tuple[Any, ...]]) -> None:
    """There the cookie of the sign-in does not reach: asked to sign in, a browser would go round and round."""
    assert answering(handlers, BASE.rstrip("/")) is RedirectHandler
    told = next(rest for _, handler, *rest in handlers if handler is RedirectHandler)
    assert told == [{"url": BASE, "permanent": False}]


@pytest.mark.parametrize(
    "path", ["bridges", "lab", "voila/tree", "voila/files/a.png", "api/contents", "dashboard.ipynb"]
)
def test_every_other_path_is_no_page(handlers: list[tuple[Any, ...]], path: str) -> None:
    assert answering(handlers, BASE + path) is NoPage


def test_no_file_of_the_home_folder_is_served(handlers: list[tuple[Any, ...]]) -> None:
    assert AllowListFileHandler not in {handler for _, handler, *_ in handlers}


def test_nothing_of_voilas_own_opens_pages_or_tells_addresses(handlers: list[tuple[Any, ...]]) -> None:
    kinds = {handler for _, handler, *_ in handlers}
    assert not kinds & {TornadoVoilaHandler, TemplateStaticFileHandler, *_own(Voila)}
    assert {DeskPage, StyleFiles, VisitTeller} <= kinds


def _own(voila: Any) -> set[Any]:
    from voila import app

    return {app.VoilaKernelWebsocketHandler, app.RequestInfoSocketHandler}


def test_a_name_with_letters_of_a_pattern_is_only_a_name() -> None:
    handlers = house_handlers([], {"": {}}, base="/user/a.b+c@example.com/", key="")
    assert answering(handlers, "/user/a.b+c@example.com/") is DeskPage
    assert answering(handlers, "/user/aXbbc@example.com/") is NoPage


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
    ],
)
def test_a_browser_that_guesses_opens_nothing(name: str, value: str) -> None:
    assert looks_ahead({name: value})


def test_a_person_does_not_look_ahead() -> None:
    assert not looks_ahead({"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"})


@pytest.mark.parametrize(
    "path", ["", "tng", "tng/static", "other/static/x.js", "../static/x", "tng/../../static/x", "a/b"]
)
def test_a_path_that_is_no_file_of_a_template_is_not_there(path: str) -> None:
    with pytest.raises(HTTPError) as refused:
        StyleFiles.parse_url_path(object.__new__(StyleFiles), path)
    assert refused.value.status_code == 404


def test_the_channel_of_a_spare_is_nobodys() -> None:
    class Asked(PageChannel):
        kernel_id = "a-spare"

        def __init__(self) -> None:
            pass

        @property
        def kernel_manager(self) -> Any:
            return type("Kernels", (), {"pages": {}})()

    with pytest.raises(HTTPError) as refused:
        Asked().pre_get().send(None)
    assert refused.value.status_code == 404
