# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Huawei Cloud KooPhone: cloud phones, their status and reboots. https://support.huaweicloud.com/intl/en-us/api-koophone/"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from .._common.errors import FleetError, UsageError
from .._http.messages import Effect, Request, Response
from .._http.parsing import encode_body
from .._http.sizes import FIELDS, KIB, Size
from .._http.transport import RequestBudget, Transport
from .koophone_auth import Authentication
from .koophone_responses import ListedPhone, parse_page, parse_reboot, parse_statuses
from .paging import Page, list_all

Value = TypeVar("Value")

# An item of a response: an ID and a number; a phone in a listing, which has about 1 kB and 25 values.
_STATUS = Size(512, 8)
_PHONE = Size(4 * KIB, 64)
# The documentation of the listing states no largest page; that of the other calls allows 100 phones.
MAX_PAGE_SIZE = 100


class Koophone:
    """One tenant's phones, of which the listing requests ``page_size`` at once.

    :raises UsageError: if ``page_size`` isn't a number from 1 to 100.
    """

    def __init__(self, transport: Transport, authentication: Authentication, *, page_size: int = MAX_PAGE_SIZE) -> None:
        if not 1 <= page_size <= MAX_PAGE_SIZE:
            raise UsageError(f"page_size must be between 1 and {MAX_PAGE_SIZE}")
        self._page_size = page_size
        self._transport = transport
        self._authentication = authentication
        self._first = threading.Lock()
        self._accepted = False
        self._refusal: FleetError | None = None

    def read_statuses(self, instance_ids: Sequence[str], budget: RequestBudget) -> dict[str, int | None]:
        """The status by ID; ``None`` if it isn't a number. IDs that the response leaves out are missing here, too.

        POST /v1/instances/batch-query-status only reads, although it is a POST.
        https://support.huaweicloud.com/intl/en-us/api-koophone/instanceBatchQueryStatus.html
        """
        return self._send(
            "POST",
            "/v1/instances/batch-query-status",
            f"reading the status of {_some(instance_ids)} at KooPhone",
            parse_statuses,
            budget,
            size=FIELDS.plus(len(instance_ids), _STATUS),
            body={"instance_ids": list(instance_ids)},
        )

    def reboot(self, instance_ids: Sequence[str]) -> None:
        """Reboot up to 100 phones: all of them, or none if one can't be.

        https://support.huaweicloud.com/api-koophone/BatchRebootInstance.html ; the answer names no task, so only the
        statuses tell how far the reboots are.
        """
        self._send(
            "POST",
            "/v1/instances/reboot",
            f"rebooting {_some(instance_ids)} at KooPhone",
            parse_reboot,
            RequestBudget(),
            size=FIELDS,
            effect=Effect.WRITES,
            body={"instance_ids": list(instance_ids)},
        )

    def list_phones(self, *, concurrency: int) -> list[ListedPhone]:
        """All of the tenant's phones; up to ``concurrency`` pages are requested at once.

        https://support.huaweicloud.com/intl/en-us/api-koophone/ListInstances.html
        """
        return list_all(self._page, "phones", concurrency=concurrency) or []

    def _page(self, number: int) -> Page[ListedPhone]:
        return self._send(
            "GET",
            "/v1/instances/batch-query",
            f"listing the phones at KooPhone (page {number})",
            parse_page,
            RequestBudget(),
            size=FIELDS.plus(self._page_size, _PHONE),
            query={"page_no": str(number), "page_size": str(self._page_size)},
        )

    def _send(
        self,
        method: str,
        path: str,
        what: str,
        parse: Callable[[Response], Value],
        budget: RequestBudget,
        *,
        size: Size,
        effect: Effect = Effect.READS,
        body: Any = None,
        query: Mapping[str, str] | None = None,
    ) -> Value:
        """Send a request. All others wait for the first one, and fail with it if it is refused as unauthorized.

        Otherwise parallel requests would lock the access key: Huawei Cloud locks one after five failures in a row
        (https://support.huaweicloud.com/en-us/ocr_faq/ocr_01_0063.html).
        """

        def build() -> Request:
            # Not before it is sent: authentication takes a token from IAM, or signs the time.
            return self._request(method, path, what, size, effect, body, query)

        with self._first:
            if self._refusal:
                raise self._refusal
            if not self._accepted:
                try:
                    return self._transport.send(build(), parse, budget)
                except FleetError as error:
                    if error.code == "unauthorized":
                        self._refusal = error
                    raise
                finally:
                    # Any other failure lets the other requests go as well, or they would wait for one another's
                    # retries.
                    self._accepted = self._refusal is None
        return self._transport.send(build(), parse, budget)

    def _request(
        self, method: str, path: str, what: str, size: Size, effect: Effect, body: Any, query: Mapping[str, str] | None
    ) -> Request:
        request_id = str(uuid.uuid4())
        sent = b"" if body is None else encode_body(body)
        url = self._transport.base_url + path
        if query is not None:
            # Calls with a query document x-request-id as a parameter, the others as a header.
            query = {"x-request-id": request_id, **query}
            url += "?" + urlencode(query)
        authentication = self._authentication.headers_for(method, url, sent)
        return Request(
            method,
            path,
            what=what,
            effect=effect,
            credential=self._authentication.credential,
            secrets=self._authentication.secrets,
            headers={**authentication, "x-request-id": request_id},
            query=query or {},
            body=body,
            size=size,
        )


def _some(instance_ids: Sequence[str]) -> str:
    if len(instance_ids) == 1:
        return f"phone {instance_ids[0]}"
    return f"{len(instance_ids)} phones ({instance_ids[0]} to {instance_ids[-1]})"
