# SPDX-License-Identifier: BSD-2-Clause
"""
What `sooth api` reports against the log of the fake server: every call found, none invented, times
within 5 ms in the median (a busy processor makes single ones late), sizes equal, over TLS within its
overhead.
"""
import dataclasses
import statistics

NEAR_NS = 2_000_000_000  # farther apart a row and an exchange are not the same call
TIMES_NS = 5_000_000
TIMES = ("begin_ns", "first_ns", "last_ns")
FEW = 5  # of so few calls one may have waited for a processor: they have ten times as long
RECORD = 16384  # bytes of data of a TLS record, at most
OVERHEAD = 29  # of a record: head, nonce, tag
# A server's state, and what it may look like from outside: an answer in TLS is not known to be over.
STATES = {"answered": ("answered", "open"),
          "refused": ("refused", "reset", "closed", "answered", "open"),
          "gone": ("given up", "cut", "answered", "waiting", "open"),
          "held": ("waiting", "open", "given up", "answered"),
          "asked": ("waiting", "open", "given up", "answered", "cut")}


@dataclasses.dataclass
class Table:
    """How far both agree."""
    found: int = 0
    missed: list = dataclasses.field(default_factory=list)
    invented: list = dataclasses.field(default_factory=list)
    begin_ns: list = dataclasses.field(default_factory=list)  # errors
    first_ns: list = dataclasses.field(default_factory=list)
    last_ns: list = dataclasses.field(default_factory=list)
    bytes_out: int = 0  # largest errors
    bytes_in: int = 0
    wrong: list = dataclasses.field(default_factory=list)

    def line(self, name):
        return ("%-34s found %3d missed %2d invented %2d  begin %6.2f first %6.2f last %6.2f ms  "
                "out %4d in %4d bytes over  %s" % (
                    name, self.found, len(self.missed), len(self.invented),
                    *(max(getattr(self, member), default=0) / 1e6 for member in TIMES),
                    self.bytes_out, self.bytes_in, self.wrong or ""))


def port_of(address):
    """Of "127.0.0.1:80"; None: unknown."""
    return int(address.rpartition(":")[2]) if address else None


def outside(begin_ns, end_ns, ours_ns):
    """How far our time is from those between which the server wrote."""
    return max(begin_ns - ours_ns, ours_ns - end_ns, 0)


def pair(rows, exchanges):
    """[(row, exchange)], and what is left of both: each with the nearest one that fits it."""
    pairs, rows = [], sorted(rows, key=lambda row: row["begin_ns"])
    left = sorted(exchanges, key=lambda exchange: exchange.begin_ns)
    for row in list(rows):
        fitting = [one for one in left if abs(one.begin_ns - row["begin_ns"]) < NEAR_NS and
                   port_of(row["local"]) in (None, one.port) and
                   row.get("method") in (None, one.method) and
                   (row.get("path") is None or row["path"] == one.path.split("?")[0])]
        if fitting:
            best = min(fitting, key=lambda one: abs(one.begin_ns - row["begin_ns"]))
            pairs.append((row, best))
            left.remove(best)
            rows.remove(row)
    return pairs, rows, left


def most(data, writes):
    """Bytes that TLS adds to that much data, at most."""
    return (data // RECORD + writes + 1) * OVERHEAD


def compare(rows, exchanges, is_tls):
    pairs, invented, missed = pair(rows, exchanges)
    table = Table(len(pairs), missed, invented)
    for row, exchange in pairs:
        compare_one(table, row, exchange, is_tls)
    return table


def compare_one(table, row, exchange, is_tls):
    def note(member, value):
        setattr(table, member, max(getattr(table, member), value))

    table.begin_ns.append(abs(exchange.begin_ns - row["begin_ns"]))
    expected = STATES[exchange.state] + (("refused",) if exchange.status >= 400 else ())
    if row["outcome"] not in expected:
        table.wrong.append((row["outcome"], exchange.state))
    if not is_tls and exchange.status and row["outcome"] in ("answered", "refused"):
        if row["http_status"] != exchange.status:
            table.wrong.append((row["http_status"], exchange.status))
    over = (row["sent_bytes"] or exchange.received) - exchange.received  # None before the answer
    if over < 0 or over > (most(exchange.received, 8) if is_tls else 0):
        table.wrong.append(("out", row["sent_bytes"], exchange.received))
    note("bytes_out", over)
    if exchange.first_ns and row["first_byte_ns"] is not None:
        table.first_ns.append(abs(exchange.first_ns - row["begin_ns"] - row["first_byte_ns"]))
    if row["outcome"] != "answered" or exchange.state != "answered":
        return
    table.last_ns.append(outside(exchange.last_begin_ns, exchange.last_ns, row["begin_ns"] + row["total_ns"]))
    over = row["received_bytes"] - exchange.sent
    if over < 0 and row["ended_by"] == "client closed":
        return  # it had what it wanted, and did not read the end
    if over < 0 or over > (most(exchange.sent, exchange.writes) if is_tls else 0):
        table.wrong.append(("in", row["received_bytes"], exchange.sent))
    note("bytes_in", over)


def problems(table):
    """Empty: it holds."""
    found = ["missed: %s" % one for one in table.missed]
    found += ["invented: %s" % one for one in table.invented]
    for name in TIMES:
        errors = getattr(table, name)
        most_ns = TIMES_NS * (1 if len(errors) > FEW else 10)
        if errors and statistics.median(errors) > most_ns:
            found.append("%s: off by %s" % (name, errors))
    return found + [str(one) for one in table.wrong]
