# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscribing instances and cancelling subscriptions: planned by the listing, sent once, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .._common.errors import Delivery, FleetError, UsageError
from .._common.limits import Limit
from .._common.polling import poll
from .._creation.listing import LISTING_POLICY, Listing, ListingPolicy, list_until
from .._fleet import outcome as outcomes
from .._vendors.payments import CANCELLED, SUBSCRIBED, UNSUBSCRIBED, Payment, payment_in
from .listed import NamedOutcome, refusal, take_listed, unknown

Action = Literal["subscribed", "cancelled", "unchanged", "would_subscribe", "would_cancel", "failed", "unknown"]
State = Literal["subscribed", "cancelled"]

_WOULD: dict[State, Action] = {"subscribed": "would_subscribe", "cancelled": "would_cancel"}
# The payments in which there is nothing to send, and those that prove that what was sent has happened.
_FULFILLED: dict[State, frozenset[Payment]] = {"subscribed": SUBSCRIBED, "cancelled": UNSUBSCRIBED}
_PROOFS: dict[State, frozenset[Payment]] = {"subscribed": SUBSCRIBED, "cancelled": CANCELLED}


@dataclass(kw_only=True)
class Subscription(NamedOutcome[Action]):
    """What becomes of the subscription of one instance; ``before`` is the gateway's word at the beginning."""

    action: Action = "unchanged"
    before: str | None = None

    @property
    def word(self) -> str | None:
        """The gateway's word for the payment."""
        return self.listed.payment_status if self.listed else None

    def as_result(self) -> dict[str, Any]:
        """The instance as the module returns it."""
        return super().as_result() | {
            "payment_status": payment_in(self.word),
            "vendor_status": self.word,
            "due": self.listed.due if self.listed else None,
        }


def refuse_without_subscriptions(provider: str, *, has_subscriptions: bool) -> None:
    """Refuse instances of a gateway that has none.

    :raises UsageError: with the way to stop paying.
    """
    if not has_subscriptions:
        raise UsageError(
            f"instances of a {provider} partner have no subscription: they renew by themselves, day by day, until they "
            "are deleted; leave them out, or stop paying for them with instance_delete"
        )


@dataclass(frozen=True)
class Subscriber:
    """Brings the subscriptions of one task into ``state``."""

    state: State
    max_changes: Limit | None
    concurrency: int
    policy: ListingPolicy = LISTING_POLICY

    def predict(self, subscriptions: Sequence[Subscription]) -> None:
        """Set what a task that isn't in check mode would do. Sends no request that writes."""
        for subscription in self._plan(subscriptions):
            subscription.end(_WOULD[self.state])

    def apply(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe or cancel. The failure of one instance doesn't keep the others from it."""
        planned = self._plan(subscriptions)
        poll(planned, self._send, workers=self.concurrency)
        for sent in outcomes.by_gateway(one for one in planned if one.sent).values():
            self._read_back(sent)
            for subscription in sent:
                self._conclude(subscription)

    def _plan(self, subscriptions: Sequence[Subscription]) -> Sequence[Subscription]:
        take_listed(subscriptions, _end_gone, lambda one, error: one.end("failed", error))
        for subscription in subscriptions:
            subscription.before = subscription.word
            if not subscription.is_over:
                self._decide(subscription)
        planned = [one for one in subscriptions if not one.is_over]
        return outcomes.within(planned, self.max_changes, len(subscriptions))

    def _decide(self, subscription: Subscription) -> None:
        payment = payment_in(subscription.word)
        if payment is None:
            subscription.end("failed", unknown_payment(subscription.word))
        elif payment in _FULFILLED[self.state]:
            subscription.end("unchanged")
        elif not subscription.target.credentials.token:
            subscription.end("failed", refusal("its token isn't known: the listing doesn't show it", "no token"))

    def _send(self, subscription: Subscription) -> bool:
        gateway = subscription.gateway
        act = gateway.subscribe if self.state == "subscribed" else gateway.cancel_subscription
        try:
            act(subscription.target.credentials)
        except FleetError as error:
            if error.delivery is not Delivery.UNKNOWN:
                subscription.end("failed", error)
                return True
            subscription.doubt = error
        subscription.sent = True
        return True

    def _read_back(self, sent: Sequence[Subscription]) -> None:
        try:
            listing = list_until(
                sent[0].gateway, lambda listing: all(self._is_proven(s, listing) for s in sent), self.policy
            )
        except FleetError as error:
            for subscription in sent:
                subscription.doubt = subscription.doubt or error
            return
        for subscription in sent:
            subscription.listed = listing.with_id(subscription.target.credentials.id) or subscription.listed

    def _is_proven(self, subscription: Subscription, listing: Listing) -> bool:
        found = listing.with_id(subscription.target.credentials.id)
        return found is not None and payment_in(found.payment_status) in _PROOFS[self.state]

    def _conclude(self, subscription: Subscription) -> None:
        if payment_in(subscription.word) in _PROOFS[self.state]:
            subscription.end(self.state)
        else:
            remedy = f"the gateway still says {subscription.word}: look into its console, or run the task again later"
            subscription.end("unknown", unknown(self.state, subscription.doubt, remedy))


def unknown_payment(word: str | None) -> FleetError:
    """The error of a payment status that nothing is known of."""
    what = f"the gateway's payment status {word} is no known word" if word else "the gateway tells no payment status"
    return refusal(f"{what}, so nothing was sent: look into its console", "unknown payment status")


def _end_gone(subscription: Subscription) -> None:
    subscription.end("failed", FleetError("not_found", "the account's listing doesn't show it: it is gone"))


def report(subscriptions: Sequence[Subscription]) -> dict[str, Any]:
    """The module's result."""
    return outcomes.report(
        subscriptions,
        changed=any(one.sent or one.action in _WOULD.values() for one in subscriptions),
        before="".join(one.line(one.before) for one in subscriptions),
        after="".join(one.line(one.action if one.action in _WOULD.values() else one.word) for one in subscriptions),
        done="subscribed or cancelled",
    )


def warnings(subscriptions: Sequence[Subscription]) -> list[str]:
    """What a person should know, although nothing failed."""
    unpaid = [one for one in subscriptions if not one.error and payment_in(one.word) in SUBSCRIBED - {"paid"}]
    return [
        f"{one.target.label} is subscribed, but not paid for: the gateway says {one.word}, and deletes what isn't paid"
        for one in unpaid
    ]
