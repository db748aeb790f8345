/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/statusline/sessions.h"

#include <sooth/observer.h>
#include <sooth/report.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyze/processes/processes.h"
#include "cli/selected/process_table_scan.h"
#include "explain/report.h"

#define BELOW_MAX 512 /* processes of a session */
#define ONCE	  (SOOTH_SAMPLE | SOOTH_ONCE)

/* --- rows --- */

static bool take_number(const struct section *section, const struct sooth_record *r,
	const char *name, uint64_t *out)
{
	struct sooth_value v = value_named(section->schema, r, name);

	*out = value_is_there(&v) ? v.u : 0;
	return value_is_there(&v);
}

/* Returns whether the activity is known. */
static bool has_activity(const struct section *section, const struct sooth_record *r)
{
	const struct sooth_field *state;
	struct sooth_value v = value_in_first_row(section->schema, r, "activity", "state", &state);

	return value_is_there(&v);
}

static void add_row(struct sessions *s, const struct section *section, const struct sooth_record *r)
{
	struct session_process p = { 0 };
	uint64_t main = 0, urgency = 0;

	if (os_native.glance(&os_native, (pid_t)r->pid, &p.glance) ||
		!take_number(section, r, "session_pid", &main))
		return;
	p.main_pid = (uint32_t)main;
	p.is_main = p.main_pid == r->pid;
	take_number(section, r, "urgency", &urgency);
	p.urgency = (uint32_t)urgency;
	copy_named(section->schema, r, "session_agent", p.agent, sizeof(p.agent));
	copy_named(section->schema, r, "session_id", p.session_id, sizeof(p.session_id));
	if (has_activity(section, r)) {
		copy_named(section->schema, r, "activity_text", p.activity, sizeof(p.activity));
		take_number(section, r, "activity_since_s", &p.since_s);
	}
	buffer_append(&s->processes, &p, sizeof(p));
}

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	*(struct sessions **)state = options->user;
	return 0;
}

static int take_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	(void)err;
	if (strcmp(section->name, "processes"))
		return 0;
	batch_for_each (r, batch)
		add_row(*(struct sessions **)state, section, r);
	return 0;
}

static const struct sink_type sessions_sink = {
	.name = "sessions",
	.state_size = sizeof(struct sessions *),
	.is_unlisted = true,
	.open = open_sink,
	.rows = take_rows,
};

/* --- samples --- */

/* Takes a sample of these processes, or without any of those of the user. */
static void sample_sessions(struct sessions *s, const pid_t *pids, size_t count, unsigned interest)
{
	struct processes_options options = { .shown = PROCESSES_ALL, .may_lack_pids = true };
	struct sink_options sink = { .user = s };
	struct sooth_observer_options settings = { .size = sizeof(settings), .may_be_gone = true };
	struct sooth_observer *o = NULL;
	struct sooth_report *r = NULL;
	struct sooth_error err;

	buffer_reset(&s->processes);
	if (sooth_report_new(&r, "sessions", &err) || sooth_observer_new(&o, &settings, &err) ||
		report_add_sink_type(r, &sessions_sink, &sink, &err) ||
		sooth_report_add_view(r, "processes", &options, &err))
		goto end;
	if (!count && sooth_observer_set_user(o, getuid(), &err))
		goto end;
	for (size_t i = 0; i < count; i++)
		sooth_observer_add_pid(o, pids[i], &err);
	if (interest & SOOTH_TRANSCRIPT && count)
		sooth_observer_add_probe(o, "sockets", ONCE, &err);
	process_table_observe_once(o, r, interest, &err);
end:
	sooth_observer_free(o);
	sooth_report_free(r);
}

size_t sessions_list_above(struct process_id above[SESSIONS_ABOVE_MAX])
{
	struct process_glance g;
	size_t count = 0;

	for (pid_t pid = getppid(); os_native.glance && pid > 1 && count < SESSIONS_ABOVE_MAX;
		pid = (pid_t)g.ppid) {
		if (os_native.glance(&os_native, pid, &g))
			break;
		above[count++] = g.id;
	}
	return count;
}

/* Adds the descendants, except sooth and its own processes. */
static void add_below(struct buffer *pids)
{
	struct buffer children = { 0 };

	for (size_t i = 0; i < pids->size / sizeof(pid_t); i++) {
		buffer_reset(&children);
		os_native.children(&os_native, ((pid_t *)(void *)pids->data)[i], &children);
		buffer_each (const pid_t, pid, &children) {
			if (*pid != getpid() && pids->size / sizeof(pid_t) < BELOW_MAX &&
				!buffer_has(pids, pid, sizeof(*pid)))
				buffer_append(pids, pid, sizeof(pid_t));
		}
	}
	buffer_fini(&children);
}

static bool has_row(const struct sessions *s, uint32_t pid)
{
	for (size_t i = 0; i < sessions_count(s); i++) {
		if (sessions_at(s, i)->glance.id.pid == pid)
			return true;
	}
	return false;
}

bool sessions_has_main(const struct sessions *s, uint32_t pid)
{
	for (size_t i = 0; i < sessions_count(s); i++) {
		if (sessions_at(s, i)->is_main && sessions_at(s, i)->main_pid == pid)
			return true;
	}
	return false;
}

/* Adds exited processes that are not reaped: they have no row. */
static void add_zombies(struct sessions *s, const struct buffer *pids, uint32_t main_pid)
{
	struct session_process p = { .main_pid = main_pid };

	buffer_each (const pid_t, pid, pids) {
		if (!has_row(s, (uint32_t)*pid) && !os_native.glance(&os_native, *pid, &p.glance) &&
			p.glance.state == 'Z')
			buffer_append(&s->processes, &p, sizeof(p));
	}
}

void sessions_read(struct sessions *s, const pid_t *mains, size_t count)
{
	struct buffer pids = { 0 };

	buffer_append(&pids, mains, count * sizeof(*mains));
	add_below(&pids);
	sample_sessions(s, (const void *)pids.data, pids.size / sizeof(pid_t),
		ONCE | SOOTH_RUNNING | SOOTH_TRANSCRIPT);
	add_zombies(s, &pids, (uint32_t)mains[0]);
	buffer_fini(&pids);
}

void sessions_find_above(struct sessions *s, const struct process_id *above, size_t count)
{
	pid_t pids[SESSIONS_ABOVE_MAX];

	for (size_t i = 0; i < count; i++)
		pids[i] = (pid_t)above[i].pid;
	if (count)
		sample_sessions(s, pids, count, ONCE | SOOTH_RUNNING);
	/* The nearest: an agent may have been started by another one. */
	for (size_t i = 0; i < count && !s->main_pid; i++) {
		if (sessions_has_main(s, above[i].pid))
			s->main_pid = above[i].pid;
	}
	if (s->main_pid)
		sessions_read(s, &(pid_t){ (pid_t)s->main_pid }, 1);
}

void sessions_find_of_user(struct sessions *s)
{
	s->main_pid = 0;
	s->is_scanned = true;
	if (os_native.glance)
		sample_sessions(s, NULL, 0, ONCE | SOOTH_BRIEF | SOOTH_RUNNING);
}

void sessions_keep(struct sessions *s, uint32_t main_pid)
{
	size_t kept = 0;

	for (size_t i = 0; i < sessions_count(s); i++) {
		if (!main_pid || sessions_at(s, i)->main_pid == main_pid)
			*sessions_at(s, kept++) = *sessions_at(s, i);
	}
	s->processes.size = kept * sizeof(struct session_process);
}

size_t sessions_count(const struct sessions *s)
{
	return s->processes.size / sizeof(struct session_process);
}

struct session_process *sessions_at(const struct sessions *s, size_t i)
{
	return &((struct session_process *)(void *)s->processes.data)[i];
}

void sessions_fini(struct sessions *s)
{
	buffer_fini(&s->processes);
}
