/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library with an allocator of its own that passes each call on to the program's, which it looks
 * up as FORWARD_BY says.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default"), noinline))

/* Called in the midst of its malloc(). */
extern void (*heap_forward_inside)(void) __attribute__((visibility("default")));
void (*heap_forward_inside)(void);

/* An ISO C pointer to data cannot become one to a function; in POSIX they are alike. */
#define FORWARD(result_, name_, parameters_, arguments_)                                           \
	EXPORT result_ name_ parameters_;                                                          \
	result_ name_ parameters_                                                                  \
	{                                                                                          \
		static result_(*next) parameters_;                                                 \
		void *at;                                                                          \
                                                                                                   \
		if (!next) {                                                                       \
			at = dlsym(FORWARD_BY, #name_);                                            \
			memcpy(&next, &at, sizeof(at));                                            \
		}                                                                                  \
		if (heap_forward_inside)                                                           \
			heap_forward_inside();                                                     \
		return next arguments_;                                                            \
	}

FORWARD(void *, malloc, (size_t size), (size))
FORWARD(void, free, (void *block), (block))
FORWARD(void *, calloc, (size_t number, size_t size), (number, size))
FORWARD(void *, realloc, (void *block, size_t size), (block, size))
FORWARD(void *, reallocarray, (void *block, size_t number, size_t size), (block, number, size))
FORWARD(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
FORWARD(int, posix_memalign, (void **block, size_t alignment, size_t size),
	(block, alignment, size))
FORWARD(void *, memalign, (size_t alignment, size_t size), (alignment, size))
FORWARD(void *, valloc, (size_t size), (size))
FORWARD(void *, pvalloc, (size_t size), (size))
