"""`python -m triage_core`."""

import sys

try:
    from triage_core.cli import main

    main()
except KeyboardInterrupt:  # while the modules are read, which takes a second or two
    sys.exit(130)
