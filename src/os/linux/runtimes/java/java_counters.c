/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/java/java_counters.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/root_file.h"

#define FILE_BYTES  65536 /* -XX:PerfDataMemorySize is 32 K */
#define READ_MS	    200
#define MAGIC	    0xcafec0c0u
#define BIG_ENDIAN_ 0
#define HEAD	    32 /* magic, byte order, versions, sizes, time, offset and number of entries */
#define ENTRY_HEAD  20
#define ENTRIES_MAX 4096
#define TYPE_LONG   'J'

/* The head of an entry: its length, the offset of its name, the length of a vector (0: one value),
 * one byte each for type, flags, units and variability, and the offset of its value. */
struct entry {
	uint32_t length, name, vector;
	uint8_t type, flags, units, variability;
	uint32_t value;
};

_Static_assert(sizeof(struct entry) == ENTRY_HEAD, "as HotSpot writes it");

static const struct {
	const char *name;
	size_t at;
} counters[] = {
	{ "sun.gc.generation.1.space.0.used", offsetof(struct maps_managed_heap, old_bytes) },
	{ "sun.gc.generation.1.space.0.capacity",
		offsetof(struct maps_managed_heap, old_capacity_bytes) },
	{ "sun.gc.collector.0.invocations", offsetof(struct maps_managed_heap, collections) },
	{ "sun.gc.collector.1.invocations", offsetof(struct maps_managed_heap, full_collections) },
};

static bool read_u32(const unsigned char *data, size_t size, size_t at, uint32_t *out)
{
	if (at > size || size - at < sizeof(*out))
		return false;
	memcpy(out, data + at, sizeof(*out));
	return true;
}

/* Reads the value of an entry if it is a requested counter. Returns the counter's bit, or 0. */
static unsigned read_entry(struct maps_managed_heap *out, const unsigned char *data, size_t size)
{
	struct entry e;
	size_t length;

	memcpy(&e, data, sizeof(e));
	if (e.type != TYPE_LONG || e.vector || e.name >= size || e.value > size ||
		size - e.value < sizeof(uint64_t))
		return 0;
	length = strnlen((const char *)data + e.name, size - e.name);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		if (length != strlen(counters[i].name) || length == size - e.name ||
			memcmp(data + e.name, counters[i].name, length) != 0)
			continue;
		memcpy((char *)out + counters[i].at, data + e.value, sizeof(uint64_t));
		return 1u << i;
	}
	return 0;
}

bool java_counters_parse(struct maps_managed_heap *out, const void *bytes, size_t size)
{
	const unsigned char *data = bytes;
	uint32_t magic, at, count, length;
	unsigned found = 0;

	*out = (struct maps_managed_heap){ 0 };
	if (size < HEAD || !read_u32(data, size, 0, &magic) || __builtin_bswap32(magic) != MAGIC ||
		data[4] == BIG_ENDIAN_ || !read_u32(data, size, 24, &at) ||
		!read_u32(data, size, 28, &count))
		return false;
	for (uint32_t i = 0; i < count && i < ENTRIES_MAX; i++) {
		if (!read_u32(data, size, at, &length) || length < ENTRY_HEAD || length > size - at)
			break;
		found |= read_entry(out, data + at, length);
		at += length;
	}
	return found == (1u << ARRAY_SIZE(counters)) - 1;
}

/* Data of the child with a timeout: no pointers. */
struct reading {
	int process;
	char path[256];
	bool is_read;
	struct maps_managed_heap heap;
};

static void run_read_job(void *argument)
{
	struct reading *r = argument;
	struct buffer bytes = { 0 };
	int root = root_open(r->process);
	struct stat st;

	if (root >= 0 && !root_file_whole(root, r->path, &bytes, FILE_BYTES, &st))
		r->is_read = java_counters_parse(&r->heap, bytes.data, bytes.size);
	if (root >= 0)
		close(root);
	buffer_fini(&bytes);
}

bool java_counters_read(
	struct maps_managed_heap *out, struct timeout *timeout, int process, const char *path)
{
	struct reading r = { .process = process };

	snprintf(r.path, sizeof(r.path), "%s", path);
	if (timeout_call(timeout, run_read_job, NULL, &r, sizeof(r), process, READ_MS) ||
		!r.is_read)
		return false;
	*out = r.heap;
	return true;
}
