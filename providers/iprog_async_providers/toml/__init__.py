"""Any gateway that a TOML file describes, for the long tail; see `docs/gateways/toml.md`."""

from iprog_async.adapter import publish
from iprog_async_providers.toml._provider import HttpProvider


__all__ = ["HttpProvider"]

publish(globals())
