/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/diagnosing_tree.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sooth/observer.h>
#include <sooth/report.h>

#include "analyze/waits/wait_below.h"
#include "analyze/waits/wait_beyond.h"
#include "base/units.h"
#include "cli/selected/process_table_scan.h"

#define TREE_MOST    64 /* processes; a build has more, and each costs time to observe */
#define SESSION_MOST 512
#define SHARED_MOST  16 /* targets: the waits of each are read */
#define LOOKS	     3	/* a shell between two commands waits for none of them */
#define PAUSE_NS     (20 * NS_PER_MS)

/* --- what it waits for --- */

bool diagnosing_has_pid(const struct buffer *pids, uint32_t pid)
{
	const uint32_t *all = (const void *)pids->data;

	for (size_t i = 0; i < pids->size / sizeof(pid); i++) {
		if (all[i] == pid)
			return true;
	}
	return false;
}

static int store_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	(void)schema;
	buffer_append(user, record, record_bytes(record));
	return 0;
}

static int observe_pids(
	struct sooth_observer *o, struct sooth_report *r, const uint32_t *pids, size_t count)
{
	struct sooth_error ignored;
	size_t added = 0;

	/* Some of these processes may have ended meanwhile. */
	for (size_t i = 0; i < count; i++)
		added += !sooth_observer_add_pid(o, (pid_t)pids[i], &ignored);
	return !added ||
	       sooth_observer_add_probe(o, "waits", SOOTH_SAMPLE | SOOTH_DETAIL, &ignored) ||
	       sooth_observer_connect_report(o, r, &ignored) || sooth_observer_start(o, &ignored) ||
	       sooth_observer_stop(o, SOOTH_END_STOPPED, &ignored) ||
	       sooth_report_finish(r, &ignored);
}

/* Reads records of the probe `waits`; a process that has ended has none. */
static void read_waits(const uint32_t *pids, size_t count, struct buffer *out)
{
	struct sooth_observer *o = NULL;
	struct sooth_report *r = NULL;
	struct sooth_error ignored;

	if (!sooth_report_new(&r, "waits", &ignored) && !sooth_observer_new(&o, NULL, &ignored)) {
		sooth_report_on_record(r, store_record, out);
		if (observe_pids(o, r, pids, count))
			buffer_reset(out);
	}
	sooth_observer_free(o);
	sooth_report_free(r);
}

/* Returns whether the process waits for the processes below it, which do the work. */
static bool waits_for_below(uint32_t pid, const struct buffer *below)
{
	struct buffer records = { 0 };
	bool waits;

	read_waits(&pid, 1, &records);
	waits = waits_for_descendant(&(struct batch){ records.data, records.size }, pid,
		(const void *)below->data, below->size / sizeof(uint32_t));
	buffer_fini(&records);
	return waits;
}

/* Drops processes at rest: a healthy child rests until it gets a request. */
static void drop_resting_processes(struct buffer *below)
{
	struct buffer records = { 0 };

	read_waits((const void *)below->data, below->size / sizeof(uint32_t), &records);
	waits_keep_without_rest(&(struct batch){ records.data, records.size }, below);
	buffer_fini(&records);
}

/* --- what is below it --- */

/* Returns whether both run the same program, as workers do of nginx, postgres, gunicorn, a cluster
 * of node. */
static bool is_same_program(const struct process_entry *a, const struct process_entry *b)
{
	struct span x = process_table_field(&a->process->record, &a->process->executable),
		    y = process_table_field(&b->process->record, &b->process->executable);

	return !a->process->executable_state && !b->process->executable_state && x.size &&
	       x.size == y.size && !memcmp(x.data, y.data, x.size);
}

static void add_pid(const struct process_entry *p, struct buffer *pids)
{
	uint32_t pid = p->id.pid;

	if (pids->size / sizeof(pid) < TREE_MOST && p->is_there && p->process->state != 'Z' &&
		!diagnosing_has_pid(pids, pid))
		buffer_append(pids, &pid, sizeof(pid));
}

/* Adds processes below `p`, except sooth, which may run below the process that it diagnoses. */
static void add_below(const struct process_entry *p, bool only_workers, struct buffer *pids)
{
	for (const struct process_entry *c = p->first_child; c; c = c->next_sibling) {
		if (c->id.pid == (uint64_t)getpid() || (only_workers && !is_same_program(p, c)))
			continue;
		add_pid(c, pids);
		add_below(c, false, pids);
	}
}

/* Finds awaited processes below. False: the process runs, so its waits have to be read again. */
static bool find_awaited_below(
	const struct process_table *table, uint32_t root, struct buffer *below)
{
	const struct process_entry *p = process_table_find(table, root);
	bool is_known = true;

	/* The session shows which processes an agent started. */
	if (p && p->first_child && !p->agent) {
		add_below(p, false, below);
		is_known = waits_for_below(root, below);
		if (!is_known) {
			drop_resting_processes(below);
			add_below(p, true, below);
			is_known = p->process->state != 'R';
		}
	}
	return is_known;
}

/* --- what is beyond it --- */

/* Adds the processes that the process waits for, or that do not read its output, and those below
 * them that do not rest. Below the shell or agent that runs sooth is unrelated work. */
static void add_beyond(const struct process_table *table, uint32_t root, struct buffer *pids)
{
	const struct process_entry *self = process_table_find(table, (uint32_t)getpid());
	struct buffer records = { 0 }, beyond = { 0 }, below = { 0 };
	const uint32_t *all;

	read_waits(&root, 1, &records);
	wait_find_beyond(&(struct batch){ records.data, records.size }, root, &beyond);
	all = (const void *)beyond.data;
	for (size_t i = 0; i < beyond.size / sizeof(*all); i++) {
		const struct process_entry *p = process_table_find(table, all[i]);

		if (!p || p->id.pid == (uint64_t)getpid())
			continue;
		add_pid(p, pids);
		if (!process_table_is_below(self, p))
			add_below(p, false, &below);
	}
	drop_resting_processes(&below);
	all = (const void *)below.data;
	for (size_t i = 0; i < below.size / sizeof(*all); i++) {
		if (all[i] != root)
			add_pid(process_table_find(table, all[i]), pids);
	}
	buffer_fini(&below);
	buffer_fini(&beyond);
	buffer_fini(&records);
}

/* Adds the processes that two or more of the targets wait for: they have one cause. */
static void add_shared(
	const struct process_table *table, const struct buffer *targets, struct buffer *pids)
{
	const uint32_t *all = (const void *)targets->data, *beyond;
	size_t count = targets->size / sizeof(*all);
	struct buffer one = { 0 }, before = { 0 };

	for (size_t i = 0; i < count && count <= SHARED_MOST; i++) {
		buffer_reset(&one);
		add_beyond(table, all[i], &one);
		beyond = (const void *)one.data;
		for (size_t k = 0; k < one.size / sizeof(*beyond); k++) {
			if (diagnosing_has_pid(&before, beyond[k]) &&
				!diagnosing_has_pid(targets, beyond[k]))
				add_pid(process_table_find(table, beyond[k]), pids);
		}
		buffer_append(&before, one.data, one.size);
	}
	buffer_fini(&before);
	buffer_fini(&one);
}

/* --- the session of an agent --- */

/* Returns the main process of the session that the process leads or has launched; NULL: none. */
static const struct process_entry *main_of(const struct process_entry *p)
{
	bool is_launcher = p && p->has_role && p->role == AGENT_ROLE_LAUNCHER;

	return p && (is_launcher || p->link == PROCESS_LINK_SELF) ? p->main : NULL;
}

/* Returns whether both have one user: any user can give a process the environment of another user's
 * session. */
static bool is_of_user(const struct process_entry *p, const struct process_entry *main)
{
	return p->process->uid == main->process->uid || process_table_is_below(p, main);
}

static void add_session(const struct process_table *table, const struct process_entry *main,
	const struct buffer *pids, struct buffer *more)
{
	process_table_for_each (table, p) {
		uint32_t pid = p->id.pid;

		if (main && p->main == main && is_of_user(p, main) && p->is_there &&
			more->size / sizeof(pid) < SESSION_MOST && p->process->state != 'Z' &&
			pid != (uint32_t)getpid() && !diagnosing_has_pid(pids, pid) &&
			!diagnosing_has_pid(more, pid))
			buffer_append(more, &pid, sizeof(pid));
	}
}

/* --- both --- */

/* Appends related processes to `more`. Returns whether these are all. */
static bool find_more(const struct buffer *pids, struct buffer *more)
{
	const uint32_t *all = (const void *)pids->data;
	size_t count = pids->size / sizeof(*all);
	struct sooth_error ignored;
	struct process_table table;
	bool is_known = true;

	buffer_reset(more);
	if (!process_table_scan_all(&table, &ignored)) {
		for (size_t i = 0; i < count; i++)
			add_session(
				&table, main_of(process_table_find(&table, all[i])), pids, more);
		if (count == 1 && !more->size) {
			is_known = find_awaited_below(&table, all[0], more);
			add_beyond(&table, all[0], more);
		} else if (!more->size) {
			add_shared(&table, pids, more);
		}
	}
	process_table_fini(&table);
	return is_known;
}

int diagnosing_add_related(struct buffer *pids, struct sooth_error *err)
{
	struct buffer below = { 0 };
	bool is_any;

	for (unsigned i = 0; i < LOOKS && !find_more(pids, &below); i++)
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	is_any = below.size;
	buffer_append(pids, below.data, below.size);
	if (buffer_failed(&below) || buffer_failed(pids)) {
		buffer_fini(&below);
		return error_no_memory(err);
	}
	buffer_fini(&below);
	return is_any;
}
