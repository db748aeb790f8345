/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/waits.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "collect/secrets.h"

#define UNSUPPORTED   SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
#define THREADS_MAX   1024 /* number of threads of a process */
#define JOB_MAX	      16
#define TITLE_BYTES   512
#define SAMPLE_NS     (700 * NS_PER_MS) /* after that further processes are left out */
#define SNAPSHOTS_MIN 16		/* snapshots that are read however long it takes */

int bsd_waits_open(struct backend_run *run, struct sooth_error *err)
{
	struct bsd_waits *w = run->state;
	int status = bsd_members_open(run, err);
	struct bsd_members members = w->members;

	*w = (struct bsd_waits){ .members = members };
	return status;
}

void bsd_waits_close(struct backend_run *run)
{
	struct bsd_waits *w = run->state;

	bsd_members_close(run);
	bsd_wait_ends_fini(&w->ends);
	buffer_fini(&w->processes);
	buffer_fini(&w->addresses);
	buffer_fini(&w->locks);
	buffer_fini(&w->steps);
	buffer_fini(&w->descriptors);
	buffer_fini(&w->paths);
}

/* --- the chain --- */

/* Adds the parent of a zombie, a debugger, and others of a job that a terminal may have stopped. */
static void add_others(struct bsd_wait_node *n)
{
	const struct bsd_process *p = n->process, *all;
	struct bsd_waits *w = n->run->state;
	unsigned added = 0;

	n->tid = p->id.pid;
	if (p->state == 'Z')
		bsd_wait_party(n, WAITS_RELATION_PARENT, WAITS_SOURCE_PROCESSES, WAITS_HIGH,
			p->ppid, WAITS_NO_FD, WAITS_NO_FD);
	if (p->state == 't' && p->tracer_pid)
		bsd_wait_party(n, WAITS_RELATION_TRACER, WAITS_SOURCE_PROCESSES, WAITS_HIGH,
			p->tracer_pid, WAITS_NO_FD, WAITS_NO_FD);
	if (p->state != 'T' || !p->terminal || p->process_group == p->terminal_group)
		return;
	all = (const void *)w->processes.data;
	for (size_t i = 0; i < w->processes.size / sizeof(*all) && added < JOB_MAX; i++) {
		if (all[i].id.pid == p->id.pid || all[i].process_group != p->process_group ||
			all[i].state != 'T')
			continue;
		bsd_wait_follow(w, all[i].id.pid, n->depth + 1);
		added++;
	}
}

/* --- records of one process --- */

static bool store_descriptor(void *user, const struct bsd_descriptor *d)
{
	struct bsd_waits *w = user;
	struct bsd_kept_descriptor kept = { *d, w->paths.size };

	if (d->special)
		return true;
	buffer_append(&w->paths, d->path.data, d->path.size);
	buffer_char(&w->paths, '\0');
	buffer_append(&w->descriptors, &kept, sizeof(kept));
	return true;
}

static void read_descriptors(struct bsd_wait_node *n)
{
	const struct bsd_source *s = bsd_source_of(n->run->os);
	struct bsd_waits *w = n->run->state;
	int status;

	buffer_reset(&w->descriptors);
	buffer_reset(&w->paths);
	status = s->descriptors(s, (pid_t)n->process->id.pid, store_descriptor, w);
	n->detail_state = bsd_state(status);
	if (buffer_failed(&w->descriptors) || buffer_failed(&w->paths))
		buffer_reset(&w->descriptors);
	/* The buffer of paths no longer moves. */
	buffer_each (struct bsd_kept_descriptor, k, &w->descriptors)
		k->d.path.data = (const char *)w->paths.data + k->path_at;
}

static void write_thread(const struct bsd_wait_node *n)
{
	const struct bsd_thread *t = n->thread;
	struct waits_thread r = { .record = bsd_wait_record(n, n->tid, WAITS_THREAD),
		.node_start_ticks = n->process->id.start_ticks,
		.node_pid = n->process->id.pid,
		.since_ns = t->asleep_ns,
		.cpu_ns = t->cpu_ns,
		.switches = t->voluntary_switches,
		.state = t->state,
		.call_state = UNSUPPORTED,
		.channel_state = t->wait_channel[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.since_state = t->asleep_state,
		.timeout_state = UNSUPPORTED,
		.switches_state = t->switches_state };
	struct record_tail tail[] = {
		{ &r.name, t->name, strlen(t->name) },
		{ &r.wait_channel, t->wait_channel, strlen(t->wait_channel) },
	};

	RECORD_APPEND(&n->run->out, &r, tail, ARRAY_SIZE(tail));
}

static void read_title(const struct bsd_wait_node *n, struct waits_process *r, struct buffer *out)
{
	const struct bsd_source *s = bsd_source_of(n->run->os);
	struct buffer raw = { 0 };
	int status =
		n->process->is_kernel ? -ENOENT : s->arguments(s, (pid_t)n->process->id.pid, &raw);

	r->title_state = bsd_state(status);
	if (!status)
		secrets_mask_arguments(out, (const char *)raw.data, raw.size);
	if (out->size > TITLE_BYTES) {
		out->size = TITLE_BYTES;
		r->title_state = SOOTH_STATE_TRUNCATED;
	}
	buffer_fini(&raw);
}

static void write_process(const struct bsd_wait_node *n, uint64_t system_ns)
{
	const struct bsd_source *s = bsd_source_of(n->run->os);
	const struct bsd_process *p = n->process;
	struct buffer title = { 0 }, directory = { 0 };
	uint64_t now_ns = n->run->os->now_ns(n->run->os) +
			  (uint64_t)n->run->os->realtime_offset_ns(n->run->os);
	struct waits_process r = { .record = bsd_wait_record(n, 0, WAITS_PROCESS),
		.node_start_ticks = p->id.start_ticks,
		.age_ns = now_ns > p->start_utc_ns ? now_ns - p->start_utc_ns : 0,
		.cpu_ns = p->cpu_ns,
		.user_ns = p->cpu_ns > system_ns ? p->cpu_ns - system_ns : 0,
		.system_ns = system_ns,
		.cpu_state = p->cpu_state,
		.node_pid = p->id.pid,
		.depth = n->depth,
		.ppid = p->ppid,
		.uid = p->uid,
		.process_group = p->process_group,
		.session = p->session,
		.terminal = p->terminal,
		.terminal_group = p->terminal_group,
		.tracer = p->tracer_pid,
		.threads = p->threads,
		.state = p->state,
		.is_kernel = p->is_kernel,
		.detail_state = n->detail_state };
	int status = s->directory(s, (pid_t)p->id.pid, &directory);
	struct record_tail tail[] = {
		{ &r.name, p->name, strlen(p->name) },
		{ &r.title, NULL, 0 },
		{ &r.directory, (const char *)directory.data, status ? 0 : directory.size },
	};

	r.directory_state = bsd_state(status);
	read_title(n, &r, &title);
	tail[1].data = title.data;
	tail[1].size = title.size;
	RECORD_APPEND(&n->run->out, &r, tail, ARRAY_SIZE(tail));
	buffer_fini(&title);
	buffer_fini(&directory);
}

#define LACKS_FUNCTIONS                                                                            \
	"what other processes of the chain wait for, and which descriptor or lock: this "          \
	"system reports only the kernel function in which a thread waits"

static bool wants_functions(const struct backend_run *run)
{
	return bsd_source_of(run->os)->wait_functions && run->options.interest & INTEREST_DETAIL;
}

/* Reads the wait functions, only of the observed process, because this takes seconds. */
static void read_functions(
	const struct bsd_wait_node *n, const struct bsd_source *s, struct buffer *threads)
{
	struct bsd_waits *w = n->run->state;
	struct sooth_error err;

	if (n->depth || !threads->size || n->process->is_kernel || !wants_functions(n->run))
		return;
	if (s->wait_functions(s, (pid_t)n->process->id.pid, threads, &err) && !w->has_refused) {
		backend_limit_error(n->run, s->waits_lack, &err);
		w->has_refused = true;
	}
}

static void read_node(struct backend_run *run, const struct bsd_process *process, uint32_t depth)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_wait_node n = { .run = run, .process = process, .depth = depth };
	struct bsd_waits *w = run->state;
	struct buffer all = { 0 };
	const struct bsd_thread *t;
	uint64_t system_ns = 0;
	size_t count;

	if (process->state == 'Z' || s->threads(s, (pid_t)process->id.pid, &all) ||
		buffer_failed(&all))
		buffer_reset(&all);
	read_functions(&n, s, &all);
	t = (const void *)all.data;
	count = all.size / sizeof(*t);
	w->is_cut |= count > THREADS_MAX;
	if (!process->is_kernel && process->state != 'Z')
		read_descriptors(&n);
	for (size_t i = 0; i < count; i++)
		system_ns += t[i].system_ns;
	write_process(&n, system_ns);
	for (size_t i = 0; i < count && i < THREADS_MAX; i++) {
		n.thread = &t[i];
		n.tid = i ? (uint32_t)t[i].tid : process->id.pid;
		write_thread(&n);
		if (!process->is_kernel)
			bsd_wait_objects(&n);
	}
	add_others(&n);
	buffer_fini(&all);
}

/* --- a snapshot --- */

static void write_end(struct backend_run *run, uint8_t processes_state)
{
	struct bsd_waits *w = run->state;
	struct waits_snapshot end = { .record = bsd_record(run, &w->observed, 0, WAITS_SNAPSHOT),
		.processes = (uint32_t)(w->steps.size / sizeof(struct bsd_wait_step)),
		.processes_state = processes_state,
		.ends_state = w->ends.state,
		.sockets_state = w->sockets_state };

	RECORD_APPEND(&run->out, &end, NULL, 0);
}

static void read_host(struct bsd_waits *w, const struct bsd_source *s)
{
	if (!w->processes.size && s->processes(s, &w->processes))
		buffer_reset(&w->processes);
}

static void sample_process(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_waits *w = run->state;

	w->observed = process->id;
	buffer_reset(&w->steps);
	w->is_cut = false;
	if (w->snapshots++ >= SNAPSHOTS_MIN && run->os->now_ns(run->os) >= w->deadline_ns)
		return write_end(run, SOOTH_STATE_TRUNCATED);
	read_host(w, s);
	bsd_wait_follow(w, process->id.pid, 0);
	for (size_t i = 0; i < w->steps.size / sizeof(struct bsd_wait_step); i++) {
		struct bsd_wait_step step =
			((const struct bsd_wait_step *)(const void *)w->steps.data)[i];
		const struct bsd_process *p = i ? bsd_wait_process(w, step.pid) : process;

		if (p)
			read_node(run, p, step.depth);
	}
	write_end(run, w->is_cut ? SOOTH_STATE_TRUNCATED : SOOTH_STATE_VALUE);
}

static void report_lack(struct backend_run *run)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_waits *w = run->state;

	if (w->has_reported)
		return;
	w->has_reported = true;
	if (s->waits_lack)
		backend_limit(run, wants_functions(run) ? LACKS_FUNCTIONS : s->waits_lack,
			"not available on this system", "");
}

int bsd_waits_sample(struct backend_run *run, struct sooth_error *err)
{
	struct bsd_waits *w = run->state;

	buffer_reset(&w->processes);
	buffer_reset(&w->addresses);
	buffer_reset(&w->locks);
	bsd_wait_ends_clear(&w->ends);
	w->has_addresses = w->has_locks = false;
	w->sockets_state = SOOTH_STATE_VALUE;
	w->snapshots = 0;
	w->deadline_ns = run->os->now_ns(run->os) + SAMPLE_NS;
	report_lack(run);
	return bsd_members_visit(run, sample_process, err);
}
