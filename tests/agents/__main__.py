# SPDX-License-Identifier: BSD-2-Clause
"""
An agent in a mode, by hand:

    python3 -m agents AGENT MODE [--terminal] [--tls] [--mcp NAME]... [-- COMMAND [ARG...]]

says which processes there are once it is in that mode and keeps it there until Ctrl-C or the end of
input. What stands behind `--` is given the agent's command line; in mode "answer" its output is
shown when it has ended.
"""
import argparse
import sys

from agents import agent, install, known, modes, namespace, processes


def options():
    words, before = sys.argv[1:], []
    if "--" in words:
        where = words.index("--")
        words, before = words[:where], words[where + 1:]
    parser = argparse.ArgumentParser(prog="python3 -m agents")
    parser.add_argument("agent", choices=known.AGENTS)
    parser.add_argument("mode", choices=modes.ALL)
    parser.add_argument("--terminal", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--mcp", action="append", default=[], metavar="NAME")
    return parser.parse_args(words), before


def show(running):
    print("agent %d, launcher %s, worker %d, tool %s, mcp %s" % (
        running.pid, running.launcher_pid, running.worker_pid, running.tool_pids(),
        running.mcp_pids()))
    for pid in running.members():
        print("%7d %7s %s" % (pid, processes.parent(pid), " ".join(processes.arguments(pid))))
    sys.stdout.flush()


def main():
    wanted, before = options()
    with agent.Agent(known.AGENTS[wanted.agent], mode=wanted.mode, terminal=wanted.terminal,
                     mcp=wanted.mcp, before=before, over_tls=wanted.tls) as running:
        if wanted.mode == modes.ANSWER and not wanted.terminal:
            ended = running.finish()
            print(ended.out, ended.err, sep="")
            sys.exit(ended.status)
        running.wait_until_in_mode()
        show(running)
        sys.stdin.read()


if __name__ == "__main__":
    try:
        main()
    except (install.CannotInstall, namespace.CannotServe) as error:
        sys.exit("cannot start the agent: %s" % error)
    except KeyboardInterrupt:
        pass
