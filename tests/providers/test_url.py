from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import ConfigurationError
from iprog_async._providers.url import parse_address
from iprog_async.adapter import to_flag


@pytest.mark.parametrize(
    ("address", "username", "password", "host", "params"),
    [
        ("iprog://TOKEN@", "TOKEN", "", "", {}),
        (" iprog://TOKEN@\n", "TOKEN", "", "", {}),
        ("infopromo://1%7Cab%2F%3A%40%25@", "1|ab/:@%", "", "", {}),
        ("infopromo://1|ab@", "1|ab", "", "", {}),
        ("ugsms-v1://jo%40x.ug:p%3Aw@", "jo@x.ug", "p:w", "", {}),
        ("ugsms-v1://user:p@ss@host:81", "user", "p@ss", "host:81", {}),
        ("x://T@sms.example.com", "T", "", "sms.example.com", {}),
        ("x://T@sms.example.com:", "T", "", "sms.example.com", {}),
        ("x://T@[::1]:8000?a=1&b=", "T", "", "[::1]:8000", {"a": "1", "b": ""}),
        ("x://T@/?name=a%26b", "T", "", "", {"name": "a&b"}),
        ("x://@", "", "", "", {}),
    ],
)
def test_addresses_are_taken_apart(
    address: str, username: str, password: str, host: str, params: dict[str, str]
) -> None:
    """Credentials and settings are percent-decoded, the host is left alone."""
    url = parse_address(address)

    expected = (username, password, host, params)
    assert expected == (url.username, url.password, url.host, url.params)


@given(st.text(min_size=1), st.text())
def test_percent_encoded_credentials_come_back(username: str, password: str) -> None:
    """Any credential can be written, whatever characters it has."""
    username, password = (text.encode("utf-8", "replace").decode() for text in (username, password))
    url = parse_address(f"iprog://{quote(username, safe='')}:{quote(password, safe='')}@")

    assert (username, password) == (url.username, url.password)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "looks like"),
        ("S3CRET", "looks like"),
        ("S3CRET@iprog", "looks like"),
        ("Iprog://S3CRET@", "looks like"),
        ("iprog:S3CRET@", "looks like"),
        ("iprog://S3CRET", "no credential"),
        ("iprog://S3CRET/x@", "percent-encode"),
        ("iprog://S3CRET#x@", "percent-encode"),
        ("iprog://S3CRET@host/path", "percent-encode"),
        ("iprog://S3CRET?x@", "can't be parsed"),
        ("iprog://S3CRET[@", "can't be parsed"),
        ("iprog://S3CRET@host:port", "can't be parsed"),
        ("iprog://S3CRET@host:99999", "can't be parsed"),
        ("iprog://S3CRET@?name=a&name=b", "twice"),
    ],
)
def test_what_is_no_address_is_refused_without_showing_it(address: str, why: str) -> None:
    """The error says what is wrong, and never repeats what may be a credential."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        parse_address(address)

    assert "S3CRET" not in str(caught.value)


def test_repr_shows_no_credential() -> None:
    """The parsed address can be logged."""
    assert "S3CRET" not in repr(parse_address("iprog://S3CRET:S3CRET@host?name=S3CRET"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("x://T@", "https://default.example"),
        ("x://T@sms.example.com:444", "https://sms.example.com:444"),
        ("x://T@?base_url=http%3A%2F%2F127.0.0.1%3A8000%2Fx", "http://127.0.0.1:8000/x"),
    ],
)
def test_base_url_comes_from_setting_host_or_default(address: str, expected: str) -> None:
    """A setting wins over the host, the host over the gateway's own."""
    assert expected == parse_address(address).base_url("https://default.example")


def test_gateway_without_host_needs_one() -> None:
    """Where a gateway has no host of its own, the address must name it."""
    with pytest.raises(ConfigurationError, match="no default host"):
        parse_address("x://T@").base_url()


def test_settings_are_converted() -> None:
    """Each known setting becomes its type; `base_url` is read elsewhere."""
    url = parse_address("x://T@?max_batch=5&flag=yes&base_url=http://a")

    assert {"max_batch": 5, "flag": True} == url.settings(max_batch=int, flag=to_flag, name=str)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("max_batch=many", "max_batch='many'"),
        ("flag=maybe", "flag='maybe'"),
        ("colour=red", "no setting colour; it takes base_url, flag, max_batch"),
    ],
)
def test_bad_settings_are_named(query: str, why: str) -> None:
    """The error names the setting, and those that there are."""
    with pytest.raises(ConfigurationError, match=why):
        parse_address(f"x://T@?{query}").settings(max_batch=int, flag=to_flag)


def test_one_credential_is_not_two() -> None:
    """A colon in a token must be percent-encoded where there are no user names."""
    assert "a:b" == parse_address("x://a%3Ab@").credential()
    with pytest.raises(ConfigurationError, match="%3A"):
        parse_address("x://a:b@").credential()
