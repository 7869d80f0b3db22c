"""What the notebooks that write show: events live, and one result. It is glue for a notebook's cell.

The shop listens to two MIME types; what a person sees beside them in an executed notebook is a line of text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from IPython.display import display

from model.writing import Writer, Written
from tng.script import Premise, Scene, Script, render, render_scene
from tng.shows import Show

EVENT_MIME: Final = "application/vnd.tng.event+json"
RESULT_MIME: Final = "application/vnd.tng.result+json"


def read_premise(premise_json: str, show: Show) -> Premise:
    """The premise of a parameter, for a writer of ``show``. Raises PremiseError where it is none."""
    try:
        fields = json.loads(premise_json)
    except ValueError:
        fields = {}
    return Premise.checked(fields if isinstance(fields, Mapping) else {}, show.cues)


def show_event(kind: str, body: Mapping[str, Any]) -> None:
    """Display an event (``plan``, ``scene``, ``progress``) as it happens."""
    display({EVENT_MIME: {"kind": kind, **body}, "text/plain": _spoken(kind, body)}, raw=True)  # type: ignore[no-untyped-call]


def show_result(written: Written, writer: Writer, premise: Premise) -> None:
    """Display the result: the script in the compact form, and what is to be remembered about it."""
    result = result_of(written, writer, premise)
    display({RESULT_MIME: result, "text/plain": f"{result['scenes']} scenes, {result['words']:,} words"}, raw=True)  # type: ignore[no-untyped-call]


def show_scene(scene: Scene, writer: Writer) -> None:
    """Display the result where one scene was written: in the compact form, with the release that wrote it."""
    text = render_scene(scene)
    result = {"scene_text": text, "release_id": writer.release_id}
    display({RESULT_MIME: result, "text/plain": f"{len(text.split()):,} words"}, raw=True)  # type: ignore[no-untyped-call]


def show_facts(facts: Mapping[str, Any]) -> None:
    """Display facts, one a line: for the reader of an executed notebook."""
    lines = "\n".join(f"{name}: {fact}" for name, fact in facts.items())
    display({"application/json": dict(facts), "text/plain": lines}, raw=True)  # type: ignore[no-untyped-call]


def result_of(written: Written, writer: Writer, premise: Premise) -> dict[str, Any]:
    """The result as plain JSON values."""
    script = written.script
    return {
        "script_text": render(script),
        "release_id": writer.release_id,
        "seed": premise.seed,
        "scenes": len(script.scenes),
        "words": count_words(script),
        "provenance": written.provenance,
    }


def count_words(script: Script) -> int:
    """The words on the page, headings and cues among them."""
    return len(render(script).split())


def _spoken(kind: str, body: Mapping[str, Any]) -> str:
    match kind:
        case "plan":
            return f"planned: {sum(len(act['scenes']) for act in body['acts'])} scenes"
        case "progress":
            return f"{body['percent']} %"
        case "scene":
            return f"{body['act']}, scene {body['number']}"
        case _:
            return kind


__all__ = [
    "EVENT_MIME",
    "RESULT_MIME",
    "count_words",
    "read_premise",
    "result_of",
    "show_event",
    "show_facts",
    "show_result",
    "show_scene",
]
