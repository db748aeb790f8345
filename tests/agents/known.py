# SPDX-License-Identifier: BSD-2-Clause
"""
The agents that tests run, each pinned: what is seen of one version says nothing about another.
"""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Agent:
    name: str         # of the folder in the cache
    package: str      # npm's
    version: str
    executable: str   # under the folder it was installed into
    arguments: tuple  # that make it answer a prompt, which comes behind them, and end
    environment: dict  # "{url}" is where the fake server listens


CLAUDE_CODE = Agent(
    name="claude-code",
    package="@anthropic-ai/claude-code",
    version="2.1.328",
    executable="node_modules/.bin/claude",
    arguments=("-p",),
    environment={
        "ANTHROPIC_BASE_URL": "{url}",
        "ANTHROPIC_API_KEY": "dummy",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    },
)

AGENTS = {agent.name: agent for agent in (CLAUDE_CODE,)}
