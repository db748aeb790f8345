/* SPDX-License-Identifier: BSD-2-Clause */
/* Selects processes, and keeps track of which are left. */
#include "collect/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/secrets.h"

#define TARGET_PROCESSES_MAX 65536

void target_init(struct target *t)
{
	*t = (struct target){
		.launch = { .start_pipe = -1, .failure = -1, .descriptor = -1, .status = -1 }
	};
	map_init(&t->members, sizeof(struct process_id), sizeof(struct target_member),
		TARGET_PROCESSES_MAX);
}

static void free_command(char **command)
{
	for (size_t i = 0; command && command[i]; i++)
		free(command[i]);
	free(command);
}

void target_fini(struct target *t)
{
	free_command(t->command);
	buffer_fini(&t->pids);
	map_fini(&t->members);
}

static int select_as(struct target *t, enum target_selector selector, struct sooth_error *err)
{
	bool is_second = t->selector != TARGET_NONE && t->selector != selector;

	/* The whole host, with some processes selected. */
	if (t->selector == TARGET_HOST && selector == TARGET_PIDS)
		return 0;
	if (is_second || (t->selector != TARGET_NONE && selector != TARGET_PIDS))
		return error_set(err, -EINVAL, SOOTH_FAULT_USAGE,
			"select a second target: there is one already");
	t->selector = selector;
	return 0;
}

/* Returns whether a pid is selected: a process that is named twice is one target. */
static bool target_has_pid(const struct target *t, pid_t pid)
{
	const pid_t *pids = (const void *)t->pids.data;

	for (size_t i = 0; i < t->pids.size / sizeof(pid); i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

int target_add_pid(struct target *t, pid_t pid, struct sooth_error *err)
{
	int status = select_as(t, TARGET_PIDS, err);

	if (status)
		return status;
	if (!target_has_pid(t, pid))
		buffer_append(&t->pids, &pid, sizeof(pid));
	return buffer_failed(&t->pids) ? error_no_memory(err) : 0;
}

int target_set_user(struct target *t, uint32_t uid, struct sooth_error *err)
{
	t->uid = uid;
	return select_as(t, TARGET_USER, err);
}

int target_set_host(struct target *t, struct sooth_error *err)
{
	return select_as(t, TARGET_HOST, err);
}

int target_set_command(struct target *t, char *const *command, struct sooth_error *err)
{
	int status = select_as(t, TARGET_COMMAND, err);
	size_t count = 0;

	if (status)
		return status;
	while (command[count])
		count++;
	t->command = calloc(count + 1, sizeof(*t->command));
	for (size_t i = 0; t->command && i < count; i++) {
		t->command[i] = strdup(command[i]);
		if (!t->command[i])
			return error_no_memory(err);
	}
	return t->command ? 0 : error_no_memory(err);
}

/* Makes room for a member by removing members that have left. */
static void make_room(struct target *t)
{
	if (t->members.count < t->members.limit)
		return;
	map_for_each (&t->members, const void *, key, struct target_member *, value) {
		if (value->has_left)
			map_remove(&t->members, key);
	}
}

int target_join(struct target *t, const struct process_id *process, struct sooth_error *err)
{
	bool is_new;

	make_room(t);
	if (!map_put(&t->members, process, &is_new))
		return error_set(err, -ENOSPC, SOOTH_FAULT_UNSUPPORTED,
			"observe more than %d processes", TARGET_PROCESSES_MAX);
	t->live += is_new;
	return 0;
}

void target_leave(struct target *t, const struct process_id *process)
{
	struct target_member *member = map_get(&t->members, process);

	if (!member || member->has_left)
		return;
	member->has_left = true;
	t->live--;
}

void target_forget(struct target *t, const struct process_id *process)
{
	target_leave(t, process);
	map_remove(&t->members, process);
}

bool target_knows(const struct target *t, const struct process_id *process)
{
	return map_get(&t->members, process) != NULL;
}

bool target_note_end(struct target *t, const struct process_id *process)
{
	struct target_member *member;
	bool is_new, is_news;

	make_room(t);
	member = map_put(&t->members, process, &is_new);
	if (!member)
		return true;
	if (is_new) /* adopted: it was never counted as live */
		member->has_left = true;
	is_news = !member->is_end_reported;
	member->is_end_reported = true;
	return is_news;
}

const struct process_id *target_next(const struct target *t, size_t *position)
{
	const void *key;
	void *value;

	while (map_next(&t->members, position, &key, &value)) {
		if (!((struct target_member *)value)->has_left)
			return key;
	}
	return NULL;
}

bool target_has(const struct target *t, const struct process_id *process)
{
	return target_is_open(t) || map_get(&t->members, process);
}

bool target_is_open(const struct target *t)
{
	return t->selector == TARGET_HOST || t->selector == TARGET_USER;
}

bool target_means_some(const struct target *t)
{
	return t->selector == TARGET_HOST && t->pids.size;
}

void target_sweep(struct target *t, const struct os *os)
{
	size_t position = 0;
	const struct process_id *process;

	while ((process = target_next(t, &position))) {
		if (!os->is_alive(os, process))
			target_leave(t, process);
	}
}

static void selector_text(const struct target *t, char *text, size_t size)
{
	static const char *const names[] = { [TARGET_NONE] = "none",
		[TARGET_PIDS] = "pid",
		[TARGET_HOST] = "host",
		[TARGET_COMMAND] = "command" };

	if (t->selector == TARGET_USER)
		snprintf(text, size, "user %u", t->uid);
	else
		snprintf(text, size, "%s", names[t->selector]);
}

/* Appends the command that the paused child, still a copy of sooth, will become. */
static void launched_command(const struct target *t, struct buffer *out)
{
	struct buffer raw = { 0 };

	for (size_t i = 0; t->command[i]; i++)
		buffer_append(&raw, t->command[i], strlen(t->command[i]) + 1);
	secrets_mask_arguments(out, (const char *)raw.data, raw.size);
	buffer_fini(&raw);
}

void target_describe(const struct target *t, const struct os *os, struct buffer *out)
{
	struct stream_target definition = { .record = { .time_ns = os->now_ns(os),
						    .kind = STREAM_TARGET,
						    .cpu = SOOTH_CPU_NONE } };
	struct buffer command = { 0 };
	size_t position = 0;
	uint32_t launched = t->launch.process.pid;
	const struct process_id *first = target_is_open(t) ? NULL : target_next(t, &position);
	char selector[64];

	selector_text(t, selector, sizeof(selector));
	if (t->is_launched)
		launched_command(t, &command);
	else if (first)
		os->command_line(os, first, &command);
	struct record_tail tail[] = {
		{ &definition.pids, t->pids.data, t->pids.size },
		{ &definition.selector, selector, strlen(selector) },
		{ &definition.command, command.data, command.size },
	};
	if (t->is_launched) {
		tail[0].data = &launched;
		tail[0].size = sizeof(launched);
	}
	RECORD_APPEND(out, &definition, tail, 3);
	buffer_fini(&command);
}
