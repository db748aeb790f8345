/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signal-pending: a request to end has no effect. Either the process was sent one, by SIGTERM for
 * example, and has blocked that signal: it stays pending. A program that takes its signals with
 * sigwait(3) or a signalfd blocks them too, but takes what comes at once. Or the process, or what
 * it starts, sends SIGTERM or SIGKILL to another one again and again, which goes on. Other signals
 * are no requests to end where they are repeated: SIGHUP reloads a server, SIGINT interrupts a
 * statement, SIGQUIT prints the stacks of a JVM.
 */
#include <signal.h>
#include <stdio.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/diagnosis/child_calls.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/waits/wait_graph.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/finding.h"
#include "probes/fds.h"
#include "probes/signal_names.h"

static const struct finding_option options[] = {
	THRESHOLD("min-time", 2e9, 0, 86400e9, "minimum time the signal stays pending",
		.unit = SOOTH_UNIT_NS),
	THRESHOLD(
		"min-sent", 3, 2, 1e6, "minimum number of signals sent to a process that goes on"),
	THRESHOLD("min-sent-time", 3e9, 0, 86400e9,
		"minimum time from the first to the last of these signals", .unit = SOOTH_UNIT_NS),
};

/* Signals that end a program that does nothing about them, and are sent for that. */
static const unsigned asking[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

static const struct waits_signals *signals_of(const struct check *e, const struct snapshot *s)
{
	struct batch all = s ? snapshot_records(s) : (struct batch){ 0 };

	return find_process_signals(&all, e->id.pid);
}

/* "SIGTERM", "SIGTERM and SIGHUP"; empty: none. */
static void put_signals(struct buffer *out, uint64_t mask)
{
	char name[SIGNAL_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(asking); i++) {
		if (mask & 1ull << (asking[i] - 1))
			buffer_format(out, "%s%s", out->size ? " and " : "",
				signal_name(name, asking[i]));
	}
}

/* The descriptor by which the program would take its signals; false: it has none, or not known. */
static bool find_signalfd(const struct check *e, uint32_t *fd)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };

	batch_for_each (r, &all) {
		const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));

		if (d && d->type == FDS_SIGNALFD) {
			*fd = d->fd;
			return true;
		}
	}
	return false;
}

static void report(
	const struct check *e, struct check_result *out, const char *signals, uint64_t since_ns)
{
	bool has_any = e->process->agent || e->process->owner_agent;
	uint32_t fd;

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(out,
		"was sent %s and does not end: it blocks this signal, which stays pending",
		signals);
	finding_text(out, "pending for the process", "%s", signals);
	finding_number(out, "pending for at least", (double)since_ns, SOOTH_UNIT_NS, 0);
	if (find_signalfd(e, &fd))
		finding_text(out, "not read", "the signalfd on fd %u", fd);
	finding_unseen(out, "which process sent the signal, and when");
	finding_remedy(out,
		"sooth kill %s%u ends it, with SIGKILL if it must; in the program: unblock the "
		"signal "
		"with sigprocmask, or take it with sigwait or from its signalfd",
		has_any ? "" : "--any ", e->id.pid);
	finding_end(out);
}

/* --- signals that it sends --- */

struct sent {
	const struct check *check;
	bool by_child;			/* the calls at hand are those of a process it started */
	const struct process_entry *to; /* NULL: none goes on after enough of them */
	struct call_failures calls;	/* those to `to` */
	bool is_of_child;		/* a process it started sends them */
	unsigned signal;
};

/* A process of another PID namespace sends to numbers that are not those of the host. */
static bool has_own_numbers(const struct process_entry *p)
{
	return p->links && !p->links->namespace_state && p->links->inner_pid != p->id.pid;
}

static uint32_t receiver_of(const struct sent *s, const struct call_signal_key *key)
{
	const struct fds_descriptor *d;
	struct span number;
	uint64_t pid = 0;

	if (!key->is_descriptor)
		return (uint32_t)key->target;
	d = s->by_child ? NULL : check_descriptor(s->check, (uint32_t)key->target);
	if (!d || d->type != FDS_PIDFD)
		return 0;
	number = record_text(&d->record, &d->detail);
	return span_starts(number, "pid ") &&
			       span_decimal(span_of(number.data + 4, number.size - 4), &pid)
		       ? (uint32_t)pid
		       : 0;
}

static const struct process_entry *living(const struct check *e, uint32_t pid)
{
	process_table_for_each (&e->input->host.process_table, p) {
		if (pid && p->id.pid == pid && p->is_there && p->process && p != e->process)
			return p;
	}
	return NULL;
}

static void take_sent(void *user, const struct call_history *h)
{
	struct sent *s = user;

	map_for_each (
		&h->signals, const struct call_signal_key *, key, const struct call_failures *, f) {
		const struct process_entry *to = living(s->check, receiver_of(s, key));

		if (!to || (double)f->seen < check_option(s->check, "min-sent") ||
			(double)(f->last_ns - f->first_ns) <
				check_option(s->check, "min-sent-time") ||
			f->seen <= s->calls.seen)
			continue;
		*s = (struct sent){ s->check, s->by_child, to, *f, s->by_child, key->signal };
	}
}

/* The only living child of a shell that handles SIGTERM, since before the first of the signals;
 * NULL: there is none, or there are several. */
static const struct process_entry *trap_delayer(const struct sent *s)
{
	const struct process_entry *only = NULL;

	if (s->to->process->term != PROC_TERM_HANDLED || !starts_are_of_a_shell(s->to))
		return NULL;
	for (const struct process_entry *c = s->to->first_child; c; c = c->next_sibling) {
		if (only)
			return NULL;
		only = c;
	}
	return only && !only->zombie_ns && only->first_ns <= s->calls.first_ns ? only : NULL;
}

/* "; it has ended, ...", ", and it goes on: it ignores SIGTERM". False: it may be about to end. */
static bool put_reason(struct buffer *out, const struct sent *s)
{
	const struct proc_process *p = s->to->process;

	if (p->state == 'Z') {
		buffer_format(out, "; it has ended, but its parent (%u) does not reap it", p->ppid);
		return true;
	}
	buffer_string(out, ", and it goes on");
	if (p->state == 'D') {
		buffer_string(out, ": it is in a system call that signals do not interrupt");
	} else if (s->signal == SIGKILL) {
		return false;
	} else if (p->state == 'T' || p->state == 't') {
		buffer_string(out, ": it is stopped, and takes the signal when it is resumed");
	} else if (p->term == PROC_TERM_IGNORED) {
		buffer_string(out, ": it ignores SIGTERM");
	} else if (trap_delayer(s)) {
		buffer_string(out,
			": a shell runs its trap for SIGTERM only when the command in its "
			"foreground has ended, and its child ");
		check_put_name(out, trap_delayer(s));
		buffer_string(out, " runs");
	} else {
		if (p->term == PROC_TERM_HANDLED)
			buffer_string(out, ": it handles SIGTERM itself");
		return false;
	}
	return true;
}

static void report_sent(struct check_result *out, const struct sent *s)
{
	char signal[SIGNAL_NAME_SIZE], what[32];
	uint64_t span_ns = s->calls.last_ns - s->calls.first_ns;
	struct buffer name = { 0 }, reason = { 0 };
	bool is_explained = put_reason(&reason, s);

	snprintf(what, sizeof(what), "sent %u", s->to->id.pid);
	check_put_name(&name, s->to);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, what);
	if (!is_explained)
		finding_severity(out, FINDING_LOW);
	finding_claim(out, "%s %s to %s again and again, %llu times in %.1f s%s",
		s->is_of_child ? "a process that it starts sends" : "sends",
		signal_name(signal, s->signal), buffer_cstr(&name),
		(unsigned long long)s->calls.count, (double)span_ns / (double)NS_PER_S,
		buffer_cstr(&reason));
	finding_number(out, "signals sent", (double)s->calls.count, SOOTH_UNIT_NONE, span_ns);
	if (is_explained && trap_delayer(s))
		finding_remedy(out,
			"sooth kill --any %u ends that command; in the script: exec the last "
			"command, or "
			"start it with & and wait for it, so that the trap runs at once",
			trap_delayer(s)->id.pid);
	else
		finding_remedy(out,
			"sooth why %u shows what it waits for; sooth kill --any -9 %u ends it",
			s->to->id.pid, s->to->id.pid);
	finding_end(out);
	buffer_fini(&name);
	buffer_fini(&reason);
}

static bool diagnose_sent(const struct check *e, struct check_result *out)
{
	const struct call_history *own = call_histories_get(&e->input->calls, &e->id);
	struct sent s = { .check = e };

	if (!e->process->is_there || has_own_numbers(e->process))
		return false;
	if (own)
		take_sent(&s, own);
	s.by_child = true;
	child_calls_each(e, take_sent, &s);
	if (s.to)
		report_sent(out, &s);
	return s.to != NULL;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *first = check_first(e, &e->input->waits),
			      *last = check_last(e, &e->input->waits);
	const struct waits_signals *then = signals_of(e, first), *now = signals_of(e, last);
	struct buffer signals = { 0 };
	uint64_t since_ns;

	if (e->process && diagnose_sent(e, out))
		return;
	if (!now || !then || !e->process) {
		check_blind_because(out, "its pending signals were not read twice", CHECK_LONGER);
		return;
	}
	put_signals(&signals, now->pending & then->pending);
	since_ns = now->record.time_ns - then->record.time_ns;
	/* A stopped process, and one in an uninterruptible call, is reported by other findings. */
	if (!signals.size || e->process->process->state == 'T' ||
		e->process->process->state == 't' || e->process->process->state == 'D')
		check_fine(out, "no request to end is pending");
	else if ((double)since_ns < check_option(e, "min-time"))
		check_blind_because(
			out, "a request to end was pending, but not for long", CHECK_LONGER);
	else
		report(e, out, buffer_cstr(&signals), since_ns);
	buffer_fini(&signals);
}

const struct finding_type finding_signal_pending = {
	.id = "signal-pending",
	.claim = "a request to end has no effect: the signal is blocked, or sent again and again",
	.probes = "proc,waits",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
