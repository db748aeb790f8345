/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signal-pending: the process was asked to end, by SIGTERM for example, and has blocked that signal:
 * it stays pending. A program that takes its signals with sigwait(3) or a signalfd blocks them too,
 * but takes what comes at once.
 */
#include <signal.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/waits/wait_graph.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "explain/finding.h"
#include "probes/fds.h"
#include "probes/signal_names.h"

static const struct finding_option options[] = {
	THRESHOLD("min-time", 2e9, 0, 86400e9, "minimum time the signal stays pending",
		.unit = SOOTH_UNIT_NS),
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

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *first = check_first(e, &e->input->waits),
			      *last = check_last(e, &e->input->waits);
	const struct waits_signals *then = signals_of(e, first), *now = signals_of(e, last);
	struct buffer signals = { 0 };
	uint64_t since_ns;

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
	.claim = "asked to end by a signal that the process blocks",
	.probes = "proc,waits",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
