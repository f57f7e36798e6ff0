"""The client that applications hold: `SmsClient`, made by hand or from the environment."""
