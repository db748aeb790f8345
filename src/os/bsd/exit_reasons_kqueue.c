/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exit_reasons by kqueue(2), EVFILT_PROC: each process has a queue, which reports its end and its
 * status. Nothing is attached. macOS reports the status of children and, to root, of others.
 *
 * Cannot be seen: the sender of a signal, core dumps, kills because memory ran out.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/bsd/members.h"
#include "os/bsd/signal_numbers.h"
#include "os/bsd/source.h"
#include "probes/exit_reasons.h"

#define MEMBERS_MAX 1024 /* number of watched processes: each has a descriptor */
#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

struct watched {
	int descriptor;
	uint32_t parent_pid;
	char name[EXIT_REASONS_NAME_SIZE];
};

struct exit_reasons_kqueue {
	struct map members; /* process_id -> struct watched */
};

static int exit_reasons_open(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_kqueue *s = run->state;

	(void)err;
	map_init(&s->members, sizeof(struct process_id), sizeof(struct watched), MEMBERS_MAX);
	return 0;
}

static void exit_reasons_close(struct backend_run *run)
{
	struct exit_reasons_kqueue *s = run->state;
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&s->members, &position, &key, &value))
		close(((struct watched *)value)->descriptor);
	map_fini(&s->members);
}

static void drop_member(struct exit_reasons_kqueue *s, const struct process_id *process)
{
	const struct watched *w = map_get(&s->members, process);

	if (w)
		close(w->descriptor);
	map_remove(&s->members, process);
}

/* Opens the queue, then checks the identity of the process: so the queue watches this process. */
static int watch_process(
	struct backend_run *run, const struct process_id *process, struct watched *out)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_process now;
	int fd = s->watch_exit ? s->watch_exit((pid_t)process->pid) : -EOPNOTSUPP, status;

	if (fd < 0)
		return fd;
	status = s->process(s, (pid_t)process->pid, &now);
	if (!status && now.id.start_ticks != process->start_ticks)
		status = -ESRCH;
	if (status) {
		close(fd);
		return status;
	}
	*out = (struct watched){ .descriptor = fd, .parent_pid = now.ppid };
	memcpy(out->name, now.name, strnlen(now.name, sizeof(out->name) - 1));
	return 0;
}

static int exit_reasons_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct exit_reasons_kqueue *s = run->state;
	struct watched w, *place;

	(void)err;
	if (!interest) {
		drop_member(s, process);
		return 0;
	}
	if (map_get(&s->members, process) || watch_process(run, process, &w))
		return 0; /* the process has already ended */
	place = map_put(&s->members, process, NULL);
	if (place) {
		*place = w;
		return 0;
	}
	close(w.descriptor);
	backend_limit(run, "exit reasons of some processes",
		"sooth watches at most 1024 processes at a time", "");
	return 0;
}

static void write_exit(struct backend_run *run, const struct process_id *process,
	const struct watched *w, uint32_t status, uint8_t status_state)
{
	struct exit_reasons_end end = { .record = bsd_record(
						run, process, process->pid, EXIT_REASONS_END),
		.status = bsd_wait_status(status),
		.status_state = status_state,
		.parent_pid = w->parent_pid,
		.peak_state = UNSUPPORTED,
		.limits_state = UNSUPPORTED,
		.oom_state = UNSUPPORTED,
		.signals_state = UNSUPPORTED };

	memcpy(end.name, w->name, sizeof(end.name));
	RECORD_APPEND(&run->out, &end, NULL, 0);
}

static int exit_reasons_sample(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_kqueue *s = run->state;
	const struct bsd_source *source = bsd_source_of(run->os);
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&s->members, &position, &key, &value)) {
		const struct process_id process = *(const struct process_id *)key;
		const struct watched w = *(const struct watched *)value;
		uint32_t status = 0;
		int ended = source->exit_status(w.descriptor, &status);

		if (ended == -EAGAIN)
			continue;
		write_exit(run, &process, &w, status, bsd_state(ended));
		drop_member(s, &process);
	}
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int exit_reasons_start(struct backend_run *run, struct sooth_error *err)
{
	if ((run->options.is_host || run->options.has_uid) &&
		!(run->options.interest & INTEREST_BRIEF))
		backend_limit(run, "exit reasons of processes not named with -p",
			"only processes that are named are watched", "name processes with -p PID");
	return exit_reasons_sample(run, err);
}

const struct backend backend_exit_reasons_kqueue = {
	.name = "kqueue",
	.probe = "exit_reasons",
	.help = "kqueue(2): the exit status of each process; nothing is attached",
	.state_size = sizeof(struct exit_reasons_kqueue),
	.open = exit_reasons_open,
	.set = exit_reasons_set,
	.start = exit_reasons_start,
	.sample = exit_reasons_sample,
	.stop = exit_reasons_sample,
	.close = exit_reasons_close,
};
