"""The random password of the local ClickHouse front."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def password_of(folder: Path) -> str:
    """Return the folder's password, making a random one in a file only its owner can read when there is none.

    The file appears whole or not at all, so that two processes that ask at once get the same answer.
    """
    path = folder / "password"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = folder / f"password.{os.getpid()}.{secrets.token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(24) + "\n")
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
