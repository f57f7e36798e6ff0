"""The built-in gateway adapters of iprog-async."""

from iprog_async_providers.iprog import IprogOptions, IprogProvider


__all__ = ["IprogOptions", "IprogProvider"]
