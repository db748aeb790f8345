/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_asks.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/heap/preload/preload_processes.h"

#define LOOK_MAX 64   /* requests read at once: a program may send them without end */
#define WAIT_MAX 1024 /* threads that wait for probes */

static void give_answer(struct preload_slot *slot, unsigned number, uint64_t first, uint64_t second)
{
	atomic_store(&slot->answer[0], first);
	atomic_store(&slot->answer[1], second);
	atomic_store(&slot->answered, number);
	preload_slot_changed(slot);
}

/* Reads the mappings of a process that has the segment mapped. After an exec it may run with other
 * rights, while another process that has the segment can still make requests in its slot. */
static bool read_mappings(
	struct buffer *out, const struct preload_process *p, const struct preload_segment *segment)
{
	struct maps_line line;

	if (!p || procfs_read_at(p->directory, "maps", out, PROCFS_MAPS) < 0)
		return false;
	maps_for_each (&line, *out) {
		if (line.is_shared && line.inode == segment->inode &&
			span_starts(line.path, "/memfd:"))
			return true;
	}
	return false;
}

static void find_mapping(const struct buffer *mappings, uint64_t address, uint64_t found[2])
{
	struct maps_line line;

	maps_for_each (&line, *mappings) {
		if (address < line.from || address >= line.to || !line.is_readable)
			continue;
		found[0] = line.from;
		found[1] = line.to;
		return;
	}
}

static void answer_request(
	struct preload_run *s, struct preload_segment *segment, unsigned slot_number, uint32_t ask)
{
	struct preload_slot *slot = preload_segment_slot(segment, slot_number);
	const struct preload_reading *r = &segment->slots[slot_number];
	const struct preload_process *p = preload_find_pid(s, r->process.pid);
	struct preload_asked asked = { segment, r->process, slot_number, ask,
		(uint32_t)atomic_load(&slot->argument) & PRELOAD_AROUND_ALL };
	uint64_t found[2] = { 0 }, one = 1;
	struct buffer mappings = { 0 };

	switch (ask & PRELOAD_ASK_KIND) {
	case PRELOAD_ASK_AROUND:
		if (s->asked.size / sizeof(asked) < WAIT_MAX) {
			buffer_append(&s->asked, &asked, sizeof(asked));
			if (write(s->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
				break;
			return;
		}
		break;
	case PRELOAD_ASK_CODE:
		if (read_mappings(&mappings, p, segment))
			preload_stacks_map(s->stacks, r->program, &p->id);
		break;
	case PRELOAD_ASK_MAPPING:
		if (read_mappings(&mappings, p, segment))
			find_mapping(&mappings, atomic_load(&slot->argument), found);
		break;
	default:
		break;
	}
	buffer_fini(&mappings);
	give_answer(slot, ask >> PRELOAD_ASK_NUMBER, found[0], found[1]);
}

static unsigned answer_segment(
	struct preload_run *s, struct preload_segment *segment, unsigned left)
{
	for (unsigned i = 0; i < preload_segment_used_slots(segment) && left; i++) {
		struct preload_reading *r = &segment->slots[i];
		uint32_t ask = atomic_load(&preload_segment_slot(segment, i)->ask);

		if (!ask || !r->is_known || ask == r->asked)
			continue;
		r->asked = ask;
		left--;
		answer_request(s, segment, i, ask);
	}
	return left;
}

void preload_asks_answer_quick(struct preload_run *s)
{
	unsigned left = LOOK_MAX;

	for (size_t i = 0; i < preload_segment_count_all(s) && left; i++)
		left = answer_segment(s, preload_segment_at(s, i), left);
}

/* Returns the slot of a request that still waits. Called with the lock held. */
static struct preload_slot *slot_of(struct preload_run *s, const struct preload_asked *asked)
{
	for (size_t i = 0; i < preload_segment_count_all(s); i++) {
		struct preload_segment *segment = preload_segment_at(s, i);
		const struct preload_reading *r = &segment->slots[asked->slot];
		struct preload_slot *slot = preload_segment_slot(segment, asked->slot);

		if (segment == asked->segment && r->is_known &&
			!memcmp(&r->process, &asked->process, sizeof(r->process)) &&
			atomic_load(&slot->ask) == asked->ask)
			return slot;
	}
	return NULL;
}

bool preload_asked_waits(struct preload_run *s, const struct preload_asked *asked)
{
	bool waits;

	pthread_mutex_lock(&s->lock);
	waits = slot_of(s, asked) != NULL;
	pthread_mutex_unlock(&s->lock);
	return waits;
}

bool preload_asks_answer_next(struct preload_run *s)
{
	struct preload_asked asked;
	struct preload_slot *slot;
	bool has_one, is_probed;

	pthread_mutex_lock(&s->lock);
	has_one = s->asked.size;
	if (has_one) {
		memcpy(&asked, s->asked.data, sizeof(asked));
		memmove(s->asked.data, s->asked.data + sizeof(asked),
			s->asked.size - sizeof(asked));
		s->asked.size -= sizeof(asked);
	}
	pthread_mutex_unlock(&s->lock);
	if (!has_one)
		return false;
	is_probed = s->calls_around && s->pauses && s->calls_around(s->elsewhere_user, &asked);
	pthread_mutex_lock(&s->lock);
	if (!is_probed)
		s->around |= asked.around;
	slot = slot_of(s, &asked);
	if (slot)
		give_answer(slot, asked.ask >> PRELOAD_ASK_NUMBER, is_probed, 0);
	pthread_mutex_unlock(&s->lock);
	return true;
}
