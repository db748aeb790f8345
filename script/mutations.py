# SPDX-License-Identifier: BSD-2-Clause
"""
The ways in which script/mutate breaks a line of C: for a text, all mutations there are. A mutation
changes one line and keeps the number of lines. It need not compile; what does not is not counted.
"""
import dataclasses
import re

TURNED = {"==": "!=", "!=": "==", "<": "<=", ">": ">=", "<=": "<", ">=": ">", "&&": "||", "||": "&&"}
OPERATOR = re.compile(r"(?<![-<>=!&|+*/%^])(==|!=|<=|>=|&&|\|\||<|>)(?![<>=&|])")
NUMBER = re.compile(r"(?<![\w.\"'])(\d+)(?![\w.])")
CONDITION = re.compile(r"\b(if|while) \(")
STATEMENT = re.compile(r"^\t+(?!return\b|break\b|goto\b|case\b|default\b|else\b|if\b|for\b|while\b|do\b"
                       r"|struct\b|const\b|static\b|char\b|int\b|bool\b|size_t\b|u?int\d+_t\b|double\b)"
                       r"[\w*(+-].*;\s*$")
ASSIGNS_OR_CALLS = re.compile(r"[^=!<>]=[^=]|\w\(.*\);|\+\+|--|\bcontinue;")
LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)


@dataclasses.dataclass(frozen=True)
class Mutation:
    line: int  # from 1
    kind: str
    new: str
    is_code: bool = True  # not of a table


def masked(text):
    """The text with comments, strings and directives blanked, character for character."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    text = LITERAL.sub(blank, text)
    return re.sub(r"(?m)^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", blank, text)


def closing(code, at):
    """Where the parenthesis at `at` is closed on the same line, or -1."""
    depth = 0
    for i in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if not depth:
            return i
    return -1


def _of_tokens(line, code):
    for match in OPERATOR.finditer(code):
        word = match[1]
        yield ("logic" if word in ("&&", "||") else "comparison",
               line[:match.start(1)] + TURNED[word] + line[match.end(1):])
    for match in NUMBER.finditer(code):
        new = str(int(match[1]) + 1) if match[1] == "0" or not match[1].startswith("0") else None
        if new:
            yield "constant", line[:match.start(1)] + new + line[match.end(1):]
    for match in CONDITION.finditer(code):
        at = match.end() - 1
        end = closing(code, at)
        if end > 0 and match[1] == "if":
            yield "condition", line[:at] + "(!" + line[at:end + 1] + ")" + line[end + 1:]


def _is_statement(code, before):
    """A whole one: what stands before it is at its end."""
    return (STATEMENT.match(code) and ASSIGNS_OR_CALLS.search(code) and
            code.count("(") == code.count(")") and code.count("{") == code.count("}") and
            re.search(r"(?:[;{}:]|^\s*(?:else|do)|^\t+(?:if|for|while) \(.*\))\s*$", before))


def _early_return(before):
    """What a function with this heading can return at once."""
    if not before or "=" in before or re.search(r"\b(struct|union|enum) \w+ *\{?$", before):
        return None
    heading = re.sub(r"\b(static|inline|const|extern)\b", "", before).strip()
    if re.match(r"(struct|union) \w+ \w+\(", heading):
        return None
    return "return;" if re.match(r"void \w+\(", heading) else "return 0;"


def mutations(text):
    """All of a file."""
    lines, codes = text.split("\n"), masked(text).split("\n")
    before, heading, is_code = "", "", False
    for number, (line, code) in enumerate(zip(lines, codes), 1):
        if code and not code[0].isspace() and code[0] not in "{}#":
            heading = code
        if code.rstrip() in ("{", "}"):
            is_code = code.rstrip() == "{"
        if code.rstrip() == "{" and "(" in heading:
            early = _early_return(heading)
            if early:
                yield Mutation(number, "return", "{ " + early)
        for kind, new in _of_tokens(line, code):
            yield Mutation(number, kind, new, is_code)
        if _is_statement(code, before):
            indent = line[:len(line) - len(line.lstrip("\t"))]
            yield Mutation(number, "statement", indent + ";")
        if code.strip():
            before = code
