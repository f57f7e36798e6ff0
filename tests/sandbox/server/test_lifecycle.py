import asyncio
import contextlib
import gc
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from support.sandbox_toy import CONTEXT, TOY, fetch
from support.waiting import LONG

from iprog_async import ConfigurationError, SmsClient, provider_from_url
from iprog_async.sandbox import Fault, Sandbox, SandboxGateway
from iprog_async.sandbox._server.server_thread import ServerThread


_FILES = Path("/proc/self/fd")


def ask(url: str) -> int:
    """Ask a sandbox how it is, in blocking fashion, and return the status of the answer."""
    return fetch("GET", f"{url}/_sandbox/health").status_code


_BEFORE: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def threads_before() -> None:
    """Note the threads of sandboxes that other tests share."""
    _BEFORE.clear()
    _BEFORE.update(threading.enumerate())


def server_threads() -> list[str]:
    """Return the names of this test's sandboxes' threads that run."""
    names = [thread.name for thread in threading.enumerate() if thread not in _BEFORE]
    return [name for name in names if name == "iprog-async-sandbox"]


def open_files() -> int:
    """Return how many files and sockets this process holds."""
    gc.collect()
    return len(os.listdir(_FILES))


async def test_sandbox_runs_beside_any_loop() -> None:
    """A text sent through the client is in the inbox; afterwards the server is gone."""
    async with Sandbox() as sandbox:
        async with SmsClient(provider_from_url(sandbox.address("iprog"))) as sms:
            receipt = await sms.send("0917 123 4567", "hi")
        text = sandbox.inbox[0]
        assert (receipt.message_id, "639171234567", "hi") == (text.message_id, text.to, text.text)
        url = sandbox.url
    assert server_threads() == []
    with pytest.raises(httpx.ConnectError):
        ask(url)


def test_sandbox_runs_without_a_loop() -> None:
    """It serves a program that has no event loop."""
    with Sandbox() as sandbox:
        assert ask(sandbox.url) == 200


@pytest.mark.slow
@pytest.mark.skipif(not _FILES.is_dir(), reason="counts open files where Linux lists them")
async def test_twenty_starts_leak_nothing() -> None:
    """After twenty starts and stops no thread and no socket is left."""
    with Sandbox():
        pass
    threads, files = set(threading.enumerate()), open_files()
    for _ in range(10):
        with Sandbox() as one:
            ask(one.url)
        async with Sandbox() as other:
            ask(other.url)
    # What other tests left behind may end meanwhile.
    assert set() == set(threading.enumerate()) - threads
    assert files >= open_files()


async def test_two_sandboxes_know_nothing_of_each_other() -> None:
    """Two sandboxes at once have their own ports, inboxes and faults."""
    async with Sandbox() as one, Sandbox() as other:
        other.add_fault(Fault("*", "status"))
        async with SmsClient(provider_from_url(one.address("iprog"))) as sms:
            await sms.send("09171234567", "hi")
        assert one.url != other.url
        assert (len(one.inbox), len(other.inbox)) == (1, 0)
        assert (len(one.faults), len(other.faults)) == (0, 1)


async def test_sandbox_can_start_again() -> None:
    """A sandbox that was stopped starts again, with its inbox."""
    sandbox = Sandbox()
    async with sandbox:
        sandbox.state.accept("iprog", "1", "hi", message_id="1")
    with sandbox:
        assert ask(sandbox.url) == 200
    assert len(sandbox.inbox) == 1


async def test_stop_waits_for_nobody() -> None:
    """Idle connections, half a request and a delayed answer do not hold up the end."""
    async with httpx.AsyncClient(verify=CONTEXT, timeout=LONG) as client:
        async with Sandbox() as sandbox:
            await client.get(f"{sandbox.url}/_sandbox/health")
            parts = urlsplit(sandbox.url)
            half = socket.create_connection((parts.hostname, parts.port))
            half.sendall(
                b"POST /iprog/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12"
            )
            sandbox.add_fault(Fault("GET *", "delay", delay=60))
            waiting = asyncio.create_task(client.get(f"{sandbox.url}/iprog/x"))
            while sandbox.faults:  # noqa: ASYNC110 - the event would be in another thread
                await asyncio.sleep(0.01)
            began = time.perf_counter()
        # The delayed answer alone would take a minute.
        assert time.perf_counter() - began < 30
        with pytest.raises(httpx.RemoteProtocolError):
            await waiting
    half.close()


async def test_cancelled_start_leaves_nothing() -> None:
    """A start that is cancelled while it waits leaves no thread."""
    task = asyncio.create_task(Sandbox().__aenter__())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server_threads() == []


async def test_cancelled_end_still_ends() -> None:
    """An end that is cancelled while it waits still stops the server."""
    sandbox = Sandbox()
    await sandbox.__aenter__()
    task = asyncio.create_task(sandbox.__aexit__(None, None, None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server_threads() == []


async def start_blocking(sandbox: Sandbox) -> None:
    """Start a sandbox as a program without a loop does."""
    sandbox.__enter__()


@pytest.mark.parametrize("start", [start_blocking, Sandbox.__aenter__])
async def test_failed_start_is_reported(
    start: Callable[[Sandbox], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps the server from starting is raised where it is started."""

    async def fail(_: ServerThread) -> None:
        raise RuntimeError("no loop today")

    monkeypatch.setattr(ServerThread, "_serve", fail)
    with pytest.raises(RuntimeError, match="no loop today"):
        await start(Sandbox())
    assert server_threads() == []


@pytest.mark.slow
def test_thread_stops_before_it_has_begun() -> None:
    """A server that is stopped at once stops, whatever it was doing."""
    for _ in range(5):
        listener = socket.create_server(("127.0.0.1", 0))
        thread = ServerThread(TOY, listener)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # is never asked
        thread.stop()
        thread.stop()
        assert thread.done.done()
    assert server_threads() == []


async def test_sandbox_runs_once_at_a_time() -> None:
    """Starting twice and stopping twice are mistakes that are told."""
    sandbox = Sandbox()
    with sandbox, pytest.raises(ConfigurationError, match="running already"):
        sandbox.__enter__()
    with pytest.raises(ConfigurationError, match="not running"):
        sandbox.__exit__(None, None, None)
    with pytest.raises(ConfigurationError, match="use `with Sandbox"):
        sandbox.address("iprog")


def test_addresses() -> None:
    """Each gateway has a base URL, and each provider an address that finds it."""
    with Sandbox(gateways={"toy": TOY, "toy-http": TOY}) as sandbox:
        port = urlsplit(sandbox.url).port
        assert sandbox.providers == ("iprog", "toy", "toy-http")
        assert f"http://127.0.0.1:{port}/toy" == sandbox.base_url("toy")
        assert f"toy://token@?base_url=http%3A%2F%2F127.0.0.1%3A{port}%2Ftoy" == (
            sandbox.address("toy-http")
        )
        with pytest.raises(ConfigurationError, match=r"it has iprog, toy$"):
            sandbox.base_url("toy-http")
        with pytest.raises(ConfigurationError, match="does not play 'nexmo'"):
            sandbox.address("nexmo")


def test_credit_and_clear() -> None:
    """Credit is set for one gateway, and clearing restores all that was at the start."""
    with Sandbox(credit=5, gateways={"toy": TOY}) as sandbox:
        sandbox.set_credit("toy", 0)
        send = {"to": "1", "text": "hi"}
        answer = fetch("POST", f"{sandbox.base_url('toy')}/send", data=send)
        assert answer.json() == {"error": "no credit"}
        sandbox.add_fault(Fault("*", "status", times=None))
        sandbox.clear()
        assert fetch("POST", f"{sandbox.base_url('toy')}/send", data=send).json()["status"] == "ok"
        assert sandbox.state.credit_of("toy") == 4
        with pytest.raises(ConfigurationError, match="no gateway 'nexmo'"):
            sandbox.set_credit("nexmo", 1)


@pytest.mark.parametrize(
    ("gateway", "words"),
    [
        (SandboxGateway("iprog", TOY.routes, ""), "mine: another gateway has the prefix 'iprog'"),
        (SandboxGateway("_sandbox", TOY.routes, ""), "'_sandbox' can't be the start of a path"),
        (SandboxGateway("a/b", TOY.routes, ""), "'a/b' can't be the start of a path"),
    ],
)
def test_prefixes_are_checked(gateway: SandboxGateway, words: str) -> None:
    """A prefix that is taken or makes no path is refused."""
    with pytest.raises(ConfigurationError, match=words):
        Sandbox(gateways={"mine": gateway})


def test_remote_host_must_be_meant(caplog: pytest.LogCaptureFixture) -> None:
    """A host that others can reach is refused unless asked for, and then logged."""
    with pytest.raises(ConfigurationError, match="allow_remote=True"):
        Sandbox(host="0.0.0.0").__enter__()  # noqa: S104 - it is refused
    with Sandbox(host="0.0.0.0", allow_remote=True) as sandbox:  # noqa: S104 - for a moment
        assert sandbox.url.startswith("http://127.0.0.1:")
        assert ask(sandbox.url) == 200
    logged = [record for record in caplog.records if record.name == "iprog_async.sandbox"]
    assert [record.levelno for record in logged] == [logging.WARNING]
    assert "other machines can reach" in caplog.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_loopback_hosts_need_no_leave(host: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every name of this machine alone is taken without a warning."""
    with contextlib.ExitStack() as stack:
        try:
            sandbox = stack.enter_context(Sandbox(host=host))
        except ConfigurationError:
            pytest.skip(f"this machine has no {host}")
        assert ask(sandbox.url) == 200
    assert caplog.text == ""


def test_port_that_is_taken_is_told() -> None:
    """A port in use, a port that is none and a host that is none are one line each."""
    with Sandbox() as sandbox:
        port = urlsplit(sandbox.url).port or 0
        with pytest.raises(ConfigurationError, match=f"port {port}: .+; port 0 takes any"):
            Sandbox(port=port).__enter__()
    with pytest.raises(ConfigurationError, match="port is 0 to 65535, not 65536"):
        Sandbox(port=65536).__enter__()
    with pytest.raises(ConfigurationError, match=r"can't listen on '256\.0\.0\.1': .+; give"):
        Sandbox(host="256.0.0.1").__enter__()


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_missing_extra_is_told(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, making a sandbox says the line that installs it."""
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigurationError) as caught:
        Sandbox()
    assert f'the sandbox needs {missing}; run: pip install "iprog-async[sandbox]"' == (
        str(caught.value)
    )


def test_server_leaves_uvicorns_loggers_alone() -> None:
    """Another server in the same process keeps its access log and its levels."""
    before = [
        (logger.level, logger.propagate, logger.disabled, list(logger.handlers))
        for logger in map(logging.getLogger, ("uvicorn.access", "uvicorn.error", "uvicorn"))
    ]
    with Sandbox() as sandbox:
        ask(sandbox.url)
    assert before == [
        (logger.level, logger.propagate, logger.disabled, list(logger.handlers))
        for logger in map(logging.getLogger, ("uvicorn.access", "uvicorn.error", "uvicorn"))
    ]


def test_kept_alive_connections_are_not_slow() -> None:
    """Answers on one connection do not wait for acknowledgements, which take 40 ms each."""
    with Sandbox() as sandbox, httpx.Client(verify=CONTEXT) as client:

        def took() -> float:
            began = time.perf_counter()
            client.get(f"{sandbox.url}/_sandbox/health")
            return time.perf_counter() - began

        # One quick answer tells: a busy machine slows some, the delay would slow all but the first.
        took()
        assert any(took() < 0.035 for _ in range(300))
