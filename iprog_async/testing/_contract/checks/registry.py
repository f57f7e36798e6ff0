"""Found by its name: the class, its addresses, its environment, its row of the matrix."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from attrs import evolve

from iprog_async._core.errors import ConfigurationError, UnsupportedError
from iprog_async._providers.base import BaseProvider
from iprog_async._providers.registry import ProviderType, missing_pieces
from iprog_async._providers.url import SmsUrl, parse_address
from iprog_async.testing._contract.case import ContractCase, Subject
from iprog_async.testing._contract.checks.base import Checks, failure, in_loop, scene
from iprog_async.testing._contract.secret_finder import leaks


NOWHERE = "http://127.0.0.1:9"


class RegistryChecks(Checks):
    """What an entry point needs, so that addresses and the command line know the adapter."""

    @in_loop
    async def test_the_class_has_all_that_an_entry_point_needs(
        self, subject: Subject, registered: ContractCase
    ) -> None:
        """A subclass of `BaseProvider` with a scheme, capabilities and `from_url`."""
        cls = _class_of(subject)
        assert missing_pieces(cls) == "", registered.name
        assert parse_address(f"{cls.scheme}://x@").scheme == cls.scheme
        assert cls.capabilities.title.strip()
        assert [name for name in cls.env_names if name.upper() != name or " " in name] == []

    @in_loop
    async def test_an_address_builds_an_adapter_that_sends(
        self, subject: Subject, registered: ContractCase
    ) -> None:
        """`SmsClient.from_url` would have this one: credential and host are taken from it."""
        cls = _class_of(subject)

        def make(base_url: str) -> object:
            url = parse_address(registered.address_for(cls.scheme, base_url))
            assert url.scheme == cls.scheme
            return cls.from_url(url)

        case = evolve(registered, make=make, variants={})
        (from_address,) = case.subjects(subject.open_pool)
        async with scene(from_address, subject.accept) as it:
            receipt = await it.sms.send(subject.number, case.text)
            assert it.gateway.begun == 1
            assert it.sms.provider.name == receipt.provider
            assert leaks([repr(it.sms.provider)], case.secrets) == []

    @in_loop
    async def test_a_wrong_address_is_a_configuration_error(
        self, subject: Subject, registered: ContractCase
    ) -> None:
        """No credential, or a setting that nobody knows: one error that shows no secret."""
        cls = _class_of(subject)
        good = parse_address(registered.address_for(cls.scheme, NOWHERE))
        odd = {**good.params, "no_such_setting": "1"}
        wrong = [SmsUrl(good.scheme, "", "", "", {}), evolve(good, params=odd)]
        for url in wrong:
            error = _configuration_error(cls, url)
            assert leaks([str(error), repr(error)], registered.secrets) == []

    @in_loop
    async def test_an_environment_of_others_is_left_alone(
        self, subject: Subject, registered: ContractCase
    ) -> None:
        """`from_env` is `None` where its variables are not set; a wrong value is one error."""
        cls = _class_of(subject)
        assert cls.from_env({}) is None, registered.name
        assert cls.from_env({"SMS_URL": "x", "SOMEBODY_ELSES_TOKEN": "x"}) is None
        with suppress(ConfigurationError):
            found = cls.from_env(dict.fromkeys(cls.env_names, "credential"))
            assert (found is None) == (not cls.env_names)

    @in_loop
    async def test_the_capabilities_are_true(
        self, subject: Subject, registered: ContractCase
    ) -> None:
        """Its row of the matrix names operations that are there, and no schedule it refuses."""
        provider, can = subject.make(NOWHERE), _class_of(subject).capabilities
        missing = [name for name in can.operations if not hasattr(provider, name)]
        assert missing == [], registered.name
        if can.scheduling == "none":
            later = evolve(subject.message(), schedule_at=datetime(2999, 1, 1, tzinfo=UTC))
            await failure(_prepare(provider, later), UnsupportedError)


def _class_of(subject: Subject) -> ProviderType:
    provider: object = subject.make(NOWHERE)
    cls = type(provider)
    assert issubclass(cls, BaseProvider), f"{cls.__name__} is no subclass of BaseProvider"
    return cls


def _configuration_error(cls: ProviderType, url: SmsUrl) -> ConfigurationError:
    try:
        made = cls.from_url(url)
    except ConfigurationError as exc:
        return exc
    raise AssertionError(f"expected ConfigurationError, got {made!r}")


async def _prepare(provider: Any, message: object) -> object:
    return provider.prepare(message)
