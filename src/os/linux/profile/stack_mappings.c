/* SPDX-License-Identifier: BSD-2-Clause */
/* Mappings of a process. */
#include "os/linux/profile/stack_mappings.h"

#include <assert.h>
#include <string.h>

#include "bpf/profile.h"
#include "os/linux/files/maps.h"

#define MAPPINGS_MAX 65536 /* per process; max_map_count is near that */

void stack_mapping_identify(struct stack_mapping *m)
{
	uint64_t device = (uint64_t)m->device_major << PROFILE_MINOR_BITS | m->device_minor;

	m->file = PROFILE_FILE_NONE;
	if (m->inode)
		m->file = profile_file_key(device, m->inode);
	else if (m->is_vdso)
		m->file = PROFILE_FILE_VDSO;
}

void stack_mappings_parse(struct buffer *mappings, const void *text, size_t size)
{
	struct maps_line line;

	maps_for_each (&line, span_of(text, size)) {
		struct stack_mapping m = { .from = line.from,
			.to = line.to,
			.offset = line.offset,
			.inode = line.inode,
			.device_major = line.device_major,
			.device_minor = line.device_minor,
			.is_code = line.is_executable,
			.is_vdso = span_equal(line.path, "[vdso]") };
		stack_mapping_identify(&m);
		buffer_append(mappings, &m, sizeof(m));
	}
}

/* Returns how many mappings end at or before an address. */
static size_t count_to(const struct buffer *mappings, uint64_t address)
{
	const struct stack_mapping *all = (const void *)mappings->data;
	size_t from = 0, to = mappings->size / sizeof(*all);

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (all[middle].to <= address)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

const struct stack_mapping *stack_mappings_find(const struct buffer *mappings, uint64_t address)
{
	assert(mappings);

	const struct stack_mapping *all = (const void *)mappings->data;
	size_t at = count_to(mappings, address);

	if (at == mappings->size / sizeof(*all) || all[at].from > address)
		return NULL;
	return &all[at];
}

/* Returns the part of a mapping that begins at an address. */
static struct stack_mapping part_from(const struct stack_mapping *m, uint64_t from)
{
	struct stack_mapping part = *m;

	part.offset += from - m->from;
	part.from = from;
	return part;
}

void stack_mappings_put(struct buffer *mappings, const struct stack_mapping *m)
{
	struct stack_mapping *all = (void *)mappings->data, now[3];
	size_t count = mappings->size / sizeof(*all);
	size_t first = count_to(mappings, m->from), last = first, parts = 0, tail;

	if (m->from >= m->to || count >= MAPPINGS_MAX)
		return;
	while (last < count && all[last].from < m->to)
		last++;
	if (last > first && all[first].from < m->from) {
		now[parts] = all[first];
		now[parts++].to = m->from;
	}
	now[parts++] = *m;
	if (last > first && all[last - 1].to > m->to)
		now[parts++] = part_from(&all[last - 1], m->to);
	tail = (count - last) * sizeof(*all);
	if (parts > last - first) {
		/* There are more parts than before: adds room at the end, then moves the rest. */
		if (!buffer_zeros(mappings, (parts - (last - first)) * sizeof(*all)))
			return;
		all = (void *)mappings->data;
	}
	memmove(all + first + parts, all + last, tail);
	memcpy(all + first, now, parts * sizeof(*all));
	mappings->size = (first + parts) * sizeof(*all) + tail;
}
