/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C++ new and delete. The operators of the C++ library call malloc and free, which are recorded;
 * those of jemalloc, tcmalloc and mimalloc do not, so they are recorded here. The throwing form is
 * called only after the nothrow form has failed, and outside a recorded call, because an exception
 * would skip its end.
 */
#include "preload/call.h"
#include "preload/through.h"

void *malloc(size_t size);
void free(void *block);
void *aligned_alloc(size_t alignment, size_t size);

#define EXPORT __attribute__((visibility("default")))

struct nothrow; /* std::nothrow_t */

/* The linker's names of new and new[]. */
#define NAMES(name_) "_Znw" name_, "_Zna" name_

enum { PLAIN, ARRAY, FORMS };

typedef void *(*new_function)(size_t);
typedef void *(*new_aligned_function)(size_t, size_t);
typedef void *(*new_nothrow_function)(size_t, const struct nothrow *);
typedef void *(*new_aligned_nothrow_function)(size_t, size_t, const struct nothrow *);

static const struct {
	const char *plain[FORMS], *aligned[FORMS], *nothrow[FORMS], *aligned_nothrow[FORMS];
	const char *remove[FORMS];
} names = {
	{ NAMES("m") },
	{ NAMES("mSt11align_val_t") },
	{ NAMES("mRKSt9nothrow_t") },
	{ NAMES("mSt11align_val_tRKSt9nothrow_t") },
	{ "_ZdlPv", "_ZdaPv" },
};

static struct {
	new_function plain[FORMS];
	new_aligned_function aligned[FORMS];
	new_nothrow_function nothrow[FORMS];
	new_aligned_nothrow_function aligned_nothrow[FORMS];
	void (*remove[FORMS])(void *);
} next;

enum { UNKNOWN, OF_LIBRARY, OF_ALLOCATOR };
static atomic_uint origin;
static const char nothrow_here;

#define NOTHROW ((const struct nothrow *)&nothrow_here)

/* Finds an operator, also in a C++ library that was loaded with RTLD_LOCAL. */
static void *find_operator(const char *name)
{
	static const char *const libraries[] = { "libstdc++.so", "libc++.so", "libc++abi.so" };
	void *found = real_function(name);

	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]) && !found; i++)
		found = real_function_of(libraries[i], name);
	return found;
}

static void resolve_operators(void)
{
	if (!call_is_resolved())
		return;
	for (int i = 0; i < FORMS; i++) {
		next.plain[i] = (new_function)(uintptr_t)find_operator(names.plain[i]);
		next.aligned[i] = (new_aligned_function)(uintptr_t)find_operator(names.aligned[i]);
		next.nothrow[i] = (new_nothrow_function)(uintptr_t)find_operator(names.nothrow[i]);
		next.aligned_nothrow[i] = (new_aligned_nothrow_function)(uintptr_t)find_operator(
			names.aligned_nothrow[i]);
		next.remove[i] = (void (*)(void *))(uintptr_t)find_operator(names.remove[i]);
	}
	/* An allocator that has its own operators has them in the same file as its malloc. */
	atomic_store(
		&origin, next.plain[PLAIN] && real_is_same_object((void *)(uintptr_t)real.malloc,
						      (void *)(uintptr_t)next.plain[PLAIN])
				 ? OF_ALLOCATOR
				 : OF_LIBRARY);
}

static inline bool is_recorded(void)
{
	if (UNLIKELY(!atomic_load_explicit(&origin, memory_order_acquire)))
		resolve_operators();
	return UNLIKELY(atomic_load_explicit(&origin, memory_order_relaxed) == OF_ALLOCATOR) &&
	       call_is_resolved();
}

/* Allocates for new without a C++ library: nothing can catch an exception then, so a failure ends
 * the program. */
static void *allocate_without_library(size_t size, size_t alignment)
{
	void *block = alignment ? aligned_alloc(alignment, size) : malloc(size);

	if (!block)
		__builtin_trap();
	return block;
}

/*
 * The exported functions end in a jump, so that they leave no frame on the stack: to the real
 * function, or to one of the functions below, whose frame leads to the caller.
 */

static __attribute__((noinline)) void *record_new(size_t size, int form, bool throws)
{
	struct thread *t = &self;
	struct call call = { .head = HEAP_MALLOC, .size = size };

	if (!call_begin(t) && t->inside)
		return (void *)(throws ? THROUGH_1(next.plain[form], size)
				       : THROUGH_2(next.nothrow[form], size, NOTHROW));
	if (!t->inside)
		return throws ? next.plain[form](size) : next.nothrow[form](size, NOTHROW);
	call.stack = call_stack(t, (const void *)(uintptr_t)next.plain[form]);
	call.begin = session_ticks();
	call.address = THROUGH_2(next.nothrow[form], size, NOTHROW);
	call_end(t, &call);
	if (UNLIKELY(throws && !call.address))
		return next.plain[form](size);
	return (void *)call.address;
}

static __attribute__((noinline)) void *record_aligned(
	size_t size, size_t alignment, int form, bool throws)
{
	struct thread *t = &self;
	struct call call = { .head = HEAP_ALIGNED_ALLOC | call_alignment(alignment)
								  << PRELOAD_HEAD_ALIGNMENT,
		.size = size };

	if (!call_begin(t) && t->inside)
		return (void *)(throws ? THROUGH_2(next.aligned[form], size, alignment)
				       : THROUGH_3(next.aligned_nothrow[form], size, alignment,
						 NOTHROW));
	if (!t->inside)
		return throws ? next.aligned[form](size, alignment)
			      : next.aligned_nothrow[form](size, alignment, NOTHROW);
	call.stack = call_stack(t, (const void *)(uintptr_t)next.aligned[form]);
	call.begin = session_ticks();
	call.address = THROUGH_3(next.aligned_nothrow[form], size, alignment, NOTHROW);
	call_end(t, &call);
	if (UNLIKELY(throws && !call.address))
		return next.aligned[form](size, alignment);
	return (void *)call.address;
}

/* The free inside a recorded delete is part of it. */
static __attribute__((noinline)) void record_delete(void *block, int form)
{
	struct thread *t = &self;
	struct call call = { .head = HEAP_FREE, .address = (uintptr_t)block };

	if (!call_begin(t)) {
		if (t->inside)
			THROUGH_1(next.remove[form], block);
		else
			next.remove[form](block);
		return;
	}
	call_end(t, &call);
	t->inside_return = ((const uintptr_t *)__builtin_frame_address(0))[1];
	t->inside = (uintptr_t)__builtin_frame_address(0);
	THROUGH_1(next.remove[form], block);
	t->inside = 0;
}

static inline void *allocate_new(size_t size, int form)
{
	if (is_recorded())
		return record_new(size, form, true);
	return LIKELY(next.plain[form]) ? next.plain[form](size)
					: allocate_without_library(size, 0);
}

static inline void *allocate_nothrow(size_t size, int form)
{
	if (is_recorded())
		return record_new(size, form, false);
	return LIKELY(next.nothrow[form]) ? next.nothrow[form](size, NOTHROW) : malloc(size);
}

static inline void *allocate_aligned(size_t size, size_t alignment, int form)
{
	if (is_recorded())
		return record_aligned(size, alignment, form, true);
	return LIKELY(next.aligned[form]) ? next.aligned[form](size, alignment)
					  : allocate_without_library(size, alignment);
}

static inline void *allocate_aligned_nothrow(size_t size, size_t alignment, int form)
{
	if (is_recorded())
		return record_aligned(size, alignment, form, false);
	return LIKELY(next.aligned_nothrow[form])
		       ? next.aligned_nothrow[form](size, alignment, NOTHROW)
		       : aligned_alloc(alignment, size);
}

/* Frees a deleted block. Each form of delete ends in the plain one: sizes and alignments are hints.
 */
static inline void free_deleted(void *block, int form)
{
	if (is_recorded() && block)
		record_delete(block, form);
	else if (LIKELY(next.remove[form]))
		next.remove[form](block);
	else
		free(block);
}

#define NEW(name_, arguments_, call_)                                                              \
	EXPORT void *name_ arguments_;                                                             \
	void *name_ arguments_                                                                     \
	{                                                                                          \
		return call_;                                                                      \
	}
#define NEWS(letter_, form_)                                                                       \
	NEW(_Zn##letter_##m, (size_t size), allocate_new(size, form_))                             \
	NEW(_Zn##letter_##mRKSt9nothrow_t, (size_t size, const struct nothrow *n),                 \
		((void)n, allocate_nothrow(size, form_)))                                          \
	NEW(_Zn##letter_##mSt11align_val_t, (size_t size, size_t alignment),                       \
		allocate_aligned(size, alignment, form_))                                          \
	NEW(_Zn##letter_##mSt11align_val_tRKSt9nothrow_t,                                          \
		(size_t size, size_t alignment, const struct nothrow *n),                          \
		((void)n, allocate_aligned_nothrow(size, alignment, form_)))

NEWS(w, PLAIN)
NEWS(a, ARRAY)

#define DELETE(name_, form_, ...)                                                                  \
	EXPORT void name_(__VA_ARGS__);                                                            \
	void name_(__VA_ARGS__)                                                                    \
	{                                                                                          \
		free_deleted(block, form_);                                                        \
	}
#define UNUSED __attribute__((unused))
#define DELETES(letter_, form_)                                                                    \
	DELETE(_Zd##letter_##Pv, form_, void *block)                                               \
	DELETE(_Zd##letter_##Pvm, form_, void *block, UNUSED size_t size)                          \
	DELETE(_Zd##letter_##PvSt11align_val_t, form_, void *block, UNUSED size_t alignment)       \
	DELETE(_Zd##letter_##PvmSt11align_val_t, form_, void *block, UNUSED size_t size,           \
		UNUSED size_t alignment)                                                           \
	DELETE(_Zd##letter_##PvRKSt9nothrow_t, form_, void *block, UNUSED const struct nothrow *n) \
	DELETE(_Zd##letter_##PvSt11align_val_tRKSt9nothrow_t, form_, void *block,                  \
		UNUSED size_t alignment, UNUSED const struct nothrow *n)

DELETES(l, PLAIN)
DELETES(a, ARRAY)
