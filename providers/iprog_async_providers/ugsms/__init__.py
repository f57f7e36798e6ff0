"""UGSMS, Uganda: https://ugsms.com; wire facts in docs/gateways/ugsms-evidence.md."""

from iprog_async.adapter import publish
from iprog_async_providers.ugsms._keys import ApiKey
from iprog_async_providers.ugsms._v1 import UgsmsV1Provider
from iprog_async_providers.ugsms._v2 import UgsmsV2Provider


__all__ = ["ApiKey", "UgsmsV1Provider", "UgsmsV2Provider"]

publish(globals())
