"""Send SMS from asyncio through cheap regional gateways, without ever texting anyone twice."""

from iprog_async._bulk.characters import CostlyCharacter
from iprog_async._bulk.gsm7_saving import Gsm7Saving
from iprog_async._bulk.plan import BulkPlan
from iprog_async._bulk.progress import Counts
from iprog_async._bulk.recipients import SeveralTexts
from iprog_async._bulk.run import BulkRun
from iprog_async._bulk.source import Messages
from iprog_async._bulk.spending import PriceDifference
from iprog_async._bulk.suppression import Suppress
from iprog_async._client.client import SmsClient
from iprog_async._client.following.report import FollowUp
from iprog_async._client.from_config import provider_from_env, provider_from_url
from iprog_async._core import public
from iprog_async._core.clock import Clock
from iprog_async._core.errors import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    CredentialsOrCreditError,
    CreditLimitError,
    DeliveryFailedError,
    DuplicateMessageError,
    ExpiredError,
    InsufficientCreditError,
    InvalidMessageError,
    JournalConflictError,
    JournalError,
    JournalUnknownError,
    LimitExceededError,
    NoAnswerError,
    NotFoundError,
    NumberRepeatedError,
    OutcomeUnknownError,
    PolicyError,
    PolicyRefusedError,
    ProviderError,
    RateLimitError,
    RejectedError,
    RunHaltedError,
    SendLaterError,
    SmsError,
    SuppressedError,
    SuppressionsError,
    UnsupportedError,
    WrongLoopError,
)
from iprog_async._core.gsm7.look_alikes import ChangeKind
from iprog_async._core.gsm7.replacement import EncodingSetting, Gsm7, Gsm7Change, Gsm7Text, to_gsm7
from iprog_async._core.inbound import Inbound
from iprog_async._core.messages import Message
from iprog_async._core.observers import AttemptEnded, Observer, SendEnded, SubmissionEnded
from iprog_async._core.outcomes import Accepted, NotSent, Outcome, Unknown
from iprog_async._core.rates import Rate
from iprog_async._core.receipts import (
    Balance,
    DeliveryState,
    DeliveryStatus,
    Receipt,
    WaitTimeoutError,
)
from iprog_async._core.segments import Encoding, Segments, count_segments
from iprog_async._http.pool import EngineName, HttpPool
from iprog_async._http.retry import RetryPolicy
from iprog_async._journal.entries import EntryState, ExportFormat, JournalEntry
from iprog_async._journal.journal import Journal
from iprog_async._journal.reader import JournalReader
from iprog_async._journal.reconcile import (
    ListedMessage,
    MessageList,
    Reconciliation,
    SupportsMessageList,
)
from iprog_async._policies.decisions import (
    Allow,
    Decision,
    Outgoing,
    Policy,
    PolicyLike,
    Refuse,
    Rewrite,
    WaitUntil,
)
from iprog_async._policies.send_between import WhenQuiet
from iprog_async._providers.protocols import (
    SmsProvider,
    SupportsBalance,
    SupportsBalances,
    SupportsStatus,
)
from iprog_async._providers.registry import provider_types
from iprog_async._routing.circuit_breaker import BreakerPolicy
from iprog_async._routing.routers import Choice, Failover, RoundRobin, Routed
from iprog_async._sending.sender_ids import SenderIdSetting
from iprog_async._sending.template import Template
from iprog_async._suppressions.entries import Suppression, SuppressionChange
from iprog_async._suppressions.keywords import StopWords
from iprog_async._suppressions.suppressions import Imported, Suppressions


__all__ = [
    "Accepted",
    "Allow",
    "AttemptEnded",
    "AuthenticationError",
    "Balance",
    "BreakerPolicy",
    "BulkPlan",
    "BulkRun",
    "ChangeKind",
    "Choice",
    "ClientClosedError",
    "Clock",
    "ConfigurationError",
    "ConnectionFailedError",
    "CostlyCharacter",
    "Counts",
    "CredentialsOrCreditError",
    "CreditLimitError",
    "Decision",
    "DeliveryFailedError",
    "DeliveryState",
    "DeliveryStatus",
    "DuplicateMessageError",
    "Encoding",
    "EncodingSetting",
    "EngineName",
    "EntryState",
    "ExpiredError",
    "ExportFormat",
    "Failover",
    "FollowUp",
    "Gsm7",
    "Gsm7Change",
    "Gsm7Saving",
    "Gsm7Text",
    "HttpPool",
    "Imported",
    "Inbound",
    "InsufficientCreditError",
    "InvalidMessageError",
    "Journal",
    "JournalConflictError",
    "JournalEntry",
    "JournalError",
    "JournalReader",
    "JournalUnknownError",
    "LimitExceededError",
    "ListedMessage",
    "Message",
    "MessageList",
    "Messages",
    "NoAnswerError",
    "NotFoundError",
    "NotSent",
    "NumberRepeatedError",
    "Observer",
    "Outcome",
    "OutcomeUnknownError",
    "Outgoing",
    "Policy",
    "PolicyError",
    "PolicyLike",
    "PolicyRefusedError",
    "PriceDifference",
    "ProviderError",
    "Rate",
    "RateLimitError",
    "Receipt",
    "Reconciliation",
    "Refuse",
    "RejectedError",
    "RetryPolicy",
    "Rewrite",
    "RoundRobin",
    "Routed",
    "RunHaltedError",
    "Segments",
    "SendEnded",
    "SendLaterError",
    "SenderIdSetting",
    "SeveralTexts",
    "SmsClient",
    "SmsError",
    "SmsProvider",
    "StopWords",
    "SubmissionEnded",
    "SupportsBalance",
    "SupportsBalances",
    "SupportsMessageList",
    "SupportsStatus",
    "Suppress",
    "SuppressedError",
    "Suppression",
    "SuppressionChange",
    "Suppressions",
    "SuppressionsError",
    "Template",
    "Unknown",
    "UnsupportedError",
    "WaitTimeoutError",
    "WaitUntil",
    "WhenQuiet",
    "WrongLoopError",
    "count_segments",
    "provider_from_env",
    "provider_from_url",
    "provider_types",
    "to_gsm7",
]

public.publish(globals())
public.know_former_modules()
