/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library in an observed program. It has no other library, no lock that the program could hold,
 * and allocates nothing by the functions it observes. It must not change the program: without
 * sooth, and when anything of it fails, calls go straight through. Once the program has started it
 * makes no system call but futex(2), where a ring is full, and not that where a seccomp filter
 * could be set: it could end the program for it. It trusts nothing in memory that it shares.
 */
#ifndef SOOTH_PRELOAD_PRELOAD_H
#define SOOTH_PRELOAD_PRELOAD_H

#include <stdbool.h>

#include "preload/layout.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Between memory of a thread and its signal handlers. */
#define SIGNAL_BARRIER() atomic_signal_fence(memory_order_seq_cst)

/* One call, on its way into the ring. */
struct call {
	uint64_t address, size, old, begin, end; /* ticks; a free has no begin */
	uint64_t stack;				 /* its hash; 0: none */
	uint32_t head;				 /* PRELOAD_HEAD_*: of the form and the outcome */
	uint32_t error;
};

#define NESTED_MAX 32

struct kept_frame {
	uint64_t pc; /* the address that is reported: in the call */
	uint64_t raw_pc, sp, fp;
	uint64_t pc_at, fp_at; /* where the step from here found those of the next; 0: kept */
	uint64_t hash;	       /* of this frame and all above it */
	uint64_t breaks;       /* more than these words led on */
};

/* The last stack of a thread, the outermost frame first. */
struct kept_stack {
	uint32_t count, outcome;
	uint64_t end; /* of the stack that it is on */
	struct kept_frame frames[PRELOAD_FRAMES_MAX];
};

#define SENT 4096u /* stacks that are known to be in a ring, by their hash; a power of two */

/* Memory of a thread beside its ring, only in this process; by its slot, because memory of the
 * thread itself is the program's stack. The second struct is there where stacks are walked. */
struct thread_calls {
	struct call waiting[NESTED_MAX], written[NESTED_MAX];
};

struct thread_stacks {
	struct kept_stack kept;
	struct kept_frame new_frames[PRELOAD_FRAMES_MAX];
	uint64_t sent[SENT];
};

struct thread {
	uint32_t image;		 /* of the process for which the rest holds; 0: none yet */
	bool is_busy;		 /* in this library: a signal handler may be on top of it */
	bool is_resolving;	 /* the real functions are being looked up */
	uint8_t nested;		 /* calls of signal handlers that wait */
	uint32_t left_out;	 /* calls since no slot could be had; 0: it has one */
	uint32_t number;	 /* gettid(2) of it, in that image */
	uint32_t ring_mask;	 /* words of the ring, less one */
	uint32_t asked;		 /* the number of the last ask */
	uint64_t stalled;	 /* the tail, plus 1, at which waiting was given up */
	uintptr_t deep_frame;	 /* of its last dlopen(), if with RTLD_DEEPBIND */
	uintptr_t deep_return;	 /* and where that returns to */
	uintptr_t inside;	 /* the frame of the outermost call; 0: in none */
	uintptr_t inside_return; /* and where that returns to */
	uintptr_t busy_frame;
	struct preload_slot *slot;
	uint64_t *ring;
	uint64_t head, tail; /* of the ring; the tail as it was last seen */
	uint64_t last_ticks;
	uint64_t stack_from, stack_to; /* of the thread, as far as it was seen */
	struct thread_calls *calls;
	struct thread_stacks *stacks; /* NULL: not requested */
};

/*
 * In memory that the kernel empties in a forked child, however it was forked: there `image` is 0,
 * and what a thread knows is of another image.
 */
struct own_page {
	atomic_uint image;  /* 0: none yet; IMAGE_OFF: never again */
	atomic_uint probed; /* the image with which its threads ask once it is probed; 0: not yet */
};

#define IMAGE_OFF 0xffffffffu

extern __thread struct thread self;
extern struct own_page *own_page;
extern const struct preload_page *sooth_page;
extern bool clock_is_off;
/* A seccomp filter is set, or what comes before one. */
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
	bool is_first; /* the program calls this library's */
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

/* Looks them up. False: this thread is doing that already, and the caller has to take memory of
 * early_block(). */
bool real_resolve(void);
extern atomic_uint real_is_resolved;
void *real_function(const char *name);
/* The symbol that dlsym() with RTLD_NEXT finds: for dlsym() itself, for symbols that are no
 * functions, and where nothing may be left for dlerror(). */
void *real_behind(const char *name);
/* From a library that is loaded already; NULL: it is not, or has no such function. */
void *real_function_of(const char *library, const char *name);
bool real_is_same_object(const void *a, const void *b);
void *early_block(size_t size, size_t alignment);
bool early_is(const void *block);
size_t early_size(const void *block);

/* Whether calls of this thread are recorded, with its slot ready. */
bool thread_begin_slow(struct thread *t);
/* The ring is full: it may still be so afterwards. */
void session_wait_for_room(struct thread *t);
/* In a child, as fork() returns: what it writes to its parent's memory until it has its own is
 * lost. */
void session_forked(void);
/* Asks sooth, and waits for the answer in memory: for a thread whose calls are recorded. False:
 * there is none. */
bool session_ask(
	struct thread *t, enum preload_ask kind, uint64_t argument, unsigned long long answer[2]);

/* Makes room for the largest record, before the call that it is about: it may wait. */
void record_make_room(struct thread *t);
void record_put(struct thread *t, const struct call *call);
/* The stack that is kept, below it the called function; unless it was written before. */
void record_stack(struct thread *t, uint64_t hash, const void *function);
/* Calls will go around this library (PRELOAD_AROUND_*): returns when sooth sees them, and all
 * others of this process, or cannot. */
void session_calls_around(struct thread *t, uint32_t around);

/* The code of the dynamic loader; bytes 0: it is not known, or never calls. */
struct loader_code {
	uintptr_t begin;
	size_t bytes;
};

extern struct loader_code loader_code;

/* Finds it; what has been loaded up to now is known. */
void loaded_begin(void);
/* The loader allocates: it may have loaded libraries. */
void loaded_find_new(struct thread *t);
/* Call this at the start of a program whose stacks are walked. */
bool stack_begin(void);
void stack_forget_code(void);

/* Sooth has not ended, however it may have. */
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

/* A program without its clock has sooth's, which beats from time to time. */
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

#endif
