"""How a lone dash travels through the parsing of a command line."""

from __future__ import annotations


STDIN = "\0-"
"""Stands for the argument `-`, which cyclopts would take for an option.

No real argument can hold a NUL, so nothing else is ever mistaken for it.
"""
