from __future__ import annotations

import pytest
from attrs import field, frozen
from attrs.validators import optional

from iprog_async import ConfigurationError
from iprog_async.adapter import whole_number


@frozen
class _Settings:
    """Settings of somebody's provider."""

    size: int = field(default=1, validator=whole_number())
    digit: int | None = field(default=None, validator=optional(whole_number(0, 9)))


@pytest.mark.parametrize("settings", [{"size": 10**9}, {"digit": 0}, {"digit": 9}, {}])
def test_whole_numbers_in_bounds_are_taken(settings: dict[str, int]) -> None:
    """Both bounds are included; without a highest there is none."""
    made = _Settings(**settings)

    assert settings == {name: getattr(made, name) for name in settings}


@pytest.mark.parametrize("given", [0, -1, True, 1.0, "5", None])
def test_anything_else_is_told(given: object) -> None:
    """The error names the setting, what it may be and what it was."""
    with pytest.raises(ConfigurationError) as caught:
        _Settings(size=given)  # type: ignore[arg-type] # on purpose

    assert f"size is a whole number of at least 1, not {given!r}" == str(caught.value)


@pytest.mark.parametrize("given", [-1, 10, False])
def test_bounds_are_told(given: int) -> None:
    """With both, the error names both."""
    with pytest.raises(ConfigurationError) as caught:
        _Settings(digit=given)

    assert f"digit is a whole number from 0 to 9, not {given!r}" == str(caught.value)
