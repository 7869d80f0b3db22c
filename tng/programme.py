"""What is on in this house: the show that the settings name, held against the release that writes it, and its price.

Every process reads it once, at its start, and passes it on. It is no part of the show: a show knows no settings.
"""

from __future__ import annotations

import logging

from tng.errors import SettingsError
from tng.payments import LEAST_CENTS, Price
from tng.settings import Settings
from tng.shows import SHOW_FILE, Show, read_show

logger = logging.getLogger(__name__)


def open_show(settings: Settings) -> Show:
    """The show of TNG_SHOW. Raises ShowError where it cannot be read, SettingsError where the release is of another.

    A release without a show is taken as one of this show: it was made before releases carried theirs.
    """
    show = read_show(settings.show)
    price_of(settings, show)
    if not (settings.release / SHOW_FILE).is_file():
        logger.info("release %s names no show: taken as one of %s", settings.release.name, show.id)
        return show
    written = read_show(settings.release)
    if written.id != show.id:
        raise SettingsError(
            f"TNG_SHOW is {show.id}, and release {settings.release.name} writes {written.id}; "
            f"name the folder of {written.id} in TNG_SHOW, or a release of {show.id} in TNG_RELEASE"
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
