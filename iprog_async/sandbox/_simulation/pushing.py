"""What a phone of the sandbox answers: the gateway keeps it, and pushes it to an app."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.sealed import Secret
from iprog_async.sandbox._simulation.gateway import SandboxGateway
from iprog_async.sandbox._simulation.replies import ReceivedText
from iprog_async.sandbox._simulation.state import SandboxState


_TIMEOUT = 10.0


class Push:
    """Posts to one address, as a gateway does: once, whatever comes of it.

    Args:
        url: The address; its path is not shown, for a secret may be in it.

    Raises:
        ConfigurationError: It is no address of a server.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable():
            raise ConfigurationError(
                "the address to push to is written like http://127.0.0.1:8000/sms/SECRET"
            )
        self._url = Secret(url.strip())
        self.shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
        """The address as people may see it."""

    def post(self, fields: Mapping[str, object]) -> int | None:
        """Post JSON, and return the HTTP status of the answer; `None` if there was none."""
        # Imported late: it takes a fifth of a sandbox's start, and few of them push.
        import httpx

        headers = {"Content-Type": "application/json"}
        request = httpx.Request(
            "POST",
            str(self._url),
            content=json.dumps(fields).encode(),
            headers=headers,
            extensions={"timeout": httpx.Timeout(_TIMEOUT).as_dict()},
        )
        try:
            # The transport alone: the client above it logs whole addresses.
            with httpx.HTTPTransport() as transport:
                answer = transport.handle_request(request)
                answer.read()
                answer.close()
        except httpx.HTTPError:
            return None
        return answer.status_code


class Pushing:
    """Takes the texts of phones, and pushes them where the app listens.

    Args:
        state: Where they are kept.
        gateways: The gateways; adapters of one vendor share a prefix.
        url: Where to push to.

    Raises:
        ConfigurationError: The address is none.
    """

    def __init__(
        self, state: SandboxState, gateways: Sequence[SandboxGateway], url: str | None
    ) -> None:
        self._state = state
        self._fields = {g.prefix: g.push for g in gateways if g.push is not None}
        self._push = None if url is None else Push(url)

    @property
    def shown(self) -> str | None:
        """Where it pushes to, as people may see it."""
        return None if self._push is None else self._push.shown

    def set_url(self, url: str | None) -> None:
        """Push to another address from now on, or nowhere.

        Raises:
            ConfigurationError: The address is none.
        """
        self._push = None if url is None else Push(url)
        self._state.revision.bump()

    def can_reply(self, gateway: str) -> bool:
        """Return whether a gateway has incoming texts at all."""
        return gateway in self._fields

    def reply(self, gateway: str, sender: str, to: str, text: str) -> ReceivedText:
        """Take a text from a phone, and push it, as long as that takes.

        Args:
            gateway: Prefix of the gateway.
            sender: The number of the phone.
            to: What the phone answers to.
            text: What it says.

        Raises:
            ConfigurationError: The gateway has no incoming texts, or the text is empty.
        """
        fields_of = self._fields.get(gateway)
        if fields_of is None:
            having = ", ".join(self._fields) or "none"
            raise ConfigurationError(
                f"{gateway} has no incoming texts that are known of; these have: {having}"
            )
        if not text.strip():
            raise ConfigurationError("the text is empty")
        received = self._state.receive(gateway, sender, to, text)
        if self._push is None:
            return received
        pushed = received.pushed(self._push.post(fields_of(received)))
        self._state.note_answer(pushed)
        return pushed
