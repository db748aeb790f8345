/* SPDX-License-Identifier: BSD-2-Clause */
/* Agents that the user has described. */
#include "cli/user_agents/user_agents.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "cli/command/command.h"
#include "cli/config/config_files.h"
#include "recognize/agent_set.h"

#define FOLDER	  "agents.d"
#define SUFFIX	  ".agent"
#define NAMES_MAX 1024 /* files of the folder that are read */
#define NOTE_SIZE 320

struct names {
	struct dirent **items;
	int count;
};

static void cleanup_names(struct names *n)
{
	for (int i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}

static int is_agent_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       span_ends(span_of(entry->d_name, strlen(entry->d_name)), SUFFIX);
}

/* Compares names by bytes: the order is the same in every locale. */
static int compare_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int visit_file(
	const char *path, user_agent_consumer take, void *user, struct sooth_error *err)
{
	struct sooth_error failure = { 0 };
	struct buffer text = { 0 };
	int status = config_read(&text, path, AGENT_TEXT_BYTES_MAX, NULL, &failure);

	/* Another user's file: sooth runs with that user's home. */
	if (status == -EACCES)
		status = 0;
	else
		status = take(user, path, status ? NULL : &text, &failure, err);
	buffer_fini(&text);
	return status;
}

static int refuse_more_files(
	const char *folder, user_agent_consumer take, void *user, struct sooth_error *err)
{
	struct sooth_error failure;

	error_set(&failure, -E2BIG, SOOTH_FAULT_USAGE, "use all files of %s", folder);
	error_why(&failure, "the folder has more than %d files", NAMES_MAX);
	return take(user, folder, NULL, &failure, err);
}

int user_agents_visit(user_agent_consumer take, void *user, struct sooth_error *err)
{
	_cleanup_(cleanup_names) struct names names = { 0 };
	struct sooth_error failure = { 0 };
	struct buffer path = { 0 };
	size_t folder_size;
	int status = 0;

	config_path(&path, FOLDER);
	folder_size = path.size;
	if (!folder_size)
		return 0;
	if (config_refuses_folder(buffer_cstr(&path), &failure))
		status = take(user, buffer_cstr(&path), NULL, &failure, err);
	else
		names.count = scandir(buffer_cstr(&path), &names.items, is_agent_file, compare_by_name);
	if (names.count < 0) {
		names.count = 0;
		if (!config_is_missing(errno)) {
			error_errno(&failure, -errno, "read %s", buffer_cstr(&path));
			status = take(user, buffer_cstr(&path), NULL, &failure, err);
		}
	}
	if (names.count > NAMES_MAX)
		status = refuse_more_files(buffer_cstr(&path), take, user, err);
	for (int i = 0; i < names.count && i < NAMES_MAX && !status; i++) {
		path.size = folder_size;
		buffer_format(&path, "/%s", names.items[i]->d_name);
		status = buffer_failed(&path) ? error_no_memory(err)
					      : visit_file(buffer_cstr(&path), take, user, err);
	}
	buffer_fini(&path);
	return status;
}

void user_agents_note(const struct sooth_error *failure, char *what, char *why, size_t size)
{
	assert(failure);

	const char *slash = strrchr(failure->tried, '/');

	snprintf(what, size, "user-defined agent (%s)", slash ? slash + 1 : failure->tried);
	snprintf(why, size, "not used: %s", failure->why);
}

static int add_agent(void *user, const char *path, const struct buffer *text,
	const struct sooth_error *failure, struct sooth_error *err)
{
	struct sooth_error refusal;
	char what[NOTE_SIZE], why[NOTE_SIZE];

	if (text) {
		if (!sooth_observer_add_agent(
			    user, path, (const char *)text->data, text->size, &refusal))
			return 0;
		failure = &refusal;
	}
	command_print_error(failure);
	user_agents_note(failure, what, why, sizeof(what));
	return sooth_observer_add_limit(user, what, why, failure->remedy, err);
}

int user_agents_add(struct sooth_observer *o, struct sooth_error *err)
{
	return user_agents_visit(add_agent, o, err);
}

/* --- names --- */

static int add_to_set(void *user, const char *path, const struct buffer *text,
	const struct sooth_error *failure, struct sooth_error *err)
{
	struct sooth_error refusal;

	(void)failure; /* reported where processes are read */
	(void)err;
	if (text)
		agent_set_add(user, path, (const char *)text->data, text->size, &refusal);
	return 0;
}

int user_agents_check_name(const char *name, struct sooth_error *err)
{
	struct agent_set *agents = agent_set_new();
	const struct agent *agent = NULL;
	size_t position = 0;
	int status = agents ? user_agents_visit(add_to_set, agents, err) : error_no_memory(err);

	while (!status && (agent = agent_set_next(agents, &position)) && strcmp(agent->name, name))
		continue;
	agent_set_unref(agents);
	if (status || agent)
		return status;
	error_set(err, -ENOENT, SOOTH_FAULT_USAGE, "find the agent \"%s\"", name);
	error_why(err, "no known agent has that name");
	return error_remedy(err, "`sooth ps --list-agents` lists the names");
}
