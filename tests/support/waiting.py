"""How long tests wait for what is sure to happen."""

from __future__ import annotations


LONG = 200
"""Seconds: more than any machine takes; less than a test has, so that its wait is what fails."""
