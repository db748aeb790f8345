# SPDX-License-Identifier: BSD-2-Clause
"""
A server of the Model Context Protocol over its standard streams, until its input ends. Its tool
"nothing" answers at once, its tool "never" does not answer.

    python3 mcp_server.py NAME LOG

LOG gets a line for each message, so that whoever started the agent knows how far they are.
"""
import json
import sys

# Some agents ask their user before a tool that may write.
TOOLS = [{"name": name, "description": "does nothing", "annotations": {"readOnlyHint": True},
          "inputSchema": {"type": "object", "properties": {}}} for name in ("nothing", "never")]


def result_of(name, message):
    method = message["method"]
    if method == "initialize":
        return {"protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}}, "serverInfo": {"name": name, "version": "1"}}
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": "nothing"}]}
    return {}


def main():
    name, log = sys.argv[1:]
    for line in sys.stdin:
        message = json.loads(line)
        is_never = (message.get("params") or {}).get("name") == "never"
        if "method" in message and "id" in message and not is_never:
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": result_of(name, message)}
            print(json.dumps(answer), flush=True)
        with open(log, "a", encoding="utf-8") as file:
            file.write("%s %s\n" % (name, message.get("method", "answer")))


if __name__ == "__main__":
    main()
