"""The guard lets its own pages in, and nobody else's."""

import asyncio

import pytest

from cabinwatch.web.guard import COOKIE, Guard
from cabinwatch.web.serve import token_for

HOSTS = frozenset({"127.0.0.1:8000", "localhost:8000"})


def answer(guard_token, headers, kind="http", query=b""):
    """What became of a request: "passed", or the first message that was sent."""
    sent = []
    passed = []

    async def app(scope, receive, send):
        passed.append(True)

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind, "path": "/", "query_string": query,
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    asyncio.run(Guard(app, HOSTS, guard_token)(scope, None, send))
    return "passed" if passed else sent[0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"host": "127.0.0.1:8000"}, True),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, True),
        ({"host": "evil.example:8000"}, False),
        ({"host": "127.0.0.1:8000", "origin": "http://evil.example"}, False),
        ({"host": "127.0.0.1:8000", "origin": "null"}, False),
        ({}, False),
    ],
)
def test_only_its_own_name_and_origin(kind, headers, passes):
    got = answer(None, headers, kind)
    assert (got == "passed") is passes
    if not passes:
        assert got.get("status", got.get("code")) in (403, 1008)


def test_a_token_is_shown_once_and_then_is_a_cookie():
    host = {"host": "127.0.0.1:8000"}
    assert answer("secret", host)["status"] == 403
    assert answer("secret", host, query=b"token=wrong")["status"] == 403
    first = answer("secret", host, query=b"token=secret")
    assert first["status"] == 303
    cookie = dict(first["headers"])[b"set-cookie"].decode()
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert answer("secret", {**host, "cookie": f"{COOKIE}=secret"}) == "passed"
    assert answer("secret", {**host, "cookie": f"{COOKIE}=secret"}, "websocket") == "passed"
    assert answer("secret", {**host, "cookie": f"{COOKIE}=other"}, "websocket")["code"] == 1008


def test_a_page_that_signs_or_is_seen_from_elsewhere_has_a_token_of_its_own():
    assert token_for("127.0.0.1", signs=False) is None
    signing = {token_for("127.0.0.1", signs=True) for _ in range(2)}
    assert len(signing | {token_for("0.0.0.0", signs=False)}) == 3
    assert all(len(token) >= 32 for token in signing)
