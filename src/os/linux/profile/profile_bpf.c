/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks by BPF: src/bpf/profile.bpf.c runs at a CPU clock of each CPU, or at its page faults. The
 * program walks the stacks. This side makes the unwind tables, and turns the program's records into
 * samples, stacks and frames.
 *
 * Cannot be seen: CPUs that are switched on later; time in which interrupts are off; names in
 * generated code of a runtime that writes no perf map; pages that 32-bit programs free.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/profile.h"
#include "model/batch.h"
#include "os/linux/bpf/children_before.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/files/procfs.h"
#include "os/linux/profile/profile_calls.h"
#include "os/linux/profile/profile_walks.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"

#define RING_BYTES_DEFAULT  (4u << 20)
#define RING_BYTES_OF_PAGES (32u << 20)
#define LATENESS_NS	    (5 * NS_PER_MS)
#define RATE_DEFAULT	    99 /* not in step with work that runs a hundred times a second */
#define FAULTS_A_STACK	    10 /* these faults include those of other processes */
#define CLOCKS_MAX	    4096
#define TABLES_WAIT_MS	    5000 /* a file of 200 MB takes seconds */
#define HUGE_PAGES_FILE	    "/sys/kernel/mm/transparent_hugepage/enabled"

/* --- the backend --- */

struct profile_state {
	struct follow follow;
	struct profile_control *control;
	uint64_t reported_lost;
	struct bpf_link **clocks;
	size_t clock_count;
	uint32_t period_ns; /* of the clock; 0: page faults */
	struct buffer raw;  /* records of the kernel side */
	struct profile_walks walks;
};

static void stop_clocks(struct profile_state *s)
{
	for (size_t i = 0; i < s->clock_count; i++)
		bpf_link__destroy(s->clocks[i]);
	s->clock_count = 0;
}

static void profile_close(struct backend_run *run)
{
	struct profile_state *s = run->state;

	stop_clocks(s);
	free(s->clocks);
	profile_walks_close(&s->walks);
	follow_close(&s->follow);
	profile_walks_fini(&s->walks);
	buffer_fini(&s->raw);
}

static uint64_t faults_in_moment(uint64_t hz)
{
	uint64_t most = hz * PROFILE_MOMENT_NS / NS_PER_S;

	return hz && !most ? 1 : most;
}

static int profile_open(struct backend_run *run, struct sooth_error *err)
{
	enum stack_trigger trigger = probe_stack_trigger(&run->options);
	bool is_of_waits = trigger >= STACK_OF_WAIT;
	const struct follow_options options = {
		.image = is_of_waits ? &bpf_image_profile_waits : &bpf_image_profile,
		.image_hash = is_of_waits ? &bpf_image_profile_waits_hash : &bpf_image_profile_hash,
		.ring_bytes =
			trigger == STACK_OF_PAGE_FAULT ? RING_BYTES_OF_PAGES : RING_BYTES_DEFAULT,
		.losing = trigger == STACK_OF_CALL	   ? PROFILE_CALLS_LOSING
			  : trigger == STACK_OF_PAGE_FAULT ? PROFILE_PAGES_LOSING
			  : is_of_waits			   ? PROFILE_WAITS_LOSING
					: "the ring buffer was full: samples were lost; use a "
					  "larger one: --buffer 32M",
	};
	struct profile_state *s = run->state;
	int status;

	s->period_ns = trigger == STACK_OF_PAGE_FAULT
			       ? 0
			       : (uint32_t)(NS_PER_S / probe_rate_hz(&run->options, RATE_DEFAULT));
	profile_walks_init(&s->walks, PROFILE_STACK, PROFILE_FRAME);
	status = follow_open(&s->follow, run, &options, err);
	if (!status)
		status = profile_calls_choose(&s->follow.code, &run->options, err);
	if (!status)
		status = follow_load(&s->follow, err);
	if (!status) {
		s->control = bpf_code_variables(
			&s->follow.code, ".data.control", sizeof(*s->control), err);
		status = s->control ? 0 : -EINVAL;
	}
	if (!status) {
		s->control->least_ns = run->options.observer.profile.least_wait_ns;
		s->control->faults_most =
			faults_in_moment(run->options.observer.profile.page_fault_hz);
		status = profile_walks_open(&s->walks, &s->follow.code, &run->options, err);
	}
	if (status)
		profile_close(run);
	return status;
}

static int profile_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	/* Large files with an interpreter: their functions have no names until the layout is
	 * known. */
	static const char *const engines[] = { "node", "libnode", "bun", "claude", "opencode",
		"deno", "electron", "python", "libpython", NULL };
	struct profile_state *s = run->state;
	enum stack_trigger trigger = probe_stack_trigger(&run->options);

	/* Calls come at once, but samples only over seconds. */
	if (interest && !(interest & INTEREST_FROM_EXEC))
		profile_walks_ahead(
			&s->walks, (pid_t)process->pid, trigger == STACK_BY_CLOCK ? engines : NULL);
	/* A program may touch all its memory in its first moment, before it is followed. */
	if (trigger == STACK_OF_PAGE_FAULT)
		profile_tables_wait(&s->walks.tables, TABLES_WAIT_MS);
	return follow_set_interest(&s->follow, run, process, interest, err);
}

/* --- the clocks --- */

/* The event that calls the program on each CPU: the clock, or page faults. */
struct clock {
	uint64_t event, period;
	uint64_t hz; /* if not 0, in place of a period: at most so many samples a second */
};

static int open_clock(int cpu, const struct clock *c)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = c->event,
		.sample_period = c->hz ? c->hz : c->period,
		.freq = c->hz != 0,
		.disabled = 1,
		.exclude_idle = c->event == PERF_COUNT_SW_CPU_CLOCK };
	long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static int start_clock(
	struct profile_state *s, const struct clock *c, int cpu, struct sooth_error *err)
{
	const struct bpf_program *program =
		bpf_object__find_program_by_name(s->follow.code.object, PROFILE_SAMPLES_PROGRAM);
	int fd = open_clock(cpu, c), status;

	if (fd == -ENODEV) /* the CPU is offline */
		return 0;
	if (fd < 0) {
		error_errno(err, fd, "start a clock of CPU %d for samples", cpu);
		return fd;
	}
	/* The link owns the descriptor. */
	s->clocks[s->clock_count] = bpf_program__attach_perf_event(program, fd);
	if (!s->clocks[s->clock_count]) {
		status = -errno;
		close(fd);
		return error_errno(err, status, "attach the sampling program to CPU %d", cpu);
	}
	s->clock_count++;
	return 0;
}

/* Starts the waits. During a thread switch no memory can be allocated for a stack, so every thread
 * gets it before. */
static int start_waits(struct profile_state *s, struct backend_run *run, struct sooth_error *err)
{
	int status = follow_all(&s->follow, run, err);

	if (!status)
		status = bpf_code_attach(&s->follow.code, PROFILE_WAKING_PROGRAM, err);
	return status ? status : bpf_code_attach(&s->follow.code, PROFILE_SWITCH_PROGRAM, err);
}

/* Reports huge pages: a fault does not say how large its page is. */
static void note_huge_pages(struct backend_run *run)
{
	struct buffer text = { 0 };

	if (procfs_read_at(AT_FDCWD, HUGE_PAGES_FILE, &text, PROCFS_STAT) >= 0 &&
		strstr(buffer_cstr(&text), "[always]"))
		backend_limit(run, "size of pages",
			"huge pages are on for every program: the fault of a huge page (2 MiB) "
			"counts as one page of 4 KiB",
			"compare with the resident memory that the kernel "
			"counts; " HUGE_PAGES_FILE);
	buffer_fini(&text);
}

static int start_pages(struct profile_state *s, struct backend_run *run, struct sooth_error *err)
{
	note_huge_pages(run);
	if (!run->options.is_host && !run->options.has_uid)
		children_before_emit(run, &s->follow);
	return bpf_code_attach(&s->follow.code, PROFILE_RELEASE_PROGRAM, err);
}

static int profile_start(struct backend_run *run, struct sooth_error *err)
{
	struct profile_state *s = run->state;
	const struct clock clock = { PERF_COUNT_SW_CPU_CLOCK, s->period_ns, 0 };
	const struct clock faults = { PERF_COUNT_SW_PAGE_FAULTS, 1,
		FAULTS_A_STACK * run->options.observer.profile.page_fault_hz };
	enum stack_trigger trigger = probe_stack_trigger(&run->options);
	bool has_faults = trigger == STACK_OF_PAGE_FAULT || faults.hz;
	long cpus = sysconf(_SC_NPROCESSORS_CONF); /* also where no sysfs is mounted */
	int status = 0;

	if (trigger >= STACK_OF_WAIT)
		status = start_waits(s, run, err);
	if (status || trigger == STACK_OF_WAIT)
		return status;
	if (trigger == STACK_OF_CALL)
		return bpf_code_attach(&s->follow.code, PROFILE_CALLS_PROGRAM, err);
	if (trigger == STACK_OF_PAGE_FAULT)
		status = start_pages(s, run, err);
	if (status)
		return status;
	if (cpus <= 0 || cpus > CLOCKS_MAX)
		return error_set(err, -EINVAL, SOOTH_FAULT_UNSUPPORTED, "count the CPUs");
	s->clocks = calloc(2 * (size_t)cpus, sizeof(*s->clocks));
	if (!s->clocks)
		return error_no_memory(err);
	for (int cpu = 0; cpu < cpus && s->period_ns && !status; cpu++)
		status = start_clock(s, &clock, cpu, err);
	for (int cpu = 0; cpu < cpus && has_faults && !status; cpu++)
		status = start_clock(s, &faults, cpu, err);
	return status;
}

/* --- samples --- */

static void emit_wait(struct backend_run *run, const struct profile_raw *raw)
{
	struct profile_state *s = run->state;
	bool has_stack = !(raw->flags & PROFILE_WAIT_OLD);

	profile_waits_put(
		&run->out, raw, has_stack ? profile_walks_put(&s->walks, raw, &run->out) : 0);
}

static void emit_sample(struct backend_run *run, const struct profile_raw *raw)
{
	struct profile_state *s = run->state;
	struct profile_sample sample = { .record = raw->record, .period_ns = s->period_ns };

	sample.stack = profile_walks_put(&s->walks, raw, &run->out);
	if (probe_stack_trigger(&run->options) == STACK_OF_CALL) {
		profile_calls_put(&run->out, raw, sample.stack);
		return;
	}
	if (raw->flags & PROFILE_RAW_FAULT) {
		profile_pages_put(&run->out, raw, sample.stack);
		return;
	}
	sample.record.kind = PROFILE_SAMPLE;
	memcpy(sample.process, raw->process, sizeof(sample.process));
	memcpy(sample.thread, raw->thread, sizeof(sample.thread));
	RECORD_APPEND(&run->out, &sample, NULL, 0);
}

static void handle_records(struct backend_run *run)
{
	struct profile_state *s = run->state;
	struct batch batch = { s->raw.data, s->raw.size };

	batch_for_each (r, &batch) {
		if (r->kind == PROFILE_RAW)
			emit_sample(run, (const void *)r);
		else if (r->kind == PROFILE_RAW_WAIT)
			emit_wait(run, (const void *)r);
		else if (!profile_walks_handle_record(&s->walks, r))
			buffer_append(&run->out, r, record_bytes(r));
	}
	buffer_reset(&s->raw);
}

static void emit_losses(struct backend_run *run)
{
	struct profile_state *s = run->state;
	uint64_t lost = s->control->lost;

	if (lost != s->reported_lost)
		backend_loss(run, lost - s->reported_lost, 0, s->follow.losing);
	s->reported_lost = lost;
	profile_walks_emit(&s->walks, run, "profile");
}

static int profile_drain(struct backend_run *run, struct sooth_error *err)
{
	struct profile_state *s = run->state;

	follow_read(&s->follow, run, &s->raw);
	handle_records(run);
	emit_losses(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static void emit_short_waits(struct backend_run *run)
{
	const struct profile_control *c = ((struct profile_state *)run->state)->control;
	char text[160], least[UNITS_SIZE], all[UNITS_SIZE];

	if (!c->short_waits)
		return;
	snprintf(text, sizeof(text), "%llu waits were shorter than %s: %s together",
		(unsigned long long)c->short_waits, format_ns(least, c->least_ns),
		format_ns(all, c->short_ns));
	backend_limit(run, "stacks of short waits", text, "--min-wait TIME records shorter waits");
}

static int profile_stop(struct backend_run *run, struct sooth_error *err)
{
	struct profile_state *s = run->state;
	size_t before = run->out.size;
	int status;

	stop_clocks(s);
	profile_tables_stop(&s->walks.tables);
	status = follow_stop(&s->follow, run, err);
	buffer_append(&s->raw, buffer_at(&run->out, before), run->out.size - before);
	run->out.size = before;
	handle_records(run);
	emit_losses(run);
	emit_short_waits(run);
	if (profile_walks_name(&s->walks, run, err))
		return -ENOMEM;
	return status;
}

static int profile_descriptor(struct backend_run *run)
{
	struct profile_state *s = run->state;

	return s->follow.ring.wake;
}

static const struct need *const needs[] = { &need_bpf, &need_btf, &need_bpf_ring, &need_procfs,
	&need_time_namespace, NULL };

/* The faults of every process are counted; the end of every system call of the host is checked. */
static bool has_pages(const struct probe_options *options)
{
	return probe_stack_trigger(options) == STACK_OF_PAGE_FAULT;
}

static bool has_waits(const struct probe_options *options)
{
	return probe_stack_trigger(options) == STACK_OF_WAIT;
}

static const struct backend_mode modes[] = {
	{ .name = "bpf --pages",
		.help = "heap --pages: page faults, and calls that give memory back",
		.target_ns = 300,
		.bystander_ns = 35,
		.price_source = "a loop of getppid, and one of page faults, on Linux 6.18",
		.event = "page fault",
		.is_on = has_pages },
	{ .name = "bpf --waits",
		.help = "profile --off-cpu: the stack where a thread stops running",
		.target_ns = 2400,
		.bystander_ns = 200,
		.price_source = "bench/offcpu on Linux 6.18",
		.event = "switch of a thread",
		.is_on = has_waits },
	{ .name = NULL }
};

const struct backend backend_profile_bpf = {
	.name = "bpf",
	.probe = "profile",
	.target_ns = 8000,
	.bystander_ns = 0,
	.price_source = "the run time of its BPF programs, on Linux 6.18: stacks of Python",
	.event = "stack sample",
	.is_bounded = true,
	.help = "stacks walked in BPF at a CPU clock; follows threads, forks and exec",
	.needs = needs,
	.modes = modes,
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct profile_state),
	.open = profile_open,
	.set = profile_set,
	.start = profile_start,
	.drain = profile_drain,
	.stop = profile_stop,
	.descriptor = profile_descriptor,
	.close = profile_close,
};
