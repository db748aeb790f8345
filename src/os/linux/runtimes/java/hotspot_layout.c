/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/java/hotspot_layout.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/files/read_memory.h"

#define NAME_SIZE    64
#define HEADERS_MAX  64
#define DYNAMICS_MAX 128
#define CHAIN_MAX    64	  /* symbols with one hash */
#define ENTRIES_MAX  8192 /* HotSpot 17 has 788 */

/* A string; it may end near the end of a page, with nothing behind it. */
static bool read_name(pid_t pid, uint64_t address, char out[NAME_SIZE])
{
	memset(out, 0, NAME_SIZE);
	if (do_read_memory(pid, address, out, NAME_SIZE - 1))
		return true;
	for (size_t i = 0; i < NAME_SIZE - 1; i++) {
		if (!do_read_memory(pid, address + i, out + i, 1))
			return false;
		if (!out[i])
			return true;
	}
	return true;
}

/* --- symbols --- */

struct image {
	pid_t pid;
	uint64_t base;
	uint64_t symbols, strings, hash; /* of its dynamic section */
};

static uint64_t placed(const struct image *i, uint64_t address)
{
	return address < i->base ? i->base + address : address;
}

static bool read_dynamic(struct image *i, uint64_t address, uint64_t size)
{
	Elf64_Dyn d;

	for (uint64_t n = 0; n < DYNAMICS_MAX && (n + 1) * sizeof(d) <= size; n++) {
		if (!do_read_memory(i->pid, address + n * sizeof(d), &d, sizeof(d)))
			return false;
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_SYMTAB)
			i->symbols = placed(i, d.d_un.d_ptr);
		else if (d.d_tag == DT_STRTAB)
			i->strings = placed(i, d.d_un.d_ptr);
		else if (d.d_tag == DT_GNU_HASH)
			i->hash = placed(i, d.d_un.d_ptr);
	}
	return i->symbols && i->strings && i->hash;
}

static bool open_image(struct image *i)
{
	Elf64_Ehdr header;
	Elf64_Phdr p;

	if (!do_read_memory(i->pid, i->base, &header, sizeof(header)) ||
		memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
		header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(p))
		return false;
	for (unsigned n = 0; n < header.e_phnum && n < HEADERS_MAX; n++) {
		if (!do_read_memory(
			    i->pid, i->base + header.e_phoff + n * sizeof(p), &p, sizeof(p)))
			return false;
		if (p.p_type == PT_DYNAMIC)
			return read_dynamic(i, i->base + p.p_vaddr, p.p_memsz);
	}
	return false;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* The address of an exported variable; 0: there is none. */
static uint64_t symbol_of(const struct image *i, const char *name)
{
	uint32_t table[4], index, hash = gnu_hash(name), met = 0; /* buckets, first, bloom, shift */
	uint64_t buckets, chains;
	char found[NAME_SIZE];
	Elf64_Sym s;

	if (!do_read_memory(i->pid, i->hash, table, sizeof(table)) || !table[0])
		return 0;
	buckets = i->hash + sizeof(table) + table[2] * sizeof(uint64_t);
	chains = buckets + table[0] * sizeof(uint32_t);
	if (!do_read_memory(
		    i->pid, buckets + hash % table[0] * sizeof(index), &index, sizeof(index)) ||
		index < table[1])
		return 0;
	for (unsigned n = 0; n < CHAIN_MAX && !(met & 1); n++, index++) {
		if (!do_read_memory(
			    i->pid, chains + (index - table[1]) * sizeof(met), &met, sizeof(met)))
			return 0;
		if ((met | 1) != (hash | 1))
			continue;
		if (!do_read_memory(i->pid, i->symbols + index * sizeof(s), &s, sizeof(s)) ||
			!read_name(i->pid, i->strings + s.st_name, found))
			return 0;
		if (!strcmp(found, name))
			return i->base + s.st_value;
	}
	return 0;
}

static bool read_variable(const struct image *i, const char *name, uint64_t *value)
{
	return do_read_memory(i->pid, symbol_of(i, name), value, sizeof(*value));
}

/* --- the table --- */

static const struct {
	const char *type, *field;
	enum hotspot_field id;
} wanted[] = {
	{ "ThreadsSMRSupport", "_java_thread_list", HOTSPOT_THREADS_LIST },
	{ "ThreadsList", "_length", HOTSPOT_LIST_LENGTH },
	{ "ThreadsList", "_threads", HOTSPOT_LIST_THREADS },
	{ "Thread", "_osthread", HOTSPOT_THREAD_OSTHREAD },
	{ "JavaThread", "_osthread", HOTSPOT_THREAD_OSTHREAD },
	{ "OSThread", "_thread_id", HOTSPOT_OSTHREAD_ID },
	{ "JavaThread", "_threadObj", HOTSPOT_THREAD_OBJECT },
	{ "Thread", "_current_pending_monitor", HOTSPOT_THREAD_PENDING },
	{ "JavaThread", "_current_pending_monitor", HOTSPOT_THREAD_PENDING },
	{ "Thread", "_stack_base", HOTSPOT_THREAD_STACK_BASE },
	{ "JavaThread", "_stack_base", HOTSPOT_THREAD_STACK_BASE },
	{ "Thread", "_stack_size", HOTSPOT_THREAD_STACK_SIZE },
	{ "JavaThread", "_stack_size", HOTSPOT_THREAD_STACK_SIZE },
	{ "JavaThread", "_monitor_owner_id", HOTSPOT_THREAD_OWNER_ID },
	{ "JavaThread", "_lock_stack", HOTSPOT_THREAD_LOCK_STACK },
	{ "LockStack", "_top", HOTSPOT_LOCK_STACK_TOP },
	{ "LockStack", "_base[0]", HOTSPOT_LOCK_STACK_BASE },
	{ "ObjectMonitor", "_owner", HOTSPOT_MONITOR_OWNER },
	{ "ObjectMonitor", "_object", HOTSPOT_MONITOR_OBJECT },
	{ "Universe", "_collectedHeap", HOTSPOT_HEAP },
	{ "CollectedHeap", "_reserved", HOTSPOT_HEAP_RESERVED },
	{ "CompressedOops", "_narrow_oop._base", HOTSPOT_OOP_BASE },
	{ "CompressedOops", "_base", HOTSPOT_OOP_BASE },
	{ "CompressedOops", "_narrow_oop._shift", HOTSPOT_OOP_SHIFT },
	{ "CompressedOops", "_shift", HOTSPOT_OOP_SHIFT },
	{ "CompressedKlassPointers", "_narrow_klass._base", HOTSPOT_CLASS_BASE },
	{ "CompressedKlassPointers", "_base", HOTSPOT_CLASS_BASE },
	{ "CompressedKlassPointers", "_narrow_klass._shift", HOTSPOT_CLASS_SHIFT },
	{ "CompressedKlassPointers", "_shift", HOTSPOT_CLASS_SHIFT },
	{ "oopDesc", "_metadata._klass", HOTSPOT_OBJECT_CLASS },
	{ "Klass", "_name", HOTSPOT_CLASS_NAME },
	{ "Klass", "_layout_helper", HOTSPOT_CLASS_LAYOUT },
	{ "Symbol", "_length", HOTSPOT_SYMBOL_LENGTH },
	{ "Symbol", "_body", HOTSPOT_SYMBOL_BODY },
};

/* How the table describes itself. */
struct table {
	uint64_t first, stride, type, field, is_static, offset, address;
};

static bool read_table(const struct image *i, struct table *t)
{
	return read_variable(i, "gHotSpotVMStructs", &t->first) &&
	       read_variable(i, "gHotSpotVMStructEntryArrayStride", &t->stride) &&
	       read_variable(i, "gHotSpotVMStructEntryTypeNameOffset", &t->type) &&
	       read_variable(i, "gHotSpotVMStructEntryFieldNameOffset", &t->field) &&
	       read_variable(i, "gHotSpotVMStructEntryIsStaticOffset", &t->is_static) &&
	       read_variable(i, "gHotSpotVMStructEntryOffsetOffset", &t->offset) &&
	       read_variable(i, "gHotSpotVMStructEntryAddressOffset", &t->address);
}

#define ENTRY_SIZE 128

static bool is_sound(const struct table *t)
{
	const uint64_t members[] = { t->type, t->field, t->offset, t->address };

	if (t->stride < sizeof(uint64_t) || t->stride > ENTRY_SIZE ||
		t->is_static > t->stride - sizeof(int32_t))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (members[i] > t->stride - sizeof(uint64_t))
			return false;
	}
	return true;
}

static bool is_wanted_type(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!strcmp(wanted[i].type, type))
			return true;
	}
	return false;
}

static void keep_field(struct hotspot_layout *out, const char *type, const char *field, uint64_t at)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (strcmp(wanted[i].type, type) != 0 || strcmp(wanted[i].field, field) != 0)
			continue;
		out->at[wanted[i].id] = at;
		out->has[wanted[i].id] = true;
	}
}

static uint64_t member(const unsigned char *entry, uint64_t offset)
{
	uint64_t value;

	memcpy(&value, entry + offset, sizeof(value));
	return value;
}

bool hotspot_layout_read(pid_t pid, uint64_t base, struct hotspot_layout *out)
{
	struct image i = { .pid = pid, .base = base };
	char type[NAME_SIZE] = "", field[NAME_SIZE];
	unsigned char entry[ENTRY_SIZE];
	uint64_t last = 0;
	bool is_known = false;
	struct table t;

	memset(out, 0, sizeof(*out));
	if (!open_image(&i) || !read_table(&i, &t) || !is_sound(&t))
		return false;
	for (unsigned n = 0; n < ENTRIES_MAX; n++) {
		int32_t is_static;

		if (!do_read_memory(pid, t.first + n * t.stride, entry, t.stride))
			return false;
		if (!member(entry, t.type))
			return true;
		if (member(entry, t.type) != last) { /* those of one type follow each other */
			last = member(entry, t.type);
			is_known = read_name(pid, last, type) && is_wanted_type(type);
		}
		if (!is_known || !read_name(pid, member(entry, t.field), field))
			continue;
		memcpy(&is_static, entry + t.is_static, sizeof(is_static));
		keep_field(out, type, field, member(entry, is_static ? t.address : t.offset));
	}
	return false;
}
