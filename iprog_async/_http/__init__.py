"""One call of a gateway: its request, queue, rate limit, retries and answer."""
