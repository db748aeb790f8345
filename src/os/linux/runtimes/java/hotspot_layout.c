/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/java/hotspot_layout.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/files/process_symbols.h"
#include "os/linux/files/read_memory.h"

#define ENTRIES_MAX 8192 /* HotSpot 17 has 788 */

static bool read_variable(const struct process_image *i, const char *name, uint64_t *value)
{
	return do_read_memory(i->pid, do_find_symbol(i, name), value, sizeof(*value));
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

/* The layout of the table, which the table itself describes. */
struct table {
	uint64_t first, stride, type, field, is_static, offset, address;
};

static bool read_table(const struct process_image *i, struct table *t)
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

static bool is_table_valid(const struct table *t)
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

static uint64_t member_at(const unsigned char *entry, uint64_t offset)
{
	uint64_t value;

	memcpy(&value, entry + offset, sizeof(value));
	return value;
}

bool hotspot_layout_read(pid_t pid, uint64_t base, struct hotspot_layout *out)
{
	struct process_image i = { .pid = pid, .base = base };
	char type[PROCESS_NAME_SIZE] = "", field[PROCESS_NAME_SIZE];
	unsigned char entry[ENTRY_SIZE];
	uint64_t last = 0;
	bool is_known = false;
	struct table t;

	memset(out, 0, sizeof(*out));
	if (!do_open_image(&i) || !read_table(&i, &t) || !is_table_valid(&t))
		return false;
	for (unsigned n = 0; n < ENTRIES_MAX; n++) {
		int32_t is_static;

		if (!do_read_memory(pid, t.first + n * t.stride, entry, t.stride))
			return false;
		if (!member_at(entry, t.type))
			return true;
		if (member_at(entry, t.type) != last) { /* entries of one type follow each other */
			last = member_at(entry, t.type);
			is_known = do_read_name(pid, last, type) && is_wanted_type(type);
		}
		if (!is_known || !do_read_name(pid, member_at(entry, t.field), field))
			continue;
		memcpy(&is_static, entry + t.is_static, sizeof(is_static));
		keep_field(out, type, field, member_at(entry, is_static ? t.address : t.offset));
	}
	return false;
}
