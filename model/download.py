"""Fetch OpenAI's GPT-2 checkpoints: with resume, checked, whole or absent. It needs the network, and says so without.

A file is fetched beside its name (``.part``); what is there already is asked for no more, as long as the server's
file is the same (RFC 9110, ranges under If-Range). What is checked: the length; the MD5 that the server states (RFC
1864), where it does; the sha256 of the vocabulary, which is the same for all sizes and known; and, when all is there,
each weight's own checksum and the loss on a page of text (see ``model.foreign``).
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from model.foreign import CheckpointFacts, import_base
from tng.errors import DownloadError
from tng.releases import digest

logger = logging.getLogger(__name__)

SIZES: Final = ("124M", "355M", "774M", "1558M")
SOURCE: Final = "https://openaipublic.blob.core.windows.net/gpt-2/models"
"""Where OpenAI publishes them; gpt-2-simple's ``download_gpt2`` takes them from there too."""

FILES: Final = (
    "checkpoint",
    "hparams.json",
    "encoder.json",
    "vocab.bpe",
    "model.ckpt.index",
    "model.ckpt.data-00000-of-00001",
)
KNOWN_SHA256: Final = {
    "encoder.json": "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
    "vocab.bpe": "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
}
"""As tiktoken's source pins them."""

CHUNK_BYTES: Final = 1 << 20
Report = Callable[[str, int, int], None]
"""Told now and then: the file's name, how many bytes of it are there, and how many there will be (0: not said)."""


def download(size: str, folder: Path, *, source: str = SOURCE, report: Report = lambda *_: None) -> CheckpointFacts:
    """Fetch a size and keep it as the base ``folder``. Called again after a failure it goes on where it stopped.

    Raises DownloadError where it cannot be fetched or is not what it should be, CheckpointError where ``folder``
    holds another checkpoint.
    """
    if size not in SIZES:
        raise DownloadError(f"there is no size {size!r}; choose one of: {', '.join(SIZES)}")
    waiting = folder.with_name(folder.name + ".download")
    waiting.mkdir(parents=True, exist_ok=True)
    with httpx.Client(timeout=30, follow_redirects=False) as client:
        for name in FILES:
            if not (waiting / name).is_file():
                _fetch(client, f"{source}/{size}/{name}", waiting / name, report)
    try:
        return import_base(waiting, folder)
    finally:
        shutil.rmtree(waiting)  # what does not pass is not gone on with either


def _fetch(client: httpx.Client, url: str, path: Path, report: Report) -> None:
    part, tag_file = path.with_name(path.name + ".part"), path.with_name(path.name + ".tag")
    start = part.stat().st_size if part.is_file() and tag_file.is_file() else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": tag_file.read_text(encoding="ascii")}
    try:
        with client.stream("GET", url, headers=headers) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink()
                raise DownloadError(f"{path.name}: what was fetched before does not fit; run the command again")
            if answer.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
                raise DownloadError(f"{url} answered {answer.status_code}; it is not to be had there")
            start = start if answer.status_code == httpx.codes.PARTIAL_CONTENT else 0
            _keep(answer, part, tag_file, start, report)
            stated_md5 = answer.headers.get("Content-MD5", "")
            whole = start + int(answer.headers.get("Content-Length", 0))
    except httpx.HTTPError as error:
        raise DownloadError(
            f"{path.name} could not be fetched ({type(error).__name__}): this machine may not reach {url}. "
            "Fetch the folder elsewhere and use `tng model import PATH`; or run the command again to go on"
        ) from error
    except OSError as error:
        raise DownloadError(f"{path.name} could not be written ({error.strerror}); is the disk full?") from error
    _check(part, path.name, whole, stated_md5)
    part.replace(path)
    tag_file.unlink(missing_ok=True)


def _keep(answer: httpx.Response, part: Path, tag_file: Path, start: int, report: Report) -> None:
    """Write what comes below what is there. Without a strong tag of the server's nothing can be gone on with."""
    tag = answer.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        tag_file.write_text(tag, encoding="ascii")
    else:
        tag_file.unlink(missing_ok=True)
    total = start + int(answer.headers.get("Content-Length", 0))
    with part.open("ab" if start else "wb") as file:
        file.truncate(start)
        done = start
        for chunk in answer.iter_bytes(CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            report(part.stem, done, total)


def _check(part: Path, name: str, whole: int, stated_md5: str) -> None:
    """Hold a file against all that is known of it. What does not fit is removed, so that the next try begins anew."""
    found = part.stat().st_size
    fault = ""
    if whole and found != whole:
        raise DownloadError(f"{name} was cut short at {found:,} of {whole:,} bytes; run the command again to go on")
    if stated_md5 and _md5(part) != stated_md5:
        fault = "the MD5 that the server states"
    elif name in KNOWN_SHA256 and digest(part) != KNOWN_SHA256[name]:
        fault = "the sha256 that it must have"
    elif name.endswith(".json") and not _is_json(part):
        fault = "what it should be: it is no JSON, perhaps a page of a proxy"
    if fault:
        part.unlink()
        raise DownloadError(f"{name} differs from {fault}; it was thrown away, run the command again")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return base64.b64encode(hashlib.file_digest(file, "md5").digest()).decode("ascii")


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


__all__ = ["FILES", "SIZES", "SOURCE", "download"]
