"""`cabinwatch serve`: a source, its engine and the pages, bound to loopback unless a token guards them."""

import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from fastapi import Response
from nicegui import app, ui

from cabinwatch.errors import SetupError
from cabinwatch.text import shown
from cabinwatch.web import open_mct
from cabinwatch.web.engine import Engine
from cabinwatch.web.guard import Guard
from cabinwatch.web.judge_page import Desk, JudgePage
from cabinwatch.web.judging import Found
from cabinwatch.web.page import Page
from cabinwatch.web.sources import Played, Source

LOOPBACK = "127.0.0.1"
LEAVE_s = 2
"""How long viewers that hold a connection may take to let go of it, once the server is to end."""

LOST_s = 10.0
"""How long a viewer may be out of touch before its page is dropped. A ping goes out after 0.8 of it and may take 0.4: a
busy machine, or a browser's, is slower than the 2 s that NiceGUI would allow."""


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens already, so that the address can be told at once; port 0 takes a free one.

    Raises SetupError where the port is taken.
    """
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise SetupError(
            f"cannot serve on {host}:{port}: {error.strerror}; --port 0 takes a free one"
        ) from None


@dataclass(frozen=True)
class Show:
    """What is played on one page."""

    engine: Engine
    target: str
    seed: int


class House:
    """All that one server shows: what the command line named is number 0, what a campaign found comes after it."""

    def __init__(self, first: Show, speed: float, judge: str = "") -> None:
        self.shows = [first]
        self.desk = Desk(judge)
        self._speed = speed

    def start(self) -> None:
        """Begin to play."""
        self.shows[0].engine.start()

    def stop(self) -> None:
        """Stop all that plays or judges."""
        self.desk.stop()
        for show in self.shows:
            show.engine.stop()

    def play(self, found: Found) -> str:
        """Play what a campaign found; returns where it is to be seen."""
        engine = Engine(Played(found.scenario, seed=found.seed), self._speed)
        engine.start()
        self.shows.append(Show(engine, "cpython", found.seed))
        return f"/?show={len(self.shows) - 1}"

    def show(self, number: int) -> Show:
        """The show of that number; the first for one that there is not."""
        return self.shows[number if 0 <= number < len(self.shows) else 0]


def _pages(house: House) -> None:
    """Mount the pages, and what is taken away from them."""

    @ui.page("/", title=shown(house.shows[0].engine.source.title))
    def page(show: int = 0) -> None:
        one = house.show(show)
        Page(one.engine, show).build()

    @ui.page("/judge", title="cabinwatch judges")
    def judge() -> None:
        JudgePage(house.desk, house.play).build()

    @app.get("/story.toml")
    def story(show: int = 0) -> Response:
        one = house.show(show)
        try:
            text, sha256 = one.engine.story()
        except ValueError as error:
            return Response(f"{error}\n", status_code=404, media_type="text/plain")
        head = {"Content-Disposition": 'attachment; filename="story.toml"', "X-Transcript-SHA256": sha256}
        again = f"# cabinwatch run story.toml --seed {one.seed} --target {one.target}"
        if isinstance(one.engine.source, Played) and one.engine.source.session.keyed:
            again += " --key FILE\n"  # its sessions, and so its octets, are those of the story as it is now
        else:
            again += f"\n# transcript {sha256}\n"
        return Response(again + text, media_type="application/toml", headers=head)

    @app.get("/test_story.py")
    def as_test(show: int = 0) -> Response:
        engine = house.show(show).engine
        if not isinstance(engine.source, Played):
            return Response("only a scenario that is played has a story\n", status_code=404)
        head = {"Content-Disposition": 'attachment; filename="test_story.py"'}
        try:
            text = engine.order(engine.source.session.as_test)
        except ValueError as error:
            return Response(f"{error}\n", status_code=404, media_type="text/plain")
        return Response(text, media_type="text/x-python", headers=head)


def _open_mct(house: House, folder: Path | None) -> None:
    """Answer Open MCT; with its ``folder`` (``node_modules/openmct``) show it, too. Raises SetupError."""
    app.include_router(open_mct.router(house.shows[0].engine))
    if folder is None:
        return
    if not (folder / "dist" / "openmct.js").is_file():
        raise SetupError(
            f"no Open MCT in {shown(str(folder))}: npm install openmct@4, then node_modules/openmct"
        )
    app.add_static_files("/openmct/lib", folder)


def token_for(host: str, signs: bool) -> str | None:
    """What a browser has to know; None where whoever is on this machine may do what the page does."""
    return None if host == LOOPBACK and not signs else secrets.token_urlsafe(24)


def serve(
    source: Source,
    *,
    target: str,
    seed: int,
    host: str,
    port: int,
    browser: bool,
    speed: float,
    judge: str = "",
    openmct: Path | None = None,
    signs: bool = False,
) -> None:
    """Serve ``source`` until Ctrl-C; ``judge``: a node to judge; ``openmct``: where Open MCT is.

    ``signs``: the page commands a board with its owner's key, which the other users of this machine do not have.

    Raises SetupError where the port is taken, or Open MCT is not there.
    """
    sock = listener(host, port)
    port = int(sock.getsockname()[1])
    token = token_for(host, signs)
    names = {f"{host}:{port}", f"localhost:{port}"} if host == LOOPBACK else {f"{host}:{port}"}
    app.add_middleware(Guard, hosts=frozenset(names), token=token)
    house = House(Show(Engine(source, speed), target, seed), speed, judge)
    app.on_startup(house.start)
    app.on_shutdown(house.stop)
    _pages(house)
    _open_mct(house, openmct)
    path = f"/?token={token}" if token else "/"
    url = f"http://{host}:{port}{path}"
    app.on_startup(lambda: print(f"{shown(source.title)}: {url}  (Ctrl-C ends it)", flush=True))
    ui.run(
        host=host, port=port, show=browser and path, reload=False, title="cabinwatch", show_welcome_message=False,
        uvicorn_logging_level="error", dark=None, fd=sock.fileno(), timeout_graceful_shutdown=LEAVE_s,
        reconnect_timeout=LOST_s,
    )  # fmt: skip
