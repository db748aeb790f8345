/* SPDX-License-Identifier: BSD-2-Clause */
/* The dynamic loader of a process. */
#include "os/linux/pause/pause_loader.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"

#define AUXV_MAX     4096
#define SEGMENTS_MAX 64
#define DYNAMIC_MAX  512
#define TYPE_MAX     0xffff /* of an entry of the auxiliary vector */

struct auxv {
	bool is_compat;
	uint64_t base, entry, segments, segment_count, random;
};

static void auxv_entry(struct auxv *a, uint64_t type, uint64_t value)
{
	switch (type) {
	case AT_BASE:
		a->base = value;
		break;
	case AT_ENTRY:
		a->entry = value;
		break;
	case AT_PHDR:
		a->segments = value;
		break;
	case AT_PHNUM:
		a->segment_count = value;
		break;
	case AT_RANDOM:
		a->random = value;
		break;
	}
}

static uint64_t word(struct cursor *c, bool is_compat)
{
	return is_compat ? cursor_u32(c) : cursor_u64(c);
}

static int auxv_read(struct auxv *a, pid_t pid)
{
	struct buffer bytes = { 0 };
	struct cursor c;
	uint64_t first;
	int status = procfs_read(pid, "auxv", &bytes, AUXV_MAX);

	*a = (struct auxv){ 0 };
	c = cursor_over(bytes.data, bytes.size);
	first = cursor_u64(&c);
	/* Two 4-byte words read as one look like a type that does not exist. */
	a->is_compat = !c.failed && first > TYPE_MAX;
	c = cursor_over(bytes.data, bytes.size);
	while (status >= 0 && cursor_left(&c) >= 16) {
		uint64_t type = word(&c, a->is_compat), value = word(&c, a->is_compat);

		if (type == AT_NULL)
			break;
		auxv_entry(a, type, value);
	}
	buffer_fini(&bytes);
	return status < 0 ? status : 0;
}

static bool read_memory(pid_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec local = { to, size };
	struct iovec remote = { (void *)(uintptr_t)address, size };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* --- ranges --- */

static bool contains(struct loader_range range, uint64_t address)
{
	return address >= range.begin && address < range.end;
}

/* Adjacent mappings of one file are one range; the interpreter's contains AT_BASE. */
static void find_ranges(struct loader *l, struct span maps, uint64_t base)
{
	struct cursor c = cursor_over(maps.data, maps.size);
	struct loader_range run = { 0 };
	struct maps_line m, former = { 0 };

	while (!cursor_at_end(&c)) {
		if (!maps_parse(cursor_line(&c), &m))
			continue;
		if (span_equal(m.path, "[vdso]"))
			l->vdso = (struct loader_range){ m.from, m.to };
		if (!m.inode || m.inode != former.inode || m.device_major != former.device_major ||
			m.device_minor != former.device_minor || m.from != run.end)
			run.begin = m.from;
		run.end = m.to;
		former = m;
		if (contains(run, base))
			l->interpreter = run;
	}
}

/* --- struct r_debug --- */

struct segment {
	uint32_t type;
	uint64_t address, size;
};

static struct segment segment_at(const unsigned char *table, size_t number, bool is_compat)
{
	Elf64_Phdr wide;
	Elf32_Phdr narrow;

	if (is_compat) {
		memcpy(&narrow, table + number * sizeof(narrow), sizeof(narrow));
		return (struct segment){ narrow.p_type, narrow.p_vaddr, narrow.p_filesz };
	}
	memcpy(&wide, table + number * sizeof(wide), sizeof(wide));
	return (struct segment){ wide.p_type, wide.p_vaddr, wide.p_filesz };
}

/* Address of the value of an entry, 0 if there is none. */
static uint64_t find_entry(
	const struct loader *l, uint64_t address, uint64_t size, uint64_t selected)
{
	size_t pair = l->is_compat ? 8 : 16;
	unsigned char bytes[DYNAMIC_MAX * 16];
	struct cursor c;

	if (size > sizeof(bytes))
		size = sizeof(bytes);
	if (!read_memory(l->pid, address, bytes, size))
		return 0;
	c = cursor_over(bytes, size);
	for (uint64_t at = address; cursor_left(&c) >= pair; at += pair) {
		uint64_t tag = word(&c, l->is_compat);

		if (tag == selected)
			return at + pair / 2;
		if (tag == DT_NULL)
			break;
		word(&c, l->is_compat);
	}
	return 0;
}

/* In the dynamic section of the executed program. */
static uint64_t find_dynamic(const struct loader *l, const struct auxv *auxv, uint64_t selected)
{
	size_t count = auxv->segment_count < SEGMENTS_MAX ? auxv->segment_count : SEGMENTS_MAX;
	size_t size = count * (l->is_compat ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr));
	unsigned char table[SEGMENTS_MAX * sizeof(Elf64_Phdr)];
	struct segment dynamic = { 0 };
	/* A table outside of all segments is behind the file's header. */
	uint64_t bias = auxv->segments - (l->is_compat ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr));

	if (!read_memory(l->pid, auxv->segments, table, size))
		return 0;
	for (size_t i = 0; i < count; i++) {
		struct segment s = segment_at(table, i, l->is_compat);

		if (s.type == PT_PHDR)
			bias = auxv->segments - s.address;
		if (s.type == PT_DYNAMIC)
			dynamic = s;
	}
	return dynamic.type ? find_entry(l, dynamic.address + bias, dynamic.size, selected) : 0;
}

/* struct r_debug: a version, the first library, a function, and a state. */
static bool says_consistent(const struct loader *l)
{
	size_t size = l->is_compat ? 4 : 8;
	unsigned char bytes[4 * 8];
	uint64_t address, version, first, state;
	struct cursor c;

	if (!l->debug || !read_memory(l->pid, l->debug, bytes, size))
		return false;
	c = cursor_over(bytes, size);
	address = word(&c, l->is_compat);
	if (!address || !read_memory(l->pid, address, bytes, 4 * size))
		return false;
	c = cursor_over(bytes, 4 * size);
	version = word(&c, l->is_compat) & UINT32_MAX;
	first = word(&c, l->is_compat);
	word(&c, l->is_compat);
	state = word(&c, l->is_compat) & UINT32_MAX;
	return version && first && state == 0; /* RT_CONSISTENT */
}

int loader_find(struct loader *l, pid_t pid)
{
	struct buffer maps = { 0 };
	struct auxv auxv;
	int status = auxv_read(&auxv, pid);

	*l = (struct loader){ .pid = pid, .is_compat = auxv.is_compat };
	/* An executed library is a loader that was given the program's name. */
	if (!status && !auxv.base && find_dynamic(l, &auxv, DT_SONAME))
		auxv.base = auxv.segments;
	if (status || !auxv.base)
		return status;
	status = procfs_read(pid, "maps", &maps, PROCFS_MAPS);
	if (status >= 0) {
		find_ranges(l, span_of((const char *)maps.data, maps.size), auxv.base);
		l->debug = find_dynamic(l, &auxv, DT_DEBUG);
		status = l->interpreter.end != 0;
	}
	buffer_fini(&maps);
	return status;
}

bool loader_is_done(const struct loader *l, uint64_t ip)
{
	bool is_outside = !contains(l->interpreter, ip);

	/* Calls in the kernel's own page (vdso) are made for the code that called it. */
	return (is_outside && !contains(l->vdso, ip)) || says_consistent(l);
}

bool loader_is_other_program(pid_t pid)
{
	struct auxv auxv;

	/* A fork keeps its parent's addresses; an exec chooses new ones. */
	return !auxv_read(&auxv, pid) &&
	       (auxv.random != getauxval(AT_RANDOM) || auxv.entry != getauxval(AT_ENTRY) ||
		       auxv.base != getauxval(AT_BASE));
}
