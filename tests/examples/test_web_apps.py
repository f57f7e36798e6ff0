"""The web apps of the examples, on servers with several processes that are killed."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from support.docs_pages import ROOT, blocks_of
from support.servers import celery
from support.servers.answers import Answers, Told, ask_twice
from support.servers.process import LISTENING, Server, running
from support.waiting import LONG

from iprog_async.sandbox import Fault, Sandbox


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="gunicorn and Celery need fork"),
]

_WEB = ROOT / "examples" / "web"
_UVICORN = ["--workers", "3", "--port", "0"]
_GUNICORN = ["--bind", "127.0.0.1:0", "--workers", "3", "--timeout", str(LONG)]
_SERVERS = {
    "FastAPI": ["uvicorn", "fastapi_app:app", *_UVICORN],
    "Django under ASGI": ["uvicorn", "django_asgi:site", "--lifespan", "on", *_UVICORN],
    "Django under WSGI": ["gunicorn", "django_wsgi:site", *_GUNICORN, "--threads", "8"],
    "Flask, threads": ["gunicorn", "flask_app:create_app()", *_GUNICORN, "--threads", "8"],
    "Flask, preloaded": ["gunicorn", "flask_app:create_app()", *_GUNICORN, "--preload"],
}
_TEXTS = range(100, 160)  # the sandbox refuses the number that ends with 0001
_CALLERS = 12
_KILLS = 2

_STATES = {200: "sent", 202: "unknown", 503: "not sent"}


@pytest.mark.skipif(not (ROOT / "docs").exists(), reason="runs where the documentation is")
@pytest.mark.parametrize("program", sorted(_WEB.glob("*.py")), ids=lambda path: path.name)
def test_page_shows_the_programs(program: Path) -> None:
    """The guide has each program as it is in its file."""
    shown = {block.title: block.code for block in blocks_of(ROOT / "docs" / "web-apps.md")}
    assert program.read_text(encoding="utf-8") == shown[program.name]


@pytest.fixture
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where the journal is."""
    if request.param == "SQLite":
        return str(tmp_path / "texts.db")
    address: str = request.getfixturevalue("postgres_journal")
    return address


def _environment(journal: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_WEB), "TEXTS_JOURNAL": journal, "C_FORCE_ROOT": "1"}


def _asker(server: Server) -> httpx.AsyncClient:
    # A connection for each request: any worker may get it.
    headers = {"Connection": "close"}
    return httpx.AsyncClient(base_url=server.wait_for(LISTENING), timeout=LONG, headers=headers)


async def _until_ready(client: httpx.AsyncClient) -> None:
    """Wait until it answers at all."""
    while True:
        try:
            await client.get("/")
        except httpx.TransportError:
            await asyncio.sleep(0.05)
        else:
            return


def _texts(sandbox: Sandbox) -> Counter[str]:
    return Counter(f"{text.to} {text.text}" for text in sandbox.inbox)


_BOTH = ["SQLite", "PostgreSQL"]
_CASES = [
    *((kind, journal) for kind in ("FastAPI", "Flask, threads") for journal in _BOTH),
    *((kind, "SQLite") for kind in _SERVERS if kind not in ("FastAPI", "Flask, threads")),
]


@pytest.mark.parametrize(("kind", "journal"), _CASES, indirect=["journal"])
async def test_each_key_is_one_text(
    kind: str, journal: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Each text is asked for twice, of any worker, and workers are killed: none goes out twice."""
    sandbox.add_fault(Fault("POST /iprog/*", "delay", times=None, delay=0.02))
    environment = _environment(journal)
    with running(*_SERVERS[kind], directory=tmp_path, environment=environment) as server:
        async with _asker(server) as client:

            async def ask(number: int) -> Told:
                answer = await client.post(
                    f"/orders/{number}/shipped", params={"phone": f"0917{number:07}"}
                )
                assert answer.status_code in _STATES, server.told
                body = answer.json()
                if answer.status_code == 200:
                    return "sent", body["ref"]
                return ("unknown" if body["sent"] == "unknown" else "not sent"), None

            await _until_ready(client)
            moments = random.Random()  # noqa: S311 - moments, not secrets
            answers = await ask_twice(
                server, _TEXTS, ask, callers=_CALLERS, kills=_KILLS, moments=moments
            )
    answers.check(_TEXTS, _texts(sandbox), most_unknown=_KILLS * _CALLERS)


@pytest.mark.parametrize(
    "kind", ["FastAPI", "Django under ASGI", "Django under WSGI", "Flask, threads"]
)
async def test_each_end_has_its_status(kind: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """A repeat has the first answer, and what may be out is never an error."""
    environment = _environment(str(tmp_path / "texts.db"))
    with running(*_SERVERS[kind], directory=tmp_path, environment=environment) as server:
        async with _asker(server) as client:

            async def statuses(order: str, phone: str = "0917 123 4567") -> list[int]:
                asking = [
                    client.post(f"/orders/{order}/shipped", params={"phone": phone})
                    for _ in range(2)
                ]
                return [answer.status_code for answer in [await asked for asked in asking]]

            await _until_ready(client)
            assert [200, 200] == await statuses("1")
            assert [422, 422] == await statuses("2", "12")
            sandbox.add_fault(Fault("POST /iprog/*", "drop_after"))
            assert [202, 202] == await statuses("3")
            sandbox.add_fault(Fault("POST /iprog/*", "status", times=None, status=401, body=""))
            assert [503, 503] == await statuses("4")
            sandbox.clear_faults()
            assert [200, 200] == await statuses("4")
    assert [f"Order {order} has shipped." for order in (1, 3, 4)] == [
        text.text for text in sandbox.inbox
    ]


def _goes_on(sandbox: Sandbox) -> bool:
    """Return whether the other workers of Celery send more while one is stopped.

    They share locks, and one that is killed while it holds one never lets go of it.
    """
    enough, until = len(sandbox.inbox) + 4, time.monotonic() + 2
    while len(sandbox.inbox) < enough and time.monotonic() < until:
        time.sleep(0.01)
    return len(sandbox.inbox) >= enough


async def test_a_task_that_comes_again_is_one_text(sandbox: Sandbox, tmp_path: Path) -> None:
    """Tasks are there twice, and come again when their process is killed: each is one text."""
    sandbox.add_fault(Fault("POST /iprog/*", "delay", times=None, delay=0.05))
    environment = _environment(str(tmp_path / "texts.db"))
    numbers = [*_TEXTS, *_TEXTS]
    moments = random.Random()  # noqa: S311 - moments, not secrets
    moments.shuffle(numbers)
    calls = [[str(number), f"0917{number:07}"] for number in numbers]
    command = celery.worker("celery_app", tmp_path)
    with running(*command, directory=tmp_path, environment=environment, tracebacks=True) as server:
        server.wait_for("(ready)")
        asking = asyncio.create_task(
            asyncio.to_thread(
                celery.ask,
                "celery_app",
                "shipped",
                calls,
                directory=tmp_path,
                environment=environment,
            )
        )
        while len(sandbox.inbox) < len(_TEXTS) // 2 and not asking.done():  # noqa: ASYNC110 - a process tells no event
            await asyncio.sleep(0.01)
        await asyncio.to_thread(
            server.kill_a_worker, moments, lambda: asking.done() or _goes_on(sandbox)
        )
        results = await asking

    answers = Answers()
    for number, result in zip(numbers, results, strict=True):
        state = result["sent"]
        answers.note(number, ("sent", result["ref"]) if state == "yes" else ("unknown", None))
    answers.check(_TEXTS, _texts(sandbox), most_unknown=1)
