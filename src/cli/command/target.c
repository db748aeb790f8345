/* SPDX-License-Identifier: BSD-2-Clause */
/* The target options that every command shares, and what a word without an option is. */
#include "cli/command/target.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "capture/block.h"
#include "explain/time_range.h"
#include "import/import.h"

static const char *const capture_endings[] = { ".sooth", ".MemtrackArtifact.msgpack",
	".MemtrackArtifact.jsonl" };

const struct option target_option_rows[TARGET_OPTION_COUNT] = {
	VALUE_ROW('p', "pid", LIST, "PID[,PID...]", target_options, pids,
		"processes with these process ids"),
	VALUE_ROW(0, "session", LIST, "ID", target_options, sessions,
		"processes of the session with this id (or its first 4+ characters) or main PID"),
	VALUE_ROW(0, "agent", LIST, "NAME", target_options, agents,
		"processes of the agent with this name; `sooth ps --list-agents` lists the names"),
	VALUE_ROW('u', "user", TEXT, "USER", target_options, user,
		"processes of the user with this name or user id"),
	VALUE_ROW(0, "cgroup", TEXT, "PATH", target_options, control_group,
		"processes in this control group and below it; path as in /proc/PID/cgroup"),
	VALUE_ROW(0, "container", LIST, "ID", target_options, containers,
		"processes of the container with this id (or its first 4+ characters) or name"),
	VALUE_ROW(0, "port", LIST, "PORT", target_options, ports,
		"processes that listen on this TCP port, or have this UDP port"),
	VALUE_ROW(0, "open", LIST, "PATH", target_options, files,
		"processes that have this file open"),
	/* This row is the last one: see TARGET_SOME_GROUP. */
	FLAG_ROW('a', "all", target_options, all, "all processes on this host except sooth"),
};

const struct option time_range_option_rows[TIME_RANGE_OPTION_COUNT] = {
	VALUE_ROW(0, "from", TEXT, "TIME", time_range_options, from,
		"start of the time range: 12s = 12 s after the capture starts, -5s = 5 s before it "
		"ends"),
	VALUE_ROW(0, "to", TEXT, "TIME", time_range_options, to,
		"end of the time range, in the same form as --from"),
};

/* --- words --- */

static bool parse_process(const char *text, struct process_id *process)
{
	const char *at = strchr(text, '@');
	size_t size = at ? (size_t)(at - text) : strlen(text);
	uint64_t pid, start = 0;
	char number[16];

	if (at && (!parse_u64(at + 1, &start) || !start))
		return false;
	/* A number that was cut would name another process. */
	if (size >= sizeof(number))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)size, text);
	if (!parse_u64(number, &pid) || !pid || pid > INT32_MAX)
		return false;
	*process = (struct process_id){ .start_ticks = start, .pid = pid };
	return true;
}

static bool is_named_like_capture(const char *word)
{
	size_t size = strlen(word);

	for (size_t i = 0; i < ARRAY_SIZE(capture_endings); i++) {
		size_t ending = strlen(capture_endings[i]);

		if (size > ending && !strcmp(word + size - ending, capture_endings[i]))
			return true;
	}
	return false;
}

/* Returns whether a word is a capture. A bare name is a file only if the file is a capture: a file
 * here may have the name of a process. */
static bool is_capture_file(const char *word)
{
	_cleanup_close_ int fd = open(word, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char magic[BLOCK_MAGIC_SIZE];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	return read(fd, magic, sizeof(magic)) == sizeof(magic) &&
	       (!memcmp(magic, BLOCK_MAGIC, sizeof(magic)) || import_accepts(magic));
}

enum target_word target_word(const char *word, struct process_id *process)
{
	/* 5@ and @5 are mistyped PIDs, and no names. */
	if (parse_process(word, process) || word[strspn(word, "0123456789@")] == '\0')
		return TARGET_WORD_PID;
	if (!strcmp(word, "-") || strchr(word, '/') || is_named_like_capture(word) ||
		is_capture_file(word))
		return TARGET_WORD_CAPTURE;
	return TARGET_WORD_NAME;
}

const char *target_capture(const struct arguments *a)
{
	struct process_id ignored;

	assert(a);
	for (size_t i = 0; i < a->count && !a->command; i++) {
		if (target_word(a->items[i], &ignored) == TARGET_WORD_CAPTURE)
			return a->items[i];
	}
	return NULL;
}

int target_needs_capture(const char *command, const struct arguments *a, struct sooth_error *err)
{
	assert(a);

	const char *word = a->count ? a->items[0] : NULL;
	bool is_missing = word && access(word, F_OK);

	if (target_capture(a))
		return 0;
	if (!word || a->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s without one capture", command);
		error_why(err, "`sooth %s` reads one capture file", command);
	} else {
		error_set(err, is_missing ? -ENOENT : -EINVAL,
			is_missing ? SOOTH_FAULT_NOT_FOUND : SOOTH_FAULT_USAGE, "read %s", word);
		error_why(err, is_missing ? "no such file" : "not a sooth capture");
	}
	return error_remedy(err, "name one capture written by `sooth record` or --save");
}

bool target_has_holders(const struct target_options *t)
{
	assert(t);
	return t->ports.count || t->files.count;
}

bool target_has_groups(const struct target_options *t)
{
	assert(t);
	return t->sessions.count || t->agents.count || t->containers.count || t->control_group;
}

bool target_is_given(const struct target_options *t, const struct arguments *a)
{
	assert(t);
	assert(a);
	return t->pids.count || target_has_holders(t) || target_has_groups(t) || t->user ||
	       t->all || a->command || a->count > (target_capture(a) != NULL);
}

/* --- values --- */

int target_reused_pid(const struct process_id *id, struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u that started at %llu",
		id->pid, (unsigned long long)id->start_ticks);
	error_why(err, "this process has exited, and another process has its PID now");
	return error_remedy(err, "`sooth ps` lists the running processes");
}

int target_bad_pid(const char *text, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\" as a PID", text);
	error_why(err, "expected a number from 1 to %d, or PID@START", INT32_MAX);
	return error_remedy(err, "`sooth ps -a` lists processes");
}

int target_parse_user(const char *text, uid_t *uid, struct sooth_error *err)
{
	struct passwd *known = getpwnam(text);
	uint64_t number;

	if (known) {
		*uid = known->pw_uid;
		return 0;
	}
	if (parse_u64(text, &number) && number < UINT32_MAX) {
		*uid = (uid_t)number;
		return 0;
	}
	error_set(err, -ENOENT, SOOTH_FAULT_NOT_FOUND, "find the user %s", text);
	error_why(err, "this system has no user of that name");
	return error_remedy(err, "give a name that `getent passwd` lists, or a number");
}

/* --- the time range --- */
