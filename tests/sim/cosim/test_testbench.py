"""The bench's parts that need no simulator: the driver of the request port and the checker."""

import pytest
from amaranth.lib import data

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import command_layout, request_layout
from mcos_sim.cosim.requester import Requester
from mcos_sim.cosim.testbench import Checker, Ingress
from tests.sim.cosim.recipes import stream

CONFIG = ChannelConfig()


def requester(tag, *, requests=4, ready=0, window=4):
    return Requester(stream(tag, requests=requests, ready=ready, window=window), CONFIG)


def tag_and_position(word):
    """Who drives a request, and which of its ids."""
    request = data.Const(request_layout(CONFIG), word)
    return request.tenant, request.id


class TestIngress:
    ALL = (1 << CONFIG.tenants) - 1

    def drive(self, ingress, ready=ALL):
        word = ingress.next(ready, 0)
        return None if word is None else tag_and_position(word)

    def test_the_request_offered_first_goes_first(self):
        late, early = requester(2, ready=7), requester(9, ready=3)
        ingress = Ingress([late, early])
        early.advance(3)
        late.advance(7)
        assert [self.drive(ingress) for _ in range(5)] == [(9, 0), (9, 1), (9, 2), (9, 3), (2, 0)]

    def test_one_that_was_offered_in_between_waits_for_the_older(self):
        a, b = requester(0, window=1), requester(1, ready=5, window=1)
        ingress = Ingress([a, b])
        a.advance(0)
        assert self.drive(ingress) == (0, 0)
        b.advance(5)
        a.respond(0, 6)
        a.advance(6)
        assert [self.drive(ingress) for _ in range(3)] == [(1, 0), (0, 1), None]

    def test_a_full_queue_holds_up_nobody_else(self):
        a, b = requester(0), requester(3, ready=1)
        ingress = Ingress([a, b])
        a.advance(0)
        b.advance(1)
        assert self.drive(ingress, ready=0b1000) == (3, 0)
        assert self.drive(ingress, ready=0b0110) is None
        assert self.drive(ingress, ready=0b0001) == (0, 0)
        assert (len(a.pending), len(b.pending)) == (3, 3)

    def test_nothing_is_driven_when_nothing_is_offered(self):
        assert self.drive(Ingress([requester(0)])) is None
        assert self.drive(Ingress([])) is None


class TestChecker:
    @staticmethod
    def command(requester, position, **changes):
        """The command of a request, with fields changed."""
        request = data.Const(request_layout(CONFIG), requester.word(position))
        fields = {
            "slot": 77,
            "tenant": request.tenant,
            "op": request.op,
            "address": request.address,
            "beats": request.beats,
        }
        return command_layout(CONFIG).const(fields | changes).as_value().value

    @pytest.fixture
    def requesters(self):
        both = [requester(1), requester(6, requests=2)]
        for each in both:
            each.advance(0)
        return both

    def test_grants_in_order_are_counted(self, requesters):
        first, second = requesters
        checker = Checker(requesters, CONFIG)
        for tag, clock in ((1, 10), (6, 11), (1, 13)):
            checker.grant(tag, 0, clock)
        assert checker.granted == {1: [10, 13], 6: [11]}
        assert checker.command(self.command(first, 0), 11) == first.sizes[0]
        assert checker.command(self.command(second, 0), 12) == second.sizes[0]
        assert checker.command(self.command(first, 1), 14) == first.sizes[1]

    def test_a_grant_out_of_order_is_found(self, requesters):
        checker = Checker(requesters, CONFIG)
        checker.grant(1, 0, 9)
        message = r"^clock 10: command 0 of 't1' must carry 0x\w+, n"
        with pytest.raises(AssertionError, match=message):
            checker.command(self.command(requesters[0], 1), 10)

    def test_a_grant_that_comes_twice_is_found(self, requesters):
        checker = Checker(requesters, CONFIG)
        checker.grant(1, 0, 8)
        checker.grant(1, 0, 9)
        checker.command(self.command(requesters[0], 0), 10)
        with pytest.raises(AssertionError, match=r"^clock 11: command 1 of 't1' must carry"):
            checker.command(self.command(requesters[0], 0), 11)

    def test_a_command_that_was_not_granted_is_found(self, requesters):
        checker = Checker(requesters, CONFIG)
        message = r"^clock 10: command 0 of 't1', which was granted 0 requests"
        with pytest.raises(AssertionError, match=message):
            checker.command(self.command(requesters[0], 0), 10)

    @pytest.mark.parametrize("name", ["op", "address", "beats"])
    def test_every_field_is_compared(self, requesters, name):
        request = data.Const(request_layout(CONFIG), requesters[0].word(0))
        word = self.command(requesters[0], 0, **{name: getattr(request, name) ^ 1})
        checker = Checker(requesters, CONFIG)
        checker.grant(1, 0, 9)
        with pytest.raises(AssertionError, match="must carry"):
            checker.command(word, 10)

    def test_a_grant_to_a_tenant_that_asks_nothing_is_found(self, requesters):
        checker = Checker(requesters, CONFIG)
        message = r"^clock 3: a grant to tenant 2, which asks nothing"
        with pytest.raises(AssertionError, match=message):
            checker.grant(2, 0, 3)
        with pytest.raises(AssertionError, match=r"^clock 4: a command of tenant 2, which asks"):
            checker.command(self.command(requesters[0], 0, tenant=2), 4)

    def test_a_grant_of_what_was_not_offered_is_found(self, requesters):
        checker = Checker(requesters, CONFIG)
        for position in range(2):
            checker.grant(6, 0, position)
        with pytest.raises(AssertionError, match=r"^clock 9: grant 2 to 't6', which offered 2 req"):
            checker.grant(6, 0, 9)
