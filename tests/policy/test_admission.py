"""Admission: both sides of every limit of the hardware."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.diagnostics import ContractError

CONFIG = ChannelConfig()


def _check(path: Path, message: str | None, config: ChannelConfig = CONFIG) -> Compiled | None:
    """Compile, expecting success (None) or exactly the one message."""
    if message is None:
        return compile_contract(path, config)
    with pytest.raises(ContractError) as caught:
        compile_contract(path, config)
    assert str(caught.value) == f"{path}:{message}"
    return None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # 0.85 of 409.6 GB/s is 348.16 GB/s; tenant a has 40.
        ("burst_gbps = 160.5", "burst_gbps = 409.6", None),
        (
            "burst_gbps = 160.5",
            "burst_gbps = 409.600000001",
            (
                "18:14: error: burst_gbps must be at most the capacity 409.6 GB/s (8 channels of "
                "51.2 GB/s), not 409.600000001; lower it or add channels"
            ),
        ),
        ("burst_gbps = 160.5", "burst_gbps = 80", None),
        (
            "burst_gbps = 160.5",
            "burst_gbps = 79.999999999",
            (
                "18:14: error: burst_gbps must be at least the guarantee of 80 GB/s, "
                "not 79.999999999; raise burst or lower the guarantee"
            ),
        ),
        # A bucket holds 2**28 - 1 bytes: 5.368... ms at 50 GB/s a channel.
        ('"2 ms"', '"5.3687091 ms"', None),
        (
            '"2 ms"',
            '"5.3687092 ms"',
            (
                "11:18: error: burst_duration must be at most 5.368709 ms at this burst (a bucket "
                'holds 268435455 bytes), not "5.3687092 ms"; shorten it or lower burst'
            ),
        ),
        # Names and tags.
        (
            'name = "b"',
            'name = "a"',
            (
                "14:8: error: name must be unique, and tenant 1 of the file has this one already, "
                'not "a"; rename one'
            ),
        ),
        ('name = "b"', 'name = "b"\ntag = 15', None),
        (
            'name = "b"',
            'name = "b"\ntag = 16',
            (
                "15:7: error: tag must be in 0..15, the tags of the hardware, not 16; "
                "choose another, or omit it to get a free one"
            ),
        ),
        (
            'name = "b"',
            'name = "b"\ntag = 3',
            (
                "6:7: error: tag must be unique, and a and b have the same, not 3; "
                "choose another, or omit it to get a free one\n"
                "{path}:15:7: error: tag must be unique, and a and b have the same, not 3; "
                "choose another, or omit it to get a free one"
            ),
        ),
        # Smallest rate: 8 channels x 800 MHz / 2**16, and the spread of 255.
        (
            "guaranteed_gbps = 80",
            'guaranteed = "97.656249 kB/s"',
            (
                "9:14: error: guaranteed must be at most 255 times the smallest guarantee "
                '(97.656249 kB/s of b), not "40 GB/s"; bring the two closer\n'
                "{path}:17:14: error: guaranteed must be 0 or at least 97.65625 kB/s, the smallest "
                'rate of 8 channels, not "97.656249 kB/s"; raise it'
            ),
        ),
        ("guaranteed_gbps = 80", 'guaranteed = "156862745.1 B/s"', None),
        (
            "guaranteed_gbps = 80",
            'guaranteed = "156862745 B/s"',
            (
                "9:14: error: guaranteed must be at most 255 times the smallest guarantee "
                '(156.862745 MB/s of b), not "40 GB/s"; bring the two closer'
            ),
        ),
        # Port credit: one to 512 requests of 512 bytes.
        ("channels = 8", 'channels = 8\nport_credit = "512 B"', None),
        (
            "channels = 8",
            'channels = 8\nport_credit = "511 B"',
            (
                "3:15: error: port_credit must leave a port credit of 512..262144 bytes, "
                "not 511 bytes; change it"
            ),
        ),
        ("channels = 8", 'channels = 8\nport_credit = "256 KiB"', None),
        (
            "channels = 8",
            'channels = 8\nport_credit = "262145 B"',
            (
                "3:15: error: port_credit must leave a port credit of 512..262144 bytes, "
                "not 262145 bytes; change it"
            ),
        ),
        ("channels = 8", 'channels = 8\nlatency = "5.12 us"', None),
        (
            "channels = 8",
            'channels = 8\nlatency = "5.121 us"',
            (
                "3:11: error: latency must leave a port credit of 512..262144 bytes, "
                "not 262208 bytes; change it"
            ),
        ),
        (
            "channels = 8",
            'channels = 8\nlatency = "1 us"\nport_credit = "14 KiB"',
            "3:1: error: [fabric] must have port_credit or latency, not both; remove one",
        ),
        # Fields counted in clocks of 1.25 ns, and in grants.
        ("channels = 8", 'channels = 8\ndepth1 = "318.75 ns"', None),
        (
            "channels = 8",
            'channels = 8\ndepth1 = "318.751 ns"',
            (
                "3:10: error: depth1 must be at most 318.75 ns (255 clocks), not 318.751 ns; "
                "shorten it"
            ),
        ),
        ("channels = 8", 'channels = 8\nepoch = "5 s"', None),
        (
            "channels = 8",
            'channels = 8\nepoch = "6 s"',
            (
                "3:9: error: epoch must be at most 5.36870911875 s (4294967295 clocks), not 6 s; "
                "shorten it"
            ),
        ),
        ("channels = 8", "channels = 8\npromotion_interval = 255", None),
        (
            "channels = 8",
            "channels = 8\npromotion_interval = 256",
            "3:22: error: promotion_interval must be at most 255, not 256; lower it",
        ),
        ('"2 ms"', '"2 ms"\nlatency_slo = "1.31071999 ms"', None),
        (
            '"2 ms"',
            '"2 ms"\nlatency_slo = "1.31072 ms"',
            (
                '12:15: error: latency_slo must be in 1.25 ns..1.31071875 ms, not "1.31072 ms"; '
                "change it, or omit it to count no violations"
            ),
        ),
        ('"2 ms"', '"2 ms"\nlatency_slo = "1.25 ns"', None),
        (
            '"2 ms"',
            '"2 ms"\nlatency_slo = "1.24 ns"',
            (
                '12:15: error: latency_slo must be in 1.25 ns..1.31071875 ms, not "1.24 ns"; '
                "change it, or omit it to count no violations"
            ),
        ),
        # Delay bound of a, with a third of the channel: 24 + 3 x 8 clocks.
        ('"2 ms"', '"2 ms"\nage_limit = "131.25 ns"', None),
        (
            '"2 ms"',
            '"2 ms"\nage_limit = "131.249 ns"',
            (
                "12:13: error: age_limit must be in 131.25 ns (the tenant's single-class delay "
                'bound) to 1.31071875 ms, or 0, not "131.249 ns"; change it, or omit it to have '
                "it derived"
            ),
        ),
        ('"2 ms"', '"2 ms"\nage_limit = "0 ns"', None),
        ('"2 ms"', '"2 ms"\nage_limit = "1.31071875 ms"', None),
        (
            '"2 ms"',
            '"2 ms"\nage_limit = "1.31071876 ms"',
            (
                "12:13: error: age_limit must be in 131.25 ns (the tenant's single-class delay "
                'bound) to 1.31071875 ms, or 0, not "1.31071876 ms"; change it, or omit it to have '
                "it derived"
            ),
        ),
    ],
)
def test_limit(
    contract_file: Callable[[str], Path], base: str, old: str, new: str, message: str | None
) -> None:
    assert old in base
    path = contract_file(base.replace(old, new, 1))
    _check(path, message and message.format(path=path))


def test_sum_of_guarantees(contract_file: Callable[[str], Path], base: str) -> None:
    base = base.replace("burst_gbps = 160.5", "burst_gbps = 409.6")
    exact = compile_contract(contract_file(base.replace("= 80", "= 308.16")), CONFIG)
    rates = [tenant.committed_rate for tenant in exact.settings.tenants]
    assert sum(rates) == CONFIG.admissible_rate
    path = contract_file(base.replace("= 80", "= 308.160000001"))
    _check(
        path,
        "17:19: error: the sum of guarantees must be at most 348.16 GB/s, 0.85 of the capacity "
        "409.6 GB/s, not 348.160000001 GB/s (a 40 GB/s, b 308.160000001 GB/s): 1 B/s or "
        "2.9e-10 % too much; multiply all of them by 0.9999 (a 39.99 GB/s, b 308.1 GB/s), or take "
        "9 channels instead of 8",
    )


def test_what_would_fit_fits(contract_file: Callable[[str], Path], base: str) -> None:
    text = base.replace("channels = 8", "channels = 1000").replace("= 80", "= 40000")
    text = text.replace("= 160.5", "= 51000").replace('"40 GB/s"', '"9000 GB/s"')
    text = text.replace('"400 GB/s"', '"9000 GB/s"')
    with pytest.raises(ContractError) as caught:
        compile_contract(contract_file(text), CONFIG)
    message = str(caught.value)
    assert "5.48 TB/s or 13 % too much" in message
    assert "multiply all of them by 0.8881 (a 7.992 TB/s, b 35.52 TB/s)" in message
    # No fabric has 1126 channels.
    assert "channels instead" not in message
    fitting = text.replace('"9000 GB/s"', '"7.992 TB/s"').replace("= 40000", "= 35520")
    assert compile_contract(contract_file(fitting), CONFIG).warnings == ()
    more = (
        text.replace("= 1000", "= 900").replace("= 40000", "= 31000").replace("= 51000", "= 40000")
    )
    with pytest.raises(ContractError, match="or take 920 channels instead of 900"):
        compile_contract(contract_file(more), CONFIG)
    assert compile_contract(contract_file(more.replace("= 900", "= 920")), CONFIG)


def _many(count: int, *, guaranteed: str) -> str:
    text = "[fabric]\nchannels = 8\n"
    for index in range(count):
        text += f'[[tenant]]\nname = "t{index}"\n'
        text += f'bandwidth = {{guaranteed = "{guaranteed}", burst = "300 GB/s", '
        text += "burst_duration_ms = 1}\n"
    return text


@pytest.mark.parametrize("tags", [4, 8, 16])
def test_tenants(contract_file: Callable[[str], Path], tags: int) -> None:
    config = ChannelConfig(tenants=tags)
    _check(contract_file(_many(tags, guaranteed="1 GB/s")), None, config)
    path = contract_file(_many(tags + 1, guaranteed="1 GB/s"))
    message = (
        f"{3 + 3 * tags}:3: error: a contract must have at most {tags} tenants, one for each tag "
        f"of the hardware, not {tags + 1}; remove some"
    )
    _check(path, message, config)


def test_of_too_many_tenants_nothing_else_is_said(contract_file: Callable[[str], Path]) -> None:
    with pytest.raises(ContractError) as caught:
        compile_contract(contract_file(_many(19, guaranteed="200 GB/s")), CONFIG)
    (diagnostic,) = caught.value.diagnostics
    assert "must have at most 16 tenants, one for each tag of the hardware, not 19" in str(
        diagnostic
    )


def test_of_a_memory_rate_that_no_channel_has_nothing_follows(
    contract_file: Callable[[str], Path], base: str
) -> None:
    path = contract_file(base + '[memory]\nrate = "1 B/s"\n')
    message = (
        "21:8: error: rate must be in 800 MB/s..51.2 GB/s, the rate of the hardware's channel, "
        'not "1 B/s"; change it'
    )
    _check(path, message)


def test_derived_age_limit_that_does_not_fit(contract_file: Callable[[str], Path]) -> None:
    config = ChannelConfig(clocks_width=12)
    text = _many(15, guaranteed="20 GB/s") + _many(1, guaranteed="0.1 GB/s").replace(
        "[fabric]\nchannels = 8\n", ""
    ).replace("t0", "slow")
    path = contract_file(text)
    _check(
        path,
        "50:27: error: guaranteed must leave a single-class delay bound of at most 5.11875 us, "
        "the longest age limit, not 120.051365 us; raise it",
        config,
    )
