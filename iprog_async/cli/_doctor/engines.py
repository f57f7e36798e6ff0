"""Which engines are there, and which one is used."""

from __future__ import annotations

from typing import Any, get_args

from attrs import asdict, frozen

from iprog_async._engines.proxies import proxies_named
from iprog_async._http.pool import EngineName
from iprog_async.cli._base.extras import install_line
from iprog_async.cli._doctor.inventory import version_of
from iprog_async.cli._options.engine import best_engine


_BEHIND: dict[EngineName, str] = {"httpx": "httpx", "asyncio": "httptools"}
_DEFAULT: EngineName = "httpx"


@frozen
class EngineFinding:
    """One engine.

    Args:
        name: What `--engine` calls it.
        package: The package behind it.
        version: That package's version; `None` where it is missing.
    """

    name: EngineName
    package: str
    version: str | None

    def words(self) -> str:
        """Return it in words: the version is the package's."""
        if self.version is None:
            return f"{self.name} (not installed: {install_line('fast')})"
        package = "" if self.package == self.name else f"{self.package} "
        return f"{self.name} ({package}{self.version})"


def engines() -> list[EngineFinding]:
    """Return the engines that there are, installed or not."""
    return [
        EngineFinding(name, _BEHIND[name], version_of(_BEHIND[name]))
        for name in get_args(EngineName)
    ]


def engines_data() -> dict[str, Any]:
    """Return the engines and which one is used, as JSON-ready data."""
    return {
        "engines": {engine.name: asdict(engine) for engine in engines()},
        "default_engine": _DEFAULT,
        "bulk_engine": best_engine(),
        "proxies": proxies_named(),
    }


def engine_rows() -> list[tuple[str, str]]:
    """Return the engines and which one is used, as labels and words."""
    used = f"by a client {_DEFAULT}, unless it is given another; by bulk {best_engine()}"
    if named := proxies_named():
        used += f", for the environment names a proxy ({', '.join(named)}), and asyncio uses none"
    return [
        ("engines", ", ".join(engine.words() for engine in engines())),
        ("engine used", used),
    ]
