"""Commands as tests run them."""
