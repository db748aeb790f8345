# SPDX-License-Identifier: BSD-2-Clause
"""
Installs an agent from npm, once, into a cache outside the source tree. Nothing of it is started
here but what npm itself runs.

    python3 -m agents.install NAME    installs and prints where the executable is
"""
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile

from agents import known

PATIENCE_S = 300  # hundreds of megabytes may have to come
LAST_LINES = 5    # of what npm says
FETCH_RUNTIME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "script", "fetch-runtime")


class CannotInstall(Exception):
    """Neither the agent's fault nor that of what is tested: no npm, no network, no room."""


def cache_folder():
    cache = os.environ.get("SOOTH_CACHE")
    if not cache:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        cache = os.path.join(base, "sooth")
    return os.path.join(cache, "agents")


@dataclasses.dataclass
class Package:
    """A package of npm that is no agent: what install() reads of an entry of known.py."""
    name: str
    package: str
    version: str
    executable: str  # in the folder where it is installed
    has_scripts: bool = True
    runtime: str = ""


def search_path(agent):
    """PATH, with the runtime in front that the agent needs."""
    path = os.environ.get("PATH", os.defpath)
    if not agent.runtime:
        return path
    run = subprocess.run([FETCH_RUNTIME, agent.runtime], capture_output=True, text=True, check=False)
    if run.returncode:
        raise CannotInstall("%s: %s" % (agent.runtime, run.stderr.strip()[-300:]))
    return os.path.dirname(run.stdout.split()[-1]) + os.pathsep + path


def npm_install(agent, folder):
    npm = shutil.which("npm")
    if not npm:
        raise CannotInstall("no npm here")
    # Whatever the settings here are: an agent may be an optional part, put in place by a script.
    command = [npm, "install", "--prefix", folder, "--global=false", "--include=optional",
               "--ignore-scripts=" + ("false" if agent.has_scripts else "true"), "--no-save", "--no-package-lock", "--no-audit",
               "--no-fund", "--no-update-notifier", "%s@%s" % (agent.package, agent.version)]
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=folder, timeout=PATIENCE_S,
            env=dict(os.environ, PATH=search_path(agent)))
    except subprocess.TimeoutExpired:
        raise CannotInstall("npm did not end within %d s" % PATIENCE_S) from None
    if run.returncode:
        said = run.stdout.decode("utf-8", "replace").splitlines()[-LAST_LINES:]
        raise CannotInstall("npm ended with status %d: %s" % (run.returncode, " | ".join(said)))


def install(agent):
    """The path of the executable. Several may install at once: the first to be done serves all."""
    cache = cache_folder()
    folder = os.path.join(cache, "%s-%s" % (agent.name, agent.version))
    executable = os.path.join(folder, agent.executable)
    if os.access(executable, os.X_OK):
        return executable
    try:
        os.makedirs(cache, exist_ok=True)
        part = tempfile.mkdtemp(prefix="part-", dir=cache)
    except OSError as error:
        raise CannotInstall("cannot write the cache: %s" % error) from error
    try:
        npm_install(agent, part)
        if not os.access(os.path.join(part, agent.executable), os.X_OK):
            raise CannotInstall("npm installed %s %s without %s" % (agent.package, agent.version,
                                                                    agent.executable))
        os.chmod(part, 0o755)
        try:
            os.rename(part, folder)
        except OSError:  # a folder that is not empty is not replaced
            if not os.access(executable, os.X_OK):
                raise CannotInstall("%s is in the way" % folder) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return executable


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in known.AGENTS:
        sys.exit("usage: python3 -m agents.install %s" % "|".join(known.AGENTS))
    try:
        print(install(known.AGENTS[sys.argv[1]]))
    except CannotInstall as error:
        sys.exit("cannot install %s: %s" % (sys.argv[1], error))


if __name__ == "__main__":
    main()
