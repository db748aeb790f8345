/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call of an allocator, noted: how often, how many bytes, what failed. Failed is a call that
 * gave nothing although something was asked for; which error it named is not looked at, because
 * some allocators name none.
 */
#include "heap.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

const char *const heap_function_names[HEAP_FUNCTIONS] = { "malloc", "free", "calloc", "realloc",
	"reallocarray", "aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc" };

struct heap_allocator heap_program = {
	.malloc = malloc,
	.free = free,
	.calloc = calloc,
	.realloc = realloc,
	.reallocarray = reallocarray,
	.aligned_alloc = aligned_alloc,
	.posix_memalign = posix_memalign,
	.memalign = memalign,
	.valloc = valloc,
#ifdef __GLIBC__
	.pvalloc = pvalloc,
#endif
};

bool heap_has(const struct heap_allocator *allocator, enum heap_function function)
{
	switch (function) {
	case HEAP_REALLOCARRAY:
		return allocator->reallocarray;
	case HEAP_ALIGNED_ALLOC:
		return allocator->aligned_alloc;
	case HEAP_POSIX_MEMALIGN:
		return allocator->posix_memalign;
	case HEAP_MEMALIGN:
		return allocator->memalign;
	case HEAP_VALLOC:
		return allocator->valloc;
	case HEAP_PVALLOC:
		return allocator->pvalloc;
	default:
		return true;
	}
}

static bool is_overflow(const struct heap_request *r)
{
	return r->each && r->number > UINT64_MAX / r->each;
}

uint64_t heap_request_size(const struct heap_request *r)
{
	return is_overflow(r) ? UINT64_MAX : r->number * r->each;
}

static void *make(const struct heap_allocator *a, const struct heap_request *r)
{
	size_t size = (size_t)heap_request_size(r);
	void *block = NULL;

	switch (r->function) {
	case HEAP_MALLOC:
		return a->malloc(size);
	case HEAP_CALLOC:
		return a->calloc(r->number, r->each);
	case HEAP_REALLOC:
		return a->realloc(r->old, size);
	case HEAP_REALLOCARRAY:
		return a->reallocarray(r->old, r->number, r->each);
	case HEAP_ALIGNED_ALLOC:
		return a->aligned_alloc(r->alignment, size);
	case HEAP_POSIX_MEMALIGN:
		return a->posix_memalign(&block, r->alignment, size) ? NULL : block;
	case HEAP_MEMALIGN:
		return a->memalign(r->alignment, size);
	case HEAP_VALLOC:
		return a->valloc(size);
	case HEAP_PVALLOC:
		return a->pvalloc(size);
	default:
		abort();
	}
}

void *heap_call(const struct heap_allocator *allocator, const struct heap_request *request,
	struct heap_aggregate *aggregate)
{
	struct heap_calls *calls = &aggregate->calls[request->function];
	uint64_t size = heap_request_size(request);
	void *block = make(allocator, request);

	calls->count++;
	calls->overflows += is_overflow(request);
	if (!block && size)
		calls->failed++;
	else
		calls->bytes += size;
	return block;
}

void heap_free(
	const struct heap_allocator *allocator, void *block, struct heap_aggregate *aggregate)
{
	if (block)
		aggregate->calls[HEAP_FREE].count++;
	else
		aggregate->freed_null++;
	allocator->free(block);
}
