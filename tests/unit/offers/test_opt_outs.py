"""Who opted out at AWS is not counted on to get texts (N5)."""

from __future__ import annotations

from dibs.core.jobs import JobResult
from dibs.offers.opt_outs import read_opt_outs
from support.builders import a_playbook, a_rep
from support.fakes import FakeSms, FakeWorld


def test_a_rep_whose_number_opted_out_at_aws_is_marked_once() -> None:
    world, sms = FakeWorld(a_playbook()), FakeSms()
    aina, ben = world.add_rep(a_rep(1)), world.add_rep(a_rep(2))
    sms.unwanted = {str(aina.phone), "+60199999999"}
    assert read_opt_outs(sms, world.roster) == JobResult(changed=1)
    assert not world.memory.reps[aina.rep_id].textable
    assert world.memory.reps[ben.rep_id].textable
    assert read_opt_outs(sms, world.roster) == JobResult()


def test_who_opted_out_with_a_word_only_we_know_stays_so() -> None:
    world = FakeWorld(a_playbook())
    rep = world.add_rep(a_rep(1))
    world.roster.opt_out(rep.rep_id, True)
    assert read_opt_outs(FakeSms(), world.roster) == JobResult()
    assert not world.memory.reps[rep.rep_id].textable
