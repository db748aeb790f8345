/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waits by procfs: the current call of each thread (/proc/PID/task/TID/syscall), its wait channel,
 * and the scheduler's time of its last run; then, depending on the call, /proc/locks, descriptors
 * of other processes, sock_diag, memory. The chain is followed breadth first. No thread is attached
 * to, stopped or slowed.
 *
 * Cannot be seen: the calls of processes that ptrace(2) would refuse (their wait channel shows only
 * the kind); waits inside a process that no call shows.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "collect/agents_found.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/task_files.h"
#include "os/linux/host/freezer.h"
#include "os/linux/proc/proc_stat.h"
#include "os/linux/rights/needs.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/linux/waits/wait_reader.h"
#include "os/os.h"
#include "probes/sockets.h"

#define THREADS_MAX    1024 /* number of threads of a process */
#define THREADS_LISTED 8192
#define ACTIVE_MAX     64 /* more threads that do not just sleep */

/* Time for a sample; processes for which it does not suffice are left out. */
#define SAMPLE_NS (700 * NS_PER_MS)
#define SURE_MAX  16 /* processes that are read however long it takes */

#define LISTENING_MAX                                                                              \
	SURE_MAX /* processes for which the listening sockets of the host are recorded */

/* --- a process --- */

/* Returns whether calls may be read: links of a process need the same permission. */
static bool may_read(const struct wait_node *n)
{
	char to[8];

	return readlinkat(n->process, "cwd", to, sizeof(to)) >= 0 ||
	       (errno != EACCES && errno != EPERM);
}

static uint32_t abi_of(struct wait_reader *r, const struct wait_node *n)
{
	bool is_32_bit = false;

	if (!procfs_read_at(n->process, "auxv", &r->bytes, PROCFS_SMALL))
		task_auxv_parse(&is_32_bit, r->bytes.data, r->bytes.size);
	return is_32_bit ? ABI_32 : ABI_64;
}

/* Reads the active threads beyond the first ones: the thread that matters may be the last one. */
static void read_active(struct wait_reader *r, struct wait_node *n,
	const struct process_snapshot *of, const uint32_t *tids, size_t count)
{
	struct waits_thread t;
	struct procfs_stat stat;
	char what[96];

	for (size_t i = 0, active = 0; i < count && active < ACTIVE_MAX; i++) {
		if (process_snapshot_file(of, tids[i], "stat", &r->bytes) ||
			!procfs_parse_stat(&stat, r->bytes.data, r->bytes.size) ||
			(stat.state != 'R' && stat.state != 'D'))
			continue;
		wait_read_thread(r, n, tids[i], &t);
		active++;
	}
	snprintf(what, sizeof(what), "what all %u threads of process %u wait for", n->stat.threads,
		n->stat.pid);
	backend_limit(r->run, what,
		"sooth reads the first 1024 threads, and further threads only if they run or are "
		"blocked",
		"");
}

static void read_threads(
	struct wait_reader *r, struct wait_node *n, const struct process_snapshot *of)
{
	uint64_t cpu_ns = 0;
	uint8_t cpu_state = SOOTH_STATE_VALUE;
	struct buffer tids = { 0 };
	const uint32_t *all;
	size_t count, first;

	process_snapshot_threads(of, &tids, THREADS_LISTED);
	n->tids = &tids;
	all = (const void *)tids.data;
	count = tids.size / sizeof(*all);
	first = count < THREADS_MAX ? count : THREADS_MAX;
	for (size_t i = 0; i < first; i++) {
		struct waits_thread t;

		/* If the first thread has ended, the program waits where the other threads do. */
		if (n->stat.living && all[i] == n->stat.pid)
			continue;
		wait_read_thread(r, n, all[i], &t);
		cpu_ns += t.cpu_ns;
		if (t.record.tid && t.cpu_state)
			cpu_state = t.cpu_state;
	}
	if (count > first) {
		r->is_cut = true;
		read_active(r, n, of, all + first, count - first);
		proc_stat_cpu_clock((pid_t)n->stat.pid, &cpu_ns); /* of all threads */
	}
	buffer_fini(&tids);
	wait_read_process(r, n, cpu_ns, cpu_state);
	RUNTIME_CALL(&r->runtimes, waits, r, n);
}

static void read_node(
	struct wait_reader *r, const struct wait_step *step, const struct process_id *expected)
{
	struct wait_node n = { .process = -1, .depth = step->depth };
	_cleanup_process_snapshot_ struct process_snapshot of = { .process = -1 };
	struct buffer bytes = { 0 };
	size_t size;

	if (process_snapshot_open_stat(&of, r->run, step->pid, expected, &n.stat, &bytes)) {
		buffer_fini(&bytes);
		return;
	}
	n.process = of.process;
	size = n.stat.name.size < sizeof(n.name) ? n.stat.name.size : sizeof(n.name) - 1;
	memcpy(n.name, n.stat.name.data, size);
	n.stat.name = span_of("", 0);
	n.may_read = may_read(&n);
	n.abi = abi_of(r, &n);
	if (!procfs_read_at(n.process, "status", &n.status, PROCFS_SMALL))
		n.numberings = task_status_inner_pid(&n.inner_pid, n.status.data, n.status.size);
	mounts_init(&n.mounts);
	read_threads(r, &n, &of);
	if (!n.depth)
		wait_add_wanted_locks(r, &n);
	mounts_fini(&n.mounts);
	free(n.owners);
	buffer_fini(&n.status);
	buffer_fini(&n.own_tids);
	buffer_fini(&n.own_files);
	buffer_fini(&bytes);
}

static void read_chain(struct wait_reader *r, pid_t pid)
{
	struct process_id first = { .start_ticks = r->head.start_ticks, .pid = (uint32_t)pid };
	bool has_below = false;
	size_t i = 0;

	buffer_reset(&r->steps);
	r->is_cut = false;
	r->ends_state = r->sockets_state = SOOTH_STATE_VALUE;
	wait_add_process(r, (uint32_t)pid, 0);
	for (; i < r->steps.size / sizeof(struct wait_step); i++) {
		struct wait_step step = ((const struct wait_step *)(const void *)r->steps.data)[i];

		read_node(r, &step, i ? NULL : &first);
		/* They come behind the processes for which it waits. For silent agents only one
		 * wait is shown. */
		if (i + 1 == r->steps.size / sizeof(step) && !has_below &&
			r->members.processes.count) {
			wait_add_blocked_below(r, (uint32_t)pid);
			has_below = true;
		}
	}
}

/* Emits only the end of the snapshot of a process that is not read, as the reader of the record
 * expects. */
static bool emit_unread_process(struct wait_reader *r, pid_t pid, const struct process_id *expected)
{
	const struct backend_run *run = r->run;
	struct waits_snapshot end = {
		.processes_state = SOOTH_STATE_TRUNCATED,
		.ends_state = SOOTH_STATE_TRUNCATED,
		.sockets_state = SOOTH_STATE_TRUNCATED,
	};

	if (r->processes++ < SURE_MAX || run->os->now_ns(run->os) < r->deadline_ns)
		return false;
	r->head.start_ticks = expected->start_ticks;
	r->head.pid = (uint32_t)pid;
	end.record = wait_record(r, 0, WAITS_SNAPSHOT);
	RECORD_APPEND(&r->run->out, &end, NULL, 0);
	return true;
}

/* Returns whether to write listeners: at the end of an interval and for few processes, because all
 * descriptors of the host are read. */
static bool wants_listeners(const struct wait_reader *r)
{
	return r->has_begun && r->run->options.interest & INTEREST_EDGES &&
	       r->processes <= LISTENING_MAX;
}

static bool wants_peers(const struct wait_reader *r)
{
	return wants_listeners(r) || r->run->options.interest & INTEREST_DETAIL;
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct wait_reader *r = run->state;
	struct process_snapshot of;
	struct waits_snapshot end = { 0 };
	int status;

	r->run = run;
	if (expected && emit_unread_process(r, pid, expected))
		return;
	status = process_snapshot_open(&of, run, pid, expected);
	if (status <= 0) {
		r->head = process_snapshot_head(&of, run, 0, WAITS_PROCESS);
		if (!status)
			read_chain(r, pid);
		if (!status && wants_listeners(r))
			wait_add_listeners(r, of.process);
		if (!status && wants_listeners(r))
			wait_add_held_locks(r);
		if (!status && wants_peers(r))
			wait_add_peers(r, of.process, (uint32_t)pid);
		end.record = wait_record(r, 0, WAITS_SNAPSHOT);
		end.processes = (uint32_t)(r->steps.size / sizeof(struct wait_step));
		end.processes_state = status	  ? procfs_state(status)
				      : r->is_cut ? SOOTH_STATE_TRUNCATED
						  : SOOTH_STATE_VALUE;
		end.ends_state = r->ends_state;
		end.sockets_state = r->sockets_state;
		RECORD_APPEND(&run->out, &end, NULL, 0);
	}
	process_snapshot_close(&of);
}

/* Samples agents whose activity nothing else shows, on a host without selected processes. */
static void sample_silent(struct backend_run *run)
{
	const struct buffer *silent = run->agents_found ? &run->agents_found->silent : NULL;
	const struct process_id *all = silent ? (const void *)silent->data : NULL;

	for (size_t i = 0; silent && i < silent->size / sizeof(*all); i++)
		sample_process(run, (pid_t)all[i].pid, &all[i]);
}

static int waits_sample(struct backend_run *run, struct sooth_error *err)
{
	struct wait_reader *r = run->state;
	int status;

	wait_table_clear(&r->table);
	wait_ends_clear(&r->ends);
	wait_sockets_clear(&r->sockets);
	wait_listeners_clear(r);
	cpu_clock_clear(&r->clock);
	lock_table_clear(&r->locks);
	r->processes = 0;
	r->deadline_ns = run->os->now_ns(run->os) + SAMPLE_NS;
	r->maps_bytes = 0;
	r->sharers = (struct wait_sharers){ 0 };
	status = members_visit(&r->members, run, sample_process, err);
	if (run->options.is_host && run->options.interest & INTEREST_BRIEF &&
		!r->members.processes.count)
		sample_silent(run);
	r->has_begun = true;
	return status;
}

static int waits_open(struct backend_run *run, struct sooth_error *err)
{
	struct wait_reader *r = run->state;

	(void)err;
	r->waiting_fd = WAITS_NO_FD;
	r->memory.may_kill = true;
	cpu_clock_init(&r->clock);
	members_init(&r->members);
	runtime_set_init(&r->runtimes, NULL);
	r->ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
	return 0;
}

static void waits_close(struct backend_run *run)
{
	struct wait_reader *r = run->state;

	members_fini(&r->members);
	runtime_set_fini(&r->runtimes);
	timeout_fini(&r->timeout);
	timeout_fini(&r->memory);
	buffer_fini(&r->unread);
	freezer_forget(&r->groups);
	wait_table_fini(&r->table);
	wait_ends_fini(&r->ends);
	wait_sockets_fini(&r->sockets);
	wait_listeners_clear(r);
	cpu_clock_fini(&r->clock);
	lock_table_clear(&r->locks);
	buffer_fini(&r->steps);
	buffer_fini(&r->bytes);
	buffer_fini(&r->text);
	buffer_fini(&r->more);
	buffer_fini(&r->tids);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_waits_procfs = {
	.name = "procfs",
	.probe = "waits",
	.help = "reads /proc and sock_diag; nothing is attached to the process",
	.needs = needs,
	.state_size = sizeof(struct wait_reader),
	.open = waits_open,
	.set = members_backend_set,
	.start = waits_sample,
	.sample = waits_sample,
	.stop = waits_sample,
	.close = waits_close,
};
