/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of the probes threads and signals.
 *
 * Cannot be seen: the call that a thread is in, its time waiting for a CPU, addresses of signal
 * handlers.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/bsd/sampling.h"
#include "probes/signals.h"
#include "probes/threads.h"

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

static void write_thread(
	struct backend_run *run, const struct bsd_process *process, const struct bsd_thread *from)
{
	struct threads_thread r = {
		.record = bsd_record(run, &process->id, from->tid, THREADS_THREAD),
		.thread_start_ticks = process->id.start_ticks, /* of its process */
		.cpu_ns = from->cpu_ns,
		.system_ns = from->system_ns,
		.voluntary_switches = from->voluntary_switches,
		.involuntary_switches = from->involuntary_switches,
		.faults = from->faults,
		.major_faults = from->major_faults,
		.nice = from->nice,
		.policy = from->is_realtime ? THREADS_RR : THREADS_OTHER,
		.processor = from->processor,
		.state = from->state,
		.switches_state = from->switches_state,
		.times_state = from->times_state,
		.waited_state = UNSUPPORTED,
		.syscall_state = UNSUPPORTED,
		.stack_pointer_state = UNSUPPORTED,
		.io_state = UNSUPPORTED,
		.wait_channel_state =
			from->wait_channel[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
	};
	struct record_tail tail[] = {
		{ &r.name, from->name, strlen(from->name) },
		{ &r.wait_channel, from->wait_channel, strlen(from->wait_channel) },
	};

	RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
}

/* Returns the threads of a process; empty: none were listed, `*status` says why. */
static struct buffer read_threads(
	const struct backend_run *run, const struct bsd_process *process, int *status)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct buffer all = { 0 };

	*status = s->threads(s, (pid_t)process->id.pid, &all);
	if (!*status && buffer_failed(&all))
		*status = -ENOMEM;
	if (*status)
		buffer_reset(&all);
	return all;
}

static void visit_threads(struct backend_run *run, const struct bsd_process *process)
{
	int status;
	struct buffer all = read_threads(run, process, &status);
	const struct bsd_thread *t = (const void *)all.data;
	struct threads_process end = { 0 };

	for (size_t i = 0; i < all.size / sizeof(*t); i++, end.threads++)
		write_thread(run, process, &t[i]);
	end.record = bsd_record(run, &process->id, 0, THREADS_PROCESS);
	end.threads_state = bsd_state(status);
	RECORD_APPEND(&run->out, &end, NULL, 0);
	buffer_fini(&all);
}

static void visit_signals(struct backend_run *run, const struct bsd_process *process)
{
	int status;
	struct buffer all = read_threads(run, process, &status);
	const struct bsd_thread *t = (const void *)all.data;
	struct signals_process end = { .ignored = process->signals.ignored,
		.caught = process->signals.caught,
		.pending = process->signals.pending,
		.masks_state = process->signals_state,
		.pending_state =
			process->signals_state ? process->signals_state : process->pending_state,
		.handlers_state = UNSUPPORTED };

	for (size_t i = 0; i < all.size / sizeof(*t); i++) {
		struct signals_thread r = { .blocked = t[i].signals.blocked,
			.pending = t[i].signals.pending };

		if (t[i].signals_state)
			continue;
		r.record = bsd_record(run, &process->id, t[i].tid, SIGNALS_THREAD);
		RECORD_APPEND(&run->out, &r, NULL, 0);
		end.threads++;
	}
	end.record = bsd_record(run, &process->id, 0, SIGNALS_PROCESS);
	end.threads_state = status				  ? bsd_state(status)
			    : end.threads * sizeof(*t) < all.size ? UNSUPPORTED
								  : SOOTH_STATE_VALUE;
	RECORD_APPEND(&run->out, &end, NULL, 0);
	buffer_fini(&all);
}

BSD_SAMPLING_FUNCTIONS(threads, visit_threads)
BSD_SAMPLING_FUNCTIONS(signals, visit_signals)
