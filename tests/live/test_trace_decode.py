# SPDX-License-Identifier: BSD-2-Clause
"""
Every decoded field against the truth: the workload `calls` says of each call what it passed and
what it got, and the stream has to say the same, line by line. The same execution is watched by
strace -f -yy, whose lines have to say the same too, but for what DIFFERENCES names.
"""
import json
import re
import unittest

import harness
from harness import Case, needs_bpf

KEPT = "64"  # bytes shown of what is read and written

# Where strace says more, or says it in another way: what, and how its words become ours.
NUMBER = r"-?\d+"
TEXT = r'"(?:\\.|[^"\\])*"'
TIME = r"\{tv_sec=(%s), tv_(n|u)sec=(%s)\}" % (NUMBER, NUMBER)


def time_of(match):
    return "%s.%s s" % (match[1], match[3].rjust(9 if match[2] == "n" else 6, "0"))


def vectors_of(match):
    """[{iov_base="a", iov_len=1}, ...]: each length, and what is kept of the first."""
    parts = re.findall(r'\{iov_base=("[^"]*"(?:\.\.\.)?|0x[0-9a-f]+), iov_len=(\d+)\}', match[0])
    return "[" + ", ".join(size + (" " + base if i == 0 else "")
                           for i, (base, size) in enumerate(parts)) + "]"


def message_of(match):
    text, vectors = match[0], re.search(r"msg_iov=(\[.*?\]), msg_iovlen=(\d+)", match[0])
    address = re.search(r"msg_name=(.*?), msg_namelen", text)[1]
    first = re.search(r'iov_base=("[^"]*")', vectors[1])
    return "{%s%s parts %s}" % ("" if address == "NULL" else address + ", ", vectors[2], first[1])


DIFFERENCES = (
    ("clocks without a name are decimal", r"0x4d /\* CLOCK_\?\?\? \*/", "77"),
    ("the bit beside a policy", r"0x40000001 /\* SCHED_\?\?\? \*/", "SCHED_FIFO|SCHED_RESET_ON_FORK"),
    ("comments", r" /\* .*? \*/", ""),
    ("the directory that paths begin in stands in the field `path`", r"AT_FDCWD<[^>]*>", "AT_FDCWD"),
    ("times", TIME, time_of),
    ("timers begin with when, then how often",
     r"\{it_interval=(\S+ s), it_value=(\S+ s)\}",
     lambda m: "{in %s%s}" % (m[2], ", every " + m[1] if re.search("[1-9]", m[1]) else "")),
    ("IPv4", r'\{sa_family=AF_INET, sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]*)"\)\}',
     r"\2:\1"),
    ("IPv6", r'\{sa_family=AF_INET6, sin6_port=htons\((\d+)\), sin6_flowinfo=htonl\(0\), '
     r'inet_pton\(AF_INET6, "([^"]*)", &sin6_addr\), sin6_scope_id=(\d+)\}',
     lambda m: "[%s%s]:%s" % (m[2], "" if m[3] == "0" else "%" + m[3], m[1])),
    ("unix", r'\{sa_family=AF_UNIX, sun_path=(@?%s)\}' % TEXT, r"\1"),
    ("other families by name alone", r"\{sa_family=(AF_\w+), [^{}]*\}", r"{\1}"),
    ("unknown families by number", r"\{sa_family=0x63, [^{}]*\}", "{99}"),
    ("messages", r"\{msg_name=.*?, msg_flags=0\}", message_of),
    ("vectors", r"\[\{iov_base=.*?\}\]", vectors_of),
    ("epoll", r"\{events=([A-Z|]+), data=\{u32=\d+, u64=(\d+)\}\}", r"\1 data \2"),
    ("lengths as they are afterwards", r"\[\d+ => (\d+)\]", r"[\1]"),
    ("open_how", r"\{flags=([A-Z_|]+), resolve=(\w+)\}", r"{\1, 0, \2}"),
    ("clone3", r"\{flags=(\w+), exit_signal=(\w+), .*?\}", r"{\1, \2}"),
    ("limits", r"\{rlim_cur=(\w+), rlim_max=(\w+)\}", r"{soft \1, hard \2}"),
    ("no limit", "RLIM64_INFINITY", "unlimited"),
    ("ended", r"\[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == (\d+)\}\]", r"[exit \1]"),
    ("killed", r"\[\{WIFSIGNALED\(s\) && WTERMSIG\(s\) == (\w+)\}\]", r"[killed by \1]"),
    ("private futexes", r"(FUTEX_\w+)_PRIVATE\b", r"\1|FUTEX_PRIVATE_FLAG"),
    ("pipes by inode", r"<pipe:\[\d+\]>", "<pipe>"),
    ("pairs by both inodes", r"<UNIX:\[\d+->\d+\]>", "<UNIX>"),
    ("bound names", r'<UNIX:\[\d+,@?%s\]>' % TEXT, "<UNIX bound>"),
    ("sockets without a name by inode", r"<(TCP|UDP|TCPv6|UDPv6|UNIX):\[\d+\]>", r"<\1>"),
    ("netlink", r"<NETLINK:\[[^\]]*\]>", "<NETLINK>"),
    ("arrows", r"<(\w+):\[(\S+?)->(\S+?)\]>", r"<\1 \2→\3>"),
    ("near ends alone", r"<(TCP|UDP|TCPv6|UDPv6):\[(\S+?:\d+)\]>", r"<\1 \2>"),
    ("IPv6 is a 6", r"<(TCP|UDP)v6", r"<\g<1>6"),
    ("the kernel's own files", r"<anon_inode:\[?(\w+)\]?>", r"<\1>"),
    ("epoll is what people call it", "<eventpoll>", "<epoll>"),
    ("handles of processes", r"<pid:\d+>", "<pidfd>"),
    ("files in memory", r"</memfd:(.*?)>\(deleted\)", r"<memfd:\1>"),
    ("files without a name", r"/#\d+>\(deleted\)", "/(no name)>"),
    ("keys are numbers", r"\bIPC_PRIVATE\b", "0"),
    ("numbers without a name are decimal", r"\b0x(3e8|63)\b", lambda m: str(int(m[1], 16))),
)

# Ours, where strace has nothing to compare with.
OURS = (
    ("whether a socket listens", r" listening>", ">"),
    ("what is not known", r"<\?>", ""),
    ("the address a unix socket has called", r"<UNIX →[^>]*>", "<UNIX>"),
    ("bound names", r"<UNIX [^>]*>", "<UNIX bound>"),
    ("two pipes, two ends", r"<pipe with \d+>", "<pipe>"),
    ("pipes by inode", r"<pipe:\[\d+\]>", "<pipe>"),
    ("shifts are no brackets", r"<<(?=\d)", "~"),
    ("seconds", r"(\d\.\d+)s\b", r"\1 s"),
    ("the one path that cannot be read", r"^(AT_FDCWD, 0x1) \(not readable\)", r"\1"),
)

# Left as a pointer by us, by call and argument: strace reads the struct.
# Ours are masked, with what looks like a secret in them.
MASKED = {"execve": 1}
POINTERS = {"newfstatat": 2, "stat": 1, "lstat": 1, "statx": 4, "statfs": 1, "utimensat": 2,
            "getrusage": 1, "semop": 1, "semtimedop": 1, "msgsnd": 1, "msgrcv": 1, "execve": 1,
            "execveat": 2, "ioctl": 2, "copy_file_range": 1, "sendfile": 2, "prctl": 1,
            "process_vm_writev": 3}
# Arguments that strace leaves out where the call does not look at them.
LEFT_OUT = {"mremap": 4, "membarrier": 2, "prctl": 2, "mknodat": 3, "kcmp": 3,
            "ptrace": 2}
# The results are named sets, or numbers in words.
COUNTED = {"semctl", "membarrier", "prctl", "fcntl", "umask"}
SHIFT = r"<<(?=\d)"  # no bracket
ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))")
LETTERS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


def unescape(text):
    """Both escape, differently: here bytes stand as what they are, a character each."""
    text = text.encode("utf-8", "surrogateescape").decode("latin-1")
    return ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else chr(int(m[2], 8)) if m[2]
                      else LETTERS.get(m[3], m[3]), text)


def rewrite(text, rules):
    for _, pattern, to in rules:
        text = re.sub(pattern, to, text, flags=re.S)
    return text


def split(text):
    """At the commas between arguments."""
    parts, depth, quoted, part, at = [], 0, False, "", 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            part += text[at:at + 2]
            at += 2
            continue
        if char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char in "([{<") - (char in ")]}" or (char == ">" and text[at - 1] != "-"))
        if char == "," and not quoted and depth <= 0:
            parts.append(part.strip())
            part = ""
        else:
            part += char
        at += 1
    return parts + [part.strip()] if part.strip() else parts


def plain(part):
    """Flags in any order; what is escaped as it is."""
    if re.fullmatch(r"[A-Z_0-9a-fx|]+", part):
        return "|".join(sorted(part.split("|")))
    return unescape(part)


class Line:
    """A line of strace: a call that has returned."""

    def __init__(self, text):
        self.name, rest = re.sub(SHIFT, "~", text).split("(", 1)
        end = self.end_of_arguments(rest)
        self.arguments = rest[:end]
        self.result, self.rest = re.match(r"\) += (\?|-?\w+)(.*)$", rest[end:], re.S).groups()

    @staticmethod
    def end_of_arguments(text):
        """Where a parenthesis is closed that none opened, outside of texts and names of files."""
        depth, quoted, at = 0, False, 0
        while at < len(text):
            if text[at] == "\\":
                at += 1
            elif text[at] == '"':
                quoted = not quoted
            elif not quoted and text[at] == "<":
                at += 1
                while text[at] != ">" or text[at - 1] == "-":
                    at += 1
            elif not quoted and text[at] in "()":
                depth += 1 if text[at] == "(" else -1
                if depth < 0:
                    return at
            at += 1
        raise ValueError(text)


def strace_lines(text):
    """{pid: its calls}"""
    lines, begun = {}, {}
    for entry in text.splitlines():
        pid, rest = entry.split(None, 1)
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
        if rest.startswith(("+++", "---")) or "(" not in rest and "resumed" not in rest:
            continue
        if resumed:
            rest = begun.pop(pid) + resumed[1]
        elif rest.endswith("<unfinished ...>"):
            begun[pid] = rest[:-len("<unfinished ...>")]
            continue
        lines.setdefault(int(pid), []).append(Line(rest))
    return lines


class Truth:
    def __init__(self, line):
        tid, self.name, self.result, path, self.arguments = line.split("\t")
        self.tid = int(tid)
        self.path = None if path == "-" else path


def result_of(row):
    if row["result"] is None:
        return "?"
    return "-1 %s" % row["error"] if row["error"] else str(row["result"])


@needs_bpf
class Decode(Case):
    def watch(self, *options, under=()):
        """(truth by thread, what sooth said) of one execution; `under` is who else watches."""
        truth_path = self.path("truth")
        target = self.start(*under, harness.WORKLOADS, "calls", "--directory", self.folder,
                            "--hold", "--truth", truth_path)
        target.wait_for_output(b"ready\n")
        pid = target.pid
        if under:
            pid = int(harness.read("/proc/%d/task/%d/children" % (pid, pid)).split()[0])
        sooth = self.start_attached("trace", "-s", KEPT, *options, "-o", self.path("out"),
                                    "-p", str(pid))
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        run = sooth.finish()
        self.assertEqual(run.status, 0, run)
        by_thread = {}
        for line in harness.read(truth_path).decode("utf-8", "surrogateescape").splitlines():
            by_thread.setdefault(int(line.split("\t")[0]), []).append(Truth(line))
        self.assertGreater(sum(map(len, by_thread.values())), 300)
        return by_thread, harness.read(self.path("out"))

    @staticmethod
    def calls(out):
        """{thread: rows}"""
        rows = {}
        for line in map(json.loads, out.splitlines()):
            if line["type"] == "call":
                rows.setdefault(line["tid"], []).append(line)
        return rows

    def aligned(self, truth, rows, what):
        """The rows from the first line of truth on: calls of before are not ours to know."""
        first = next((i for i, row in enumerate(rows)
                      if (row["name"], row["arguments"]) == (truth[0].name, truth[0].arguments)),
                     None)
        self.assertIsNotNone(first, "%s begins nowhere with %s(%s)" % (
            what, truth[0].name, truth[0].arguments))
        return rows[first:first + len(truth)]

    def check_line(self, truth, row):
        where = "%s(%s)" % (truth.name, truth.arguments)
        self.assertEqual(row["name"], truth.name, where)
        self.assertEqual(row["arguments"], truth.arguments)
        self.assertEqual(result_of(row), truth.result, where)
        if truth.path == "*":
            self.assertTrue(row["path"].startswith(self.folder), where)
        elif truth.path is None:
            self.assertIsNone(row["path"], where)
        else:
            expected = unescape(truth.path).encode("latin-1").decode("utf-8", "replace")
            self.assertEqual(row["path"], expected, where)

    def check_all(self, by_thread, out):
        rows = self.calls(out)
        for tid, truth in by_thread.items():
            for line, row in zip(truth, self.aligned(truth, rows[tid], "thread %d" % tid)):
                self.check_line(line, row)
        return rows

    def test_every_line_is_true(self):
        by_thread, out = self.watch("-j")
        self.check_all(by_thread, out)
        self.assertEqual(json.loads(out.splitlines()[-1])["loss"], [])

    def test_from_a_capture_it_is_the_same(self):
        capture = self.path("calls.sooth")
        by_thread, out = self.watch("-j", "--save", capture)
        again = self.sooth("trace", "-j", capture).out
        self.check_all(by_thread, again)
        self.assertEqual([json.loads(line) for line in out.splitlines()][1:-1],
                         [json.loads(line) for line in again.splitlines()][1:-1])
        # For people too, whatever names and addresses hold.
        text = self.sooth("trace", capture, env={"LC_ALL": "C.UTF-8"}).out
        self.assertFalse(set(text) & (set(range(32)) - {10}), "control characters in the stream")
        self.assertEqual(text.count(b"AT_FDCWD, \"line\\nbreak\", O_RDONLY|O_CREAT, 0600) = "), 1)
        self.assertIn("over\\xe2\\x80\\xaeride".encode(), text)
        # Where the locale has no arrows they are made of what it has; nothing else differs.
        plain = self.sooth("trace", capture, env={"LC_ALL": "C"}).out
        self.assertRegex(plain, rb"<TCP \S+:\d+->\S+:\d+>")
        self.assertIn("→".encode(), text)
        self.assertEqual(plain, text.replace("→".encode(), b"->"))

    def compare(self, truth, row, line):
        where = "%s(%s)\nstrace: %s(%s) = %s%s" % (row["name"], row["arguments"], line.name,
                                                   line.arguments, line.result, line.rest)
        self.assertEqual(line.name, row["name"], where)
        ours = split(rewrite(row["arguments"], OURS))
        theirs = split(rewrite(line.arguments, DIFFERENCES))
        self.compare_arguments(row["name"], ours, theirs, line.rest, where)
        self.compare_result(row, line, where)

    def compare_arguments(self, name, ours, theirs, rest, where):
        if name == "clone":
            self.assertIn("flags=" + ours[0], theirs, where)
            return
        if name in ("poll", "ppoll"):
            ours[0], theirs[0] = self.polled(ours[0], theirs[0], rest)
        if name in LEFT_OUT and len(theirs) < len(ours):
            self.assertGreaterEqual(len(theirs), min(LEFT_OUT[name], 1), where)
            ours = ours[:len(theirs)]
        self.assertEqual(len(ours), len(theirs), where)
        for i, (our, their) in enumerate(zip(ours, theirs)):
            our, their = plain(our), plain(their)
            if our == their or (our.strip("[]") == their.strip("[]") and name == "epoll_ctl"):
                continue
            if our.endswith('"...') and their.startswith(our[:-4]):
                continue  # paths of more than a thousand bytes are cut
            if POINTERS.get(name) == i and our.startswith("0x"):
                continue
            if MASKED.get(name) == i and "***" in our:
                self.assertEqual(our.replace("***", "abc\n"), their, where)
                continue
            if re.fullmatch(r"\[(SIG)?\w+( \w+)*\]", our):
                self.assertEqual(our.replace("SIG", ""), their, where)
                continue
            if re.fullmatch(r"\d+<UDP6?>", our):
                self.assertRegex(their, r"^\d+<UDP6? \S+:\d+>$", where)  # bound by sending
                continue
            if name == "semctl" and (our, their) == ("0", "NULL"):
                continue
            self.assertEqual(our, their, "%s\nboth right? a row of DIFFERENCES, POINTERS or LEFT_OUT at the top of "
                             "this file, or of OURS, says so" % where)

    @staticmethod
    def polled(ours, theirs, rest):
        """What came back stands behind the result there."""
        came = dict(re.findall(r"\{fd=(\d+), revents=([A-Z|]+)\}", rest))
        parts = []
        for fd, number, events in re.findall(r"\{fd=((-?\d+)(?:<[^>]*>)?)(?:, events=([A-Z|]+))?\}",
                                             theirs):
            parts.append("%s %s%s" % (fd, events or "POLLIN",
                                      "→" + came[number] if number in came else ""))
        return ours, "[" + ", ".join(parts) + "]"

    def compare_result(self, row, line, where):
        if line.result == "-1":
            self.assertIn(" %s (%s)" % (row["error"], row["error_text"]), line.rest, where)
        elif line.result == "?":
            self.assertIsNone(row["result"], where)
        else:
            self.assertEqual(int(line.result, 8 if row["name"] == "umask" else 0), row["result"],
                             where)
        if row["name"] == "umask":
            self.assertEqual(row["result_text"], line.result, where)
        named = re.match(r" \((?:flags |seals )?([A-Z_|]+)\)", line.rest)
        if named and row["name"] == "fcntl":
            ours = re.fullmatch(r"%s \(([A-Z_|]+)\)" % line.result, row["result_text"])
            self.assertIsNotNone(ours, where)
            self.assertEqual(plain(ours[1]), plain(named[1]), where)
        if line.rest.startswith("<"):
            theirs = rewrite(line.result + line.rest, DIFFERENCES)
            ours = rewrite(row["result_text"], OURS)
            self.assertEqual(unescape(ours), unescape(theirs), where)

    @unittest.skipUnless(harness.have("strace"), "no strace here")
    def test_strace_says_the_same(self):
        by_thread, out = self.watch("-j", under=(harness.have("strace"), "-f", "-yy", "-x", "-s",
                                                 KEPT, "-o", self.path("log")))
        rows = self.check_all(by_thread, out)
        lines = strace_lines(harness.read(self.path("log")).decode("latin-1"))
        compared = 0
        for tid, truth in by_thread.items():
            ours = self.aligned(truth, rows[tid], "thread %d" % tid)
            begin = next(i for i, line in enumerate(lines[tid])
                         if line.name == truth[0].name and self.is_first(line, truth[0]))
            for line_of_truth, row, line in zip(truth, ours, lines[tid][begin:]):
                self.compare(line_of_truth, row, line)
                compared += 1
        self.assertEqual(compared, sum(map(len, by_thread.values())))

    @staticmethod
    def is_first(line, truth):
        ours = split(truth.arguments)
        theirs = split(rewrite(line.arguments, DIFFERENCES))
        return len(ours) == len(theirs) and all(plain(our) == plain(their) or our.startswith("0x")
                                                for our, their in zip(ours, theirs))


if __name__ == "__main__":
    harness.main()
