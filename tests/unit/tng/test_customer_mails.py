"""What customers are written: owed with the move it tells of, sent while it is true, once an order, and no words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes import FakeClock, FakeStore
from tests.house import House
from tests.log_lines import logged
from tests.samples import PREMISE, a_paid_order, forced, the_order
from tng.customer_mails import LATE, Letter, MailKind, MailPump, owe_mail
from tng.errors import NoticeUndelivered, RunFailed
from tng.fulfilment import Fulfilment
from tng.jobs import MAIL
from tng.library.shelf import Shelved
from tng.money.refunds import Refunds
from tng.notices import HELD, MOST_TRIES
from tng.orders import Order, OrderState

ADDRESS = "ada@example.com"
SCRIPT = {"script_text": "## TEASER\n# INT. BRIDGE\nPICARD: Engage.", "release_id": "tng-1", "run_sha256": "0" * 64}
BROKEN = RunFailed("write_script: cell 3 raised ReleaseDamaged", cause="ReleaseDamaged", retryable=False)


class Post:
    """A pump, and the ends that it speaks to: who has which address, and what arrived."""

    def __init__(self, state: OrderState = OrderState.DELIVERED, **changes: Any) -> None:
        self.store, self.clock = FakeStore(), FakeClock()
        self.addresses: dict[str, str | None] = {"ada": ADDRESS}
        self.down = self.hub_away = False
        self.letters: list[tuple[str, str, Letter]] = []
        self.order = forced(a_paid_order(), state, **changes)
        with self.store.begin() as work:
            work.orders.add(self.order)
            work.commit()
        self.pump = MailPump(
            self.store,
            self.clock,
            address_of=self.address_of,
            send=self.send,
            product="TNG Script Generator",
            public_url="https://tng.example",
        )

    def address_of(self, name: str) -> str | None:
        if self.hub_away:
            raise NoticeUndelivered("the hub did not say an address (ConnectError)")
        return self.addresses.get(name)

    def send(self, key: str, address: str, letter: Letter) -> None:
        if self.down:
            raise NoticeUndelivered("mail: mail.example did not take it (SMTPDataError, 451)")
        self.letters.append((key, address, letter))

    def owe(self, kind: MailKind = MailKind.DELIVERED) -> None:
        with self.store.begin() as work:
            owe_mail(work, self.order, kind, self.clock.now())
            work.commit()

    def put(self, order: Order) -> None:
        self.store.tables.orders[order.id] = order

    @property
    def owed(self) -> int:
        with self.store.read() as work:
            return work.counts.errands(MAIL)


class TestOwed:
    @pytest.mark.parametrize("mails", [True, False], ids=["on", "off"])
    def test_a_delivered_script_owes_one_mail_in_the_same_commit_where_mails_are_on(self, mails: bool) -> None:
        house = House()
        house.fulfilment = Fulfilment(house.store, house.clock, lease_seconds=10, spread=lambda: 0.0, mails=mails)
        order, job = house.writing()
        house.fulfilment.deliver(job, **SCRIPT)
        assert mails_of(house) == ([(f"mail:{order.id}:delivered", order.id)] if mails else [])

    def test_without_the_commit_there_is_neither_a_script_nor_a_mail(self, monkeypatch: pytest.MonkeyPatch) -> None:
        house = House()
        house.fulfilment = Fulfilment(house.store, house.clock, lease_seconds=10, spread=lambda: 0.0, mails=True)
        order, job = house.writing()
        monkeypatch.setattr("tests.fake_store._FakeWork.commit", _dies)
        with pytest.raises(KeyboardInterrupt):
            house.fulfilment.deliver(job, **SCRIPT)
        monkeypatch.undo()
        assert the_order(house.store, order.id).state is OrderState.WRITING
        assert mails_of(house) == []

    def test_a_script_that_cannot_be_written_owes_the_other_one_and_only_at_the_last_failure(self) -> None:
        house = House()
        house.fulfilment = Fulfilment(house.store, house.clock, lease_seconds=10, spread=lambda: 0.0, mails=True)
        order, job = house.writing()
        house.fulfilment.fail(job, RunFailed("write_script: cell 3 raised OSError", cause="OSError"))
        assert mails_of(house) == []
        house.clock.advance(minutes=5)
        again = house.fulfilment.claim("w1")
        assert again is not None
        house.fulfilment.fail(again, BROKEN)
        assert mails_of(house) == [(f"mail:{order.id}:refunding", order.id)]

    def test_whoever_stops_it_themselves_needs_no_mail(self) -> None:
        house = House()
        house.fulfilment = Fulfilment(house.store, house.clock, lease_seconds=10, spread=lambda: 0.0, mails=True)
        order, _ = house.writing()
        house.shop.cancel(order.id, "ada")
        assert mails_of(house) == []

    @pytest.mark.parametrize("mails", [True, False], ids=["on", "off"])
    def test_an_operator_who_gives_the_money_back_owes_one_where_mails_are_on(self, mails: bool) -> None:
        house = House()
        order, job = house.writing()
        house.fulfilment.deliver(job, **SCRIPT)
        refunds = Refunds(house.store, house.clock, mails=mails)
        for _ in range(2):
            refunds.refund(order.id, by="operator ola", why="asked for")
        assert mails_of(house) == ([(f"mail:{order.id}:given-back", order.id)] if mails else [])

    def test_the_same_is_owed_once(self) -> None:
        post = Post()
        post.owe()
        post.owe()
        assert post.pump.run() == 1
        post.owe()
        assert (post.pump.run(), len(post.letters)) == (0, 1)


class TestLetter:
    def test_names_the_script_and_leads_to_it_and_holds_nothing_else_of_the_customers(self) -> None:
        post = Post()
        post.owe()
        post.pump.run()
        ((key, address, letter),) = post.letters
        assert (key, address) == (f"mail:{post.order.id}:delivered", ADDRESS)
        assert letter.subject == "Ready: The Quiet Hours"
        assert f"\nhttps://tng.example/hub/user-redirect/?order={post.order.id}\n" in letter.text
        for word in (PREMISE.logline, *PREMISE.cast, "ada", ADDRESS):
            assert word not in letter.text + letter.subject.removeprefix("Ready")

    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            (MailKind.REFUNDING, "“The Quiet Hours” could not be written, and your money is on its way back."),
            (MailKind.GIVEN_BACK, "We are giving you back what you paid for “The Quiet Hours”, all of it."),
        ],
    )
    def test_a_refund_says_that_the_money_is_on_its_way(self, kind: MailKind, words: str) -> None:
        post = Post(OrderState.REFUNDING)
        post.owe(kind)
        post.pump.run()
        letter = post.letters[0][2]
        assert letter.subject == "Your money is on its way back: The Quiet Hours"
        assert words in letter.text
        assert f"\nhttps://tng.example/hub/user-redirect/?order={post.order.id}\n" in letter.text

    def test_it_is_called_what_its_owner_calls_it_in_one_line(self) -> None:
        post = Post()
        with post.store.begin() as work:
            work.shelf.save(post.order.id, Shelved(title="Mine\r\nBcc: eve@example.com {link} " + "x" * 300))
            work.commit()
        post.owe()
        post.pump.run()
        subject = post.letters[0][2].subject
        assert subject.startswith("Ready: Mine Bcc: eve@example.com {link} xx")
        assert len(subject) == 150


class TestPump:
    def test_what_was_down_is_sent_once_it_is_up(self) -> None:
        post = Post()
        post.owe()
        post.hub_away = True
        assert post.pump.run() == 0
        post.hub_away, post.down = False, True
        post.clock.advance(minutes=1)
        assert post.pump.run() == 0
        post.down = False
        post.clock.advance(minutes=2)
        assert post.pump.run() == 1
        post.clock.advance(hours=1)
        assert (post.pump.run(), post.owed) == (0, 0)

    def test_a_process_that_dies_after_sending_sends_it_again_with_the_same_key(self) -> None:
        post = Post()
        post.owe()
        with post.store.begin() as work:
            taken = work.outbox.take(post.clock.now(), post.clock.now() + HELD, MAIL)
            work.commit()
        assert taken is not None
        post.send(taken.key, ADDRESS, Letter("", "", post.clock.now()))  # and here it died
        assert post.pump.run() == 0, "it may still be in hand"
        post.clock.advance(seconds=HELD.total_seconds() + 1)
        assert post.pump.run() == 1
        assert len({key for key, _, _ in post.letters}) == 1
        assert len(post.letters) == 2

    @pytest.mark.parametrize(
        ("kind", "state"),
        [
            *[(MailKind.DELIVERED, state) for state in OrderState if state is not OrderState.DELIVERED],
            *[
                (kind, state)
                for kind in (MailKind.REFUNDING, MailKind.GIVEN_BACK)
                for state in OrderState
                if state not in (OrderState.REFUNDING, OrderState.REFUNDED)
            ],
        ],
    )
    def test_what_is_not_so_any_more_is_not_written(self, kind: MailKind, state: OrderState) -> None:
        post = Post(state)
        post.owe(kind)
        assert post.pump.run() == 0
        assert (post.letters, post.owed) == ([], 0)

    def test_nobody_is_written_to_about_words_that_are_erased_or_thrown_away(self) -> None:
        for changes in ({"erased_at": FakeClock().now()}, {"ended_at": FakeClock().now()}):
            post = Post(**changes)
            with post.store.begin() as work:
                work.shelf.save(post.order.id, Shelved(binned_at=post.clock.now()))
                work.commit()
            post.owe()
            assert post.pump.run() == 0
            assert (post.letters, post.owed) == ([], 0)

    def test_an_account_that_is_gone_or_has_no_verified_address_gets_nothing(self) -> None:
        post = Post()
        post.addresses.clear()
        post.owe()
        with logged() as lines:
            assert post.pump.run() == 0
        assert (post.letters, post.owed) == ([], 0)
        assert len(lines.about("mail not sent: there is no address")) == 1

    def test_news_of_yesterday_is_not_written_today(self) -> None:
        post = Post()
        post.owe()
        post.clock.advance(seconds=(LATE + timedelta(seconds=1)).total_seconds())
        assert post.pump.run() == 0
        assert (post.letters, post.owed) == ([], 0)

    def test_what_nobody_takes_is_given_up_and_the_log_says_so(self) -> None:
        post = Post()
        post.down = True
        post.owe()
        with logged() as lines:
            for _ in range(MOST_TRIES + 5):
                post.pump.run()
                post.clock.advance(minutes=61)
        assert post.owed == 0
        assert len(lines.about("mail given up")) == 1

    def test_no_line_of_the_log_names_an_address_or_a_title(self) -> None:
        post = Post()
        post.owe()
        with logged() as lines:
            post.down = True
            post.pump.run()
            post.down = False
            post.clock.advance(minutes=1)
            post.pump.run()
        text = lines.getvalue()
        assert f"order={post.order.id}" in text
        assert "mail sent" in text
        assert "@" not in text
        assert PREMISE.title not in text

    def test_an_order_that_is_nowhere_is_no_reason_to_stop(self) -> None:
        post = Post()
        post.owe()
        other = replace(post.order, id="ord_" + "f" * 32)
        with post.store.begin() as work:
            owe_mail(work, other, MailKind.DELIVERED, post.clock.now())
            work.commit()
        assert (post.pump.run(), post.owed) == (1, 0)


def _dies(_work: object) -> None:
    raise KeyboardInterrupt


def mails_of(house: House) -> list[tuple[str, str]]:
    """What is to be written: (key, order)."""
    found = []
    with house.store.begin() as work:
        while errand := work.outbox.take(house.clock.now(), house.clock.now() + timedelta(days=1), MAIL):
            found.append((errand.key, str(errand.body["order_id"])))
            if len(found) > 10:
                break
    return found
