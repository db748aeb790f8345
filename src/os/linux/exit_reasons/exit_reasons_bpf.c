/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exit_reasons by BPF (src/bpf/exit_reasons.bpf.c): tracepoints where signals are sent, where the
 * kernel chooses an OOM victim, and where processes end. Cores and log lines are reported when the
 * observation stops (exit_reasons_left.h).
 *
 * Cannot be seen: exits of children of what is watched that no signal ended, unless all processes
 * of a user or host are watched; children whose own parent had ended before; memory at the time of
 * an OOM kill before Linux 6.8, except from the kernel's log.
 */
#include "bpf/exit_reasons.h"

#include <errno.h>
#include <unistd.h>

#include "base/units.h"
#include "bpf/follow.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/rights/caller.h"
#include "os/linux/exit_reasons/exit_reasons_left.h"
#include "os/linux/rights/needs.h"
#include "os/linux/bpf/ring.h"
#include "os/os.h"

#define RING_BYTES  (256u << 10)
#define LATENESS_NS (5 * NS_PER_MS)

struct exit_reasons_bpf {
	struct exit_reasons_left left;
	struct bpf_code code;
	struct ring ring;
	struct exit_reasons_control *control;
	struct exit_reasons_control reported; /* losses already reported */
	struct buffer early;		      /* struct process_id: those set before the start */
	bool is_started;
	bool has_selected; /* the observer selects processes */
};

static void exit_reasons_close(struct backend_run *run)
{
	struct exit_reasons_bpf *s = run->state;

	ring_close(&s->ring);
	bpf_code_close(&s->code);
	exit_reasons_left_fini(&s->left);
	buffer_fini(&s->early);
}

/* Returns whether all processes of a host or user are watched, or only the named ones. */
static bool is_of_all(const struct backend_run *run)
{
	return (run->options.is_host || run->options.has_uid) &&
	       !(run->options.interest & INTEREST_BRIEF);
}

static int set_config(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_bpf *s = run->state;
	struct follow_config *following =
		bpf_code_constants(&s->code, ".rodata.following", sizeof(*following), err);
	struct exit_reasons_config *config =
		bpf_code_constants(&s->code, ".rodata.config", sizeof(*config), err);

	if (!following || !config)
		return -EINVAL;
	if (is_of_all(run))
		following->adopt = run->options.is_host ? ADOPT_ALL : ADOPT_USER;
	following->uid = run->options.uid;
	following->own_pid = (uint32_t)getpid();
	following->wakeup_bytes = RING_BYTES / 4;
	following->ticks_per_s = (uint32_t)sysconf(_SC_CLK_TCK);
	config->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	config->is_elevated = caller_is_elevated();
	config->uid = (uint32_t)getuid();
	return bpf_code_resize(&s->code, "ring", RING_BYTES, err);
}

static int exit_reasons_open(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_bpf *s = run->state;
	int status;

	exit_reasons_left_init(&s->left);
	status = is_of_all(run) ? caller_may_watch(run->os, NULL, err) : 0;
	if (!status)
		status = bpf_code_open(&s->code, &bpf_image_exit_reasons, run->log, err);
	if (!status)
		status = set_config(run, err);
	if (!status) {
		s->control = bpf_code_load_control(&s->code, sizeof(*s->control), err);
		status = s->control ? 0 : err->code;
	}
	if (!status)
		status = ring_open(&s->ring, bpf_code_map(&s->code, "ring"), RING_BYTES, err);
	if (status)
		exit_reasons_close(run);
	return status;
}

static int forget_member(struct exit_reasons_bpf *s, uint32_t pid)
{
	bpf_map_delete_elem(bpf_code_map(&s->code, "members"), &pid);
	return 0;
}

/* Emits a process that had ended before it was watched, and is still a zombie. */
static void emit_zombie_end(struct backend_run *run, const struct process_id *process)
{
	struct exit_reasons_bpf *s = run->state;
	struct exit_reasons_end end;

	if (!exit_reasons_status_read(run, process, -1, &end) || end.status_state)
		return;
	RECORD_APPEND(&run->out, &end, NULL, 0);
	exit_reasons_left_note(&s->left, &end);
}

/* Marks a process as watched. As the child of a watched process it may be in the table already:
 * then the recorded signals stay. */
static int make_watched(
	struct exit_reasons_bpf *s, uint32_t pid, const struct exit_reasons_member *fresh)
{
	int map = bpf_code_map(&s->code, "members");
	struct exit_reasons_member known;

	if (bpf_map_lookup_elem(map, &pid, &known))
		return 0;
	if (known.above_pid)
		__sync_fetch_and_sub(&s->control->children, 1);
	if (known.start_ticks != fresh->start_ticks)
		known = *fresh;
	known.above_pid = 0;
	return bpf_map_update_elem(map, &pid, &known, BPF_ANY);
}

static int watch_process(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct exit_reasons_bpf *s = run->state;
	struct exit_reasons_member member = { .start_ticks = process->start_ticks };
	uint32_t pid = process->pid;
	/* A launched command runs with the caller's ids. */
	bool is_ours = !interest || interest & INTEREST_FROM_EXEC;
	struct sooth_error refusal;
	int status;

	if (!interest)
		return forget_member(s, pid);
	/* A refusal does not fail the run: this is one check of many. */
	if (!is_ours && caller_may_watch(run->os, process, &refusal)) {
		backend_limit(run, "exit reasons of some processes", refusal.why, refusal.remedy);
		return 0;
	}
	status = bpf_map_update_elem(bpf_code_map(&s->code, "members"), &pid, &member, BPF_NOEXIST);
	if (status == -EEXIST)
		status = make_watched(s, pid, &member);
	if (status == -E2BIG) {
		backend_limit(run, "exit reasons of some processes",
			"sooth watches at most 4096 processes at a time", "");
		status = 0;
	}
	exit_reasons_left_place(&s->left, process);
	if (s->is_started)
		emit_zombie_end(run, process);
	else
		buffer_append(&s->early, process, sizeof(*process));
	return status ? error_errno(err, status, "watch for the exit of process %u", pid) : 0;
}

static int exit_reasons_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct exit_reasons_bpf *s = run->state;

	s->has_selected = true;
	return is_of_all(run) ? 0 : watch_process(run, process, interest, err);
}

static void watch_agents(struct backend_run *run)
{
	struct exit_reasons_bpf *s = run->state;
	struct span found = exit_reasons_agents(run, s->has_selected);
	const struct process_id *all = (const void *)found.data;

	for (size_t i = 0; i < found.size / sizeof(*all); i++) {
		struct exit_reasons_member known;
		struct sooth_error ignored;
		uint32_t pid = all[i].pid;

		if (bpf_map_lookup_elem(bpf_code_map(&s->code, "members"), &pid, &known) ||
			known.start_ticks != all[i].start_ticks)
			watch_process(run, &all[i], INTEREST_STREAM, &ignored);
	}
}

static int exit_reasons_start(struct backend_run *run, struct sooth_error *err)
{
	static const char *const programs[] = { "on_signal", "on_victim", "on_end", "on_exec" };
	struct exit_reasons_bpf *s = run->state;
	size_t count = sizeof(programs) / sizeof(programs[0]) - !caller_is_elevated();
	int status = 0;

	for (size_t i = 0; i < count && !status; i++)
		status = bpf_code_attach(&s->code, programs[i], err);
	for (size_t i = 0; !status && i < s->early.size / sizeof(struct process_id); i++)
		emit_zombie_end(run, &((const struct process_id *)(const void *)s->early.data)[i]);
	buffer_fini(&s->early);
	s->is_started = true;
	return status;
}

static void emit_losses(struct backend_run *run)
{
	struct exit_reasons_bpf *s = run->state;
	struct exit_reasons_control now = *s->control;

	if (now.lost_records != s->reported.lost_records)
		backend_loss(run, now.lost_records - s->reported.lost_records, 0,
			"the ring buffer was full: records of process exits were lost");
	if (now.lost_members != s->reported.lost_members)
		backend_loss(run, now.lost_members - s->reported.lost_members, 0,
			"sooth's table of signals was full: some signals that ended a process or a "
			"child of it were not kept");
	if (now.released != s->reported.released)
		backend_limit(run,
			"the exit reason of a program that runs with more privilege than you "
			"(set-user-ID)",
			"sooth watches such a program only as root", "run sooth as root");
	s->reported = now;
}

static void note_ends(struct exit_reasons_bpf *s, const struct buffer *out, size_t from)
{
	struct batch fresh;

	if (buffer_failed(out) || out->size == from)
		return;
	fresh = (struct batch){ out->data + from, out->size - from };
	batch_for_each (r, &fresh) {
		if (r->kind == EXIT_REASONS_END)
			exit_reasons_left_note(&s->left, (const void *)r);
	}
}

static int exit_reasons_drain(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_bpf *s = run->state;
	size_t before = run->out.size;

	ring_awake(&s->ring);
	ring_read(&s->ring, &run->out);
	note_ends(s, &run->out, before);
	emit_losses(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

/* Notes the working directory and root again, which may have changed. */
static int exit_reasons_sample(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_bpf *s = run->state;

	(void)err;
	watch_agents(run);
	map_for_each_key (&s->left.places, const void *, key)
		exit_reasons_left_place(&s->left, key);
	return 0;
}

static int exit_reasons_stop(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_bpf *s = run->state;
	int status;

	bpf_code_detach(&s->code);
	again_emit(s->code.object, run,
		"some signals or process exits: the kernel did not run sooth's BPF program while "
		"another thread was inside it");
	status = exit_reasons_drain(run, err);
	exit_reasons_left_emit(&s->left, run);
	return status;
}

static int exit_reasons_descriptor(struct backend_run *run)
{
	struct exit_reasons_bpf *s = run->state;

	return s->ring.wake;
}

/* Returns the cost. Without a stream nothing may be attached. */
static uint64_t exit_reasons_sample_cost(const struct probe_options *options)
{
	return options->interest & INTEREST_STREAM ? 0 : UINT64_MAX;
}

static const struct need *const needs[] = { &need_bpf, &need_btf, &need_bpf_ring, &need_procfs,
	&need_time_namespace, NULL };

const struct backend backend_exit_reasons_bpf = {
	.name = "bpf",
	.probe = "exit_reasons",
	.target_ns = 330,
	.bystander_ns = 330,
	.price_source = "the run time of its BPF programs, on Linux 6.18",
	.event = "start or end of a process",
	.is_bounded = true,
	.help = "BTF-typed tracepoints where signals are sent and processes exit",
	.needs = needs,
	.follows_none = true,
	.lateness_ns = LATENESS_NS,
	.admits_itself = true, /* a refusal is one check of many less */
	.sample_cost = exit_reasons_sample_cost,
	.state_size = sizeof(struct exit_reasons_bpf),
	.open = exit_reasons_open,
	.set = exit_reasons_set,
	.start = exit_reasons_start,
	.drain = exit_reasons_drain,
	.sample = exit_reasons_sample,
	.stop = exit_reasons_stop,
	.descriptor = exit_reasons_descriptor,
	.close = exit_reasons_close,
};
