"""The built-in gateway adapters of iprog-async."""

from iprog_async_providers.africastalking import AfricasTalkingProvider
from iprog_async_providers.egosms import EgoSmsProvider
from iprog_async_providers.infopromo import (
    InfopromoHttpProvider,
    InfopromoOptions,
    InfopromoProvider,
    UltimateSmsHttpProvider,
    UltimateSmsProvider,
)
from iprog_async_providers.iprog import IprogOptions, IprogProvider
from iprog_async_providers.semaphore import SemaphoreProvider
from iprog_async_providers.smsgate import SmsGateProvider
from iprog_async_providers.toml import HttpProvider
from iprog_async_providers.ugsms import ApiKey, UgsmsV1Provider, UgsmsV2Provider


__all__ = [
    "AfricasTalkingProvider",
    "ApiKey",
    "EgoSmsProvider",
    "HttpProvider",
    "InfopromoHttpProvider",
    "InfopromoOptions",
    "InfopromoProvider",
    "IprogOptions",
    "IprogProvider",
    "SemaphoreProvider",
    "SmsGateProvider",
    "UgsmsV1Provider",
    "UgsmsV2Provider",
    "UltimateSmsHttpProvider",
    "UltimateSmsProvider",
]
