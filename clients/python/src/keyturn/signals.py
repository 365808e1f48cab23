"""Signals for an application that wants to warn its users, or to count."""

from django.dispatch import Signal

token_theft_detected = Signal()
"""Sent with `user_id` and `handle` when a session was revoked because two parties used its refresh token."""
