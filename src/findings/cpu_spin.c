/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu-spin: threads burn CPU without visible progress: they do not wait, move no data, and
 * touch no new memory. Computing on data that is already in memory looks the same, so severity
 * depends on the process and on how long it has done so: an agent or a server should be
 * waiting, a command may just be at work.
 *
 * On a busy host a thread gets less CPU than it could use, so running and runnable time both
 * count.
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check.h"
#include "analyze/diagnosis/held.h"
#include "analyze/diagnosis/progress.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/threads/thread_roles.h"
#include "base/buffer.h"
#include "base/units.h"
#include "explain/finding.h"
#include "model/errno_names.h"
#include "probes/fds.h"
#include "probes/sockets.h"

#define THREADS_SHOWN  5
#define THREADS_MAX    4096
#define QUOTA_PER_S    1  /* times that a quota is used up, from which it explains a low CPU use */
#define SEEN_LEAST     32 /* records */
#define SHARE_LEAST    0.25 /* of the calls of the thread: a loop has up to four calls */
#define SHARE_SAME     0.5
#define POLL_HANGUP    0x10
#define POLL_PEER_SHUT 0x2000

/* --- the call that a thread makes over and over without getting anywhere --- */

enum repeated_kind {
	REPEATED_NOTHING,     /* no call is repeated, or calls were not recorded */
	REPEATED_SAME,	      /* the same call, with the same kind of result */
	REPEATED_FAILURE,     /* it fails each time */
	REPEATED_NO_EVENT,    /* a poll that ends without an event */
	REPEATED_READY,	      /* a poll whose event is never taken */
	REPEATED_NO_DATA,     /* EAGAIN */
	REPEATED_END_OF_DATA, /* end of file, or of a connection */
};

struct repeated_call {
	enum repeated_kind kind;
	const struct call_repeat_key *key;
	const struct call_repeat *repeat;
	double per_s;
	const char *least;   /* before per_s, in a sentence */
	double share;	     /* of the calls of the thread, in percent */
	bool is_peer_closed; /* of the connection that it is about */
	bool is_sampled;
};

/* --- choosing --- */

static bool reads(const struct syscall_row *row)
{
	return row->transfer.direction == SYSCALL_READS;
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
	if (!key->result && reads(row) && key->fd >= 0)
		return REPEATED_END_OF_DATA;
	/* Of a path it may be another one each time. */
	return r->has_path || r->bytes || row->transfer.direction ? REPEATED_NOTHING
								  : REPEATED_SAME;
}

struct totals {
	uint64_t all, moved;
};

static struct totals totals_of(const struct call_history *h, uint32_t tid)
{
	struct totals t = { 0 };
	size_t position = 0;
	const struct call_repeat_key *key;
	const struct call_repeat *r;

	while ((r = call_repeats_next(h, &position, &key))) {
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

static void choose(struct repeated_call *out, const struct call_history *h, uint32_t tid)
{
	struct totals totals = totals_of(h, tid);
	size_t position = 0;
	const struct call_repeat_key *key;
	const struct call_repeat *r;

	while ((r = call_repeats_next(h, &position, &key))) {
		enum repeated_kind kind = kind_of(key, r);
		double share = (double)r->count / (double)totals.all;

		if ((tid && key->tid != tid) || r->seen < SEEN_LEAST ||
			share < (kind == REPEATED_SAME ? SHARE_SAME : SHARE_LEAST))
			continue;
		/* What is ready is read, at least now and then. */
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

static bool is_closed(const struct check *e, int32_t fd)
{
	const struct snapshot *fds = check_last(e, &e->input->fds);
	const struct snapshot *sockets = check_last(e, &e->input->sockets);
	struct batch all = fds ? snapshot_records(fds) : (struct batch){ 0 };
	uint64_t inode = 0;

	batch_for_each (r, &all) {
		const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));

		if (d && (int64_t)d->fd == fd)
			inode = d->inode;
	}
	all = sockets && inode ? snapshot_records(sockets) : (struct batch){ 0 };
	batch_for_each (r, &all) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, sizeof(*s));

		if (s && s->inode == inode && !s->state_state && s->state == SOCKETS_CLOSE_WAIT)
			return true;
	}
	return false;
}

/* tid 0: of all threads together the most repeated one. */
static void repeated_call_of(struct repeated_call *out, const struct check *e, uint32_t tid)
{
	struct check_calls c;

	*out = (struct repeated_call){ 0 };
	if (!check_calls_read(&c, e))
		return;
	choose(out, c.history, tid);
	if (!out->kind)
		return;
	out->per_s = check_calls_rate(&c, (double)out->repeat->count) *
		     call_history_correction(c.history, out->key->abi, out->key->number);
	out->is_sampled = c.is_sampled;
	out->least = check_calls_least(e);
	out->is_peer_closed = out->repeat->events & (POLL_HANGUP | POLL_PEER_SHUT) ||
			      (out->key->fd >= 0 && is_closed(e, out->key->fd));
}

/* No program gets anything done by it. */
static bool repeated_call_is_pointless(const struct repeated_call *c)
{
	return c->kind >= REPEATED_FAILURE;
}

/* --- text --- */

/* Two digits that matter: "410,000". */
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

static void put_result(struct buffer *out, const struct repeated_call *c)
{
	const char *error = c->key->result < 0 ? errno_name((unsigned)-c->key->result) : NULL;

	switch (c->kind) {
	case REPEATED_END_OF_DATA:
		buffer_string(out,
			c->repeat->is_socket ? " returns end of stream" : " returns end of file");
		break;
	case REPEATED_NO_DATA:
		buffer_string(out, " returns EAGAIN, nothing there yet,");
		break;
	case REPEATED_READY:
	case REPEATED_NO_EVENT:
		buffer_string(out, " returns at once");
		break;
	case REPEATED_FAILURE:
		buffer_format(out, " fails with %s", error ? error : "an error");
		break;
	default:
		break;
	}
}

/* "read returns end of file on fd 3 (/var/log/a), 410,000 times a second"; not escaped. */
static void repeated_call_put(struct buffer *out, const struct repeated_call *c)
{
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
		buffer_string(out, c->key->fd >= 0 ? " is always ready and not read"
						   : ": a descriptor is always ready");
	} else if (c->kind == REPEATED_NO_EVENT) {
		buffer_string(out, ": no event, and no timeout to wait for one");
	}
	if (c->is_peer_closed)
		buffer_string(out, "; its peer has closed the connection");
}

/* What to change in the program; of a pointless one. */
static const char *repeated_call_remedy(const struct repeated_call *c)
{
	switch (c->kind) {
	case REPEATED_END_OF_DATA:
		return c->repeat->is_socket ? "close the connection when a read returns 0 bytes"
					    : "wait before reading again at the end of a file: "
					      "inotify, or a pause";
	case REPEATED_NO_DATA:
		return "wait for data (poll, epoll) instead of asking again";
	case REPEATED_READY:
		return c->is_peer_closed
			       ? "close the descriptor when its peer has closed the connection"
			       : "read what is ready, or remove the descriptor from the polled "
				 "ones";
	case REPEATED_NO_EVENT:
		return "poll without a time limit, or with one above 0";
	default:
		return "pause after a failure before trying again";
	}
}

/* --- the finding --- */

static const struct finding_option options[] = {
	THRESHOLD("percent", 85, 1, 100,
		"minimum percentage of the time in which a thread runs or is ready to run",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("min-cpu", 2, 0.1, 100, "minimum CPU use of a thread, in percent of one CPU",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("sure", 50, 0.1, 100,
		"severity is low if the threads use less CPU than this (percent of one CPU), "
		"counting the time in which they are ready to run",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("max-waits", 20, 0, 1e6, "maximum number of waits per second of a thread"),
	THRESHOLD("min-stretch", 50e3, 0, 1e9,
		"minimum CPU time of a thread between two context switches (less: lock-storm)",
		.unit = SOOTH_UNIT_NS),
	THRESHOLD("max-faults", 5, 0, 1e9,
		"maximum new memory pages per second of a thread (more: it does real work)"),
	THRESHOLD("max-moved", 10240, 0, 1e12,
		"maximum bytes per second that the process reads and writes",
		.unit = SOOTH_UNIT_BYTES),
	THRESHOLD("in-kernel", 20, 1, 100,
		"system calls count as the cause from this share of CPU time in the kernel "
		"(percent)",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("max-per-call", 100e3, 1e2, 1e9,
		"maximum CPU time per call of a repeated system call that is the cause",
		.unit = SOOTH_UNIT_NS),
	THRESHOLD("some", 120e9, 0, 1e15,
		"severity is low if the thread has used less CPU time than this",
		.unit = SOOTH_UNIT_NS),
	THRESHOLD("long", 900e9, 1e9, 1e15,
		"severity is high if a thread has used this much CPU time or more",
		.unit = SOOTH_UNIT_NS),
	THRESHOLD("min-readings", 3, 2, 500, "minimum number of samples of the thread"),
};

struct spin {
	const struct thread_history **threads; /* the busiest first */
	size_t count;
	double cpu;	/* percent of one CPU, all threads together */
	double demand;	/* the same of what they could use: they ran or were ready to run */
	bool is_held;	/* a CPU quota was used up meanwhile */
	double highest; /* of one thread; negative: none was measured */
	bool works;	/* a busy thread shows progress */
	struct repeated_call call; /* of the busiest thread */
	bool is_by_call;	   /* that call is the cause */
	struct buffer hottest;	   /* function of the process, in words; empty: not sampled */
};

/* --- spinning threads --- */

static bool burns(const struct check *e, const struct thread_history *t)
{
	double waits = thread_history_voluntary(t), bucket = thread_history_bucket(t);
	bool yields = bucket >= 0 && bucket < check_option(e, "min-stretch");

	return !yields && t->met >= check_option(e, "min-readings") &&
	       thread_history_selected(t) >= check_option(e, "percent") &&
	       thread_history_cpu(t) >= check_option(e, "min-cpu") && waits >= 0 &&
	       waits <= check_option(e, "max-waits") && t->running * 3 >= t->met * 2;
}

static int by_cpu(const void *a, const void *b)
{
	double x = thread_history_cpu(*(const struct thread_history *const *)a);
	double y = thread_history_cpu(*(const struct thread_history *const *)b);

	return (y > x) - (y < x);
}

static void find(const struct check *e, struct spin *s)
{
	const struct thread_history *t;
	size_t position = 0;

	s->threads = calloc(THREADS_MAX, sizeof(*s->threads));
	s->highest = -1;
	while (s->threads && s->count < THREADS_MAX &&
		(t = thread_histories_next(&e->input->threads, &e->id, &position))) {
		double cpu = thread_history_cpu(t);

		if (cpu > s->highest)
			s->highest = cpu;
		if (cpu < 0 || !burns(e, t))
			continue;
		if (thread_history_faults(t) > check_option(e, "max-faults")) {
			s->works = true;
			continue;
		}
		s->threads[s->count++] = t;
		s->cpu += cpu;
		s->demand += thread_history_selected(t);
	}
	if (s->count)
		qsort(s->threads, s->count, sizeof(*s->threads), by_cpu);
}

/* --- what it does --- */

static void find_call(const struct check *e, struct spin *s)
{
	const struct thread_history *t = s->threads[0];
	double cpu_ns = thread_history_cpu(t) / 100 * (double)NS_PER_S;

	repeated_call_of(&s->call, e, t->tid);
	if (s->call.kind && cpu_ns > check_option(e, "max-per-call") * s->call.per_s)
		s->call.kind = REPEATED_NOTHING;
	s->is_by_call = repeated_call_is_pointless(&s->call);
}

/* --- how bad --- */

static bool should_wait(const struct process_entry *p)
{
	return p && (p->agent || (p->has_role && (p->role == AGENT_ROLE_MCP ||
							 p->role == AGENT_ROLE_LANGUAGE_SERVER)));
}

static uint64_t burnt_ns(const struct spin *s)
{
	uint64_t most = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->threads[i]->last.cpu_ns > most)
			most = s->threads[i]->last.cpu_ns;
	}
	return most;
}

static bool is_half_of_host(const struct check *e, const struct spin *s)
{
	uint32_t cpus = e->input->load.cpus;

	return cpus > 1 && s->cpu >= 100.0 * cpus / 2;
}

static enum finding_severity severity(
	const struct check *e, const struct spin *s, const struct progress *p, bool in_kernel)
{
	if (s->is_held || s->demand < check_option(e, "sure"))
		return FINDING_LOW;
	if (should_wait(e->process) || (double)burnt_ns(s) >= check_option(e, "long"))
		return FINDING_HIGH;
	if (s->is_by_call)
		return FINDING_MEDIUM;
	/* A search for files makes many short calls too, and looks like a loop. */
	if (in_kernel || !p->is_measured || (double)burnt_ns(s) < check_option(e, "some"))
		return FINDING_LOW;
	return is_half_of_host(e, s) ? FINDING_HIGH : FINDING_MEDIUM;
}

/* --- the finding --- */

static void emit_threads(const struct check *e, struct check_result *out, const struct spin *s)
{
	for (size_t i = 0; i < s->count && i < THREADS_SHOWN; i++) {
		const struct thread_history *t = s->threads[i];
		enum thread_role role = thread_role_of(
			span_of(t->name, strlen(t->name)), span_of("", 0), t->tid == e->id.pid);

		finding_text(out, "thread", "%s (%u)%s%s: %.0f %%", t->name, t->tid,
			role ? ", " : "", role ? thread_role_names.names[role] : "",
			thread_history_cpu(t));
	}
	if (s->count > THREADS_SHOWN)
		finding_text(out, "more threads", "%zu", s->count - THREADS_SHOWN);
}

static void put_burner(struct buffer *out, const struct spin *s)
{
	if (s->count > 1)
		buffer_format(out, "burns %.1f CPUs without visible progress: %zu threads",
			s->cpu / 100, s->count);
	else
		buffer_format(out,
			"burns %.0f %% of a CPU without visible progress: thread %s (%u)", s->cpu,
			s->threads[0]->name, s->threads[0]->tid);
}

static void emit_claim(struct check_result *out, const struct spin *s, bool in_kernel)
{
	struct buffer text = { 0 };

	if (s->is_by_call) {
		repeated_call_put(&text, &s->call);
		buffer_string(&text, "; ");
	}
	put_burner(&text, s);
	if (!s->is_by_call && s->call.kind) {
		buffer_string(&text, "; ");
		repeated_call_put(&text, &s->call);
	} else if (!s->is_by_call && in_kernel) {
		buffer_string(&text, "; much of the time in system calls that return immediately");
	}
	finding_claim(out, "%s", buffer_cstr(&text));
	buffer_fini(&text);
}

static void emit_values(const struct check *e, struct check_result *out, const struct spin *s,
	const struct progress *p)
{
	const struct thread_history *t = s->threads[0];
	uint64_t interval_ns = thread_history_ns(t);
	double system = thread_history_system(t);

	finding_number(out, "CPU", s->cpu, SOOTH_UNIT_PERCENT, interval_ns);
	if (s->hottest.size)
		finding_text(out, "hottest function", "%.*s", (int)s->hottest.size,
			(const char *)s->hottest.data);
	finding_number(out, "share of the time in which the thread ran or was ready to run",
		thread_history_selected(t), SOOTH_UNIT_PERCENT, interval_ns);
	finding_rate(out, "waits", thread_history_voluntary(t), SOOTH_UNIT_NONE, interval_ns);
	if (system >= 0)
		finding_number(out, "kernel share", system, SOOTH_UNIT_PERCENT, interval_ns);
	if (thread_history_faults(t) >= 0)
		finding_rate(
			out, "new pages", thread_history_faults(t), SOOTH_UNIT_NONE, interval_ns);
	if (s->call.kind)
		finding_number(out, "share of the thread's calls that are this one", s->call.share,
			SOOTH_UNIT_PERCENT, interval_ns);
	if (s->call.kind && e->input->calls.has_time_gaps)
		check_calls_windows(out);
	progress_emit(p, out);
	emit_threads(e, out, s);
	finding_number(out, "thread CPU time", (double)burnt_ns(s), SOOTH_UNIT_NS, 0);
	if (e->input->load.cpus)
		finding_number(out, "CPU use of the threads, as a share of all CPUs of the host",
			s->cpu / e->input->load.cpus, SOOTH_UNIT_PERCENT, interval_ns);
}

static void emit_remedy(
	const struct check *e, struct check_result *out, const struct spin *s, bool in_kernel)
{
	unsigned long long pid = e->id.pid;

	if (s->is_by_call)
		finding_remedy(out, "%s; sooth trace -p %llu shows the calls",
			repeated_call_remedy(&s->call), pid);
	else if (in_kernel || s->is_held)
		finding_remedy(out,
			"sooth trace -c -p %llu shows its system calls, sooth profile -p %llu its "
			"functions",
			pid, pid);
	else
		finding_remedy(out,
			"if the process should be idle, restart it; sooth trace -c -p %llu shows "
			"its system calls, sooth profile -p %llu its functions",
			pid, pid);
}

static void report(
	const struct check *e, struct check_result *out, struct spin *s, const struct progress *p)
{
	double system = thread_history_system(s->threads[0]);
	bool in_kernel = system >= check_option(e, "in-kernel");

	find_call(e, s);
	profile_hottest(&e->input->profile, &e->id, &s->hottest);
	finding_begin(out, s->is_by_call ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	finding_severity(out, severity(e, s, p, in_kernel));
	if (s->count == 1)
		finding_thread(out, s->threads[0]->tid);
	emit_claim(out, s, in_kernel);
	emit_values(e, out, s, p);
	if (s->is_held)
		finding_unseen(out,
			"how much CPU the process would use without the CPU quota of its "
			"control group: see held-back");
	else if (s->cpu < check_option(e, "sure"))
		finding_unseen(out,
			"how much CPU the process would use on an idle host: this host is busy");
	if (!s->is_by_call)
		finding_unseen(out, "%s",
			s->hottest.size ? "whether the result of that function is useful"
					: "which function uses the CPU, and whether its "
					  "result is useful");
	emit_remedy(e, out, s, in_kernel);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct spin s = { 0 };
	struct progress p;

	find(e, &s);
	s.is_held = held_limit_of(e, "cpu").per_s >= QUOTA_PER_S;
	progress_of(&p, e);
	if (s.highest < 0)
		check_blind(out, thread_histories_uncounted(&e->input->threads, &e->id));
	else if (s.count && p.bytes_per_s <= check_option(e, "max-moved"))
		report(e, out, &s, &p);
	else
		check_fine(out, "busiest thread: %.0f %% of a CPU%s", s.highest,
			s.count || s.works ? ", with visible progress" : "");
	free(s.threads);
	buffer_fini(&s.hottest);
}

const struct finding_type finding_cpu_spin = {
	.id = "cpu-spin",
	.worst = FINDING_HIGH,
	.claim = "threads burn CPU without waiting and without visible progress",
	.probes = "proc,threads",
	.follows = "gc-pressure,lock-storm,busy-poll,syscall-errors,connect-failing",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
