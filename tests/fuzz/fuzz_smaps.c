/* SPDX-License-Identifier: BSD-2-Clause */
/* smaps and status, whose names are whatever a process mapped or calls itself. */
#include <string.h>

#include "fuzz.h"
#include "os/linux/runtimes/runtimes_seen.h"
#include "os/linux/maps/smaps.h"

static void take_line(struct smaps_mapping *m, struct span line)
{
	struct runtimes_seen seen = { 0 };

	if (!smaps_begin(m, line)) {
		smaps_value(m, line);
		return;
	}
	CHECK(m->is.from <= m->is.to);
	CHECK(m->path.size <= line.size);
	CHECK(!m->path.size || (m->path.data >= line.data &&
				       m->path.data + m->path.size <= line.data + line.size));
	CHECK(!m->has_values && !m->is.rss_bytes);
	runtimes_see_file(&seen, m->path);
	for (int i = 0; i < MAPS_RUNTIMES; i++)
		CHECK(memchr(seen.why[i], 0, sizeof(seen.why[i])));
	if (smaps_cut_deleted(&m->path))
		CHECK(m->path.size);
	m->path.size = 0; /* borrowed from the line */
}

/* Whatever stands in a name: it stays the name, and its mapping one mapping. */
static void with_name(const uint8_t *data, size_t size)
{
	char line[256];
	int used = snprintf(line, sizeof(line), "1000-2000 r--s 00003000 fe:01 77        /");
	struct smaps_mapping m;

	if (size > 64)
		size = 64;
	memcpy(line + used, data, size);
	CHECK(smaps_begin(&m, span_of(line, (size_t)used + size)));
	CHECK(m.is.from == 0x1000 && m.is.to == 0x2000 && m.is.offset == 0x3000);
	CHECK(m.is.inode == 77 && m.is.device_major == 0xfe && m.is.protection == 9);
	CHECK(m.path.size == size + 1 && !memcmp(m.path.data + 1, data, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct smaps_mapping m = { 0 };
	struct maps_process p = { 0 };

	while (!cursor_at_end(&c))
		take_line(&m, cursor_line(&c));
	smaps_status(&p, data, size);
	with_name(data, size);
	return 0;
}
