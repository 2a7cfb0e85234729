# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of results, which playbooks compare: masking leaves them, even where a secret is such a word."""

from __future__ import annotations

from typing import get_args

from .errors import Code
from .phone_states import PHONE_STATUSES
from .states import STATES, Health

_PROVIDERS = ("green_api", "plugzapi", "koophone")
_ACTIONS = (
    *("created", "adopted", "unchanged", "would_create", "failed", "unknown", "checked"),
    *("linked", "already_authorized", "pending", "would_link", "rebooted", "would_reboot"),
    *("applied", "would_apply", "unverified", "rotated", "would_rotate", "skipped", "over_budget"),
    *("subscribed", "cancelled", "would_subscribe", "would_cancel"),
    *("deleted", "draining", "would_delete", "refused"),
    *("adopt", "discard", "forget", "list"),
)
_PAYMENTS = ("trial", "paid", "pending_bank_slip", "payment_retry", "in_cancellation", "canceled")
_JOURNAL = ("rejected", "done", "delivered", "file", "postgresql", "unusable")
_REPORT = ("instance", "phone", "unreadable", "state", "due")
_CHOICES = ("all", "summary", "fail", "create", "warn", "auto", "required", "none", "qr", "code", "apply")

WORDS = frozenset(
    {*STATES, *PHONE_STATUSES, *get_args(Health), *get_args(Code)}
    | {*_PROVIDERS, *_ACTIONS, *_PAYMENTS, *_JOURNAL, *_REPORT, *_CHOICES}
)
