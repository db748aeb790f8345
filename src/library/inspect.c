/* SPDX-License-Identifier: BSD-2-Clause */
/* One process in detail: a table of a view, by its name. */
#include <sooth/inspect.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "library/observation.h"
#include "library/table.h"

#define INTERVAL_NS 200000000ull
#define AT_ONCE_NS  1 /* a single sample needs no interval */

/* A view is called as its probe. */
static const struct {
	const char *view, *tables[8];
} details[] = {
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
};

static const char *view_of(const char *table)
{
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
		for (size_t k = 0; k < 8 && details[i].tables[k]; k++) {
			if (!strcmp(details[i].tables[k], table))
				return details[i].view;
		}
	}
	return NULL;
}

static int take(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	const struct detail *d = user;

	return strcmp(section, d->section) ? 0 : table_append(d->table, schema, row);
}

struct sooth_table *sooth_inspect(pid_t pid, const char *table,
	const struct sooth_inspect_options *options, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_inspect_options o = { 0 };
	const char *view = table ? view_of(table) : NULL;
	struct detail detail = { .section = table };
	/* The table of descriptors needs to know which sockets listen. */
	const struct observation_probe probes[] = { { view, SOOTH_SAMPLE | SOOTH_DETAIL },
		{ view && !strcmp(view, "fds") ? "sockets" : NULL, SOOTH_SAMPLE | SOOTH_BRIEF },
		{ NULL, 0 } };
	struct observation n = { .name = "inspect",
		.view = view,
		.pid = pid,
		.probes = probes,
		.take = take,
		.user = &detail };

	options_take(&o, sizeof(o), options);
	if (pid <= 0 || !view) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "inspect process %d", (int)pid);
		if (view)
			error_why(err, "a PID is 1 or more");
		else
			error_why(err, "there is no table \"%s\"", table ? table : "");
		error_remedy(err, "<sooth/inspect.h> lists the tables");
		return NULL;
	}
	n.duration_ns = strcmp(view, "threads") ? AT_ONCE_NS
			: o.interval_ns		? o.interval_ns
						: INTERVAL_NS;
	observation_options(&n.options, o.observer);
	n.options.sample_ns = 0;
	detail.table = table_new(err);
	if (detail.table && observation_run(&n, err)) {
		sooth_table_free(detail.table);
		return NULL;
	}
	return detail.table;
}
