/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that processes share: which others have the memory of a lock. A lock without an owner, as
 * a semaphore, does not show which of them has it. */
#include <string.h>

#include "base/units.h"
#include "os/linux/files/maps.h"
#include "os/linux/waits/wait_reader.h"

#define MAPS_BYTES   (16u << 20)
#define SHARERS_MAX  16
#define SEARCHED_MAX 64
#define LASTS_LEAST  NS_PER_S /* working processes also wait, but shorter */

/* An address in shared memory, as all processes know it. */
struct shared_place {
	uint64_t inode, offset;
	uint32_t device_major, device_minor;
};

static bool find_place(struct wait_reader *r, const struct wait_node *n, uint64_t address,
	struct shared_place *out)
{
	struct maps_line line;

	if (procfs_read_at(n->process, "maps", &r->more, MAPS_BYTES))
		return false;
	maps_for_each (&line, r->more) {
		if (!line.is_shared || !line.inode || address < line.from || address >= line.to)
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

	if (procfs_read((pid_t)pid, "maps", &r->more, MAPS_BYTES))
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
	       (e->session == n->stat.session || e->ppid == n->stat.ppid ||
		       e->pid == n->stat.ppid || e->ppid == n->stat.pid);
}

/* Returns whether it does nothing at this moment that would release a lock. */
static bool is_halted(const struct wait_entry *e)
{
	return strchr("TtD", e->state);
}

void wait_add_sharers(
	struct wait_reader *r, const struct wait_node *n, const struct waits_thread *t)
{
	size_t count = wait_table_count(&r->table);
	unsigned searched = 0, added = 0;
	struct shared_place place;

	if (t->since_state || t->since_ns < LASTS_LEAST ||
		!find_place(r, n, t->arguments[0], &place))
		return;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < count && searched < SEARCHED_MAX && added < SHARERS_MAX;
			i++) {
			const struct wait_entry *e = wait_table_at(&r->table, i);

			if (!is_relative(n, e) || is_halted(e) != !pass)
				continue;
			searched++;
			if (!has_place(r, e->pid, &place))
				continue;
			wait_add_party(r, n, t->record.tid,
				&(struct wait_found){ .relation = WAITS_RELATION_MEMORY,
					.source = WAITS_SOURCE_MEMORY,
					.confidence = WAITS_LOW,
					.pid = e->pid,
					.follows = true });
			added++;
		}
	}
}
