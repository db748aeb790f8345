/* SPDX-License-Identifier: BSD-2-Clause */
/* Built-in agents and the user's own; see agent_set.h. */
#include "recognize/agent_set.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "model/batch.h"

#define AGENT(id) extern const struct agent agent_##id;
#include "recognize/agents.def"
#undef AGENT

#define AGENT(id) &agent_##id,
const struct agent *const registry_agents[] = {
#include "recognize/agents.def"
	NULL,
};

struct agent_set {
	atomic_uint users;
	size_t count;
	struct {
		struct agent_text *text;
		bool is_out; /* replaced by a later text of the same file */
	} own[AGENT_SET_OWN_MAX];
};

struct agent_set *agent_set_new(void)
{
	struct agent_set *set = calloc(1, sizeof(*set));

	if (set)
		atomic_init(&set->users, 1);
	return set;
}

/* The count is no change that a reader sees, so the set may be const. */
struct agent_set *agent_set_ref(const struct agent_set *set)
{
	struct agent_set *counted = (struct agent_set *)set;

	if (counted)
		atomic_fetch_add(&counted->users, 1);
	return counted;
}

void agent_set_unref(struct agent_set *set)
{
	if (!set || atomic_fetch_sub(&set->users, 1) != 1)
		return;
	for (size_t i = 0; i < set->count; i++)
		agent_text_free(set->own[i].text);
	free(set);
}

static const struct agent_text *own_of_name(const struct agent_set *set, const char *name)
{
	for (size_t i = 0; set && i < set->count; i++) {
		if (!set->own[i].is_out && !strcmp(set->own[i].text->agent.name, name))
			return set->own[i].text;
	}
	return NULL;
}

const struct agent_text *agent_set_text(const struct agent_set *set, const struct agent *agent)
{
	for (size_t i = 0; set && i < set->count; i++) {
		if (&set->own[i].text->agent == agent)
			return set->own[i].text;
	}
	return NULL;
}

/* --- adding --- */

static unsigned program_rules(const struct agent_set *set)
{
	unsigned count = 0;

	agent_set_for_each (set, agent) {
		for (size_t i = 0; i < agent_rule_count(agent); i++)
			count += agent->rules[i].kind == AGENT_RULE_PROGRAM;
	}
	return count;
}

static bool is_built_in(const char *name)
{
	for (size_t i = 0; registry_agents[i]; i++) {
		if (!strcmp(registry_agents[i]->name, name))
			return true;
	}
	return false;
}

static int refuse_file(struct sooth_error *err, int code, const char *path)
{
	return error_set(err, code, SOOTH_FAULT_USAGE, "use %s", path);
}

static int check_agent(const struct agent_set *set, const struct agent_text *t, const char *path,
	struct sooth_error *err)
{
	const char *name = t->agent.name;
	const struct agent_text *other = own_of_name(set, name);

	if (other) {
		refuse_file(err, -EEXIST, path);
		error_why(err, "the file %s already defines an agent %s", other->file, name);
		return error_remedy(err, "give one of the two agents another name");
	}
	if (is_built_in(name) != t->replaces) {
		refuse_file(err, t->replaces ? -ENOENT : -EEXIST, path);
		error_why(err,
			t->replaces ? "there is no built-in agent %s to replace"
				    : "there is a built-in agent %s",
			name);
		return error_remedy(err, t->replaces ? "delete the line replace"
						     : "choose another name, or add the line "
						       "\"replace yes\" to the file");
	}
	if (program_rules(set) + t->program_rules > AGENT_PROGRAMS_MAX) {
		refuse_file(err, -E2BIG, path);
		error_why(err, "the agent files together have more than %d \"program\" rules",
			AGENT_PROGRAMS_MAX);
		return error_remedy(err, "use \"below\", \"package\" or \"name-is\" rules "
					 "instead of some of them");
	}
	return 0;
}

static int put_agent(
	struct agent_set *set, struct agent_text *t, const char *path, struct sooth_error *err)
{
	int status = check_agent(set, t, path, err);

	if (!status && set->count == AGENT_SET_OWN_MAX) {
		refuse_file(err, -E2BIG, path);
		error_why(err, "there are already %d agents beside the built-in ones",
			AGENT_SET_OWN_MAX);
		status = error_remedy(
			err, "delete files (*.agent) of agents that you no longer use");
	}
	if (status)
		agent_text_free(t);
	else
		set->own[set->count++].text = t;
	return status;
}

int agent_set_add(struct agent_set *set, const char *path, const char *text, size_t size,
	struct sooth_error *err)
{
	struct agent_text *t;
	int status = agent_text_parse(&t, path, text, size, err);

	return status ? status : put_agent(set, t, path, err);
}

/* --- from a stream --- */

static struct span text_of(const struct sooth_record *r, const struct sooth_text *text)
{
	if ((uint64_t)text->offset + text->size > record_bytes(r))
		return span_of("", 0);
	return span_of((const char *)r + text->offset, text->size);
}

/* Returns the index of the newest agent text that was read from that file; set->count: none. */
static size_t find_file(const struct agent_set *set, const char *file)
{
	size_t i = set->count;

	while (i > 0 && (set->own[i - 1].is_out || strcmp(set->own[i - 1].text->file, file)))
		i--;
	return i ? i - 1 : set->count;
}

static int put_again(struct agent_set *set, struct agent_text *t, struct sooth_error *err)
{
	size_t older = find_file(set, t->file);
	int status;

	if (older == set->count)
		return put_agent(set, t, t->file, err);
	if (set->own[older].text->text_size == t->text_size &&
		!memcmp(set->own[older].text->text, t->text, t->text_size)) {
		agent_text_free(t);
		return 0;
	}
	set->own[older].is_out = true;
	status = put_agent(set, t, t->file, err);
	set->own[older].is_out = !status;
	return status;
}

int agent_set_add_record(
	struct agent_set **set, const struct sooth_record *r, struct sooth_error *err)
{
	assert(r);

	const struct stream_agent *record = (const void *)r;
	char file[AGENT_FILE_NAME_MAX + 1] = "";
	struct agent_text *t;
	struct span text;
	int status;

	if (r->kind != STREAM_AGENT || !record_holds(r, sizeof(*record)))
		return 0;
	if (!*set)
		*set = agent_set_new();
	if (!*set)
		return error_no_memory(err);
	text = text_of(r, &record->file);
	memcpy(file, text.data, text.size < sizeof(file) ? text.size : sizeof(file) - 1);
	text = text_of(r, &record->text);
	status = agent_text_parse(&t, file, text.data, text.size, err);
	return status ? status : put_again(*set, t, err);
}

const struct agent *agent_set_next(const struct agent_set *set, size_t *position)
{
	size_t count = set ? set->count : 0;
	const struct agent *agent;

	while (*position < count) {
		size_t i = (*position)++;

		if (!set->own[i].is_out)
			return &set->own[i].text->agent;
	}
	while ((agent = registry_agents[*position - count])) {
		++*position;
		if (!own_of_name(set, agent->name))
			return agent;
	}
	return NULL;
}
