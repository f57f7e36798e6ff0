"""IPROG SMS, Philippines: https://www.iprogsms.com; wire facts in docs/gateways/iprog.md."""

from iprog_async_providers.iprog._provider import IprogOptions, IprogProvider


__all__ = ["IprogOptions", "IprogProvider"]
