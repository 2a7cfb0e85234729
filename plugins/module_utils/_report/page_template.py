# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML page's markup and styles. It has no script, and loads nothing."""

from __future__ import annotations

from string import Template

PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --line: #dfe3e8; --text: #1b2129; --quiet: #5b6675;
  --failed: #b3261e; --degraded: #c2550a; --action_required: #a16a00; --unreadable: #6b4fa0; --unknown: #6c7682;
  --transient: #2467b8; --ready: #1d7f4a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1217; --card: #171d24; --line: #2b343f; --text: #e8ecf1; --quiet: #98a4b3;
    --failed: #f2837b; --degraded: #f39a5a; --action_required: #e3b341; --unreadable: #b79bf0; --unknown: #98a4b3;
    --transient: #6fb0ff; --ready: #4cc283;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 12px; }
p { margin: 6px 0; }
.quiet { color: var(--quiet); }
.top { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; }
.verdict { border-radius: 999px; padding: 3px 14px; font-weight: 600; border: 2px solid currentColor; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; }
.tile, section, details.all {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px;
}
.tile b { display: block; font-size: 28px; line-height: 1.2; font-variant-numeric: tabular-nums; }
section, details.all { margin: 0 0 16px; }
.bar { display: flex; gap: 1px; height: 22px; margin-bottom: 8px; border-radius: 6px; overflow: hidden; }
.bar i { display: block; min-width: 3px; }
.bar.thin { height: 12px; min-width: 160px; margin: 5px 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { white-space: nowrap; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 12em; }
th { color: var(--quiet); font-weight: 600; font-size: 13px; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
.dot::before {
  content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 8px;
  background: currentColor;
}
.group { padding: 10px 0; border-bottom: 1px solid var(--line); }
.group:last-child { border-bottom: 0; padding-bottom: 0; }
.group p { margin: 0 0 6px; }
.names { margin: 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 6px; }
.names li { border: 1px solid var(--line); border-radius: 6px; padding: 1px 8px; font-size: 13.5px; max-width: 100%;
  overflow-wrap: anywhere; }
summary { cursor: pointer; font-weight: 600; font-size: 17px; }
details.all table { margin-top: 12px; font-size: 13.5px; }
$colors
@media print { body { background: none; } .tile, section { break-inside: avoid; } }
</style>
</head>
<body>
<main>
<header>
<div class="top"><h1>$title</h1><span class="verdict $verdict_kind">$verdict</span></div>
$violations
<p class="quiet">The rule: $rule. Written $generated_at UTC$read.</p>
</header>
<div class="tiles">$tiles</div>
<section><h2>States</h2><div class="bar" role="img" aria-label="States">$state_bar</div>
<div class="scroll"><table><thead><tr><th>State</th><th>Health</th><th class="number">Members</th>
<th class="number">Share</th></tr></thead><tbody>$states</tbody></table></div></section>
<section><h2>Providers</h2><div class="scroll"><table><thead><tr><th>Provider</th><th>Account</th>
<th class="number">Members</th>
<th class="number">Healthy</th><th>Health</th></tr></thead><tbody>$providers</tbody></table></div></section>
<section><h2>What to do</h2>$needs</section>
<section><h2>Due next</h2>$due_next</section>
$sources
<details class="all"><summary>All members ($total)</summary><div class="scroll"><table><thead><tr><th>Name</th>
<th>ID</th><th>Provider</th><th>Account</th>
<th>State</th><th>Due</th><th>Read at</th><th>Why it is failing</th></tr></thead>
<tbody>$members</tbody></table></div></details>
</main>
</body>
</html>
""")
