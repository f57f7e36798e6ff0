"""The adapter of any gateway that a TOML file describes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import quote

from attrs import field, frozen

from iprog_async import (
    Balance,
    ConfigurationError,
    DeliveryStatus,
    InvalidMessageError,
    Message,
    Outcome,
    Rate,
    UnsupportedError,
    count_segments,
)
from iprog_async.adapter import (
    Answer,
    BaseProvider,
    Batching,
    Capabilities,
    Gateway,
    PreparedMessage,
    Refusal,
    SmsUrl,
    seal_mapping,
    to_region,
    to_sender_id,
)
from iprog_async_providers.toml._answers import Answers
from iprog_async_providers.toml._credentials import look_up
from iprog_async_providers.toml._file import GatewayFile
from iprog_async_providers.toml._reading import read_file
from iprog_async_providers.toml._requests import Requests, to_number


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

_TITLE = "Any gateway, by a TOML file"


@frozen(eq=False, slots=False)
class HttpProvider(BaseProvider):
    """A gateway that a TOML file describes: `HttpProvider.from_toml("acme.toml")`.

    One text travels in a request. What the file does not call a proof, of acceptance or of
    refusal, is unknown. `docs/gateways/toml.md` in the repository tells what a file can say.

    Args:
        file: What the file says.
        credentials: The values of the variables that it names.
        name: Unique label of this account; the file's own by default.
        base_url: Another host, or the sandbox.
        sender_id: What the phone shows as sender, unless a message says otherwise.
        region: Two-letter region of numbers without a country code.
        rate: The most requests, such as `"60/min"`.
        refusals: Further refusals that are certainly made before dispatch.

    Raises:
        ConfigurationError: A credential or setting is missing or wrong; none is shown.
    """

    scheme: ClassVar[str] = "toml"
    capabilities: ClassVar[Capabilities] = Capabilities(title=_TITLE)

    file: GatewayFile = field(repr=False)
    credentials: Mapping[str, str] = field(converter=seal_mapping, repr=False)
    base_url: str = field(kw_only=True)
    sender_id: str | None = field(default=None, kw_only=True, converter=to_sender_id)
    region: str | None = field(default=None, kw_only=True, converter=to_region)

    def __attrs_post_init__(self) -> None:
        # Building it checks the address.
        _ = self.gateway
        if self.sender_id is not None and self.file.send.sender is None:
            raise ConfigurationError(f"{self.name}: its file names no field for a sender ID")
        schedule = self.file.send.schedule
        if schedule is not None:
            can = Capabilities(
                title=self.file.title or self.name,
                scheduling="native",
                timezone=schedule.timezone,
                schedule_step=schedule.step,
            )
            # What a gateway can do is its class's, except here.
            object.__setattr__(self, "capabilities", can)

    @classmethod
    def from_toml(
        cls,
        path: str | PathLike[str],
        *,
        environ: Mapping[str, str] | None = None,
        credentials: Mapping[str, str] | None = None,
        name: str | None = None,
        base_url: str | None = None,
        sender_id: str | None = None,
        region: str | None = None,
        rate: Rate | str | None = None,
        refusals: Sequence[Refusal] = (),
    ) -> Self:
        """Build the provider that a file describes.

        Args:
            path: The file.
            environ: Where the credentials are looked up; the process's environment by default.
            credentials: Values that go before those of the environment, by the same names.
            name: Unique label of this account, instead of the file's.
            base_url: Another host, or the sandbox.
            sender_id: What the phone shows as sender, unless a message says otherwise.
            region: Two-letter region of numbers without a country code, instead of the file's.
            rate: The most requests, instead of the file's.
            refusals: Further refusals that are certainly made before dispatch.

        Raises:
            ConfigurationError: The file can't be read, has a mistake, or names a variable that is
                not set; the error names the file and the key, and shows no credential.
        """
        file = read_file(path)
        env = os.environ if environ is None else environ
        return cls(
            file,
            look_up(file.auth, env, credentials or {}, str(path)),
            name=file.name if name is None else name,
            base_url=file.base_url if base_url is None else base_url,
            sender_id=sender_id,
            region=file.region if region is None else region,
            rate=file.rate if rate is None else rate,
            refusals=refusals,
        )

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `acme.toml`, or from `toml://KEY@?file=acme.toml`.

        Credentials in the address are the values of the file's variables, in its order; those
        that it does not hold come from the environment.
        """
        settings = url.settings(file=str, name=str, sender_id=str, region=str, rate=str)
        path = settings.pop("file", None)
        if path is None:
            raise ConfigurationError(
                "toml:// needs a file: write acme.toml, or toml://@?file=acme.toml"
            )
        names = read_file(path).auth.names
        given = [value for value in (url.username, url.password) if value]
        if len(given) > len(names):
            raise ConfigurationError(f"{path} has one credential, and the address holds two")
        base_url = url.params.get("base_url") or (f"https://{url.host}" if url.host else None)
        credentials = dict(zip(names, given, strict=False))
        return cls.from_toml(path, credentials=credentials, base_url=base_url, **settings)

    @classmethod
    def sandbox_of(cls, path: str | PathLike[str]) -> SandboxGateway:
        """Return the part of a described gateway in the local sandbox.

        Its answers are those that the file describes, so they prove that the file is consistent,
        and not that it is true. Give it to `Sandbox(gateways={"acme": …})`.

        Raises:
            ConfigurationError: The file is wrong, or needs more than two credentials.
        """
        # Imported here, because it needs the extra `sandbox`.
        from iprog_async_providers.toml._sandbox import gateway_of

        return gateway_of(str(path))

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        auth = self.file.auth
        headers = (("Accept", "application/json"), *auth.header_fields(self.credentials))
        secrets = auth.secrets(self.credentials)
        return Gateway(self.name, self.base_url, secrets, self.rate, headers)

    @property
    def batching(self) -> Batching:
        """One text in a request."""
        return Batching(max_batch=1)

    async def balance(self) -> Balance:
        """Return what is left on the account.

        Raises:
            UnsupportedError: The file describes no balance.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        call = self.file.balance
        if call is None:
            raise UnsupportedError(f"{self.name} can't tell a balance: its file has no [balance]")

        def read(answer: Answer) -> Balance:
            return self._answers.balance(answer, call.amount, call.unit)

        request = self._requests.ask(call.method, call.path, read, "read the balance")
        return await self._call(request)

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return how far an accepted text has come.

        Raises:
            UnsupportedError: The file describes no status.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        call = self.file.status
        if call is None:
            raise UnsupportedError(f"{self.name} can't tell a status: its file has no [status]")
        path = call.path.replace("{id}", quote(message_id, safe=""))
        request = self._requests.ask(call.method, path, self._answers.status, "read the status")
        return await self._call(request)

    @property
    def _requests(self) -> Requests:
        return Requests(self.file, self.credentials, self.gateway, self.sender_id)

    @property
    def _answers(self) -> Answers:
        return Answers(self.file, self.name, self.refusals)

    def _check(self, message: Message) -> None:
        limits, send = self.file.limits, self.file.send
        if message.sender_id is not None and send.sender is None:
            raise UnsupportedError(
                f"{self.name} takes no sender ID: its file names no field for it"
            )
        sender = message.sender_id or ""
        counted = (
            ("characters", len(message.text), limits.characters),
            ("segments", count_segments(message.text).count, limits.segments),
            ("characters of a sender ID", len(sender), limits.sender_characters),
        )
        for what, count, most in counted:
            if most is not None and count > most:
                raise InvalidMessageError(
                    f"{self.name} takes {most} {what} at the most, not {count}"
                )

    def _number(self, number: str) -> tuple[str, str]:
        return to_number(self.file, number, self.region)

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        (prepared,) = batch

        def read(answer: Answer) -> list[Outcome]:
            return self._answers.sent(answer, prepared)

        return await self._call(self._requests.send(prepared, read))
