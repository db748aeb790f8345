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
#define TYPE_BYTE   'B'

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

/* The values found so far. */
struct counters_found {
	struct maps_managed_heap heap;
	unsigned bits; /* of the counters */
	bool allows_attach;
};

static bool has_name(const struct entry *e, const unsigned char *data, size_t size, const char *is)
{
	size_t length = strnlen((const char *)data + e->name, size - e->name);

	return length == strlen(is) && length < size - e->name &&
	       !memcmp(data + e->name, is, length);
}

/* Reads the value of an entry if it is requested. */
static void read_entry(struct counters_found *out, const unsigned char *data, size_t size)
{
	struct entry e;

	memcpy(&e, data, sizeof(e));
	if (e.name >= size || e.value >= size)
		return;
	/* The first letter is 1 if the attach mechanism is on (runtimeService.cpp). */
	if (e.type == TYPE_BYTE && e.vector && has_name(&e, data, size, "sun.rt.jvmCapabilities"))
		out->allows_attach = data[e.value] == '1';
	if (e.type != TYPE_LONG || e.vector || size - e.value < sizeof(uint64_t))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		if (!has_name(&e, data, size, counters[i].name))
			continue;
		memcpy((char *)&out->heap + counters[i].at, data + e.value, sizeof(uint64_t));
		out->bits |= 1u << i;
	}
}

bool java_counters_parse(
	struct maps_managed_heap *out, bool *allows_attach, const void *bytes, size_t size)
{
	const unsigned char *data = bytes;
	struct counters_found found = { 0 };
	uint32_t magic, at, count, length;

	*out = found.heap;
	*allows_attach = false;
	if (size < HEAD || !read_u32(data, size, 0, &magic) || __builtin_bswap32(magic) != MAGIC ||
		data[4] == BIG_ENDIAN_ || !read_u32(data, size, 24, &at) ||
		!read_u32(data, size, 28, &count))
		return false;
	for (uint32_t i = 0; i < count && i < ENTRIES_MAX; i++) {
		if (!read_u32(data, size, at, &length) || length < ENTRY_HEAD || length > size - at)
			break;
		read_entry(&found, data + at, length);
		at += length;
	}
	*out = found.heap;
	*allows_attach = found.allows_attach;
	return found.bits == (1u << ARRAY_SIZE(counters)) - 1;
}

/* Data of the child with a timeout: no pointers. */
struct reading {
	int process;
	char path[256];
	bool is_read, allows_attach;
	struct maps_managed_heap heap;
};

static void run_read_job(void *argument)
{
	struct reading *r = argument;
	struct buffer bytes = { 0 };
	int root = root_open(r->process);
	struct stat st;

	if (root >= 0 && !root_file_whole(root, r->path, &bytes, FILE_BYTES, &st))
		r->is_read =
			java_counters_parse(&r->heap, &r->allows_attach, bytes.data, bytes.size);
	if (root >= 0)
		close(root);
	buffer_fini(&bytes);
}

static struct reading read_file(struct timeout *timeout, int process, const char *path)
{
	struct reading r = { .process = process };

	snprintf(r.path, sizeof(r.path), "%s", path);
	if (timeout_call(timeout, run_read_job, NULL, &r, sizeof(r), process, READ_MS))
		r.is_read = r.allows_attach = false;
	return r;
}

bool java_counters_read(
	struct maps_managed_heap *out, struct timeout *timeout, int process, const char *path)
{
	struct reading r = read_file(timeout, process, path);

	if (r.is_read)
		*out = r.heap;
	return r.is_read;
}

bool java_counters_allow_attach(struct timeout *timeout, int process, const char *path)
{
	return read_file(timeout, process, path).allows_attach;
}
