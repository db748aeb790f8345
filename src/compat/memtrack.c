/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memtrack, also called codspeed-memtrack: launches a command, and writes each of its allocations
 * and frees as a line of JSON. CODSPEED_LOG sets the log level.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/heap/heap_emit.h"
#include "analyze/heap/heap_table.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/command/compat.h"
#include "cli/terminal/log.h"
#include "cli/run.h"
#include "compat/memtrack_arguments.h"

static void print_help(const char *name)
{
	printf("%s - allocations of a command and its children, as lines of JSON (sooth)\n\nUsage: "
	       "%s track COMMAND [ARG...] [--output FILE]\n       %s track [--output FILE] -- "
	       "COMMAND "
	       "[ARG...]\n\n  -o, --output FILE            output file (mode 0600), or a folder: "
	       "then the file is\n"
	       "                               PID.MemtrackArtifact.jsonl in it (default: the "
	       "current folder)\n  -h, --help   "
	       "                this help\n  -V, --version                the version\n\nA line: "
	       "pid, tid, timestamp (ns, CLOCK_MONOTONIC), addr, type, size; a Realloc\nalso has "
	       "old_addr, a Free no size, a failed call addr 0; a failed\nposix_memalign also has "
	       "error.\ntype: Malloc, Free, "
	       "Calloc, Realloc, AlignedAlloc.\n\nA COMMAND that is one word with blanks in it is "
	       "run by sh(1).\nCODSPEED_LOG=error|warn|info|debug|trace sets the log "
	       "level; trace includes libbpf.\n`sooth heap` explains the same calls.\n",
		name, name, name);
}

/* Its levels, mapped to those of sooth. Unknown ones leave the default. */
static void want_log(void)
{
	static const struct {
		const char *theirs, *ours;
	} levels[] = { { "off", "none" }, { "error", "error" }, { "warn", "warning" },
		{ "info", "info" }, { "debug", "debug" }, { "trace", "trace" } };
	const char *level = getenv("CODSPEED_LOG");

	for (size_t i = 0; level && i < ARRAY_SIZE(levels); i++) {
		if (!strcmp(level, levels[i].theirs))
			log_want(levels[i].ours);
	}
}

static void tell(const char *name, const char *path, const struct heap_totals_row *totals)
{
	char allocated[UNITS_SIZE], live[UNITS_SIZE], peak[UNITS_SIZE];

	fprintf(stderr, "%s: %llu events (%s): %s allocated, %s live at the end, peak %s; ", name,
		(unsigned long long)totals->events, path,
		format_bytes(allocated, totals->allocated_bytes),
		format_bytes(live, totals->live_bytes), format_bytes(peak, totals->peak_bytes));
	if (totals->lost)
		fprintf(stderr, "LOST %llu\n", (unsigned long long)totals->lost);
	else
		fprintf(stderr, "lost nothing%s\n",
			totals->inexact_state == SOOTH_STATE_VALUE
				? ", but some calls were not seen"
				: "");
}

/* --- the file --- */

/* The name that memtrack gives its file; the ending says that these are lines of JSON. */
static int name_in(const char *folder, pid_t pid, char **path, struct sooth_error *err)
{
	size_t size = strlen(folder);

	if (asprintf(path, "%s%s%d.MemtrackArtifact.jsonl", folder,
		    size && folder[size - 1] == '/' ? "" : "/", (int)pid) >= 0)
		return 0;
	*path = NULL;
	return error_no_memory(err);
}

static const char *folder_of(const struct memtrack_arguments *words)
{
	struct stat st;

	if (!words->output)
		return ".";
	return !stat(words->output, &st) && S_ISDIR(st.st_mode) ? words->output : NULL;
}

/* The PID of the command is known once it runs: until the end the file has the tool's own. */
static int rename_for(const char *folder, pid_t launched, char **path, struct sooth_error *err)
{
	_cleanup_free_ char *before = *path;
	int status = name_in(folder, launched, path, err);

	if (!status && rename(before, *path))
		status = error_errno(err, -errno, "rename %s to %s", before, *path);
	return status;
}

static int track_into(struct memtrack_arguments *words, const char *path, pid_t *launched,
	struct heap_totals_row *totals, struct sooth_error *err)
{
	char *shell[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", words->command[0],
		NULL };
	bool is_line = !words->command[1] && strpbrk(words->command[0], " \t\n");
	struct target_options target = { 0 };
	struct output_options output = { 0 };
	struct arguments arguments = { .command = is_line ? shell : words->command };
	struct heap_table_options options = { .reported = totals };
	struct run run = {
		.name = "heap",
		.target = &target,
		.output = &output,
		.arguments = &arguments,
		.probes = { { "heap", SOOTH_COUNT | SOOTH_STREAM } },
		.views = { { "heap-table", &options } },
		.product = { .path = path,
			.view = { "heap-lines", NULL },
			.sink = "json-rows",
			.is_named = true },
		.is_silent = true,
		.allowed = TARGET_MAY_BE_COMMAND,
		.may_pause = true,
		.launched = launched,
	};

	return run_report(&run, err);
}

static int track(const char *name, struct memtrack_arguments *words, struct sooth_error *err)
{
	const char *folder = folder_of(words);
	_cleanup_free_ char *named = NULL;
	struct heap_totals_row totals = { 0 };
	pid_t launched = 0;
	int status = folder ? name_in(folder, getpid(), &named, err) : 0, moved;

	if (!status)
		status = track_into(words, named ?: words->output, &launched, &totals, err);
	if (named && launched && !access(named, F_OK)) {
		moved = rename_for(folder, launched, &named, status < 0 ? NULL : err);
		status = status < 0 || !moved ? status : moved;
	}
	if (status >= 0)
		tell(name, named ?: words->output, &totals);
	return status;
}

static int run_memtrack(const char *name, int argc, char **argv, struct sooth_error *err)
{
	struct memtrack_arguments words;
	int status;

	want_log();
	status = memtrack_arguments_parse(&words, argc, argv, err);
	if (!status &&
		!compat_answer((struct compat_requested){ words.wants_help, words.wants_version },
			name, print_help))
		status = track(name, &words, err);
	return status;
}

const struct compat compat_memtrack = { run_memtrack };
