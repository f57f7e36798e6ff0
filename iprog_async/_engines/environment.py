"""Variables of the environment that connections depend on, as checked and as told to people."""

from __future__ import annotations

from attrs import frozen

from iprog_async._core.errors import ConfigurationError


@frozen
class Variable:
    """One variable that is set and read, checked; nothing in it holds a secret.

    Args:
        name: Its name.
        words: What it does.
        problem: What is wrong with it, and what to do; empty if nothing is.
        value: What it is set to, where that can hold no secret.
    """

    name: str
    words: str
    problem: str = ""
    value: str | None = None

    def error(self) -> ConfigurationError:
        """Return the error of whoever can't go on with it."""
        return ConfigurationError(f"{self.complaint()}. Nothing was sent")

    def complaint(self) -> str:
        """Return what is wrong with it, as the rest of a sentence."""
        shown = (
            " (its value is not shown: it may hold a password)"
            if self.value is None
            else f"={self.value[:200]!r}"
        )
        return f"{self.name}{shown} in the environment can't be used: {self.problem}"
