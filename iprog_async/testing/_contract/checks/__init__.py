"""The checks of the contract, by subject."""

from iprog_async.testing._contract.checks.certainty import CertaintyChecks
from iprog_async.testing._contract.checks.preparing import PreparingChecks
from iprog_async.testing._contract.checks.proof import ProofChecks
from iprog_async.testing._contract.checks.registry import RegistryChecks
from iprog_async.testing._contract.checks.secrecy import SecrecyChecks
from iprog_async.testing._contract.checks.sending import SendingChecks
from iprog_async.testing._contract.checks.waiting import WaitingChecks


__all__ = [
    "CertaintyChecks",
    "PreparingChecks",
    "ProofChecks",
    "RegistryChecks",
    "SecrecyChecks",
    "SendingChecks",
    "WaitingChecks",
]
