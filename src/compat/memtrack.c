/* SPDX-License-Identifier: BSD-2-Clause */
/* memtrack, also called codspeed-memtrack: launches a command, and writes each of its allocations,
 * frees and mappings: as lines of JSON into a file, or as MessagePack into a folder. CODSPEED_LOG
 * sets the log level. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/heap/heap_emit.h"
#include "analyze/heap/heap_lines.h"
#include "analyze/heap/heap_table.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/command/compat.h"
#include "cli/control/ipc_channel.h"
#include "cli/terminal/log.h"
#include "cli/run.h"
#include "compat/memtrack_arguments.h"

#define EXIT_LOST 1

static void print_help(const char *name)
{
	printf("%s - allocations of a command and its children, each one (sooth)\n\nUsage: %s "
	       "track COMMAND [ARG...] [--output FILE]\n       %s track [--output FILE] -- COMMAND "
	       "[ARG...]\n\n  -o, --output FILE            output file (mode 0600): lines of JSON; "
	       "or a folder:\n"
	       "                               then MessagePack in zstd frames goes to\n"
	       "                               PID.MemtrackArtifact.msgpack in it (default: the\n"
	       "                               current folder)\n"
	       "      --ipc-server NAME        record nothing until the program that made this\n"
	       "                               socket (an ipc-channel) enables it; Enable,\n"
	       "                               Disable and Ping are answered\n  -h, --help         "
	       "          this help\n  -V, --version                the version\n\nAn event: pid, "
	       "tid, timestamp (ns, CLOCK_MONOTONIC), addr, type, size; a Realloc\nalso has "
	       "old_addr, a Free no size. Lines of JSON also have failed calls: addr 0; a\nfailed "
	       "posix_memalign also has error.\ntype: Malloc, Free, Calloc, Realloc, AlignedAlloc; "
	       "Mmap, Munmap, Brk.\n\nOn request also resident memory: "
	       "CODSPEED_MEMTRACK_TRACK_PHYSICAL=1 adds\nRss (member: 0 file, 1 anonymous, 2 "
	       "swapped, "
	       "3 shared; size), Fork (parent_pid),\nExec and Exit; CODSPEED_MEMTRACK_TRACK_RMAP=1 "
	       "also Rmap (member, delta in pages);\nCODSPEED_MEMTRACK_TRACK_ALLOCATORS=0 leaves "
	       "out "
	       "what allocators do.\n\nA COMMAND that is one word with blanks in it is run by "
	       "bash(1), or sh(1). The exit status is the\ncommand's; 1 if it is 0 and events were "
	       "lost.\nCODSPEED_LOG=error|warn|info|debug|trace sets the log level; trace includes "
	       "libbpf.\n`sooth heap` explains the same calls, and reads the folder's file: sooth "
	       "heap FILE.\n",
		name, name, name);
}

/* Maps the log levels of memtrack to those of sooth. An unknown level leaves the default. */
static void set_log_level(void)
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

/* The result of the run, to print it as one sentence. */
struct outcome {
	struct heap_totals_row totals;
	char inexact[512];
	uint64_t lost_memory; /* lost changes of resident memory, starts and ends of processes */
};

static bool is_on(const char *variable, bool otherwise)
{
	const char *value = getenv(variable);

	return value ? *value && strcmp(value, "0") && strcmp(value, "false") : otherwise;
}

/* Selects what variables of later versions of memtrack demand. Resident memory is the first probe:
 * then its last values come before the end of their process. */
static void select_memory(struct run *run, struct heap_lines_options *lines, struct outcome *o)
{
	bool has_calls = is_on("CODSPEED_MEMTRACK_TRACK_ALLOCATORS", true);

	lines->lost = &o->lost_memory;
	lines->has_rmap = is_on("CODSPEED_MEMTRACK_TRACK_RMAP", false);
	lines->has_rss =
		lines->has_rmap || !has_calls || is_on("CODSPEED_MEMTRACK_TRACK_PHYSICAL", false);
	if (!lines->has_rss)
		return;
	if (has_calls)
		run->probes[2] = run->probes[0];
	run->probes[0] = (struct run_probe){ "resident", SOOTH_STREAM };
}

static void print_outcome(const char *name, const char *path, const struct outcome *o)
{
	const struct heap_totals_row *t = &o->totals;
	char allocated[UNITS_SIZE], live[UNITS_SIZE], peak[UNITS_SIZE];

	if (t->measured_state != SOOTH_STATE_VALUE) {
		fprintf(stderr, "%s: %s: allocations are not measured: %s%s\n", name, path,
			t->lost ? "events were LOST; " : "",
			o->inexact[0] ? o->inexact : "they are left out on request");
		return;
	}
	fprintf(stderr, "%s: %llu events (%s): %s allocated, %s live at the end, peak %s; ", name,
		(unsigned long long)t->events, path, format_bytes(allocated, t->allocated_bytes),
		format_bytes(live, t->live_bytes), format_bytes(peak, t->peak_bytes));
	if (t->lost)
		fprintf(stderr, "LOST %llu", (unsigned long long)t->lost);
	else
		fputs("lost nothing", stderr);
	fprintf(stderr, "%s%s\n", o->inexact[0] ? "; not exact: " : "", o->inexact);
}

/* --- the file --- */

/* Sets the name that memtrack gives its output file. */
static int name_in(const char *folder, pid_t pid, char **path, struct sooth_error *err)
{
	size_t size = strlen(folder);

	if (asprintf(path, "%s%s%d.MemtrackArtifact.msgpack", folder,
		    size && folder[size - 1] == '/' ? "" : "/", (int)pid) >= 0)
		return 0;
	*path = NULL;
	return error_no_memory(err);
}

static const char *output_folder(const struct memtrack_arguments *words)
{
	struct stat st;

	if (!words->output)
		return ".";
	return !stat(words->output, &st) && S_ISDIR(st.st_mode) ? words->output : NULL;
}

/* Renames the file after the PID of the command, which is known only once the command runs: until
 * then the name has the PID of sooth. */
static int rename_for(const char *folder, pid_t launched, char **path, struct sooth_error *err)
{
	_cleanup_free_ char *before = *path;
	int status = name_in(folder, launched, path, err);

	if (!status && rename(before, *path))
		status = error_errno(err, -errno, "rename %s to %s", before, *path);
	return status;
}

/* Records into a file. `ipc` NULL: recording begins at the start. */
static int track_into(struct memtrack_arguments *words, const char *path, bool is_artifact,
	struct ipc_channel *ipc, pid_t *launched, struct outcome *outcome, struct sooth_error *err)
{
	const char *name = access("/bin/bash", X_OK) ? "sh" : "bash";
	char *shell[] = { (char *)(uintptr_t)name, (char *)(uintptr_t) "-c", words->command[0],
		NULL };
	bool is_line = !words->command[1] && strpbrk(words->command[0], " \t\n");
	struct target_options target = { 0 };
	struct output_options output = { 0 };
	struct arguments arguments = { .command = is_line ? shell : words->command };
	struct heap_table_options options = { .reported = &outcome->totals,
		.inexact = outcome->inexact,
		.inexact_bytes = sizeof(outcome->inexact) };
	struct heap_lines_options lines = { .only_memory = is_artifact };
	int status;
	struct run run = {
		.name = "heap",
		.target = &target,
		.output = &output,
		.arguments = &arguments,
		/* With pauses, counts would include calls made during them. */
		.probes = { { "heap", ipc ? SOOTH_STREAM : SOOTH_COUNT | SOOTH_STREAM },
			{ "syscalls", SOOTH_STREAM } },
		.observer.calls.call_set = "memory",
		.views = { { "heap-table", &options } },
		.product = { .path = path,
			.view = { "heap-lines", &lines },
			.sink = is_artifact ? "msgpack-rows" : "json-rows",
			.is_named = true },
		.is_silent = true,
		.allowed = TARGET_MAY_BE_COMMAND,
		.observer.heap.may_pause = true,
		.launched = launched,
		.observer.starts_paused = ipc != NULL,
		.chore = { .every_ns = ipc ? 1 : 0, .user = ipc, .act = ipc_channel_serve },
	};

	select_memory(&run, &lines, outcome);
	status = run_report(&run, err);
	outcome->totals.lost += outcome->lost_memory;
	return status;
}

static int track_command(
	const char *name, struct memtrack_arguments *words, struct sooth_error *err)
{
	const char *folder = output_folder(words);
	_cleanup_free_ char *named = NULL;
	struct outcome outcome = { 0 };
	struct ipc_channel ipc = { -1 };
	pid_t launched = 0;
	int status = folder ? name_in(folder, getpid(), &named, err) : 0, moved;

	/* Open the channel first: the other program waits for it. */
	if (!status && words->ipc_server)
		status = ipc_channel_open(&ipc, words->ipc_server, err);
	if (!status)
		status = track_into(words, named ?: words->output, folder != NULL,
			words->ipc_server ? &ipc : NULL, &launched, &outcome, err);
	ipc_channel_close(&ipc);
	if (named && launched && !access(named, F_OK)) {
		moved = rename_for(folder, launched, &named, status < 0 ? NULL : err);
		status = status < 0 || !moved ? status : moved;
	}
	if (status >= 0)
		print_outcome(name, named ?: words->output, &outcome);
	return !status && outcome.totals.lost ? EXIT_LOST : status;
}

static int run_memtrack(const char *name, int argc, char **argv, struct sooth_error *err)
{
	struct memtrack_arguments words;
	int status;

	set_log_level();
	status = memtrack_arguments_parse(&words, argc, argv, err);
	if (!status &&
		!compat_answer((struct compat_requested){ words.wants_help, words.wants_version },
			name, print_help))
		status = track_command(name, &words, err);
	return status;
}

const struct compat compat_memtrack = { run_memtrack };
