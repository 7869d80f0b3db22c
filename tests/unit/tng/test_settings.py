"""What may be configured together, and the sentence for what may not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.credentials import CLIENT_SECRET, GOOGLE, LIVE_KEY, PRODUCTION, STRIPE, TEST_KEY, WEBHOOK_SECRET
from tng.errors import SettingsError
from tng.settings import ROOT, Mode, Settings

LIVE = STRIPE
TEST = {"STRIPE_SECRET_KEY": "sk_test_0", "STRIPE_WEBHOOK_SECRET": "whsec_0"}
EARNEST = PRODUCTION
DOCKER = {"TNG_CARRIER": "docker", "TNG_IMAGE": ""}

REFUSED = [
    pytest.param({"TNG_PRICE_CENTS": "47"}, "TNG_PRICE_CENTS is 47; Stripe charges no less than 50", id="too-cheap"),
    pytest.param({"TNG_PORT": "eighty"}, "TNG_PORT: ", id="port-in-words"),
    pytest.param({"TNG_CURRENCY": "dollars"}, "TNG_CURRENCY: ", id="currency-in-words"),
    pytest.param({"TNG_MODE": "test"}, "TNG_MODE: ", id="unknown-mode"),
    pytest.param({"GOOGLE_CLIENT_ID": "id"}, "belong together", id="half-of-google"),
    pytest.param({"STRIPE_SECRET_KEY": "sk_test_0"}, "belong together", id="half-of-stripe"),
    pytest.param({"TNG_TLS_KEY": "key.pem"}, "TNG_TLS_CERTIFICATE and TNG_TLS_KEY belong", id="half-of-tls"),
    pytest.param(DOCKER, "TNG_CARRIER=docker needs TNG_IMAGE", id="containers-of-nothing"),
    pytest.param(LIVE, "needs TNG_MODE=production", id="live-key-in-demo"),
    pytest.param(
        EARNEST | {"STRIPE_API_BASE": "http://127.0.0.1:1"}, "a live key goes to Stripe alone", id="live-key-elsewhere"
    ),
    pytest.param(TEST | GOOGLE | {"TNG_PUBLIC_URL": "http://shop.example"}, "https://", id="plain-http-in-public"),
    pytest.param(EARNEST | {"TNG_PUBLIC_URL": ""}, "needs TNG_PUBLIC_URL with https://", id="earnest-without-address"),
    pytest.param(EARNEST | {"STRIPE_SECRET_KEY": TEST_KEY}, "needs a live STRIPE_SECRET_KEY", id="test-money"),
    pytest.param(
        EARNEST | {"STRIPE_SECRET_KEY": "pk_" + LIVE_KEY[3:]}, "not the publishable one", id="earnest-with-public-key"
    ),
    pytest.param(
        EARNEST | {"GOOGLE_CLIENT_ID": "", "GOOGLE_CLIENT_SECRET": ""},
        "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET (or GOOGLE_CLIENT_SECRET_FILE) are missing",
        id="earnest-no-google",
    ),
    pytest.param(
        EARNEST | {"STRIPE_SECRET_KEY": "", "STRIPE_WEBHOOK_SECRET": ""},
        "STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET (or",
        id="earnest-no-stripe",
    ),
]

PLACEHOLDERS = [
    *[
        ("STRIPE_SECRET_KEY", LIVE_KEY[:8] + text)
        for text in ("xxx", "0" * 30, "your_key_" * 4, "changeme" * 4, "51Hq8")
    ],
    *[("STRIPE_WEBHOOK_SECRET", text) for text in ("whsec_..", "whsec_" + "x" * 32, "whsec_short", WEBHOOK_SECRET[6:])],
    *[("GOOGLE_CLIENT_ID", text) for text in ("1234", "your-id.apps.googleusercontent.com", "an-id.apps.example")],
    *[("GOOGLE_CLIENT_SECRET", text) for text in ("hush", "<your client secret here>", "GOCSPX-example-of-a-secret")],
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
    assert "\n" not in str(refusal.value)
    assert "Value error" not in str(refusal.value)
    assert not [s for s in (LIVE_KEY, WEBHOOK_SECRET, CLIENT_SECRET, "whsec_0") if s in str(refusal.value)]


@pytest.mark.parametrize(("variable", "value"), PLACEHOLDERS)
def test_production_refuses_what_stands_in_the_place_of_a_secret_and_does_not_repeat_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        _read(monkeypatch, EARNEST | {variable: value})
    assert str(refusal.value).startswith(variable)
    assert "\n" not in str(refusal.value)
    assert value not in str(refusal.value)


def test_a_demo_takes_any_key_that_moves_no_money(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _read(monkeypatch, TEST | {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret"}).faults()


def test_all_faults_are_said_at_once_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as refusal:
        _read(monkeypatch, {"TNG_MODE": "production", "TNG_PRICE_CENTS": "1", "TNG_CARRIER": "kubernetes"})
    lines = str(refusal.value).splitlines()
    named = ("TNG_PRICE_CENTS", "TNG_IMAGE", "GOOGLE_CLIENT_ID", "STRIPE_SECRET_KEY", "TNG_PUBLIC_URL")
    assert [[name for name in named if name in line] for line in lines] == [[name] for name in named]


@pytest.mark.parametrize(("part", "asked"), [("house", 2), ("api", 1), ("worker", 0), ("scheduler", 0)])
def test_each_part_must_have_the_keys_that_it_uses(monkeypatch: pytest.MonkeyPatch, part: str, asked: int) -> None:
    for name, value in {"TNG_MODE": "production", "TNG_PUBLIC_URL": "https://shop.example", "TNG_PART": part}.items():
        monkeypatch.setenv(name, value)
    assert len(Settings.draft().faults()) == asked


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


@pytest.mark.parametrize(
    ("environment", "own"),
    [
        ({"TNG_POWER_USERS": "pia@example.com"}, False),
        (EARNEST, False),
        (EARNEST | {"TNG_POWER_USERS": "pia@example.com"}, True),
        (EARNEST | {"TNG_POWER_USERS": "pia@example.com", "TNG_SUBDOMAINS": "false"}, False),
        ({"TNG_SUBDOMAINS": "true"}, True),
    ],
    ids=["demo", "customers", "power-users", "off", "on"],
)
def test_servers_have_hosts_of_their_own_where_power_users_share_the_house_with_customers(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], own: bool
) -> None:
    assert _read(monkeypatch, environment).own_hosts is own


def test_with_a_certificate_the_house_is_at_https(monkeypatch: pytest.MonkeyPatch) -> None:
    tls = {"TNG_TLS_CERTIFICATE": "chain.pem", "TNG_TLS_KEY": "key.pem"}
    assert _read(monkeypatch, tls).public == "https://127.0.0.1:8000"


def test_a_secret_in_a_file_is_as_good_as_one_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written = {}
    for name in ("GOOGLE_CLIENT_SECRET", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
        (tmp_path / name).write_text(f"  {EARNEST[name]}\n")
        (tmp_path / name).chmod(0o600)
        written[f"{name}_FILE"] = str(tmp_path / name)
    kept = {name: value for name, value in EARNEST.items() if f"{name}_FILE" not in written}
    settings = _read(monkeypatch, kept | written)
    assert settings.stripe_secret_key.get_secret_value() == LIVE_KEY
    assert settings.stripe_webhook_secret.get_secret_value() == WEBHOOK_SECRET
    assert settings.google_client_secret.get_secret_value() == CLIENT_SECRET


def test_a_secret_in_both_places_is_a_question_and_not_a_choice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="STRIPE_SECRET_KEY and STRIPE_SECRET_KEY_FILE are both set"):
        _read(monkeypatch, TEST | {"STRIPE_SECRET_KEY_FILE": str(tmp_path / "key")})


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
