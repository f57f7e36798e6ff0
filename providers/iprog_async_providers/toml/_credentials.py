"""Credentials in a gateway's file: names of environment variables, and never their values."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Self

from attrs import field, frozen

from iprog_async import ConfigurationError
from iprog_async.adapter import Secret, clean_secret


_NAME = re.compile(r"\$([A-Z_][A-Z0-9_]*)")
# `App $KEY`, `shop:$KEY`, `$USER:$PASSWORD`: words may stand before the variables, apart from them.
_VARIABLES = rf"{_NAME.pattern}(?:[^$\w]*{_NAME.pattern})*[^$\w]*"
_WHOLE = re.compile(rf"(?:[^$]*[^$\w-])?{_VARIABLES}")
_BASIC = re.compile(rf"(?:[^$:]+:)?{_VARIABLES}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@frozen
class Credential:
    """A text with names of environment variables in it, such as `AccessKey $ACME_SMS_KEY`."""

    template: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read such a text; raises `ValueError`, which does not show it, if it is none."""
        if not _WHOLE.fullmatch(text):
            raise ValueError(
                "a credential is the name of an environment variable, such as $ACME_SMS_KEY, with "
                "nothing but words before it, as in App $ACME_SMS_KEY; never write the credential "
                "itself, or a part of it, into the file (what was written is not shown)"
            )
        return cls(text)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the variables, in order."""
        return tuple(_NAME.findall(self.template))

    def filled(self, values: Mapping[str, str]) -> Secret:
        """Return the text with the values of its variables."""
        return Secret(_NAME.sub(lambda name: str(values[name[1]]), self.template))


def _check_headers(_: object, __: object, headers: Mapping[str, Credential]) -> None:
    if not all(map(_HEADER.fullmatch, headers)):
        # It is not shown: who writes a whole field there has written its value, too.
        raise ValueError("headers has a key that can't be the name of a header field")


@frozen(kw_only=True)
class Auth:
    """Where an account's credentials travel.

    Args:
        bearer: In the header field `Authorization`, after `Bearer`.
        basic: In `Authorization` as user name and password: `$ACME_USER:$ACME_PASSWORD`.
        headers: In header fields of these names.
        fields: In fields beside the text: of the body, or of the query where there is no body.
        query: In the query of every request.
    """

    bearer: Credential | None = None
    basic: Credential | None = None
    headers: Mapping[str, Credential] = field(
        factory=dict[str, Credential], validator=_check_headers
    )
    fields: Mapping[str, Credential] = field(factory=dict[str, Credential])
    query: Mapping[str, Credential] = field(factory=dict[str, Credential])

    def __attrs_post_init__(self) -> None:
        if not self.names:
            raise ValueError(
                "there is no credential; give one of bearer, basic, headers, fields, query"
            )
        if self.bearer is not None and self.basic is not None:
            raise ValueError("bearer and basic are the same header field; give one of them")
        if self.basic is not None and not _BASIC.fullmatch(self.basic.template):
            raise ValueError(
                "the password of basic is the name of an environment variable and nothing else"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that the account needs, each once, in order."""
        single = [each for each in (self.bearer, self.basic) if each is not None]
        several = (self.headers, self.fields, self.query)
        given = [*single, *(each for mapping in several for each in mapping.values())]
        return tuple(dict.fromkeys(name for each in given for name in each.names))

    @property
    def in_header(self) -> frozenset[str]:
        """Those of the variables whose values have to fit into a header field."""
        single = [self.bearer] if self.bearer is not None else []
        return frozenset(name for each in (*single, *self.headers.values()) for name in each.names)

    def header_fields(self, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the header fields with credentials."""
        found: list[tuple[str, str]] = [
            (name, each.filled(values)) for name, each in self.headers.items()
        ]
        if self.bearer is not None:
            found.append(("Authorization", "Bearer " + self.bearer.filled(values)))
        if self.basic is not None:
            found.append(("Authorization", "Basic " + _in_base64(self.basic.filled(values))))
        return tuple(found)

    def secrets(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Return what has to be masked, in each form in which it travels."""
        coded = () if self.basic is None else (_in_base64(self.basic.filled(values)),)
        return (*values.values(), *coded)


def _in_base64(secret: Secret) -> Secret:
    return Secret(base64.b64encode(secret.encode()).decode())


def look_up(
    auth: Auth, environ: Mapping[str, str], given: Mapping[str, str], place: str
) -> dict[str, Secret]:
    """Return the values of an account's variables.

    Args:
        auth: Which variables there are.
        environ: The environment.
        given: Values that go before those of the environment.
        place: The file, for the error.

    Raises:
        ConfigurationError: One is not set, or can't travel; no value is shown.
    """
    if missing := [name for name in auth.names if not (given.get(name) or environ.get(name))]:
        raise ConfigurationError(
            f"{place} needs {' and '.join(missing)}: set it in the environment"
            if len(missing) == 1
            else f"{place} needs {' and '.join(missing)}: set them in the environment"
        )
    return {
        name: clean_secret(given.get(name) or environ[name], name, header=name in auth.in_header)
        for name in auth.names
    }
