"""Credentials that an adapter finds in the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iprog_async._core.errors import ConfigurationError


def credentials_from_env(environ: Mapping[str, str], names: Sequence[str]) -> list[str] | None:
    """Return the values of variables that belong together; `None` where none of them is set.

    Args:
        environ: The environment.
        names: Of the variables.

    Raises:
        ConfigurationError: Some are set and others are not; it says which, and shows no value.
    """
    given = [environ.get(name, "").strip() for name in names]
    if not any(given):
        return None
    if not all(given):
        missing = names[given.index("")]
        raise ConfigurationError(f"{' and '.join(names)} belong together; set {missing}")
    return given
