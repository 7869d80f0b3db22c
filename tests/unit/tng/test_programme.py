"""What is on: the show of the settings, its price, and the release that must be of it."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.shows import FIRST, SECOND, first_show, second_show
from tng.errors import SettingsError, ShowError
from tng.programme import open_show, price_of
from tng.settings import Settings
from tng.shows import SHOW_FILE


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The folder of a release that names no show."""
    folder = tmp_path / "some-release"
    folder.mkdir()
    return folder


def settings(release: Path, **changes: Any) -> Settings:
    """Settings of a house with that release."""
    return Settings.read(release=release, **changes)


@pytest.mark.parametrize("folder", [FIRST, SECOND], ids=lambda folder: folder.name)
def test_the_show_is_the_one_of_the_settings(release: Path, folder: Path) -> None:
    shutil.copy(folder / SHOW_FILE, release)
    assert open_show(settings(release, show=folder)).id == folder.name


def test_without_a_word_it_is_the_show_that_comes_along(release: Path) -> None:
    assert open_show(settings(release)) == first_show()


def test_a_release_of_another_show_is_refused_with_what_to_do(release: Path) -> None:
    shutil.copy(FIRST / SHOW_FILE, release)
    with pytest.raises(SettingsError) as refusal:
        open_show(settings(release, show=SECOND))
    for words in (f"TNG_SHOW is {SECOND.name}", "some-release writes tng", "in TNG_SHOW", "in TNG_RELEASE"):
        assert words in str(refusal.value)


def test_a_release_that_names_no_show_is_taken_with_a_word_in_the_log(
    release: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        open_show(settings(release))
    assert caplog.messages == ["release some-release names no show: taken as one of tng"]


def test_a_folder_without_a_show_is_refused(release: Path, tmp_path: Path) -> None:
    with pytest.raises(ShowError, match=r"no show in nothing: show\.toml"):
        open_show(settings(release, show=tmp_path / "nothing"))


def test_a_release_whose_show_cannot_be_read_is_refused(release: Path) -> None:
    (release / SHOW_FILE).write_text("id = ", encoding="utf-8")
    with pytest.raises(ShowError, match="some-release"):
        open_show(settings(release))


@pytest.mark.parametrize(
    ("changes", "price"),
    [
        pytest.param({}, "2.99 USD", id="the-shows"),
        pytest.param({"price_cents": 499}, "4.99 USD", id="another-price"),
        pytest.param({"currency": "eur"}, "2.99 EUR", id="another-currency"),
        pytest.param({"price_cents": 450, "currency": "chf"}, "4.50 CHF", id="both"),
    ],
)
def test_a_price_is_the_shows_unless_the_settings_say_otherwise(
    release: Path, changes: dict[str, Any], price: str
) -> None:
    assert str(price_of(settings(release, **changes), first_show())) == price


def test_the_second_show_has_its_own_price(release: Path) -> None:
    show = second_show()
    price = price_of(settings(release), show)
    assert (price.amount_cents, price.currency) == (show.price_cents, show.currency)
    assert price != price_of(settings(release), first_show())


def test_a_show_that_is_too_cheap_for_stripe_does_not_open(release: Path, tmp_path: Path) -> None:
    cheap = tmp_path / "cheap"
    cheap.mkdir()
    text = (FIRST / SHOW_FILE).read_text(encoding="utf-8")
    (cheap / SHOW_FILE).write_text(text.replace("cents = 299", "cents = 49"), encoding="utf-8")
    with pytest.raises(SettingsError, match="costs 49 cents; Stripe charges no less than 50"):
        open_show(settings(release, show=cheap))
    assert open_show(settings(release, show=cheap, price_cents=50))
