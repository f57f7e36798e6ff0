"""What a validator says is wrong with a request, and what is no such reason."""

from __future__ import annotations

import re

import pytest

from iprog_async._http.stock.reasons import PLAIN_REASON, may_run_out


PLAIN = re.compile(PLAIN_REASON, re.IGNORECASE)
REASONS = [
    *("Phone number is invalid.", "Bad number", "Required.", "?", "Inappropriate language"),
    "The message must not be longer than 160 characters. (and 1 more error)",
    "The given data was invalid. The number was not found",
    "Your input contains inappropriate language.",
    "Message looks suspicious (phishing detected).",
    "Message is too long (maximum is 160 characters)",
    *("Message can't be blank", "Phone number can\u2019t be blank", "Phone number is not a number"),
    *("This field may not be blank.", "Field required", "validation.required"),
    "The sender id may only contain letters, numbers, dashes and underscores.",
    "The sender id must be between 3 and 11 characters.",
    "The messages.0.number field is required.",
    *("No recipients were given", "Sender name is not registered", "URLs are not allowed"),
    "You are not allowed to send to this country",
    *("639171234567 is invalid", "+639171234567 has a bad format", "639171234567 can't be blank"),
    *("639171234567 is not a valid phone number", "Number is on the blacklist"),
    "Phone number must start with 09 or 63",
    "The schedule time must be a date after now.",
    *("Insufficient credits.", "Not enough credits", "Invalid recipient."),
    *("The dlt template id field is required.", "Sms provider is not included in the list"),
    *("Phone number is reserved", "Sender name is reserved", "Insufficient load balance"),
    *("Message looks suspicious (URL shortener detected).", "Message contains a URL"),
    *("Message contains links, which are not allowed.", "Unsupported network"),
    *("Network not supported", "Invalid recipient network", "The selected network is invalid."),
    "The expiry days field must be between 1 and 365.",
    *("The messages field must have at least 1 items.", "The expiry_days must be at least 1."),
    "The numbers field is required when messages is not present.",
    *("The callback url must be a valid URL.", "The media url field is required."),
]
CAME_LATER = [
    *("Operation timed out", "SMS created successfully", "Completed", "Done", "OK", ""),
    "Your SMS was processed successfully, reference in your inbox",
    *("You were charged 1 credit", "Message is out for delivery", "PG::ConnectionBad"),
    "Message was sent, but the callback is invalid",
    *("Only 2 numbers were allowed, 3 are over the limit", "The first number has been reached"),
    *("Said 'no'", "Invalid.\nUpstream: queued", "Invalid\n", "***"),
    # It will be tried again, or waits.
    *("We will retry in 5 minutes", "Number busy, will retry", "Network busy, retry in progress"),
    *("Invalid number, we try later", "Retry 1 of 3", "will be tried again", "Invalid; again soon"),
    *("held for review", "Message is under review", "on hold for approval", "Awaiting approval"),
    *("Message not approved yet", "The message must be approved", "Waiting for operator", "Busy"),
    # It is with the gateway, or beyond.
    *("Message enqueued, flagged", "Message enqueued, number looks odd", "Message requeued"),
    *("Resent", "Message received by carrier", "Message stored", "in process", "Text already went"),
    *("delivery in progress", "Delivery failed", "not delivered yet", "no delivery report"),
    *("absent subscriber", "Undeliverable", "unreachable", "message expired", "No answer"),
    "temporarily unreachable, keep trying",
    *("Message out, number invalid", "The recipient has the message, reference is not valid"),
    *(
        "The message is with the recipient, id invalid",
        "Message was given to the recipient, bad id",
    ),
    *("Invalid number. Message is valid.", "Duplicate message", "Bad number 8812"),
    # A part of it is.
    *("Part 2 of 3 failed", "second part failed", "Segment 2 invalid", "1 of 2: Bad"),
    *("88120031234 is the message id, number invalid", "Invalid number, id 88120031234"),
    *("2 of 5 numbers are invalid", "Message 2 is invalid", "Some numbers are invalid"),
    *("At least 2 numbers are invalid", "Numbers between 1 and 3 are invalid"),
    # Of a network, of credits that wait, of who is not there.
    *("Network error", "Network is not available", "The network has not accepted the message"),
    *("Network did not accept it", "No network", "Network is too long", "Network limit exceeded"),
    *("Credits are reserved", "Credit is reserved, number invalid", "Message is reserved"),
    *("Recipient is not present", "Message number is reserved", "Number not included"),
    *("Message has 2 items, number invalid", "No load on network"),
]


# Of Laravel, Rails, Django, pydantic, JSON Schema and of validators of JavaScript.
STOCK_REASONS = [
    *(
        "The message field must not be greater than 160 characters.",
        "The message must be a string.",
    ),
    *("The message field must have a value.", "The numbers field must be an array."),
    "The numbers must not have more than 100 items.",
    *("The numbers must have at least 1 items.", "The numbers must have between 1 and 100 items."),
    *("The message may not be greater than 160 characters.", "The numbers must be valid."),
    *("The message field format is invalid.", "The selected type is invalid."),
    *("The message field must contain at least 3 characters.", "The message must not be empty."),
    "The sender id may only contain letters and numbers.",
    *("Message can't be empty", "Message must be blank", "Message is too short"),
    *("Phone number is not included in the list", "Originator is reserved"),
    *("This field may not be blank.", "This field cannot be blank", "Not a valid string."),
    *("String should have at least 1 character", "String should have at most 160 characters"),
    *("Input should be a valid string", "value is not a valid phone number"),
    *("message is not allowed to be empty", "message is required", "sender is not allowed"),
    "message length must be less than or equal to 160 characters long",
    *(
        "message should not be empty",
        "must NOT have more than 160 characters",
        "is a required field",
    ),
    *("Please enter a valid phone number.", "Please provide a valid number"),
    *("Please enter at least 3 characters.", "Provide X-API-Key header or api_key parameter"),
    *("The number is not in the required format", "Phone number must be in E.164 format"),
    *(
        "You must have a plan",
        "You must have credits",
        "The sender is not allowed to be blank",
    ),
    *("The date must be in the future", "The message must not contain links", "Not in the list"),
    *(
        "Phone number must not be blacklisted",
        "You must provide a message",
        "The request has no message",
    ),
    *("Country code is required", "Please enter a valid country code", "The code is invalid"),
    *("Message exceeds the limit of 160 characters", "Recipient has no valid number"),
    *("Phone must have country code", "Number must have the country code"),
    *("Message must contain text", "The message must have a text", "Message has to have text"),
    *("Message does not contain text", "The message doesn't have a text."),
    *("Phone must be present in the request", "A number must be provided in the request body"),
    *("Please provide a message", "Please specify a sender id", "Please enter your message"),
    *("Sender is not valid for a restricted country", "Message cannot be missing"),
    *("No number found", "No sender id was found", "No valid recipients were found."),
]


@pytest.mark.parametrize("text", [*REASONS, *STOCK_REASONS])
def test_a_plain_reason_says_what_is_wrong_with_a_request(text: str) -> None:
    """In words of validators, one sentence or several."""
    assert PLAIN.fullmatch(text)


NOTHING_WRONG = [
    *("No errors", "No error found.", "No errors were found", "The message has no errors"),
    *(
        "Message includes no errors",
        "Number is valid, no error",
        "The number seems valid, no errors",
    ),
    *("No more errors", "no_errors", "No (errors)", "Errors are empty", "The blacklist is empty"),
    *("No invalid numbers", "No missing values", "No restricted words found", "No spam detected"),
    *("No profanity", "No links found", "No url shortener detected", "No number is blocked"),
    *("No recipients are on the blacklist", "No limit", "No messages are too long"),
    *("Message is not blocked.", "Number is not blacklisted", "Number isn't invalid"),
    *("Number isn\u2019t on the blacklist", "Number is not in the black list"),
    *("The number was not found in the blacklist", "This is not a blocked number"),
    *("Message to this number was not spam", "The message has not been blocked", "Not empty"),
    *("The message does not have any errors", "The text does not contain spam words"),
    *("No numbers were found on the blacklist", "The text does not contain any links"),
    *("The message does not include a URL", "No.", "no", "Not", "Not!"),
    *("Message does not exceed the limit", "Limit not exceeded", "Message is not too long"),
    *("Message is not longer than 160 characters", "Message has no more than 160 characters"),
    *("Sender id is not required", "No sender id is required", "You do not have to provide a code"),
    *("You cannot be blocked", "Your number can't be banned", "Recipient may not be blacklisted"),
    *("The required fields are valid", "Number is not  blocked", "Number is not (blocked)"),
    # It may be there.
    *("The recipient should have the message.", "You should have it", "You must have the text"),
    *("The recipient should only have a message", "You should have at least 1 message"),
    *("Your phone should contain the message", "Messages should be in the phone"),
    *("Message must be present in your phone", "The recipient does not have the message"),
    *("Recipient may not have the message", "The recipient cannot have your text"),
    *("The message was not given to the recipient", "No text was given to recipients.3"),
    *("The text should be provided to the recipient", "The recipient must have that"),
    # What to do with a text that arrived.
    *("Please check your messages.", "Please check your phone for the code.", "Please check"),
    *(
        "Please enter the code",
        "Please enter the otp code to the number",
        "You must check your sms",
    ),
    *("Provide the code from the text", "You must enter the code", "Please correct the number"),
    "You should check your phone",
    *("The code in the sms is required.", "The sms code is required.", "Enter the valid code"),
    *("Please enter the valid 6-digit code", "Please provide a valid code from the text"),
    *("Please provide a message id", "The phone must have a valid text"),
    "The recipient cannot be missing the message.",
    *("Message must contain text to the recipient", "Recipient does not contain text"),
    "The recipient must be present in the message",
    # What was looked for, and isn't there.
    *("The number is not in the list of blocked numbers.", "Number is not known to be invalid"),
    *("Number not found in the list of restricted numbers", "No text was found"),
    "The recipient does not exist in the list of blocked numbers.",
    *("Message was not found to contain spam.", "The message was not found to have blocked words."),
    *("The text does not match the blocked words.", "Text doesn't match any blocked word"),
    "Message does not match any of the blocked keywords",
    *("No number was found to be invalid.", "No number of the list is invalid."),
    *("No duplicates found.", "No fault found", "No issues were given", "No words were found"),
    # The answer to what is in front of it.
    *("Spam (no)", "Spam - no", "Error (no)", "Spam, no.", "Error/no", "Error (no), suspicious"),
]


@pytest.mark.parametrize("text", NOTHING_WRONG)
def test_a_plain_reason_says_that_something_is_wrong(text: str) -> None:
    """Not that nothing is, nor that a text is there, in whatever words of a validator."""
    assert not PLAIN.fullmatch(text)
    assert not PLAIN.fullmatch(f"Invalid number. {text}")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Insufficient credit", True),
        ("Balance is too small for recipients.3", True),
        ("Daily limit exceeded", True),
        ("Message limit exceeded", True),
        ("You have exceeded your daily messages.", True),
        ("Your plan has exceeded the maximum number of sms.", True),
        ("You have exceeded the maximum number of messages.", True),
        ("You have exceeded your monthly plan", True),
        ("Too many messages", True),
        ("Too many sms in this account", True),
        ("Insufficient account", True),
        ("Not enough in your account", True),
        ("The number of sms is insufficient", True),
        ("The maximum is exceeded", True),
        ("You have no sms", True),
        ("You may only have 5 messages", True),
        ("Message is too long (160 characters). Too many messages", True),
        ("The numbers may not have more than 100 items.", False),
        ("The numbers must not exceed 100 items", False),
        ("The numbers may have a maximum of 100 items", False),
        ("Message is too long (maximum is 160 characters)", False),
        ("Too many characters", False),
        ("The sender id exceeds the maximum length", False),
        ("The messages.0.message may not exceed 160 characters", False),
        ("The message is invalid. (and 1 more error)", False),
        ("The message exceeds the limit of 160 characters", False),
        ("Character limit exceeded", False),
        ("The credential is invalid", False),
        ("recipients.3 is invalid", False),
    ],
)
def test_what_several_share_may_run_out(reason: str, expected: bool) -> None:
    """Whatever is exceeded does; a field, the length of a text and that of a request don't."""
    assert expected == may_run_out(["The given data was invalid.", reason])


@pytest.mark.parametrize("text", CAME_LATER)
def test_a_plain_reason_speaks_of_nothing_that_came_later(text: str) -> None:
    """Nor of a part of it, nor in words that nobody knows."""
    assert not PLAIN.fullmatch(text)


STEMS = [
    *("again", "arrives", "attempt", "buffer", "delivers", "delivery", "dispatch", "enqueue"),
    *("forward", "hand over", "held", "hold", "later", "next", "one", "other", "others", "out"),
    *("part", "parts", "pending", "process", "queue", "queued", "receives", "relay", "resend"),
    *("retry", "review", "schedule", "segment", "send", "sending", "sent", "shall", "some"),
    *("soon", "spool", "store", "submit", "taken", "transmit", "wait", "way", "we", "went", "will"),
    *("2", "2 of 3", "8812", "a1b2", "\u2705", "enviado"),
]


@pytest.mark.parametrize("stem", STEMS)
def test_a_word_of_what_is_done_with_a_text_is_in_no_plain_reason(stem: str) -> None:
    """Wherever it stands in a sentence, or as a sentence of its own."""
    told = [
        " ".join((*words[:place], stem, *words[place:]))
        for words in (["Phone", "number", "is", "invalid"], ["Invalid", "number"])
        for place in range(len(words) + 1)
    ]
    told += [f"{reason} {stem}" for reason in REASONS] + [f"Invalid number. {stem}."]

    assert [] == [each for each in told if PLAIN.fullmatch(each)]


@pytest.mark.parametrize(
    "piece", ["a ", "not ", "(", "+1", "no aa ", "a. ", "x.1", "1 ", ", ", "no a ", "is not a "]
)
def test_a_hostile_reason_is_read_once(piece: str) -> None:
    """No place of it is looked at many times: this would take seconds."""
    assert not PLAIN.fullmatch(piece * 20_000 + "\n")
