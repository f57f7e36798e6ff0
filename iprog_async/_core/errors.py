"""Every error this library raises, and what each says about the text.

```
SmsError                        .may_have_been_sent  .healable  .blame
├── ConfigurationError          credentials or settings missing or wrong, before any network
├── InvalidMessageError         bad number, empty text, … before any network (also a ValueError)
│   ├── DuplicateMessageError   the same text to the same number, earlier in the same run
│   │   └── NumberRepeatedError another text to the same number, where each gets one
│   ├── SuppressedError         a number that is never to be texted
│   └── JournalConflictError    another message to the same number, in an earlier run
├── UnsupportedError            this provider has no such operation
├── ClientClosedError           the client was closed
├── WrongLoopError              the client can't be used on the event loop that runs
├── JournalError                the journal can't be used, so nothing is sent
├── SuppressionsError           the list of suppressed numbers can't be used, so nothing is sent
├── RunHaltedError              a bulk run stopped itself before this message's turn
├── CreditLimitError            a bulk run reached its max_credits
├── DeliveryFailedError         a gateway takes texts, and says at once that they failed
├── PolicyError                 a policy failed, so the text was not sent
├── PolicyRefusedError          a policy does not allow the text
├── SendLaterError              a policy allows the text later: .until
│   └── LimitExceededError      a number, or everybody, had as much as it may: .limit
├── ExpiredError                a text's not_after came before it could be sent: .not_after
├── ConnectionFailedError       the request certainly did not leave
├── NoAnswerError               a read, change or delete got no trustworthy answer
├── OutcomeUnknownError         a send left and no trustworthy answer came: may_have_been_sent
│   └── JournalUnknownError     the journal can't say what others sent (also a JournalError)
├── WaitTimeoutError            .receipt .last_status (it is in receipts.py)
└── ProviderError               the gateway answered, and certainly refused
    ├── AuthenticationError
    ├── InsufficientCreditError
    │   └── (both of the above) CredentialsOrCreditError
    ├── RejectedError
    ├── RateLimitError          .retry_after
    └── NotFoundError
```
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal


Blame = Literal["account", "message", "recipient"]
"""What caused a refusal: the account (every message would meet it), the message, or one number."""


class SmsError(Exception):
    """Base of all errors of this library.

    `may_have_been_sent` says whether a text may have reached a phone; only where it is
    `False` is it safe to send again. `healable` says that a later try, or another gateway,
    could succeed. `blame` says whose fault it was.
    """

    may_have_been_sent: ClassVar[bool] = False
    healable: bool = False
    blame: Blame = "message"

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only constructors break the default pickling, and errors cross processes.
        return type(self).__new__, (type(self), *self.args), self.__dict__


class ConfigurationError(SmsError):
    """Credentials or settings are missing or wrong; nothing was sent."""

    blame: Blame = "account"


class InvalidMessageError(SmsError, ValueError):
    """The message can't be sent as it is (number, text, sender ID, …); nothing was sent."""


class DuplicateMessageError(InvalidMessageError):
    """The same text for the same number came earlier in this run; nothing was sent.

    Args:
        first_index: Index of the message that is sent instead.
    """

    def __init__(self, first_index: int) -> None:
        super().__init__(
            f"the same text for the same number is message {first_index} of this run; "
            f"give one of them a key= if both are meant"
        )
        self.first_index = first_index


class NumberRepeatedError(DuplicateMessageError):
    """Another text for the same number came earlier in this run, which has one for each.

    Nothing was sent; see `one_per_number=` of `send_many`.

    Args:
        first_index: Index of the message that is sent instead.
    """

    def __init__(self, first_index: int) -> None:
        InvalidMessageError.__init__(
            self, f"this number gets message {first_index} of this run, and one text is enough"
        )
        self.first_index = first_index


class SuppressedError(InvalidMessageError):
    """The caller said that this number is never to be texted; nothing was sent.

    Args:
        number: The number, as E.164.
    """

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is among the numbers to suppress")
        self.number = number


class UnsupportedError(SmsError):
    """The provider has no such operation; nothing was sent."""


class ClientClosedError(SmsError):
    """The client or its pool was closed; nothing was sent."""

    blame: Blame = "account"


class WrongLoopError(SmsError):
    """The client can't be used on the event loop that runs here; nothing was sent."""

    blame: Blame = "account"


class JournalError(SmsError):
    """The journal can't be used, so nothing is sent: it could not be put on record.

    Where an earlier run, or another process, may have sent the text, it is a `JournalUnknownError`.
    """

    blame: Blame = "account"


class SuppressionsError(SmsError):
    """The numbers that must not be texted can't be looked up, so nothing is sent."""

    blame: Blame = "account"


class JournalConflictError(InvalidMessageError):
    """An earlier run sent this number another text, or maybe the same; nothing was sent.

    Args:
        number: The number, as E.164.
        what: What the journal has.
    """

    def __init__(self, number: str, what: str = "") -> None:
        what = what or f"an earlier run of this campaign sent {number} another text"
        super().__init__(
            f"{what}. Nothing was sent now; if it shall get both, open the journal with "
            "allow_changed_text=True"
        )
        self.number = number


class RunHaltedError(SmsError):
    """A bulk run stopped itself, and sent nothing after that.

    As the error of a message it says that this run has not sent it; where an earlier one may have,
    the outcome is unknown.

    Args:
        cause: The error every further message would have met, or the last of many unknowns.
        unknown: How many of its texts may have been sent, or may not.
    """

    healable = True
    blame: Blame = "account"
    unknown: int = 0

    def __init__(self, cause: SmsError, unknown: int = 0) -> None:
        doubt = f"{unknown} of its texts may have been sent. " if unknown else ""
        super().__init__(f"the run stopped by itself: {cause}. {doubt}It has sent nothing since")
        self.cause = cause
        self.unknown = unknown


class CreditLimitError(SmsError):
    """A bulk run reached its `max_credits`, and sends nothing more.

    Args:
        limit: The most credits it may spend.
        spent: The credits that it has spent: a credit for each segment, or more where the
            gateway says that it took more.
    """

    healable = True
    blame: Blame = "account"

    def __init__(self, limit: int, spent: Decimal | int) -> None:
        super().__init__(
            f"the next text would go beyond max_credits: {spent:f} of {limit} credits are spent"
        )
        self.limit = limit
        self.spent = spent


class DeliveryFailedError(SmsError):
    """A bulk run met too many texts that were accepted and reported as failed, one after another.

    Those are accepted, most likely paid for, and reached nobody as far as the gateway knows;
    the run sends nothing more.

    Args:
        count: How many it were, one after the other.
        provider: Name of the provider that accepted the last of them.
        reason: The gateway's own word for it.
    """

    blame: Blame = "account"

    def __init__(self, count: int, *, provider: str, reason: str) -> None:
        words = f" ({reason})" if reason else ""
        super().__init__(
            f"{provider}: {count} texts in a row were accepted, and the gateway reports each of "
            f"them as failed{words}; look at the account, its sender ID and its credit"
        )
        self.count = count
        self.provider = provider
        self.reason = reason


class PolicyError(SmsError):
    """A policy failed, so nobody knows whether the text may be sent; it was not.

    Args:
        policy: Name of the policy.
        problem: What it did instead of deciding.
    """

    healable = True

    def __init__(self, policy: str, problem: str) -> None:
        super().__init__(f"the policy {policy} {problem}. The text was not sent")
        self.policy = policy
        self.problem = problem


class PolicyRefusedError(SmsError):
    """A policy does not allow the text; nothing was sent.

    Args:
        policy: Name of the policy.
        reason: Its own words.
    """

    def __init__(self, policy: str, reason: str) -> None:
        super().__init__(f"the policy {policy} does not allow this text: {reason}. It was not sent")
        self.policy = policy
        self.reason = reason


class SendLaterError(SmsError):
    """A policy does not allow the text yet; nothing was sent. `until` says when it is time.

    Args:
        message: One sentence for the person who reads it.
        until: From when on it may be sent, as an aware `datetime`, as far as is known now.
    """

    healable = True

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class LimitExceededError(SendLaterError):
    """A number, or everybody, had as many texts, codes or credits as it may; nothing was sent.

    Args:
        message: One sentence for the person who reads it.
        until: When there is room again, if nobody takes it before.
        limit: The client's limit, such as `"per_number=5/day"`, if it is one.
        blame: The account, where every text would meet it: a run halts then.
    """

    def __init__(
        self, message: str, *, until: datetime, limit: str = "", blame: Blame = "message"
    ) -> None:
        super().__init__(message, until=until)
        self.limit = limit
        self.blame = blame


class ExpiredError(SmsError):
    """The text's `not_after` came before it could be sent; it certainly was not sent.

    Args:
        not_after: Until when it was to leave; in UTC if it has no time zone.
        why: What kept it, in a few words.
    """

    def __init__(self, not_after: datetime, why: str = "") -> None:
        if not_after.utcoffset() is None:
            # It is compared with those of messages, all of which have one.
            not_after = not_after.replace(tzinfo=UTC)
        when = not_after.isoformat(sep=" ", timespec="seconds")
        super().__init__(
            f"the text expired before it could be sent: it was to leave by {when} (not_after)"
            f"{f', and {why}' if why else ''}. It was not sent"
        )
        self.not_after = not_after
        self.why = why


class ConnectionFailedError(SmsError):
    """The request certainly did not leave (DNS, refused, TLS, deadline in the queue)."""

    healable = True


class NoAnswerError(SmsError):
    """A read, change or delete got no trustworthy answer; it sends nothing, so ask again."""

    healable = True


class OutcomeUnknownError(SmsError):
    """A send left and no trustworthy answer came back: the text may be on its way.

    `reason` is what was seen; `references` are ids the gateway gave, if any. `not_resent` is why it
    was not sent this time, where only an earlier attempt, or another sender of the same journal,
    may have sent it. To ask for it again through the journal repeats nothing.
    """

    may_have_been_sent: ClassVar[bool] = True
    not_resent: SmsError | None = None

    def __init__(
        self, message: str, *, provider: str, reason: str, references: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.reason = reason
        self.references = references


class JournalUnknownError(OutcomeUnknownError, JournalError):
    """The journal can't say whether somebody else has sent the text, so it was not sent this time.

    An earlier run may have sent it, or another sender of the same journal: ask the journal again
    before it is sent in any other way, which repeats nothing. `not_resent` is why it was not sent
    this time.
    """

    blame: Blame = "message"


class ProviderError(SmsError):
    """The gateway answered and certainly refused: nothing was sent.

    Args:
        message: One sentence for the person who reads it.
        provider: Name of the provider that refused.
        http_status: HTTP status of the answer.
        code: The gateway's own code, as text, where it has one.
        reason: The gateway's own words, with secrets masked.
        raw: The parsed answer, with secrets masked.
        healable: Whether a later try or another gateway could succeed.
        blame: Whether the account, the message or one recipient caused it.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        http_status: int | None = None,
        code: str | None = None,
        reason: str = "",
        raw: object = None,
        healable: bool | None = None,
        blame: Blame | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.http_status = http_status
        self.code = code
        self.reason = reason
        self.raw = raw
        if healable is not None:
            self.healable = healable
        if blame is not None:
            self.blame = blame


class AuthenticationError(ProviderError):
    """The gateway does not accept the credentials."""

    healable = True
    blame: Blame = "account"


class InsufficientCreditError(ProviderError):
    """The account has too little credit, or no plan that allows this."""

    healable = True
    blame: Blame = "account"


class CredentialsOrCreditError(AuthenticationError, InsufficientCreditError):
    """The gateway uses one sentence for a wrong token and for an empty account."""


class RejectedError(ProviderError):
    """The gateway refused this message or request."""


class RateLimitError(ProviderError):
    """The gateway asks to slow down, for longer than the retry policy waits.

    `retry_after` is the number of seconds it asked for, or `None` where it did not say.
    """

    healable = True
    blame: Blame = "account"

    def __init__(self, message: str, *, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class NotFoundError(ProviderError):
    """There is no such thing at the gateway, or no such address."""
