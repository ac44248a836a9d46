"""The five policy files say what was published, name what was not, and are enough to answer a request."""

import pytest

from dsr import policy, samples

PROMISES = {
    "lumees": "access correct delete opt-out complain no-store no-retain-io keep comms not-sold encrypted contact"
    " cookies everyone",
    "lyumen": "no-account no-cookies logged delete train-sell no-individual-sale indefinite upstream country no-ads"
    " no-secrets",
    "lumyxai": "sso access correct delete object export delete-30 account logs-30 billing no-train not-sold secure"
    " reviews cards cookies children changes",
    "lumio": "rights respond-30 free everywhere person processor delete-30 account billing-7y sessions-90 not-sold"
    " no-train cookies-3 encrypted mfa security-48h children transfer updates analytics bound cards reviews notice-14",
    "lunos": "access correct delete comms no-content keep not-sold providers transfers encrypted cookies children"
    " changes dpo audits",
}

every_sample = pytest.mark.parametrize("name", samples.NAMES)


@every_sample
def test_each_policy_names_every_promise_once(name: str) -> None:
    promises = [promise.id for promise in policy.load(samples.policy_path(name)).promises]
    assert promises == [f"{name}.{promise}" for promise in PROMISES[name].split()]


@every_sample
def test_each_policy_can_answer_an_access_request(name: str) -> None:
    loaded = policy.load(samples.policy_path(name))
    systems = policy.load_systems(samples.systems_path(name), loaded)
    assert loaded.slots_missing() == []
    assert {category.id for category in loaded.categories} == systems.categories()
    assert {purpose for category in loaded.categories for purpose in category.purposes} == {
        p.id for p in loaded.purposes
    }


def test_policies_differ_where_the_companies_do() -> None:
    loaded = {name: policy.load(samples.policy_path(name)) for name in samples.NAMES}
    assert len({found.organisation.accent for found in loaded.values()}) == len(loaded)
    assert {name for name, found in loaded.items() if found.delivery.deliver == "attachment"} == {"lunos"}
    assert {name for name, found in loaded.items() if found.identity.ways == ("receipt",)} == {"lyumen"}
    assert {name for name, found in loaded.items() if not found.identity.cookies} == {"lyumen"}
    assert {name for name, found in loaded.items() if found.identity.stand_in} == {"lumyxai"}
    assert loaded["lumees"].organisation.email == "privacy@lumees.io"
    assert "organisation.email" in loaded["lunos"].assumed
    assert "organisation.country" in loaded["lumyxai"].assumed
    assert "version" in loaded["lumio"].assumed
    assert "organisation.name" in loaded["lyumen"].assumed
