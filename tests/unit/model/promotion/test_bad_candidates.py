"""No bad candidate is promoted, each for its own reason, and a truly better one is. With real networks and releases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.promotion import checks, probing
from model.promotion.evaluation import Question, evaluate, read_evaluation
from model.promotion.verdict import Verdict
from model.quality.texts import training_episodes
from model.tokenizer import ENCODER_FILE
from tests.unit.model.promotion.conftest import Lab, asked, failed, gate, no_number, too_large, too_sure
from tng.errors import CorpusError, ReleaseMissing
from tng.releases import MANIFEST

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def _beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests run on the same cores: the limit of speed is tested by itself, in ``test_checks``.

    Each release is probed as often as it takes to see that it repeats itself; a third time tells no more here.
    """
    monkeypatch.setattr(probing, "ROUNDS", 2)
    monkeypatch.setattr(checks, "LEAST_SPEED", 0.2)


def reason(verdict: Verdict, name: str) -> str:
    (check,) = (check for check in verdict.checks if check.name == name)
    assert check.passed is False
    assert not verdict.promote
    assert any(said.startswith(name) for said in verdict.reasons)
    return check.sentence


def test_a_truly_better_candidate_is_promoted(releases: Lab, question: Question, tmp_path: Path) -> None:
    champion = releases.with_weights("sure", "full", too_sure)
    verdict = gate(releases.release("full"), champion, question, tmp_path)
    assert failed(verdict) == []
    assert verdict.promote
    assert [check.passed for check in verdict.checks].count(None) == 1, "copying is not judged of our own text"
    assert len(verdict.to_fields()["samples"]) == 3
    assert verdict.to_fields()["canary"]["copied_most_words"] is None


def test_a_worse_candidate_is_not_better_on_held_out_text(releases: Lab, question: Question, tmp_path: Path) -> None:
    verdict = gate(releases.release("half"), releases.release("full"), question, tmp_path)
    assert reason(verdict, "perplexity").startswith("Not surely better")


def test_an_equal_candidate_is_not_better_and_nothing_else_is_wrong(
    releases: Lab, question: Question, tmp_path: Path
) -> None:
    verdict = gate(releases.copy("again", of="full"), releases.release("full"), question, tmp_path)
    assert failed(verdict) == ["perplexity"]
    assert "1.0000 of the champion's perplexity (95 % interval 1.0000 to 1.0000" in reason(verdict, "perplexity")


def test_weights_that_are_no_numbers_are_a_flaw_of_the_files(releases: Lab, question: Question, tmp_path: Path) -> None:
    candidate = releases.with_weights("nan", "full", no_number)
    verdict = gate(candidate, releases.release("half"), question, tmp_path)
    assert "h0/mlp/c_fc/w holds NaN" in reason(verdict, "files")
    assert "not measured" in reason(verdict, "perplexity")


def test_a_perplexity_that_is_no_number_is_refused_as_such(releases: Lab, question: Question, tmp_path: Path) -> None:
    candidate = releases.with_weights("large", "full", too_large)
    verdict = gate(candidate, releases.release("half"), question, tmp_path)
    assert verdict.checks[0].passed, "its files are whole"
    assert "perplexity" in failed(verdict)
    assert not verdict.promote
    assert not verdict.trial.candidate.is_sound


def test_a_parrot_fails_by_copying_where_the_corpus_is_not_ours(releases: Lab, tmp_path: Path) -> None:
    question = asked(releases.corpus("theirs"))
    verdict = gate(releases.release("parrot"), releases.release("full"), question, tmp_path)
    assert "share at most 50 words" in reason(verdict, "copying")
    assert verdict.to_fields()["canary"]["copied_most_words"] == 50
    words = " ".join(record.scene for episode in training_episodes(question.corpus) for record in episode)
    shown = [sample["candidate"] for sample in verdict.to_fields()["samples"]]
    assert any(text.startswith("(withheld") for text in shown), "the control: it did recite"
    said = [line.partition(": ")[2] for text in shown for line in text.splitlines() if len(line.split()) > 50]
    assert not [line for line in said if line in words]


@pytest.mark.parametrize("file", ["model-*.data-00000-of-00001", "serving.onnx", "encoder.json", "meta.json", MANIFEST])
def test_a_file_that_is_cut_short_is_damage_and_nothing_crashes(
    releases: Lab, question: Question, tmp_path: Path, file: str
) -> None:
    candidate = releases.copy("cut", of="full")
    (path,) = candidate.glob(file)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    verdict = gate(candidate, releases.release("half"), question, tmp_path)
    assert "damaged" in reason(verdict, "files")
    assert len(verdict.checks) == 8
    assert all(check.sentence.startswith("not measured") for check in verdict.checks[1:])


def test_a_wrong_vocabulary_is_damage(releases: Lab, question: Question, tmp_path: Path) -> None:
    """Of another corpus, whose merges are others; and with a token more than the network has."""
    others = (releases.corpus("theirs").folder / ENCODER_FILE).read_bytes()
    more = json.dumps(json.loads((releases.release("full") / ENCODER_FILE).read_bytes()) | {"more": 800}).encode()
    for name, encoder, said in (("other", others, "tokenizer"), ("more", more, "vocabulary")):
        candidate = releases.with_file(name, "full", ENCODER_FILE, encoder)
        assert said in reason(gate(candidate, releases.release("half"), question, tmp_path / name), "files")


def test_a_release_without_its_export_is_not_whole(releases: Lab, question: Question, tmp_path: Path) -> None:
    candidate = releases.with_file("bare", "full", "serving.onnx", b"")
    assert "serving.onnx" in reason(gate(candidate, releases.release("half"), question, tmp_path), "files")


def test_a_champion_that_is_damaged_lets_nobody_pass_and_the_checks_say_so(
    releases: Lab, question: Question, tmp_path: Path
) -> None:
    champion = releases.copy("old", of="half")
    (champion / "words.txt").write_text("", encoding="utf-8")
    verdict = gate(releases.release("full"), champion, question, tmp_path)
    assert "the champion could not read" in reason(verdict, "perplexity")
    assert verdict.checks[0].passed


def test_a_probe_that_dies_is_a_failed_check_and_the_rest_is_not_tried(
    releases: Lab, question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process of the candidate is ended as the kernel ends one that takes too much memory."""
    code = "import os, signal, sys; sys.argv[1].endswith('full') and os.kill(os.getpid(), signal.SIGKILL); "
    code += "from model.promotion.probe import main; main()"
    monkeypatch.setattr(probing, "PROBE", ("-c", code))
    verdict = gate(releases.release("full"), releases.release("half"), question, tmp_path)
    assert "signal 9" in reason(verdict, "loads and repeats")
    assert verdict.trial.candidate.samples.each == ()


def test_a_candidate_that_does_not_come_to_an_end_is_read_and_not_written_with(
    releases: Lab, question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys, time; sys.argv[1].endswith('full') and time.sleep(60); "
    code += "from model.promotion.probe import main; main()"
    monkeypatch.setattr(probing, "PROBE", ("-c", code))
    monkeypatch.setattr(probing, "LEAST_SECONDS", 1.0)
    monkeypatch.setattr(probing, "TIMES_THE_CHAMPION", 0)
    verdict = gate(releases.release("full"), releases.release("half"), question, tmp_path)
    assert "after 1 s" in reason(verdict, "loads and repeats")
    assert failed(verdict)[0] == "format"
    assert verdict.checks[1].passed, "how surprised it is can be asked all the same"


def test_another_corpus_or_another_show_is_refused_with_a_sentence(releases: Lab, tmp_path: Path) -> None:
    strange = asked(releases.corpus("theirs"))
    with pytest.raises(CorpusError, match="full was not trained on the corpus in theirs"):
        gate(releases.release("full"), releases.release("half"), strange, tmp_path)
    show = (releases.release("half") / "show.toml").read_text(encoding="utf-8")
    other = releases.with_file("lantern", "half", "show.toml", show.replace('id = "tng"', 'id = "lantern"').encode())
    with pytest.raises(CorpusError, match="they cannot be compared"):
        gate(releases.release("full"), other, asked(releases.corpus()), tmp_path)


def test_no_candidate_is_no_evaluation(releases: Lab, question: Question, tmp_path: Path) -> None:
    with pytest.raises(ReleaseMissing):
        evaluate(tmp_path / "nothing", releases.release("half"), question, tmp_path, lambda _percent: None)
    with pytest.raises(CorpusError, match="no evaluation"):
        read_evaluation(tmp_path / "evaluation.json")


def test_an_attempt_that_was_ended_is_gone_on_with(
    releases: Lab, question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended in the middle of the candidate: the champion's part is taken, and what is judged is the same."""
    told: list[int] = []

    def end(percent: int) -> None:
        told.append(percent)
        if percent > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(releases.release("full"), releases.release("half"), question, tmp_path, end)
    assert not (tmp_path / "evaluation.json").exists()
    again: list[int] = []
    trial = evaluate(releases.release("full"), releases.release("half"), question, tmp_path, again.append)
    assert len(again) == question.samples, "only the candidate wrote"
    monkeypatch.setattr(probing, "PROBE", ("-c", "raise SystemExit(1)"))
    assert evaluate(releases.release("full"), releases.release("half"), question, tmp_path, again.append) == trial
