"""Acme SMS for iprog-async: `SmsClient(AcmeProvider("KEY"))`, or `SMS_URL=acme://KEY@`."""

from acme_sms._provider import AcmeProvider


__all__ = ["AcmeProvider"]
