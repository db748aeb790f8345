/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that processes share: which others have the memory of a lock. A lock without an owner, as
 * a semaphore, does not show which of them has it. */
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/files/maps.h"
#include "os/linux/waits/wait_reader.h"

#define MAPS_BYTES   (1u << 20) /* of one process */
#define SAMPLE_BYTES (8u << 20) /* of all in a sample: a process may have 65,530 mappings */
#define INIT	     1
#define SEARCHED_MAX 64
#define LASTS_LEAST  NS_PER_S /* working processes also wait, but shorter */

/* An address in shared memory, as all processes know it. */
struct shared_place {
	uint64_t inode, offset;
	uint32_t device_major, device_minor;
};

static bool may_read_maps(struct wait_reader *r)
{
	r->is_cut |= r->maps_bytes > SAMPLE_BYTES;
	return r->maps_bytes <= SAMPLE_BYTES;
}

/* Counts what was read against the budget. Returns whether it is all. */
static bool count_maps(struct wait_reader *r, int status)
{
	r->maps_bytes += r->more.size;
	r->is_cut |= status > 0;
	return !status;
}

static bool find_place(struct wait_reader *r, const struct wait_node *n, uint64_t address,
	struct shared_place *out)
{
	struct maps_line line;

	if (!may_read_maps(r) ||
		!count_maps(r, procfs_read_at(n->process, "maps", &r->more, MAPS_BYTES)))
		return false;
	maps_for_each (&line, r->more) {
		if (!line.is_shared || !line.is_writable || !line.inode || address < line.from ||
			address >= line.to)
			continue;
		*out = (struct shared_place){ line.inode, line.offset + (address - line.from),
			line.device_major, line.device_minor };
		return true;
	}
	return false;
}

static bool has_place(struct wait_reader *r, uint32_t pid, const struct shared_place *place)
{
	struct maps_line line;

	if (!may_read_maps(r) ||
		!count_maps(r, procfs_read((pid_t)pid, "maps", &r->more, MAPS_BYTES)))
		return false;
	maps_for_each (&line, r->more) {
		if (line.is_shared && line.is_writable && line.inode == place->inode &&
			line.device_major == place->device_major &&
			line.device_minor == place->device_minor && place->offset >= line.offset &&
			place->offset - line.offset < line.to - line.from)
			return true;
	}
	return false;
}

bool wait_shares_memory(
	struct wait_reader *r, const struct wait_node *n, uint64_t address, uint32_t other)
{
	struct shared_place place;

	return find_place(r, n, address, &place) && has_place(r, other, &place);
}

static bool is_relative(const struct wait_node *n, const struct wait_entry *e)
{
	return e->pid != n->stat.pid && e->state != 'Z' &&
	       (e->session == n->stat.session || (e->ppid == n->stat.ppid && e->ppid != INIT) ||
		       e->pid == n->stat.ppid || e->ppid == n->stat.pid) &&
	       wait_is_same_user(n, e->pid);
}

/* Returns whether it does nothing at this moment that would release a lock. */
static bool is_halted(const struct wait_entry *e)
{
	return strchr("TtD", e->state);
}

/* Finds the processes that have the memory at that address, those that do nothing first. */
static void find_sharers(struct wait_reader *r, const struct wait_node *n, uint64_t address)
{
	struct wait_sharers *found = &r->sharers;
	size_t count = wait_table_count(&r->table);
	unsigned searched = 0;
	struct shared_place place;

	*found = (struct wait_sharers){ .of = (uint32_t)n->stat.pid, .address = address };
	if (!find_place(r, n, address, &place))
		return;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < count && searched < SEARCHED_MAX &&
				   found->count < ARRAY_SIZE(found->pids);
			i++) {
			const struct wait_entry *e = wait_table_at(&r->table, i);

			if (is_halted(e) != !pass || !is_relative(n, e))
				continue;
			searched++;
			if (has_place(r, e->pid, &place))
				found->pids[found->count++] = e->pid;
		}
	}
}

void wait_add_sharers(
	struct wait_reader *r, const struct wait_node *n, const struct waits_thread *t)
{
	uint64_t address = t->arguments[0];

	if (t->since_state || t->since_ns < LASTS_LEAST)
		return;
	/* Many threads of a process wait for one lock. */
	if (r->sharers.of != (uint32_t)n->stat.pid || r->sharers.address != address)
		find_sharers(r, n, address);
	for (unsigned i = 0; i < r->sharers.count; i++)
		wait_add_party(r, n, t->record.tid,
			&(struct wait_found){ .relation = WAITS_RELATION_MEMORY,
				.source = WAITS_SOURCE_MEMORY,
				.confidence = WAITS_LOW,
				.pid = r->sharers.pids[i],
				.follows = true });
}
