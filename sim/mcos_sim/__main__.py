"""The ``mcos`` command, also as ``python -m mcos_sim``."""

import signal
import sys


def main() -> None:
    """Run the command; Ctrl-C while it is still being imported is no traceback either."""
    try:
        from mcos_sim.cli import main as run
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    run()


if __name__ == "__main__":
    main()
