# SPDX-License-Identifier: BSD-2-Clause
"""
A server of the Model Context Protocol over its standard streams, with one tool, until its input
ends.

    python3 mcp_server.py NAME LOG

LOG gets a line for each message, so that whoever started the agent knows how far they are.
"""
import json
import sys

TOOL = {"name": "nothing", "description": "does nothing",
        "inputSchema": {"type": "object", "properties": {}}}


def result_of(name, message):
    method = message["method"]
    if method == "initialize":
        return {"protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}}, "serverInfo": {"name": name, "version": "1"}}
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": "nothing"}]}
    return {}


def main():
    name, log = sys.argv[1:]
    for line in sys.stdin:
        message = json.loads(line)
        if "method" in message and "id" in message:
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": result_of(name, message)}
            print(json.dumps(answer), flush=True)
        with open(log, "a", encoding="utf-8") as file:
            file.write("%s %s\n" % (name, message.get("method", "answer")))


if __name__ == "__main__":
    main()
