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
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/diagnosis/child_calls.h"
#include "analyze/diagnosis/end_awaited.h"
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
	finding_claim(out, "was sent %s and does not end: it blocks this signal, which stays pending",
		signals);
	finding_text(out, "pending for the process", "%s", signals);
	finding_number(out, "pending for at least", (double)since_ns, SOOTH_UNIT_NS, 0);
	if (find_signalfd(e, &fd))
		finding_text(out, "not read", "the signalfd on fd %u", fd);
	finding_unseen(out, "which process sent the signal, and when");
	finding_remedy(out,
		"sooth kill %s%u ends it, with SIGKILL if it must; in the program: unblock the signal "
		"with sigprocmask, or take it with sigwait or from its signalfd",
		has_any ? "" : "--any ", e->id.pid);
	finding_end(out);
}

/* --- signals that it sends --- */

struct sent {
	const struct check *check;
	const struct process_entry *to; /* NULL: none goes on after enough of them */
	struct call_failures calls;	/* those to `to` */
	unsigned signal;
	bool is_of_child; /* by a process that it started */
};

/* A process of another PID namespace sends to numbers that are not those of the host. */
static bool has_own_numbers(const struct process_entry *p)
{
	return p->links && !p->links->namespace_state && p->links->inner_pid != p->id.pid;
}

/* A descriptor of a child is not known. */
static uint32_t receiver_of(const struct sent *s, const struct call_signal_key *key, bool is_own)
{
	const struct fds_descriptor *d =
		is_own ? check_descriptor(s->check, (uint32_t)key->target) : NULL;
	struct span detail = d ? record_text(&d->record, &d->detail) : span_of("", 0);
	uint64_t pid = 0;

	if (!key->is_descriptor)
		return (uint32_t)key->target;
	if (span_starts(detail, "pid "))
		span_decimal(span_of(detail.data + 4, detail.size - 4), &pid);
	return (uint32_t)pid;
}

static void take_sent(void *user, const struct call_history *h)
{
	struct sent *s = user;
	bool is_own = !memcmp(&h->id, &s->check->id, sizeof(h->id));

	map_for_each (
		&h->signals, const struct call_signal_key *, key, const struct call_failures *, f) {
		const struct process_entry *to = end_awaited_process(
			&s->check->input->host.process_table, receiver_of(s, key, is_own));

		if (!to || !to->is_there ||
			(key->signal == SIGKILL && to->process->state != 'D' &&
				to->process->state != 'Z') ||
			(double)f->seen < check_option(s->check, "min-sent") ||
			(double)(f->last_ns - f->first_ns) <
				check_option(s->check, "min-sent-time") ||
			f->seen <= s->calls.seen)
			continue;
		*s = (struct sent){ s->check, to, *f, key->signal, !is_own };
	}
}

static void remedy_trap(struct check_result *out, const struct process_entry *child)
{
	finding_remedy(out,
		"sooth kill --any %u ends that command; in the script: exec the last command, or "
		"start it with & and wait for it, so that the trap runs at once",
		child->id.pid);
}

static void report_sent(struct check_result *out, const struct sent *s)
{
	char signal[SIGNAL_NAME_SIZE];
	uint64_t span_ns = s->calls.last_ns - s->calls.first_ns;
	const struct process_entry *child = end_awaited_of_trap(s->to, s->calls.first_ns);
	struct buffer name = { 0 }, state = { 0 };

	check_put_name(&name, s->to);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	if (!end_awaited_put_state(&state, s->to, s->calls.first_ns))
		finding_severity(out, FINDING_LOW);
	finding_claim(out, "%s %s to %s again and again, %llu times in %.1f s, and that one %s",
		s->is_of_child ? "a process that it starts sends" : "sends",
		signal_name(signal, s->signal), buffer_cstr(&name),
		(unsigned long long)s->calls.count, (double)span_ns / (double)NS_PER_S,
		buffer_cstr(&state));
	finding_number(out, "signals sent", (double)s->calls.count, SOOTH_UNIT_NONE, span_ns);
	if (child)
		remedy_trap(out, child);
	else
		finding_remedy(out,
			"sooth why %u shows what it waits for; sooth kill --any -9 %u ends it",
			s->to->id.pid, s->to->id.pid);
	finding_end(out);
	buffer_fini(&name);
	buffer_fini(&state);
}

static bool diagnose_sent(const struct check *e, struct check_result *out)
{
	const struct call_history *own = call_histories_get(&e->input->calls, &e->id);
	struct sent s = { .check = e };

	if (!e->process->is_there || has_own_numbers(e->process))
		return false;
	if (own)
		take_sent(&s, own);
	child_calls_each(e, take_sent, &s);
	if (s.to)
		report_sent(out, &s);
	return s.to != NULL;
}

/* --- a trap that waits --- */

/* Signals that interrupted its wait for a child, if it did nothing about them but wait again. */
static uint64_t count_interrupts(const struct check *e, uint64_t *first_ns)
{
	const struct call_history *h = check_all_calls(e);
	const struct call_repeat_key *key;
	const struct call_repeat *r;
	uint64_t count = 0;
	size_t position = 0;

	while (h && (r = call_repeats_next(h, &position, &key))) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);

		if (!row || row->wait.what != SYSCALL_WAIT_CHILD ||
			key->result != -LINUX_ERESTARTSYS)
			continue;
		count += r->seen;
		*first_ns = r->first_ns;
	}
	/* Each one with the return of the handler; and the wait itself. */
	return count && h->seen <= 2 * count + 1 ? count : 0;
}

static bool diagnose_trap(const struct check *e, struct check_result *out)
{
	uint64_t first_ns = 0, count = count_interrupts(e, &first_ns);
	const struct process_entry *child =
		count ? end_awaited_of_trap(e->process, first_ns) : NULL;
	struct buffer name = { 0 };

	if (!child || (double)(e->input->host.last_ns - first_ns) < check_option(e, "min-time"))
		return false;
	check_put_name(&name, child);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	if ((double)count < check_option(e, "min-sent"))
		finding_severity(out, FINDING_LOW);
	finding_claim(out,
		"was sent a signal that it has a trap for, %llu time%s, and has not run it: a shell "
		"does that only when the command in its foreground has ended, and it has one "
		"child, %s",
		(unsigned long long)count, count == 1 ? "" : "s", buffer_cstr(&name));
	finding_number(out, "interrupted waits", (double)count, SOOTH_UNIT_NONE, 0);
	finding_unseen(out, "which signal, and which process sent it");
	remedy_trap(out, child);
	finding_end(out);
	buffer_fini(&name);
	return true;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *first = check_first(e, &e->input->waits),
			      *last = check_last(e, &e->input->waits);
	const struct waits_signals *then = signals_of(e, first), *now = signals_of(e, last);
	struct buffer signals = { 0 };
	uint64_t since_ns;

	if (e->process && (diagnose_sent(e, out) || diagnose_trap(e, out)))
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
		check_blind_because(out, "a request to end was pending, but not for long",
			CHECK_LONGER);
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
