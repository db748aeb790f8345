/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides by exported names whether a newly loaded object may define an allocator. Very few
 * libraries do, and a request to sooth for each would take longer than loading them.
 */
#include "preload/loaded.h"

#include "os/linux/heap/allocator_names.h"

struct exported {
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *hash;
};

/* Returns the address of a table. Most loaders relocate the dynamic section in place. */
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

static bool is_same_name(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

bool loaded_is_allocator(const char *name)
{
	for (size_t i = 0; i < allocator_name_count; i++)
		if (allocator_names[i].kind == ALLOCATOR_PLAIN &&
			is_same_name(allocator_names[i].name, name))
			return true;
	return false;
}

/* Finds a symbol. The GNU hash table has: number of buckets, first symbol, words and shift of the
 * filter, filter, first symbol of each bucket, hashes, whose lowest bit ends a bucket. */
static const ElfW(Sym) * find(const struct exported *e, const char *name)
{
	uint32_t hash = hash_of(name), buckets = e->hash[0], first = e->hash[1];
	uint32_t words = e->hash[2], shift = e->hash[3], bits = 8 * sizeof(ElfW(Addr));
	const ElfW(Addr) *filter = (const void *)(e->hash + 4);
	const uint32_t *bucket = (const void *)(filter + words), *chain = bucket + buckets;
	ElfW(Addr) mask = (ElfW(Addr))1 << hash % bits | (ElfW(Addr))1 << (hash >> shift) % bits;
	uint32_t at;

	if (!buckets || !words || (filter[hash / bits % words] & mask) != mask)
		return NULL;
	at = bucket[hash % buckets];
	if (at < first)
		return NULL;
	do {
		if ((chain[at - first] | 1) == (hash | 1) &&
			is_same_name(e->strings + e->symbols[at].st_name, name))
			return &e->symbols[at];
	} while (!(chain[at++ - first] & 1));
	return NULL;
}

/* Returns whether calls of a function miss this library if the caller is bound to the C library. */
static bool bypasses_library(const char *name)
{
	static const char *const functions[] = { "malloc", "free", "calloc", "realloc",
		"reallocarray", "aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc",
		"dlsym", "dlvsym", "dlopen" };

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (is_same_name(functions[i], name))
			return true;
	return false;
}

/* Returns whether an object calls such a function. Imports come before symbols in the table. */
static bool calls_around(const struct exported *e)
{
	for (uint32_t i = 1; i < e->hash[1]; i++)
		if (bypasses_library(e->strings + e->symbols[i].st_name))
			return true;
	return false;
}

void *loaded_symbol(const struct dl_phdr_info *info, const char *name)
{
	struct exported e = { 0 };
	const ElfW(Sym) *symbol = find_tables(info, &e) ? find(&e, name) : NULL;

	if (!symbol || !symbol->st_shndx ||
		((symbol->st_info & 15) != STT_FUNC && (symbol->st_info & 15) != STT_OBJECT))
		return NULL;
	return (void *)(info->dlpi_addr + symbol->st_value);
}

struct loaded_object loaded_object(const struct dl_phdr_info *info)
{
	struct loaded_object o = { .may_allocate = true };
	struct exported e = { 0 };

	if (!find_tables(info, &e))
		return o;
	o.may_allocate = false;
	for (size_t i = 0; i < allocator_name_count && !o.may_allocate; i++)
		o.may_allocate = allocator_names[i].kind == ALLOCATOR_PLAIN &&
				 find(&e, allocator_names[i].name) != NULL;
	o.calls = calls_around(&e);
	return o;
}
