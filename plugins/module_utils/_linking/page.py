# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page from which a person links phones: one file, which loads nothing else and reloads itself."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field

from .._common.web_page import html_text
from .page_template import PAGE


@dataclass(frozen=True)
class Card:
    """An instance that no phone is linked to yet; times in seconds, ``since`` since 1970.

    ``image`` is its QR code as PNG, ``text`` its pairing code for the number ``phone``; either holds for ``life``.
    ``note`` is the reason why there is no code, ``refusal`` the gateway's last error instead of one.
    """

    anchor: str
    name: str
    id: str
    provider: str
    image: bytes | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    phone: str | None = None
    since: float = 0.0
    life: float = 0.0
    note: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class Page:
    """What the page shows; ``lost`` are names of instances that weren't linked, with the reasons.

    The task waits ``wait_seconds`` for phones, until ``ends_at`` (seconds since 1970); both are 0 if it doesn't wait.
    """

    cards: Sequence[Card]
    linked: Sequence[str]
    lost: Sequence[tuple[str, str]]
    is_over: bool
    wait_seconds: float = 0.0
    ends_at: float = 0.0

    def render(self, now: float, stale: float) -> str:
        """The page as HTML at ``now`` (seconds since 1970), which warns its reader ``stale`` seconds later."""
        total = len(self.cards) + len(self.linked) + len(self.lost)
        return PAGE.substitute(
            title=f"({len(self.cards)}) Link phones" if self.cards else "Link phones",
            head=self._head(total),
            linked_count=len(self.linked),
            total=max(1, total),
            wait=self._wait(now),
            how=_how(self.cards),
            cards="\n".join(map(_card, self.cards)),
            lost=_list("Not linked", [f"<b>{html_text(name)}</b>: {html_text(why)}" for name, why in self.lost]),
            linked=_list("Linked", [f"<b>{html_text(name)}</b>" for name in self.linked]),
            written=f"{now:.3f}",
            stale=f"{stale:g}",
            is_over="true" if self.is_over else "false",
        )

    def _head(self, total: int) -> str:
        if any(card.image or card.text for card in self.cards) or (self.cards and not self.is_over):
            return f"{len(self.cards)} of {total} wait for a phone"
        if len(self.linked) == total:
            return "All phones are linked"
        return f"{len(self.linked)} of {total} phones are linked"

    def _wait(self, now: float) -> str:
        """How long the task still waits; the page's script counts the seconds down."""
        if not self.wait_seconds:
            return "The task doesn't wait for the phones: link them before their codes run out."
        if self.is_over:
            return f"The task has ended.{' Run it again to link the others.' if self.lost else ''}"
        end = datetime.datetime.fromtimestamp(self.ends_at, datetime.timezone.utc)
        left = f'<b class="left" data-ends="{self.ends_at:.3f}">{_span(max(0.0, self.ends_at - now))}</b>'
        return (
            f"The task waits for {left} more of {_span(self.wait_seconds)}, until "
            f'<time datetime="{end:%Y-%m-%dT%H:%M:%SZ}">{end:%H:%M:%S} UTC</time>.'
        )


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return " ".join([*([f"{minutes} min"] if minutes else []), *([f"{rest} s"] if rest or not minutes else [])])


def _how(cards: Sequence[Card]) -> str:
    if any(card.text for card in cards):
        return (
            "On the phone of the number: WhatsApp, <i>Linked devices</i>, <i>Link a device</i>, "
            "<i>Link with phone number instead</i>; then type its code in."
        )
    if any(card.image for card in cards):
        return (
            "On the phone: WhatsApp, <i>Linked devices</i>, <i>Link a device</i>; then scan its code. "
            "A click shows one code alone."
        )
    return "Leave this page open: it shows each code as soon as the gateway gives it." if cards else ""


def _card(card: Card) -> str:
    name, anchor, phone = html_text(card.name), html_text(card.anchor), html_text(card.phone or "")
    if card.image:
        source = base64.b64encode(card.image).decode()
        code = f'<img src="data:image/png;base64,{source}" alt="QR code that links {name}">'
    elif card.text:
        code = f'<span class="type">{html_text(spell(card.text))}</span>'
    else:
        code = '<span class="none">no code yet</span>'
    lines = [f"<p>{html_text(card.provider)} <code>{html_text(card.id)}</code></p>"]
    if phone:
        lines.append(f"<p>phone +{phone}</p>")
    if card.image or card.text:
        lines.append(
            f'<div class="age" data-since="{card.since:.3f}" data-life="{card.life:g}">'
            f'<progress max="{card.life:g}" aria-label="time left"></progress><span></span></div>'
        )
    if card.note:
        lines.append(f'<p class="note">{html_text(card.note)}</p>')
    if card.refusal:
        lines.append(f'<p class="refusal">{html_text(card.refusal)}</p>')
    return (
        f'<li class="card" id="{anchor}"><a class="code" href="#{anchor}">{code}</a>'
        f'<div class="text"><h2>{name}</h2>{"".join(lines)}</div><a class="back" href="#">all codes</a></li>'
    )


def _list(head: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    return f"<section><h3>{head}</h3><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul></section>"


def spell(code: str) -> str:
    """A pairing code in the groups in which WhatsApp shows it."""
    return f"{code[:4]}-{code[4:]}" if len(code) == 8 and code.isalnum() else code
