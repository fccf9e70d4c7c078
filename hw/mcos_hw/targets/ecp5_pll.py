"""Clocks of an ECP5 from another one: the parameters of its phase-locked loop."""

import dataclasses
from fractions import Fraction

from amaranth.hdl import Instance, Signal

__all__ = [
    "EcpPll",
    "pll_for",
]


_VCO_KHZ = (400_000, 800_000)
"""Least and largest frequency of the oscillator (Lattice FPGA-DS-02012, "sysCLOCK PLL Timing")."""

_DETECTOR_KHZ = (3_125, 400_000)
"""Least and largest frequency at which both clocks are compared (the same)."""

_OUTPUT_KHZ = (3_125, 400_000)
"""Least and largest frequency of an output (the same)."""

_MOST_DIVIDER = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class EcpPll:
    """Dividers of an EHXPLLL whose feedback is its first output.

    The output is ``input * feedback / reference``; the oscillator runs ``output`` times as fast.

    Parameters
    ----------
    input_khz : int
        Frequency of its input.
    reference, feedback, output : int
        CLKI_DIV, CLKFB_DIV and CLKOP_DIV.
    """

    input_khz: int
    reference: int
    feedback: int
    output: int

    @property
    def output_khz(self) -> Fraction:
        """Frequency of its output."""
        return Fraction(self.input_khz * self.feedback, self.reference)

    @property
    def vco_khz(self) -> Fraction:
        """Frequency of its oscillator."""
        return self.output_khz * self.output

    def instance(self, *, clock: Signal, output: Signal, locked: Signal) -> Instance:
        """The primitive.

        Parameters
        ----------
        clock, output, locked : Signal
            What goes in, what comes out, and whether that is steady.
        """
        # The output's edge stands half a period behind the oscillator's count.
        phase = self.output // 2
        return Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{self.input_khz / 1000:g}",
            a_FREQUENCY_PIN_CLKOP=f"{float(self.output_khz) / 1000:g}",
            p_PLLRST_ENA="DISABLED",
            p_INTFB_WAKE="DISABLED",
            p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED",
            p_OUTDIVIDER_MUXA="DIVA",
            p_CLKI_DIV=self.reference,
            p_CLKFB_DIV=self.feedback,
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=self.output,
            p_CLKOP_CPHASE=phase,
            p_CLKOP_FPHASE=0,
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=clock,
            i_CLKFB=output,
            i_RST=0,
            i_STDBY=0,
            i_PHASESEL0=0,
            i_PHASESEL1=0,
            i_PHASEDIR=1,
            i_PHASESTEP=1,
            i_PHASELOADREG=1,
            i_PLLWAKESYNC=0,
            i_ENCLKOP=0,
            o_CLKOP=output,
            o_LOCK=locked,
        )


def pll_for(*, input_khz: int, output_khz: int) -> EcpPll:
    """The dividers that make a frequency exactly; the oscillator is as near 600 MHz as it can be.

    Parameters
    ----------
    input_khz, output_khz : int
        Frequencies.

    Raises
    ------
    ValueError
        If none do.
    """
    ratio = Fraction(output_khz, input_khz)
    low, high = _OUTPUT_KHZ
    if low <= output_khz <= high and ratio.numerator <= _MOST_DIVIDER:
        vco_low, vco_high = _VCO_KHZ
        outputs = [
            each for each in range(1, _MOST_DIVIDER + 1) if vco_low <= each * output_khz <= vco_high
        ]
        detector_low, detector_high = _DETECTOR_KHZ
        compared = Fraction(input_khz, ratio.denominator)
        if outputs and detector_low <= compared <= detector_high:
            middle = (vco_low + vco_high) // 2
            return EcpPll(
                input_khz=input_khz,
                reference=ratio.denominator,
                feedback=ratio.numerator,
                output=min(outputs, key=lambda each: abs(each * output_khz - middle)),
            )
    raise ValueError(
        f"output_khz must be one that a PLL makes of {input_khz} kHz exactly, not {output_khz!r}"
    )
