# SPDX-License-Identifier: BSD-2-Clause
"""Bun, installed from npm as the agents are."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import install


def find(version):
    return install.install(install.Package(name="bun", package="bun", version=version,
                                                 executable="node_modules/bun/bin/bun.exe"))


def skip_or_find(case, version):
    """The executable; skips where npm or the network is missing."""
    try:
        return find(version)
    except install.CannotInstall as error:
        return case.skipTest(str(error))
