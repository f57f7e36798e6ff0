"""IPROG SMS, Philippines: www.iprogsms.com; wire facts in docs/gateways/iprog-evidence.md."""

from iprog_async.adapter import publish
from iprog_async_providers.iprog._answers import Network
from iprog_async_providers.iprog._otp import Otp
from iprog_async_providers.iprog._otp_answers import OtpCheck, OtpTicket
from iprog_async_providers.iprog._provider import IprogOptions, IprogProvider
from iprog_async_providers.iprog._reminders import Reminder, Reminders


__all__ = [
    "IprogOptions",
    "IprogProvider",
    "Network",
    "Otp",
    "OtpCheck",
    "OtpTicket",
    "Reminder",
    "Reminders",
]

publish(globals())
