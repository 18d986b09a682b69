"""``python -m combopt``."""

import sys

from combopt.cli import main

sys.exit(main())
