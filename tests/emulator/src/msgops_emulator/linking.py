# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Linking a phone to an instance: the QR codes and pairing codes, and the phones that use them."""

from __future__ import annotations

import base64
import functools
import io
import secrets
import string

import segno

from .errors import Conflict, Invalid
from .instances import CREATING, STARTING, AnyInstance, Code, GreenApiInstance, random_phone
from .world import World

# For how many codes `scan` can tell an expired one from an unknown one.
REMEMBERED = 10_000
EXHAUSTED = "No more codes, restart the instance"


class Refused(Exception):
    """The vendor refuses to make a code; the text is its reason."""


class Linking:
    """What WhatsApp does, and is the same at both gateways."""

    def __init__(self, world: World) -> None:
        self._world = world

    def qr_code(self, instance: AnyInstance) -> str:
        """Return the content of the current QR code; raise Refused if the gateway makes no more."""
        now = self._world.clock.now()
        shown = instance.codes.get("qr")
        if instance.refusal or shown is None or shown.expires <= now:
            # WhatsApp's form: a reference and three keys.
            keys = [base64.b64encode(secrets.token_bytes(size)).decode() for size in (96, 32, 32, 32)]
            shown = self._new_code(instance, "qr", "2@" + ",".join(keys), "")
        return shown.text

    def pairing_code(self, instance: AnyInstance, phone: str) -> str:
        """Return a new pairing code, which replaces the one before it; raise Refused if the gateway makes none."""
        if self._is_banned(phone) or self._other_link(instance, phone):
            raise Refused("This number can not be linked")
        text = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _n in range(8))
        return self._new_code(instance, "pairing", text, phone).text

    def scan(self, text: str, phone: str | None) -> AnyInstance:
        """Link the phone that uses a code; raise Conflict if WhatsApp refuses.

        ``text``: the pairing code, or the content of the QR code. ``phone``: the phone's number; default: the number
        that the pairing code is for, or a random one.
        """
        instance, code = self._find(text)
        now = self._world.clock.now()
        label = f"{instance.provider} instance {instance.id}"
        if code.expires <= now:
            raise Conflict(f"this code of {label} is old: it ran out {now - code.expires:.0f} s ago")
        if instance.state != instance.unlinked:
            raise Conflict(f"{label} is {instance.state}")
        if phone is None:
            phone = code.phone or random_phone()
        if not phone.isascii() or not phone.isdecimal():
            raise Invalid(f"phone: {phone!r} is not a string of digits")
        if code.phone not in ("", phone):
            raise Conflict(f"this code of {label} is for the phone {code.phone}")
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
            instance.become(STARTING, [(ready, instance.linked)])
        else:
            instance.become(instance.linked)
        instance.advance_to(now)
        return instance

    def link(self, instance: AnyInstance, *, when_ready: bool = False) -> None:
        """Link an instance as if a phone had scanned its QR code; with ``when_ready``, as soon as it can show one.

        Raises Conflict if the instance cannot show a code.
        """
        linked, unlinked = instance.linked, instance.unlinked
        label = f"{instance.provider} instance {instance.id}"
        if instance.state == unlinked:
            instance.become(linked)
        elif instance.state in (CREATING, STARTING):
            ready = next((at for at, state in instance.pending if state == unlinked), None)
            if not when_ready or ready is None:
                raise Conflict(f"{label} shows no code yet: it is {instance.state}")
            instance.pending = [change for change in instance.pending if change[0] <= ready] + [(ready, linked)]
        elif instance.state == linked:
            raise Conflict(f"{label} is {linked} already")
        else:
            raise Conflict(f"{label} shows no code: it is {instance.state}")
        instance.advance_to(self._world.clock.now())

    def _new_code(self, instance: AnyInstance, kind: str, text: str, phone: str) -> Code:
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
        # Phones show pairing codes with a dash, and accept them in lower case.
        for spelling in (text, text.replace("-", "").upper()):
            if spelling in self._world.codes:
                instance, code = self._world.codes[spelling]
                now = self._world.clock.now()
                instance.advance_to(now)
                if code not in instance.codes.values():
                    code.expires = min(code.expires, now)
                return instance, code
        raise Conflict("no gateway shows this code")

    def _is_banned(self, phone: str) -> bool:
        return any(n.ddi + n.phone == phone and n.result == "banned" for n in self._world.numbers.values())

    def _other_link(self, instance: AnyInstance, phone: str) -> AnyInstance | None:
        others = (other for other in self._world.instances() if other is not instance)
        return next((other for other in others if other.phone == phone and other.state == other.linked), None)


@functools.lru_cache(maxsize=256)
def png(text: str) -> str:
    """Return the QR code of a text as a PNG in base64."""
    image = io.BytesIO()
    segno.make(text, error="l", micro=False).save(image, kind="png", scale=4)
    return base64.b64encode(image.getvalue()).decode()
