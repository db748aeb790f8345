/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * short_lived by kqueue(2), EVFILT_PROC: it watches all processes, and all that they fork
 * (NOTE_TRACK). Nothing is attached. An event has only the pid, so a separate thread reads the
 * process immediately at its fork, its exec and its end.
 *
 * Cannot be seen: name and CPU time of a process that was reaped before sooth could read it.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/closed_at_exec.h"
#include "base/map.h"
#include "base/units.h"
#include "os/bsd/members.h"
#include "os/bsd/signal_numbers.h"
#include "os/freebsd/freebsd_source.h"
#include "probes/short_lived.h"

#define LIVES_MAX	65536
#define EVENTS_MAX	100000 /* events read at a time, so that even a flood of events has an end */
#define LISTS		3      /* tries until all listed processes are watched */
#define LIFE_NS_DEFAULT (10 * NS_PER_S)
#define LATENESS_NS	(100 * NS_PER_MS)
#define UNKNOWN_NAME	"?"

/* A process that has started while sooth watches, or just before. */
struct life {
	struct process_id id, parent;
	uint64_t start_ns; /* on the monotonic clock */
	uint64_t cpu_ns;
	uint32_t uid;
	bool is_read; /* read from the process; else only from its fork event */
	char name[SHORT_LIVED_NAME_SIZE];
};

struct short_lived_kqueue {
	struct map watched; /* uint32_t -> bool: by pid */
	struct map lives;   /* uint32_t -> struct life: by pid */
	uint64_t life_most_ns;
	uint32_t uid;
	int queue;
	int end[2]; /* a pipe: a write ends the thread */
	bool is_of_all;
	bool has_thread;
	pthread_t thread;
	/* The results of the thread, for the next drain. */
	pthread_mutex_t lock;
	struct buffer ended; /* struct short_lived_exit */
	uint64_t lost, unread;
	int failure;
};

static int short_lived_open(struct backend_run *run, struct sooth_error *err)
{
	const struct bsd_source *source = bsd_source_of(run->os);
	struct short_lived_kqueue *s = run->state;

	s->queue = source->watch_lives ? source->watch_lives() : -EOPNOTSUPP;
	if (s->queue < 0)
		return error_errno(err, s->queue, "make a kqueue");
	if (closed_at_exec_pipe(s->end)) {
		close(s->queue);
		return error_errno(err, -errno, "make a pipe");
	}
	pthread_mutex_init(&s->lock, NULL);
	map_init(&s->watched, sizeof(uint32_t), sizeof(bool), LIVES_MAX);
	map_init(&s->lives, sizeof(uint32_t), sizeof(struct life), LIVES_MAX);
	/* Twice the time between samples: one may be late. */
	s->life_most_ns = run->options.observer.sample_ns ? 2 * run->options.observer.sample_ns
							  : LIFE_NS_DEFAULT;
	s->uid = (uint32_t)getuid();
	s->is_of_all = true;
	return 0;
}

static void end_thread(struct short_lived_kqueue *s)
{
	if (s->has_thread && write(s->end[1], "", 1) == 1)
		pthread_join(s->thread, NULL);
	s->has_thread = false;
}

static void short_lived_close(struct backend_run *run)
{
	struct short_lived_kqueue *s = run->state;

	end_thread(s);
	close(s->queue);
	close(s->end[0]);
	close(s->end[1]);
	pthread_mutex_destroy(&s->lock);
	buffer_fini(&s->ended);
	map_fini(&s->watched);
	map_fini(&s->lives);
}

/* --- what is known of a process --- */

static uint64_t start_time_of(const struct backend_run *run, const struct bsd_process *p)
{
	int64_t ns = (int64_t)p->start_utc_ns - run->os->realtime_offset_ns(run->os);

	return ns > 0 ? (uint64_t)ns : 0;
}

static struct process_id parent_of(const struct backend_run *run, uint32_t pid)
{
	const struct bsd_source *source = bsd_source_of(run->os);
	const struct short_lived_kqueue *s = run->state;
	const struct life *known = map_get(&s->lives, &pid);
	struct bsd_process p;

	if (known)
		return known->id;
	if (!source->process(source, (pid_t)pid, &p))
		return p.id;
	return (struct process_id){ .pid = pid };
}

static void fill_life(struct backend_run *run, struct life *life, const struct bsd_process *p)
{
	life->id = p->id;
	life->start_ns = start_time_of(run, p);
	life->uid = p->uid;
	if (p->cpu_state == SOOTH_STATE_VALUE && p->cpu_ns > life->cpu_ns)
		life->cpu_ns = p->cpu_ns;
	memset(life->name, 0, sizeof(life->name));
	memcpy(life->name, p->name, strnlen(p->name, sizeof(life->name) - 1));
	life->is_read = true;
}

/* Reads a process. Its pid may be free by now, or belong to another process. */
static void read_life(struct backend_run *run, struct life *life)
{
	const struct bsd_source *source = bsd_source_of(run->os);
	struct bsd_process p;

	if (source->process(source, (pid_t)life->id.pid, &p))
		return;
	if (!life->is_read || p.id.start_ticks == life->id.start_ticks)
		fill_life(run, life, &p);
}

static struct life *add_life(struct backend_run *run, const struct bsd_life_event *e)
{
	struct short_lived_kqueue *s = run->state;
	struct life *life = map_put(&s->lives, &e->pid, NULL);

	if (!life)
		return NULL;
	*life = (struct life){ .id = { .pid = e->pid }, .start_ns = run->os->now_ns(run->os) };
	life->parent = parent_of(run, e->parent);
	memcpy(life->name, UNKNOWN_NAME, sizeof(UNKNOWN_NAME));
	/* This distinguishes it from other processes with that pid. */
	life->id.start_ticks = life->start_ns / (NS_PER_S / 100);
	return life;
}

/* --- ends --- */

static void write_exit(struct backend_run *run, const struct life *life, uint32_t status)
{
	struct short_lived_kqueue *s = run->state;
	struct short_lived_exit e = {
		.record = bsd_record(run, &life->id, life->id.pid, SHORT_LIVED_PROCESS),
		.parent_start_ticks = life->parent.start_ticks,
		.parent_pid = life->parent.pid,
		.cpu_ns = life->cpu_ns,
		.uid = life->uid,
		.status = bsd_wait_status(status),
	};

	e.life_ns = e.record.time_ns > life->start_ns ? e.record.time_ns - life->start_ns : 0;
	if (e.life_ns > s->life_most_ns)
		return;
	memcpy(e.name, life->name, sizeof(e.name));
	pthread_mutex_lock(&s->lock);
	s->unread += !life->is_read;
	buffer_append(&s->ended, &e, sizeof(e));
	pthread_mutex_unlock(&s->lock);
}

static void handle_event(struct backend_run *run, const struct bsd_life_event *e)
{
	struct short_lived_kqueue *s = run->state;
	struct life *life = e->starts ? add_life(run, e) : map_get(&s->lives, &e->pid);

	if (e->is_lost)
		backend_loss(
			run, 1, 0, "the kernel had no memory to watch a process that was forked");
	if (life)
		read_life(run, life);
	if (life && e->ends)
		write_exit(run, life, e->status);
	if (e->ends) {
		map_remove(&s->lives, &e->pid);
		map_remove(&s->watched, &e->pid);
	}
}

/* Handles the waiting events in the order in which they happened. */
static void handle_events(struct backend_run *run)
{
	const struct bsd_source *source = bsd_source_of(run->os);
	struct short_lived_kqueue *s = run->state;
	struct bsd_life_event e;
	int status = 1;

	for (unsigned i = 0; status > 0 && i < EVENTS_MAX; i++) {
		status = source->next_life(s->queue, &e);
		if (status > 0)
			handle_event(run, &e);
	}
	if (status >= 0)
		return;
	pthread_mutex_lock(&s->lock);
	s->failure = status;
	pthread_mutex_unlock(&s->lock);
}

static void *thread_main(void *user)
{
	struct backend_run *run = user;
	struct short_lived_kqueue *s = run->state;
	struct pollfd polled[] = { { .fd = s->end[0], .events = POLLIN },
		{ .fd = s->queue, .events = POLLIN } };

	for (;;) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			break;
		if (polled[0].revents)
			break;
		handle_events(run);
	}
	return NULL;
}

/* Starts the thread with all signals blocked: they are for the program's own threads. */
static int begin_thread(struct backend_run *run, struct sooth_error *err)
{
	struct short_lived_kqueue *s = run->state;
	sigset_t all, before;
	int status;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&s->thread, NULL, thread_main, run);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->has_thread = !status;
	return status ? error_errno(err, -status, "start a thread") : 0;
}

static int drain(struct backend_run *run, struct sooth_error *err)
{
	struct short_lived_kqueue *s = run->state;
	int status;

	pthread_mutex_lock(&s->lock);
	buffer_each (const struct short_lived_exit, ended, &s->ended) {
		struct short_lived_exit e = *ended;

		RECORD_APPEND(&run->out, &e, NULL, 0);
	}
	buffer_reset(&s->ended);
	if (s->lost)
		backend_loss(run, s->lost, 0,
			"the kernel had no memory to watch a process that was forked");
	s->lost = 0;
	status = s->failure;
	pthread_mutex_unlock(&s->lock);
	if (status < 0)
		return error_errno(err, status, "read a kqueue");
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

/* --- all that are there --- */

static void watch_process(struct backend_run *run, const struct bsd_process *p)
{
	const struct bsd_source *source = bsd_source_of(run->os);
	struct short_lived_kqueue *s = run->state;
	uint64_t now_ns = run->os->now_ns(run->os), start_ns = start_time_of(run, p);
	int status = source->watch_life(s->queue, (pid_t)p->id.pid);
	struct life *life;

	if (status == -EPERM || status == -EACCES)
		s->is_of_all = false;
	if (status || !map_put(&s->watched, &p->id.pid, NULL))
		return;
	if (now_ns - start_ns > s->life_most_ns || map_get(&s->lives, &p->id.pid))
		return;
	life = map_put(&s->lives, &p->id.pid, NULL);
	if (!life)
		return;
	*life = (struct life){ .parent = parent_of(run, p->ppid) };
	fill_life(run, life, p);
}

/* Watches all processes. A child forked before its parent was watched is in the next list. */
static int watch_all(struct backend_run *run, struct sooth_error *err)
{
	const struct bsd_source *source = bsd_source_of(run->os);
	struct short_lived_kqueue *s = run->state;
	bool is_new = true;

	for (unsigned i = 0; is_new && i < LISTS; i++) {
		struct buffer all = { 0 };
		int status = source->processes(source, &all);

		is_new = false;
		buffer_each_while (const struct bsd_process, p, &all, !status) {
			if (p->is_kernel || map_get(&s->watched, &p->id.pid))
				continue;
			watch_process(run, p);
			is_new = true;
		}
		buffer_fini(&all);
		if (status)
			return error_errno(err, status, "list processes");
	}
	return 0;
}

static int short_lived_start(struct backend_run *run, struct sooth_error *err)
{
	struct short_lived_kqueue *s = run->state;
	struct short_lived_watch w = { .record = { .time_ns = run->os->now_ns(run->os),
					       .kind = SHORT_LIVED_WATCH,
					       .cpu = SOOTH_CPU_NONE },
		.life_most_ns = s->life_most_ns,
		.uid = s->uid };
	int status = watch_all(run, err);

	if (status)
		return status;
	w.is_of_all = s->is_of_all;
	RECORD_APPEND(&run->out, &w, NULL, 0);
	if (!s->is_of_all)
		backend_limit(run, "other users' processes that end between two samples",
			"permission denied", "run sooth as root");
	return begin_thread(run, err);
}

static int short_lived_stop(struct backend_run *run, struct sooth_error *err)
{
	struct short_lived_kqueue *s = run->state;
	char what[112];
	int status;

	end_thread(s);
	handle_events(run);
	status = drain(run, err);
	if (status || !s->unread)
		return status;
	snprintf(what, sizeof(what),
		"names, CPU time and lifetime of %llu short-lived processes (shown as ?, 0)",
		(unsigned long long)s->unread);
	backend_limit(run, what, "these processes ended before sooth could read them", "");
	return 0;
}

const struct backend backend_short_lived_kqueue = {
	.name = "kqueue",
	.probe = "short_lived",
	.help = "kqueue(2): forks, execs and ends of all processes; nothing is attached",
	.follows_none = true,
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct short_lived_kqueue),
	.open = short_lived_open, /* no `set`: it watches the whole host */
	.start = short_lived_start,
	.drain = drain,
	.stop = short_lived_stop,
	.close = short_lived_close,
};
