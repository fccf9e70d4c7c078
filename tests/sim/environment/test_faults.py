"""What an environment finds wrong with the hardware before it."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.environment import layout as at
from mcos_sim.environment.drive import environment_step
from mcos_sim.environment.environment import EnvironmentFault, environment, require_sound
from mcos_sim.memory.simple import SIMPLE
from tests.sim.cosim.recipes import make_scenario, stream

CONFIG = ChannelConfig()
STREAMS = (stream(1, requests=4, window=4), stream(6, requests=2, window=2))
CLOCK = 20
COMMAND = {"op": at.COMMAND_OP, "address": at.COMMAND_ADDRESS, "beats": at.COMMAND_BEATS}


class Stage:
    """An environment all of whose requests were taken, and that is shown what a test wants."""

    def __init__(self) -> None:
        self.e = environment(make_scenario(CONFIG, *STREAMS))
        self.e[at.CLOCK] = 0
        self._drive = environment_step(SIMPLE.model).drive
        self.e[at.READY] = (1 << CONFIG.tenants) - 1
        while self.e[at.CLOCK] < CLOCK:
            self.step({})
        self.e[at.READY] = 0

    def step(self, shown):
        """One clock in which the channel shows some values."""
        for place, value in (
            {at.GRANTED: -1, at.COMMAND_VALID: 0, at.RESPONSE_VALID: 0} | shown
        ).items():
            self.e[place] = value
        self._drive(self.e)
        require_sound(self.e)

    def grant(self, tag):
        """A clock with a grant."""
        self.step({at.GRANTED: tag, at.GRANTED_CLASS: 0})

    def command(self, tag, position, **changes):
        """A clock with the command of a request, with fields changed."""
        asked = {each.tag: each for each in STREAMS}.get(tag, STREAMS[0])
        fields = {name: int(asked.requests[name][position]) for name in COMMAND} | changes
        shown = {COMMAND[name]: value for name, value in fields.items()}
        self.step(shown | {at.COMMAND_VALID: 1, at.COMMAND_TENANT: tag, at.COMMAND_SLOT: 7})


@pytest.fixture
def stage():
    return Stage()


def test_grants_and_commands_in_order_are_sound(stage):
    for tag in (1, 6, 1):
        stage.grant(tag)
    stage.command(1, 0)
    stage.command(6, 0)
    stage.command(1, 1)
    blocks = [stage.e[at.BLOCKS + k * at.BLOCK :] for k in range(2)]
    assert [int(block[at.COMMANDS]) for block in blocks] == [2, 1]


def found(text):
    return pytest.raises(EnvironmentFault, match=rf"^clock \d+: tenant {text}")


def test_a_command_out_of_order_is_found(stage):
    stage.grant(1)
    with found("1 sent command 0 with another"):
        stage.command(1, 1)


def test_a_command_that_comes_twice_is_found(stage):
    stage.grant(1)
    stage.grant(1)
    stage.command(1, 0)
    with found("1 sent command 1 with another"):
        stage.command(1, 0)


def test_a_command_that_was_not_granted_is_found(stage):
    with found("1 sent command 0, which was not granted"):
        stage.command(1, 0)


@pytest.mark.parametrize("name", COMMAND)
def test_every_field_of_a_command_is_compared(stage, name):
    stage.grant(1)
    with found("1 sent command 0 with another direction, address or length"):
        stage.command(1, 0, **{name: int(STREAMS[0].requests[name][0]) ^ 1})


def test_a_tenant_that_asks_nothing_is_found(stage):
    with found("2 asks nothing"):
        stage.grant(2)
    with found("3 asks nothing"):
        Stage().command(3, 0)


def test_a_grant_of_what_was_not_taken_is_found(stage):
    for _ in range(2):
        stage.grant(6)
    with found("6 got grant 2, and no more requests of it had been taken"):
        stage.grant(6)


@pytest.mark.parametrize("request_id", [1, 9])
def test_a_response_must_be_to_an_outstanding_request(stage, request_id):
    response = {at.RESPONSE_VALID: 1, at.RESPONSE_TENANT: 1}
    stage.step(response | {at.RESPONSE_ID: 1})
    with found(rf"1 got a response to id {request_id}, which is not outstanding"):
        stage.step(response | {at.RESPONSE_ID: request_id})
