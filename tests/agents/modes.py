# SPDX-License-Identifier: BSD-2-Clause
"""
The states an agent is put into. All but IDLE are conducts of the fake server towards the requests
of a conversation; whatever an agent asks besides (a title, a count of tokens) gets a plain answer.
"""
ANSWER = "answer"          # a short answer, at once
SLOW = "slow"              # an endless answer, some words a second
STALL = "stall"            # an answer that stops in the middle, its connection left open
NO_HEADERS = "no-headers"  # the request is taken, nothing comes back
LIMITED = "429"            # refused: too many requests
OVERLOADED = "529"         # refused: overloaded
RESET = "reset"            # the connection is reset instead of an answer
TOOL = "tool"              # one call of a tool, whose command does not end by itself
TOOL_LOOP = "tool-loop"    # one short call of a tool after another, for ever
PERMISSION = "permission"  # on a terminal: a tool call that only the user can allow
MCP_CALL = "mcp-call"      # a call of an MCP server's tool, which never answers
IDLE = "idle"              # at the prompt of a terminal, nothing asked

SERVED = (ANSWER, SLOW, STALL, NO_HEADERS, LIMITED, OVERLOADED, RESET, TOOL, TOOL_LOOP,
          PERMISSION, MCP_CALL)
# The conversation goes on once the tool has given its result.
ONE_CALL = (TOOL, PERMISSION, MCP_CALL)
ALL = SERVED + (IDLE,)
REFUSALS = {LIMITED: 429, OVERLOADED: 529}
