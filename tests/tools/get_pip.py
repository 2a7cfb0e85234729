# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the get-pip.py that ansible-test downloads to give its virtual environments a pip.

Its host is no package registry, and networks that allow only those block it. Copied into ansible-test's cache as
``get_pip_<version>.py``, this installs the pip wheel that lies beside it.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

here = Path(__file__).resolve().parent
version = Path(__file__).stem.removeprefix("get_pip_").replace("_", ".")
sys.path.insert(0, str(here / f"pip-{version}-py3-none-any.whl"))

# get-pip.py's own switches; pip knows none of them and installs neither package unless asked to.
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.argv[1:] = ["install", "--find-links", str(here), *arguments]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
