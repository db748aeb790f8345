/* SPDX-License-Identifier: BSD-2-Clause */
/* See proc_refresh.h. */
#include "os/linux/proc/proc_refresh.h"

#include <stdlib.h>
#include <string.h>

#include "os/linux/proc/proc_record.h"
#include "os/os.h"
#include "probes/proc.h"

#define KNOWN_MAX 65536
#define SPREAD	  8 /* parts of the time in which they are read, so that not all fall into one */

struct refresh_known {
	uint64_t token;
	uint64_t due_ns;
	void *record; /* struct proc_process with its texts; owned */
	size_t size;
	const struct agent *agent; /* of the set that the reader has */
	enum agent_role role;
	uint32_t sample; /* that saw it last */
	bool is_close, is_detached, is_bearer, has_input;
};

void proc_refresh_init(struct proc_refresh *r)
{
	*r = (struct proc_refresh){ 0 };
	map_init(&r->known, sizeof(struct process_id), sizeof(struct refresh_known), KNOWN_MAX);
}

static void forget_all(struct proc_refresh *r)
{
	size_t position = 0;
	void *value;

	while (map_next(&r->known, &position, NULL, &value))
		free(((struct refresh_known *)value)->record);
}

void proc_refresh_fini(struct proc_refresh *r)
{
	forget_all(r);
	map_fini(&r->known);
}

void proc_refresh_begin(struct proc_refresh *r, const struct backend_run *run, bool is_on)
{
	r->is_on = is_on && run->options.sample_ns;
	r->now_ns = run->os->now_ns(run->os);
	r->sample++;
}

static const struct proc_process *record_of(const struct refresh_known *k)
{
	return k->record;
}

/* NULL: it is another process, program or name by now, or it is time. */
static struct refresh_known *find(struct proc_refresh *r, const struct proc_entry *e)
{
	struct refresh_known *k = r->is_on ? map_get(&r->known, &e->figures.id) : NULL;

	if (!k || !e->token || k->token != e->token || r->now_ns >= k->due_ns ||
		e->figures.ppid != record_of(k)->ppid ||
		e->figures.terminal != record_of(k)->terminal)
		return NULL;
	return k;
}

bool proc_refresh_recall(struct proc_refresh *r, struct proc_entry *e)
{
	struct refresh_known *k = r->is_on ? map_get(&r->known, &e->figures.id) : NULL;

	if (k && e->figures.state != 'Z' && e->figures.state != 'X')
		k->sample = r->sample;
	k = find(r, e);
	if (!k || !k->is_close)
		return false;
	e->agent = k->agent;
	e->role = k->role;
	e->is_bearer = k->is_bearer;
	return true;
}

bool proc_refresh_has_ended(struct proc_refresh *r)
{
	size_t position = 0;
	const void *key;
	void *value;
	bool has_ended = false;

	while (r->is_on && map_next(&r->known, &position, &key, &value)) {
		struct refresh_known *k = value;

		if (k->sample == r->sample)
			continue;
		has_ended |= k->is_close;
		free(k->record);
		map_remove(&r->known, key);
	}
	return has_ended;
}

bool proc_refresh_is_fresh(struct proc_refresh *r, const struct proc_entry *e, bool has_ended)
{
	struct refresh_known *k = find(r, e);

	return k && k->is_close == e->is_close && k->is_detached == e->is_detached &&
	       !(has_ended && k->has_input);
}

void proc_refresh_write(
	const struct proc_refresh *r, struct backend_run *run, const struct proc_entry *e)
{
	const struct refresh_known *k = map_get(&r->known, &e->figures.id);

	proc_record_again(run, &e->figures, k->record, k->size);
}

/* Some earlier than others, so that they do not all fall into one sample. */
static uint64_t due_ns(const struct proc_refresh *r, const struct proc_entry *e)
{
	return r->now_ns + PROC_REFRESH_NS -
	       e->figures.id.pid % SPREAD * (PROC_REFRESH_NS / 4 / SPREAD);
}

void proc_refresh_keep(struct proc_refresh *r, const struct proc_entry *e, const void *record,
	size_t size, bool has_input)
{
	struct refresh_known *k = NULL;
	void *copy = r->is_on && e->token ? malloc(size) : NULL;

	if (copy)
		k = map_put(&r->known, &e->figures.id, NULL);
	if (!k) {
		free(copy);
		return;
	}
	free(k->record);
	memcpy(copy, record, size);
	*k = (struct refresh_known){ .token = e->token,
		.due_ns = due_ns(r, e),
		.record = copy,
		.size = size,
		.agent = e->agent,
		.role = e->role,
		.sample = r->sample,
		.is_close = e->is_close,
		.is_detached = e->is_detached,
		.is_bearer = e->is_bearer,
		.has_input = has_input };
}
