"""What stops a client: the rule, what was found instead, and the way out."""

from mcos_hw.registers.image import ImageCode

__all__ = ["ClientError"]


class ClientError(Exception):
    """Hardware, an image or a file that is not as a client needs it.

    Parameters
    ----------
    rule : str
        What must be: "register CORE must read 0x534f434d".
    value : str
        What is instead.
    way_out : str
        What to do about it.
    code : ImageCode
        Why the hardware refused an image or a commit; ``NONE`` if that is not what happened.
    """

    def __init__(
        self, rule: str, value: str, way_out: str, *, code: ImageCode = ImageCode.NONE
    ) -> None:
        super().__init__(f"{rule}, not {value}; {way_out}")
        self.rule = rule
        self.value = value
        self.way_out = way_out
        self.code = code
