/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_managed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/runtimes/runtimes_seen.h"

#define PROCESSES_NAMED 8

struct managed {
	enum maps_runtime runtime;
	const char *heap, *why, *snapshot;
};

static const struct managed kinds[] = {
	{ MAPS_V8, "the JavaScript heap", "V8 takes its memory from the kernel, not from malloc",
		"a program started with node --heapsnapshot-signal=SIGUSR2 writes a heap snapshot "
		"on "
		"kill -USR2" },
	{ MAPS_JAVASCRIPTCORE, "the JavaScript heap",
		"JavaScriptCore takes its memory from the kernel, not from malloc",
		"Claude Code writes a heap snapshot on /heapdump, programs of Bun by "
		"v8.writeHeapSnapshot()" },
	{ MAPS_JAVA, "the Java heap", "the JVM takes its memory from the kernel, not from malloc",
		"jcmd PID GC.class_histogram lists the classes in it" },
	{ MAPS_GO, "the Go heap", "Go takes its memory from the kernel, not from malloc",
		"go tool pprof http://ADDRESS/debug/pprof/heap shows it, where the program serves "
		"net/http/pprof" },
	{ MAPS_PYTHON, "small objects of Python",
		"Python takes memory for objects of up to 512 bytes from the kernel, not from "
		"malloc",
		"PYTHONMALLOC=malloc at the next start has them in malloc, tracemalloc shows them "
		"in the program" },
};

static void see_mapped(int process, struct runtimes_seen *seen)
{
	struct buffer maps = { 0 };
	struct cursor lines;
	struct maps_line m;

	if (procfs_read_at(process, "maps", &maps, PROCFS_MAPS) >= 0) {
		lines = cursor_over(maps.data, maps.size);
		while (!cursor_at_end(&lines)) {
			if (maps_parse(cursor_line(&lines), &m) && m.inode && m.is_executable)
				runtimes_see_file(seen, m.path);
		}
	}
	buffer_fini(&maps);
}

/* Then small objects of Python are in malloc. */
static bool has_python_in_malloc(struct timeout *timeout, int process)
{
	struct buffer environment = { 0 };
	bool is_there = timeout_read_at(timeout, process, "environ", &environment, PROCFS_ARGUMENTS,
				TIMEOUT_MS) >= 0 &&
			memmem(environment.data, environment.size, "PYTHONMALLOC=malloc", 19);

	buffer_fini(&environment);
	return is_there;
}

static void emit_kinds(struct backend_run *run, const struct process_id *id,
	struct timeout *timeout, int process, const struct runtimes_seen *seen)
{
	struct buffer name = { 0 };
	bool has_pages = run->options.observer.profile_pages;
	char what[96], remedy[320];
	int size = 0;

	if (timeout_read_at(timeout, process, "comm", &name, PROCFS_STAT, TIMEOUT_MS) >= 0 &&
		name.size)
		size = (int)name.size - 1; /* the end of the line */
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct managed *kind = &kinds[i];

		if (!seen->why[kind->runtime][0] ||
			(kind->runtime == MAPS_PYTHON && has_python_in_malloc(timeout, process)))
			continue;
		snprintf(what, sizeof(what), "%s of %.*s %u%s", kind->heap, size,
			(const char *)name.data, id->pid, has_pages ? " in the calls" : "");
		if (has_pages)
			snprintf(remedy, sizeof(remedy), "the page faults have it; %s",
				kind->snapshot);
		else
			snprintf(remedy, sizeof(remedy),
				"sooth heap --pages -d 10 -p %u shows which code fills it, and how "
				"much of the memory it is; %s",
				id->pid, kind->snapshot);
		backend_limit(run, what, kind->why, remedy);
	}
	buffer_fini(&name);
}

static bool is_the_same(int process, const struct process_id *id)
{
	struct process_id now;

	return !procfs_identify_at(process, &now) && now.start_ticks == id->start_ticks;
}

void heap_managed_emit(struct backend_run *run, const struct buffer *processes)
{
	const struct process_id *all = (const void *)processes->data;
	size_t count = processes->size / sizeof(*all);
	struct timeout timeout = { 0 };
	struct runtimes runtimes;

	runtimes_init(&runtimes);
	for (size_t i = 0; i < count && i < PROCESSES_NAMED; i++) {
		_cleanup_close_ int process = procfs_open((pid_t)all[i].pid);
		struct runtimes_seen seen = { 0 };

		if (process < 0 || !is_the_same(process, &all[i]))
			continue;
		runtimes_see_executable(&runtimes, &timeout, process, &seen);
		see_mapped(process, &seen);
		emit_kinds(run, &all[i], &timeout, process, &seen);
	}
	runtimes_fini(&runtimes);
	timeout_fini(&timeout);
}
