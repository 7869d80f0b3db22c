"""A show: a folder of data that makes the product write another series. It reads and checks; it decides no sentence.

shows/<id>/
  show.toml   who is aboard, how an episode is built, what a script costs, what the page says and looks like
  ideas.toml  premises to begin with, if the show has some
  sample.txt  scenes for people who have not ordered yet, in the compact form (``tng.sample``), if it has some
  (whatever the file names, by paths relative to it: the scene bank that the demonstration corpus is made of)

A release carries the ``show.toml`` that its corpus was made with, so that writing needs the release alone. There the
scene bank is not: a show can be read wherever its file is, and only who opens the bank needs it.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from tng.errors import ShowError
from tng.ideas import Idea, read_ideas
from tng.script import FEWEST_CAST, Length, Tone
from tng.toml_part import Part

SHOW_FILE: Final = "show.toml"
POOLS: Final = (
    "guest_titles", "ship_starts", "ship_ends", "planet_ends", "outposts", "anomaly_starts", "anomaly_ends",
    "particle_starts", "particle_ends", "device_starts", "device_ends", "diseases", "substance_ends",
)  # fmt: skip
"""What invented names are put together from; see ``model.corpus.slots``."""

STATEMENT: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 .,&/+-]{1,22}")

Beats = dict[str, tuple[str, ...]]
"""Acts in their order, and the beats of each: a scene a beat."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody aboard: the cue, how the others call them (the shortest first), and how when they are formal."""

    cue: str
    names: tuple[str, ...]
    formal: str
    is_woman: bool = False
    is_lead: bool = False
    is_called_by_rank: bool = False
    """Mostly spoken to by a rank that nobody else has, so that the part goes badly to another."""


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of plot: its tone, and the words of a premise that speak for it."""

    name: str
    tone: Tone
    keywords: frozenset[str]


@dataclass(frozen=True, slots=True)
class SideStory:
    """The second story: its family, its beats, and where the corpus has them (act → its beat, the main beat before)."""

    family: str
    beats: tuple[str, ...]
    places: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TeleplaySource:
    """What the importer must know of the series' own teleplays: how pages are headed, and which are set apart.

    ``excluded`` are clip shows and loops; ``together`` are parts that must not be torn apart between training and
    held-out; ``seasons`` the first and last number of each, from season 1; numbers are production codes.
    """

    page_heading: str
    title: str
    aliases: Mapping[str, str]
    held_out: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    together: tuple[tuple[int, ...], ...] = ()
    seasons: tuple[tuple[int, int], ...] = ()

    def season_of(self, number: int | None) -> int | None:
        """The season of an episode; None where the show does not say."""
        if number is None:
            return None
        return next((place for place, (first, last) in enumerate(self.seasons, 1) if first <= number <= last), None)


@dataclass(frozen=True)
class Show:
    """A series, as the product knows it."""

    id: str
    title: str
    product: str
    disclaimer: str
    price_cents: int
    currency: str
    cast: tuple[Member, ...]
    always_aboard: tuple[str, ...]
    """Cues that may speak in any scene and that nobody can ask for, such as a computer's voice."""
    families: tuple[Family, ...]
    acts: Beats
    """How an episode of the corpus is built, its side story aside: every beat of the main story once."""
    lengths: Mapping[Length, Beats]
    """How a script of each length is built, beats of the side story among the others; a beat may come again."""
    side_story: SideStory
    ranks: tuple[str, ...]
    """Words that stand before a name when somebody is formal."""
    known_words: frozenset[str]
    """Lower case: words of the series that name nobody whom a customer made up."""
    taken_names: frozenset[str]
    """Upper case: names that no invented guest may have, those of the cast aside."""
    invented: Mapping[str, tuple[str, ...]]
    """Pool → parts of invented names, for each of :data:`POOLS`."""
    dates: tuple[int, int]
    """From, to: how the series counts its days."""
    teleplays: TeleplaySource
    folder: Path
    bank_folder: Path
    statement: str = ""
    """What a card's statement adds to the seller's name, so that the buyer knows what was bought; empty: nothing.

    Stripe takes 22 characters, the account's own prefix among them, a letter in them, and none of ``<>\\'"*``
    (docs.stripe.com/get-started/account/statement-descriptors).
    """
    look: Mapping[str, str] = field(default_factory=dict)
    """Colour name → ``#rrggbb``: ``night`` (the bar at the top) and ``amber`` (the accent); others follow from them."""
    ideas: tuple[Idea, ...] = ()
    """Premises to begin with; a release has none, for it is asked for nothing."""

    @cached_property
    def cues(self) -> tuple[str, ...]:
        """Who can be asked for, as they stand in a cue."""
        return tuple(member.cue for member in self.cast)

    @cached_property
    def leads(self) -> tuple[str, ...]:
        """Who is chosen before anybody chooses."""
        return tuple(member.cue for member in self.cast if member.is_lead)

    @cached_property
    def beats(self) -> tuple[str, ...]:
        """The beats of the main story in their order."""
        return tuple(beat for beats in self.acts.values() for beat in beats)

    @cached_property
    def main_families(self) -> tuple[Family, ...]:
        """Every family but the side story's."""
        return tuple(family for family in self.families if family.name != self.side_story.family)

    def member(self, cue: str) -> Member | None:
        """The one aboard with that cue."""
        return next((member for member in self.cast if member.cue == cue), None)

    def tone_of(self, family: str) -> Tone | None:
        """The tone of a family; none where the show has no such family."""
        return next((its.tone for its in self.families if its.name == family), None)

    def beats_of(self, act: str) -> tuple[str, ...]:
        """The beats of one act of the corpus in the order of the page, the side story's among them."""
        beats = self.acts[act]
        if act not in self.side_story.places:
            return beats
        side_beat, follows = self.side_story.places[act]
        place = beats.index(follows) + 1
        return (*beats[:place], side_beat, *beats[place:])

    def act_of(self, beat: str) -> str:
        """The act of the corpus in which a beat stands; empty where there is none."""
        return self._acts_of_beats.get(beat, "")

    @cached_property
    def _acts_of_beats(self) -> dict[str, str]:
        return {beat: act for act in self.acts for beat in self.beats_of(act)}


def read_show(folder: Path) -> Show:
    """The show in ``folder``. Raises ShowError with the part that is missing or wrong, and what it must be."""
    where = f"{folder.name}/{SHOW_FILE}"
    try:
        content = tomllib.loads((folder / SHOW_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ShowError(f"no show in {folder.name}: {SHOW_FILE} cannot be read ({type(error).__name__})") from error
    show = _show(Part(content, f"{where}: "), folder)
    if faults := list(_faults(show)):
        raise ShowError(f"{where}: {'; '.join(faults)}")
    return replace(show, ideas=read_ideas(folder, show.cues))


def _show(top: Part, folder: Path) -> Show:
    price, names, families, lengths = (top.table(name) for name in ("price", "names", "families", "lengths"))
    invented = top.table("invented")
    first_date, end_date = invented.each("dates", int) if len(invented.take("dates", list)) == 2 else (0, 0)
    return Show(
        id=top.take("id", str),
        title=top.take("title", str),
        product=top.take("product", str),
        disclaimer=top.take("disclaimer", str),
        price_cents=price.take("cents", int),
        currency=price.take("currency", str),
        cast=tuple(_member(part) for part in top.tables("cast")),
        always_aboard=top.each("always_aboard", str, []),
        families=tuple(_family(name, families.table(name)) for name in families),
        acts=top.lists("acts"),
        lengths={length: lengths.lists(length.value) for length in Length},
        side_story=_side_story(top.table("side_story")),
        ranks=tuple(names.take("ranks", str, "").split()),
        known_words=frozenset(names.take("known", str, "").lower().split()),
        taken_names=frozenset(names.take("taken", str, "").upper().split()),
        invented={name: _pool(invented, name) for name in POOLS},
        dates=(first_date, end_date),
        teleplays=_teleplays(top.table("teleplays")),
        folder=folder,
        bank_folder=(folder / top.table("corpus").take("bank", str)).resolve(),
        statement=price.take("statement", str, ""),
        look={name: top.table("look").take(name, str) for name in top.table("look", optional=True)},
    )


def _pool(part: Part, name: str) -> tuple[str, ...]:
    return tuple(word.strip("\n") for word in part.take(name, str).split("|") if word.strip())


def _member(part: Part) -> Member:
    return Member(
        part.take("cue", str),
        part.each("names", str),
        part.take("formal", str),
        is_woman=part.take("woman", bool, False),
        is_lead=part.take("lead", bool, False),
        is_called_by_rank=part.take("called_by_rank", bool, False),
    )


def _family(name: str, part: Part) -> Family:
    tone = part.take("tone", str)
    if tone not in list(Tone):
        raise ShowError(f"families.{name}.tone must be one of {', '.join(Tone)}")
    return Family(name, Tone(tone), frozenset(part.take("keywords", str, "").split()))


def _side_story(part: Part) -> SideStory:
    places = part.table("places")
    found: dict[str, tuple[str, str]] = {}
    for act in places:
        place = places.each(act, str)
        if len(place) != 2:
            raise ShowError(f"side_story.places.{act} must be two beats: its own, and the one that it follows")
        found[act] = (place[0], place[1])
    return SideStory(part.take("family", str), part.each("beats", str), found)


def _teleplays(part: Part) -> TeleplaySource:
    aliases = part.table("aliases", optional=True)
    together, seasons = part.take("together", list, []), part.take("seasons", list, [])
    for name, lists in (("together", together), ("seasons", seasons)):
        if not all(isinstance(numbers, list) and all(isinstance(n, int) for n in numbers) for numbers in lists):
            raise ShowError(f"teleplays.{name} must be a list of lists of whole numbers")
    if not all(len(numbers) == 2 for numbers in seasons):
        raise ShowError("teleplays.seasons must be pairs: the first and the last number of each")
    return TeleplaySource(
        part.take("page_heading", str),
        part.take("title", str),
        {name: aliases.take(name, str) for name in aliases},
        frozenset(part.each("held_out", int, [])),
        frozenset(part.each("excluded", int, [])),
        tuple(tuple(numbers) for numbers in together),
        tuple((first, last) for first, last in seasons),
    )


def _faults(show: Show) -> Iterator[str]:
    """What does not fit together. Every sentence names the part."""
    if not re.fullmatch(r"[a-z0-9-]+", show.id):
        yield "id must be small letters, digits and dashes"
    if show.price_cents <= 0 or not re.fullmatch(r"[a-z]{3}", show.currency):
        yield "price must be cents above 0 and a currency of three small letters"
    if show.dates[0] >= show.dates[1]:
        yield "invented.dates must be two numbers, the smaller first"
    if empty := [name for name, words in show.invented.items() if not words]:
        yield f"invented.{empty[0]} must have a word"
    braces = {brace for words in show.invented.values() for word in words for brace in re.findall(r"\{.*?\}", word)}
    if not braces <= {"{n}", "{r}"}:
        yield "invented may have the braces {n} and {r} alone"
    if len(show.cues) < FEWEST_CAST or len(show.leads) < FEWEST_CAST:
        yield f"cast must have {FEWEST_CAST} members or more, and as many leads"
    if show.statement and not STATEMENT.fullmatch(show.statement):
        yield "price.statement must be at most 22 letters, digits, blanks and . , & / + -, a letter among them"
    for name, colour in show.look.items():
        if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", name) or not re.fullmatch(r"#[0-9a-f]{6}", colour):
            yield f"look.{name} must be a name in small letters and a colour like #141b2d"
    aboard = [*show.cues, *show.always_aboard]
    if len(set(aboard)) < len(aboard) or any(cue != cue.upper() for cue in aboard):
        yield "cast must have cues in capitals, each of them once"
    if not all(member.names for member in show.cast):
        yield "cast: everybody needs a name by which they are called"
    if not all(re.fullmatch(r"[a-z0-9_-]+", family.name) for family in show.families):
        yield "families must have names in small letters, digits and dashes: they name files of the scene bank"
    if toneless := [tone for tone in Tone if all(family.tone is not tone for family in show.main_families)]:
        yield f"families must have one for the tone {toneless[0]}"
    yield from _faults_of_acts(show)


def _faults_of_acts(show: Show) -> Iterator[str]:
    side = show.side_story
    if side.family not in (family.name for family in show.families):
        yield f"side_story.family {side.family} is no family"
    if not show.acts or not all(show.acts.values()) or not side.beats:
        yield "acts and side_story must have beats, and every act one"
    if twice := [beat for beat, count in Counter([*show.acts, *show.beats, *side.beats]).items() if count > 1]:
        yield f"acts must have every name once, and {twice[0]} is there twice"
    for act, (beat, follows) in side.places.items():
        if follows not in show.acts.get(act, ()) or beat not in side.beats:
            yield f"side_story.places.{act} must be a beat of the side story and one of the act that it follows"
    if sorted(beat for beat, _ in side.places.values()) != sorted(side.beats):
        yield "side_story.places must have every beat of the side story once"
    known = {*show.beats, *side.beats}
    for length, acts in show.lengths.items():
        if not acts or not all(acts.values()):
            yield f"lengths.{length} must have acts, and every act a beat"
        if unknown := [beat for beats in acts.values() for beat in beats if beat not in known]:
            yield f"lengths.{length} has a beat that no act has: {unknown[0]}"


__all__ = ["SHOW_FILE", "Beats", "Family", "Member", "Show", "SideStory", "TeleplaySource", "read_show"]
