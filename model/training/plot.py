"""The losses of a training as a picture that is drawn anew while it runs. In a notebook it stays one output."""

from __future__ import annotations

import io
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final

from IPython.display import display

from model.training.progress import Progress

_SECONDS: Final = 10.0
_DISPLAY: Final = "losses"


class LossPlot:
    """A report that shows training loss, its running mean, and held-out loss, at most every ``seconds``."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._heard: list[Progress] = []
        self._drawn_at = float("-inf")
        self._is_shown = False

    def __call__(self, progress: Progress) -> None:
        """Take one step, and show it when it is time."""
        self._heard.append(progress)
        if time.monotonic() - self._drawn_at >= self._seconds or progress.step == progress.steps:
            self.show()

    def show(self) -> None:
        """Show what was heard so far, in the place where it was shown before: so, in the same cell."""
        picture = b64encode(loss_picture(self._heard)).decode("ascii")
        bundle = {"image/png": picture, "text/plain": _described(self._heard)}
        display(bundle, raw=True, display_id=_DISPLAY, update=self._is_shown)  # type: ignore[no-untyped-call]
        self._is_shown, self._drawn_at = True, time.monotonic()


def loss_picture(heard: Sequence[Progress]) -> bytes:
    """The losses by step, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    _draw(figure.subplots(), heard)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()


def _draw(axes: Any, heard: Sequence[Progress]) -> None:
    steps = [progress.step for progress in heard]
    measured = [(p.step, p.held_out_loss) for p in heard if p.held_out_loss is not None]
    axes.plot(steps, [progress.loss for progress in heard], color="0.8", linewidth=0.8, label="each step")
    axes.plot(steps, [progress.mean_loss for progress in heard], color="tab:blue", label="running mean")
    if measured:
        axes.plot(*zip(*measured, strict=True), color="tab:red", marker="o", markersize=3, label="held out")
    axes.set_xlabel("step")
    axes.set_ylabel("nats a token")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(frameon=False)


def _described(heard: Sequence[Progress]) -> str:
    if not heard:
        return "no step yet"
    last = heard[-1]
    return f"step {last.step} of {last.steps}: mean loss {last.mean_loss:.3f}"


__all__ = ["LossPlot", "loss_picture"]
