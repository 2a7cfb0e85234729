#!/usr/bin/env bash
# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# List this machine's Pythons that the checks support, newest first, one per minor version: "3.13 /usr/bin/python3.13".
# A pyenv shim on PATH may stand for no interpreter, so each candidate is run, and has to have the modules that a
# virtual environment needs. The path is that of the real program, not of a shim or of a virtual environment.
set -u

versions=(3.14 3.13 3.12 3.11 3.10)
probe='
import ensurepip, sqlite3, ssl, sys, venv
print("%d.%d" % sys.version_info[:2], getattr(sys, "_base_executable", sys.executable))
'

candidates() {
    type -ap "${versions[@]/#/python}" python3
    if command -v pyenv >/dev/null; then
        local version
        for version in "${versions[@]}"; do
            compgen -G "$(pyenv root)/versions/*/bin/python$version"
        done
    fi
}

found=$(candidates | while read -r python; do "$python" -c "$probe" 2>/dev/null; done)
for version in "${versions[@]}"; do
    grep -m 1 "^$version " <<<"$found"
done
exit 0
