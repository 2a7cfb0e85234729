# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linking page's markup, styles and script. Its security policy allows these alone, by their hashes."""

from __future__ import annotations

from string import Template

from .._common.web_page import security_policy

_STYLE = """
:root {
  --page: #f4f5f7; --card: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d8dee4; --good: #1a7f37; --bad: #b3261e;
}
@media screen and (prefers-color-scheme: dark) {
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
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; color: var(--soft); }
p { margin: 0; }
header p { margin-top: .5rem; }
progress { display: block; width: 100%; height: .5rem; margin: .75rem 0; accent-color: var(--good); }
.how { color: var(--soft); }
.how:empty, .cards:empty { display: none; }
time, .left { font-variant-numeric: tabular-nums; }
header .stale { display: none; margin: 1rem 0 0; padding: .75rem 1rem; border-radius: .5rem; border: 1px solid;
  color: var(--bad); background: var(--card); }
.is-stale header .stale { display: block; }
.is-stale .wait { display: none; }
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
.type { font: 700 1.9rem/1 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; letter-spacing: .06em;
  white-space: nowrap; }
.none { color: var(--soft); border: 2px dashed var(--line); border-radius: .5rem; width: 100%; height: 100%;
  display: flex; align-items: center; justify-content: center; }
.age { display: flex; align-items: center; gap: .5rem; margin-top: .5rem; font-size: .85rem; color: var(--soft);
  font-variant-numeric: tabular-nums; }
.age progress { flex: 1; height: .35rem; margin: 0; }
.age.out { color: var(--bad); }
.note, .refusal { margin-top: .5rem; }
.text .refusal { color: var(--bad); }
.text code { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.card:has(.out) .code { filter: blur(.35rem); opacity: .3; }
.back { display: none; color: var(--soft); }
.card:target { position: fixed; inset: 0; z-index: 1; border: 0; border-radius: 0; padding: 3vmin; overflow: auto;
  justify-content: center; }
.card:target .code { width: min(75vmin, 40rem); max-width: none; flex: none; }
.card:target .type { font-size: min(12vmin, 6rem); }
.card:target .text { max-width: min(75vmin, 40rem); }
.card:target h2 { font-size: 1.6rem; }
.card:target .back { display: inline; }
section ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .5rem; }
section li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .35rem .7rem;
  font-size: .9rem; overflow-wrap: anywhere; }
"""

# The page reloads itself, because a page opened as a file can't request anything.
_SCRIPT = """
"use strict";
const page = document.body.dataset, over = page.over === "true";
function span(seconds) {
  const minutes = Math.floor(seconds / 60), rest = Math.floor(seconds % 60);
  return (minutes ? minutes + " min " : "") + (rest || !minutes ? rest + " s" : "");
}
function tick() {
  const now = Date.now() / 1000;
  document.body.classList.toggle("is-stale", !over && now - page.written > page.stale);
  for (const left of document.querySelectorAll(".left")) {
    left.textContent = span(Math.max(0, left.dataset.ends - now));
  }
  for (const box of document.querySelectorAll(".age")) {
    const age = Math.max(0, now - box.dataset.since), life = Number(box.dataset.life);
    box.classList.toggle("out", age > life);
    box.firstChild.value = Math.max(0, life - age);
    box.lastChild.textContent = age > life ? "ran out" : Math.floor(age) + " s old";
  }
}
tick();
setInterval(tick, 500);
setTimeout(() => location.reload(), over ? 5000 : 2000);
"""

PAGE = Template(f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy"
  content="{security_policy(style=_STYLE, script=_SCRIPT, images="data:")}">
<noscript><meta http-equiv="refresh" content="2"></noscript>
<title>$title</title>
<style>{_STYLE}</style>
</head>
<body data-written="$written" data-stale="$stale" data-over="$is_over">
<header>
<h1>$head</h1>
<progress value="$linked_count" max="$total" aria-label="linked phones"></progress>
<p class="wait">$wait</p>
<p class="how">$how</p>
<p class="stale">The task was killed and doesn't renew these codes any more. Run it again, and leave this page open.</p>
</header>
<ul class="cards">$cards</ul>
$lost
$linked
<script>{_SCRIPT}</script>
</body>
</html>
""")
