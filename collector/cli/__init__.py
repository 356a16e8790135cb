"""The command `collector`."""

import gc


def start() -> None:
    """Run the command line. What its imports make stays to the end: nothing of it is looked through for rubbish.

    That spares a fourteenth of a start.
    """
    gc.disable()
    from collector.cli.main import main

    main()
