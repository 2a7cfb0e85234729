# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of a GREEN-API instance: https://green-api.com/en/docs/api/account/SetSettings/."""

from __future__ import annotations

from typing import Any

from .config import is_whole

YES_NO = frozenset(
    (
        "markIncomingMessagesReaded",
        "markIncomingMessagesReadedOnReply",
        "outgoingWebhook",
        "outgoingMessageWebhook",
        "outgoingAPIMessageWebhook",
        "stateWebhook",
        "incomingWebhook",
        "keepOnlineStatus",
        "pollMessageWebhook",
        "incomingCallWebhook",
        "incomingBlockWebhook",
        "editedMessageWebhook",
        "deletedMessageWebhook",
        "deviceWebhook",
        "linkPreview",
        "sharedSession",
    )
)
TEXTS = frozenset(("webhookUrl", "webhookUrlToken", "countryInstance"))
CREATE_ONLY = frozenset(("name", "typeInstance", "partnerUserUiid"))
DELAY = "delaySendMessagesMilliseconds"
NUMBERS = {DELAY: (500, 600000), "autoTyping": (0, 10)}
DEFAULTS: dict[str, Any] = {
    "webhookUrl": "",
    "webhookUrlToken": "",
    DELAY: 500,
    "autoTyping": 0,
    "sharedSession": "no",
    "countryInstance": "",
    **dict.fromkeys(sorted(YES_NO - {"sharedSession"}), "no"),
}


def settings_problem(body: Any, *, extra: frozenset[str]) -> str:
    """Return the reason why settings are invalid, "" if they are valid; ``extra`` are keys with any text."""
    if not isinstance(body, dict):
        return "bad request data"
    if not any(key in DEFAULTS or key in extra for key in body):
        return "Bad Request Validation failed"
    for key, value in body.items():
        if key in YES_NO:
            valid, wanted = value in ("yes", "no"), "must be one of [yes, no]"
        elif key in NUMBERS:
            least, most = NUMBERS[key]
            valid, wanted = is_whole(value) and least <= value <= most, f"must be a number from {least} to {most}"
        elif key in TEXTS or key in extra:
            valid, wanted = isinstance(value, str), "must be a string"
        else:
            continue
        if not valid:
            return f"Validation failed. Details: '{key}' {wanted}"
    return ""


def moved_setting(settings: dict[str, Any], body: dict[str, Any]) -> dict[str, str]:
    """Return the change of a setting that is not in ``body``, as hosts make that move another one as well."""
    key = next(key for key in sorted(YES_NO) if key not in body)
    return {key: "no" if settings.get(key, DEFAULTS[key]) == "yes" else "yes"}
