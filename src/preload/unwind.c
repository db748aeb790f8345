/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the unwind rule of an address in the .eh_frame that is mapped with its code. The loader
 * finds .eh_frame without a lock (_dl_find_object(), glibc 2.35). Rules are cached by address,
 * because a program allocates from few places, again and again.
 */
#include "preload/stack.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include "os/linux/profile/unwind_common.h"
#include "preload/connect.h"

#define RULES	     (1u << 16) /* cached rules; a power of two */
#define PROBES	     8
#define TABLE_FORM   0x3b /* four bytes, from the start of the index */
#define FORM_4_BYTES 0x03
#define ENTRY_MAX    (1u << 20)
#define BUDGET	     4096
#define LENGTH_64    0xffffffffu

#if defined(__x86_64__)
#define MACHINE_HERE MACHINE_X86_64
#else
#define MACHINE_HERE MACHINE_AARCH64
#endif

struct kept {
	atomic_ullong address; /* 0: free; 1: is being written */
	union {
		struct unwind_rule rule;
		uint64_t bits;
	};
};

struct index_head {
	uint8_t version, frames_form, count_form, table_form;
	int32_t frames;
	uint32_t count;
};

struct index_entry {
	int32_t function, entry; /* distances from the start of the index */
};

extern int _dl_find_object(void *address, struct dl_find_object *found) __attribute__((weak));

static struct kept *rules;

static const struct unwind_rule no_rule = { .frame = UNWIND_NONE };

void unwind_forget(void)
{
	struct kept *all = rules;

	for (unsigned i = 0; all && i < RULES; i++)
		atomic_store_explicit(&all[i].address, 0, memory_order_relaxed);
}

/* --- one function --- */

static struct cursor entry_at(const unsigned char *at)
{
	struct cursor c = cursor_over(at, sizeof(uint32_t));
	uint32_t length = cursor_u32(&c);

	return cursor_over(
		at + sizeof(length), length == LENGTH_64 || length > ENTRY_MAX ? 0 : length);
}

static bool read_common_of(const unsigned char *at, uint64_t *budget, struct unwind_common *common)
{
	struct cursor c = entry_at(at);

	return !cursor_u32(&c) && !c.failed && unwind_common_read(&c, MACHINE_HERE, budget, common);
}

/* Returns the unwind rule of a function at an address. */
static struct unwind_rule rule_in(struct cursor *c, const struct unwind_common *common,
	uint64_t budget, uint64_t begin, uint64_t address)
{
	struct unwind_run run = { .budget = budget };
	uint64_t next;

	unwind_run_init(&run, MACHINE_HERE, common);
	run.address = begin;
	while (unwind_run_advance(&run, c, &next) && next <= address)
		run.address = next;
	if (run.is_unknown || c->failed)
		return (struct unwind_rule){ .frame = UNWIND_RULE };
	return unwind_rule_of(&run);
}

static struct unwind_rule rule_of_entry(const unsigned char *at, uint64_t address)
{
	struct cursor c = entry_at(at);
	const unsigned char *place = c.at;
	uint32_t distance = cursor_u32(&c);
	struct unwind_common common;
	uint64_t budget = BUDGET, begin, size, skip;

	if (c.failed || !distance || !read_common_of(place - distance, &budget, &common) ||
		common.encoding == POINTER_OMITTED || common.encoding & POINTER_OTHER)
		return no_rule;
	place = c.at;
	begin = unwind_pointer(&c, common.encoding);
	if (common.encoding & POINTER_RELATIVE)
		begin += (uintptr_t)place;
	size = unwind_pointer(&c, common.encoding & POINTER_FORM);
	skip = common.has_size ? unwind_uleb(&c) : 0;
	cursor_bytes(&c, skip > cursor_left(&c) ? SIZE_MAX : (size_t)skip);
	if (c.failed || address < begin || address - begin >= size)
		return no_rule;
	return rule_in(&c, &common, budget, begin, address);
}

/* --- the function of an address --- */

static struct unwind_rule rule_of_index(const unsigned char *index, uint64_t address)
{
	const struct index_head *head = (const void *)index;
	const struct index_entry *table = (const void *)(head + 1);
	int64_t wanted = (int64_t)(address - (uintptr_t)index);
	uint32_t from = 0, to = head->count;

	if (head->version != 1 || (head->frames_form & 7) != FORM_4_BYTES ||
		head->count_form != FORM_4_BYTES || head->table_form != TABLE_FORM)
		return no_rule;
	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (table[middle].function <= wanted)
			from = middle + 1;
		else
			to = middle;
	}
	return from ? rule_of_entry(index + table[from - 1].entry, address) : no_rule;
}

static struct unwind_rule look_up_rule(uint64_t address)
{
	struct dl_find_object found;

	if (!_dl_find_object || _dl_find_object((void *)address, &found))
		return no_rule;
	stack_meet_code((uintptr_t)found.dlfo_map_start);
	return found.dlfo_eh_frame ? rule_of_index(found.dlfo_eh_frame, address) : no_rule;
}

/* --- kept rules --- */

bool unwind_begin(void)
{
	rules = connect_map(RULES * sizeof(*rules), -1, PROT_READ | PROT_WRITE);
	return rules;
}

struct unwind_rule unwind_find(uint64_t address)
{
	struct kept *all = rules;
	size_t at = (address * 0x9e3779b97f4a7c15ull) >> 40;
	struct unwind_rule rule;

	for (unsigned i = 0; all && i < PROBES; i++) {
		struct kept *k = &all[(at + i) & (RULES - 1)];
		unsigned long long have = atomic_load_explicit(&k->address, memory_order_acquire);

		if (LIKELY(have == address))
			return k->rule;
		if (!have)
			break;
	}
	rule = look_up_rule(address);
	for (unsigned i = 0; all && i < PROBES; i++) {
		struct kept *k = &all[(at + i) & (RULES - 1)];
		unsigned long long none = 0;

		if (!atomic_compare_exchange_strong(&k->address, &none, 1))
			continue;
		k->rule = rule;
		atomic_store_explicit(&k->address, address, memory_order_release);
		break;
	}
	return rule;
}
