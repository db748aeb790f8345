/* SPDX-License-Identifier: BSD-2-Clause */
/* Inspects one process: returns one table of a view, by its name. */
#include <sooth/inspect.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "library/observation.h"
#include "library/table.h"

#define INTERVAL_NS 200000000ull
#define AT_ONCE_NS  1 /* a single sample needs no interval */

/* The views and their tables. A view has the name of its probe. */
static const struct view {
	const char *name, *tables[8]; /* the others summarize the rows of the first */
} views[] = {
	{ "fds", { "fds", "by_type", "fd_limits", "fd_holders", "fd_paths", "epoll",
			 "watch_directories", "watches" } },
	{ "sockets", { "sockets", "sockets_by_state", "sockets_totals" } },
	{ "maps", { "maps", "memory_classes", "map_memory", "map_runtimes" } },
	{ "threads", { "threads", "threads_by_state", "threads_totals" } },
	{ "signals", { "signals", "signals_totals" } },
	{ "limits", { "resource_limits", "control_groups", "pressure", "oom" } },
	{ "environment", { "environment", "environment_totals" } },
};

struct detail {
	struct sooth_table *table;
	const char *section;
	const struct view *view;
	size_t main_rows;
	bool is_refused; /* the system refused to read some value */
};

/* Returns the view that has a table of this name; NULL: none. */
static const struct view *view_of(const char *table)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		for (size_t k = 0; k < 8 && views[i].tables[k]; k++) {
			if (!strcmp(views[i].tables[k], table))
				return &views[i];
		}
	}
	return NULL;
}

/* Notes a refused value. If a process cannot be read, only the summary rows show the refusal. */
static void look_for_refusal(
	struct detail *d, const struct sooth_schema *schema, const struct sooth_record *row)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		struct sooth_value v = sooth_field_get(&schema->fields[i], row);

		if (v.state == SOOTH_STATE_NOT_MEASURED && v.reason == SOOTH_REASON_PERMISSION)
			d->is_refused = true;
	}
}

static int take_row(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	struct detail *d = user;

	if (view_of(section) == d->view)
		look_for_refusal(d, schema, row);
	d->main_rows += !strcmp(section, d->view->tables[0]);
	return strcmp(section, d->section) ? 0 : table_append(d->table, schema, row);
}

static int refuse_permission(const char *table, pid_t pid, struct sooth_error *err)
{
	error_set(
		err, -EACCES, SOOTH_FAULT_PRIVILEGE, "read \"%s\" of process %d", table, (int)pid);
	error_why(err, "permission denied");
	error_missing(err, "the right to trace the process (ptrace(2)), or cap_sys_ptrace");
	return error_remedy(err, "run this program as the user of the process, or as root");
}

static int refuse_table(const char *table, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "inspect \"%s\"", table ? table : "");
	error_why(err, "there is no table of this name");
	return error_remedy(err, "<sooth/inspect.h> lists the tables");
}

struct sooth_table *sooth_inspect(pid_t pid, const char *table,
	const struct sooth_inspect_options *options, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_inspect_options o;
	struct detail detail = { .section = table, .view = table ? view_of(table) : NULL };
	const char *view = detail.view ? detail.view->name : NULL;
	/* The table of descriptors needs to know which sockets listen. */
	const struct observation_probe probes[] = { { view, SOOTH_SAMPLE | SOOTH_DETAIL },
		{ view && !strcmp(view, "fds") ? "sockets" : NULL, SOOTH_SAMPLE | SOOTH_BRIEF },
		{ NULL, 0 } };
	struct observation n = { .name = "inspect",
		.view = view,
		.pid = pid,
		.probes = probes,
		.take = take_row,
		.user = &detail };

	if (!view) {
		refuse_table(table, err);
		return NULL;
	}
	if (options_copy(&o, sizeof(o), options, err) ||
		observation_check_pid(pid, "inspect", err) ||
		observation_options(&n.options, o.observer, err))
		return NULL;
	n.duration_ns = strcmp(view, "threads") ? AT_ONCE_NS
			: o.interval_ns		? o.interval_ns
						: INTERVAL_NS;
	n.options.sample_ns = 0;
	detail.table = table_new(err);
	if (detail.table &&
		(observation_run(&n, err) || (detail.is_refused && !detail.main_rows &&
						     refuse_permission(table, pid, err)))) {
		sooth_table_free(detail.table);
		return NULL;
	}
	return detail.table;
}
