# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that talks to an API."""

from __future__ import annotations


class ModuleDocFragment:
    """How to talk to a host."""

    DOCUMENTATION = r"""
options:
  validate_certs:
    description:
      - Whether to verify the TLS certificate of the API.
    type: bool
    default: true
  ca_path:
    description:
      - A file (PEM) or a folder with the certificates of the authorities to trust, instead of the bundled ones.
      - Without it, the environment variables E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) are honoured.
      - A relative path begins in the folder where C(ansible-playbook) was started.
    type: path
  timeout:
    description:
      - Seconds that one request may take to connect, and to wait for the next byte of the answer.
      - An answer that still trickles in after ten minutes (or after this time, if it is longer) is given up, and so is
        one of more than 64 MiB.
      - If not set, the environment variable E(MSGOPS_TIMEOUT) is used.
    type: float
    default: 30.0
  retry_timeout:
    description:
      - Seconds that the retries of one safe request may take, in all. V(0) means to never retry.
      - A request is retried with growing pauses when the API can't be reached, throttles (HTTP 429) or fails for the
        moment (HTTP 5xx). A C(Retry-After) that the API names is kept.
      - A request that creates or changes something is only retried if not one byte of it has left, or if it was
        throttled.
    type: float
    default: 60.0
  concurrency:
    description:
      - How many requests may be under way at once inside this task, from 1 to 256.
    type: int
    default: 16
requirements:
  - requests >= 2.25.1
  - urllib3 >= 1.26.5
"""
