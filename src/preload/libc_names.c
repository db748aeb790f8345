/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Further names that glibc has for its functions. An allocator inside the program may call them;
 * such calls are part of a call of that allocator.
 */
#include "preload/take.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void *__libc_malloc(size_t size);
EXPORT void __libc_free(void *block);
EXPORT void *__libc_calloc(size_t count, size_t size);
EXPORT void *__libc_realloc(void *block, size_t size);
EXPORT void *__libc_memalign(size_t alignment, size_t size);
EXPORT void *__libc_valloc(size_t size);
EXPORT void *__libc_pvalloc(size_t size);

void *realloc(void *block, size_t size);

void *__libc_malloc(size_t size)
{
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, 0);
	if (UNLIKELY(!real.is_first))
		return real.__libc_malloc(size);
	return take_malloc(real.__libc_malloc, HEAP_MALLOC, size);
}

void __libc_free(void *block)
{
	if (UNLIKELY(!block || early_is(block)))
		return;
	if (UNLIKELY(!call_is_resolved()))
		return;
	if (LIKELY(real.is_first))
		take_free(real.__libc_free, block);
	else
		real.__libc_free(block);
}

void *__libc_calloc(size_t count, size_t size)
{
	uint32_t ignored;

	if (UNLIKELY(!call_is_resolved()))
		return early_block(multiply_size(count, size, &ignored), 0);
	if (UNLIKELY(!real.is_first))
		return real.__libc_calloc(count, size);
	return take_calloc(real.__libc_calloc, count, size);
}

void *__libc_realloc(void *block, size_t size)
{
	if (UNLIKELY(early_is(block)))
		return realloc(block, size);
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, 0);
	if (UNLIKELY(!real.is_first))
		return real.__libc_realloc(block, size);
	return take_realloc(real.__libc_realloc, block, size);
}

void *__libc_memalign(size_t alignment, size_t size)
{
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, alignment);
	if (UNLIKELY(!real.is_first))
		return real.__libc_memalign(alignment, size);
	return take_aligned(real.__libc_memalign, HEAP_MEMALIGN, alignment, size);
}

void *__libc_valloc(size_t size)
{
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, PRELOAD_PAGE);
	if (UNLIKELY(!real.is_first))
		return real.__libc_valloc(size);
	return take_pages(real.__libc_valloc, HEAP_VALLOC, size);
}

void *__libc_pvalloc(size_t size)
{
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, PRELOAD_PAGE);
	if (UNLIKELY(!real.is_first))
		return real.__libc_pvalloc(size);
	return take_pages(real.__libc_pvalloc, HEAP_PVALLOC, size);
}
