/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agents that sooth looks for: the user's own in the order they were added, then the built-in
 * ones that none of them replaces. Everywhere, NULL stands for a set with only the built-in agents.
 *
 * Threads that may be abandoned read the set, so it has a reference count, and agents are added
 * only before it is shared.
 */
#pragma once

#include "base/buffer.h"
#include "base/walk.h"
#include "recognize/agent_text.h"
#include "model/stream_records.h"

/* The built-in ones, from agents.def; NULL at the end. */
extern const struct agent *const registry_agents[];

#define AGENT_SET_OWN_MAX  64 /* texts, including those that a later one replaced */
#define AGENT_PROGRAMS_MAX 48 /* PROGRAM rules of all agents */

struct agent_set;

struct agent_set *agent_set_new(void); /* NULL: no memory */
struct agent_set *agent_set_ref(const struct agent_set *set);
void agent_set_unref(struct agent_set *set);

/* Walks the agents in order: *position starts at 0, NULL at the end. */
const struct agent *agent_set_next(const struct agent_set *set, size_t *position);
#define agent_set_for_each(set, agent) walk_each (const struct agent *, agent, agent_set_next, set)
/* Returns the text that the agent comes from; NULL: it is built in. */
const struct agent_text *agent_set_text(const struct agent_set *set, const struct agent *agent);

/* Adds an agent, like agent_text_parse(); -EEXIST: the set has one with that name. */
int agent_set_add(struct agent_set *set, const char *path, const char *text, size_t size,
	struct sooth_error *err);
/* Adds an agent from a stream. The first definition of an agent makes the set; other records are
 * ignored. The last text of a file counts; pointers to agents of older texts stay valid. */
int agent_set_add_record(
	struct agent_set **set, const struct sooth_record *r, struct sooth_error *err);
