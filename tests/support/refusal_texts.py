"""What gateways say when they refuse: at least one text for each row of their tables."""

from __future__ import annotations


IPROG = (
    "Invalid api token or no load balance",
    "Invalid Token",
    "API Token, phone number and message are required.",
    "You've hit the limit of 3 requests per minute. For unlimited access, explore our pricing "
    "plans.",
    "You have hit the limit of 3 requests per day",
    "Your input contains inappropriate language.",
    "Message looks suspicious (phishing detected).",
    "Smart/TNT does not accept the shared sender name.",
)
UGSMS = (
    "API key is required",
    "Unauthorized.",
    "Credentials are required",
    "Invalid phone number format.",
    "Insufficient balance",
    "The route v1/sms/send could not be found.",
    "The POST method is not supported for route v1/sms/send. Supported methods: GET, HEAD.",
)
ULTIMATE_SMS = (
    "Unauthenticated.",
    "These credentials do not match our records.",
    "You do not have permission to access API",
    "Too Many Attempts.",
    "The recipient field is required.",
    "The route api/v3/api/v3/sms/send could not be found.",
    "The POST method is not supported for route api/v3. Supported methods: GET, HEAD.",
    "Service Unavailable",
    "You have exceeded your sending limit.",
    "No active subscription found.",
    "Purchased plan is not active. Kindly get in touch.",
    "There is not enough balance available to send this message. Please recharge.",
    'Sender ID "Shop" is not authorized to send this message.',
    'Sender ID "Shop" is not authorized to send "plain" SMS.',
    "Originator Shop is not authorized to send this message",
    "Originator Shop is not capable to send plain sms",
    "Your sending server is not capable to send plain sms",
    "No sending server available for your subscribed plan",
    "Sending server not available",
    "Customer not found",
    "The DLT Entity ID is mandatory. Kindly get in touch.",
    "The DLT Template ID is mandatory. Kindly get in touch.",
    "Your message contains spam words.",
    "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: "
    "31612345678",
    "31612345678 is a invalid phone number",
    "Number contains in the blacklist",
    "Valid phone number not found. Please insert at least one valid phone number",
    "You cannot send more than 100 SMS in a single request.",
)
AFRICAS_TALKING = ("InvalidSenderId",)
EGOSMS = (
    "Wrong Username or Password",
    "Wrong UserName Or Password",
    "That user does not exist or user not active",
    "Either Username or Password Not Set",
    "Invalid credentials",
    "Money Not Enough To Send This Batch of Msgs",
    "Money Not Enough To Send This Batch of Msgs.",
    "Insufficient balance",
    "Wrong JSON Passed",
)
SEMAPHORE = (
    "The selected apikey is invalid.",
    "The selected sendername is invalid.",
    "The number format is invalid.",
)
SMSGATE = (
    "Unauthorized",
    "can't use phone in row 1: invalid phone number",
    "not mobile phone number",
    "message not found",
)
ACME = (
    "Unknown key",
    "Out of credit.",
    "invalid number",
    "Number not allowed",
    "Text not allowed",
)
"""Of the gateway that `tests/samples/toml/acme.toml` describes."""

REASONS = ("Phone number is invalid.", "The numbers field is required.")
"""Of those who list what is wrong, where the form says that it is a list of that."""
