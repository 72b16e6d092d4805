"""The random secrets of a local stack: the password of the ClickHouse front, and the key of forgotten customers."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def password_of(folder: Path) -> str:
    """Return the password of the front whose data is in this folder."""
    return _secret(folder / "password")


def forget_key_of(data: Path) -> str:
    """Return the key of the hashes of forgotten customers (`pipeline.forgotten`) of the stack on this folder."""
    return _secret(data / "forget.key")


def _secret(path: Path) -> str:
    """Return what the file holds, making it with a random text, for its owner only to read, when there is none.

    The file appears whole or not at all, so that two processes that ask at once get the same answer.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(24) + "\n")
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
