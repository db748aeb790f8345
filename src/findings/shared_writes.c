/* SPDX-License-Identifier: BSD-2-Clause */
/* shared-writes: two sessions of agents write the same file of a project: each session works with a
 * state of the file that the other session changes. Files of agents themselves (below folders whose
 * names begin with a dot) are made for several sessions, and do not count. */
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "explain/finding.h"

#define SHOWN_MAX 3

static const struct finding_option options[] = {
	THRESHOLD("min-writes", 2, 1, 1e9,
		"minimum number of writes of each of the sessions to the file"),
};

/* A file that a process of another session writes too. */
struct shared {
	const struct process_entry *other; /* the process; NULL: none */
	double writes;
};

struct look {
	const struct check *e;
	struct span place; /* the project of the session */
};

static const struct process_entry *main_of(const struct process_entry *p)
{
	return p && p->owner_agent ? p->main : NULL;
}

static double writes_to(const struct call_history *h, const struct call_path *path)
{
	const struct call_file *f = map_get(&h->files, path);

	return f ? (double)f->moves[CALL_WRITTEN].calls : 0;
}

/* Returns whether the file is in the project: "/p/src/a.c" in "/p", not "/p/.git/index". */
static bool is_in_project(const struct look *l, const char *path)
{
	return l->place.size > 1 && !strncmp(path, l->place.data, l->place.size) &&
	       path[l->place.size] == '/' && !strstr(path + l->place.size, "/.");
}

/* Returns the process of another session that writes the file most. */
static struct shared find_other(const struct look *l, const struct call_path *path)
{
	const struct process_entry *own = main_of(l->e->process);
	struct shared found = { 0 };

	map_for_each_value (&l->e->input->calls.processes, struct call_history *const *, value) {
		const struct call_history *h = *value;
		const struct process_entry *p =
			process_table_get(&l->e->input->host.process_table, &h->id);
		double writes = main_of(p) && main_of(p) != own ? writes_to(h, path) : 0;

		if (writes >= check_option(l->e, "min-writes") && writes > found.writes)
			found = (struct shared){ p, writes };
	}
	return found;
}

static double weigh(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_path *path = key;
	double writes = (double)((const struct call_file *)value)->moves[CALL_WRITTEN].calls;

	if (writes < check_option(l->e, "min-writes") || !is_in_project(l, path->text) ||
		!find_other(l, path).other)
		return 0;
	return writes;
}

static void report(const struct look *l, struct check_result *out, const struct check_calls *c,
	const struct call_path *path)
{
	struct shared other = find_other(l, path);
	const struct process_entry *main = main_of(other.other);

	finding_begin(out, FINDING_CONFIDENCE_HIGH, path->text);
	finding_path(out, span_of_string(path->text));
	finding_claim(out, "writes %s, and another session of %s (main process %u) writes it too",
		path->text, main->owner_agent->title, main->id.pid);
	finding_number(out, "writes by this process", writes_to(c->history, path), SOOTH_UNIT_NONE,
		c->interval_ns);
	finding_text(out, "process id of the other process", "%u", other.other->id.pid);
	finding_number(
		out, "writes by the other process", other.writes, SOOTH_UNIT_NONE, c->interval_ns);
	finding_unseen(out, "whether it is intended that both sessions write this file");
	check_calls_unseen(c, l->e, out);
	finding_remedy(out,
		"let one session work in this folder, or give each a copy of its own: git "
		"worktree add FOLDER");
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct process_entry *main = main_of(e->process);
	struct check_ranked files[SHOWN_MAX];
	struct check_calls c;
	struct look l;
	size_t count;

	if (!check_calls_begin(&c, e, out))
		return;
	if (!main) {
		check_fine(out, "no process of a session");
		return;
	}
	l = (struct look){ e, process_table_text(&e->input->host.process_table, &main->place) };
	count = check_rank(&c.history->files, weigh, &l, files, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report(&l, out, &c, files[i].key);
	if (!count)
		check_calls_fine(e, out, "no file that another observed session writes");
}

const struct finding_type finding_shared_writes = {
	.id = "shared-writes",
	.claim = "two sessions of agents write the same file",
	.probes = "syscalls",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
