/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/profile_task.h"

#include <string.h>

#include "base/cleanup.h"

#define LEAST 0.5 /* least share of the samples */

enum task {
	TASK_LUA,
	TASK_SCAN,
	TASK_SORT,
	TASK_INDEX,
	TASK_VACUUM,
	TASK_SSCANF,
	TASKS,
};

static const struct {
	const char *text, *remedy;
	const char *effect;   /* effect on other clients; NULL: none */
	const char *files[2]; /* beginnings of program names */
} tasks[TASKS] = {
	[TASK_LUA] = { "a Lua script",
		"redis-cli SLOWLOG GET 5 shows the script once it has ended; redis-cli SCRIPT KILL "
		"ends one that has written nothing",
		"while it runs, all other clients wait, or get the error BUSY",
		{ "redis", "valkey" } }, /* redis-server is a link to redis-check-rdb */
	[TASK_SCAN] = { "a scan of a table, row by row",
		"select pid, query from pg_stat_activity shows the query, explain its plan: an "
		"index may be missing",
		NULL, { "postgres" } },
	[TASK_SORT] = { "a sort of rows",
		"select pid, query from pg_stat_activity shows the query; raise work_mem, or add "
		"an index that has the order of its sort",
		NULL, { "postgres" } },
	[TASK_INDEX] = { "building an index",
		"select * from pg_stat_progress_create_index shows how far it is", NULL,
		{ "postgres" } },
	/* Called by sscanf(3) and vsscanf(3) of glibc before they read anything: libio/strops.c. */
	[TASK_SSCANF] = { "sscanf, which looks for the end of the whole string at each call: where "
			  "that "
			  "is long, the time grows with its square",
		"give sscanf a copy of the next line or field, or use strtod and strtol, which "
		"stop "
		"behind the number",
		NULL, { "libc.so", "libc-2" } },
	[TASK_VACUUM] = { "VACUUM", "select * from pg_stat_progress_vacuum shows how far it is",
		NULL, { "postgres" } },
};

/* Beginnings of the names that these programs export: their other functions lose their names when
 * stripped. Special names precede general ones. */
static const struct {
	const char *name;
	enum task task;
} functions[] = {
	{ "scriptCall", TASK_LUA },
	{ "luaCallFunction", TASK_LUA },
	{ "luaRedis", TASK_LUA },
	{ "lua_", TASK_LUA },
	{ "luaV_", TASK_LUA },
	{ "luaD_", TASK_LUA },
	{ "parseReply", TASK_LUA },
	{ "btbuild", TASK_INDEX },
	{ "tuplesort_performsort", TASK_SORT },
	{ "vacuum", TASK_VACUUM },
	{ "_IO_str_init_static", TASK_SSCANF },
	{ "ExecScan", TASK_SCAN },
};

static bool is_task_of_file(enum task task, struct span file)
{
	for (size_t i = 0; i < ARRAY_SIZE(tasks[task].files) && tasks[task].files[i]; i++) {
		if (span_starts(file, tasks[task].files[i]))
			return true;
	}
	return false;
}

/* Returns the task of a function; TASKS: none. */
static enum task task_of(const struct profile_sums *s, const struct profile_stacked *stacked)
{
	size_t best = ARRAY_SIZE(functions);

	for (size_t i = 0; i < stacked->depth; i++) {
		const struct profile_function *f = stacked->frames[i];
		struct span name = names_get(&s->names, f->name),
			    file = names_get(&s->names, f->file);

		for (size_t k = 0; f->is_named && k < best; k++) {
			if (span_starts(name, functions[k].name) &&
				is_task_of_file(functions[k].task, file))
				best = k;
		}
	}
	return best < ARRAY_SIZE(functions) ? functions[best].task : TASKS;
}

struct profile_task profile_task_find(const struct profile_sums *s, const struct process_id *id)
{
	struct profile_stacked stacked;
	uint64_t counts[TASKS + 1] = { 0 }, samples = 0;
	size_t position = 0;

	while (profile_sums_next(s, &position, &stacked)) {
		if (memcmp(&stacked.id, id, sizeof(*id)) != 0)
			continue;
		samples += stacked.count.samples;
		counts[task_of(s, &stacked)] += stacked.count.samples;
	}
	for (size_t i = 0; i < TASKS; i++) {
		if (counts[i] && (double)counts[i] >= LEAST * (double)samples)
			return (struct profile_task){ .text = tasks[i].text,
				.remedy = tasks[i].remedy,
				.effect = tasks[i].effect,
				.samples = counts[i],
				.of_samples = samples };
	}
	return (struct profile_task){ .of_samples = samples };
}
