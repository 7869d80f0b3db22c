"""What may be configured together, and the sentence for what may not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tng.errors import SettingsError
from tng.settings import ROOT, Mode, Settings

LIVE = {"STRIPE_SECRET_KEY": "sk_" + "live_0", "STRIPE_WEBHOOK_SECRET": "whsec_0"}
TEST = {"STRIPE_SECRET_KEY": "sk_test_0", "STRIPE_WEBHOOK_SECRET": "whsec_0"}
GOOGLE = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret"}
EARNEST = LIVE | GOOGLE | {"TNG_MODE": "production", "TNG_PUBLIC_URL": "https://shop.example"}

REFUSED = [
    pytest.param({"TNG_PRICE_CENTS": "47"}, "TNG_PRICE_CENTS is 47; Stripe charges no less than 50", id="too-cheap"),
    pytest.param({"TNG_PORT": "eighty"}, "TNG_PORT: ", id="port-in-words"),
    pytest.param({"TNG_CURRENCY": "dollars"}, "TNG_CURRENCY: ", id="currency-in-words"),
    pytest.param({"TNG_MODE": "test"}, "TNG_MODE: ", id="unknown-mode"),
    pytest.param({"GOOGLE_CLIENT_ID": "id"}, "belong together", id="half-of-google"),
    pytest.param({"STRIPE_SECRET_KEY": "sk_test_0"}, "belong together", id="half-of-stripe"),
    pytest.param(LIVE, "needs TNG_MODE=production", id="live-key-in-demo"),
    pytest.param(
        EARNEST | {"STRIPE_API_BASE": "http://127.0.0.1:1"}, "a live key goes to Stripe alone", id="live-key-elsewhere"
    ),
    pytest.param(TEST | GOOGLE | {"TNG_PUBLIC_URL": "http://shop.example"}, "https://", id="plain-http-in-public"),
    pytest.param(EARNEST | {"TNG_PUBLIC_URL": ""}, "needs TNG_PUBLIC_URL with https://", id="earnest-without-address"),
    pytest.param(EARNEST | TEST, "needs a live STRIPE_SECRET_KEY", id="earnest-with-test-money"),
    pytest.param(
        EARNEST | {"GOOGLE_CLIENT_ID": "", "GOOGLE_CLIENT_SECRET": ""}, "needs GOOGLE_CLIENT_ID", id="earnest-no-google"
    ),
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, field in Settings.model_fields.items():
        monkeypatch.delenv(field.alias or f"TNG_{name.upper()}", raising=False)


def _read(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings.read()


@pytest.mark.parametrize(("environment", "sentence"), REFUSED)
def test_what_cannot_be_started_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        _read(monkeypatch, environment)
    assert sentence in str(refusal.value)
    assert "Value error" not in str(refusal.value)
    assert not [s for s in (LIVE["STRIPE_SECRET_KEY"], "whsec_0", "secret0") if s in str(refusal.value)]


def test_without_anything_it_is_a_demo_with_both_stand_ins() -> None:
    settings = Settings.read()
    assert settings.mode is Mode.DEMO
    assert settings.google_stand_in
    assert settings.stripe_stand_in
    assert settings.public == "http://127.0.0.1:8000"
    assert (settings.price_cents, settings.currency) == (None, None)
    assert settings.show == ROOT / "shows" / "tng"


@pytest.mark.parametrize(
    "environment", [TEST, GOOGLE, TEST | GOOGLE, EARNEST], ids=["stripe", "google", "both", "live"]
)
def test_keys_put_the_real_ones_in_the_place_of_the_stand_ins(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    settings = _read(monkeypatch, environment)
    assert settings.google_stand_in == ("GOOGLE_CLIENT_ID" not in environment)
    assert settings.stripe_stand_in == ("STRIPE_SECRET_KEY" not in environment)


def test_addresses_are_read_without_case_and_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _read(monkeypatch, {"TNG_POWER_USERS": " Pia@Example.com, ,ben@example.com "})
    assert settings.power_users == {"pia@example.com", "ben@example.com"}


def test_no_secret_is_in_what_settings_print(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "sk_test_0" not in repr(_read(monkeypatch, TEST | GOOGLE))


def test_the_home_is_for_its_owner_only(tmp_path: Path) -> None:
    home = Settings.read(home=tmp_path / "var").make_home()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"TNG_HOME .* cannot be used"):
        Settings.read(home=tmp_path / "file" / "var").make_home()
