# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The config keys: one table, which both validates values and generates the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import Invalid


def is_whole(value: object) -> bool:
    """Return whether a value is an integer, which in JSON a boolean is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Return whether a value is a number, which in JSON a boolean is not."""
    return is_whole(value) or isinstance(value, float)


@dataclass(frozen=True, slots=True)
class Option:
    """One config key, or one option of a fault.

    ``choices`` lists the allowed values. Without it, a value must have the default's type; ``nullable`` also allows
    None, ``anything`` allows any JSON. Numbers are never negative. A key with ``whole_server`` has one value for all
    accounts.
    """

    default: Any
    help: str
    choices: tuple[Any, ...] = ()
    nullable: bool = False
    anything: bool = False
    whole_server: bool = False

    @property
    def kind(self) -> str:
        """The allowed values, in words."""
        if self.choices:
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        if self.anything:
            return "any JSON"
        if isinstance(self.default, bool):
            kind = "a boolean"
        elif isinstance(self.default, str):
            kind = "a string"
        elif isinstance(self.default, int):
            kind = "a whole number, 0 or more"
        else:
            kind = "a number, 0 or more"
        return kind + (", or null" if self.nullable else "")

    def check(self, key: str, value: Any) -> Any:
        """Return the value if it is allowed; otherwise raise Invalid, which names the key."""
        if self.choices:
            valid = any(value == choice and type(value) is type(choice) for choice in self.choices)
        elif isinstance(self.default, bool | str):
            valid = type(value) is type(self.default)
        else:
            valid = (is_whole if isinstance(self.default, int) else is_number)(value) and value >= 0
        if valid or self.anything or (value is None and self.nullable):
            return value
        raise Invalid(f"{key}: {value!r} is not {self.kind}")


_TOKEN_STYLE = Option(
    "plain",
    "Tokens of new instances: `plain` in the vendor's form, `awkward` with `/ + = % &` and space.",
    ("plain", "awkward"),
)
_LATENCY = Option(0.0, "Seconds by which each response of this vendor is delayed.", whole_server=True)
_LAG_SECONDS = Option(0.0, "Seconds until listings show a new instance.")
_LAG_LISTINGS = Option(0, "Number of listings that do not show a new instance yet.")
_SETTINGS_LAG = Option(0.0, "Seconds until the gateway shows settings that were changed by a request.")
_QR = Option(20.0, "Seconds for which a QR code can be scanned.")
_PAIRING = Option(150.0, "Seconds for which a pairing code can be typed in.")
_MAX_CODES = Option(
    None, "Number of codes that an instance makes until it is restarted; null: no limit.", nullable=True
)
_AUTO_LINK = Option(None, "Seconds after its creation until an instance is linked; null: not by itself.", nullable=True)
_UNLINKING = Option(
    "unlinked",
    "What a request to unlink the phone does, which always says that it did: it unlinks the phone, keeps it linked, or "
    "keeps it until the second request.",
    ("unlinked", "kept", "kept_once"),
)
_UNLINKING_SECONDS = Option(0.0, "Seconds until the phone is unlinked.")
_DELETION = Option(
    "deleted",
    "What a deletion does, which always says that it did: it deletes the instance, or nothing.",
    ("deleted", "lost"),
)
_DELETION_SECONDS = Option(0.0, "Seconds until the instance is deleted.")

OPTIONS: dict[str, Option] = {
    "green_api.partner_error": Option(
        "http200",
        'Response to a wrong partner token: 200 with `{"code": 401}`, 401, or 400.',
        ("http200", "http401", "http400"),
        whole_server=True,
    ),
    "green_api.error_body": Option(
        "text",
        "Body of 4xx responses: the documented text, JSON, JSON that repeats the path (token included), or none.",
        ("text", "json", "json_with_path", "empty"),
        whole_server=True,
    ),
    "green_api.deleted_answer": Option(
        "http400",
        'Response of getStateInstance for a deleted instance: 400 "Instance is deleted", or the state `starting`.',
        ("http400", "starting"),
    ),
    "green_api.logout_effect": _UNLINKING,
    "green_api.logout_seconds": _UNLINKING_SECONDS,
    "green_api.delete_effect": _DELETION,
    "green_api.delete_seconds": _DELETION_SECONDS,
    "green_api.creating_seconds": Option(1.0, "Seconds for which the state of a new instance is `null`."),
    "green_api.starting_seconds": Option(0.0, "Seconds for which a new instance is `starting` after that."),
    "green_api.restart_seconds": Option(
        2.0, "Seconds for which an instance is `starting` after setSettings and reboot."
    ),
    "green_api.settings_lag_seconds": _SETTINGS_LAG,
    "green_api.settings_effect": Option(
        "applied",
        "What setSettings does, which always says that it saved them: it saves them, loses them, or moves another "
        "setting as well.",
        ("applied", "lost", "moves_another"),
    ),
    "green_api.auto_link_seconds": _AUTO_LINK,
    "green_api.qr_seconds": _QR,
    "green_api.qr_answer": Option(
        "qrCode",
        "The type of an answer to `qr`: a code, or `passkeyRequired`, which only the vendor's console can handle.",
        ("qrCode", "passkeyRequired"),
    ),
    "green_api.pairing_seconds": _PAIRING,
    "green_api.max_codes": _MAX_CODES,
    "green_api.linking_seconds": Option(
        0.0, "Seconds for which an instance is `starting` after a phone has used its code."
    ),
    "green_api.enforce_rate_limits": Option(False, "Respond 429 to requests beyond the documented number per second."),
    "green_api.token_style": _TOKEN_STYLE,
    "green_api.old_token_seconds": Option(0.0, "Seconds for which an instance's old token works after its renewal."),
    "green_api.new_token_lag_seconds": Option(0.0, "Seconds until an instance's new token works."),
    "green_api.token_listing_lag_seconds": Option(0.0, "Seconds until listings show an instance's new token."),
    "green_api.listing_lag_seconds": _LAG_SECONDS,
    "green_api.listing_lag_listings": _LAG_LISTINGS,
    "green_api.latency_seconds": _LATENCY,
    "plugzapi.create_status": Option(200, "HTTP status of the response to a creation.", (200, 201)),
    "plugzapi.due_form": Option(
        "ms",
        "Form of `due`: milliseconds or seconds, as a number or as a string of digits.",
        ("ms", "ms_string", "seconds", "seconds_string"),
    ),
    "plugzapi.listing": Option(
        "present",
        "Whether `GET /instances` exists, or the response that says that it does not.",
        ("present", "http404", "http405", "not_found_200"),
        whole_server=True,
    ),
    "plugzapi.max_page_size": Option(0, "Largest page of the listing; 0: no limit."),
    "plugzapi.wrong_path": Option(
        "not_found_200",
        "Response to a wrong path or method: 200 with `NOT_FOUND`, or 405.",
        ("not_found_200", "http405"),
        whole_server=True,
    ),
    "plugzapi.client_token_active": Option(False, "Whether the account has activated its Client-Token."),
    "plugzapi.client_token_missing": Option(
        "http403", "Response to a request without Client-Token.", ("http403", "http400", "http200")
    ),
    "plugzapi.unknown_instance": Option(
        "http404",
        "Response to a wrong id or instance token, or after the trial (not documented by the vendor).",
        ("http404", "http403", "http400"),
        whole_server=True,
    ),
    "plugzapi.me": Option(
        "present",
        "Whether `/me` exists, or the response that says that it does not.",
        ("present", "http404", "http405", "not_found_200"),
        whole_server=True,
    ),
    "plugzapi.me_received_and_delivery": Option(
        True, "Whether `/me` shows `receivedAndDeliveryCallbackUrl`, which the vendor's page leaves out."
    ),
    "plugzapi.settings_lag_seconds": _SETTINGS_LAG,
    "plugzapi.settings_effect": Option(
        "applied",
        "What a PUT of a setting does, which always says `true`: it saves the setting, or loses it.",
        ("applied", "lost"),
    ),
    "plugzapi.status_session": Option(False, "Whether the response of `/status` has the `session` key."),
    "plugzapi.https_webhooks": Option(True, "Refuse webhook URLs that are not https."),
    "plugzapi.trial_seconds": Option(172800.0, "Length of the trial in seconds, after which the instance is deleted."),
    "plugzapi.subscription_body": Option(
        "text", "Body of the response to a subscription and to its end: `OK`, or none.", ("text", "empty")
    ),
    "plugzapi.subscribed_word": Option("PAID", "The gateway's word for the payment after a subscription."),
    "plugzapi.canceled_word": Option("CANCELED", "The gateway's word for the payment after a subscription's end."),
    "plugzapi.payment_lag_seconds": Option(0.0, "Seconds until listings show a new word for the payment."),
    "plugzapi.delete": Option(
        "present",
        "Whether there is a call that deletes an instance, which only Z-API documents, or the response that says that "
        "there is none.",
        ("present", "http404", "http405", "not_found_200"),
        whole_server=True,
    ),
    "plugzapi.deletable": Option(
        "pending_trial_canceled",
        "Which instances may be deleted, by the words for their payment. Two of Z-API's pages contradict each other.",
        ("pending_trial_canceled", "canceled"),
    ),
    "plugzapi.delete_grace_seconds": Option(0.0, "Seconds after a subscription's end until it may be deleted."),
    "plugzapi.delete_effect": _DELETION,
    "plugzapi.delete_seconds": _DELETION_SECONDS,
    "plugzapi.disconnect_effect": _UNLINKING,
    "plugzapi.disconnect_seconds": _UNLINKING_SECONDS,
    "plugzapi.after_disconnect": Option(
        "available",
        "Whether `/status` still responds after a disconnect, or 400: the vendor says that all methods become "
        "unavailable.",
        ("available", "unavailable"),
    ),
    "plugzapi.restart_seconds": Option(2.0, "Seconds for which an instance is not connected after a restart."),
    "plugzapi.auto_link_seconds": _AUTO_LINK,
    "plugzapi.qr_seconds": _QR,
    "plugzapi.pairing_seconds": _PAIRING,
    "plugzapi.max_codes": _MAX_CODES,
    "plugzapi.qr_value": Option(
        "content",
        "What `/qr-code` returns: the content of the QR code (the vendor's older pages), or its image (the newest).",
        ("content", "image"),
    ),
    "plugzapi.token_style": _TOKEN_STYLE,
    "plugzapi.listing_lag_seconds": _LAG_SECONDS,
    "plugzapi.listing_lag_listings": _LAG_LISTINGS,
    "plugzapi.latency_seconds": _LATENCY,
    "koophone.unknown_ids": Option(
        "leave_out",
        "Unknown ids: left out of the response, or the whole batch is refused with this error code.",
        ("leave_out", "1001", "1002", "1012", "4001"),
    ),
    "koophone.error_status": Option(200, "HTTP status of KooPhone's own errors.", (200, 400, 401, 500)),
    "koophone.answer_shape": Option(
        "data",
        '`data.status_results` with error_code "0", or `status_results` at the top without error_code.',
        ("data", "top_level"),
    ),
    "koophone.max_ids": Option(100, "Largest number of ids in a batch."),
    "koophone.requests_per_second": Option(
        0.0, "Requests per second and account, beyond which APIG.0308 is returned; 0: no limit."
    ),
    "koophone.denied": Option(
        "none",
        "The call that the user has no permission for, which is refused with 403 and APIG.0302.",
        ("none", "all", "GET batch-query", "POST batch-query-status", "POST reboot"),
    ),
    "koophone.reboot_lag_seconds": Option(0.0, "Seconds for which a rebooted phone still shows as running."),
    "koophone.reboot_seconds": Option(5.0, "Seconds for which a rebooted phone is starting after that."),
    "koophone.latency_seconds": _LATENCY,
    "iam.token_seconds": Option(86400.0, "Lifetime of a token in seconds."),
    "iam.token_length": Option(2400, "Length of a token in characters."),
    "iam.latency_seconds": _LATENCY,
    "server.log_entries": Option(20000, "Number of requests that the log keeps.", whole_server=True),
    "server.path_prefix": Option(
        "", "A path, such as `/gateway`, under which the vendors' APIs are served as well.", whole_server=True
    ),
    "server.step_seconds": Option(
        0.0,
        "Seconds by which each request to a vendor moves the clock forward, before the response is made.",
        whole_server=True,
    ),
}


def check_options(values: Mapping[str, Any], options: Mapping[str, Option]) -> dict[str, Any]:
    """Return the values if every key and value is valid, else raise Invalid."""
    if not isinstance(values, Mapping):
        raise Invalid("config and options must be objects")
    for key in values:
        if key not in options:
            raise Invalid(f"{key}: no such key; there are {', '.join(options) or 'none'}")
    return {key: options[key].check(key, value) for key, value in values.items()}


class Config:
    """The current values; an account can override the keys of its vendor."""

    def __init__(self, start: Mapping[str, Any] | None = None) -> None:
        self._start = {key: option.default for key, option in OPTIONS.items()}
        self._start.update(check_options(start or {}, OPTIONS))
        self._values = dict(self._start)

    def reset(self) -> None:
        """Restore the values that the emulator was started with."""
        self._values = dict(self._start)

    def update(self, values: Mapping[str, Any]) -> None:
        """Set values; if one of them is invalid, raise Invalid and set none."""
        self._values = {**self._values, **check_options(values, OPTIONS)}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def describe(self) -> dict[str, Any]:
        """Return all keys with their values."""
        return dict(self._values)
