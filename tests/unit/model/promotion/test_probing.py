"""Probes run in processes of their own, in turns, with little around them; what they do ends with them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from model.promotion import probing
from model.promotion.probe import RUN_TOKENS, TimedNetwork, peak_bytes
from model.promotion.probing import Probes, probe_in_turns
from tests.architecture.sources import ROOT
from tests.unit.model.networks import OneTokenNetwork

ANSWER = {"tokens_a_second": 10.0, "peak_bytes": 5, "text_sha256": "ab", "seconds": 0.1}
SAY = f"import json, os, sys; print(json.dumps({ANSWER!r}))"

Probe = Callable[[str], dict[str, Probes]]


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Probe:
    """Probe the folders ``old`` and ``new`` with processes that run the given code."""

    def run(code: str) -> dict[str, Probes]:
        monkeypatch.setattr(probing, "PROBE", ("-c", code))
        return probe_in_turns(tmp_path / "old", tmp_path / "new")

    return run


def test_both_are_probed_three_times_in_turns(probe: Probe, tmp_path: Path) -> None:
    told = probe(f"{SAY}; open({str(tmp_path / 'turns')!r}, 'a').write(os.path.basename(sys.argv[1]) + ' ')")
    assert (tmp_path / "turns").read_text() == "old new " * 3
    assert told["candidate"] == told["champion"]
    assert told["candidate"].text_sha256 == ("ab",) * 3
    assert Probes.read(json.loads(json.dumps(probing_fields(told["candidate"])))) == told["candidate"]


def probing_fields(probes: Probes) -> dict[str, object]:
    return {name: getattr(probes, name) for name in Probes.__dataclass_fields__}


@pytest.mark.parametrize(
    ("code", "flaw"),
    [
        pytest.param("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal 11", id="segfault"),
        pytest.param("raise MemoryError", "exit status 1", id="out of memory"),
        pytest.param("print('no JSON')", "told nothing", id="no answer"),
        pytest.param("pass", "told nothing", id="silence"),
    ],
)
def test_a_probe_that_fails_is_a_flaw_and_is_not_repeated(probe: Probe, code: str, flaw: str) -> None:
    told = probe(f"import sys\nif sys.argv[1].endswith('new'): {code}\nelse: {SAY}")
    assert flaw in told["candidate"].flaw
    assert told["candidate"].text_sha256 == ()
    assert len(told["champion"].text_sha256) == 3, "the control"


def test_a_process_of_a_probe_has_no_secret_and_no_setting(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TNG_STRIPE_SECRET", "no probe may have it")
    probe(f"{SAY}; open({str(tmp_path / 'environment')!r}, 'w').write(json.dumps(dict(os.environ)))")
    environment = json.loads((tmp_path / "environment").read_text())
    allowed = {
        "PATH",
        "LANG",
        "LD_LIBRARY_PATH",
        "CUDA_VISIBLE_DEVICES",
        "NVIDIA_VISIBLE_DEVICES",
        "PYTHONPATH",
        "HOME",
    }
    assert set(environment) <= {*allowed, "XDG_CACHE_HOME", "LC_CTYPE"}
    assert not Path(environment["HOME"]).exists(), "its home is gone"


def test_without_a_champion_only_the_candidate_is_probed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(probing, "PROBE", ("-c", SAY))
    assert set(probe_in_turns(None, tmp_path)) == {"candidate"}


def test_the_quickest_run_of_single_tokens_is_timed() -> None:
    network = TimedNetwork(OneTokenNetwork(10, 3))
    network.feed([1, 2, 3])
    assert network.tokens_a_second == 0
    for _ in range(RUN_TOKENS + 1):
        network.feed([3])
    assert network.tokens_a_second > 0
    assert network.position == RUN_TOKENS + 4
    network.rewind(2)
    assert (network.position, network.window) == (2, 448)


def test_a_header_begins_a_new_run() -> None:
    network = TimedNetwork(OneTokenNetwork(10, 3))
    for _ in range(4):
        network.feed([1, 2])
        for _ in range(RUN_TOKENS - 1):
            network.feed([3])
    assert network.tokens_a_second == 0


def test_the_peak_of_memory_is_that_of_the_process_not_of_the_one_that_started_it() -> None:
    """The mark of ``ru_maxrss`` is handed on to a child: a probe of a notebook would have the notebook's."""
    held = b"x" * 300_000_000
    code = "from model.promotion.probe import peak_bytes; print(peak_bytes())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert 10_000_000 < int(done.stdout) < len(held)
    assert peak_bytes() > len(held), "the control"
