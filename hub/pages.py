"""The handlers of a customer's server: its pages, the channels to their kernels, and what is said to everybody else.

A page is opened by its owner's browser, in a window, now: whoever looks ahead, asks for the head alone or wants it as a
part of another page starts no kernel.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, RedirectHandler, authenticated
from voila.request_info_handler import RequestInfoSocketHandler
from voila.static_file_handler import AllowListFileHandler, TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from hub.busy import NO_SUCH_PAGE, NOT_ALLOWED, OUR_SIDE, Notice, looks_ahead, page
from hub.channel import V1
from hub.kernels import TICKET, HouseKernels

VISIT_KEY: Final = "TNG_VISIT_KEY"
"""The variable of a warm kernel with the secret that asks for its page's address (``tng.dashboard.request``)."""

WINDOWS: Final = ("", "document", "empty")
"""What a page may be fetched for (w3.org/TR/fetch-metadata): a window, or a script's own fetch; no frame, no image."""

STYLES: Final = frozenset({"tng", "lab", "base"})


class HousePage(JupyterHandler):
    """A page whose refusals are in the house's look."""

    @property
    def kernels(self) -> HouseKernels:
        """The kernels of this server."""
        return cast(HouseKernels, self.kernel_manager)

    def refuse(self, notice: Notice) -> None:
        """Say why not, and when it is worth another try. Nothing of the answer is kept anywhere."""
        self.set_status(notice.status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        if notice.retry_seconds:
            self.set_header("Retry-After", str(notice.retry_seconds))
        again = self.request.uri if notice.retry_seconds else self.base_url
        self.finish(page(notice, self.settings["house"], again=again or self.base_url))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What went wrong, as a sentence; never what was asked for."""
        known = {404: NO_SUCH_PAGE, 403: NOT_ALLOWED}
        self.refuse(known.get(status_code, Notice(OUR_SIDE.title, OUR_SIDE.sentence, 0, status=status_code)))


class DeskPage(HousePage, TornadoVoilaHandler):  # type: ignore[misc]
    """One of the owner's pages: a kernel each, if there is a place for it."""

    gave_up = False

    @authenticated
    async def get(self) -> None:
        """Open the page."""
        if looks_ahead(self.request.headers):
            self.set_header("Cache-Control", "no-store")
            raise HTTPError(503)
        if self.request.headers.get("Sec-Fetch-Dest", "") not in WINDOWS:
            raise HTTPError(403)
        admitted = await self.kernels.admit(self.notebook_path)
        if isinstance(admitted, Notice):
            self.refuse(admitted)
            return
        self.kernels.touch()
        for name in ("template", "theme"):  # Voilà would start another kernel for these, and then ignore them
            self.request.arguments.pop(name, None)
        reset = TICKET.set(admitted)
        try:
            if not self.gave_up:
                await TornadoVoilaHandler.get(self)
        finally:
            TICKET.reset(reset)
            admitted.close()
            if self.gave_up and admitted.kernel_id in self.kernels.pages:
                await self.kernels.shutdown_kernel(admitted.kernel_id)

    def on_connection_close(self) -> None:
        """The browser went away, or loads the page again, before this one was there: nobody will see it."""
        self.gave_up = True
        super().on_connection_close()


class NoPage(HousePage):
    """Every other address."""

    @authenticated
    async def get(self) -> None:
        """There is nothing here."""
        raise HTTPError(404)

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here that a forged request could want."""

    async def post(self) -> None:
        """There is nothing here."""
        raise HTTPError(404)

    put = patch = delete = post


class PageChannel(VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """The channel between a page and its kernel, for the owner: the spare is nobody's yet."""

    async def pre_get(self) -> None:
        """Open it, if the kernel is a page's. Raises HTTPError 404 otherwise."""
        if self.kernel_id not in self.kernel_manager.pages:
            raise HTTPError(404)
        await super().pre_get()

    def write_message(self, message: bytes | str | dict[str, Any], binary: bool = False) -> Any:
        """Pass on what the kernel says.

        Voilà's own takes all bytes for the newer protocol. In the older one's it would count to a number that does not
        end, and a page may choose the older one.
        """
        if isinstance(message, bytes) and self.selected_subprotocol != V1:
            return super(VoilaKernelWebsocketHandler, self).write_message(message, binary)
        return super().write_message(message, binary)


class VisitTeller(RequestInfoSocketHandler):  # type: ignore[misc]
    """Tells a warm kernel which address its page was opened at. It answers the kernels of this server, and nobody else.

    Voilà's own answers everybody who knows the kernel's id, and the id is in the page.
    """

    def initialize(self, key: str) -> None:
        """``key`` is the secret that the kernels were given."""
        self._key = key

    def prepare(self) -> None:
        """Turn away whoever is none of our kernels. Raises HTTPError 404."""
        given = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
        proxied = any(name.lower().startswith("x-forwarded-") for name in self.request.headers)
        here = self.request.remote_ip in ("127.0.0.1", "::1")
        if proxied or not here or not hmac.compare_digest(given.encode(), self._key.encode()):
            raise HTTPError(404)

    def on_message(self, message: str | bytes) -> None:
        """A kernel says nothing here."""
        self.close()

    def on_close(self) -> None:
        """Forget who waited."""
        waiting = RequestInfoSocketHandler._waiters
        for kernel_id in [key for key, waiter in waiting.items() if waiter is self]:
            del waiting[kernel_id]


class StyleFiles(TemplateStaticFileHandler):  # type: ignore[misc]
    """The files of the templates that our page is made of; no others, and no error where an address is none."""

    def parse_url_path(self, url_path: str) -> str:
        """The file's path. Raises HTTPError 404 where it is not below the static files of a template of ours."""
        style, _, rest = url_path.partition("/")
        if style not in STYLES or not rest.startswith("static/") or ".." in rest.split("/"):
            raise HTTPError(404)
        path: str = super().parse_url_path(url_path)
        return path


def house_handlers(
    of_voila: Iterable[tuple[Any, ...]], pages: Mapping[str, dict[str, Any]], *, base: str, key: str
) -> list[tuple[Any, ...]]:
    """All handlers of a server: Voilà's, some of them ours instead; the pages by path below ``base``; and the rest.

    ``pages`` holds for each path what Voilà's page handler is given. No file of the home folder is served.
    """
    ours = {VoilaKernelWebsocketHandler: PageChannel, TemplateStaticFileHandler: StyleFiles}
    dropped = (TornadoVoilaHandler, AllowListFileHandler, RequestInfoSocketHandler)
    kept = [(route, ours.get(handler, handler), *rest) for route, handler, *rest in of_voila if handler not in dropped]
    visits = (rf"{re.escape(base)}voila/query/(?P<kernel_id>[\w-]+)", VisitTeller, {"key": key})
    opened = [(rf"{re.escape(base)}{re.escape(path)}/?", DeskPage, told) for path, told in pages.items()]
    # the cookie of the sign-in is for what is below ``base``: without its last slash nobody would ever be signed in
    bare = (re.escape(base.rstrip("/")), RedirectHandler, {"url": base, "permanent": False})
    return [bare, *kept, visits, *opened, (r".*", NoPage)]
