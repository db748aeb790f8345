/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations by uprobes, counted and streamed by src/bpf/heap.bpf.c. */
#include "os/linux/heap/heap_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/heap.h"
#include "os/linux/bpf/children_before.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/heap/heap_attach.h"
#include "os/linux/heap/heap_late.h"
#include "os/linux/heap/heap_limits.h"
#include "os/linux/heap/heap_managed.h"
#include "os/linux/heap/heap_pauser.h"
#include "os/linux/heap/heap_stacks.h"
#include "os/linux/heap/heap_sums.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"

#define RING_BYTES_DEFAULT (16u << 20)
#define PROBED_MAX	   65536

void heap_source_close(struct backend_run *run)
{
	struct heap_state *s = run->state;
	struct sooth_error ignored;

	heap_pauser_stop(TAKE_PTR(s->pauser), &ignored);
	heap_attach_close(&s->attach, NULL);
	heap_sums_close(TAKE_PTR(s->sums));
	heap_adapt_fini(&s->adapt);
	buffer_fini(&s->left);
	buffer_fini(&s->attached);
	heap_stacks_close(TAKE_PTR(s->stacks));
	follow_close(&s->follow);
}

/* Sets the attach types that links of type uprobe_multi need. */
static int expect_links(struct heap_state *s, struct sooth_error *err)
{
	static const char *const programs[] = { "on_entry_0", "on_entry_1", "on_entry_2",
		"on_entry_3", "on_return" };
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs) && !status; i++)
		status = bpf_code_expect(
			&s->follow.code, programs[i], PROBER_MULTI_ATTACH_TYPE, err);
	return status;
}

static int load_programs(
	struct backend_run *run, const struct prober_type *prober, struct sooth_error *err)
{
	const struct sooth_heap_options *heap = &run->options.observer.heap;
	bool with_sums =
		heap_needs_kernel(&run->options) || heap->bytes_per_sample || heap->adapts_to_load;
	bool with_stacks = heap->takes_stacks || with_sums;
	const struct follow_options options = {
		.image = with_sums     ? &bpf_image_heap_sums
			 : with_stacks ? &bpf_image_heap_stacks
				       : &bpf_image_heap,
		.image_hash = with_sums	    ? &bpf_image_heap_sums_hash
			      : with_stacks ? &bpf_image_heap_stacks_hash
					    : &bpf_image_heap_hash,
		.ring_bytes = RING_BYTES_DEFAULT,
		.losing = "the ring buffer was full: records of calls were lost; use a larger one: "
			  "--buffer 128M",
	};
	struct heap_state *s = run->state;
	struct heap_places *places;
	int status = follow_open(&s->follow, run, &options, err);

	if (!status && !prober->is_inherited)
		status = expect_links(s, err);
	/* Further tables are for places whose addresses end alike, which is very rare. If programs
	 * load sooth's library, most commands need no probe at all: checking the program that walks
	 * stacks takes the kernel 0.2 s. */
	for (size_t i = heap->chosen_engine != SOOTH_ENGINE_MIXED; i < HEAP_TABLES && !status; i++)
		status = bpf_code_postpone(&s->follow.code, heap_entry_programs[i], err);
	if (!status && with_sums)
		status = heap_sums_prepare(&s->follow.code, &run->options, err);
	if (!status && with_sums)
		status = heap_return_links_prepare(&s->follow.code, err);
	if (!status)
		status = follow_load(&s->follow, err);
	if (status)
		return status;
	s->control = bpf_code_variables(&s->follow.code, ".data.control", sizeof(*s->control), err);
	places = bpf_code_variables(&s->follow.code, ".data.places", sizeof(*places), err);
	if (!s->control || !places)
		return -EINVAL;
	s->control->sample_bytes = heap->bytes_per_sample;
	s->control->checks_frees = heap->finds_wrong_frees;
	s->control->may_sample = heap->adapts_to_load;
	if (with_stacks)
		s->stacks = heap_stacks_open(&s->follow.code, &run->options, err);
	if (with_sums)
		s->sums = heap_sums_open(&s->follow.code, err);
	if ((with_stacks && !s->stacks) || (with_sums && !s->sums))
		return -EINVAL;
	s->control->has_sessions =
		heap->bytes_per_sample &&
		heap_return_links_open(&s->attach.return_links, &s->follow.code, run->log);
	status = heap_attach_open(&s->attach, prober, &s->follow, places, run->log, err);
	if (!status && run->options.observer.max_overhead_percent)
		status = heap_attach_hold(&s->attach, err);
	return status;
}

static int refuse_open_target(struct sooth_error *err)
{
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED,
		"observe allocations without named processes");
	error_why(err, "each allocation takes about a microsecond longer: too expensive for all "
		       "processes of a host");
	return error_remedy(err, "name processes with -p PID, or launch a command");
}

uint64_t heap_engine_cost(const struct probe_options *options, enum sooth_heap_engine engine)
{
	/* By the chosen engine. The library is also used where the kernel refuses probes. */
	static const uint64_t costs[][SOOTH_ENGINE_MIXED + 1] = {
		[SOOTH_ENGINE_BPF] = { [SOOTH_ENGINE_PRELOAD] = UINT64_MAX },
		[SOOTH_ENGINE_PRELOAD] = { 1, [SOOTH_ENGINE_BPF] = UINT64_MAX,
			[SOOTH_ENGINE_MIXED] = 1 },
		[SOOTH_ENGINE_MIXED] = { UINT64_MAX, UINT64_MAX, UINT64_MAX },
	};
	size_t chosen = options->observer.heap.chosen_engine;

	return costs[engine][chosen < ARRAY_SIZE(costs) ? chosen : SOOTH_ENGINE_DEFAULT];
}

uint64_t heap_source_cost(const struct probe_options *options)
{
	return heap_engine_cost(options, SOOTH_ENGINE_BPF);
}

bool heap_needs_kernel(const struct probe_options *options)
{
	return options->observer.heap.sums_in_kernel || options->observer.heap.finds_wrong_frees;
}

unsigned heap_source_interest(const struct backend_run *run, unsigned interest)
{
	const struct heap_state *s = run->state;

	return s->sums && interest & INTEREST_COUNT ? interest & ~INTEREST_STREAM : interest;
}

int heap_source_open(
	struct backend_run *run, const struct prober_type *prober, struct sooth_error *err)
{
	int status;

	heap_adapt_init(&((struct heap_state *)run->state)->adapt,
		run->options.observer.heap.adapts_to_load,
		run->options.observer.max_overhead_percent);
	if (run->options.is_host || run->options.has_uid)
		return refuse_open_target(err);
	status = load_programs(run, prober, err);
	if (status)
		heap_source_close(run);
	return status;
}

static heap_pauser_take handle_paused_thread;

/* Returns whether an exec may be traced: the kernel drops a program's set-user-ID and file
 * capabilities at its exec when its tracer does not have cap_sys_ptrace, and a watched command
 * would behave differently. */
static bool may_trace_an_exec(struct backend_run *run)
{
	if (needs_has_capability(CAP_SYS_PTRACE))
		return true;
	backend_limit(run, "the command from its first allocation, without loss",
		"without cap_sys_ptrace, pausing the command would take privileges from the "
		"programs that it runs",
		"run sooth as root");
	return false;
}

static int attach_other(struct heap_state *s, const struct process_id *process, uint64_t since_ns,
	struct sooth_error *err)
{
	int status = heap_attach_choose_returns(&s->attach, process, err);

	return status ? status : heap_attach_process(&s->attach, process, since_ns, err);
}

int heap_source_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct heap_state *s = run->state;
	int status;

	interest = heap_source_interest(run, interest);
	status = follow_set_interest(&s->follow, run, process, interest, err);
	if (status || !interest)
		return status;
	if (!(interest & INTEREST_FROM_EXEC))
		heap_stacks_ahead(s->stacks, (pid_t)process->pid);
	status = attach_other(s, process, 0, err);
	if (!status)
		status = heap_attach_examine(&s->attach, process, 0, err);
	if (status < 0)
		return status;
	if (!(interest & INTEREST_FROM_EXEC)) {
		s->processes_without_allocator += !status;
		heap_adapt_add(&s->adapt, process);
		buffer_append(&s->attached, process, sizeof(*process));
		return follow_begin(&s->follow, process, err);
	}
	if (probe_may_pause(&run->options) && may_trace_an_exec(run))
		return heap_pauser_start(s, process, false, handle_paused_thread, err);
	return 0;
}

int heap_source_pause(
	struct backend_run *run, const struct process_id *command, struct sooth_error *err)
{
	if (!probe_may_pause(&run->options) || !may_trace_an_exec(run))
		return 0;
	return heap_pauser_start(run->state, command, true, handle_paused_thread, err);
}

int heap_source_start(struct backend_run *run, struct sooth_error *err)
{
	struct heap_state *s = run->state;

	(void)err;
	if (s->processes_without_allocator)
		heap_limits_emit_opaque(run, "", 1);
	if (s->attached.size)
		children_before_emit(run, &s->follow);
	return 0;
}

/* Returns whether the program is known. Its libraries may still be new: the loader reports
 * those. */
static bool knows_program(struct heap_state *s, const struct sooth_record *r)
{
	const struct heap_begun *begun = (const void *)r;

	return heap_attach_knows(&s->attach, begun->path,
		makedev(begun->device_major, begun->device_minor), begun->inode);
}

/* Returns whether code may have run unseen. While a program starts, the loader reports libraries
 * before they run, and a short program may end before it is examined: neither is a gap. */
static bool ran_unseen(const struct sooth_record *r)
{
	const struct heap_loaded *loaded = (const void *)r;

	return !loaded->is_start;
}

void heap_source_share(struct backend_run *run, struct heap_elsewhere *elsewhere)
{
	struct heap_state *s = run->state;

	map_init(&elsewhere->probed, sizeof(uint32_t), 0, PROBED_MAX);
	s->elsewhere = elsewhere;
	s->attach.only = &elsewhere->probed;
}

void heap_source_allow_probes(struct heap_state *s, const struct process_id *process)
{
	if (s->elsewhere && heap_attach_only_set(&s->attach, process->pid, true))
		s->elsewhere->note(s->elsewhere->user, process, false);
}

static void forget_probed(struct heap_state *s, const struct process_id *process)
{
	if (s->elsewhere && heap_attach_only_set(&s->attach, process->pid, false))
		s->elsewhere->note(s->elsewhere->user, process, true);
}

/* Returns whether the process is probed. The record of its start may still be in the ring. */
static bool is_probed(struct heap_state *s, const struct process_id *process)
{
	if (heap_attach_only(&s->attach, process->pid))
		return true;
	if (!s->elsewhere->inherits(s->elsewhere->user, (pid_t)process->pid))
		return false;
	heap_source_allow_probes(s, process);
	return true;
}

/* Probes a program that the other engine does not observe. */
static int probe_program(struct heap_state *s, const struct process_id *process, uint64_t since_ns,
	struct sooth_error *err)
{
	int status;

	heap_source_allow_probes(s, process);
	status = heap_attach_choose_returns(&s->attach, process, err);
	if (status || heap_pauser_handles(s->pauser, process, since_ns))
		return status;
	status = heap_attach_process(&s->attach, process, since_ns, err);
	return status ? status : heap_attach_examine(&s->attach, process, since_ns, err);
}

/* Emits that a child was created, or has ended (is_over). */
static void note_child(struct backend_run *run, const struct process_id *process, bool is_over)
{
	struct heap_state *s = run->state;
	struct sooth_error err;

	if (heap_attach_child(&s->attach, process, is_over, &err))
		backend_limit_error(run, "some calls of a child", &err);
}

/* Attaches the events that a child has not inherited. */
static int attach_child(
	struct heap_state *s, const struct process_join *join, struct sooth_error *err)
{
	struct process_id process = process_id_of(&join->record);

	if (!s->attach.type->is_inherited)
		return attach_other(s, &process, join->record.time_ns, err);
	return heap_attach_forked(
		&s->attach, &process, join->parent_pid, join->record.time_ns, err);
}

/* Attaches to a program, unless it inherited all events, and examines it. */
static int probe_and_examine_program(struct heap_state *s, const struct process_id *process,
	uint64_t since_ns, struct sooth_error *err)
{
	int status = 0;

	if (!s->attach.type->is_inherited)
		status = heap_attach_process(&s->attach, process, since_ns, err);
	return status ? status : heap_attach_examine(&s->attach, process, since_ns, err);
}

/* Returns whether a process has ended, or gained privilege by a later exec. */
static bool has_gone(int status)
{
	return status == -ESRCH || status == -ENOENT || status == -EACCES;
}

static void handle_begun_program(struct heap_state *s, const struct sooth_record *r)
{
	struct process_id process = process_id_of(r);
	const struct heap_begun *begun = (const void *)r;
	struct sooth_error err;
	int status = 0;

	if (!is_probed(s, &process)) {
		if (s->elsewhere->takes(s->elsewhere->user, &process, begun))
			return;
		heap_attach_program(&s->attach, begun);
		status = probe_program(s, &process, r->time_ns, &err);
	} else {
		heap_attach_program(&s->attach, begun);
		if (!heap_pauser_began(s->pauser, &process) &&
			(!knows_program(s, r) || heap_attach_preloads(&s->attach, &process)) &&
			!heap_pauser_handles(s->pauser, &process, r->time_ns))
			status = probe_and_examine_program(s, &process, r->time_ns, &err);
	}
	if (has_gone(status))
		heap_attach_ended(&s->attach, &process, r->time_ns);
	else if (status < 0)
		heap_attach_fail(&s->attach, &err);
}

static void examine_loaded(void *user, const struct sooth_record *r, uint64_t since_ns)
{
	struct heap_state *s = user;
	struct process_id process = process_id_of(r);
	struct sooth_error err;
	int status;

	if (since_ns && ran_unseen(r))
		heap_attach_missed(&s->attach, &process, since_ns);
	status = heap_attach_examine(&s->attach, &process, since_ns, &err);
	if (has_gone(status)) {
		if (ran_unseen(r))
			heap_attach_ended(&s->attach, &process, r->time_ns);
	} else if (status < 0) {
		heap_attach_fail(&s->attach, &err);
	}
}

/* Handles a thread that the pauser has paused. Called in the pauser's thread. */
static void handle_paused_thread(struct heap_state *s, const struct sooth_record *r)
{
	if (r->kind == HEAP_BEGUN && record_holds(r, sizeof(struct heap_begun)))
		handle_begun_program(s, r);
	else if (r->kind == HEAP_LOADED && record_holds(r, sizeof(struct heap_loaded)) &&
		 heap_attach_only(&s->attach, r->pid))
		heap_pauser_loaded(s->pauser, (const void *)r, examine_loaded, s);
}

/* Starts and ends of processes and programs, newly loaded libraries: other records need no
 * action. */
static void handle_record(struct backend_run *run, const struct sooth_record *r)
{
	struct heap_state *s = run->state;
	struct process_id process = process_id_of(r);
	struct sooth_error err;
	uint32_t parent;
	int status = 0;

	switch (r->kind) {
	case PROCESS_JOIN:
		parent = ((const struct process_join *)(const void *)r)->parent_pid;
		if (!heap_attach_only(&s->attach, parent)) {
			status = heap_late_child(&s->attach, &process, parent, &err);
			break;
		}
		heap_source_allow_probes(s, &process);
		note_child(run, &process, false);
		status = attach_child(s, (const void *)r, &err);
		break;
	case PROCESS_LEAVE:
		if (heap_attach_only(&s->attach, process.pid))
			note_child(run, &process, true);
		else
			heap_late_over(&s->attach, &process);
		forget_probed(s, &process);
		buffer_append(&s->left, &process, sizeof(process));
		break;
	case HEAP_BEGUN:
		handle_begun_program(s, r);
		break;
	case HEAP_LOADED:
		if (!heap_pauser_is_loading(s->pauser, &process))
			examine_loaded(s, r, r->time_ns);
		break;
	default:
		break;
	}
	if (has_gone(status))
		heap_attach_ended(&s->attach, &process, r->time_ns);
	else if (status < 0)
		backend_limit_error(run, "allocators that were loaded later", &err);
}

/* Handles new records, and removes internal records, which go no further. */
static void handle_records(struct backend_run *run, size_t from, bool is_stopping)
{
	struct buffer *out = &run->out;
	size_t to = from;

	while (from < out->size) {
		const struct sooth_record *r = (const void *)(out->data + from);
		size_t size = record_bytes(r);

		if (!is_stopping)
			handle_record(run, r);
		if (r->kind != HEAP_LOADED && r->kind != HEAP_BEGUN) {
			if (to != from)
				memmove(out->data + to, r, size);
			to += size;
		}
		from += size;
	}
	out->size = to;
}

/* Emits the remaining blocks of ended processes, which are known after the tables were read. */
static void emit_blocks_left(struct heap_state *s)
{
	buffer_each (const struct process_id, id, &s->left)
		heap_sums_ended(s->sums, id);
	buffer_reset(&s->left);
}

static void emit_own_losses(struct backend_run *run, bool is_stopping)
{
	struct heap_state *s = run->state;
	uint64_t lost = s->control->lost_aggregates;
	struct sooth_error failure;

	if (!heap_attach_beat(&s->attach))
		backend_limit(run, "allocations from now on",
			"sooth was stopped, or got no CPU for seconds: the probes have left, as "
			"nothing measured their overhead",
			"run it again");
	if (heap_attach_failure(&s->attach, &failure))
		backend_limit_error(run, "allocators that were loaded later", &failure);
	heap_attach_reported(&s->attach, &run->out);
	if (lost != s->reported_lost)
		backend_loss(run, lost - s->reported_lost, 0,
			"sooth's table of counts was full: some calls were not counted");
	s->reported_lost = lost;
	heap_stacks_emit(s->stacks, run, s->control);
	if (!is_stopping)
		heap_adapt_decide(s, run);
	if (heap_sums_emit(s->sums, run, s->stacks, s->control, is_stopping))
		emit_blocks_left(s);
}

int heap_source_drain(struct backend_run *run, struct sooth_error *err)
{
	struct heap_state *s = run->state;
	size_t before = run->out.size;

	follow_read(&s->follow, run, &run->out);
	heap_stacks_number(s->stacks, &run->out, before);
	handle_records(run, before, false);
	emit_own_losses(run, false);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static void write_kept_block(
	struct backend_run *run, const struct heap_kept_key *key, const struct heap_kept *kept)
{
	struct heap_count count = { .record = { .time_ns = run->os->now_ns(run->os),
					    .start_ticks = key->start_ticks,
					    .pid = key->pid,
					    .kind = HEAP_COUNT,
					    .cpu = SOOTH_CPU_NONE },
		.from_ns = kept->from_ns,
		.count = kept->aggregate.count,
		.failed = kept->aggregate.failed,
		.overflows = kept->aggregate.overflows,
		.unfinished = kept->aggregate.unfinished,
		.bytes = kept->aggregate.bytes,
		.total_ns = kept->aggregate.total_ns,
		.max_ns = kept->aggregate.max_ns,
		.function = key->function,
		.is_partial = kept->aggregate.skipped != 0 };

	memcpy(count.histogram, kept->aggregate.histogram, sizeof(count.histogram));
	RECORD_APPEND(&run->out, &count, NULL, 0);
}

static void drain_kept(struct backend_run *run)
{
	struct heap_state *s = run->state;
	int map = bpf_code_map(&s->follow.code, "kept_aggregates");
	struct heap_kept_key key;
	struct heap_kept kept;

	for (int i = 0; i < HEAP_KEPT_ENTRIES && !bpf_map_get_next_key(map, NULL, &key); i++) {
		if (!bpf_map_lookup_elem(map, &key, &kept))
			write_kept_block(run, &key, &kept);
		bpf_map_delete_elem(map, &key);
	}
}

static void emit_cost(
	struct backend_run *run, uint64_t forgotten_ns, size_t descriptors, size_t sessions)
{
	struct heap_state *s = run->state;
	struct heap_cost cost = { .record = { .time_ns = run->os->now_ns(run->os),
					  .kind = HEAP_COST,
					  .cpu = SOOTH_CPU_NONE },
		.attach_ns = s->attach.attach_ns,
		.forgotten_ns = forgotten_ns,
		.sites = s->attach.sites,
		.events = s->attach.events,
		.descriptors = (uint32_t)descriptors,
		.sessions = (uint32_t)sessions };

	RECORD_APPEND(&run->out, &cost, NULL, 0);
}

static void stop_pauser(struct backend_run *run)
{
	struct heap_state *s = run->state;
	struct sooth_error refusal;

	if (heap_pauser_stop(TAKE_PTR(s->pauser), &refusal))
		backend_limit_error(run, "the first allocations of the command", &refusal);
}

int heap_source_stop(struct backend_run *run, struct sooth_error *err)
{
	struct heap_state *s = run->state;
	size_t before = run->out.size, descriptors = heap_attach_descriptors(&s->attach),
	       sessions = heap_return_links_count_descriptors(&s->attach.return_links);
	uint64_t forgotten_ns = 0;
	struct sooth_error ignored;
	int status;

	heap_limits_emit(run, &s->attach, heap_pauser_has_no_allocator(s->pauser));
	heap_limits_emit_unfollowed(run, s->control->unfollowed);
	stop_pauser(run);
	heap_probed_measure(&s->attach, &s->hit_cost, run->log);
	/* Muting comes before the waits for the kernel that follow, because the target runs on
	 * meanwhile. */
	if (!follow_mute(&s->follow, &ignored))
		heap_attach_detach(&s->attach);
	heap_managed_emit(run, &s->attached);
	status = follow_stop(&s->follow, run, err);
	heap_stacks_number(s->stacks, &run->out, before);
	handle_records(run, before, true);
	emit_own_losses(run, true);
	drain_kept(run);
	if (heap_stacks_stop(s->stacks, run, err))
		status = -ENOMEM;
	heap_attach_close(&s->attach, &forgotten_ns);
	heap_probed_emit(&s->hit_cost, run, &s->follow.code);
	emit_cost(run, forgotten_ns, descriptors, sessions);
	return status;
}

uint64_t heap_source_hits(struct backend_run *run)
{
	struct heap_state *s = run->state;
	struct heap_probed_value all = heap_probed_sum(&s->follow.code);

	if (!all.entries)
		return 0;
	heap_probed_measure(&s->attach, &s->hit_cost, run->log);
	return heap_probed_ns(&s->hit_cost, &all) / run->backend->target_ns;
}

bool heap_source_lighten(struct backend_run *run, struct backend_step *step)
{
	(void)run;
	*step = (struct backend_step){ "allocations", "sooth has detached" };
	return false;
}

int heap_source_descriptor(struct backend_run *run)
{
	struct heap_state *s = run->state;

	return s->follow.ring.wake;
}
