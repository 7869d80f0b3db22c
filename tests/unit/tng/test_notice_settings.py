"""The channels by which operators are told: what may be set together, and the sentence for what may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock, FakeStore
from tng.app import build_notice_pump, channels_of
from tng.errors import SettingsError
from tng.notice_settings import SmtpSecurity, is_address, is_here, notice_environment
from tng.notices import Channel
from tng.settings import Part, Settings

HOOK = "https://hooks.example/services/T0/B0/s3cr3t-part"
MAIL = {"notice_mail_to": "ola@example.com", "notice_mail_from": "tng@example.com", "smtp_host": "mail.example"}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, field in Settings.model_fields.items():
        monkeypatch.delenv(field.alias or f"TNG_{name.upper()}", raising=False)


@pytest.mark.parametrize(
    ("changes", "channels"),
    [
        ({}, ()),
        ({"notice_webhook": HOOK}, (Channel.WEBHOOK,)),
        (MAIL, (Channel.MAIL,)),
        (MAIL | {"notice_webhook": HOOK}, (Channel.WEBHOOK, Channel.MAIL)),
    ],
    ids=["none", "webhook", "mail", "both"],
)
def test_a_channel_is_one_that_is_set(changes: dict[str, Any], channels: tuple[Channel, ...]) -> None:
    assert channels_of(Settings.read(**changes)) == channels


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"notice_webhook": HOOK.replace("https", "http")}, "must begin with https", id="plain"),
        pytest.param({"notice_webhook": "http://127.0.0.1@hooks.example/x"}, "must begin with https", id="disguised"),
        pytest.param({"notice_webhook": "http://localhost.example/x"}, "must begin with https", id="nearly-here"),
        pytest.param({"notice_webhook": "https://"}, "TNG_NOTICE_WEBHOOK", id="no-host"),
        pytest.param({"notice_webhook": "https://[x/"}, "TNG_NOTICE_WEBHOOK", id="no-address"),
        pytest.param(MAIL | {"smtp_host": ""}, "TNG_SMTP_HOST belong together", id="mail-without-host"),
        pytest.param({"smtp_host": "mail.example"}, "TNG_NOTICE_MAIL_TO and", id="host-without-mail"),
        pytest.param(MAIL | {"notice_mail_from": ""}, "needs TNG_NOTICE_MAIL_FROM", id="from-nobody"),
        pytest.param(MAIL | {"notice_mail_to": "ola"}, "TNG_NOTICE_MAIL_TO holds what is no address", id="to-name"),
        pytest.param(
            MAIL | {"notice_mail_from": "tng@example.com\r\nBcc: x@example.com"},
            "TNG_NOTICE_MAIL_FROM holds what is no address",
            id="from-two-lines",
        ),
        pytest.param({"mail_customers": True}, "TNG_MAIL_CUSTOMERS needs TNG_SMTP_HOST", id="customers-without-host"),
        pytest.param(
            {"mail_customers": True, "smtp_host": "mail.example"},
            "and TNG_NOTICE_MAIL_FROM",
            id="customers-from-nobody",
        ),
        pytest.param(MAIL | {"smtp_user": "tng"}, "TNG_SMTP_PASSWORD belong together", id="user-alone"),
        pytest.param(MAIL | {"smtp_security": "none"}, "TNG_SMTP_SECURITY=none", id="in-the-clear"),
    ],
)
def test_what_does_not_fit_is_one_sentence_without_a_value(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.read(**changes)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not [word for word in ("s3cr3t", "hooks.example", "mail.example") if word in str(refusal.value)]
    assert not Settings.draft(**changes, part=Part.API).faults(), "others are not given them"


def test_customers_may_be_written_to_where_no_operator_is(monkeypatch: pytest.MonkeyPatch) -> None:
    on = {"mail_customers": True, "smtp_host": "mail.example", "notice_mail_from": "tng@example.com"}
    assert channels_of(Settings.read(**on)) == ()
    for variable, value in notice_environment(Settings.read(**on)).items():
        monkeypatch.setenv(variable, value)
    assert Settings.read(part=Part.SCHEDULER, mail_customers=True).smtp_host == "mail.example"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "::1"])
def test_on_this_machine_it_may_be_plain(host: str) -> None:
    Settings.read(**MAIL | {"smtp_security": "none", "smtp_host": host})
    Settings.read(notice_webhook=f"http://{f'[{host}]' if ':' in host else host}:8065/hooks/x")


def test_secrets_may_stand_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, secret in (("TNG_NOTICE_WEBHOOK", HOOK), ("TNG_SMTP_PASSWORD", "pass-word")):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(secret + "\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    settings = Settings.read(**MAIL, smtp_user="tng")
    assert settings.notice_webhook.get_secret_value() == HOOK
    assert settings.smtp_password.get_secret_value() == "pass-word"
    assert "s3cr3t" not in repr(settings)
    assert "pass-word" not in repr(settings)
    monkeypatch.setenv("TNG_SMTP_PASSWORD", "another")
    with pytest.raises(SettingsError, match="TNG_SMTP_PASSWORD and TNG_SMTP_PASSWORD_FILE are both set"):
        Settings.draft(**MAIL, smtp_user="tng")


def test_the_process_of_the_schedules_reads_them_again(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"notice_mail_to": "pia@example.com, Ola@example.com", "smtp_user": "tng", "smtp_password": "pass-word"}
    ours = Settings.read(**MAIL | both, notice_webhook=HOOK, smtp_security="tls", smtp_port=465)
    for variable, value in notice_environment(ours).items():
        monkeypatch.setenv(variable, value)
    theirs = Settings.read(part=Part.SCHEDULER)
    assert notice_environment(theirs) == notice_environment(ours)
    assert theirs.notice_mail_to == {"pia@example.com", "ola@example.com"}
    assert theirs.smtp_security is SmtpSecurity.TLS


def test_a_pump_is_built_of_them() -> None:
    store = FakeStore()
    assert build_notice_pump(Settings.read(), store=store, clock=FakeClock()).run() == 0


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("ola@example.com", True),
        ("ola", False),
        ("a@b@c", False),
        ("a b@example.com", False),
        ("a@x.example,b@y", False),
    ],
)
def test_one_address_is_one_address(text: str, ok: bool) -> None:
    assert is_address(text) is ok


@pytest.mark.parametrize(
    ("host", "ok"), [("LOCALHOST", True), ("[::1]", True), ("10.0.0.1", False), ("a.example", False)]
)
def test_this_machine_is_known_by_its_names(host: str, ok: bool) -> None:
    assert is_here(host) is ok
