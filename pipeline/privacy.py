"""What is done about personal data at the edge. Pure."""

from __future__ import annotations

from pipeline.identity_hash import email_id, phone_id

__all__ = ["email_id", "phone_id"]
