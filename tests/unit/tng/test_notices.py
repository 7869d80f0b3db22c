"""What operators are told: owed with what it tells of, told once a channel, tried again, and given up in the end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone
from email.message import EmailMessage
from typing import Any

import pytest

from tests.fakes import START, FakeClock, FakeMessenger, FakeStore
from tests.log_lines import logged
from tests.samples import a_paid_order
from tng.adapters.mail_server import MailServer, plain_letter
from tng.adapters.messengers import text_of
from tng.errors import SettingsError
from tng.money.refunds import refund_errand
from tng.notice_settings import SmtpSecurity, is_address
from tng.notices import HELD, MOST_TRIES, Channel, Notice, NoticeKind, NoticePump, again_after, tell

NOTICE = Notice(
    NoticeKind.PROMOTED,
    "Release tng-7 is current",
    "All eight checks passed.",
    START,
    {"release": "tng-7", "promotion": 3, "perplexity": 4.25, "is_ours": True},
)


class Desk:
    """A pump with both channels, and the other end of each."""

    def __init__(self, *channels: Channel) -> None:
        self.store, self.clock = FakeStore(), FakeClock()
        self.ends = {channel: FakeMessenger() for channel in channels or (Channel.WEBHOOK, Channel.MAIL)}
        self.pump = NoticePump(self.store, self.clock, {name: end.send for name, end in self.ends.items()})

    def tell(self, notice: Notice = NOTICE, *channels: Channel) -> None:
        """Owe it and commit."""
        with self.store.begin() as work:
            tell(work, notice, channels, self.clock.now())
            work.commit()

    def owed(self) -> int:
        """Errands that are not done."""
        with self.store.read() as work:
            return work.counts.errands()

    def told(self) -> list[tuple[Channel, Notice]]:
        """What arrived."""
        return [(channel, notice) for channel, end in self.ends.items() for _, notice in end.sent]


class TestNotice:
    def test_is_the_same_after_its_way_through_json(self) -> None:
        again = Notice.from_fields(json.loads(json.dumps(NOTICE.to_fields())))
        assert again == NOTICE
        assert again.id == NOTICE.id

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("a" * 9000, id="long"),
            pytest.param("x@y " * 3000, id="grows-when-addresses-go"),
            pytest.param("a@b@c@@d one@ @two\r\nthree\u2028four\x0bfive\n\n", id="odd"),
            pytest.param(" \n\t ", id="blank"),
            pytest.param("\ud800 half a character", id="surrogate"),
        ],
    )
    def test_is_the_same_however_odd_its_words_are(self, text: str) -> None:
        odd = Notice(NoticeKind.ROLLED_BACK, text, text, START, {text: text, "reason": text})
        again = Notice.from_fields(json.loads(json.dumps(odd.to_fields()).encode()))
        assert (again, again.id) == (odd, odd.id)

    @pytest.mark.parametrize(
        "change",
        [{"kind": NoticeKind.ROLLED_BACK}, {"title": "t"}, {"text": "t"}, {"facts": {}}, {"at": START + timedelta(1)}],
        ids=lambda change: next(iter(change)),
    )
    def test_is_another_one_where_anything_differs(self, change: dict[str, Any]) -> None:
        assert replace(NOTICE, **change).id != NOTICE.id

    def test_says_no_address_whoever_wrote_one_into_it(self) -> None:
        reason = "ola@example.com said so, and <pia@example.com>"
        told = json.dumps(Notice(NoticeKind.ROLLED_BACK, reason, reason, START, {"reason": reason}).to_fields())
        assert "@" not in told
        assert told.count("(an address) said so") == 3

    def test_has_a_title_of_one_line(self) -> None:
        title = Notice(NoticeKind.TEST, "one\r\nBcc: two\x00\x1b[31m", "", START).title
        assert title == "one Bcc: two [31m"

    def test_holds_no_number_that_json_cannot_hold(self) -> None:
        facts = {"nats": float("nan"), "ratio": float("inf"), "loss": 1.5, "none": None}
        notice = Notice(NoticeKind.RETRAINING_DONE, "t", "", START, facts)
        assert notice.facts == {"nats": "nan", "ratio": "inf", "loss": 1.5, "none": None}
        json.dumps(notice.to_fields(), allow_nan=False)

    def test_what_json_does_not_know_becomes_a_word(self) -> None:
        facts: Any = {"at": START, "kind": NoticeKind.TEST}
        notice = Notice(NoticeKind.TEST, "t", "", START, facts)
        assert notice.facts == {"at": "2026-11-24 12:00:00+00:00", "kind": "test"}
        json.dumps(notice.to_fields())

    def test_is_of_utc_wherever_it_was_written(self) -> None:
        there = START.astimezone(timezone(timedelta(hours=-5)))
        assert replace(NOTICE, at=there) == NOTICE
        assert NOTICE.to_fields()["at"].endswith("+00:00")


class TestTell:
    def test_is_told_if_what_it_tells_of_is_committed(self) -> None:
        desk = Desk()
        with desk.store.begin() as work:
            tell(work, NOTICE, [Channel.MAIL], START)
        assert desk.owed() == desk.pump.run() == 0
        desk.tell(NOTICE, Channel.MAIL)
        assert desk.owed() == 2

    def test_is_told_once_by_each_channel_however_often_it_is_owed(self) -> None:
        desk = Desk()
        for _ in range(2):
            desk.tell(NOTICE, Channel.WEBHOOK, Channel.MAIL)
        with logged() as lines:
            assert desk.pump.run() == 3
            desk.tell(NOTICE, Channel.WEBHOOK, Channel.MAIL)
            desk.clock.advance(days=1)
            assert desk.pump.run() == 0
        assert desk.told() == [(Channel.WEBHOOK, NOTICE), (Channel.MAIL, NOTICE)]
        assert len(lines.about(NOTICE.title)) == 1

    def test_a_caller_that_knows_no_channel_reaches_those_of_the_pump(self) -> None:
        desk = Desk()
        desk.tell()
        desk.pump.run()
        assert desk.told() == [(Channel.WEBHOOK, NOTICE), (Channel.MAIL, NOTICE)]
        assert desk.owed() == 0

    def test_what_is_owed_is_plain_json_and_names_nobody(self) -> None:
        desk = Desk()
        desk.tell(NOTICE, Channel.MAIL)
        bodies = [errand.body for errand, _ in desk.store.tables.errands.values()]
        assert [json.loads(json.dumps(body)) for body in bodies] == bodies
        assert bodies == [NOTICE.to_fields() | {"channel": channel} for channel in ("log", "mail")]


class TestPump:
    def test_every_notice_stands_in_the_log_without_any_channel(self) -> None:
        desk = Desk()
        pump = NoticePump(desk.store, desk.clock, {})
        desk.tell()
        desk.tell(Notice(NoticeKind.CANARY_BREACH, "The canary is dead", "", START, {"kind": "a fact", "event": 1}))
        with logged() as lines:
            assert pump.run() == 2
        (good,), (bad,) = lines.about(NOTICE.title), lines.about("The canary is dead")
        assert " INFO tng.notices: " in good
        assert " WARNING tng.notices: " in bad
        assert all(
            fact in good for fact in ("kind=promoted", "release=tng-7", "promotion=3", f"notice=notice:{NOTICE.id}")
        )

    def test_leaves_refunds_alone(self) -> None:
        desk = Desk()
        with desk.store.begin() as work:
            work.outbox.add(refund_errand(a_paid_order()), START)
            work.commit()
        assert desk.pump.run() == 0
        assert desk.owed() == 1

    def test_delivers_once_the_other_side_is_up_again(self) -> None:
        desk = Desk()
        desk.tell()
        desk.ends[Channel.MAIL].down = True
        with logged() as lines:
            assert desk.pump.run() == 2
        assert desk.told() == [(Channel.WEBHOOK, NOTICE)]
        assert "tries=1 fault=NoticeUndelivered" in lines.about("notice stays due: nobody takes it")[0]
        desk.ends[Channel.MAIL].down = False
        assert desk.pump.run() == 0, "not at once"
        desk.clock.advance(minutes=1)
        assert desk.pump.run() == 1
        assert desk.told() == [(Channel.WEBHOOK, NOTICE), (Channel.MAIL, NOTICE)]

    def test_waits_longer_after_each_try_but_never_more_than_an_hour(self) -> None:
        minutes = [again_after(tries) / timedelta(minutes=1) for tries in range(1, MOST_TRIES)]
        assert minutes[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
        assert max(minutes) == 60

    def test_gives_up_after_twenty_tries_and_says_so(self) -> None:
        desk = Desk(Channel.MAIL)
        desk.tell()
        desk.ends[Channel.MAIL].down = True
        with logged() as lines:
            for _ in range(MOST_TRIES + 5):
                desk.pump.run()
                desk.clock.advance(hours=1)
        assert len(lines.about("stays due")) == MOST_TRIES - 1
        (given_up,) = lines.about("given up")
        assert " ERROR tng.notices: notice given up: nobody takes it" in given_up
        assert f"tries={MOST_TRIES} fault=NoticeUndelivered" in given_up
        assert desk.owed() == 0

    def test_a_channel_whose_settings_are_gone_is_a_try_like_any_other(self) -> None:
        desk = Desk(Channel.WEBHOOK)
        desk.tell(NOTICE, Channel.MAIL)
        with logged() as lines:
            assert desk.pump.run() == 2
        assert lines.about("mail: the settings of this channel are gone")
        assert desk.owed() == 1

    def test_is_sent_again_by_the_same_key_where_it_died_after_sending(self) -> None:
        desk = Desk(Channel.MAIL)
        desk.tell()
        desk.pump.run(limit=1)
        desk.store.before_commit = _dies_at_the_second_commit()
        with pytest.raises(KeyboardInterrupt):
            desk.pump.run()
        desk.store.before_commit = lambda: None
        assert desk.pump.run() == 0, "another pump may have it in hand"
        desk.clock.advance(minutes=5)
        assert desk.pump.run() == 1
        (first, _), (second, _) = desk.ends[Channel.MAIL].sent
        assert first == second == f"notice:{NOTICE.id}:mail"
        desk.clock.advance(days=1)
        assert desk.pump.run() == 0

    @pytest.mark.parametrize(("held", "times"), [(HELD, 1), (timedelta(0), 2)], ids=["held", "control: not held"])
    def test_what_is_in_hand_is_not_taken_by_another_pump(
        self, monkeypatch: pytest.MonkeyPatch, held: timedelta, times: int
    ) -> None:
        monkeypatch.setattr("tng.notices.HELD", held)
        desk, sent = Desk(Channel.MAIL), []

        def send_while_another_looks(key: str, notice: Notice) -> None:
            sent.append(key)
            desk.pump.run()

        desk.tell()
        desk.pump.run(limit=1)
        NoticePump(desk.store, desk.clock, {Channel.MAIL: send_while_another_looks}).run(limit=1)
        assert len(sent) + len(desk.told()) == times

    def test_what_kills_its_process_every_time_is_given_up_too(self) -> None:
        desk = Desk()
        desk.tell()
        with desk.store.begin() as work:
            for _ in range(MOST_TRIES):
                work.outbox.take(START, START)
            work.commit()
        with logged() as lines:
            assert desk.pump.run() == 0
        assert lines.about("given up: log: every try ended with the process")
        assert desk.owed() == 0

    def test_runs_no_more_than_it_is_told(self) -> None:
        desk = Desk()
        for number in range(5):
            desk.tell(replace(NOTICE, title=str(number)))
        assert desk.pump.run(limit=2) == 2


def _dies_at_the_second_commit() -> Any:
    commits = iter([None, KeyboardInterrupt()])

    def commit() -> None:
        if error := next(commits):
            raise error

    return commit


def letter(key: str, notice: Notice, sender: str, to: list[str]) -> EmailMessage:
    return plain_letter(key, sender, to, subject=notice.title, text=text_of(notice), at=notice.at)


class TestLetter:
    def test_a_title_brings_no_header_along(self) -> None:
        notice = replace(NOTICE, title="Fine\r\nBcc: eve@example.com\r\n\r\nHello")
        written = letter("notice:1:mail", notice, "tng@example.com", ["ola@example.com"])
        assert written["Bcc"] is None
        assert written["Subject"] == "Fine Bcc: (an address) Hello"
        head = written.as_bytes().split(b"\r\n\r\n")[0]
        assert not [line for line in head.split(b"\r\n") if line.lower().startswith(b"bcc")]

    @pytest.mark.parametrize("sender", ["tng@example.com\r\nBcc: eve@example.com", "tng@example.com\n"])
    def test_a_broken_address_is_refused(self, sender: str) -> None:
        assert not is_address(sender)
        with pytest.raises(ValueError, match=r"CR|linefeed|line"):
            letter("notice:1:mail", NOTICE, sender, ["ola@example.com"])

    def test_says_when_it_happened_and_that_nobody_wrote_it(self) -> None:
        written = letter("notice:1:mail", NOTICE, "tng@example.com", ["ola@example.com", "pia@example.com"])
        assert written["Date"].datetime == START
        assert written["Auto-Submitted"] == "auto-generated"
        assert written["Message-ID"] == "<notice.1.mail@example.com>"
        assert written["To"] == "ola@example.com, pia@example.com"
        body = written.get_content()
        assert body.startswith("All eight checks passed.\n\nrelease: tng-7\n")

    def test_nothing_is_said_in_the_clear_to_another_machine(self) -> None:
        with pytest.raises(SettingsError, match="this machine only"):
            MailServer("mail.example", 25, security=SmtpSecurity.NONE, sender="t@example.com")
