# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that talks to an API."""

from __future__ import annotations


class ModuleDocFragment:
    """Certificates, timeouts, retries and concurrency."""

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
      - If not set, the environment variable E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) is used.
      - A relative path is relative to the folder where C(ansible-playbook) was started.
    type: path
  timeout:
    description:
      - Seconds to wait for a connection, and for the next byte of a response.
      - A request takes three times as long at most, plus the time that its largest possible response takes at 100 KiB
        a second. That is next to nothing for a state, which has at most 16 KiB, and five minutes for a listing of
        GREEN-API, which has at most 32 MiB. A response that is larger or slower is abandoned.
      - If not set, the environment variable E(MSGOPS_TIMEOUT) is used.
    type: float
    default: 30.0
  retry_timeout:
    description:
      - Seconds for all retries of one request. V(0) means to never retry.
      - A request is retried, with growing pauses, if the API can't be reached, throttles (HTTP 429) or has a temporary
        failure (HTTP 5xx). The pauses are of 1, 2, 4, 8 and then 10 seconds, or as long as C(Retry-After) in a response
        says, if that is longer.
      - An API that throttles is asked less. Each throttled request halves the number of requests at once, and each
        answer adds one again. After two throttled requests in a row, nothing is sent for a while. Once that has gone on
        for this time, requests fail without being sent if they would have to wait.
      - A request that creates or changes something is only retried if no byte of it was sent, or if it was throttled.
    type: float
    default: 60.0
  concurrency:
    description:
      - The number of requests that the task may have under way at once, from 1 to 256. There are fewer if the limit of
        open files (C(ulimit -n)) is low, so that some are left for the files that the task writes.
    type: int
    default: 16
requirements:
  - requests >= 2.25.1
  - urllib3 >= 1.26.5
"""
