"""``python -m mcos_sim``: the ``mcos`` command."""

from mcos_sim.cli import main

main()
