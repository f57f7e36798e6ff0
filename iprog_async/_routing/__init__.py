"""Several gateways as one: failover, round robin, circuit breaker."""
