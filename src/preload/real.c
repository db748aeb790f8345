/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions behind this library, and memory for calls before they are known: the C library
 * allocates while it looks them up.
 */
#include "preload/preload.h"

#include "preload/kernel_calls.h"

#define EARLY_BYTES (256u << 10)
#define NEXT	    ((void *)-1l) /* RTLD_NEXT */
#define STEP_NS	    50000

extern void *dlsym(void *handle, const char *name) __attribute__((weak));
/* What an older C library has without dlsym(), which is in a library of its own there. */
extern void *__libc_malloc(size_t size) __attribute__((weak));
extern void __libc_free(void *block) __attribute__((weak));
extern void *__libc_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__libc_realloc(void *block, size_t size) __attribute__((weak));
extern void *__libc_memalign(size_t alignment, size_t size) __attribute__((weak));

struct real real;
atomic_uint real_is_resolved;

static atomic_uint is_resolving;

/* Blocks are never reused: what is behind them is their size. */
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

struct symbol_place { /* Dl_info */
	const char *file;
	void *base;
	const char *name;
	void *address;
};

extern int dladdr(const void *address, struct symbol_place *place) __attribute__((weak));
extern void *dlopen(const char *file, int flags) __attribute__((weak));

#define IF_LOADED 5 /* RTLD_LAZY | RTLD_NOLOAD */

void *real_function_of(const char *library, const char *name)
{
	void *handle = dlopen && dlsym ? dlopen(library, IF_LOADED) : NULL;

	return handle ? dlsym(handle, name) : NULL;
}

bool real_is_same_object(const void *a, const void *b)
{
	struct symbol_place first, second;

	return dladdr && dladdr(a, &first) && dladdr(b, &second) && first.base == second.base;
}

void *real_function(const char *name)
{
	return dlsym ? dlsym(NEXT, name) : NULL;
}

void *real_function_first(const char *name)
{
	return dlsym ? dlsym(NULL, name) : NULL; /* RTLD_DEFAULT */
}

static void resolve_all(void)
{
	if (!dlsym) {
		real.malloc = __libc_malloc;
		real.free = __libc_free;
		real.calloc = __libc_calloc;
		real.realloc = __libc_realloc;
		real.memalign = real.aligned_alloc = __libc_memalign;
		return;
	}
#define LOOK_UP(name_) real.name_ = (__typeof__(real.name_))(uintptr_t)real_function(#name_)
	LOOK_UP(malloc);
	LOOK_UP(free);
	LOOK_UP(calloc);
	LOOK_UP(realloc);
	LOOK_UP(reallocarray);
	LOOK_UP(aligned_alloc);
	LOOK_UP(posix_memalign);
	LOOK_UP(memalign);
	LOOK_UP(valloc);
	LOOK_UP(pvalloc);
#undef LOOK_UP
}

bool real_resolve(void)
{
	struct timespec {
		long s, ns;
	} step = { 0, STEP_NS };
	struct thread *t = &self;
	unsigned none = 0;

	if (t->is_resolving)
		return false;
	if (atomic_compare_exchange_strong(&is_resolving, &none, 1)) {
		t->is_resolving = true;
		resolve_all();
		t->is_resolving = false;
		atomic_store(&real_is_resolved, 1);
	}
	/* Another thread does it; that it is not in a fork's child can be seen by its end only. */
	for (int i = 0; i < 20000 && !atomic_load(&real_is_resolved); i++)
		KERNEL(nanosleep, &step, 0, 0, 0, 0, 0);
	return atomic_load(&real_is_resolved);
}
