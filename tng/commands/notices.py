"""``tng notices``: whether operators would hear of anything."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from tng.app import messengers_of
from tng.commands.group import FAILED
from tng.errors import NoticeUndelivered
from tng.notices import Channel, Messenger, Notice, NoticeKind
from tng.settings import Part, Settings


@click.group()
def notices() -> None:
    """Look after the channels by which operators are told what happened."""


@notices.command("test")
@click.pass_context
def try_channels(context: click.Context) -> None:
    """Send one notice by every channel that is set, and say what became of each."""
    messengers = messengers_of(Settings.read(part=Part.SCHEDULER))
    if not messengers:
        click.echo("No channel is set: notices stand in the log alone. See TNG_NOTICE_WEBHOOK and TNG_NOTICE_MAIL_TO.")
    text = "Somebody tries whether notices arrive. Nothing has happened."
    notice = Notice(NoticeKind.TEST, "A notice on trial", text, datetime.now(UTC))
    told = [_tried(channel, send, notice) for channel, send in messengers.items()]
    if not all(told):
        context.exit(FAILED)


def _tried(channel: Channel, send: Messenger, notice: Notice) -> bool:
    """Say what became of it; whether it was told."""
    try:
        send(f"notice:{notice.id}:{channel}", notice)
    except NoticeUndelivered as error:
        click.echo(f"not told by {error}")
        return False
    click.echo(f"told by {channel}")
    return True
