from __future__ import annotations

import json
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from support.cli.bulk import people, write_csv
from support.waiting import LONG

import starlette_app
from iprog_async.sandbox import Fault, Sandbox


pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PYTHON = (sys.executable, "-W", "error")


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an example to its end."""
    command = [*PYTHON, str(EXAMPLES / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONG)  # noqa: S603 - ours


def fan_out(rows: str, tmp_path: Path, *more: str) -> tuple[str, ...]:
    """Return the arguments of the fan-out."""
    return (rows, "Hi {name}", "--journal", str(tmp_path / "june.db"), *more)


def test_fan_out_texts_everybody_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """It ends with 0 and all texts in the inbox; run again, it texts nobody."""
    rows = write_csv(tmp_path / "people.csv", people(120))
    first = run("fan_out.py", *fan_out(rows, tmp_path))
    again = run("fan_out.py", *fan_out(rows, tmp_path))

    assert (0, "") == (first.returncode, first.stderr)
    assert "120 accepted, 0 not sent, 0 unknown\n" == first.stdout
    assert (
        "120 accepted, 0 not sent, 0 unknown\n120 of them were settled by an earlier run\n"
        == again.stdout
    )
    assert {f"Hi {name}" for _, name in people(120)} == {text.text for text in sandbox.inbox}
    assert 120 == len(sandbox.inbox)


def test_ctrl_c_drains_the_fan_out_and_the_next_run_finishes_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """What is on its way comes to its end, nothing is unknown, and nobody is texted twice."""
    sandbox.add_fault(Fault("POST /iprog/*", "delay", times=None, delay=0.1))
    rows = write_csv(tmp_path / "people.csv", people(200))
    arguments = fan_out(rows, tmp_path, "--concurrency", "10")
    command = [*PYTHON, str(EXAMPLES / "fan_out.py"), *arguments]
    process = subprocess.Popen(  # noqa: S603 - ours
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        _until(lambda: len(sandbox.inbox) >= 20)
        process.send_signal(signal.SIGINT)
        output, complaints = process.communicate(timeout=LONG)
    finally:
        process.kill()
        process.wait()
    texted = len(sandbox.inbox)
    sandbox.clear_faults()
    again = run("fan_out.py", *fan_out(rows, tmp_path))

    assert (130, True) == (process.returncode, complaints.startswith("stopping"))
    assert f"{texted} accepted, 0 not sent, 0 unknown\n" == output
    assert 20 <= texted < 200
    told = f"200 accepted, 0 not sent, 0 unknown\n{texted} of them were settled by an earlier run\n"
    assert (0, told) == (again.returncode, again.stdout)
    assert 200 == len({text.to for text in sandbox.inbox}) == len(sandbox.inbox)


def test_fan_out_checks_the_file_first(sandbox: Sandbox, tmp_path: Path) -> None:
    """A missing column stops it before the first text."""
    rows = tmp_path / "people.csv"
    rows.write_text("phone,nom\n09171234567,Ann\n", encoding="utf-8")
    ended = run("fan_out.py", *fan_out(str(rows), tmp_path))

    assert 2 == ended.returncode
    assert "people.csv has no column name\n" in ended.stderr
    assert [] == sandbox.inbox


@pytest.mark.parametrize("hole", [("09181234567", " "), ("", "Ben")])
def test_fan_out_leaves_out_a_row_with_a_hole(
    sandbox: Sandbox, tmp_path: Path, hole: tuple[str, str]
) -> None:
    """A missing name or phone is the outcome of that row, and everybody else is texted."""
    people = [("09171234567", "Ann"), hole, ("09191234567", "Cy")]
    ended = run("fan_out.py", *fan_out(write_csv(tmp_path / "people.csv", people), tmp_path))

    assert 1 == ended.returncode
    assert "row 2: not_sent: " in ended.stdout
    assert "2 accepted, 1 not sent, 0 unknown\n" in ended.stdout
    assert ["Hi Ann", "Hi Cy"] == sorted(text.text for text in sandbox.inbox)


def test_fan_out_tells_what_was_not_accepted(sandbox: Sandbox, tmp_path: Path) -> None:
    """A row that can't be sent is named, and the exit code says so."""
    rows = write_csv(tmp_path / "people.csv", [("09171234567", "Ann"), ("12", "Cy")])
    ended = run("fan_out.py", *fan_out(rows, tmp_path))

    assert 1 == ended.returncode
    assert "row 2: not_sent: the phone number '12'" in ended.stdout
    assert 1 == len(sandbox.inbox)


def test_failover_shows_who_took_the_text() -> None:
    """The dead gateway does not, the living one does."""
    ended = run("failover.py")
    assert (0, "infopromo took it: delivered\n", "") == (
        ended.returncode,
        ended.stdout,
        ended.stderr,
    )


@pytest.mark.parametrize(
    ("body", "fault", "status"),
    [
        ({"to": "0917 123 4567", "text": "Hello"}, None, 201),
        ({"to": "12", "text": "Hello"}, None, 422),
        ({"to": "0917 123 4567"}, None, 422),
        (["no", "object"], None, 422),
        ({"to": "0917 123 4567", "text": "Hello"}, Fault("POST /iprog/*", "drop_after"), 202),
        (
            {"to": "0917 123 4567", "text": "Hello"},
            Fault("POST /iprog/*", "status", times=None, status=401, body=""),
            503,
        ),
    ],
)
async def test_starlette_page(  # noqa: PLR0913, RUF100
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: object,
    fault: Fault | None,
    status: int,
) -> None:
    """Each end has its status, and the same key twice is at most one text."""
    monkeypatch.setenv("TEXTS_DB", str(tmp_path / "texts.db"))
    if fault is not None:
        sandbox.add_fault(fault)
    app = starlette_app.app
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as client,
    ):
        key = {"Idempotency-Key": "42"}
        answers = [await client.post("/texts", json=body, headers=key) for _ in range(2)]

    assert [status, status] == [answer.status_code for answer in answers]
    assert answers[0].text == answers[1].text
    assert len(sandbox.inbox) == (1 if status in (201, 202) else 0)


def _block(name: str) -> str:
    text = (EXAMPLES / "shop" / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def _until(done: object) -> None:
    assert callable(done)
    ends_at = time.monotonic() + LONG
    while not done():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def _free_port() -> int:
    """Return one below those that a system gives away by itself, so that nobody else gets it."""
    while True:
        port = random.randrange(10_000, 30_000)  # noqa: S311 - no secret
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _server(command: str, port: int, log: Path) -> Generator[None]:
    """Run a server of the guide, without making its environment first."""
    line = command.strip().rpartition("&& ")[2].replace(".venv/bin/", f"{_bin()}/")
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - the guide's own line
            ["/bin/sh", "-c", f"exec env {line}"], cwd=ROOT, stdout=output, stderr=output
        )
    try:
        _until(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(timeout=LONG)


def _listed(port: int) -> list[str]:
    """Return the campaign's texts in the inbox of a sandbox."""
    texts = httpx.get(f"http://127.0.0.1:{port}/_sandbox/inbox", timeout=LONG).json()["texts"]
    return [text["text"] for text in texts if text["text"].startswith("Hi ")]


def _bin() -> str:
    return shlex.quote(str(Path(sys.executable).parent))


@contextmanager
def _guided(folder: Path, shop: str) -> Generator[tuple[Callable[[str], list[str]], int]]:
    """Start sandbox and shop as the guide does.

    Args:
        folder: Where its requests are made.
        shop: The block that starts the shop.

    Yields:
        What makes the requests of a block, and the port of the sandbox.
    """
    ports = _free_port(), _free_port()

    def own(block: str) -> str:
        return _block(block).replace("8025", str(ports[0])).replace("8000", str(ports[1]))

    def ask(block: str) -> list[str]:
        ended = subprocess.run(  # noqa: S603 - the guide's own lines
            ["/bin/sh", "-euc", own(block)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LONG,
        )
        assert (0, "") == (ended.returncode, ended.stderr)
        return ended.stdout.splitlines()

    with (
        _server(own("sandbox"), ports[0], folder / "sandbox.log"),
        _server(own(shop), ports[1], folder / "shop.log"),
    ):
        yield ask, ports[0]


_CURL = pytest.mark.skipif(
    shutil.which("curl") is None, reason="the guide's requests are made by curl"
)


@_CURL
@pytest.mark.slow
def test_stop_in_the_guide_of_the_shop_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its requests answer a text with STOP, and the next order is not texted."""
    monkeypatch.setenv("SHOP_DATA", str(tmp_path / "data"))
    with _guided(tmp_path, "shop-with-stop") as (ask, _):
        sent, replied, refused = ask("stop")

    assert ("201", "not sent") == (replied, json.loads(refused)["text"])
    assert json.loads(sent)["ref"].startswith("infopromo:")
    assert "only-for-the-sandbox" not in (tmp_path / "shop.log").read_text()


@_CURL
def test_guide_of_the_shop_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its two commands start sandbox and shop, and its requests are answered as it says."""
    monkeypatch.setenv("SHOP_DATA", str(tmp_path / "data"))
    with _guided(tmp_path, "shop") as (ask, sandbox):
        first, again, inbox = ask("order")
        login = ask("login")
        campaign = [json.loads(line) for line in ask("campaign")]
        texted = _listed(sandbox)

    assert first == again
    assert 1 == inbox.count("(order 42)")
    assert "The code is wrong" in login[1]
    assert "204" == login[-1]
    assert [
        ("running", 0, 0),
        ("finished", 2, 0),
        ("finished", 2, 0),
        ("running", 0, 0),
        ("finished", 2, 2),
    ] == [(each["state"], each["accepted"], each["resumed"]) for each in campaign]
    assert ["Hi Ann, we open at nine.", "Hi Ben, we open at nine."] == sorted(texted)
    assert "order" not in (tmp_path / "sandbox.log").read_text()
