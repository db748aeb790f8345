/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/repeated_call.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "model/errno_names.h"

#define STANDARD_LAST  2   /* a process starts with input, output and errors */
#define POLL_READ      0x3 /* IN and PRI */
#define POLL_WRITE     0x4
#define POLL_HANGUP    0x10
#define POLL_PEER_SHUT 0x2000

NUMBER(SEEN_LEAST, 32, NONE, "least records");
NUMBER(SHARE_LEAST, 0.25, NONE, "least share of the thread's calls: a loop has up to four calls");
NUMBER(SHARE_SAME, 0.5, NONE, "of the call that have the same result");
NUMBER(SHARE_STATE, 0.9, NONE, "of the samples in which the descriptor was in this state");

/* --- choosing --- */

static bool is_read_call(const struct syscall_row *row)
{
	return row->transfer.direction == SYSCALL_READS;
}

/* Returns whether the kernel makes up the data of a path; other devices, memory and logs do not
 * count, because programs may need much of their data. */
static bool is_made_up(const char *path)
{
	static const char *const data[] = { "mem", "pagemap", "kcore", "kmsg" };
	struct span base = path_base(span_of_string(path));

	return !strcmp(path, "/dev/zero") ||
	       ((!strncmp(path, "/proc/", 6) || !strncmp(path, "/sys/", 5)) &&
		       !strstr(path, "/tracing/") && !SPAN_ANY(base, span_equal, data));
}

static double least_share(enum repeated_kind kind)
{
	return kind == REPEATED_SAME	? SHARE_SAME
	       : kind == REPEATED_STATE ? SHARE_STATE
					: SHARE_LEAST;
}

static enum repeated_kind kind_of(const struct call_repeat_key *key, const struct call_repeat *r)
{
	const struct syscall_row *row = syscall_row_of(key->abi, key->number);
	bool polls = row->traits & SYSCALL_POLLS;

	if (key->result == -LINUX_EAGAIN)
		return REPEATED_NO_DATA;
	if (key->result < 0)
		return REPEATED_FAILURE;
	if (polls)
		return key->result ? REPEATED_READY : REPEATED_NO_EVENT;
	if (!key->result && !strcmp(row->name, "wait4"))
		return REPEATED_NO_CHILD;
	if (!key->result && is_read_call(row) && key->fd >= 0)
		return REPEATED_END_OF_DATA;
	if (key->result > 0 && is_read_call(row) && is_made_up(r->text))
		return REPEATED_STATE;
	/* A call with a path may have a different path each time. */
	return r->has_path || r->bytes || row->transfer.direction ? REPEATED_NOTHING
								  : REPEATED_SAME;
}

struct totals {
	uint64_t all, moved;
};

static struct totals totals_of(const struct call_history *h, uint32_t tid)
{
	struct totals t = { 0 };

	call_repeats_each (h, key, r) {
		if (tid && key->tid != tid)
			continue;
		t.all += r->count;
		t.moved += r->bytes ? r->count : 0;
	}
	return t;
}

static bool is_better(const struct repeated_call *c, enum repeated_kind kind, uint64_t count)
{
	if (c->kind != kind)
		return kind > c->kind;
	return count > c->repeat->count;
}

static void choose_repeated_call(
	struct repeated_call *out, const struct call_history *h, uint32_t tid)
{
	struct totals totals = totals_of(h, tid);

	call_repeats_each (h, key, r) {
		enum repeated_kind kind = kind_of(key, r);
		double share = (double)r->count / (double)totals.all;

		if ((tid && key->tid != tid) || r->seen < SEEN_LEAST || share < least_share(kind))
			continue;
		/* A working event loop sometimes reads from ready descriptors. */
		if (kind == REPEATED_READY && totals.moved * 4 >= totals.all)
			continue;
		if (!kind || !is_better(out, kind, r->count))
			continue;
		out->kind = kind;
		out->key = key;
		out->repeat = r;
		out->share = 100 * share;
	}
}

static bool is_closed(const struct check *e, uint64_t inode)
{
	sockets_each (check_last(e, &e->input->sockets), s) {
		if (inode && s->inode == inode && socket_is_closed_by_peer(s))
			return true;
	}
	return false;
}

void repeated_call_of(struct repeated_call *out, const struct check *e, uint32_t tid)
{
	const struct fds_descriptor *d;

	assert(out);
	*out = (struct repeated_call){ 0 };
	if (!e->calls.is_read)
		return;
	choose_repeated_call(out, e->calls.history, tid);
	if (!out->kind)
		return;
	d = out->key->fd >= 0 ? check_descriptor(e, (uint32_t)out->key->fd) : NULL;
	out->per_s = check_calls_rate(e, (double)out->repeat->count) *
		     call_history_correction(e->calls.history, out->key->abi, out->key->number);
	out->least = check_calls_least(e);
	out->is_pipe = d && d->type == FDS_PIPE;
	out->is_closed_terminal = check_is_closed_terminal(d);
	out->is_peer_closed = out->repeat->events & (POLL_HANGUP | POLL_PEER_SHUT) ||
			      (d && is_closed(e, d->inode));
}

unsigned repeated_call_category(const struct repeated_call *c)
{
	assert(c);
	return syscall_row_of(c->key->abi, c->key->number)->category;
}

bool repeated_call_is_cut_off(const struct repeated_call *c)
{
	assert(c);
	return c->kind == REPEATED_END_OF_DATA &&
	       (c->is_pipe ||
		       (c->repeat->is_socket && c->key->fd >= 0 && c->key->fd <= STANDARD_LAST));
}

bool repeated_call_is_pointless(const struct repeated_call *c)
{
	assert(c);
	return c->kind >= REPEATED_FAILURE;
}

/* --- text --- */

/* Writes two significant digits: "410,000". */
static void put_count(struct buffer *out, double count)
{
	unsigned long long unit = 1, rounded;

	while (count >= 100 * (double)unit)
		unit *= 10;
	rounded = (unsigned long long)(count / (double)unit + 0.5) * unit;
	if (rounded >= 1000000)
		buffer_format(out, "%llu,%03llu,%03llu", rounded / 1000000, rounded / 1000 % 1000,
			rounded % 1000);
	else if (rounded >= 1000)
		buffer_format(out, "%llu,%03llu", rounded / 1000, rounded % 1000);
	else
		buffer_format(out, "%llu", rounded);
}

static void put_fd(struct buffer *out, const char *before, const struct repeated_call *c)
{
	if (c->key->fd < 0)
		return;
	buffer_format(out, "%sfd %d", before, c->key->fd);
	if (*c->repeat->text)
		buffer_format(out, " (%s)", c->repeat->text);
}

/* The result of the call, its meaning, and the change to make in the program. */
static const struct {
	const char *result, *meaning, *remedy;
} kinds[] = {
	[REPEATED_NOTHING] = { "", "", "" },
	[REPEATED_SAME] = { "", "", "" },
	[REPEATED_FAILURE] = { "", "", "pause after a failure before trying again" },
	[REPEATED_STATE] = { "", ": it asks for its state without a pause",
		"pause between two readings: a file of the kernel has no end to wait for" },
	[REPEATED_NO_CHILD] = { " returns at once",
		": it asks without a pause whether a child has ended",
		"wait for the child without WNOHANG (in Python wait() instead of poll()), or "
		"handle SIGCHLD" },
	[REPEATED_NO_EVENT] = { " returns at once", ": no event, and no timeout to wait for one",
		"poll without a time limit, or with one above 0" },
	[REPEATED_READY] = { " returns at once", "",
		"read what is ready, or remove the descriptor from the polled ones" },
	[REPEATED_NO_DATA] = { " returns EAGAIN, nothing there yet,", "",
		"wait for data (poll, epoll) instead of asking again" },
	[REPEATED_END_OF_DATA] = { " returns end of file", "",
		"wait before reading again at the end of a file: inotify, or a pause" },
};

static bool is_end_of_stream(const struct repeated_call *c)
{
	return c->kind == REPEATED_END_OF_DATA && c->repeat->is_socket;
}

static void put_result(struct buffer *out, const struct repeated_call *c)
{
	const char *error = c->key->result < 0 ? errno_name((unsigned)-c->key->result) : NULL;

	if (c->kind == REPEATED_FAILURE)
		buffer_format(out, " fails with %s", error ? error : "an error");
	else
		buffer_string(out,
			is_end_of_stream(c) ? " returns end of stream" : kinds[c->kind].result);
}

/* Returns whether only writing is possible, which is nearly always so; there is nothing to read. */
static bool is_for_writing(const struct repeated_call *c)
{
	return c->repeat->events & POLL_WRITE && !(c->repeat->events & POLL_READ) &&
	       !c->is_peer_closed;
}

static const char *readiness_text(const struct repeated_call *c)
{
	if (c->key->fd < 0)
		return ": a descriptor is always ready";
	return is_for_writing(c) ? " can always be written to, and is polled for that"
				 : " is always ready and not read";
}

void repeated_call_put(struct buffer *out, const struct repeated_call *c)
{
	assert(c);

	char name[SYSCALL_NAME_SIZE];
	bool polls = c->kind == REPEATED_READY || c->kind == REPEATED_NO_EVENT;

	buffer_string(out, check_call_name(c->key->abi, c->key->number, name));
	put_result(out, c);
	if (!polls)
		put_fd(out, " on ", c);
	buffer_string(out, c->kind == REPEATED_SAME ? " is called " : ", ");
	buffer_string(out, c->least);
	put_count(out, c->per_s);
	buffer_string(out, " times a second");
	if (c->kind == REPEATED_READY) {
		put_fd(out, ": ", c);
		buffer_string(out, readiness_text(c));
	}
	buffer_string(out, kinds[c->kind].meaning);
	if (c->is_closed_terminal)
		buffer_string(out, "; its terminal was closed");
	else if (c->kind == REPEATED_END_OF_DATA && c->is_pipe)
		buffer_string(out, "; the other end is closed: no process writes to it any more");
	else if (c->is_peer_closed || is_end_of_stream(c))
		buffer_string(out, "; its peer has closed the connection");
}

const char *repeated_call_remedy(const struct repeated_call *c)
{
	assert(c);
	if (c->is_closed_terminal)
		return "end when the terminal is closed: on SIGHUP, or when a read of it fails or "
		       "returns 0 bytes";
	if (c->kind == REPEATED_END_OF_DATA && c->is_pipe)
		return "end, or close the input, when a read returns 0 bytes: no more will come";
	if (is_end_of_stream(c))
		return "close the connection when a read returns 0 bytes";
	if (c->kind == REPEATED_READY && c->is_peer_closed)
		return "close the descriptor when its peer has closed the connection";
	if (c->kind == REPEATED_READY && is_for_writing(c))
		return "poll for writing (POLLOUT, EPOLLOUT) only while data waits to be sent";
	return kinds[c->kind].remedy;
}
