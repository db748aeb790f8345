/* SPDX-License-Identifier: BSD-2-Clause */
/* Following by BPF. */
#include "os/linux/bpf/follow.h"

#include <assert.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/backend.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/files/as_caller.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"
#include "symbols/instruction.h"

#define RING_BYTES_MIN	 (16u << 10)
#define MARK_PASSES_MAX	 16
#define UNMARKED_WAIT_US 1000

static uint64_t ring_bytes(uint64_t requested)
{
	uint64_t bytes = RING_BYTES_MIN;

	while (bytes < requested && bytes < 1u << 30)
		bytes *= 2;
	return bytes;
}

static void set_config(const struct backend_run *run, uint64_t bytes, struct follow_config *config)
{
	if (run->options.is_host)
		config->adopt = ADOPT_ALL;
	else if (run->options.has_uid)
		config->adopt = ADOPT_USER;
	config->uid = run->options.uid;
	config->own_pid = (uint32_t)getpid();
	config->interest = run->options.interest;
	config->is_elevated = caller_is_elevated();
	config->wakeup_bytes = (uint32_t)(bytes / 4);
	config->ticks_per_s = (uint32_t)sysconf(_SC_CLK_TCK);
}

/* Returns whether task storage exists: for tracing programs since 5.11, for all programs since
 * 5.12. Map types cannot be tested without privilege, so the release decides. */
static bool has_task_storage(void)
{
	return needs_kernel_release() >= KERNEL_RELEASE(5, 12);
}

int follow_open(struct follow *f, const struct backend_run *run,
	const struct follow_options *options, struct sooth_error *err)
{
	assert(f);
	assert(run);
	assert(options);

	struct follow_config *config;
	bool in_hash = !has_task_storage();
	int status = bpf_code_open(
		&f->code, in_hash ? options->image_hash : options->image, run->log, err);

	if (status)
		return status;
	config = bpf_code_constants(&f->code, ".rodata.following", sizeof(*config), err);
	if (!config)
		return -EINVAL;
	pthread_mutex_init(&f->visiting, NULL);
	f->losing = options->losing;
	f->ring_bytes =
		ring_bytes(run->options.observer.buffer_bytes ? run->options.observer.buffer_bytes
							      : options->ring_bytes);
	set_config(run, f->ring_bytes, config);
	return bpf_code_resize(&f->code, "ring", f->ring_bytes, err);
}

static int attach_programs(struct follow *f, struct sooth_error *err)
{
	static const char *const programs[] = { "on_fork", "on_exec", "on_exit", "on_visit" };
	int status = 0;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]) && !status; i++)
		status = bpf_code_attach(&f->code, programs[i], err);
	if (!status)
		f->visit = f->code.links[f->code.link_count - 1];
	return status;
}

int follow_load(struct follow *f, struct sooth_error *err)
{
	assert(f);

	int status = bpf_code_load(&f->code, err);

	if (status)
		return status;
	f->control = bpf_code_variables(&f->code, ".data.following", sizeof(*f->control), err);
	if (!f->control)
		return -EINVAL;
	status = ring_open(&f->ring, bpf_code_map(&f->code, "ring"), f->ring_bytes, err);
	return status ? status : attach_programs(f, err);
}

struct visit {
	enum follow_visit what;
	const struct process_id *process; /* NULL: all followed processes */
	unsigned interest;
};

/* Returns how many threads it changed. */
static int visit_threads(struct follow *f, const struct visit *v, struct buffer *out,
	uint64_t *changed, struct sooth_error *err)
{
	int status;

	pthread_mutex_lock(&f->visiting);
	f->control->visit = v->what;
	f->control->pid = v->process ? v->process->pid : 0;
	f->control->start_ticks = v->process ? v->process->start_ticks : 0;
	f->control->interest = v->interest & (INTEREST_COUNT | INTEREST_STREAM | FOLLOW_MARK);
	f->control->is_before_exec = (v->interest & INTEREST_FROM_EXEC) != 0;
	f->control->visited = 0;
	f->control->unmarked = 0;
	status = bpf_code_walk(&f->code, f->visit, out, err);
	if (changed)
		*changed = f->control->visited;
	pthread_mutex_unlock(&f->visiting);
	return status;
}

struct marked {
	bool found;	   /* threads that are followed now */
	uint64_t unmarked; /* threads that could not be followed */
};

static int refuse_unseen_process(struct backend_run *run, const struct process_id *process,
	const struct marked *all, struct sooth_error *err)
{
	if (!run->os->is_alive(run->os, process)) {
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "follow process %u",
			(unsigned)process->pid);
		return error_why(err, "the process has ended");
	}
	if (all->unmarked) {
		error_set(err, -ENOMEM, SOOTH_FAULT_INTERNAL, "follow process %u",
			(unsigned)process->pid);
		error_why(err, "the kernel gave no memory to mark the threads of this process");
		return error_remedy(err, "run the command again");
	}
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "follow process %u", (unsigned)process->pid);
	error_why(err, "this kernel shows no thread of the process to BPF programs");
	return error_remedy(
		err, "run sooth outside of the container or sandbox that protects the process");
}

/* Marks threads until a pass finds no unmarked one: a thread created during a pass may be missed by
 * it. Memory for a mark is taken without waiting, and may be free a moment later. process NULL: all
 * threads. */
static int mark_found(struct follow *f, const struct process_id *process, unsigned interest,
	struct marked *all, struct sooth_error *err)
{
	const struct visit marking = { VISIT_MARK, process, interest };

	for (int pass = 0; pass < MARK_PASSES_MAX; pass++) {
		uint64_t marked;
		int status = visit_threads(f, &marking, NULL, &marked, err);

		if (status)
			return status;
		all->found |= marked != 0;
		all->unmarked = f->control->unmarked;
		if (!marked && !all->unmarked)
			break;
		if (all->unmarked)
			usleep(UNMARKED_WAIT_US);
	}
	if (all->unmarked)
		__atomic_fetch_add(&f->control->lost_threads, all->unmarked, __ATOMIC_RELAXED);
	return 0;
}

static int mark_process(struct follow *f, struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct marked all = { 0 };
	int status = mark_found(f, process, interest, &all, err);

	return status || all.found ? status : refuse_unseen_process(run, process, &all, err);
}

void follow_limit(struct backend_run *run)
{
	assert(run);
	if ((run->options.is_host || run->options.has_uid) && needs_inner_pid_namespace())
		backend_limit(run, "processes outside of this container",
			"they have no process id in sooth's pid namespace",
			"run sooth on the host, or start the container with: --pid=host");
}

int follow_all(struct follow *f, struct backend_run *run, struct sooth_error *err)
{
	struct marked all = { 0 };

	assert(run);
	if (!run->options.is_host && !run->options.has_uid)
		return 0;
	follow_limit(run);
	return mark_found(f, NULL, run->options.interest, &all, err);
}

/* Programs run in RCU read-side sections: after one grace period none is left (membarrier(2)). */
static void wait_until_programs_left(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20000);
}

/* Mutes threads until an iteration finds no unmuted one. */
static int mute_threads(struct follow *f, const struct process_id *process, struct sooth_error *err)
{
	const struct visit muting = { VISIT_MUTE, process, 0 };

	for (int pass = 0; pass < MARK_PASSES_MAX; pass++) {
		uint64_t muted;
		int status = visit_threads(f, &muting, NULL, &muted, err);

		if (status)
			return status;
		if (!muted)
			break;
	}
	return 0;
}

int follow_mute(struct follow *f, struct sooth_error *err)
{
	return mute_threads(f, NULL, err);
}

/* Mutes, waits until programs that saw the old interest have returned, flushes. */
static int flush_threads(
	struct follow *f, const struct process_id *process, struct sooth_error *err)
{
	const struct visit flushing = { VISIT_FLUSH, process, 0 };
	int status = mute_threads(f, process, err);

	if (status)
		return status;
	wait_until_programs_left();
	return visit_threads(f, &flushing, NULL, NULL, err);
}

int follow_set_interest(struct follow *f, struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	assert(run);
	if (run->options.is_host || run->options.has_uid)
		return 0;
	return interest ? mark_process(f, run, process, interest, err)
			: flush_threads(f, process, err);
}

int follow_mark(struct follow *f, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct marked all = { 0 };
	int status = mark_found(f, process, interest | FOLLOW_MARK, &all, err);

	if (!status && all.unmarked)
		return error_no_memory(err);
	return status;
}

int follow_begin(struct follow *f, const struct process_id *process, struct sooth_error *err)
{
	const struct visit beginning = { VISIT_BEGIN, process, 0 };

	return visit_threads(f, &beginning, NULL, NULL, err);
}

int follow_list(struct follow *f, struct buffer *out, struct sooth_error *err)
{
	const struct visit listing = { VISIT_LIST, NULL, 0 };

	return visit_threads(f, &listing, out, NULL, err);
}

static void emit_losses(struct follow *f, struct backend_run *run)
{
	struct follow_control now = *f->control;

	if (now.lost_records != f->reported.lost_records)
		backend_loss(run, now.lost_records - f->reported.lost_records, 0, f->losing);
	run->has_lost_comings |= now.lost_joins != 0;
	if (now.lost_joins != f->reported.lost_joins)
		backend_loss_of(run, "process", now.lost_joins - f->reported.lost_joins, 0,
			"the ring buffer was full: records of process starts and exits were lost");
	if (now.lost_threads != f->reported.lost_threads)
		backend_loss_of(run, "process", now.lost_threads - f->reported.lost_threads, 0,
			"some threads were not followed: the kernel had no memory for them, or "
			"(before Linux 5.12) there were more than 2048");
	if (f->ring.damaged != f->reported_damaged)
		backend_loss(run, f->ring.damaged - f->reported_damaged, 0,
			"records were not whole: a fault of sooth");
	f->reported_damaged = f->ring.damaged;
	if (now.released != f->reported.released)
		backend_limit(run, "a program that gained privilege at its exec",
			"the caller may not trace such a program, and sooth's own capabilities are "
			"not used for that",
			"run sooth as root");
	f->reported = now;
}

void follow_read(struct follow *f, struct backend_run *run, struct buffer *out)
{
	assert(f);
	ring_awake(&f->ring);
	ring_read(&f->ring, out);
	emit_losses(f, run);
}

int follow_stop(struct follow *f, struct backend_run *run, struct sooth_error *err)
{
	assert(f);

	int status = flush_threads(f, NULL, err);

	assert(run);
	ring_read(&f->ring, &run->out);
	bpf_code_detach(&f->code);
	wait_until_programs_left(); /* a program of an ending thread may still be writing */
	again_emit(f->code.object, run,
		"some calls, forks, execs or thread exits: the kernel skipped the BPF program "
		"while a preempted thread was inside it");
	follow_read(f, run, &run->out);
	return status;
}

void follow_close(struct follow *f)
{
	assert(f);
	ring_close(&f->ring);
	bpf_code_close(&f->code);
}
