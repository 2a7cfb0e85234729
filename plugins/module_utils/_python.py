# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a module with a clear failure under a Python that is too old for the collection.

Each module imports this file before any other. Python 3.6 must be able to parse it, and the module: the future import
of annotations, which the rest of the collection begins with, is a SyntaxError there.
"""

import json
import sys

if sys.version_info < (3, 10):  # noqa: UP036  # a target's Python may be older than the controller's
    version = ".".join(str(number) for number in sys.version_info[:3])
    msg = "msgops.fleet needs Python 3.10 or newer, and {} is Python {}; set ansible_python_interpreter to a newer one"
    sys.stdout.write(json.dumps({"failed": True, "msg": msg.format(sys.executable, version)}))
    raise SystemExit(1)
