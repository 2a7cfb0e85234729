# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codes that link a phone to an instance, and the phones that are held in front of them."""

from __future__ import annotations

import base64
import functools
import io
import random
import secrets
import string

import segno

from .config import Invalid
from .state import (
    AUTHORIZED,
    CONNECTED,
    DISCONNECTED,
    NOT_AUTHORIZED,
    STARTING,
    Code,
    Conflict,
    GreenApiInstance,
    PlugzApiInstance,
    World,
)

AnyInstance = GreenApiInstance | PlugzApiInstance

# Codes that a phone is told to be old instead of unknown.
REMEMBERED = 10_000
EXHAUSTED = "No more codes, restart the instance"


class Refused(Exception):
    """The vendor gives no code; the text says why."""


class Linking:
    """What both gateways do about codes, on behalf of WhatsApp."""

    def __init__(self, world: World) -> None:
        self._world = world

    def qr_code(self, instance: AnyInstance) -> str:
        """Return what the QR code of the moment says; raise Refused where there is none."""
        now = self._world.clock.now()
        shown = instance.codes.get("qr")
        if instance.refusal or shown is None or shown.expires <= now:
            # As WhatsApp spells it: a reference and three keys.
            keys = [base64.b64encode(secrets.token_bytes(size)).decode() for size in (96, 32, 32, 32)]
            shown = self._renew(instance, "qr", "2@" + ",".join(keys), "")
        return shown.text

    def pairing_code(self, instance: AnyInstance, phone: str) -> str:
        """Return a new code to be typed in on a phone; the one before it is of no use any more."""
        if self._is_banned(phone) or self._other_link(instance, phone):
            raise Refused("This number can not be linked")
        text = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _n in range(8))
        return self._renew(instance, "pairing", text, phone).text

    def scan(self, text: str, phone: str | None) -> AnyInstance:
        """Let a phone scan a QR code, or type a pairing code in; raise Conflict where the phone is told no."""
        instance, code = self._find(text)
        now = self._world.clock.now()
        who = f"{instance.provider} instance {instance.id}"
        if code.expires <= now:
            raise Conflict(f"this code of {who} is old: it ran out {now - code.expires:.0f} s ago")
        if instance.state not in (NOT_AUTHORIZED, DISCONNECTED):
            raise Conflict(f"{who} is {instance.state}")
        if phone is None:
            phone = code.phone or "55449" + "".join(random.choices(string.digits, k=8))
        if not phone.isascii() or not phone.isdecimal():
            raise Invalid(f"phone: {phone!r} is not a string of digits")
        if code.phone not in ("", phone):
            raise Conflict(f"this code of {who} is for the phone {code.phone}")
        instance.codes.clear()
        if self._is_banned(phone):
            if isinstance(instance, GreenApiInstance):
                instance.become("blocked")
            else:
                instance.refusal = f"The number {phone} is banned"
            raise Conflict(f"the number {phone} is banned")
        other = self._other_link(instance, phone)
        if other is not None:
            instance.refusal = f"The number {phone} is linked to another instance"
            raise Conflict(f"the number {phone} is linked to {other.provider} instance {other.id} already")
        instance.phone = phone
        if isinstance(instance, GreenApiInstance):
            ready = now + self._world.option(instance.account, "green_api.linking_seconds")
            instance.become(STARTING, [(ready, AUTHORIZED)])
        else:
            instance.become(CONNECTED)
        instance.settle(now)
        return instance

    def _renew(self, instance: AnyInstance, kind: str, text: str, phone: str) -> Code:
        if instance.refusal:
            refusal, instance.refusal = instance.refusal, ""
            raise Refused(refusal)
        account, provider = instance.account, instance.provider
        most = self._world.option(account, f"{provider}.max_codes")
        if most is not None and instance.codes_made >= most:
            raise Refused(EXHAUSTED)
        instance.codes_made += 1
        life = self._world.option(account, f"{provider}.{kind}_seconds")
        code = instance.codes[kind] = Code(text, self._world.clock.now() + life, phone)
        codes = self._world.codes
        codes[text] = (instance, code)
        if len(codes) > REMEMBERED:
            del codes[next(iter(codes))]
        return code

    def _find(self, text: str) -> tuple[AnyInstance, Code]:
        # A pairing code is shown with a dash, and typed in without looking at its case.
        for spelling in (text, text.replace("-", "").upper()):
            if spelling in self._world.codes:
                instance, code = self._world.codes[spelling]
                now = self._world.clock.now()
                instance.settle(now)
                if code not in instance.codes.values():
                    code.expires = min(code.expires, now)
                return instance, code
        raise Conflict("no gateway shows this code")

    def _is_banned(self, phone: str) -> bool:
        return any(n.ddi + n.phone == phone and n.result == "banned" for n in self._world.numbers.values())

    def _other_link(self, instance: AnyInstance, phone: str) -> AnyInstance | None:
        linked = (AUTHORIZED, CONNECTED)
        found = (other for other in self._world.instances() if other.phone == phone and other.state in linked)
        return next((other for other in found if other is not instance), None)


@functools.lru_cache(maxsize=256)
def png(text: str) -> str:
    """Return the QR code of a text as a PNG in base64."""
    image = io.BytesIO()
    segno.make(text, error="l", micro=False).save(image, kind="png", scale=4)
    return base64.b64encode(image.getvalue()).decode()
