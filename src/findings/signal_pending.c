/* SPDX-License-Identifier: BSD-2-Clause */
/* signal-pending: a request to end has no effect: the process has blocked the signal, which stays
 * pending; a program that takes its signals with sigwait(3) or a signalfd blocks them too, but
 * takes each signal at once. Or the process, or a command that it starts, sends SIGTERM or SIGKILL
 * to a process again and again, which goes on. Other repeated signals are no requests to end:
 * SIGHUP reloads a server, SIGINT interrupts a statement, SIGQUIT prints the stacks of a JVM. */
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/children.h"
#include "analyze/answer/end_awaited.h"
#include "base/cleanup.h"
#include "probes/signal_names.h"

#define RECEIVERS_MAX 1024

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 2e9, 0, 86400e9, "minimum time the signal stays pending"),
	THRESHOLD(
		"min-sent", 3, 2, 1e6, "minimum number of signals sent to a process that goes on"),
	TIME_THRESHOLD("min-sent-time", 3e9, 0, 86400e9,
		"minimum time from the first to the last of these signals"),
};

/* Signals that end a program that does not handle them, and that are sent for this purpose. */
static const unsigned asking[] = { SIGNAL_TERMINATE, SIGNAL_INTERRUPT, SIGNAL_HANGUP, SIGNAL_QUIT };

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

static const struct claim_row blocked = {
	"was sent {signals} and does not end: it blocks this signal, which stays pending",
	"which process sent the signal, and when",
	"sooth kill {any}{pid} ends it, with SIGKILL if it must; in the program: unblock the "
	"signal with sigprocmask, or take it with sigwait or from its signalfd"
};

static void report_signals(
	const struct check *e, struct check_result *out, const char *signals, uint64_t since_ns)
{
	bool is_shown = false;

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_value_text(out, "signals", "%s", signals);
	finding_value_text(
		out, "any", "%s", e->process->agent || e->process->owner_agent ? "" : "--any ");
	finding_text(out, "pending for the process", "%s", signals);
	finding_time(out, "pending for at least", since_ns);
	snapshot_each (struct fds_descriptor, d, check_last(e, &e->input->fds), FDS_DESCRIPTOR) {
		if (d->type == FDS_SIGNALFD && !is_shown)
			finding_text(out, "not read", "the signalfd on fd %u", d->fd);
		is_shown |= d->type == FDS_SIGNALFD;
	}
	finding_claim_row(out, &blocked);
}

/* --- signals that it sends --- */

struct sending {
	const struct check *check;
	struct map sent; /* call_signal_key with a PID -> call_failures */
};

/* Returns the receiver of the signal. A descriptor of a child is not known. */
static uint32_t receiver_of(const struct check *e, const struct call_signal_key *key, bool is_own)
{
	const struct fds_descriptor *d = is_own ? check_descriptor(e, (uint32_t)key->target) : NULL;
	struct span detail = d ? record_text(&d->record, &d->detail) : span_of("", 0);
	uint64_t pid = 0;

	if (!key->is_descriptor)
		return (uint32_t)key->target;
	if (span_starts(detail, "pid "))
		span_decimal(span_of(detail.data + 4, detail.size - 4), &pid);
	return (uint32_t)pid;
}

static void add_sent_signals(void *user, const struct call_history *h)
{
	struct sending *s = user;
	bool is_own = !memcmp(&h->id, &s->check->id, sizeof(h->id));

	map_for_each (
		&h->signals, const struct call_signal_key *, key, const struct call_failures *, f) {
		struct call_signal_key to = { .target = (int32_t)receiver_of(s->check, key, is_own),
			.signal = key->signal };
		struct call_failures *sum = map_put(&s->sent, &to, NULL);

		if (sum)
			call_failures_add(sum, f);
	}
}

#define TRAP_REMEDY                                                                                \
	"sooth kill --any {child pid} ends that command; in the script: exec the last command, "   \
	"or start it with & and wait for it, so that the trap runs at once"
#define SENDS                                                                                      \
	"sends {signal} to {receiver} again and again, {count} times in {time}, and that one "     \
	"{state}"

static const struct claim_row to_trap = { SENDS, NULL, TRAP_REMEDY };
static const struct claim_row to_other = { SENDS, NULL,
	"sooth why {receiver pid} shows what it waits for; sooth kill --any -9 {receiver pid} ends "
	"it" };
static const struct claim_row own_trap = {
	"was sent a signal that it has a trap for, {times}, and has not run it: a shell does that "
	"only when the command in its foreground has ended, and it has one child, {child}",
	"which signal, and which process sent it", TRAP_REMEDY
};

static bool report_sent(const struct check *e, struct check_result *out,
	const struct call_signal_key *key, const struct call_failures *f)
{
	const struct process_entry *child,
		*to = process_table_find(&e->input->host.process_table, (uint32_t)key->target);
	double span_ns = (double)(f->last_ns - f->first_ns);
	char name[SIGNAL_NAME_SIZE];

	if (!to || !to->is_there || f->seen < check_option(e, "min-sent") ||
		span_ns < check_option(e, "min-sent-time") ||
		(key->signal == SIGNAL_KILL && to->process->state != 'D' &&
			to->process->state != 'Z'))
		return false;
	child = end_awaited_of_trap(to, f->first_ns);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_low_if(out, !end_awaited_put_state(finding_value(out, "state"), to, f->first_ns));
	finding_value_text(out, "signal", "%s", signal_name(name, key->signal));
	check_put_name(finding_value(out, "receiver"), to);
	finding_value_text(out, "receiver pid", "%u", to->id.pid);
	finding_value_text(out, "count", "%llu", (unsigned long long)f->count);
	finding_value_text(out, "time", "%.1f s", span_ns / (double)NS_PER_S);
	finding_value_text(out, "child pid", "%u", child ? child->id.pid : 0);
	finding_count(out, "signals sent", f->count, f->last_ns - f->first_ns);
	finding_claim_row(out, child ? &to_trap : &to_other);
	return true;
}

static bool diagnose_sent(const struct check *e, struct check_result *out)
{
	const struct call_history *own = call_histories_get(&e->input->calls, &e->id);
	struct sending s = { .check = e };
	bool is_found = false;

	if (!e->process->is_there)
		return false;
	map_init(&s.sent, sizeof(struct call_signal_key), sizeof(struct call_failures),
		RECEIVERS_MAX);
	if (own)
		add_sent_signals(&s, own);
	child_calls_each(e, add_sent_signals, &s);
	map_for_each (&s.sent, const struct call_signal_key *, key, const void *, f)
		is_found = is_found || report_sent(e, out, key, f);
	map_fini(&s.sent);
	return is_found;
}

/* --- a trap that waits --- */

/* Returns how many signals interrupted its wait for a child, if the process then only waited
 * again. */
static uint64_t count_interrupts(const struct check *e, uint64_t *first_ns)
{
	const struct call_history *h = check_all_calls(e);
	uint64_t count = 0;

	if (!h)
		return 0;
	call_repeats_each (h, key, r) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);

		if (!row || row->wait.what != SYSCALL_WAIT_CHILD ||
			key->result != -LINUX_ERESTARTSYS)
			continue;
		count += r->seen;
		*first_ns = r->first_ns;
	}
	/* Each signal adds the return of its handler, and the wait itself is one more call. */
	return count && h->seen <= 2 * count + 1 ? count : 0;
}

static bool diagnose_trap(const struct check *e, struct check_result *out)
{
	uint64_t first_ns = 0, count = count_interrupts(e, &first_ns);
	const struct process_entry *child =
		count ? end_awaited_of_trap(e->process, first_ns) : NULL;

	if (!child || (double)(e->input->host.last_ns - first_ns) < check_option(e, "min-time"))
		return false;
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_low_if(out, count < check_option(e, "min-sent"));
	finding_value_text(
		out, "times", "%llu time%s", (unsigned long long)count, count == 1 ? "" : "s");
	check_put_name(finding_value(out, "child"), child);
	finding_value_text(out, "child pid", "%u", child->id.pid);
	finding_count(out, "interrupted waits", count, 0);
	finding_claim_row(out, &own_trap);
	return true;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *first = check_first(e, &e->input->waits),
			      *last = check_last(e, &e->input->waits);
	const struct waits_signals *then = check_signals(e, first), *now = check_signals(e, last);
	_cleanup_(buffer_fini) struct buffer signals = { 0 };
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
	else if (since_ns < check_option(e, "min-time"))
		check_blind_because(
			out, "a request to end was pending, but not for long", CHECK_LONGER);
	else
		report_signals(e, out, buffer_cstr(&signals), since_ns);
}

const struct finding_detector finding_signal_pending = { diagnose, FINDING_OPTIONS(options) };
