"""Who may reach the page: pure ASGI, so that it stands before WebSockets as well.

Bound to loopback, a page answers only to its own name (a foreign page that a browser is shown has another Host or
Origin). On another address it wants the token that the command printed, once, and keeps it in a cookie.
"""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "cabinwatch_token"


class Guard:
    """``hosts``: the names, with port, by which the page may be called; ``token``: what a stranger has to know."""

    def __init__(self, app: App, hosts: frozenset[str], token: str | None = None) -> None:
        self._app = app
        self._hosts = hosts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed; answer 403, or close the socket, where it is not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        origin = headers.get("origin")
        if headers.get("host") not in self._hosts or (origin and urlsplit(origin).netloc not in self._hosts):
            await _refuse(scope, send, "this page answers only to its own address")
        elif self._token is None or self._knows(self._token, headers):
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and self._shown(self._token, scope):
            await _redirect(scope, send, self._token)
        else:
            await _refuse(scope, send, "open the address that `cabinwatch serve` printed, with its token")

    def _knows(self, token: str, headers: dict[str, str]) -> bool:
        cookies = SimpleCookie(headers.get("cookie", ""))
        return COOKIE in cookies and hmac.compare_digest(cookies[COOKIE].value, token)

    def _shown(self, token: str, scope: Scope) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return hmac.compare_digest(given, token)


async def _refuse(scope: Scope, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": f"{why}\n".encode()})


async def _redirect(scope: Scope, send: Send, token: str) -> None:
    cookie = f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/".encode()
    headers = [(b"location", scope["path"].encode()), (b"set-cookie", cookie)]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
