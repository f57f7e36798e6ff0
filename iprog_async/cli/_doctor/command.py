"""`iprog-async doctor`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from attrs import frozen
from cyclopts import Parameter

from iprog_async._core.errors import SmsError
from iprog_async._core.receipts import Balance
from iprog_async._engines.environment import Variable
from iprog_async._providers.protocols import SupportsBalance
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._doctor import inventory
from iprog_async.cli._doctor.configuration import Configuration, examine, network_variables
from iprog_async.cli._doctor.engines import engine_rows, engines_data
from iprog_async.cli._doctor.inventory import Extra, Plugin
from iprog_async.cli._doctor.journal import JournalFinding, examine_journal
from iprog_async.cli._errors.failure import CommandFailure, from_error
from iprog_async.cli._errors.wording import words_of_error
from iprog_async.cli._options.shared import AsJson, Url, open_client
from iprog_async.cli._terminal import show
from iprog_async.cli._terminal.output import emit, say_rows


_LABEL = 16


@frozen
class Reached:
    """What the gateway said when it was asked for the balance.

    Args:
        words: The answer in words, or why there is none.
        problem: What went wrong, if anything.
    """

    words: str
    problem: CommandFailure | None = None


@frozen
class Diagnosis:
    """All that the doctor found."""

    extras: list[Extra]
    plugins: list[Plugin]
    configuration: Configuration
    environment: list[Variable]
    contact: Reached | None
    journal: JournalFinding | None = None

    @property
    def code(self) -> ExitCode:
        """The gravest finding: a broken plug-in breaks the search of the environment, too."""
        if any(plugin.problem for plugin in self.plugins):
            return ExitCode.UNEXPECTED
        if self.journal is not None and self.journal.problems:
            return self.journal.code
        problem = self.configuration.problem or (self.contact and self.contact.problem)
        if problem is None and any(variable.problem for variable in self.environment):
            return ExitCode.CONFIGURATION
        return problem.code if problem else ExitCode.OK


async def doctor(
    *,
    check: Annotated[
        bool,
        Parameter(
            name="--check",
            negative="",
            show_default=False,
            help="Ask the gateway for the balance, too; without it, nothing leaves this machine.",
        ),
    ] = False,
    journal: Annotated[
        str | None,
        Parameter(
            show_default=False,
            help="Look at a journal, too: a file, or the server and the tables of an address.",
        ),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Check the installation and the configuration; no credential is shown."""
    plugins = inventory.plugins()
    loadable = [plugin.name for plugin in plugins if not plugin.problem]
    configuration = examine(url, os.environ, loadable)
    environment = network_variables(configuration.provider)
    contact = await _contact(url) if check and configuration.provider else None
    looked_at = None if journal is None else await examine_journal(journal)
    found = Diagnosis(inventory.extras(), plugins, configuration, environment, contact, looked_at)
    if as_json:
        emit(_data(found))
    else:
        say_rows(*_words(found), indent=_LABEL)
    return found.code


async def _contact(url: str | None) -> Reached:
    try:
        client = open_client(url)
    except SmsError as exc:
        return Reached("can't be asked", from_error(exc))
    async with client:
        if not isinstance(client.provider, SupportsBalance):
            return Reached("can't be asked without sending: it tells no balance")
        try:
            balance = await client.balance()
        except SmsError as exc:
            return Reached(words_of_error(exc), from_error(exc))
    if isinstance(balance, Balance):
        return Reached(f"answers, balance {show.balance_words(balance)}")
    told = (
        f"{name} {show.balance_words(balance[name])}" if name in balance else f"{name} not told"
        for name in show.members_of(client.provider)
    )
    return Reached(f"answers, balance of {', '.join(told)}")


def _data(found: Diagnosis) -> dict[str, Any]:
    configuration, contact = found.configuration, found.contact
    return {
        "version": inventory.version_of(inventory.PACKAGE),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": inventory.packages_of(None),
        "extras": {
            extra.name: {"packages": extra.packages, "install": extra.install or None}
            for extra in found.extras
        },
        **engines_data(),
        "providers": {plugin.name: plugin.problem or None for plugin in found.plugins},
        "configuration": {
            "source": configuration.source,
            "variables": list(configuration.variables),
            "scheme": configuration.scheme,
            "provider": configuration.provider and configuration.provider.name,
            "gateway": configuration.provider and show.gateway_data(configuration.provider),
            "problem": configuration.problem and configuration.problem.to_dict(),
        },
        "environment": {
            variable.name: {
                "value": variable.value,
                "words": variable.words,
                "problem": variable.problem or None,
            }
            for variable in found.environment
        },
        "gateway": contact
        and {"answer": contact.words, "problem": contact.problem and contact.problem.to_dict()},
        "journal": found.journal and found.journal.to_dict(),
        "healthy": found.code is ExitCode.OK,
    }


def _words(found: Diagnosis) -> list[str]:
    version = inventory.version_of(inventory.PACKAGE) or "(not installed as a package)"
    rows = [
        ("iprog-async", f"{version}, Python {platform.python_version()}, {platform.platform()}"),
        ("packages", _versions(inventory.packages_of(None))),
        *((f"extra {extra.name}", _extra_words(extra)) for extra in found.extras),
        *engine_rows(),
        *_environment_rows(found.environment),
        *_plugin_rows(found.plugins),
        *_configuration_rows(found.configuration),
    ]
    if found.contact is not None:
        rows.append(("gateway", found.contact.words))
    if found.journal is not None:
        rows.extend(found.journal.rows())
    return [f"{label:<{_LABEL - 1}} {words}" for label, words in rows]


def _versions(versions: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())


def _extra_words(extra: Extra) -> str:
    if not extra.install:
        return _versions(extra.packages)
    return f"not installed (optional): {extra.install}"


def _plugin_rows(plugins: Iterable[Plugin]) -> Iterable[tuple[str, str]]:
    plugins = list(plugins)
    working = [plugin.name for plugin in plugins if not plugin.problem]
    yield "providers", ", ".join(working) or "none"
    yield from (("PROBLEM", plugin.problem) for plugin in plugins if plugin.problem)


def _configuration_rows(configuration: Configuration) -> Iterable[tuple[str, str]]:
    yield "variables", ", ".join(f"{name} is set" for name in configuration.variables) or "none set"
    if configuration.scheme is not None:
        yield "address", f"{configuration.scheme}://*** from {configuration.source}"
    if configuration.problem is not None:
        yield "PROBLEM", configuration.problem.message
    elif configuration.provider is not None:
        words = show.gateway_words(configuration.provider)
        yield "configured", f"{words}, from {configuration.source}"


def _environment_rows(variables: Iterable[Variable]) -> Iterable[tuple[str, str]]:
    for variable in variables:
        if variable.problem:
            yield "PROBLEM", variable.complaint()
        else:
            value = "" if variable.value is None else f": {variable.value}"
            yield "environment", f"{variable.name} {variable.words}{value}"
