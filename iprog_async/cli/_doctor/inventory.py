"""What is installed: this package, what it needs, its extras, its plug-ins."""

from __future__ import annotations

import re
from importlib import metadata

from attrs import frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async._providers.registry import provider_names, provider_type
from iprog_async.cli._base.extras import EXTRAS, install_line
from iprog_async.cli._terminal.output import print_error


PACKAGE = "iprog-async"
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)[^;]*(;.*\bextra *== *['\"](?P<extra>[^'\"]+))?"
)


@frozen
class Extra:
    """One extra.

    Args:
        name: Its name.
        packages: Its packages with their versions; `None` for one that is missing.
        install: What to type where it is not complete; empty where it is.
    """

    name: str
    packages: dict[str, str | None]
    install: str


@frozen
class Plugin:
    """One registered provider; `problem` says why it can't be loaded, if so."""

    name: str
    problem: str = ""


def version_of(package: str) -> str | None:
    """Return the version of an installed package; `None` if it is missing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def packages_of(extra: str | None) -> dict[str, str | None]:
    """Return the packages of an extra with their versions; `None` asks for those always needed."""
    try:
        required = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        # Run from a source folder: nothing says what is needed.
        return {}
    found = [match for line in required if (match := _REQUIREMENT.match(line))]
    return {match["name"]: version_of(match["name"]) for match in found if match["extra"] == extra}


def extras() -> list[Extra]:
    """Return the extras that a user may want."""
    return [_extra(name) for name in EXTRAS]


def plugins() -> list[Plugin]:
    """Try to load each registered provider by itself: one that is broken hides no other."""
    return [_plugin(name) for name in provider_names()]


def complain_of_broken_plugins() -> None:
    """Write a line about each registered provider that can't be loaded."""
    for plugin in plugins():
        if plugin.problem:
            print_error(f"{plugin.problem}; going on with the others")


def _extra(name: str) -> Extra:
    packages = packages_of(name)
    missing = not packages or None in packages.values()
    return Extra(name, packages, install_line(name) if missing else "")


def _plugin(name: str) -> Plugin:
    try:
        provider_type(name)
    except ConfigurationError as exc:
        return Plugin(name, str(exc))
    return Plugin(name)
