/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether an object that was just loaded may define an allocator, by the names that it exports: of
 * hundreds of libraries one does, and asking sooth about each would take a program longer than
 * loading it.
 */
#include "preload/loaded.h"

#include "os/linux/heap/allocator_names.h"

struct exported {
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *hash;
};

/* Most loaders relocate these in place. */
static const void *address_of(const struct dl_phdr_info *info, ElfW(Addr) at)
{
	return (const void *)(at >= info->dlpi_addr ? at : info->dlpi_addr + at);
}

static bool find_tables(const struct dl_phdr_info *info, struct exported *e)
{
	const ElfW(Dyn) *dynamic = NULL;

	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		const void *at = address_of(info, dynamic->d_un.d_ptr);

		if (dynamic->d_tag == DT_SYMTAB)
			e->symbols = at;
		else if (dynamic->d_tag == DT_STRTAB)
			e->strings = at;
		else if (dynamic->d_tag == DT_GNU_HASH)
			e->hash = at;
	}
	return e->symbols && e->strings && e->hash;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	while (*name)
		hash = hash * 33 + (unsigned char)*name++;
	return hash;
}

static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The table: buckets, the first symbol in it, words and shift of a filter, the filter, the first
 * symbol of each bucket, the hash of each symbol with a bit at the last of a bucket. */
static bool exports(const struct exported *e, const char *name)
{
	uint32_t hash = hash_of(name), buckets = e->hash[0], first = e->hash[1];
	uint32_t words = e->hash[2], shift = e->hash[3], bits = 8 * sizeof(ElfW(Addr));
	const ElfW(Addr) *filter = (const void *)(e->hash + 4);
	const uint32_t *bucket = (const void *)(filter + words), *chain = bucket + buckets;
	ElfW(Addr) mask = (ElfW(Addr))1 << hash % bits | (ElfW(Addr))1 << (hash >> shift) % bits;
	uint32_t at;

	if (!buckets || !words || (filter[hash / bits % words] & mask) != mask)
		return false;
	at = bucket[hash % buckets];
	if (at < first)
		return false;
	do {
		if ((chain[at - first] | 1) == (hash | 1) &&
			is_same(e->strings + e->symbols[at].st_name, name))
			return true;
	} while (!(chain[at++ - first] & 1));
	return false;
}

/* What is not in the table comes before what is: functions of other objects. */
static bool imports(const struct exported *e, const char *name)
{
	for (uint32_t i = 1; i < e->hash[1]; i++)
		if (is_same(e->strings + e->symbols[i].st_name, name))
			return true;
	return false;
}

struct loaded_object loaded_object(const struct dl_phdr_info *info)
{
	static const char *const functions[] = { "malloc", "calloc", "realloc", "free" };
	struct loaded_object o = { .may_allocate = true };
	struct exported e = { 0 };

	if (!find_tables(info, &e))
		return o;
	o.may_allocate = false;
	for (size_t i = 0; i < allocator_name_count && !o.may_allocate; i++)
		o.may_allocate = allocator_names[i].kind == ALLOCATOR_PLAIN &&
				 exports(&e, allocator_names[i].name);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		o.calls |= imports(&e, functions[i]);
	return o;
}
