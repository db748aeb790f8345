/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records the outermost call of a function. All names of a function share this code.
 */
#pragma once

#include "preload/call.h"
#include "preload/through.h"

#define TAKE static inline __attribute__((always_inline))

/* Calls `function_`, records the call, and returns its result. `jump_` and `through_` are the call
 * itself, unrecorded or recorded (through.h); the arguments behind them are members of the
 * record. */
#define TAKE_CALL(function_, jump_, through_, ...)                                                 \
	do {                                                                                       \
		struct thread *t_ = &self;                                                         \
		if (UNLIKELY(!call_begin(t_))) {                                                   \
			if (UNLIKELY(t_->inside))                                                  \
				return (void *)through_;                                           \
			return jump_;                                                              \
		}                                                                                  \
		struct call call_ = { __VA_ARGS__ };                                               \
		call_.stack = call_stack(t_, (const void *)(uintptr_t)(function_));                \
		call_.begin = session_ticks();                                                     \
		call_.address = through_;                                                          \
		call_end(t_, &call_);                                                              \
		return (void *)call_.address;                                                      \
	} while (0)

TAKE void *take_malloc(void *(*function)(size_t), uint32_t which, size_t size)
{
	TAKE_CALL(function, function(size), THROUGH_1(function, size), .head = which, .size = size);
}

/* Records a free before it frees: later another thread could already have got the block. */
TAKE void take_free(void (*function)(void *), void *block)
{
	struct thread *t = &self;

	if (UNLIKELY(!call_begin(t))) {
		if (LIKELY(!t->inside)) {
			function(block);
			return;
		}
	} else {
		struct call call = { .head = HEAP_FREE, .address = (uintptr_t)block };

		call_end(t, &call);
	}
	THROUGH_1(function, block);
}

TAKE uint64_t multiply_size(size_t count, size_t size, uint32_t *head)
{
	size_t bytes;

	if (LIKELY(!__builtin_mul_overflow(count, size, &bytes)))
		return bytes;
	*head |= PRELOAD_HEAD_IS_OVERFLOW;
	return UINT64_MAX;
}

TAKE void *take_calloc(void *(*function)(size_t, size_t), size_t count, size_t size)
{
	uint32_t head = HEAP_CALLOC;
	uint64_t bytes = multiply_size(count, size, &head);

	TAKE_CALL(function, function(count, size), THROUGH_2(function, count, size), .head = head,
		.size = bytes);
}

TAKE void *take_realloc(void *(*function)(void *, size_t), void *block, size_t size)
{
	TAKE_CALL(function, function(block, size), THROUGH_2(function, block, size),
		.head = HEAP_REALLOC | PRELOAD_HEAD_HAS_OLD, .size = size, .old = (uintptr_t)block);
}

TAKE void *take_aligned(
	void *(*function)(size_t, size_t), uint32_t which, size_t alignment, size_t size)
{
	if (!function)
		return NULL;
	TAKE_CALL(function, function(alignment, size), THROUGH_2(function, alignment, size),
		.head = which | call_alignment(alignment) << PRELOAD_HEAD_ALIGNMENT, .size = size);
}

TAKE void *take_pages(void *(*function)(size_t), uint32_t which, size_t size)
{
	return function ? take_malloc(function, which, size) : NULL;
}
