/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/stat, whose second field is whatever the process calls itself. */
#include <string.h>

#include "fuzz.h"
#include "os/linux/files/procfs.h"

/* A well-formed line around the name in the input: nothing in it may be taken for a field. */
static void with_name(const uint8_t *data, size_t size)
{
	static const char tail[] =
		") S 1 2 3 0 -1 4194560 5 6 7 8 9 10 11 12 20 0 13 0 14 15 16 17\n";
	struct procfs_stat stat;
	char line[256];
	int used = snprintf(line, sizeof(line), "42 (");

	if (size > 64)
		size = 64;
	memcpy(line + used, data, size);
	memcpy(line + used + size, tail, sizeof(tail));
	CHECK(procfs_parse_stat(&stat, line, (size_t)used + size + strlen(tail)));
	CHECK(stat.pid == 42 && stat.state == 'S' && stat.ppid == 1);
	CHECK(stat.name.size == size && !memcmp(stat.name.data, data, size));
	CHECK(stat.cpu_ticks == 19 && stat.threads == 13);
	CHECK(stat.start_ticks == 14 && stat.vsz_bytes == 15 && stat.rss_pages == 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct procfs_stat stat;

	if (procfs_parse_stat(&stat, data, size)) {
		CHECK((const uint8_t *)stat.name.data > data);
		CHECK((const uint8_t *)stat.name.data + stat.name.size < data + size);
	}
	with_name(data, size);
	return 0;
}
