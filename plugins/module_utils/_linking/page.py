# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page from which a person links phones: one file, which loads nothing else and reloads itself."""

from __future__ import annotations

import base64
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape


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
    """What the page shows; ``lost`` are names of instances that weren't linked, with the reasons."""

    cards: Sequence[Card]
    linked: Sequence[str]
    lost: Sequence[tuple[str, str]]
    is_over: bool

    def render(self, now: float, stale: float) -> str:
        """The page as HTML at ``now`` (seconds since 1970), which warns its reader ``stale`` seconds later."""
        total = len(self.cards) + len(self.linked) + len(self.lost)
        return _PAGE.substitute(
            title=f"({len(self.cards)}) Link phones" if self.cards else "Link phones",
            head=self._head(total),
            share=f"{len(self.linked) / total * 100 if total else 0:.1f}",
            how=_how(self.cards),
            cards="\n".join(map(_card, self.cards)),
            lost=_list("Not linked", [f"<b>{escape(name)}</b>: {escape(why)}" for name, why in self.lost]),
            linked=_list("Linked", [f"<b>{escape(name)}</b>" for name in self.linked]),
            now=f"{now:.3f}",
            over="true" if self.is_over else "false",
            stale=f"{stale:g}",
        )

    def _head(self, total: int) -> str:
        if any(card.image or card.text for card in self.cards) or (self.cards and not self.is_over):
            return f"{len(self.cards)} of {total} wait for a phone"
        if len(self.linked) == total:
            return "All phones are linked"
        return f"{len(self.linked)} of {total} phones are linked"


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
    return ""


def _card(card: Card) -> str:
    name, anchor, phone = escape(card.name), escape(card.anchor), escape(card.phone or "")
    if card.image:
        source = base64.b64encode(card.image).decode()
        code = f'<img src="data:image/png;base64,{source}" alt="QR code that links {name}">'
    elif card.text:
        code = f'<span class="type">{escape(spell(card.text))}</span>'
    else:
        code = '<span class="none">no code yet</span>'
    lines = [f"<p>{escape(card.provider)} <code>{escape(card.id)}</code></p>"]
    if phone:
        lines.append(f"<p>phone +{phone}</p>")
    if card.image or card.text:
        lines.append(
            f'<div class="age" data-since="{card.since:.3f}" data-life="{card.life:g}"><i></i><span></span></div>'
        )
    if card.note:
        lines.append(f'<p class="note">{escape(card.note)}</p>')
    if card.refusal:
        lines.append(f'<p class="refusal">{escape(card.refusal)}</p>')
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


# The security policy lets the page load nothing. It reloads itself, which works for a file and on a server.
_PAGE = string.Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<noscript><meta http-equiv="refresh" content="2"></noscript>
<title>$title</title>
<style>
:root {
  --page: #f4f5f7; --card: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d8dee4; --good: #1a7f37; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #171b22; --text: #e6edf3; --soft: #9aa4af; --line: #2c333c; --good: #3fb950;
    --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 100rem; padding: 1.5rem; background: var(--page); color: var(--text);
  font: 1rem/1.4 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; color: var(--soft); }
p { margin: 0; }
.share { height: .4rem; border-radius: .2rem; background: var(--line); margin: .75rem 0; overflow: hidden; }
.share i { display: block; height: 100%; background: var(--good); }
.how { color: var(--soft); }
.how:empty, .cards:empty { display: none; }
.stale { display: none; margin: 1rem 0 0; padding: .75rem 1rem; border-radius: .5rem; border: 1px solid var(--bad);
  color: var(--bad); background: var(--card); }
.is-stale .stale { display: block; }
.is-stale .code { filter: blur(.35rem); opacity: .4; }
.cards { list-style: none; margin: 1.5rem 0 0; padding: 0; display: grid; gap: 1.25rem;
  grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; display: flex;
  flex-direction: column; gap: .75rem; align-items: center; }
.text { width: 100%; }
.text p { color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
.code { display: flex; width: 100%; aspect-ratio: 1; max-width: 17rem; align-items: center; justify-content: center;
  color: inherit; text-decoration: none; border-radius: .5rem; }
.code img { width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated; background: #ffffff;
  padding: .5rem; border-radius: .5rem; }
.code:has(.type) { aspect-ratio: auto; padding: 2.5rem 0; }
.type { font: 700 1.9rem/1 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; letter-spacing: .06em; }
.none { color: var(--soft); border: 2px dashed var(--line); border-radius: .5rem; width: 100%; height: 100%;
  display: flex; align-items: center; justify-content: center; }
.age { display: flex; align-items: center; gap: .5rem; margin-top: .5rem; font-size: .85rem; color: var(--soft);
  font-variant-numeric: tabular-nums; }
.age i { flex: 1; height: .25rem; border-radius: .125rem; background:
  linear-gradient(var(--good), var(--good)) left / var(--left, 0%) 100% no-repeat var(--line); }
.age.out { color: var(--bad); }
.note, .refusal { margin-top: .5rem; }
.text .refusal { color: var(--bad); }
.text code { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.card:has(.out) .code { filter: blur(.35rem); opacity: .3; }
.back { display: none; color: var(--soft); }
.card:target { position: fixed; inset: 0; z-index: 1; border: 0; border-radius: 0; padding: 3vmin; overflow: auto;
  justify-content: center; }
.card:target .code { width: min(75vmin, 40rem); max-width: none; flex: none; }
.card:target .type { font-size: min(13vmin, 6rem); }
.card:target .text { max-width: min(75vmin, 40rem); }
.card:target h2 { font-size: 1.6rem; }
.card:target .back { display: inline; }
section ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .5rem; }
section li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .35rem .7rem;
  font-size: .9rem; overflow-wrap: anywhere; }
</style>
</head>
<body>
<header>
<h1>$head</h1>
<div class="share"><i style="width: $share%"></i></div>
<p class="how">$how</p>
<p class="stale">No task writes this page any more: its codes are of no use. Run the task again and leave this page
  open.</p>
</header>
<ul class="cards">$cards</ul>
$lost
$linked
<script>
"use strict";
const written = $now, over = $over;
function tick() {
  const now = Date.now() / 1000;
  document.body.classList.toggle("is-stale", !over && now - written > $stale);
  for (const box of document.querySelectorAll(".age")) {
    const age = Math.max(0, now - box.dataset.since), life = Number(box.dataset.life);
    box.classList.toggle("out", age > life);
    box.style.setProperty("--left", Math.max(0, 1 - age / life) * 100 + "%");
    box.lastChild.textContent = age > life ? "ran out" : Math.floor(age) + " s old";
  }
}
tick();
setInterval(tick, 500);
setTimeout(() => location.reload(), over ? 5000 : 2000);
</script>
</body>
</html>
""")
