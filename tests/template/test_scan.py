"""The scan of the template: what it finds is mended, or accepted with a reason."""

from __future__ import annotations

from tools.scan import as_on_aws, problems

ACCEPTED = {
    "CKV_1": {"because": "a test", "where": "all"},
    "CKV_2": {"because": "a test", "where": ["OneTable"]},
}
FOUND = {("CKV_1", "Any"), ("CKV_2", "OneTable")}


def test_what_is_accepted_is_no_problem() -> None:
    assert not list(problems(FOUND, ACCEPTED))


def test_a_new_finding_is_a_problem() -> None:
    (new_check,) = problems(FOUND | {("CKV_3", "OneTable")}, ACCEPTED)
    assert "CKV_3: OneTable" in new_check
    (new_resource,) = problems(FOUND | {("CKV_2", "OtherTable")}, ACCEPTED)
    assert "CKV_2: OtherTable" in new_resource


def test_what_is_accepted_in_vain_is_a_problem() -> None:
    (gone,) = problems({("CKV_1", "Any")}, ACCEPTED)
    assert "CKV_2 is accepted but not found" in gone
    assert len(list(problems(set(), ACCEPTED))) == 2


def test_the_scan_sees_the_template_as_on_aws() -> None:
    part = {
        "Key": {"Fn::If": ["IsOnAws", {"Fn::GetAtt": ["DataKey", "Arn"]}, "none"]},
        "Names": [{"Ref": "Stage"}, {"Ref": "Other"}, {"Fn::Sub": "a-${Stage}"}],
    }
    seen = as_on_aws(part, {"Stage": "dev"})
    assert seen == {"Key": "DataKey.Arn", "Names": ["dev", "Other", "a-Stage"]}
