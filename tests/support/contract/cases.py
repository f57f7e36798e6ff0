"""The built-in adapters, as the contract sees them."""

from __future__ import annotations

from support.contract.africastalking import AFRICASTALKING
from support.contract.egosms import EGOSMS
from support.contract.infopromo import INFOPROMO, INFOPROMO_HTTP, ULTIMATESMS, ULTIMATESMS_HTTP
from support.contract.iprog import IPROG
from support.contract.semaphore import SEMAPHORE
from support.contract.smsgate import SMSGATE
from support.contract.toml import TOML
from support.contract.ugsms import UGSMS_V1, UGSMS_V2


CASES = (
    AFRICASTALKING,
    EGOSMS,
    INFOPROMO,
    INFOPROMO_HTTP,
    IPROG,
    SEMAPHORE,
    SMSGATE,
    TOML,
    UGSMS_V1,
    UGSMS_V2,
    ULTIMATESMS,
    ULTIMATESMS_HTTP,
)
# Adapters for one host and for any are the same code.
PRESETS = (ULTIMATESMS, ULTIMATESMS_HTTP)
