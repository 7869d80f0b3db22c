"""What the form is made of: fields, choices and a fold, drawn with the browser's own controls by ``static/*.js``.

A control says what a person did in a message of its own, and messages keep their order: what was typed last is here
before the press of a button that follows it. What it says is a stranger's word: it is kept only if it is of the right
kind. Nothing that a person types is ever sent back, so that no answer can overtake their typing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import anywidget
import traitlets

from tng.dashboard.reader import STATIC

GENEROUS_CHARACTERS: Final = 20_000
"""As the api: longer texts are not looked at."""

Option = Mapping[str, Any]


def _heard_only(**kind: Any) -> dict[str, Any]:
    """The tags of a trait that the browser is told of, and does not get back what it said itself."""
    return {"sync": True, "echo_update": False, **kind}


class Control(anywidget.AnyWidget):
    """A control that says what a person did. ``fault`` is what is wrong with it, in a sentence, or empty."""

    fault = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._heard)

    def focus(self) -> None:
        """Move the person to it."""
        self.send({"kind": "focus"})

    def _heard(self, _widget: object, said: Any, _buffers: object) -> None:
        if isinstance(said, dict) and said.get("kind") == "says":
            good = {name: value for name, value in self.believed(said).items() if name in self.keys}
            self.set_state(good)  # as the browser would: what equals its own word is not sent back to it

    def believed(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Trait → value, as far as what was said is of the right kind."""
        raise NotImplementedError


class TextField(Control):
    """A label, a line (or ``rows`` lines) of text, a hint, and a counter that is seen near the ``limit`` alone."""

    _esm = STATIC / "field.js"
    label = traitlets.Unicode("").tag(sync=True)
    placeholder = traitlets.Unicode("").tag(sync=True)
    help = traitlets.Unicode("").tag(sync=True)
    rows = traitlets.Int(1).tag(sync=True)
    limit = traitlets.Int(0).tag(sync=True)
    value = traitlets.Unicode("").tag(**_heard_only())

    def believed(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Text, cut where nobody types so much."""
        value = said.get("value")
        return {"value": value[:GENEROUS_CHARACTERS]} if isinstance(value, str) else {}


class Choices(Control):
    """A group of options: check boxes where ``many``, else radio buttons. ``look``: portraits, segments or cards.

    An option is a dict: ``value``, ``name``, and as its look needs them ``mark`` (big letters), ``words`` (a line),
    ``price``. ``chosen`` holds values in the order of the options.
    """

    _esm = STATIC / "choices.js"
    legend = traitlets.Unicode("").tag(sync=True)
    help = traitlets.Unicode("").tag(sync=True)
    look = traitlets.Unicode("segments").tag(sync=True)
    many = traitlets.Bool(False).tag(sync=True)
    options = traitlets.List(traitlets.Dict()).tag(sync=True)
    chosen = traitlets.List(traitlets.Unicode()).tag(**_heard_only())

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._wanted: list[str] | None = None
        self.observe(self._forget, "chosen")

    @property
    def values(self) -> list[str]:
        """What there is to choose from."""
        return [str(option["value"]) for option in self.options]

    @property
    def value(self) -> str:
        """The one that is chosen, where one is; empty where none is."""
        return str(self.chosen[0]) if self.chosen else ""

    @value.setter
    def value(self, value: str) -> None:
        """Choose it, if it is there; else when the next offer has it."""
        self.choose([value])

    def offer(self, options: Sequence[Option], at_first: Iterable[str] = ()) -> None:
        """Offer these. What was chosen stays chosen where it is still there; ``at_first`` if nothing ever was."""
        wanted, before = self._wanted, list(self.chosen)
        is_new = not self.options
        offered = [dict(option) for option in options]
        if offered != self.options:
            self.options = offered
        self._wanted = None
        self._keep(wanted if wanted is not None else list(at_first) if is_new else before, list(at_first))

    def choose(self, values: Iterable[str]) -> None:
        """Choose these, as far as they are there; those that are not, when the next offer has them."""
        wanted = list(values)
        self._keep(wanted, self.chosen)
        self._wanted = None if set(wanted) <= set(self.values) else wanted

    def believed(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Values that are there, and one of them where there can be but one."""
        heard = said.get("chosen")
        if not isinstance(heard, list):
            return {}
        chosen = [value for value in self.values if value in heard]
        return {"chosen": chosen} if self.many or len(chosen) == 1 else {}

    def _forget(self, _change: object) -> None:
        """What was wanted before is nothing beside what has been chosen since."""
        self._wanted = None

    def _keep(self, wanted: list[str], otherwise: list[str]) -> None:
        there = [value for value in self.values if value in wanted]
        if not self.many and not there:
            there = [value for value in self.values if value in otherwise][:1] or self.values[:1]
        self.chosen = there if self.many else there[:1]


class Finer(Control):
    """The fold for those who want it: the seed with a roll, and a temperature of one's own (None: as the preset)."""

    _esm = STATIC / "finer.js"
    seed = traitlets.Int(0).tag(**_heard_only())
    seed_below = traitlets.Int(2**31).tag(sync=True)
    temperature = traitlets.Float(None, allow_none=True).tag(**_heard_only())
    coolest = traitlets.Float(0.1).tag(sync=True)
    hottest = traitlets.Float(1.0).tag(sync=True)
    preset = traitlets.Unicode("").tag(sync=True)

    def believed(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """A whole number for the seed, -1 where there is none; a number or None for the temperature."""
        good: dict[str, Any] = {}
        if "seed" in said:
            good["seed"] = said["seed"] if is_whole(said["seed"]) else -1
        if "temperature" in said and (said["temperature"] is None or is_number(said["temperature"])):
            own = said["temperature"]
            good["temperature"] = None if own is None else min(max(float(own), self.coolest), self.hottest)
        return good


def is_whole(value: object) -> bool:
    """Whether it is a whole number that a browser can say exactly."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def is_number(value: object) -> bool:
    """Whether it is a number, and a finite one."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


Changed = Callable[[object], None]

__all__ = ["Changed", "Choices", "Control", "Finer", "Option", "TextField", "is_number", "is_whole"]
