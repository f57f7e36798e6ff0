"""The words by which people ask not to be texted any more, or again: data, and how it is read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal

from attrs import evolve, field, frozen

from iprog_async._core.errors import ConfigurationError


Wish = Literal["stop", "start"]
"""What a text asks for."""


@frozen
class Language:
    """The words of one language, in one spelling; how they are written makes no difference.

    Args:
        name: Its name in English.
        stop: Words for "no more texts".
        start: Words for "texts again".
        source: Where the words are from.
    """

    name: str
    stop: tuple[str, ...]
    start: tuple[str, ...]
    source: str


_GUESS = "a guess: what the language says for it; no list of a gateway or an authority was found"

# Words that mean something else in an answer to a question, such as "yes", are in none of them:
# START words put somebody back on the list of people who are texted.
LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        "English",
        (
            *("STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"),
            *("OPTOUT", "OPT-OUT", "REVOKE"),
        ),
        ("START", "UNSTOP", "SUBSCRIBE"),
        "https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out, "
        "https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out/index",
    ),
    "fr": Language(
        "French",
        ("STOP", "ARRET", "DESABONNER"),
        ("REPRENDRE",),
        "https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html for ARRET; "
        f"the others {_GUESS}",
    ),
    "es": Language("Spanish", ("ALTO", "BAJA", "PARAR"), ("ALTA",), _GUESS),
    "pt": Language("Portuguese", ("PARAR", "SAIR"), ("VOLTAR",), _GUESS),
    "fil": Language(
        "Filipino", ("HINTO", "IHINTO", "TIGIL", "ITIGIL", "AYOKO NA"), ("ITULOY",), _GUESS
    ),
    "sw": Language("Swahili", ("ACHA", "SIMAMISHA", "SITISHA", "KOMESHA"), ("RUDISHA",), _GUESS),
    "id": Language("Indonesian", ("BERHENTI", "UNREG"), ("MULAI",), _GUESS),
}
"""By code; a new one is a row here."""


def fold(text: str) -> str:
    """Return a text as it is compared: its letters and digits, without case, accents and signs."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (char for char in plain if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in kept).split())


def _fold_all(words: Iterable[str]) -> frozenset[str]:
    if isinstance(words, str):
        # It would be read letter by letter.
        words = (words,)
    folded = frozenset(map(fold, words))
    if "" in folded:
        raise ConfigurationError("a stop word has to have a letter or a digit")
    return folded


@frozen
class StopWords:
    """Words that ask for no more texts, or for texts again: the whole text has to be one of them.

    Case, accents, punctuation and blanks make no difference: `"Stop."` is `STOP`, and
    `"please stop"` is not.

    Args:
        stop: Words after which a number is not texted any more.
        start: Words that take the number off the list.

    Raises:
        ConfigurationError: A word is empty, or means both.
    """

    stop: frozenset[str] = field(converter=_fold_all)
    start: frozenset[str] = field(converter=_fold_all, default=frozenset[str]())

    def __attrs_post_init__(self) -> None:
        if both := self.stop & self.start:
            raise ConfigurationError(
                f"{', '.join(sorted(both))}: a word can't ask both for no more texts and for more"
            )

    @classmethod
    def of(cls, *languages: str) -> StopWords:
        """Return the words of languages, by code; of all that are known without one.

        Args:
            languages: Such as `"en"`, `"fil"`, `"sw"`.

        Raises:
            ConfigurationError: There is no such language here.
        """
        unknown = [code for code in languages if code not in LANGUAGES]
        if unknown:
            raise ConfigurationError(
                f"there are no stop words for {', '.join(map(repr, unknown))}; there are some for "
                f"{', '.join(LANGUAGES)}, and StopWords(stop=…, start=…) takes any"
            )
        chosen = [LANGUAGES[code] for code in languages or LANGUAGES]
        return cls(
            stop=[word for language in chosen for word in language.stop],
            start=[word for language in chosen for word in language.start],
        )

    def adding(self, *, stop: Iterable[str] = (), start: Iterable[str] = ()) -> StopWords:
        """Return these words and some more.

        Raises:
            ConfigurationError: A word is empty, or means both.
        """
        return evolve(self, stop=self.stop | _fold_all(stop), start=self.start | _fold_all(start))

    def meaning(self, text: str) -> Literal["stop", "start"] | None:
        """Return what a text asks for: `"stop"`, `"start"`, or `None` for any other text."""
        folded = fold(text)
        if folded in self.stop:
            return "stop"
        return "start" if folded in self.start else None
