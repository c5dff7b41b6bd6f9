"""`cabinwatch serve`: a source, its engine, and the page in a browser, bound to loopback unless a token guards it."""

import secrets
import socket

from fastapi import Response
from nicegui import app, ui

from cabinwatch.errors import SetupError
from cabinwatch.text import shown
from cabinwatch.web.engine import Engine
from cabinwatch.web.guard import Guard
from cabinwatch.web.page import Page
from cabinwatch.web.sources import Played, Source

LOOPBACK = "127.0.0.1"


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


def serve(
    source: Source, *, target: str, seed: int, host: str, port: int, browser: bool, speed: float
) -> None:
    """Serve ``source`` until Ctrl-C. Raises SetupError where the port is taken."""
    sock = listener(host, port)
    port = int(sock.getsockname()[1])
    token = None if host == LOOPBACK else secrets.token_urlsafe(24)
    names = {f"{host}:{port}", f"localhost:{port}"} if host == LOOPBACK else {f"{host}:{port}"}
    app.add_middleware(Guard, hosts=frozenset(names), token=token)
    engine = Engine(source, speed)
    app.on_startup(engine.start)
    app.on_shutdown(engine.stop)

    @ui.page("/", title=shown(source.title))
    def page() -> None:
        Page(engine, target, seed).build()

    @app.get("/story.toml")
    def story() -> Response:
        try:
            text, sha256 = engine.story()
        except ValueError as error:
            return Response(f"{error}\n", status_code=404, media_type="text/plain")
        head = {"Content-Disposition": 'attachment; filename="story.toml"', "X-Transcript-SHA256": sha256}
        again = f"# cabinwatch run story.toml --seed {seed} --target {target}\n# transcript {sha256}\n"
        return Response(again + text, media_type="application/toml", headers=head)

    @app.get("/test_story.py")
    def as_test() -> Response:
        if not isinstance(source, Played):
            return Response("only a scenario that is played has a story\n", status_code=404)
        head = {"Content-Disposition": 'attachment; filename="test_story.py"'}
        return Response(engine.order(source.session.as_test), media_type="text/x-python", headers=head)

    url = f"http://{host}:{port}/" + (f"?token={token}" if token else "")
    app.on_startup(lambda: print(f"{shown(source.title)}: {url}  (Ctrl-C ends it)", flush=True))
    ui.run(
        host=host, port=port, show=browser, reload=False, title="cabinwatch", show_welcome_message=False,
        uvicorn_logging_level="error", dark=None, fd=sock.fileno(),
    )  # fmt: skip
