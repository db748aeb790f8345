/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library with the names that jemalloc has with the prefix je_ and in its Rust crate, and
 * mimalloc as mi_: each block has a mapping of its own, and no function calls another one of them.
 * Every function takes its arguments as numbers a, b, c, d, e, as registers have them.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096

struct header {
	size_t mapped, size;
};

static struct header *header_of(uintptr_t block)
{
	return (struct header *)(block - PAGE);
}

/* Aligned to a page, whatever the alignment. */
static uintptr_t give(size_t size)
{
	size_t mapped = 2 * PAGE + (size & ~(size_t)(PAGE - 1));
	struct header *header =
		mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (header == MAP_FAILED)
		return 0;
	*header = (struct header){ mapped, size };
	return (uintptr_t)header + PAGE;
}

static void take(uintptr_t block)
{
	if (block)
		munmap(header_of(block), header_of(block)->mapped);
}

static uintptr_t resize(uintptr_t block, size_t size)
{
	uintptr_t moved = give(size);
	size_t old = block ? header_of(block)->size : 0;

	if (!moved || !block)
		return moved;
	memcpy((void *)moved, (void *)block, old < size ? old : size);
	take(block);
	return moved;
}

static uintptr_t resize_here(uintptr_t block, size_t size)
{
	if (size <= header_of(block)->mapped - PAGE)
		header_of(block)->size = size;
	return header_of(block)->size;
}

static uintptr_t store(uintptr_t to, size_t size)
{
	*(uintptr_t *)to = give(size);
	return *(uintptr_t *)to ? 0 : ENOMEM;
}

/* The code of each differs, so that no two become one function. */
#define NUMBERS uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e
#define FUNCTION(name_, does_)                                                                     \
	uintptr_t name_(NUMBERS);                                                                  \
	uintptr_t name_(NUMBERS)                                                                   \
	{                                                                                          \
		(void)a, (void)b, (void)c, (void)d, (void)e;                                       \
		__asm__ volatile("# " #name_);                                                     \
		return does_;                                                                      \
	}
#define FREE(name_) FUNCTION(name_, (take(a), 0))

#define OF_C(prefix_)                                                                              \
	FUNCTION(prefix_##malloc, give(a))                                                         \
	FUNCTION(prefix_##calloc, give(a *b))                                                      \
	FUNCTION(prefix_##realloc, resize(a, b))                                                   \
	FUNCTION(prefix_##aligned_alloc, give(b))                                                  \
	FUNCTION(prefix_##memalign, give(b))                                                       \
	FUNCTION(prefix_##valloc, give(a))                                                         \
	FUNCTION(prefix_##pvalloc, give(a))                                                        \
	FUNCTION(prefix_##posix_memalign, store(a, c))                                             \
	FREE(prefix_##free)                                                                        \
	FREE(prefix_##cfree)                                                                       \
	FREE(prefix_##free_sized)                                                                  \
	FREE(prefix_##free_aligned_sized)

#define OF_JEMALLOC(prefix_)                                                                       \
	FUNCTION(prefix_##mallocx, give(a))                                                        \
	FUNCTION(prefix_##rallocx, resize(a, b))                                                   \
	FUNCTION(prefix_##xallocx, resize_here(a, b))                                              \
	FREE(prefix_##dallocx)                                                                     \
	FREE(prefix_##sdallocx)

#define ALIGNED(name_, does_) FUNCTION(name_, does_) FUNCTION(name_##_at, does_)

#define OF_MIMALLOC(prefix_, a_, b_, c_)                                                           \
	FUNCTION(prefix_##malloc_small, give(a_))                                                  \
	FUNCTION(prefix_##mallocn, give(a_ *b_))                                                   \
	FUNCTION(prefix_##zalloc, give(a_))                                                        \
	FUNCTION(prefix_##reallocn, resize(a_, b_ *c_))                                            \
	FUNCTION(prefix_##reallocf, resize(a_, b_))                                                \
	FUNCTION(prefix_##rezalloc, resize(a_, b_))                                                \
	FUNCTION(prefix_##recalloc, resize(a_, b_ *c_))                                            \
	ALIGNED(prefix_##malloc_aligned, give(a_))                                                 \
	ALIGNED(prefix_##zalloc_aligned, give(a_))                                                 \
	ALIGNED(prefix_##calloc_aligned, give(a_ *b_))                                             \
	ALIGNED(prefix_##realloc_aligned, resize(a_, b_))                                          \
	ALIGNED(prefix_##rezalloc_aligned, resize(a_, b_))                                         \
	ALIGNED(prefix_##recalloc_aligned, resize(a_, b_ *c_))

OF_C(je_)
OF_JEMALLOC(je_)
OF_C(_rjem_)
OF_JEMALLOC(_rjem_)
OF_C(mi_)
OF_MIMALLOC(mi_, a, b, c)
OF_MIMALLOC(mi_heap_, b, c, d)
FUNCTION(mi_zalloc_small, give(a))
FUNCTION(mi_reallocarray, resize(a, b *c))
FUNCTION(mi_expand, resize_here(a, b) >= b ? a : 0)
FREE(mi_free_size)
FREE(mi_free_aligned)
FREE(mi_free_size_aligned)
FUNCTION(mi_heap_malloc, give(b))
FUNCTION(mi_heap_calloc, give(b *c))
FUNCTION(mi_heap_realloc, resize(b, c))
