# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An HTTP server that emulates GREEN-API, PlugzAPI and KooPhone, with state and with faults on demand."""

from __future__ import annotations

from .client import Control, ControlError
from .emulator import Emulator, EmulatorProcess

__all__ = ["Control", "ControlError", "Emulator", "EmulatorProcess"]
