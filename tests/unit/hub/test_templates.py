"""The pages of the hub and the page around the dashboard: each show's, with its texts escaped."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import ChainableUndefined, ChoiceLoader, DictLoader, Environment, FileSystemLoader, PrefixLoader
from jupyterhub._data import DATA_FILES_PATH

from hub.front import front
from hub.places import TEMPLATES
from hub.welcome import tokens_of, welcome
from tests.shows import first_show, second_show
from tng.export.html import TELEPLAY
from tng.settings import Settings
from tng.shows import Show

EVIL = "</style><img src=x onerror=alert(1)>\"'&"
HUBS_OWN = Path(DATA_FILES_PATH) / "templates"
PAGES = ["login.html", "home.html", "error.html", "not_running.html", "spawn_pending.html"]
DASHBOARD = TEMPLATES / "jupyter" / "voila" / "templates" / "tng"

every_show = pytest.mark.parametrize("read", [first_show, second_show], ids=["first", "second"])


def the_hubs(name: str, show: Show, **more: Any) -> str:
    """A page of the hub, as JupyterHub would render it for a visitor."""
    own = FileSystemLoader(HUBS_OWN)
    pages = ChoiceLoader([FileSystemLoader(TEMPLATES), PrefixLoader({"templates": own}), own])
    # what the hub hands to every page is stood in for by nothing at all
    environment = Environment(loader=pages, autoescape=True, undefined=Silent)
    settings = Settings(show=show.folder, _env_file=None)
    told: dict[str, Any] = {"house": front(show), "base_url": "/hub/", "parsed_scopes": [], "status_code": 500}
    told["welcome"] = welcome(settings, show)
    return environment.get_template(name).render(**told | more)


class Silent(ChainableUndefined):
    """Undefined, and still called without complaint."""

    def __call__(self, *_: Any, **__: Any) -> Silent:
        return self


def the_dashboards(show: Show) -> str:
    """What our template adds to Voilà's own, whose place a bare page takes."""
    bare = (
        "{% block html_head %}{% endblock %}{% block notebook_css %}{% endblock %}"
        '{% block body_header %}<link rel="icon" href="data:;base64,="><div id="loading" style="">{% endblock %}'
        "{% block body_footer %}{% endblock %}"
    )
    parents = DictLoader({"voila/templates/lab/index.html.j2": bare})
    ours = PrefixLoader({"voila": PrefixLoader({"templates": PrefixLoader({"tng": FileSystemLoader(DASHBOARD)})})})
    environment = Environment(loader=ChoiceLoader([parents, ours]))  # noqa: S701 - Voilà's does not escape either
    return environment.get_template("voila/templates/tng/index.html.j2").render(resources={"house": front(show)})


def evil(show: Show) -> Show:
    """The show, its texts written by somebody who means ill."""
    return replace(show, product=EVIL, title=EVIL, disclaimer=EVIL)


@every_show
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_hub_has_the_name_the_words_and_the_colours_of_the_show(
    read: Callable[[], Show], name: str
) -> None:
    show = read()
    page = the_hubs(name, show)
    assert f"<title>{escape(show.product)}</title>" in re.sub(r"\s*(</?title>)\s*", r"\1", page)
    assert escape(show.disclaimer, quote=False) in page.replace("&#39;", "'").replace("&#34;", '"')
    assert f"--tng-night: {show.look['night']};" in page
    assert f"fill='%23{show.look['night'][1:]}'" in page


@every_show
def test_the_dashboards_page_has_the_name_the_words_and_the_colours_of_the_show(read: Callable[[], Show]) -> None:
    show = read()
    page = the_dashboards(show)
    assert f"<title>{escape(show.product)}</title>" in page
    assert f'<div id="loading" data-product="{escape(show.product)}"' in page
    assert f"--tng-amber: {show.look['amber']};" in page
    assert f"stroke='%23{show.look['amber'][1:]}'" in page
    assert page.index("--tng-letters:") < page.index("--tng-amber: "), "the show's colours have the last word"
    assert show.disclaimer in page.replace("&amp;", "&").replace("&#39;", "'")


@pytest.mark.parametrize("name", PAGES)
def test_no_text_of_a_show_becomes_markup_in_the_hub(name: str) -> None:
    assert "<img" not in the_hubs(name, evil(second_show()))


def test_a_person_is_called_by_address_and_never_by_number() -> None:
    ada = SimpleNamespace(name="104512345678901234567")
    page = the_hubs("home.html", first_show(), user=ada, account="a&b@x.example")
    assert '<span class="house-account me-2">a&amp;b@x.example</span>' in page
    assert ada.name not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_no_text_of_a_show_becomes_markup_around_the_dashboard() -> None:
    assert "<img" not in the_dashboards(evil(second_show()))


def test_every_colour_that_a_template_asks_for_is_there() -> None:
    sheets = (DASHBOARD / "style.css").read_text(encoding="utf-8")
    own = set(re.findall(r"(--tng-[a-z0-9-]+):", sheets))
    look = {f"--tng-{name}" for name in front(second_show())["look"]}
    assert set(re.findall(r"var\((--tng-[a-z0-9-]+)", sheets)) <= own | look
    ours = (path.read_text(encoding="utf-8") for path in [*TEMPLATES.glob("*.html"), *TEMPLATES.glob("*.css")])
    pages = TELEPLAY + tokens_of(second_show()) + "".join(ours)
    asked = set(re.findall(r"var\((--[a-z0-9-]+)", pages))
    assert asked <= set(re.findall(r"(--[a-z0-9-]+):", pages))
