/* SPDX-License-Identifier: BSD-2-Clause */
/* Files about the host, and lists of packages: any bytes, and what is found lies within them and
 * within the bounds that are promised. */
#include <string.h>

#include "base/units.h"
#include "fuzz.h"
#include "os/linux/host/host_files.h"
#include "os/linux/host/tracers.h"

static void packages(const uint8_t *data, size_t size, struct span package)
{
	const char *from = (const char *)data;
	struct span version;

	if (package_list_dpkg(&version, package, data, size)) {
		CHECK(version.size && version.data >= from);
		CHECK(version.data + version.size <= from + size);
		CHECK(!memchr(version.data, '\n', version.size));
	}
	if (package_list_apk(&version, package, data, size)) {
		CHECK(version.size && version.data >= from);
		CHECK(version.data + version.size <= from + size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_load_file load;
	uint64_t value;

	if (host_load_parse(&load, data, size))
		CHECK(load.load_1m >= 0 && load.load_5m <= 1e9 + 1 && load.load_15m >= 0);
	if (host_uptime_parse(&value, data, size))
		CHECK(value % (NS_PER_S / 100) == 0);
	if (host_memory_parse(&value, "MemFree:", data, size))
		CHECK(value % 1024 == 0);
	if (host_capability_parse(&value, data, size))
		CHECK(size >= 12);
	packages(data, size, span_of("strace", 6));
	packages(data, size, span_of((const char *)data, size / 2));
	return 0;
}
