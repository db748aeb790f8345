/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that the program looks up itself. If a lookup by the handle of a library finds the C
 * library's function, the program gets this library's function instead. With RTLD_NEXT the result
 * depends on the caller, so the calls of the program have to be probed.
 *
 * The loader finds the caller by the return address: where this matters, the wrapper jumps.
 */
#include "preload/loaded.h"

#include <dlfcn.h>

#include "preload/call.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void *dlsym(void *handle, const char *name);
EXPORT void *dlvsym(void *handle, const char *name, const char *version);
EXPORT void *dlopen(const char *file, int flags);

void *malloc(size_t size);
void free(void *block);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void *reallocarray(void *block, size_t count, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **block, size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
int prctl(int option, long a, long b, long c, long d);
long syscall(long number, long a, long b, long c, long d, long e, long f);

#define OURS_FOR(real_, own_)                                                                      \
	if ((uintptr_t)found == (uintptr_t)(real_))                                                \
	return (void *)(uintptr_t)(own_)

/* Returns this library's function for one that it wraps; else `found`, like another wrapper. */
static void *wrapper_of(void *found)
{
	if (!found)
		return NULL;
	OURS_FOR(real.malloc, malloc);
	OURS_FOR(real.free, free);
	OURS_FOR(real.calloc, calloc);
	OURS_FOR(real.realloc, realloc);
	OURS_FOR(real.reallocarray, reallocarray);
	OURS_FOR(real.aligned_alloc, aligned_alloc);
	OURS_FOR(real.posix_memalign, posix_memalign);
	OURS_FOR(real.memalign, memalign);
	OURS_FOR(real.valloc, valloc);
	OURS_FOR(real.pvalloc, pvalloc);
	OURS_FOR(loader.prctl, prctl);
	OURS_FOR(loader.syscall, syscall);
	OURS_FOR(loader.dlopen, dlopen);
	OURS_FOR(loader.dlsym, dlsym);
	OURS_FOR(loader.dlvsym, dlvsym);
	return found;
}

/* Asks for probes if RTLD_NEXT bypasses this library. Callers that the loader searches earlier find
 * this library's functions. Calls of the object that provides malloc are part of recorded calls. */
static __attribute__((noinline)) void look_up_next(const void *caller, const char *name)
{
	if (loaded_is_allocator(name) && !loaded_is_before(caller) &&
		!real_is_same_object(caller, (const void *)(uintptr_t)real.malloc))
		session_calls_around(&self, PRELOAD_AROUND_NEXT);
}

void *dlsym(void *handle, const char *name)
{
	if (UNLIKELY(!call_is_resolved() || !loader.dlsym))
		return NULL;
	if (handle == RTLD_NEXT)
		look_up_next(__builtin_return_address(0), name);
	if (handle == RTLD_NEXT || handle == RTLD_DEFAULT)
		return loader.dlsym(handle, name);
	return wrapper_of(loader.dlsym(handle, name));
}

void *dlvsym(void *handle, const char *name, const char *version)
{
	if (UNLIKELY(!call_is_resolved() || !loader.dlvsym))
		return NULL;
	if (handle == RTLD_NEXT)
		look_up_next(__builtin_return_address(0), name);
	if (handle == RTLD_NEXT || handle == RTLD_DEFAULT)
		return loader.dlvsym(handle, name, version);
	return wrapper_of(loader.dlvsym(handle, name, version));
}

/* Notes RTLD_DEEPBIND: such a library finds functions first in itself and its dependencies, so it
 * finds those of the C library. */
void *dlopen(const char *file, int flags)
{
	const uintptr_t *frame = __builtin_frame_address(0);

	if (UNLIKELY(!call_is_resolved() || !loader.dlopen))
		return NULL;
	self.deep_frame = flags & RTLD_DEEPBIND ? (uintptr_t)frame : 0;
	self.deep_return = frame[1];
	return loader.dlopen(file, flags);
}
