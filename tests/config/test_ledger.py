"""The ledger: every row of the threads has its claim, and no experiment is without a purpose."""

from pipeline.config.claims import base
from pipeline.config.readings import check_claims, read_claims
from pipeline.config.schema import load

PARAMS, CLAIMS = load(), read_claims()
#: What the two threads say, row by row: A has 34, B has 33.
LEDGER = [*(f"A{n}" for n in range(1, 35)), *(f"B{n}" for n in range(1, 34))]


def test_every_row_of_the_ledger_is_decided_by_a_claim():
    found = {row for claim in CLAIMS for row in claim.rows}
    assert found == set(LEDGER) and len(LEDGER) == 67


def test_every_comparison_names_what_exists():
    check_claims(CLAIMS, PARAMS)


def test_no_experiment_is_orphaned():
    used = {name for claim in CLAIMS for name in claim.experiments}
    used |= {base(control) for control in PARAMS.controls}
    # A sweep over places, and an experiment against another, are questions of their own, with pages of their own.
    asking = {name: one for name, one in PARAMS.experiments.items() if one.everywhere or one.versus}
    used |= asking.keys() | {one.versus for one in asking.values()} - {None}
    assert used == set(PARAMS.experiments)


def test_every_probed_experiment_is_in_a_claim_of_the_probe():
    probed = {name for claim in CLAIMS if claim.probe for name in claim.experiments}
    assert probed == set(PARAMS.probe.experiments)


def test_advice_and_questions_predict_nothing_for_the_thread():
    # Where a thread only advises or asks, the prediction is ours.
    for claim in CLAIMS:
        if claim.predicts and claim.who.startswith("ours"):
            assert claim.predicts.by == "ours", claim.slug
