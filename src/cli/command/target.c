/* SPDX-License-Identifier: BSD-2-Clause */
/* What a command looks at: the target options that every such command shares. */
#include "cli/command/target.h"

#include <errno.h>
#include <pwd.h>

#include "base/units.h"
#include "core/time_range.h"

const struct option target_option_rows[TARGET_OPTION_COUNT] = {
	{ .letter = 'p',
		.name = "pid",
		.type = OPTION_LIST,
		.argument = "PID[,PID...]",
		.offset = offsetof(struct target_options, pids),
		.help = "these processes" },
	{ .letter = 'u',
		.name = "user",
		.type = OPTION_TEXT,
		.argument = "USER",
		.offset = offsetof(struct target_options, user),
		.help = "every process of a user, by name or id" },
};

const struct option time_range_option_rows[TIME_RANGE_OPTION_COUNT] = {
	{ .name = "from",
		.type = OPTION_TEXT,
		.argument = "TIME",
		.offset = offsetof(struct time_range_options, from),
		.help = "from that time after its begin on (12s, 1m); -5s: before its end" },
	{ .name = "to",
		.type = OPTION_TEXT,
		.argument = "TIME",
		.offset = offsetof(struct time_range_options, to),
		.help = "up to that time" },
};

static int parse_pid(const char *text, pid_t *pid, struct sooth_error *err)
{
	uint64_t number;

	if (parse_u64(text, &number) && number > 0 && number <= INT32_MAX) {
		*pid = (pid_t)number;
		return 0;
	}
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\" as a process id", text);
	error_why(err, "it is no whole number from 1 on");
	return error_remedy(err, "give numbers, or one capture, and beside that -p PID");
}

static int parse_user(const char *text, uid_t *uid, struct sooth_error *err)
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
	error_why(err, "there is no user of that name");
	return error_remedy(err, "give a name that `getent passwd` knows, or a number");
}

static int add_pids(
	struct sooth_observer *o, const char *const *items, size_t count, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		pid_t pid = 0;

		status = parse_pid(items[i], &pid, err);
		if (!status)
			status = sooth_observer_add_pid(o, pid, err);
	}
	return status;
}

static int no_target(unsigned allowed, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "run without a target");
	error_why(err, "nothing says which process is meant");
	return error_remedy(err, "give -p PID, -u USER, a capture file%s",
		allowed & TARGET_MAY_BE_COMMAND ? ", or -- COMMAND" : "");
}

/* A command, a user, processes: one of them. */
static int check_one(const struct target_options *t, const struct arguments *a, unsigned allowed,
	struct sooth_error *err)
{
	bool has_pids = t->pids.count || a->count;

	if (a->command && !(allowed & TARGET_MAY_BE_COMMAND)) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command here");
		error_why(err, "this one only looks at what is running");
		return error_remedy(err, "`sooth trace` and `sooth record` take -- COMMAND");
	}
	if (a->command && !a->command[0]) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command");
		error_why(err, "none is given");
		return error_remedy(err, "name the command after the --");
	}
	if ((a->command != NULL) + (t->user != NULL) + has_pids <= 1)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take several targets at once");
	error_why(err, "processes, -u USER and -- COMMAND are each a target of their own");
	return error_remedy(err, "give one of them");
}

static int is_live(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take a part of what has not happened yet");
	error_why(err, "--from and --to are for captures");
	return error_remedy(err, "give a capture file, or leave them out");
}

static int apply_user(const char *user, struct sooth_observer *o, struct sooth_error *err)
{
	uid_t uid = 0;
	int status = parse_user(user, &uid, err);

	return status ? status : sooth_observer_set_user(o, uid, err);
}

int target_options_apply(const struct target_options *t, const struct arguments *a,
	unsigned allowed, struct sooth_observer *o, struct sooth_error *err)
{
	bool has_pids = t->pids.count || a->count, is_host = allowed & TARGET_IS_HOST;
	int status = t->part.from || t->part.to ? is_live(err) : check_one(t, a, allowed, err);

	if (status)
		return status;
	if (a->command)
		return sooth_observer_set_command(o, a->command, err);
	if (t->user && !is_host)
		return apply_user(t->user, o, err);
	if (!has_pids && !(allowed & TARGET_MAY_BE_HOST))
		return no_target(allowed, err);
	if (!has_pids || is_host)
		status = sooth_observer_set_host(o, err);
	if (!status)
		status = add_pids(o, t->pids.items, t->pids.count, err);
	return status ? status : add_pids(o, (const char *const *)a->items, a->count, err);
}

static int choose_pids(
	struct buffer *pids, const char *const *items, size_t count, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		pid_t pid = 0;

		status = parse_pid(items[i], &pid, err);
		if (!status)
			buffer_append(pids, &(uint32_t){ (uint32_t)pid }, sizeof(uint32_t));
	}
	return status;
}

int target_options_rows(const struct target_options *t, const struct arguments *a,
	struct target_rows *rows, struct sooth_error *err)
{
	struct arguments none = { .command = a->command };
	bool has_capture = target_capture(a) != NULL;
	int status = check_one(t, has_capture ? &none : a, TARGET_MAY_BE_HOST, err);

	if (!status && t->user) {
		status = parse_user(t->user, &rows->uid, err);
		rows->has_uid = !status;
	}
	if (!status)
		status = choose_pids(&rows->pids, t->pids.items, t->pids.count, err);
	if (!status && !has_capture)
		status = choose_pids(&rows->pids, (const char *const *)a->items, a->count, err);
	if (!status && buffer_failed(&rows->pids))
		status = error_no_memory(err);
	return status;
}

/* "12s", "1m"; "-5s" is before the end. */
static int parse_border(
	const char *option, const char *text, int64_t *border_ns, struct sooth_error *err)
{
	bool is_before_end = text[0] == '-';
	uint64_t ns;

	if (parse_duration(text + is_before_end, &ns) && ns < INT64_MAX) {
		*border_ns = is_before_end ? -(int64_t)ns : (int64_t)ns;
		return 0;
	}
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\" for %s", text, option);
	error_why(err, "it is no time of a capture");
	return error_remedy(
		err, "give a time since its begin (12s, 200ms, 1m), or before its end (-5s)");
}

int time_range_options_select(
	const struct time_range_options *p, struct sooth_report *r, struct sooth_error *err)
{
	int64_t from_ns = 0, to_ns = TIME_RANGE_OPEN;
	int status = 0;

	if (!p->from && !p->to)
		return 0;
	if (p->from)
		status = parse_border("--from", p->from, &from_ns, err);
	if (!status && p->to)
		status = parse_border("--to", p->to, &to_ns, err);
	return status ? status : sooth_report_between(r, from_ns, to_ns, err);
}

int target_options_select(
	const struct target_options *t, struct sooth_report *r, struct sooth_error *err)
{
	int status = 0;

	if (t->user) {
		error_set(
			err, -EINVAL, SOOTH_FAULT_USAGE, "choose a user's processes of a capture");
		error_why(err, "only processes can be chosen of it");
		return error_remedy(err, "give -p PID, or leave out -u");
	}
	for (size_t i = 0; i < t->pids.count && !status; i++) {
		pid_t pid = 0;

		status = parse_pid(t->pids.items[i], &pid, err);
		if (!status)
			status = sooth_report_add_pid(r, pid, err);
	}
	return status ? status : time_range_options_select(&t->part, r, err);
}

const char *target_capture(const struct arguments *a)
{
	uint64_t number;

	if (a->count != 1 || a->command || parse_u64(a->items[0], &number))
		return NULL;
	return a->items[0];
}
