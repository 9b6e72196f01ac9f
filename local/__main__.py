"""`python -m local`: the commands of `local.commands`."""

import signal
import sys

# Until the commands, which take a second to load, say what an end means to them: a traceback would say nothing.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from local.commands import main  # noqa: E402  # As said above.

if __name__ == "__main__":
    sys.exit(main())
