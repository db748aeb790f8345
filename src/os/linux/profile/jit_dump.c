/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of jitdumps, as tools/perf/Documentation/jitdump-specification.txt of Linux has them. */
#include "os/linux/profile/jit_dump.h"

#include <elf.h>
#include <string.h>

#define MAGIC	     0x4a695444 /* in this machine's byte order */
#define HEAD_BYTES   40
#define RECORD_BYTES 16
#define LOAD_BYTES   40 /* behind the head of the record: up to the name */
#define MOVE_BYTES   48
#define NAME_BYTES   (PERF_MAP_NAME_MAX + 1)

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

enum { CODE_LOAD, CODE_MOVE };

bool jit_dump_is_path(struct span path)
{
	const char *slash = path.size ? memrchr(path.data, '/', path.size) : NULL;
	struct span name = path;
	struct cursor c;
	struct span rest;

	if (slash)
		name = span_of(slash + 1, path.size - (size_t)(slash + 1 - path.data));
	if (!span_starts(name, "jit-"))
		return false;
	c = cursor_over(name.data + 4, name.size - 4);
	cursor_decimal(&c);
	rest = cursor_bytes(&c, cursor_left(&c));
	return !c.failed && (span_equal(rest, ".dump") || span_equal(rest, ".dump (deleted)"));
}

static void parse_head(struct jit_dump *d, struct cursor *c)
{
	uint32_t magic = cursor_u32(c), version = cursor_u32(c), size = cursor_u32(c);
	uint32_t machine = cursor_u32(c), pid;

	cursor_u32(c); /* not used */
	pid = cursor_u32(c);
	d->is_bad = magic != MAGIC || version != 1 || size < HEAD_BYTES || machine != MACHINE ||
		    pid != d->pid;
	d->skip = size;
	d->has_head = true;
}

static void parse_load(struct cursor *c, struct perf_map_place *places, size_t count)
{
	uint64_t address, size;
	struct span name;

	cursor_bytes(c, 16); /* pid, tid, address where the code will run (the same) */
	address = cursor_u64(c);
	size = cursor_u64(c);
	cursor_u64(c); /* sequence number of the code */
	if (c->failed)
		return;
	name = span_of((const char *)c->at, strnlen((const char *)c->at, cursor_left(c)));
	if (name.size > PERF_MAP_NAME_MAX)
		name.size = PERF_MAP_NAME_MAX;
	if (name.size)
		perf_map_put(places, count, address, size, name);
}

static void parse_move(struct cursor *c, struct perf_map_place *places, size_t count)
{
	uint64_t address, size;

	cursor_bytes(c, 24); /* pid, tid, address where the code will run, old address */
	address = cursor_u64(c);
	size = cursor_u64(c);
	if (!c->failed)
		perf_map_put(places, count, address, size, span_of("", 0));
}

/* Parses one record. False: its bytes are not complete yet. */
static bool parse_record(
	struct jit_dump *d, struct cursor c, struct perf_map_place *places, size_t count)
{
	size_t left = cursor_left(&c), wanted;
	uint32_t id = cursor_u32(&c), size = cursor_u32(&c);

	cursor_u64(&c); /* time */
	if (c.failed)
		return false;
	if (size < RECORD_BYTES) {
		d->is_bad = true;
		return true;
	}
	wanted = RECORD_BYTES + LOAD_BYTES + NAME_BYTES;
	if (id == CODE_MOVE)
		wanted = RECORD_BYTES + MOVE_BYTES;
	else if (id != CODE_LOAD)
		wanted = RECORD_BYTES;
	if (left < (size < wanted ? size : wanted))
		return false;
	c = cursor_over(c.at, (size < left ? size : left) - RECORD_BYTES);
	if (id == CODE_LOAD)
		parse_load(&c, places, count);
	else if (id == CODE_MOVE)
		parse_move(&c, places, count);
	d->skip = size;
	return true;
}

size_t jit_dump_parse(struct jit_dump *d, struct perf_map_place *places, size_t count,
	const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);

	while (!cursor_at_end(&c) && !d->is_bad) {
		size_t left = cursor_left(&c), skipped = d->skip < left ? (size_t)d->skip : left;
		struct cursor at = c;

		if (skipped) {
			cursor_bytes(&c, skipped);
			d->skip -= skipped;
		} else if (d->has_head) {
			if (!parse_record(d, c, places, count))
				break;
		} else if (left < HEAD_BYTES) {
			break;
		} else {
			parse_head(d, &at);
		}
	}
	return d->is_bad ? size : size - cursor_left(&c);
}
