"""Which sender ID a text gets, by the country of its number."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._core.messages import check_sender_id
from iprog_async._core.phones import facts_of, to_known_region


SenderIdSetting = str | Mapping[str | None, str]
"""One sender ID for all texts, or one for each country, by its two letters; `None` is the rest."""


@frozen
class SenderIds:
    """Sender IDs of texts that have none of their own.

    Args:
        by_region: The sender ID of each country's numbers, by its two letters.
        others: That of all other numbers; the account's own if `None`.
    """

    by_region: Mapping[str, str]
    others: str | None = None

    def of(self, e164: str) -> str | None:
        """Return the sender ID for a number; `None` leaves it to the account."""
        if not self.by_region:
            return self.others
        return self.by_region.get(facts_of(e164).region, self.others)


def read_sender_ids(setting: SenderIdSetting | None) -> SenderIds | None:
    """Read what users pass as `sender_id=` to a client or a run.

    Raises:
        ConfigurationError: A sender ID can't be one, a country is not two letters, or no number
            is of it.
    """
    if setting is None:
        return None
    given = setting if isinstance(setting, Mapping) else {None: setting}
    try:
        read = {to_known_region(region): check_sender_id(value) for region, value in given.items()}
    except InvalidMessageError as exc:
        raise ConfigurationError(str(exc)) from None
    except AttributeError:
        raise ConfigurationError(
            "sender_id= has a country that is no text; countries are two letters, such as 'PH', "
            "and None stands for all others"
        ) from None
    others = read.pop(None, None)
    return SenderIds({str(region): value for region, value in read.items()}, others)
