"""Servers, proxies and certificates for the engines' tests."""
