"""A serial device as a line."""

import errno
import os
import stat
from typing import Any

from mcos_policy.client.error import ClientError

__all__ = ["SerialLine"]


class SerialLine:
    """A serial device, eight bits, no parity, one stop bit; nobody else may use it meanwhile.

    Parameters
    ----------
    path : str
        The device, such as ``/dev/ttyUSB0``.
    baud : int
        Bits a second.
    seconds : float
        Time that a read waits for.

    Raises
    ------
    ClientError
        If pyserial is not installed, or the device is missing, not allowed, busy, or not a serial
        one.
    """

    def __init__(self, path: str, *, baud: int, seconds: float = 1.0) -> None:
        try:
            import serial
        except ImportError:
            raise ClientError(
                "pyserial must be installed to use a serial device",
                "missing",
                "pip install pyserial",
            ) from None
        self.name = path
        self._failure: type[Exception] = serial.SerialException
        try:
            self._port: Any = serial.Serial(
                path, baudrate=baud, timeout=seconds, write_timeout=seconds, exclusive=True
            )
        except (OSError, ValueError) as error:
            raise self._unusable(error) from None

    def __enter__(self) -> "SerialLine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the device back."""
        self._port.close()

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises
        ------
        ClientError
            If the device does not take them.
        """
        try:
            self._port.write(data)
        except OSError as error:
            raise self._lost(error) from None

    def read(self, count: int) -> bytes:
        """The next bytes that come; fewer than ``count`` if no more came in time."""
        try:
            return self._port.read(count)
        except OSError as error:
            raise self._lost(error) from None

    def drop(self) -> None:
        """Forget bytes that came and were not read."""
        try:
            self._port.reset_input_buffer()
        except OSError as error:
            raise self._lost(error) from None

    def _unusable(self, error: OSError | ValueError) -> ClientError:
        rule = f"{self.name} must be a serial device that can be opened"
        number = getattr(error, "errno", None)
        if not os.path.exists(self.name):
            return ClientError(rule, "missing", "plug the board in, and look for /dev/ttyUSB*")
        if not stat.S_ISCHR(os.stat(self.name).st_mode):
            return ClientError(rule, "a file of another kind", "give the device of the board")
        if number == errno.EACCES:
            return ClientError(
                rule, "forbidden to you", "join the group that owns it, often dialout"
            )
        if number in (errno.EAGAIN, errno.EBUSY) or "exclusively lock" in str(error):
            return ClientError(rule, "busy", "end the program that uses it")
        reason = os.strerror(number) if number else str(error)
        return ClientError(rule, f"this ({reason})", "give the device of the board")

    def _lost(self, error: OSError) -> ClientError:
        reason = error.strerror or str(error)
        return ClientError(
            f"{self.name} must stay connected", f"fail ({reason})", "plug the board in again"
        )
