/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/proc/proc_refresh.h"

#include <stdlib.h>
#include <string.h>

#include "os/linux/proc/proc_record.h"
#include "os/os.h"
#include "probes/proc.h"

#define KNOWN_MAX 65536
/* parts of the interval in which they are read, so that not all are read in one sample */
#define SPREAD 8

struct refresh_known {
	uint64_t token;
	uint64_t due_ns;
	void *record; /* struct proc_process with its texts; owned */
	size_t size;
	const struct agent *agent; /* from the reader's set */
	enum agent_role role;
	uint32_t sample; /* the last sample with it */
	bool is_close, is_detached, has_markers, has_input;
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

/* NULL: it has another identity, program or name by now, or it is due. */
static struct refresh_known *find(struct proc_refresh *r, const struct proc_entry *e)
{
	struct refresh_known *k = r->is_on ? map_get(&r->known, &e->values.id) : NULL;

	if (!k || !e->token || k->token != e->token || r->now_ns >= k->due_ns ||
		e->values.ppid != record_of(k)->ppid ||
		e->values.terminal != record_of(k)->terminal)
		return NULL;
	return k;
}

bool proc_refresh_recall(struct proc_refresh *r, struct proc_entry *e)
{
	struct refresh_known *k = r->is_on ? map_get(&r->known, &e->values.id) : NULL;

	if (k && e->values.state != 'Z' && e->values.state != 'X')
		k->sample = r->sample;
	k = find(r, e);
	if (!k || !k->is_close)
		return false;
	e->agent = k->agent;
	e->role = k->role;
	e->has_markers = k->has_markers;
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
	const struct refresh_known *k = map_get(&r->known, &e->values.id);

	proc_record_again(run, &e->values, k->record, k->size);
}

/* Staggered, so that not all are due in one sample. */
static uint64_t due_ns(const struct proc_refresh *r, const struct proc_entry *e)
{
	return r->now_ns + PROC_REFRESH_NS -
	       e->values.id.pid % SPREAD * (PROC_REFRESH_NS / 4 / SPREAD);
}

void proc_refresh_keep(struct proc_refresh *r, const struct proc_entry *e, const void *record,
	size_t size, bool has_input)
{
	struct refresh_known *k = NULL;
	void *copy = r->is_on && e->token ? malloc(size) : NULL;

	if (copy)
		k = map_put(&r->known, &e->values.id, NULL);
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
		.has_markers = e->has_markers,
		.has_input = has_input };
}
