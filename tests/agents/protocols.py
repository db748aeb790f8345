# SPDX-License-Identifier: BSD-2-Clause
"""
What the agents and their servers say to each other, as far as it takes to keep an agent content:
Anthropic's messages, OpenAI's responses, Gemini's contents. A protocol only puts things into words.
When a word is sent is the server's business: `answer` takes an iterator of words, which may be
slow, stop or never end, and gives the bytes for each word as it comes.
"""
import json
import re
import uuid


# Of each answer: new ones, those put into a cache, those from it, and those of the answer.
NEW, WRITTEN, CACHED, OUTPUT = 3, 20, 100, 17
INPUT = NEW + WRITTEN + CACHED
STILL_RUNNING = re.compile(r"running with session ID (\d+)")


def event(data, name=None):
    """One server-sent event."""
    head = "event: %s\n" % name if name else ""
    return ("%sdata: %s\n\n" % (head, json.dumps(data))).encode()


def is_any_of(parts, kind):
    return isinstance(parts, list) and any(isinstance(part, dict) and part.get("type") == kind
                                           for part in parts)


class Anthropic:
    path = re.compile(r"(/v1)?/messages$")
    count_path = re.compile(r"/messages/count_tokens$")
    message = {"id": "msg_fake", "type": "message", "role": "assistant", "model": "fake",
               "content": [], "stop_reason": None, "stop_sequence": None,
               "usage": {"input_tokens": NEW, "cache_creation_input_tokens": WRITTEN,
                         "cache_read_input_tokens": CACHED, "output_tokens": 1}}

    def wants_stream(self, _path, request):
        return bool(request.get("stream"))

    def tools(self, request):
        return [tool.get("name") for tool in request.get("tools") or ()]

    def has_result(self, request):
        """Whether it brings what a tool gave."""
        messages = [message for message in request["messages"] if message["role"] == "user"]
        return bool(messages) and is_any_of(messages[-1]["content"], "tool_result")

    def waits_on(self, _request):
        return None

    def counted(self):
        return {"input_tokens": 1}

    def whole(self, text):
        return {**self.message, "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn"}

    def refusal(self, status):
        kind = {429: "rate_limit_error", 529: "overloaded_error"}.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": "refused by the fake"}}

    @staticmethod
    def say(kind, **data):
        return event({"type": kind, **data}, kind)

    def block(self, begin, deltas, why):
        # Messages with the same id are taken for one.
        yield self.say("message_start", message={**self.message, "id": "msg_" + uuid.uuid4().hex})
        yield self.say("content_block_start", index=0, content_block=begin)
        for delta in deltas:
            yield self.say("content_block_delta", index=0, delta=delta)
        yield self.say("content_block_stop", index=0)
        yield self.say("message_delta", delta={"stop_reason": why, "stop_sequence": None},
                       usage={"output_tokens": OUTPUT})
        yield self.say("message_stop")

    def answer(self, words):
        return self.block({"type": "text", "text": ""},
                          ({"type": "text_delta", "text": word} for word in words), "end_turn")

    def call(self, number, name, arguments):
        begin = {"type": "tool_use", "id": "toolu_%024d" % number, "name": name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(arguments)}
        return self.block(begin, [delta], "tool_use")


class Responses:
    """OpenAI's."""
    path = re.compile(r"/responses$")
    count_path = None

    def wants_stream(self, _path, request):
        return bool(request.get("stream"))

    def tools(self, request):
        return [tool.get("name") or tool.get("type") for tool in request.get("tools") or ()]

    def has_result(self, request):
        said = [item.get("type") for item in request["input"]]
        return bool(said) and said[-1] == "function_call_output"

    def waits_on(self, request):
        """(tool, arguments) by which the model goes on waiting for a command: codex gives one back
        after 30 s at most, whatever was asked for, and lets it run."""
        found = STILL_RUNNING.search(json.dumps(request["input"][-1]))
        return found and ("write_stdin", {"session_id": int(found.group(1)), "chars": "",
                                          "yield_time_ms": 30000})

    def whole(self, text):
        return {"id": "resp_fake", "object": "response", "status": "completed",
                "output": [self.message(text)], "usage": self.usage()}

    def refusal(self, status):
        return {"error": {"type": "refused", "code": str(status), "message": "refused by the fake"}}

    @staticmethod
    def usage():
        return {"input_tokens": INPUT, "input_tokens_details": {"cached_tokens": CACHED},
                "output_tokens": OUTPUT, "output_tokens_details": None,
                "total_tokens": INPUT + OUTPUT}

    @staticmethod
    def message(text):
        return {"type": "message", "id": "msg_fake", "role": "assistant",
                "content": [{"type": "output_text", "text": text, "annotations": []}]}

    @staticmethod
    def say(kind, **data):
        return event({"type": kind, **data}, kind)

    def begin(self):
        return self.say("response.created", response={"id": "resp_fake"})

    def end(self, item):
        yield self.say("response.output_item.done", output_index=0, item=item)
        yield self.say("response.completed", response={"id": "resp_fake", "usage": self.usage()})

    def answer(self, words):
        said = []
        yield self.begin()
        yield self.say("response.output_item.added", output_index=0,
                       item={**self.message(""), "content": []})
        for word in words:
            said.append(word)
            yield self.say("response.output_text.delta", item_id="msg_fake", output_index=0,
                           content_index=0, delta=word)
        yield from self.end(self.message("".join(said)))

    def call(self, number, name, arguments):
        yield self.begin()
        namespace, _, name = name.rpartition(".")
        yield from self.end({"type": "function_call", "call_id": "call_%d" % number, "name": name,
                             "arguments": json.dumps(arguments),
                             **({"namespace": namespace} if namespace else {})})


class Completions:
    """OpenAI's older one, which most agents speak to a server of their user's."""
    path = re.compile(r"/chat/completions$")
    count_path = None

    def wants_stream(self, _path, request):
        return bool(request.get("stream"))

    def tools(self, request):
        return [tool.get("function", {}).get("name") for tool in request.get("tools") or ()]

    def has_result(self, request):
        return bool(request["messages"]) and request["messages"][-1].get("role") == "tool"

    def waits_on(self, _request):
        return None

    @staticmethod
    def usage():
        return {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT,
                "prompt_tokens_details": {"cached_tokens": CACHED}}

    def whole(self, text):
        return {"id": "chatcmpl-fake", "object": "chat.completion", "created": 1, "model": "fake",
                "usage": self.usage(), "choices": [{"index": 0, "finish_reason": "stop",
                    "message": {"role": "assistant", "content": text}}]}

    def refusal(self, status):
        return {"error": {"type": "refused", "code": str(status), "message": "refused by the fake"}}

    @staticmethod
    def say(choices, **more):
        return event({"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1,
                      "model": "fake", "choices": choices, **more})

    def chunks(self, deltas, why):
        for delta in deltas:
            yield self.say([{"index": 0, "delta": {"role": "assistant", **delta},
                             "finish_reason": None}])
        yield self.say([{"index": 0, "delta": {}, "finish_reason": why}])
        yield self.say([], usage=self.usage())
        yield b"data: [DONE]\n\n"

    def answer(self, words):
        return self.chunks(({"content": word} for word in words), "stop")

    @staticmethod
    def calls(number, name, arguments):
        return {"content": None, "tool_calls": [{"index": 0, "id": "call_%d" % number,
            "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}]}

    def call(self, number, name, arguments):
        return self.chunks([self.calls(number, name, arguments)], "tool_calls")

    def whole_call(self, number, name, arguments):
        return {**self.whole(""), "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", **self.calls(number, name, arguments)}}]}


class Gemini:
    path = re.compile(r":(stream)?[gG]enerateContent$")
    count_path = re.compile(r":countTokens$")

    def wants_stream(self, path, _request):
        return ":streamGenerateContent" in path

    def tools(self, request):
        return [declared.get("name") for tool in request.get("tools") or ()
                for declared in tool.get("functionDeclarations", ())]

    def has_result(self, request):
        last = request["contents"][-1] if request.get("contents") else {}
        return any("functionResponse" in part for part in last.get("parts", ()))

    def waits_on(self, _request):
        return None

    def counted(self):
        return {"totalTokens": 1}

    @staticmethod
    def content(part, why=None):
        candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
        if why:
            candidate["finishReason"] = why
        return {"candidates": [candidate], "modelVersion": "fake", "usageMetadata": {
            "promptTokenCount": INPUT, "cachedContentTokenCount": CACHED,
            "candidatesTokenCount": OUTPUT, "totalTokenCount": INPUT + OUTPUT}}

    def whole(self, text):
        return self.content({"text": text}, "STOP")

    def refusal(self, status):
        return {"error": {"code": status, "message": "refused by the fake",
                          "status": "RESOURCE_EXHAUSTED" if status == 429 else "UNAVAILABLE"}}

    def answer(self, words):
        for word in words:
            yield event(self.content({"text": word}))
        yield event(self.content({"text": ""}, "STOP"))

    def call(self, number, name, arguments):
        yield event(self.content({"functionCall": {"id": "call_%d" % number, "name": name,
                                                   "args": arguments}}, "STOP"))


ALL = (Anthropic(), Responses(), Completions(), Gemini())


def of_path(path):
    """(protocol, whether tokens are only to be counted), or (None, False)."""
    for protocol in ALL:
        if protocol.path.search(path):
            return protocol, False
        if protocol.count_path and protocol.count_path.search(path):
            return protocol, True
    return None, False
