"""The claims of the contract, by subject."""

from iprog_async.testing._claims._certainty import CertaintyClaims
from iprog_async.testing._claims._preparing import PreparingClaims
from iprog_async.testing._claims._proof import ProofClaims
from iprog_async.testing._claims._registry import RegistryClaims
from iprog_async.testing._claims._secrecy import SecrecyClaims
from iprog_async.testing._claims._sending import SendingClaims
from iprog_async.testing._claims._waiting import WaitingClaims


__all__ = [
    "CertaintyClaims",
    "PreparingClaims",
    "ProofClaims",
    "RegistryClaims",
    "SecrecyClaims",
    "SendingClaims",
    "WaitingClaims",
]
