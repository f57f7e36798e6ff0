"""Finding a vendor's own operation on whatever gateway is configured."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from attrs import frozen

from iprog_async._core.errors import UnsupportedError
from iprog_async._providers.registry import provider_types
from iprog_async._routing.base import gateways_of
from iprog_async.cli._vendor import protocols


D = TypeVar("D")


@frozen
class Operation(Generic[D]):
    """One attribute of providers that offers operations of the vendor's own.

    Args:
        name: The attribute.
        words: What it is, for people.
        shape: The protocol that the attribute's value must have, as an object: checkers take
            no protocol for a class.
    """

    name: str
    words: str
    shape: object

    def holder(self, provider: Any) -> Any:
        """Return the gateway that has the operation: the provider, or the one member that has.

        Raises:
            UnsupportedError: None has, or several of a router's have.
        """
        able = [one for one in gateways_of(provider) if self._fits(one)]
        if len(able) == 1:
            return able[0]
        if able:
            names = ", ".join(one.name for one in able)
            raise UnsupportedError(
                f"several gateways of {provider.name} have {self.words}: {names}; "
                "choose one with --url"
            )
        raise UnsupportedError(
            f"{provider.name} has no {self.words}; gateways that have: {self._able() or 'none'}"
        )

    def of(self, provider: Any) -> D:
        """Return the operations of a provider, or of the one member of a router that has them.

        Raises:
            UnsupportedError: None has, or several of a router's have.
        """
        return cast("D", getattr(self.holder(provider), self.name))

    def _fits(self, gateway: object) -> bool:
        return isinstance(getattr(gateway, self.name, None), cast("type[Any]", self.shape))

    def _able(self) -> str:
        return ", ".join(name for name, cls in provider_types().items() if hasattr(cls, self.name))

    def id_of(self, given: str, provider: Any) -> str:
        """Return the gateway's id of a thing: also of a ref, which begins with its name.

        Args:
            given: An id, or a ref as commands print it, such as `iprog:reminder:42`.
            provider: The provider, or a router.
        """
        return given.removeprefix(f"{self.holder(provider).name}:")


OTP: Operation[protocols.OtpDesk] = Operation("otp", "one-time passwords", protocols.OtpDesk)
REMINDERS: Operation[protocols.ReminderDesk] = Operation(
    "reminders", "reminders", protocols.ReminderDesk
)
CAMPAIGNS: Operation[protocols.CampaignDesk] = Operation(
    "campaigns", "campaigns", protocols.CampaignDesk
)
MESSAGES: Operation[protocols.MessageDesk] = Operation(
    "messages", "list of messages", protocols.MessageDesk
)
CONTACTS: Operation[protocols.ContactDesk] = Operation(
    "contacts", "contacts", protocols.ContactDesk
)
KEYS: Operation[protocols.KeyDesk] = Operation("keys", "API keys to manage", protocols.KeyDesk)
ME: Operation[protocols.Me] = Operation("me", "record of the account", protocols.Me)
DETECT: Operation[protocols.Detect] = Operation("detect", "detection of networks", protocols.Detect)
