/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real functions behind this library, and memory for calls while they are still unknown,
 * because the C library allocates while it looks them up.
 */
#include "preload/loaded.h"

#include <dlfcn.h>

#define EARLY_BYTES (256u << 10)
#define STEPS	    (1u << 26) /* steps of a wait for another thread */

extern int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *user)
	__attribute__((weak));

struct real real;
atomic_uint real_is_resolved;

/* The loader's functions that this library also defines. An older C library may lack them. */
struct loader_functions loader;

static atomic_uint is_resolving;

/* Memory for early blocks, which are never reused. The size of a block stands before it. */
static _Alignas(64) unsigned char early[EARLY_BYTES];
static atomic_size_t early_used;

void *early_block(size_t size, size_t alignment)
{
	size_t room, at, begin;

	if (alignment < 16)
		alignment = 16;
	if (size > EARLY_BYTES || alignment > EARLY_BYTES)
		return NULL;
	room = size + alignment + 16;
	at = atomic_fetch_add(&early_used, room);
	if (at + room > EARLY_BYTES)
		return NULL;
	begin = ((uintptr_t)early + at + 8 + alignment - 1) / alignment * alignment -
		(uintptr_t)early;
	__builtin_memcpy(early + begin - 8, &size, sizeof(size));
	return early + begin;
}

bool early_is(const void *block)
{
	return (const unsigned char *)block >= early &&
	       (const unsigned char *)block < early + EARLY_BYTES;
}

size_t early_size(const void *block)
{
	size_t size;

	__builtin_memcpy(&size, (const unsigned char *)block - 8, sizeof(size));
	return size;
}

extern __typeof__(dladdr) dladdr __attribute__((weak));

/* A search in a library with that name, in any version. */
struct named {
	const char *library, *name;
	void *found;
};

static bool is_named(const char *path, const char *library)
{
	const char *base = path;

	for (; *path; path++)
		base = *path == '/' ? path + 1 : base;
	while (*library && *base == *library) {
		base++;
		library++;
	}
	return !*library;
}

static int find_in_named_object(struct dl_phdr_info *info, size_t size, void *user)
{
	struct named *n = user;

	(void)size;
	if (is_named(info->dlpi_name, n->library))
		n->found = loaded_symbol(info, n->name);
	return n->found != NULL;
}

void *real_function_of(const char *library, const char *name)
{
	struct named n = { library, name, NULL };

	if (dl_iterate_phdr)
		dl_iterate_phdr(find_in_named_object, &n);
	return n.found;
}

bool real_is_same_object(const void *a, const void *b)
{
	Dl_info first, second;

	return dladdr && dladdr(a, &first) && dladdr(b, &second) &&
	       first.dli_fbase == second.dli_fbase;
}

/* --- functions in objects that are loaded after this library --- */

struct behind {
	const char *name;
	bool is_behind;
	bool is_before; /* an object before this one has that function */
	void *found;
};

static int find_in_later_object(struct dl_phdr_info *info, size_t size, void *user)
{
	struct behind *b = user;

	(void)size;
	if (loaded_has(info, &real))
		b->is_behind = true;
	else if (b->is_behind)
		b->found = loaded_symbol(info, b->name);
	else
		b->is_before |= loaded_symbol(info, b->name) != NULL;
	return b->found != NULL;
}

static struct behind find_behind_library(const char *name)
{
	struct behind b = { .name = name };

	if (dl_iterate_phdr)
		dl_iterate_phdr(find_in_later_object, &b);
	return b;
}

void *real_behind(const char *name)
{
	return find_behind_library(name).found;
}

void *real_function(const char *name)
{
	void *found = loader.dlsym ? loader.dlsym(RTLD_NEXT, name) : real_behind(name);

	return found;
}

#define LOOK_UP(to_, name_, how_) (to_).name_ = (__typeof__((to_).name_))(uintptr_t)how_(#name_)

/* Other C libraries have neither these functions nor callers of them. */
#define LOOK_UP_OF_GLIBC(name_)                                                                    \
	LOOK_UP(real, __libc_##name_, real_function);                                              \
	real.__libc_##name_ = real.__libc_##name_ ? real.__libc_##name_ : real.name_

static void resolve_names_of_glibc(void)
{
	LOOK_UP_OF_GLIBC(malloc);
	LOOK_UP_OF_GLIBC(free);
	LOOK_UP_OF_GLIBC(calloc);
	LOOK_UP_OF_GLIBC(realloc);
	LOOK_UP_OF_GLIBC(memalign);
	LOOK_UP_OF_GLIBC(valloc);
	LOOK_UP_OF_GLIBC(pvalloc);
}

static void resolve_functions(void)
{
	LOOK_UP(loader, dlsym, real_behind);
	LOOK_UP(loader, dlvsym, real_behind);
	LOOK_UP(loader, dlopen, real_behind);
	LOOK_UP(loader, prctl, real_behind);
	LOOK_UP(loader, syscall, real_behind);
	LOOK_UP(real, malloc, real_function);
	LOOK_UP(real, free, real_function);
	LOOK_UP(real, calloc, real_function);
	LOOK_UP(real, realloc, real_function);
	LOOK_UP(real, reallocarray, real_function);
	LOOK_UP(real, aligned_alloc, real_function);
	LOOK_UP(real, posix_memalign, real_function);
	LOOK_UP(real, memalign, real_function);
	LOOK_UP(real, valloc, real_function);
	LOOK_UP(real, pvalloc, real_function);
	resolve_names_of_glibc();
	real.is_first = !find_behind_library("malloc").is_before;
}

bool real_resolve(void)
{
	struct thread *t = &self;
	unsigned none = 0;

	if (t->is_resolving)
		return false;
	if (atomic_compare_exchange_strong(&is_resolving, &none, 1)) {
		t->is_resolving = true;
		resolve_functions();
		t->is_resolving = false;
		atomic_store(&real_is_resolved, 1);
	}
	/* Another thread looks them up. A forked child lacks that thread: hence the limit. */
	for (unsigned i = 0; i < STEPS && !atomic_load(&real_is_resolved); i++)
		spin_once();
	return atomic_load(&real_is_resolved);
}
