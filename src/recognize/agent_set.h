/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agents that are looked for: the user's own in the order they came, then the built-in
 * ones that none of them replaces. Everywhere NULL is a set with the built-in ones alone.
 *
 * Threads that may be given up read it, so it has a reference count, and agents are added only
 * before it is shared.
 */
#ifndef SOOTH_RECOGNIZE_AGENT_SET_H
#define SOOTH_RECOGNIZE_AGENT_SET_H

#include "base/buffer.h"
#include "base/walk.h"
#include "recognize/agent_text.h"
#include "model/stream_records.h"

/* The built-in ones, from agents.def; NULL at the end. */
extern const struct agent *const registry_agents[];

#define AGENT_SET_OWN_MAX  64 /* texts, those that a later one replaced included */
#define AGENT_PROGRAMS_MAX 48 /* rules by what an executable is made of, of all agents */

struct agent_set;

struct agent_set *agent_set_new(void); /* NULL: no memory */
struct agent_set *agent_set_ref(const struct agent_set *set);
void agent_set_unref(struct agent_set *set);

/* Agents in their order: *position starts at 0, NULL at the end. */
const struct agent *agent_set_next(const struct agent_set *set, size_t *position);
#define agent_set_for_each(set, agent) walk_each (const struct agent *, agent, agent_set_next, set)
/* Returns the text that the agent comes from; NULL: it is built in. */
const struct agent_text *agent_set_text(const struct agent_set *set, const struct agent *agent);

/* Adds an agent, like agent_text_parse(); -EEXIST: the set has one of that name. */
int agent_set_add(struct agent_set *set, const char *path, const char *text, size_t size,
	struct sooth_error *err);
/*
 * From a stream: makes the set when the first definition of an agent comes; other records
 * are no matter. The last text of a file holds, and pointers to agents of older texts stay good.
 */
int agent_set_add_record(
	struct agent_set **set, const struct sooth_record *r, struct sooth_error *err);

#endif
