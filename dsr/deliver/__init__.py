"""Review, seal, announce, serve until it expires."""

from dsr.deliver.review import (
    answered_by_hand,
    approvals_needed,
    approve,
    clear_channel,
    leave_out,
    letter_missing,
    preview,
    refuse,
    release,
    send_back,
    try_again,
)
from dsr.deliver.seal import seal
from dsr.deliver.serve import expire, remove, remove_files, seen, serve

__all__ = [
    "answered_by_hand",
    "approvals_needed",
    "approve",
    "clear_channel",
    "expire",
    "leave_out",
    "letter_missing",
    "preview",
    "refuse",
    "release",
    "remove",
    "remove_files",
    "seal",
    "seen",
    "send_back",
    "serve",
    "try_again",
]
