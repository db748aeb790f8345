/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocator of one's own, as some programs bring one: linked into a program that exports it,
 * libc's calls come here too; as a library that is loaded late, it serves itself alone.
 *
 * Blocks are powers of two from one big mapping; what is given back goes to a list of the thread
 * that gave it, so there is no lock that a fork or a longjmp could leave taken. Its functions call
 * one another, as those of real ones do: such calls are part of the outermost one. No function
 * here is inlined, or turned into another, by the build's -fno-builtin.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define EXPORT	     __attribute__((visibility("default"), noinline))
#define REGION_BYTES (UINT64_C(64) << 30) /* of address space; memory is used as it is touched */
#define PAGE	     4096
#define BINS	     37
#define BIN_MIN	     6

struct header {
	void *start; /* of the whole of it */
	uint64_t size;
	uint32_t bin;
	uint32_t unused[3];
};

struct idle {
	struct idle *next;
};

EXPORT void *malloc(size_t size);
EXPORT void free(void *block);
EXPORT void *calloc(size_t number, size_t size);
EXPORT void *realloc(void *block, size_t size);
EXPORT void *reallocarray(void *block, size_t number, size_t size);
EXPORT void *aligned_alloc(size_t alignment, size_t size);
EXPORT int posix_memalign(void **block, size_t alignment, size_t size);
EXPORT void *memalign(size_t alignment, size_t size);
EXPORT void *valloc(size_t size);
EXPORT void *pvalloc(size_t size);
EXPORT size_t malloc_usable_size(void *block);

/* Called in the midst of malloc(), where nothing is half done. */
void (*heap_own_inside)(void);

static _Atomic(char *) region;
static atomic_uint_fast64_t used;
static _Thread_local struct idle *lists[BINS] __attribute__((tls_model("initial-exec")));

static char *region_get(void)
{
	char *at = atomic_load(&region), *expected = NULL;

	if (at)
		return at;
	at = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	if (atomic_compare_exchange_strong(&region, &expected, at))
		return at;
	munmap(at, REGION_BYTES);
	return expected;
}

static void *take(uint32_t bin)
{
	uint64_t size = UINT64_C(1) << bin, at;
	struct idle *idle = lists[bin];
	char *base;

	if (idle) {
		lists[bin] = idle->next;
		return idle;
	}
	base = region_get();
	at = base ? atomic_fetch_add(&used, size) : 0;
	return base && at <= REGION_BYTES - size ? base + at : NULL;
}

__attribute__((noinline)) static void *allocate(size_t alignment, size_t size)
{
	uint64_t whole = size + sizeof(struct header) + alignment;
	uint32_t bin = BIN_MIN;
	struct header *header;
	uintptr_t at;
	char *start;

	while (bin < BINS - 1 && UINT64_C(1) << bin < whole)
		bin++;
	start = size <= REGION_BYTES && UINT64_C(1) << bin >= whole ? take(bin) : NULL;
	if (!start) {
		errno = ENOMEM;
		return NULL;
	}
	at = ((uintptr_t)start + sizeof(*header) + alignment - 1) & ~(alignment - 1);
	header = (struct header *)at - 1;
	*header = (struct header){ .start = start, .size = size, .bin = bin };
	return (void *)at;
}

void *malloc(size_t size)
{
	void (*inside)(void) = *(void (*volatile *)(void)) & heap_own_inside;

	if (inside)
		inside();
	return allocate(16, size);
}

void free(void *block)
{
	struct header header;
	struct idle *idle;

	if (!block)
		return;
	header = ((struct header *)block)[-1];
	idle = header.start;
	idle->next = lists[header.bin];
	lists[header.bin] = idle;
}

void *calloc(size_t number, size_t size)
{
	size_t whole;
	void *block;

	if (__builtin_mul_overflow(number, size, &whole)) {
		errno = ENOMEM;
		return NULL;
	}
	block = malloc(whole);
	return block ? memset(block, 0, whole) : NULL;
}

void *realloc(void *block, size_t size)
{
	struct header *header = (struct header *)block - 1;
	void *moved;

	if (!block)
		return malloc(size);
	if (!size) {
		free(block);
		return NULL;
	}
	if (size <= header->size) {
		header->size = size;
		return block;
	}
	moved = malloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, block, header->size);
	free(block);
	return moved;
}

void *reallocarray(void *block, size_t number, size_t size)
{
	size_t whole;

	if (__builtin_mul_overflow(number, size, &whole)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(block, whole);
}

void *memalign(size_t alignment, size_t size)
{
	return allocate(alignment < 16 ? 16 : alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	void *at;

	if (alignment % sizeof(void *) || !alignment || alignment & (alignment - 1))
		return EINVAL;
	at = memalign(alignment, size);
	if (!at)
		return ENOMEM;
	*block = at;
	return 0;
}

void *valloc(size_t size)
{
	return memalign(PAGE, size);
}

void *pvalloc(size_t size)
{
	return memalign(PAGE, (size + PAGE - 1) & ~(size_t)(PAGE - 1));
}

size_t malloc_usable_size(void *block)
{
	return block ? (size_t)((struct header *)block)[-1].size : 0;
}
