# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML page's markup and styles. It has no script, loads nothing, and its security policy allows its style alone.

Bars are SVG and dots are borders, because browsers don't print background colours.
"""

from __future__ import annotations

from string import Template

from .._common.web_page import security_policy
from .members import CONDITIONS

# The filters of the table of members: a radio button for each, by which the style hides the other rows.
FILTERS = ("all", "failing", *CONDITIONS)

_STYLE = (
    """
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --line: #dfe3e8; --text: #1b2129; --quiet: #5b6675;
  --failed: #b3261e; --degraded: #c2550a; --action_required: #a16a00; --unreadable: #6b4fa0; --unknown: #6c7682;
  --transient: #2467b8; --ready: #1d7f4a;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0e1217; --card: #171d24; --line: #2b343f; --text: #e8ecf1; --quiet: #98a4b3;
    --failed: #f2837b; --degraded: #f39a5a; --action_required: #e3b341; --unreadable: #b79bf0; --unknown: #98a4b3;
    --transient: #6fb0ff; --ready: #4cc283;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 20px 20px 48px; }
h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 10px; }
p { margin: 6px 0; overflow-wrap: anywhere; }
small { display: block; font-size: 12.5px; color: var(--quiet); overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.top { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; }
.verdict { border-radius: 999px; padding: 3px 14px; font-weight: 600; border: 2px solid currentColor; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 16px 0; }
.tile, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tile b { display: block; font-size: 26px; line-height: 1.2; font-variant-numeric: tabular-nums; }
section { margin: 0 0 16px; }
.bar { display: block; width: 100%; height: 22px; margin-bottom: 8px; fill: currentColor; border-radius: 6px; }
.thin { height: 12px; min-width: 60px; margin: 5px 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
td { white-space: nowrap; }
.long { white-space: normal; overflow-wrap: anywhere; min-width: 8em; }
.wide { width: 36%; }
th { color: var(--quiet); font-weight: 600; font-size: 13px; }
tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.dot::before {
  content: ""; display: inline-block; border: 5px solid; border-radius: 3px; margin-right: 8px;
}
.group { padding: 8px 0; border-bottom: 1px solid var(--line); }
.group:last-child { border-bottom: 0; padding-bottom: 0; }
.group p { margin: 0 0 4px; }
.names { margin: 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 6px; }
.names li { border: 1px solid var(--line); border-radius: 6px; padding: 0 8px; font-size: 13.5px; max-width: 100%;
  overflow-wrap: anywhere; }
.filter { position: absolute; opacity: 0; }
label { display: inline-block; border: 1px solid var(--line); border-radius: 999px; padding: 2px 12px;
  margin: 0 4px 6px 0; font-size: 13.5px; cursor: pointer; }
.filter:checked + label { border: 2px solid; padding: 1px 11px; font-weight: 600; }
.filter:focus-visible + label { outline: 2px solid var(--transient); outline-offset: 2px; }
.members { font-size: 13.5px; }
@media screen and (max-width: 800px) {
  main { padding: 12px 8px 24px; }
  .tile, section { padding: 10px; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(104px, 1fr)); gap: 8px; }
  .tile b { font-size: 22px; }
  td { white-space: normal; }
  th, td { padding-right: 8px; }
  .long { min-width: 5em; }
  .stack thead { display: none; }
  .stack tr { display: block; border-bottom: 1px solid var(--line); padding: 6px 0; }
  .stack td { display: block; border: 0; padding: 0; }
  .stack td[data-head]:not(:empty)::before { content: attr(data-head) " "; color: var(--quiet); }
}
@media print {
  body { background: none; font-size: 13px; }
  td { white-space: normal; }
  .tile, .group, tr { break-inside: avoid; }
  label { display: none; }
  .filter:checked + label { display: inline-block; }
}
"""
    + "".join(f".{kind} {{ color: var(--{kind}); }}\n" for kind in CONDITIONS)
    + "".join(
        f'#show-{name}:checked ~ .members tr[data-is]:not([data-is~="{name}"]) {{ display: none; }}\n'
        for name in FILTERS
        if name != "all"
    )
)

PAGE = Template(f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="{security_policy(style=_STYLE)}">
<title>$title</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<header>
<div class="top"><h1>$title</h1><span class="verdict $verdict_kind">$verdict</span></div>
$violations
<p class="quiet">The rule: $rule. Written $generated_at UTC$read.</p>
</header>
<div class="tiles">$tiles</div>
<section><h2>What to do</h2>$needs</section>
<section><h2>States</h2>$state_bar
<table><thead><tr><th>State</th><th>Health</th><th class="number">Members</th>
<th class="number">Share</th></tr></thead><tbody>$states</tbody></table></section>
<section><h2>Providers</h2><table><thead><tr><th>Provider</th><th class="number">Members</th>
<th class="number">Healthy</th><th class="wide">Health</th></tr></thead><tbody>$providers</tbody></table></section>
<section><h2>Due next</h2>$due_next</section>
$sources
<section><h2>Members</h2>$filters
<table class="members stack"><thead><tr><th>Name</th><th>Provider</th><th>State</th>
<th class="wide">Why it is failing</th><th>Due</th><th>Read at</th></tr></thead>
<tbody>
$members
</tbody></table></section>
</main>
</body>
</html>
""")
