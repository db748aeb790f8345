/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocations of a launched command, by two engines. Programs that load sooth's library record
 * their calls themselves. Other programs, and their children, are probed in the kernel, which also
 * reports the processes of both engines. The engine is chosen when a program begins.
 *
 * A program with sooth's library may be about to make calls that bypass it: it loads another
 * allocator, or a library that is bound to the C library. It then waits until all its allocators
 * are probed, and records nothing itself from then on (heap_late.h).
 *
 * Cannot be seen, and reported as a gap: calls of a program, other than the command itself, from
 * its start until it is probed; calls that bypass the library in a program that cannot wait.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/linux/heap/heap_late.h"
#include "os/linux/heap/heap_source.h"
#include "os/linux/heap/heap_stacks.h"
#include "os/linux/heap/preload/preload_around.h"
#include "os/linux/heap/preload/preload_forked.h"
#include "os/linux/heap/preload/preload_late.h"
#include "os/linux/heap/preload/preload_library.h"
#include "os/linux/heap/preload/preload_processes.h"
#include "os/linux/heap/preload/preload_run.h"
#include "os/linux/launch.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"
#include "probes/pause.h"

#define ANCESTORS_MAX 32
#define PROBED_MAX    65536

struct mixed_state {
	struct preload_run preload;
	struct preload_programs programs;
	char library[PATH_MAX];
	struct backend_run kernel; /* run of the probes */
	struct heap_elsewhere elsewhere;
	struct process_id command;
	unsigned interest;
	pthread_mutex_t programs_lock; /* guards `programs` for two threads */
	pthread_mutex_t lock;
	struct map probed; /* uint32_t, a PID: a copy for the threads of the run */
	struct map
		taken; /* struct process_id -> uint64_t: when a program began that will connect */
	struct preload_late late;
	struct buffer calls;   /* records of one drain */
	struct buffer leaving; /* exits that wait for earlier records of their processes */
	uint64_t leaving_ns;   /* time of the oldest exit */
	bool by_probes;	       /* the command itself is probed */
	int ready;
};

/* --- which engine --- */

/* Checks a program that was expected to connect. A program that loads the library connects before
 * its first call, so a program that never connected was not seen, whatever the reason. */
static void check_taken(struct mixed_state *s, const struct process_id *process)
{
	struct heap_state *kernel = s->kernel.state;
	const uint64_t *known;
	uint64_t since_ns;

	pthread_mutex_lock(&s->lock);
	known = map_get(&s->taken, process);
	since_ns = known ? *known : 0;
	map_remove(&s->taken, process);
	pthread_mutex_unlock(&s->lock);
	if (since_ns && !preload_run_has_met(&s->preload, process->pid, since_ns))
		heap_attach_ended(&kernel->attach, process, since_ns);
}

static void note_probed_process(
	struct mixed_state *s, const struct process_id *process, uint64_t since_ns)
{
	uint64_t *noted;

	pthread_mutex_lock(&s->lock);
	noted = map_put(&s->taken, process, NULL);
	if (noted)
		*noted = since_ns;
	pthread_mutex_unlock(&s->lock);
}

static bool is_process_gone(const struct process_id *process)
{
	struct process_id now;

	return procfs_identify((pid_t)process->pid, &now) ||
	       memcmp(&now, process, sizeof(now)) != 0;
}

/* Checks programs whose process is gone: the report of a short program may come after that of its
 * end. */
static void check_gone(struct mixed_state *s)
{
	struct process_id process;
	const void *key;
	size_t at = 0;

	/* No lock: the pauser's thread, which adds to `taken`, has ended. */
	while (map_next(&s->taken, &at, &key, NULL)) {
		process = *(const struct process_id *)key;
		if (!is_process_gone(&process))
			continue;
		check_taken(s, &process);
		at = 0;
	}
}

static bool mixed_takes(
	void *user, const struct process_id *process, const struct heap_begun *begun)
{
	struct mixed_state *s = user;
	bool takes;

	check_taken(s, process);
	pthread_mutex_lock(&s->programs_lock);
	takes = preload_programs_runs(
		&s->programs, (pid_t)process->pid, s->library, s->preload.uid);
	/* A process that has ended in the meantime has no environment any more. */
	if (!takes && preload_run_has_met(&s->preload, process->pid, begun->record.time_ns))
		takes = preload_programs_fits_as(&s->programs, begun->path,
			makedev(begun->device_major, begun->device_minor), begun->inode);
	pthread_mutex_unlock(&s->programs_lock);
	if (takes)
		note_probed_process(s, process, begun->record.time_ns);
	return takes;
}

static void mixed_note_process(void *user, const struct process_id *process, bool is_over)
{
	struct mixed_state *s = user;

	pthread_mutex_lock(&s->lock);
	if (is_over)
		map_remove(&s->probed, &process->pid);
	else
		map_put(&s->probed, &process->pid, NULL);
	pthread_mutex_unlock(&s->lock);
}

/* Returns whether the process or one of its ancestors is probed: a child inherits the probes. */
static bool mixed_is_probed(void *user, pid_t pid)
{
	struct mixed_state *s = user;
	uint32_t at = (uint32_t)pid;
	bool is_probed = false;

	for (int i = 0; i < ANCESTORS_MAX && at > 1 && !is_probed; i++) {
		pthread_mutex_lock(&s->lock);
		is_probed = map_get(&s->probed, &at) != NULL;
		pthread_mutex_unlock(&s->lock);
		if (at == s->command.pid)
			break;
		at = preload_parent_pid(at);
	}
	return is_probed;
}

/* --- what goes around the library --- */

/* Probes all allocators of the process. Marks it last: from then on the calls count that the
 * library does not record. */
static bool probe_all(struct mixed_state *s, const struct preload_asked *asked)
{
	struct heap_state *kernel = s->kernel.state;
	unsigned interest = s->interest & ~(unsigned)INTEREST_FROM_EXEC;
	struct sooth_error err;

	return !heap_late_probe(&kernel->attach, &asked->process, &err) &&
	       preload_asked_waits(&s->preload, asked) &&
	       !follow_mark(&kernel->follow, &asked->process,
		       heap_source_interest(&s->kernel, interest), &err);
}

/* Records that a thread waited from begin_ns until now, while its process was probed. */
static void emit_pause(struct mixed_state *s, const struct process_id *process, uint64_t begin_ns)
{
	struct heap_state *kernel = s->kernel.state;
	struct pause_event event = { .record = { .time_ns = clock_monotonic_ns(),
					     .start_ticks = process->start_ticks,
					     .pid = process->pid,
					     .kind = HEAP_PAUSE,
					     .cpu = SOOTH_CPU_NONE },
		.asked_ns = begin_ns,
		.stopped_ns = begin_ns,
		.reserve_ns = PAUSE_NO_RESERVE,
		.threads = 1,
		.lost = kernel->follow.control->lost_records };

	heap_attach_emit(&kernel->attach, &event.record, sizeof(event));
}

/* Handles a program whose calls miss the library. Called in the thread that answers programs. */
static bool mixed_calls_around(void *user, const struct preload_asked *asked)
{
	struct mixed_state *s = user;
	struct heap_state *kernel = s->kernel.state;
	uint64_t begin_ns = clock_monotonic_ns();

	if (!probe_all(s, asked))
		return false;
	preload_late_probed(&s->late, asked->process.pid);
	heap_stacks_ahead(kernel->stacks, (pid_t)asked->process.pid);
	emit_pause(s, &asked->process, begin_ns);
	return true;
}

/* --- from open to close --- */

static void mixed_close(struct backend_run *run)
{
	struct mixed_state *s = run->state;

	preload_late_close(&s->late);
	preload_run_close(&s->preload);
	if (s->kernel.state)
		heap_source_close(&s->kernel);
	map_fini(&s->elsewhere.probed);
	free(s->kernel.state);
	buffer_fini(&s->kernel.out);
	buffer_fini(&s->calls);
	buffer_fini(&s->leaving);
	map_fini(&s->probed);
	map_fini(&s->taken);
	preload_programs_fini(&s->programs);
	pthread_mutex_destroy(&s->programs_lock);
	pthread_mutex_destroy(&s->lock);
	cleanup_close(&s->ready);
}

static int open_kernel(struct mixed_state *s, struct backend_run *run, struct sooth_error *err)
{
	int status;

	s->kernel = *run;
	s->kernel.out = (struct buffer){ 0 };
	s->kernel.state = calloc(1, sizeof(struct heap_state));
	if (!s->kernel.state)
		return error_no_memory(err);
	status = heap_source_open(&s->kernel, &prober_tracefs, err);
	if (status) {
		free(TAKE_PTR(s->kernel.state));
		return status;
	}
	s->elsewhere.takes = mixed_takes;
	s->elsewhere.inherits = mixed_is_probed;
	s->elsewhere.note = mixed_note_process;
	s->elsewhere.user = s;
	heap_source_share(&s->kernel, &s->elsewhere);
	return 0;
}

static int open_ready(struct mixed_state *s, struct sooth_error *err)
{
	int descriptors[] = { s->preload.filled, heap_source_descriptor(&s->kernel) };

	s->ready = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(descriptors) && s->ready >= 0; i++) {
		struct epoll_event event = { .events = EPOLLIN };

		if (descriptors[i] >= 0 &&
			epoll_ctl(s->ready, EPOLL_CTL_ADD, descriptors[i], &event))
			return error_errno(err, -errno, "wait for library and uprobes");
	}
	return s->ready < 0 ? error_errno(err, -errno, "wait for library and uprobes") : 0;
}

static int mixed_open(struct backend_run *run, struct sooth_error *err)
{
	struct mixed_state *s = run->state;
	int status;

	s->ready = -1;
	pthread_mutex_init(&s->programs_lock, NULL);
	pthread_mutex_init(&s->lock, NULL);
	map_init(&s->probed, sizeof(uint32_t), 0, PROBED_MAX);
	map_init(&s->taken, sizeof(struct process_id), sizeof(uint64_t), PROBED_MAX);
	preload_programs_init(&s->programs);
	s->preload.is_elsewhere = mixed_is_probed;
	s->preload.elsewhere_user = s;
	s->preload.calls_around = mixed_calls_around;
	status = preload_library_check(&run->options, s->library, err);
	if (!status)
		status = preload_run_open(&s->preload, run, err);
	s->programs.names_scripts = s->preload.stacks;
	if (!status)
		status = open_kernel(s, run, err);
	if (!status)
		status = preload_late_open(&s->late, &s->preload,
			&((struct heap_state *)s->kernel.state)->attach, err);
	if (!status)
		status = open_ready(s, err);
	if (status)
		mixed_close(run);
	else
		preload_stacks_share(
			s->preload.stacks, ((struct heap_state *)s->kernel.state)->stacks);
	return status;
}

/* Notes a command: mixed_launching() decides how it is observed. */
static int mixed_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct mixed_state *s = run->state;
	struct heap_state *kernel = s->kernel.state;

	if (!(interest & INTEREST_FROM_EXEC))
		return follow_set_interest(&kernel->follow, &s->kernel, process,
			heap_source_interest(&s->kernel, interest), err);
	s->command = s->preload.command = *process;
	s->interest = interest;
	return 0;
}

static int mixed_launching(struct backend_run *run, struct launch *launch, struct sooth_error *err)
{
	struct mixed_state *s = run->state;
	struct heap_state *kernel = s->kernel.state;
	char path[PATH_MAX];
	int status;

	s->by_probes = !launch_find(launch, path) || !preload_programs_fits(&s->programs, path);
	/* From now on the pauser's thread asks: the next reading thread is created by it and gets
	 * its priority. */
	timeout_fini(&s->programs.timeout);
	if (s->by_probes) {
		heap_source_allow_probes(kernel, &s->command);
		return heap_source_set(&s->kernel, &s->command, s->interest, err);
	}
	status = follow_set_interest(&kernel->follow, &s->kernel, &s->command,
		heap_source_interest(&s->kernel, s->interest), err);
	if (!status)
		status = preload_late_add(&s->late, (pid_t)s->command.pid, err);
	if (!status)
		status = heap_source_pause(&s->kernel, &s->command, err);
	if (status)
		return status;
	snprintf(launch->preload.library, sizeof(launch->preload.library), "%s", s->library);
	return preload_run_start(&s->preload, launch, err);
}

static int mixed_start(struct backend_run *run, struct sooth_error *err)
{
	struct mixed_state *s = run->state;

	return heap_source_start(&s->kernel, err);
}

/* --- records --- */

/* Puts the start of a process before its calls, and its end behind them. */
static void put_kernel(struct mixed_state *s, struct buffer *out)
{
	struct batch batch = { s->kernel.out.data, s->kernel.out.size };
	struct process_id process;

	batch_for_each (r, &batch) {
		if (r->kind == PROCESS_JOIN) {
			process = process_id_of(r);
			preload_forked_reported(&s->preload, &process);
		}
		if (r->kind != PROCESS_LEAVE) {
			buffer_append(out, r, record_bytes(r));
			continue;
		}
		process = process_id_of(r);
		check_taken(s, &process);
		if (!s->leaving.size)
			s->leaving_ns = r->time_ns;
		buffer_append(&s->leaving, r, record_bytes(r));
	}
	buffer_reset(&s->kernel.out);
}

/* Emits the files that processes loaded unseen, with the ends of these processes. */
static void put_late(struct mixed_state *s, const struct buffer *ends)
{
	struct batch ended = { ends->data, ends->size };

	batch_for_each (r, &ended) {
		struct process_id process = process_id_of(r);

		preload_late_emit(&s->late, &process);
	}
}

static void put_records_in_order(struct mixed_state *s, struct buffer *out)
{
	struct buffer left = s->leaving;

	/* `left` has the exits of the last drain: the rings have been read since then. */
	s->leaving = (struct buffer){ 0 };
	put_kernel(s, out);
	buffer_append(out, s->calls.data, s->calls.size);
	buffer_append(out, left.data, left.size);
	put_late(s, &left);
	heap_attach_reported(&((struct heap_state *)s->kernel.state)->attach, out);
	buffer_reset(&s->calls);
	buffer_fini(&left);
}

static void emit_missing(struct backend_run *run)
{
	struct mixed_state *s = run->state;
	struct preload_missing now = s->preload.missing, *known = &s->preload.reported;

	if (now.lost != known->lost)
		backend_loss(run, now.lost - known->lost, 0,
			"a thread's buffer was full, or none was left: records of calls were lost");
	if (now.damaged != known->damaged)
		backend_loss(run, now.damaged - known->damaged, 0,
			"what a program wrote into its buffer is no record of a call");
	*known = now;
}

static int mixed_drain(struct backend_run *run, struct sooth_error *err)
{
	struct mixed_state *s = run->state;
	int status;

	preload_late_read(&s->late);
	/* The rings are read first: a process that wrote there has begun earlier, so its start is
	 * known. */
	preload_run_drain(&s->preload, &s->calls);
	status = heap_source_drain(&s->kernel, err);
	put_records_in_order(s, &run->out);
	emit_missing(run);
	if (!status && (buffer_failed(&run->out) || buffer_failed(&s->leaving)))
		status = error_no_memory(err);
	return status;
}

static uint64_t mixed_complete(struct backend_run *run, uint64_t now_ns)
{
	const struct mixed_state *s = run->state;
	uint64_t complete_ns = now_ns - HEAP_LATENESS_NS;

	if (s->preload.drained_ns && s->preload.drained_ns < complete_ns)
		complete_ns = s->preload.drained_ns;
	if (s->leaving.size && s->leaving_ns <= complete_ns)
		complete_ns = s->leaving_ns - 1;
	return complete_ns;
}

static void emit_late(struct backend_run *run, const struct preload_late *late, bool pauses)
{
	char what[HEAP_PATH_BYTES + 64];

	snprintf(what, sizeof(what), "allocations by functions of %s%s", late->first,
		late->emitted > 1 ? " and others" : "");
	backend_limit(run, what,
		pauses ? "the running program loaded this file, which could not be probed "
			 "before its first call"
		       : "the running program loaded this file, and without a pause sooth "
			 "misses its first calls",
		pauses ? "use --engine bpf" : "leave out --no-hold");
}

static int mixed_stop(struct backend_run *run, struct sooth_error *err)
{
	struct mixed_state *s = run->state;
	int status;

	preload_run_stop(&s->preload, &s->calls);
	status = heap_source_stop(&s->kernel, err);
	preload_late_read(&s->late);
	check_gone(s);
	put_records_in_order(s, &run->out);
	put_late(s, &s->leaving);
	preload_late_emit(&s->late, NULL);
	heap_attach_reported(&((struct heap_state *)s->kernel.state)->attach, &run->out);
	preload_run_drain_rest(&s->preload, &run->out);
	buffer_append(&run->out, s->leaving.data, s->leaving.size);
	buffer_reset(&s->leaving);
	emit_missing(run);
	if (s->late.emitted)
		emit_late(run, &s->late, s->preload.pauses);
	preload_around_limits(run, &s->preload, s->preload.around & ~PRELOAD_AROUND_OWN);
	preload_run_limits(run, &s->preload);
	if (s->late.has_lost)
		backend_limit(run, "allocators that were loaded later",
			"records of mappings were lost: allocations by such a library are not "
			"known",
			"use --engine bpf");
	return status;
}

static int mixed_descriptor(struct backend_run *run)
{
	struct mixed_state *s = run->state;

	return s->ready;
}

static uint64_t mixed_cost(const struct probe_options *options)
{
	uint64_t cost = heap_engine_cost(options, SOOTH_ENGINE_MIXED);

	return cost || preload_library_fits(options) ? cost : UINT64_MAX;
}

static const struct need *const needs[] = { &need_bpf, &need_uprobe_events, &need_btf,
	&need_bpf_ring, &need_procfs, &need_time_namespace, NULL };

const struct backend backend_heap_mixed = {
	.name = "mixed",
	.probe = "heap",
	.help = "a library in the programs that load it, uprobes for the others",
	.needs = needs,
	.target_ns = 20,
	.bystander_ns = 0,
	.price_source = "bench/heap on Linux 6.18",
	.event = "allocation or release",
	.complete_ns = mixed_complete,
	.state_size = sizeof(struct mixed_state),
	.sample_cost = mixed_cost,
	.open = mixed_open,
	.set = mixed_set,
	.launching = mixed_launching,
	.start = mixed_start,
	.drain = mixed_drain,
	.stop = mixed_stop,
	.descriptor = mixed_descriptor,
	.close = mixed_close,
};
