/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocations of a launched command, recorded by a library in its programs (src/preload). This
 * needs no privilege, and a call takes some nanoseconds longer instead of a microsecond.
 *
 * Cannot be seen: programs that do not load the library: static programs, programs that gain
 * privileges at their exec, programs that define malloc themselves, and programs without LD_PRELOAD
 * in their environment.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "os/linux/heap/heap_source.h"
#include "os/linux/heap/preload/preload_around.h"
#include "os/linux/heap/preload/preload_late.h"
#include "os/linux/heap/preload/preload_library.h"
#include "os/linux/launch.h"
#include "os/linux/heap/preload/preload_run.h"
#include "os/linux/heap/preload/preload_unseen.h"
#include "os/os.h"

struct preload_state {
	struct preload_run preload;
	struct preload_late late; /* for the programs that run */
	char library[PATH_MAX];
	char command[PATH_MAX]; /* path of the command's program; "": not found */
	bool has_command;
	bool uses_others; /* the command uses an allocator whose names the library does not have */
};

static void preload_close(struct backend_run *run)
{
	struct preload_state *s = run->state;

	preload_late_close(&s->late);
	preload_run_close(&s->preload);
}

static int preload_open(struct backend_run *run, struct sooth_error *err)
{
	struct preload_state *s = run->state;
	int status = preload_library_check(&run->options, s->library, err);

	if (status)
		return status;
	status = preload_run_open(&s->preload, run, err);
	if (status)
		preload_close(run);
	return status;
}

static int preload_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct preload_state *s = run->state;

	(void)err;
	if (interest & INTEREST_FROM_EXEC)
		s->preload.command = *process;
	return 0;
}

/* Starts to watch for execs. Where the kernel reports none, the processes are searched from time to
 * time. */
static void watch_execs(struct preload_state *s, pid_t command)
{
	struct sooth_error ignored;

	if (preload_late_open(&s->late, &s->preload, NULL, &ignored) ||
		preload_late_add(&s->late, command, &ignored))
		preload_late_close(&s->late);
	s->preload.execs_are_known = s->late.is_open;
}

static int preload_launching(
	struct backend_run *run, struct launch *launch, struct sooth_error *err)
{
	struct preload_state *s = run->state;
	struct preload_programs programs;

	preload_programs_init(&programs);
	if (!launch_find(launch, s->command))
		s->command[0] = '\0';
	s->uses_others = s->command[0] && preload_program_uses_others(&programs, s->command);
	preload_programs_fini(&programs);
	watch_execs(s, launch->process.pid);
	snprintf(launch->preload.library, sizeof(launch->preload.library), "%s", s->library);
	return preload_run_start(&s->preload, launch, err);
}

static void emit_missing(struct backend_run *run)
{
	struct preload_state *s = run->state;
	struct preload_missing now = s->preload.missing, *reported = &s->preload.reported;

	if (now.lost != reported->lost)
		backend_loss(run, now.lost - reported->lost, 0,
			"a thread's buffer was full, or none was left: records of calls were lost");
	if (now.damaged != reported->damaged)
		backend_loss(run, now.damaged - reported->damaged, 0,
			"what a program wrote into its buffer is no record of a call");
	*reported = now;
}

static int preload_drain(struct backend_run *run, struct sooth_error *err)
{
	struct preload_state *s = run->state;

	if (s->late.is_open)
		preload_late_read(&s->late);
	preload_run_drain(&s->preload, &run->out);
	emit_missing(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static void emit_not_loaded(struct backend_run *run, struct span path, const char *reasons)
{
	bool is_chosen = !heap_engine_cost(&run->options, SOOTH_ENGINE_PRELOAD);
	char why[PATH_MAX + 160];

	snprintf(why, sizeof(why), "%.*s: not visible without privilege: it %s", SPAN_ARGS(path),
		reasons);
	backend_limit(run, HEAP_NOT_LOADED, why,
		!is_chosen  ? "run as root"
		: geteuid() ? "run as root, without --engine preload"
			    : "leave out --engine preload");
}

/* Emits each unseen program once. */
static void emit_unseen(struct backend_run *run)
{
	struct preload_state *s = run->state;
	const struct buffer *paths = &s->preload.unseen.paths;
	struct cursor c = cursor_over(paths->data, paths->size);

	while (!cursor_at_end(&c))
		emit_not_loaded(run, cursor_until(&c, '\0'),
			"is static, gains privileges, or was started without LD_PRELOAD");
	if (s->late.has_lost)
		emit_not_loaded(run, span_of_string("a program"),
			"may have run without sooth's library: records of programs were lost");
}

static int preload_stop(struct backend_run *run, struct sooth_error *err)
{
	struct preload_state *s = run->state;

	preload_run_stop(&s->preload, &run->out);
	if (s->late.is_open) {
		preload_late_read(&s->late);
		preload_late_check(&s->late);
	}
	emit_missing(run);
	if (!s->preload.connected)
		emit_not_loaded(run, span_of_string(s->command[0] ? s->command : "the command"),
			"is static, defines malloc itself, or gains privileges");
	else
		emit_unseen(run);
	if (preload_unseen_marked(&s->preload))
		emit_not_loaded(run, span_of_string("a program"),
			"runs under a seccomp filter, as another user, or with another /tmp");
	if (s->uses_others)
		emit_not_loaded(run, span_of_string(s->command),
			"has or calls an allocator with names of its own (mallocx, mi_malloc, "
			"...)");
	preload_around_limits(run, &s->preload, s->preload.around);
	preload_run_limits(run, &s->preload);
	if (buffer_failed(&run->out))
		return error_no_memory(err);
	return preload_stacks_name(s->preload.stacks, run, err);
}

/* A requested engine is tried even if it does not fit: its error says why. */
static uint64_t preload_cost(const struct probe_options *options)
{
	uint64_t cost = heap_engine_cost(options, SOOTH_ENGINE_PRELOAD);

	return !cost || preload_library_fits(options) ? cost : UINT64_MAX;
}

static uint64_t preload_complete(struct backend_run *run, uint64_t now_ns)
{
	struct preload_state *s = run->state;
	uint64_t complete_ns = s->preload.drained_ns;

	return complete_ns && complete_ns < now_ns ? complete_ns : now_ns;
}

static int preload_descriptor(struct backend_run *run)
{
	struct preload_state *s = run->state;

	return s->preload.filled;
}

const struct backend backend_heap_preload = {
	.name = "preload",
	.probe = "heap",
	.help = "a library that launched programs load; no privilege, some ns a call",
	.target_ns = 20,
	.bystander_ns = 0,
	.price_source = "bench/heap on Linux 6.18",
	.event = "allocation or release",
	.complete_ns = preload_complete,
	.state_size = sizeof(struct preload_state),
	.sample_cost = preload_cost,
	.open = preload_open,
	.set = preload_set,
	.launching = preload_launching,
	.drain = preload_drain,
	.stop = preload_stop,
	.descriptor = preload_descriptor,
	.close = preload_close,
};
