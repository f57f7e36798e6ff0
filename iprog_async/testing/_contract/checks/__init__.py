"""The claims of the contract, by subject."""

from iprog_async.testing._contract.checks.certainty import CertaintyClaims
from iprog_async.testing._contract.checks.preparing import PreparingClaims
from iprog_async.testing._contract.checks.proof import ProofClaims
from iprog_async.testing._contract.checks.registry import RegistryClaims
from iprog_async.testing._contract.checks.secrecy import SecrecyClaims
from iprog_async.testing._contract.checks.sending import SendingClaims
from iprog_async.testing._contract.checks.waiting import WaitingClaims


__all__ = [
    "CertaintyClaims",
    "PreparingClaims",
    "ProofClaims",
    "RegistryClaims",
    "SecrecyClaims",
    "SendingClaims",
    "WaitingClaims",
]
