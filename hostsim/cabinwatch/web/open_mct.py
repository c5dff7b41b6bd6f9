"""What Open MCT asks of us: a dictionary of what is measured, its history over HTTP, and what comes, over a WebSocket.

Times are the cabin's own, in ms from its start. `open_mct.html` is the page that shows them in Open MCT.
"""

import asyncio
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse

from cabinwatch.text import shown
from cabinwatch.web.engine import Engine

PAGE = Path(__file__).with_name("open_mct.html")
POINTS = 2000
"""Stretches of a history whose extremes are sent: about one a pixel of a wide screen."""
LOOK_S = 0.25


def dictionary(engine: Engine) -> dict[str, Any]:
    """What is measured: key, name and unit of each channel."""
    measured = []
    for key, title in engine.source.channels.items():
        name, _, unit = title.rpartition(", ")
        measured.append({"key": key, "name": name, "unit": unit})
    return {"name": shown(engine.source.title), "measurements": measured}


def history(engine: Engine, channel: str, start_ms: float, end_ms: float) -> list[dict[str, float]]:
    """The values of a channel in a window, extremes kept; what is not known is left out."""
    window = engine.columns.window(channel, start_ms / 1000, end_ms / 1000, POINTS)
    return [
        {"utc": t_s * 1000, "value": value}
        for t_s, value in window
        if value is not None and start_ms <= t_s * 1000 <= end_ms
    ]


def router(engine: Engine) -> APIRouter:
    """The routes under /openmct."""
    routes = APIRouter(prefix="/openmct")

    @routes.get("/")
    def page() -> FileResponse:
        return FileResponse(PAGE, media_type="text/html")

    @routes.get("/dictionary")
    def told() -> dict[str, Any]:
        return dictionary(engine)

    @routes.get("/history/{channel}")
    def past(channel: str, start: float = 0.0, end: float = math.inf) -> list[dict[str, float]]:
        if channel not in engine.source.channels:
            raise HTTPException(404, f"no channel {channel!r}: {', '.join(engine.source.channels)}")
        return history(engine, channel, start, end)

    @routes.websocket("/realtime")
    async def now(socket: WebSocket) -> None:
        await socket.accept()
        last_s = engine.state.now_s
        gone = asyncio.ensure_future(_gone(socket))
        while not gone.done():
            for t_s, values in engine.columns.since(last_s):
                known = {
                    k: v for k, v in zip(engine.source.channels, values, strict=True) if math.isfinite(v)
                }
                with suppress(WebSocketDisconnect, RuntimeError):  # it went while we were speaking
                    await socket.send_json({"utc": t_s * 1000, **known})
                last_s = t_s
            await asyncio.wait({gone}, timeout=LOOK_S)

    return routes


async def _gone(socket: WebSocket) -> None:
    """Wait until the other side is gone; what it says is nothing to us."""
    async for _ in socket.iter_text():
        pass
