/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library in an observed program. It needs no other library, takes no lock that the program
 * could hold, and allocates nothing by the functions it observes. It must not change the program:
 * without sooth, and after any failure, calls go straight through. Once the program has started,
 * the only system call is futex(2), when a ring is full, but not if a seccomp filter could be set,
 * which could kill the program for it. The library trusts nothing in shared memory.
 */
#pragma once

#include <stdbool.h>

#include "preload/layout.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Orders memory accesses of a thread and its signal handlers. */
#define SIGNAL_BARRIER() atomic_signal_fence(memory_order_seq_cst)

/* A call that is not yet written into the ring. */
struct call {
	uint64_t address, size, old, begin, end; /* ticks; a free has no begin */
	uint64_t stack;				 /* hash of the stack; 0: none */
	uint32_t head;				 /* PRELOAD_HEAD_*: of the form and the outcome */
	uint32_t error;
};

#define NESTED_MAX 32

struct kept_frame {
	uint64_t pc; /* the reported address, within the call */
	uint64_t raw_pc, sp, fp;
	uint64_t pc_at, fp_at; /* where the step found pc and fp of the next frame; 0: unchanged */
	uint64_t hash;	       /* hash of this frame and all frames above it */
	uint64_t breaks;       /* the step depends on more than these words */
};

/* The last stack of a thread, the outermost frame first. */
struct kept_stack {
	uint32_t count, outcome;
	uint32_t outer; /* outcome of the walk that reached the outermost kept frame */
	uint64_t end;	/* end of the memory of the stack */
	struct kept_frame frames[PRELOAD_FRAMES_MAX];
};

#define SENT 4096u /* number of cached hashes of stacks that were written; a power of two */

/* Private memory for each slot, because thread-local memory would take space of the thread's stack.
 * struct thread_stacks exists only if stacks are walked. */
struct thread_calls {
	struct call waiting[NESTED_MAX], written[NESTED_MAX];
};

struct thread_stacks {
	struct kept_stack kept;
	struct kept_frame new_frames[PRELOAD_FRAMES_MAX];
	uint64_t sent[SENT];
};

struct thread {
	uint32_t image; /* the process image for which the other members are valid; 0: none yet */
	bool is_busy;	/* the thread is in this library: a signal handler may interrupt it */
	bool is_resolving;	 /* the real functions are being looked up */
	uint8_t nested;		 /* calls of signal handlers that wait to be written */
	uint32_t left_out;	 /* calls since no slot was free; 0: it has a slot */
	uint32_t number;	 /* gettid(2) of the thread, in that image */
	uint32_t ring_mask;	 /* words of the ring, less one */
	uint32_t asked;		 /* number of the last request */
	uint64_t stalled;	 /* 1 + the tail at which the thread gave up waiting */
	uintptr_t deep_frame;	 /* frame of its last dlopen(), if with RTLD_DEEPBIND */
	uintptr_t deep_return;	 /* return address of the frame `deep` */
	uintptr_t inside;	 /* the frame of the outermost call; 0: in none */
	uintptr_t inside_return; /* return address of the frame `inside` */
	uintptr_t busy_frame;
	struct preload_slot *slot;
	uint64_t *ring;
	uint64_t head, tail; /* positions in the ring; `tail` as last read */
	uint64_t last_ticks;
	uint64_t stack_from, stack_to; /* known part of the thread's stack */
	bool stack_stays;	       /* that memory is there as long as the thread */
	struct thread_calls *calls;
	struct thread_stacks *stacks; /* NULL: not requested */
};

/*
 * Memory that the kernel zeroes in a forked child, however the process was forked. So `image` is 0
 * in the child, and shows that the values of its thread belong to another image.
 */
struct own_page {
	atomic_uint image;  /* 0: none yet; IMAGE_OFF: never again */
	atomic_uint probed; /* image with which threads of a probed process ask; 0: not probed */
};

#define IMAGE_OFF 0xffffffffu

extern __thread struct thread self;
extern struct own_page *own_page;
extern const struct preload_page *sooth_page;
extern bool clock_is_off;
/* A seccomp filter is set, or the program has prepared to set one. */
extern bool filter_is_near;

/* The real functions. */
struct real {
	void *(*malloc)(size_t size);
	void (*free)(void *block);
	void *(*calloc)(size_t count, size_t size);
	void *(*realloc)(void *block, size_t size);
	void *(*reallocarray)(void *block, size_t count, size_t size);
	void *(*aligned_alloc)(size_t alignment, size_t size);
	int (*posix_memalign)(void **block, size_t alignment, size_t size);
	void *(*memalign)(size_t alignment, size_t size);
	void *(*valloc)(size_t size);
	void *(*pvalloc)(size_t size);
	/* Only glibc has these. */
	void *(*__libc_malloc)(size_t size);
	void (*__libc_free)(void *block);
	void *(*__libc_calloc)(size_t count, size_t size);
	void *(*__libc_realloc)(void *block, size_t size);
	void *(*__libc_memalign)(size_t alignment, size_t size);
	void *(*__libc_valloc)(size_t size);
	void *(*__libc_pvalloc)(size_t size);
	bool is_first; /* the program's calls reach this library */
};

struct loader_functions {
	void *(*dlsym)(void *handle, const char *name);
	void *(*dlvsym)(void *handle, const char *name, const char *version);
	void *(*dlopen)(const char *file, int flags);
	int (*prctl)(int option, long a, long b, long c, long d);
	long (*syscall)(long number, long a, long b, long c, long d, long e, long f);
};

extern struct real real;
extern struct loader_functions loader;

/* Looks up the real functions. False: this thread is already doing that, and the caller has to use
 * memory of early_block(). */
bool real_resolve(void);
extern atomic_uint real_is_resolved;
void *real_function(const char *name);
/* Returns the symbol that dlsym() with RTLD_NEXT would find. For dlsym() itself, for variables, and
 * where dlerror() must not change. */
void *real_behind(const char *name);
/* Returns a function of a loaded library; NULL: not loaded, or no such function. */
void *real_function_of(const char *library, const char *name);
bool real_is_same_object(const void *a, const void *b);
void *early_block(size_t size, size_t alignment);
bool early_is(const void *block);
size_t early_size(const void *block);

/* Returns whether calls of this thread are recorded; its slot is then ready. */
bool thread_begin_slow(struct thread *t);
/* Waits because the ring is full; it may still be full afterwards. */
void session_wait_for_room(struct thread *t);
/* Call this in the child when fork() returns: until the child has its own slot, its records are
 * lost. */
void session_forked(void);
/* Sends a request to sooth, and waits for the answer. The thread's calls have to be recorded.
 * False: there is no answer. */
bool session_ask(
	struct thread *t, enum preload_ask kind, uint64_t argument, unsigned long long answer[2]);

/* Makes room for the largest record before a call begins; may wait. */
void record_make_room(struct thread *t);
void record_put(struct thread *t, const struct call *call);
/* Writes the kept stack, with `function` as the innermost frame, unless it was already written. */
void record_stack(struct thread *t, uint64_t hash, const void *function);
/* Reports that calls will bypass this library (PRELOAD_AROUND_*). Returns when sooth has probed all
 * calls of this process, or cannot. */
void session_calls_around(struct thread *t, uint32_t around);

/* The code of the dynamic loader; bytes 0: not known, or it never calls malloc(). */
struct loader_code {
	uintptr_t begin;
	size_t bytes;
};

extern struct loader_code loader_code;

/* Finds the loader's code, and notes the objects that are already loaded. */
void loaded_begin(void);
/* Call this when the loader allocates: it may have loaded libraries. */
void loaded_find_new(struct thread *t);
/* Prepares stack walks, at the start of a program whose stacks are walked. */
bool stack_begin(void);
void stack_forget_code(void);

/* Returns whether sooth runs: it has neither ended nor been killed. */
static inline bool session_is_on(void)
{
	return LIKELY(atomic_load_explicit(&sooth_page->is_on, memory_order_relaxed) &&
		      !(atomic_load_explicit(&sooth_page->owner, memory_order_relaxed) &
			      PRELOAD_OWNER_DIED));
}

static inline bool thread_begin(struct thread *t)
{
	uint32_t image = atomic_load_explicit(&own_page->image, memory_order_relaxed);

	if (LIKELY(t->image == image && image && !t->is_busy && !t->left_out && session_is_on()))
		return true;
	return thread_begin_slow(t);
}

/* Returns the time in ticks; for a program that turned its clock off, that of sooth's last beat. */
static inline uint64_t session_ticks(void)
{
	return LIKELY(!clock_is_off)
		       ? preload_ticks()
		       : atomic_load_explicit(&sooth_page->ticks, memory_order_relaxed);
}

static inline void spin_once(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("yield");
#endif
}
