"""What is on in this house: the show that the settings name, held against the release that writes it, and its price.

Every process reads it once, at its start, and passes it on. It is no part of the show: a show knows no settings.
"""

from __future__ import annotations

import logging

from tng.errors import SettingsError
from tng.payments import LEAST_CENTS, Price
from tng.promotion.shelf import ReleaseShelf, show_of
from tng.releases import Release
from tng.settings import ROOT, Settings
from tng.shows import Show, read_show

logger = logging.getLogger(__name__)


def open_show(settings: Settings, release: Release | None = None) -> Show:
    """The show of TNG_SHOW. Raises ShowError where it cannot be read, SettingsError where the release is of another.

    ``release`` is the one that writes; without one it is that of TNG_RELEASE, with which a new house begins. A release
    without a show is taken as one of this show: it was made before releases carried theirs.
    """
    show = read_show(settings.show)
    price_of(settings, show)
    release = release or first_release(settings)
    written = show_of(release)
    if written is None:
        logger.info("release %s names no show: taken as one of %s", release.id, show.id)
    elif written != show.id:
        is_first = release.folder == first_release(settings).folder
        remedy = f"a release of {show.id} in TNG_RELEASE" if is_first else f"promote a release of {show.id}"
        raise SettingsError(
            f"TNG_SHOW is {show.id}, and release {release.id} writes {written}; "
            f"name the folder of {written} in TNG_SHOW, or {remedy}"
        )
    return show


def price_of(settings: Settings, show: Show) -> Price:
    """What a script costs: the show's price, unless TNG_PRICE_CENTS or TNG_CURRENCY says otherwise.

    Raises SettingsError below what Stripe charges.
    """
    price = Price(settings.price_cents or show.price_cents, settings.currency or show.currency)
    if price.amount_cents < LEAST_CENTS:
        raise SettingsError(
            f"a script of {show.id} costs {price.amount_cents} cents; Stripe charges no less than {LEAST_CENTS}: "
            "raise the price in its show.toml, or set TNG_PRICE_CENTS"
        )
    return price


def first_release(settings: Settings) -> Release:
    """The release of TNG_RELEASE, with which a new house begins. It is not looked for."""
    folder = settings.release.resolve()
    return Release(folder.name, folder)


def shelf_of(settings: Settings) -> ReleaseShelf:
    """Every place of releases: TNG_RELEASE, those that came along, those that an operator brought, those made here."""
    places = (ROOT / "model" / "releases", settings.home.resolve() / "releases", settings.releases_folder)
    return ReleaseShelf(places, [first_release(settings).folder])
