"""What a gateway's file can say, and how its mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.contract.toml import FILES

from iprog_async import ConfigurationError, SmsClient, provider_from_url
from iprog_async_providers import HttpProvider


ACME = (FILES / "acme.toml").read_text(encoding="utf-8")
KEY = {"ACME_SMS_KEY": "k3y-k3y"}


def refusal(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> str:
    """Return the words of the error that a file is refused with, without its folder."""
    path = tmp_path / "acme.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        HttpProvider.from_toml(path, environ=KEY if environ is None else environ)
    return str(caught.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("line", "instead", "words"),
    [
        ('name = "acme"\n', "", "acme.toml: name: is missing"),
        ('path = "/v1/texts"\n', "", "acme.toml: send.path: is missing"),
        ('path = "/v1/texts"', 'path = "v1/texts"', "send: path begins with a slash"),
        ('path = "/v1/texts"', "path = 5", "send.path: is no text"),
        ('text = "text"', 'texts = "text"', "send: there is no texts here; there is path, number"),
        ('text = "text"', 'text = "to"', "acme.toml: /to can't be put beside the other fields"),
        (
            'title = "Acme SMS"',
            'titel = "Acme"',
            "there is no titel here; there is name",
        ),
        ('"digits"', '"e164"', "send.number_format: is one of E.164, digits, national"),
        ('text = "text"', 'text = "text"\nmethod = "GET"', "send: a GET has no body"),
        ('id = "/data/id"', 'id = "data.id"', "accepted.id: 'data.id' is no JSON pointer"),
        ("status = [200, 201]", "status = [200, 404]", "accepted: status is one or more HTTP"),
        ("status = [200, 201]", "status = 200.5", "accepted.status: is no whole number"),
        ("status = 401", "status = 503", "refused[0]: status is one or more HTTP statuses below"),
        ('"Unknown key"', '"Unknown key"\npattern = "x"', "refused[0]: give words or a pattern"),
        ('words = "Unknown key"', 'pattern = "Unknown.*"', "refused[0]: pattern has a wildcard"),
        ('words = "Unknown key"', 'pattern = "(a"', "refused[0]: pattern is no regular expression"),
        ('words = "Unknown key"\n', "", "refused[0]: give words, or a pattern: a status alone"),
        (
            'error = "credit"',
            'error = "money"',
            "refused[1].error: is one of authentication",
        ),
        ('text = "text"', 'text = "/a/text"\nbody = "form"', 'send: only body = "json" has fields'),
        ('words = "/error"', 'words = "/*/error"', "errors: * stands for the last key"),
        ('words = "/error"', 'words = "/errors/0"', "errors: lists are looked through"),
        ('"/state" = "error"', '"/a/b" = "error"', "errors: where names values at the top"),
        ('region = "PH"', 'region = "Philippines"', "region: region 'Philippines' is not two"),
        ('region = "PH"', 'rate = "fast"', "rate: 'fast' is no rate"),
        ("/v1/texts/{id}", "/v1/texts", "status: path has {id}"),
        ('name = "acme"', 'name = "a:b"', "acme.toml: name is one word"),
        ('base_url = "https://sms.acme.example"', 'base_url = "acme"', "base_url 'acme' is no"),
        ("[errors]", "[errors", "acme.toml is no TOML: "),
    ],
)
def test_a_mistake_is_told_by_its_key(tmp_path: Path, line: str, instead: str, words: str) -> None:
    """The error names the file and the key, and says what is allowed there."""
    assert line in ACME

    assert words in refusal(tmp_path, ACME.replace(line, instead, 1))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Nobody has to start the program once for each."""
    text = ACME.replace("[200, 201]", '"200"').replace('"digits"', '"e164"')

    words = refusal(tmp_path, text)

    assert "send.number_format: is one of" in words
    assert "accepted.status: is no whole number" in words


@pytest.mark.parametrize("written", ["S3CRET-key", "Bearer S3CRET", "$lower", "a$$B"])
def test_a_credential_in_the_file_is_refused_and_not_shown(tmp_path: Path, written: str) -> None:
    """A file is shared, a credential is not: it is the name of a variable."""
    words = refusal(tmp_path, ACME.replace("$ACME_SMS_KEY", written))

    assert "auth.bearer: a credential is the name of an environment variable" in words
    assert written not in words


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ("", "auth: there is no credential"),
        ('bearer = "$A"\nbasic = "$A:$B"', "auth: bearer and basic are the same header field"),
        ('headers = { "X Key" = "$A" }', "auth: headers has a key that can't be the name of"),
        ('headers = "$A"', "auth.headers: is no table"),
    ],
)
def test_a_wrong_place_of_a_credential_is_told(tmp_path: Path, auth: str, words: str) -> None:
    """Where credentials travel is checked like the rest."""
    assert words in refusal(tmp_path, ACME.replace('bearer = "$ACME_SMS_KEY"', auth))


@pytest.mark.parametrize(
    "words",
    [
        "words = []",
        'words = ""',
        "words = ' . '",
        "words = '...!'",
        "words = ['Unknown key', '']",
        "pattern = ''",
        "pattern = '.{0,9999}'",
        "pattern = '(?x). *'",
        "pattern = '(?s)Unknown key'",
        "pattern = '(?#Unknown key).{1,30}'",
        "pattern = '(?=Unknown key)?.{1,30}'",
        "pattern = 'Unknown key|'",
        "pattern = 'Unknown key|.{1,30}'",
        "pattern = '(Unknown key)?.{1,30}'",
        "pattern = '(Unknown key){0}.{1,30}'",
        "pattern = '(Unknown key){0,1}?.{1,30}'",
        "pattern = '(.{0,30}){0,30}Unknown key'",
        "pattern = 'Unknown key.{0,20}.{0,21}'",
        "pattern = '(a|b|c| ){1,40}'",
        "pattern = '(a|e|i){3}.{1,30}'",
        "pattern = '[a-z ]{1,30}'",
        "pattern = '[^]|]{1,30}'",
        "pattern = '(Unknown|[^U])(key|[^k])'",
        "pattern = '(\\w)\\1 Unknown key'",
        "pattern = 'Unknown key( |.)+'",
        "pattern = 'Unknown key( |.){2,}'",
        "pattern = 'Unknown key.{1,9}+'",
        "pattern = '.{0,20}e.{0,19}'",
    ],
)
def test_a_refusal_without_words_of_its_own_is_refused(tmp_path: Path, words: str) -> None:
    """What matches any sentence would take one for a proof that says the opposite."""
    assert "acme.toml: refused[0]: " in refusal(
        tmp_path, ACME.replace('words = "Unknown key"', words)
    )


@pytest.mark.parametrize(
    "words",
    [
        "words = 'Message sent'",
        "words = ['Unknown key', 'Your message has been queued.']",
        "words = '2 SMS were successfully submitted'",
        "words = 'Request is pending'",
        "words = 'Success'",
        "words = 'OK'",
        "words = 'Accepted for delivery'",
        "words = 'Sent to 639171234567'",
        "pattern = 'Message sent to .{1,15}'",
        "pattern = 'Message (not )?sent'",
        "pattern = 'Unknown key|queued'",
        "pattern = 'Unknown key|(was )?sent'",
        "pattern = 'Unknown key|Message.{1,3}sent'",
    ],
)
def test_a_refusal_that_says_taken_is_refused(tmp_path: Path, words: str) -> None:
    """Words of success are no refusal: whoever got them would be texted again."""
    text = ACME.replace('words = "Unknown key"', words)

    assert "refused[0]: words or pattern say that a text was taken" in refusal(tmp_path, text)


@pytest.mark.parametrize(
    "words",
    [
        "Message not sent",
        "No message was sent",
        "The message could not be delivered",
        "Sending limit exceeded",
        "Account pending approval",
        "Sender ID not accepted",
        "Scheduled time is in the past",
        "Accepted numbers are those of Uganda",
        "Number of messages sent exceeds the limit",
        "Unknown gateway",
        "101",
    ],
)
def test_a_refusal_may_speak_of_sending(tmp_path: Path, words: str) -> None:
    """Words that deny it, or speak of something else than a text, are those of refusals."""
    path = tmp_path / "acme.toml"
    path.write_text(ACME.replace('words = "Unknown key"', f"words = '{words}'"))

    assert "acme" == HttpProvider.from_toml(path, environ=KEY).name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"/data/id": "/error"}, "accepted.id is where errors.words are"),
        (
            {"/data/id": "/errors/0/id", '"/error"': '"/errors/id"'},
            "accepted.id is where errors.words are",
        ),
        (
            {"/data/id": "/errors/id", '"/error"': '"/errors/*"'},
            "accepted.id is where errors.words are",
        ),
        (
            {'["queued", "sent"]': '["E0", "E1"]', '"/error"': '"/state"', "Unknown key": "e1"},
            "refused[0] has words that accepted.where",
        ),
        (
            {'["queued", "sent"]': "101", '"/error"': '"/*"', "Out of credit": "101"},
            "refused[1] has words that accepted.where",
        ),
        (
            {
                '["queued", "sent"]': "101",
                '"/error"': '["/error", "/state"]',
                'words = "Unknown key"': "pattern = '101( here)?'",
            },
            "refused[0] has words that accepted.where",
        ),
    ],
)
def test_no_answer_may_be_taken_and_refused(
    tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    """A file that reads one value as both would text somebody twice, or nobody."""
    text = ACME.replace('where = { "/state" = "error" }\n', "")
    for line, instead in changes.items():
        assert line in text
        text = text.replace(line, instead, 1)

    assert words in refusal(tmp_path, text)


@pytest.mark.parametrize("name", ["to", "text", "from", "type", "user"])
def test_a_credential_takes_no_place_of_another_field(tmp_path: Path, name: str) -> None:
    """In one query a credential would stand where the number does."""
    auth = f'fields = {{ user = "$ACME_SMS_KEY" }}\nquery = {{ {name} = "$ACME_SMS_KEY" }}'
    text = ACME.replace('bearer = "$ACME_SMS_KEY"', auth)
    in_query = text.replace('path = "/v1/texts"', 'path = "/v1/texts"\nbody = "query"')

    assert "auth.query has the name of another field" in refusal(tmp_path, in_query)


@pytest.mark.parametrize(
    "pattern",
    [
        r"Invalid number \d{1,15}\.?",
        r"^(Unknown|Wrong) (key|token)$",
        r"No route to (?:\+\d{1,3} )?[A-Z]{2}",
        r"E10{2}1 \(see [^)]{1,20}\)",
        r"Not enough credit.{,40}",
    ],
)
def test_a_pattern_of_words_with_short_wildcards_is_read(tmp_path: Path, pattern: str) -> None:
    """Fixed words, choices and what varies a little are enough to know a refusal by."""
    path = tmp_path / "acme.toml"
    path.write_text(ACME.replace('words = "Unknown key"', f"pattern = '{pattern}'"))

    (row, *_) = HttpProvider.from_toml(path, environ=KEY).file.refusals()

    assert row.text is not None
    assert pattern == row.text.pattern


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ('path = "/v1/texts"', 'path = "/v1/texts?key=S3CRET"'),
        ('path = "/v1/texts/{id}"', 'path = "/v1/texts?key=S3CRET&id={id}"'),
        ('bearer = "$ACME_SMS_KEY"', 'headers = { "X-Key: S3CRET" = "$ACME_SMS_KEY" }'),
        ('base_url = "https://sms.acme.example"', 'base_url = "https://me:S3CRET@acme.example"'),
        ('base_url = "https://sms.acme.example"', 'base_url = "https://acme.example?k=S3CRET"'),
    ],
)
def test_a_credential_in_a_wrong_place_is_not_shown(
    tmp_path: Path, line: str, instead: str
) -> None:
    """It is a mistake, and the error about it may be logged."""
    assert line in ACME

    assert "S3CRET" not in refusal(tmp_path, ACME.replace(line, instead, 1))


@pytest.mark.parametrize(
    "auth",
    [
        'basic = "$ACME_SMS_KEY:S3CRET"',
        'basic = "shop:S3CRET:$ACME_SMS_KEY"',
        'basic = "shop:S3CRET$ACME_SMS_KEY"',
        'bearer = "S3CRET$ACME_SMS_KEY"',
        'bearer = "S3CRET-$ACME_SMS_KEY"',
        'bearer = "$ACME_SMS_KEYs3CRET"',
        'headers = { Authorization = "App $ACME_SMS_KEY S3CRET" }',
        'fields = { user = "$ACME_SMS_KEY", password = "$ACME_SMS_KEY/S3CRET" }',
    ],
)
def test_a_credential_beside_a_variable_is_refused(tmp_path: Path, auth: str) -> None:
    """A variable in it makes no half of a credential fit for a file; none is shown."""
    words = refusal(tmp_path, ACME.replace('bearer = "$ACME_SMS_KEY"', auth))

    assert "the name of an environment variable" in words
    assert "s3cret" not in words.lower()


@pytest.mark.parametrize(
    "auth",
    [
        'basic = "shop:$ACME_SMS_KEY"',
        'basic = "$ACME_SMS_KEY:$ACME_SMS_KEY"',
        'headers = { Authorization = "App $ACME_SMS_KEY", X-Key = \'Token key="$ACME_SMS_KEY"\' }',
        'query = { key = "$ACME_SMS_KEY$ACME_SMS_KEY" }',
    ],
)
def test_words_may_stand_before_a_variable(tmp_path: Path, auth: str) -> None:
    """A scheme, a name and a user are no secrets."""
    path = tmp_path / "acme.toml"
    path.write_text(ACME.replace('bearer = "$ACME_SMS_KEY"', auth))

    assert ("ACME_SMS_KEY",) == HttpProvider.from_toml(path, environ=KEY).file.auth.names


def test_a_bare_status_proves_nothing(tmp_path: Path) -> None:
    """A file that takes any 200 as accepted is refused: servers say 200 about errors, too."""
    text = ACME.replace('where = { "/state" = ["queued", "sent"] }\nid = "/data/id"\n', "")
    text = text.replace(text[text.index("[status]") :], "")

    assert "accepted: a status alone proves nothing" in refusal(tmp_path, text)


def test_refusals_need_the_form_of_errors(tmp_path: Path) -> None:
    """Words prove a refusal only in the exact form of an error."""
    text = ACME.replace('[errors]\nwhere = { "/state" = "error" }\nwords = "/error"\n', "")

    assert "refused needs [errors]" in refusal(tmp_path, text)


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    """What to set is said, and where it is asked for."""
    assert "acme.toml needs ACME_SMS_KEY: set it in the environment" == refusal(tmp_path, ACME, {})


@pytest.mark.parametrize("way", ["{0}", "x/{0}", "shop.toml/{0}", "x\0{0}", "{0}/" + "x" * 300])
def test_a_credential_in_the_place_of_a_file_is_not_shown(way: str, tmp_path: Path) -> None:
    """Whatever it is about it that no file can be found by."""
    (tmp_path / "shop.toml").touch()
    token = "9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c"
    with pytest.raises(ConfigurationError, match="can't be read") as caught:
        HttpProvider.from_toml(tmp_path / way.format(token))
    assert token not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The system's words say why it can't be read."""
    with pytest.raises(ConfigurationError, match=r"none\.toml can't be read: No such file"):
        HttpProvider.from_toml(tmp_path / "none.toml")


def test_a_path_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """`SMS_URL=acme.toml` is enough, with settings behind a question mark."""
    monkeypatch.setenv("ACME_SMS_KEY", "k3y-k3y")

    plain = provider_from_url(str(FILES / "acme.toml"))
    named = provider_from_url(f"{FILES / 'acme.toml'}?name=shop&base_url=http://127.0.0.1:9")

    assert isinstance(plain, HttpProvider)
    assert isinstance(named, HttpProvider)
    assert ("acme", "https://sms.acme.example") == (plain.name, plain.base_url)
    assert ("shop", "http://127.0.0.1:9") == (named.name, named.base_url)
    assert "k3y" not in repr(plain)


def test_a_path_stands_among_other_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A described gateway is a member of a router like any other."""
    monkeypatch.setenv("ACME_SMS_KEY", "k3y-k3y")

    sms = SmsClient.from_url(f"{FILES / 'acme.toml'} || iprog://T0KEN@")

    assert ["acme", "iprog"] == list(sms.provider.members)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("toml://k3y-k3y@", "needs a file"),
        (f"toml://a-k3y:another-k3y@?file={FILES / 'acme.toml'}", "holds two"),
        (f"{FILES / 'acme.toml'}?sender=X", "has no setting sender"),
        (f"{FILES / 'acme.toml'}?", None),
        ("acme.toml?name", "can't be parsed"),
    ],
)
def test_a_wrong_address_of_a_file_is_told(
    monkeypatch: pytest.MonkeyPatch, address: str, words: str | None
) -> None:
    """Settings are checked, and no credential is shown."""
    monkeypatch.setenv("ACME_SMS_KEY", "k3y-k3y")
    if words is None:
        assert "acme" == provider_from_url(address).name
        return

    with pytest.raises(ConfigurationError, match=words) as caught:
        provider_from_url(address)

    assert "k3y" not in str(caught.value)
