/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls of allocators by followed threads: entries and returns of their functions, paired in the
 * thread. A call inside another (calloc's malloc, a tail call of an alias) is part of the outermost
 * one: its entry is deeper in the stack. A call that was left by longjmp is detected when the next
 * call starts higher. The return of a free is not probed, so a free that another probed function
 * makes for its caller is recognized by its block.
 *
 * Calls are counted in memory of the thread, and the counts cross to user space when the thread
 * ends or is visited; a stream crosses call by call. The entry of a thread that is killed in a call
 * is freed with the thread.
 */
#include "bpf/member.bpf.h"
#include "bpf/call.bpf.h"
#include "bpf/heap.h"
#include "bpf/log2.h"
#include "bpf/sample_gap.h"

/* Kernels with sessions have task storage. Sessions need the return address on the stack. */
#if defined(WITH_SUMS) && !defined(THREADS_IN_HASH) && RETURN_ADDRESS_BYTES
#define WITH_SESSIONS
#endif

struct thread {
	struct member member;
	uint64_t stack; /* the stack pointer at the entry of the outermost call; 0: in no call */
	uint64_t entered_ns;
	uint64_t size;
	uint64_t old_address;  /* posix_memalign: where the address will be written to */
	uint64_t arguments[8]; /* numbered from 1; [0] is always 0 */
	uint8_t function;
	uint8_t form; /* enum heap_form */
	uint8_t is_overflow;
	uint8_t alignment_log2;
	uint8_t is_by_result; /* the call ends at a return instruction that is itself probed */
	uint8_t is_ending;    /* the C library releases cached blocks of the ending thread */
	uint8_t unused[2];
	uint64_t return_address; /* return address at the entry of a call by result, or of a skipped
				    call */
	/* The last free, if the thread has called no other probed function since. */
	uint64_t freed;	      /* the block; 0: none */
	uint64_t freed_at;    /* the probed instruction */
	uint64_t freed_stack; /* the stack pointer there */
	uint64_t starting;    /* reports of the loader during the start of the program */
	uint64_t code_pages;  /* code pages of the process then; 0: unknown */
	uint64_t hit_ns;      /* start of the hit; 0: not timed */
	uint32_t hits;	      /* hits since one was timed */
	uint32_t hit_what;    /* enum hit */
#ifdef WITH_STACKS
	uint64_t stack_hash; /* 0: not known */
#endif
#ifdef WITH_SUMS
	struct heap_block_kept taken, moved; /* removed from the live ones; moved: by a realloc */
	uint32_t program;		     /* incremented by each exec; 0: not known yet */
	uint32_t has_moved;
	uint64_t gap; /* bytes to the next sample */
	uint8_t has_gap;
	uint8_t is_left_out;		    /* the call is no sample */
	uint8_t was_short, moved_was_short; /* `taken`, `moved` were short-lived */
	uint32_t bad_frees;		    /* wrong frees that were reported */
	uint64_t is_held;		    /* the process with its program is in `held` */
	uint64_t code;			    /* the probed instruction of the call */
	uint64_t searches;		    /* searches for the block around an address */
	uint8_t is_sample; /* the call is a sample; with all calls recorded, each is */
	uint8_t unused_sums[7];
#endif
#ifdef WITH_SESSIONS
	uint64_t entered_at;	/* the probed instruction of a call whose return is not */
	uint64_t session_stack; /* the stack pointer where a session last began */
	uint32_t session_mark;	/* enum session_mark */
	uint8_t is_skipped;	/* the return of the call is not probed */
	uint8_t has_returns;	/* the returns of the thread's calls are probed by events */
	uint8_t more_unused[2];
#endif
	struct heap_aggregate aggregates[HEAP_FUNCTION_SLOTS];
};

#include "bpf/threads.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HEAP_KEPT_ENTRIES);
	__type(key, struct heap_kept_key);
	__type(value, struct heap_kept);
} kept_aggregates SEC(".maps");

struct heap_control control SEC(".data.control") = {};
#include "bpf/heap_hits.bpf.h"
#ifdef WITH_STACKS
#include "bpf/heap_stacks.bpf.h"
#define CALL_BYTES	     sizeof(struct heap_call)
#define TAKE_STACK(t, regs)  set_call_stack(t, regs)
#define PUT_STACK_HASH(r, t) ((r)->stack_hash = (t)->stack_hash)
#ifdef WALK_NOTES
#define FORGET_WALKS() forget_walks()
#endif
#else
#define CALL_BYTES HEAP_CALL_LEAST
#define TAKE_STACK(t, regs)
#define PUT_STACK_HASH(r, t)
#endif
#ifdef WITH_SUMS
#include "bpf/heap_sums.bpf.h"
#include "bpf/heap_frees.bpf.h"
#else
#define sum_allocation(t, address, now)
#define sum_begins(t)
#define sum_stays(t)
#endif
#ifndef FORGET_WALKS
#define FORGET_WALKS()
#endif
struct heap_places places SEC(".data.places") = {};

#include "bpf/heap_forms.bpf.h"

/* --- records --- */

static inline void fill_call(struct heap_call *r, struct thread *t, uint32_t function,
	uint64_t address, uint32_t error, uint64_t now)
{
	bool is_free = function == HEAP_FREE;
	bool is_realloc = function == HEAP_REALLOC || function == HEAP_REALLOCARRAY;

	record_fill(&r->record, &t->member, HEAP_CALL, HEAP_CALL_LEAST / SOOTH_RECORD_WORD, now);
	r->address = address;
	r->size = is_free ? 0 : t->size;
	r->old_address = is_realloc ? t->old_address : 0;
	r->duration_ns = is_free ? 0 : now - t->entered_ns;
	r->function = (uint8_t)function;
	r->error = (uint8_t)error;
	r->is_overflow = !is_free && t->is_overflow;
	r->alignment_log2 = is_free ? 0 : t->alignment_log2;
	r->size_state = is_free; /* SOOTH_STATE_ABSENT */
	r->old_address_state = !is_realloc;
	r->error_state = address || is_free || !t->size ? 1
			 : error			? 0
				 : 4 | 3 << 4; /* not measured: unsupported */
	r->unused = 0;
}

static void stream_free(struct thread *t, uint64_t address)
{
	struct heap_call *r = bpf_ringbuf_reserve(&ring, HEAP_CALL_LEAST, 0);

	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_records, 1);
		return;
	}
	fill_call(r, t, HEAP_FREE, address, 0, bpf_ktime_get_ns());
	bpf_ringbuf_submit(r, ring_flags());
}

static void stream_call(struct thread *t, uint64_t address, uint32_t error, uint64_t now)
{
	struct heap_call *r = bpf_ringbuf_reserve(&ring, CALL_BYTES, 0);

	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_records, 1);
		return;
	}
	fill_call(r, t, t->function, address, error, now);
	r->record.words = r->record.fixed_words = CALL_BYTES / SOOTH_RECORD_WORD;
	PUT_STACK_HASH(r, t);
	bpf_ringbuf_submit(r, ring_flags());
}

static inline void count_call(struct thread *t, bool is_failed, uint64_t duration_ns)
{
	struct heap_aggregate *aggregate = aggregate_of(t, t->function);

	aggregate->count++;
	aggregate->overflows += t->is_overflow;
	aggregate->total_ns += duration_ns;
	if (duration_ns > aggregate->max_ns)
		aggregate->max_ns = duration_ns;
	aggregate->histogram[log2_bucket(t->size, HEAP_BUCKETS) & (HEAP_BUCKETS - 1)]++;
	if (is_failed)
		aggregate->failed++;
	else
		aggregate->bytes += t->size;
}

#ifdef WITH_SUMS
/* Takes back the count of a call that failed: it was counted as successful. */
static inline void uncount_call(struct thread *t)
{
	aggregate_of(t, t->function)->failed++;
	aggregate_of(t, t->function)->bytes -= t->size;
}

/* Notes the block of a call that is no sample and has not failed. */
static inline void note_returned_block(struct thread *t, uint64_t result)
{
	uint64_t address = result;

	if (layout_of(t->form)->returns == HEAP_RETURNS_SIZE)
		address = t->old_address;
	else if (layout_of(t->form)->returns == HEAP_RETURNS_ERROR)
		bpf_probe_read_user(
			&address, sizeof(address), (const void *)(unsigned long)t->old_address);
	note_known_block(t, address);
}

/* Ends a call that is no sample; it was counted as successful when it began. The old block of a
 * realloc may have been a sample. */
static inline int leaves_out(struct thread *t, uint64_t result)
{
	bool is_failed = layout_of(t->form)->returns == HEAP_RETURNS_ERROR ? result != 0
									   : !result && t->size;

	if (t->is_left_out && is_failed) {
		uncount_call(t);
		sum_stays(t);
	} else if (t->is_left_out && control.may_sample) {
		note_returned_block(t, result);
	}
	return t->is_left_out;
}

static inline void free_block(struct thread *t, struct pt_regs *regs, uint64_t address)
{
	if (!sum_free(t, address))
		judge_free(t, regs, address);
}

static inline bool is_resize(const struct thread *t)
{
	return t->function == HEAP_REALLOC || t->function == HEAP_REALLOCARRAY;
}

static inline void begin_call(struct thread *t, struct pt_regs *regs)
{
	sum_begins(t);
	t->code = CALL_ADDRESS(regs);
	if (is_resize(t) && t->old_address && !t->has_moved)
		judge_free(t, regs, t->old_address);
	t->is_left_out = !is_sampled(t);
	if (t->is_left_out)
		count_call(t, false, 0);
}
#define IS_LEFT_OUT(t) (t)->is_left_out
#else
#define leaves_out(t, result) 0
#define free_block(t, regs, address)
#define begin_call(t, regs)
#define IS_LEFT_OUT(t) 0
#endif

/* Returns the address that posix_memalign has just stored, so its page is mapped; sets *error. */
static inline uint64_t stored_address(const struct thread *t, uint64_t result, uint32_t *error)
{
	uint64_t address = 0;

	*error = (uint32_t)result;
	if (!*error)
		bpf_probe_read_user(
			&address, sizeof(address), (const void *)(unsigned long)t->old_address);
	return address;
}

/* Ends the call of the thread, which returns `result`. */
static inline void end_call(struct thread *t, uint64_t result)
{
	uint32_t returns = layout_of(t->form)->returns;
	uint64_t now, address = result;
	uint32_t error = 0;
	bool is_failed;

	t->stack = 0;
	if (!t->member.interest || leaves_out(t, result))
		return;
	now = bpf_ktime_get_ns();
	if (returns == HEAP_RETURNS_ERROR)
		address = stored_address(t, result, &error);
	else if (returns == HEAP_RETURNS_SIZE)
		address = result >= t->size ? t->old_address : 0;
	is_failed = !address && (t->size || error);
	if (t->member.interest & INTEREST_COUNT) {
		count_call(t, is_failed, now - t->entered_ns);
		if (address)
			sum_allocation(t, address, now);
		else if (is_failed)
			sum_stays(t);
	}
	if (t->member.interest & INTEREST_STREAM)
		stream_call(t, address, error, now);
}

/* --- the probes --- */

#ifdef WITH_SESSIONS
static inline bool is_nested(
	struct thread *t, struct pt_regs *regs, uint32_t form, bool is_by_result);
#include "bpf/heap_sessions.bpf.h"
#define TAKE_MARK(t, regs) remove_mark(t, regs)
#define NOTE_NESTED(t)	   note_nested(t)
#define BEGINS_ALONE(t, regs)                                                                      \
	((t)->is_skipped = 0, control.has_sessions && !(t)->is_by_result && !(t)->has_returns      \
				      ? begins_alone(t, regs)                                      \
				      : (void)0)
#else
enum { MARK_NONE, MARK_COMPLETE };
#define TAKE_MARK(t, regs) MARK_NONE
#define BEGINS_ALONE(t, regs)
#define NOTE_NESTED(t)
#define IS_SKIPPED(t)		   false
#define is_within_skipped(t, regs) true
#endif

enum frame {
	FRAME_UNKNOWN,
	FRAME_KEPT,
	FRAME_LEFT,
};

/*
 * During a call the kernel replaces the return address on the stack by its trampoline, except for a
 * function that may throw. If another value is there, the frame was left, and its memory is reused.
 */
static enum frame frame_of(const struct thread *t)
{
	struct task_struct *task = current_task();
	uint64_t kept = t->return_address, replaced = kept, address = 0;

	if (!RETURN_ADDRESS_BYTES)
		return FRAME_UNKNOWN;
	if (!t->is_by_result) {
		if (!bpf_core_type_exists(struct xol_area))
			return FRAME_UNKNOWN;
		replaced = BPF_CORE_READ(task, mm, uprobes_state.xol_area, vaddr);
		/* The return of a skipped call may be probed by other observers. */
		if (!IS_SKIPPED(t))
			kept = replaced;
	}
	if (bpf_probe_read_user(&address, sizeof(address), (const void *)(unsigned long)t->stack))
		return FRAME_UNKNOWN;
	return address == kept || address == replaced ? FRAME_KEPT : FRAME_LEFT;
}

/* Returns whether a call that starts here is part of the current call of the thread. */
static inline bool is_nested(
	struct thread *t, struct pt_regs *regs, uint32_t form, bool is_by_result)
{
	uint64_t stack = CALL_STACK(regs);
	enum frame frame;

	if (!t->stack)
		return false;
	frame = stack <= t->stack ? frame_of(t) : FRAME_LEFT;
	/* A second call from the same place has the return address of the first. */
	if (is_by_result && t->is_by_result && stack == t->stack && form == t->form)
		frame = FRAME_LEFT;
	if (IS_SKIPPED(t) && (frame == FRAME_UNKNOWN || !is_within_skipped(t, regs)))
		frame = FRAME_LEFT;
	/* A call at the same stack pointer is a tail call: it continues the call of its caller. If
	 * the frame is unknown and the function is the same, its earlier call never returned. */
	if (frame == FRAME_KEPT ||
		(frame == FRAME_UNKNOWN &&
			(stack < t->stack || layout_of(form)->function != t->function))) {
		NOTE_NESTED(t);
		return true;
	}
	aggregate_of(t, t->function)->unfinished += !IS_SKIPPED(t);
	t->stack = 0;
	return false;
}

#define SAME_FREE_BYTES 64 /* bytes that a function may have pushed before its probe */

/* Returns whether this free is made by another free of the same block, already counted. */
static inline bool is_same_free(const struct thread *t, struct pt_regs *regs, uint64_t address)
{
	return address == t->freed && CALL_ADDRESS(regs) != t->freed_at &&
	       CALL_STACK(regs) <= t->freed_stack + SAME_FREE_BYTES;
}

static inline void enter_free(struct thread *t, struct pt_regs *regs)
{
	uint64_t address = CALL_ARGUMENT_1(regs);

	if (!address || t->is_ending || is_nested(t, regs, HEAP_FORM_FREE, false) ||
		is_same_free(t, regs, address))
		return;
	t->freed = address;
	t->freed_at = CALL_ADDRESS(regs);
	t->freed_stack = CALL_STACK(regs);
	if (t->member.interest & INTEREST_COUNT) {
		aggregate_of(t, HEAP_FREE)->count++;
		free_block(t, regs, address);
	}
	if (t->member.interest & INTEREST_STREAM)
		stream_free(t, address);
}

#include "bpf/heap_loaded.bpf.h"

/* Begins a call that no session has begun. False: the call is part of another. */
static inline bool begin_function(
	struct thread *t, struct pt_regs *regs, uint32_t form, bool is_by_result)
{
	uint64_t stack = CALL_STACK(regs);

	t->freed = 0;
	if (is_nested(t, regs, form, is_by_result))
		return false;
	read_call_arguments(t, regs, form);
	begin_call(t, regs);
	t->is_by_result = is_by_result;
	if (is_by_result && RETURN_ADDRESS_BYTES)
		bpf_probe_read_user(&t->return_address, sizeof(t->return_address),
			(const void *)(unsigned long)stack);
	t->stack = stack;
	return true;
}

static inline void enter_function(struct thread *t, struct pt_regs *regs, uint32_t place)
{
	bool is_by_result = place & HEAP_PLACE_THROWS;
	uint32_t form = (place & ~(uint32_t)HEAP_PLACE_THROWS) - HEAP_PLACE_FUNCTION;
	uint32_t mark = TAKE_MARK(t, regs);

	if (mark == MARK_COMPLETE || (!mark && !begin_function(t, regs, form, is_by_result)))
		return;
	if (!IS_LEFT_OUT(t)) {
		TAKE_STACK(t, regs);
		t->entered_ns = bpf_ktime_get_ns();
	}
	if (!mark)
		BEGINS_ALONE(t, regs);
}

/* Inlined, because the kernel allows only few nested calls. */
static inline __attribute__((always_inline)) void enter_place(
	struct thread *t, struct pt_regs *regs, uint8_t place)
{
	switch (place) {
	case HEAP_PLACE_LOADER:
		loader_reports(t, regs);
		break;
	case HEAP_PLACE_RESULT:
		if (t->stack && t->is_by_result && CALL_STACK(regs) == t->stack)
			end_call(t, CALL_RESULT(regs));
		break;
	case HEAP_PLACE_EXCEPTION:
		if (t->stack && t->is_by_result && CALL_STACK(regs) < t->stack)
			end_call(t, 0);
		break;
	case HEAP_PLACE_THREAD_END:
		t->is_ending = 1;
		break;
	case HEAP_PLACE_FUNCTION + HEAP_FORM_FREE:
		enter_free(t, regs);
		break;
	default:
		enter_function(t, regs, place);
	}
}

#include "bpf/heap_late.bpf.h"

static inline __attribute__((always_inline)) int enter_call(struct pt_regs *regs, uint32_t table)
{
	uint8_t place = places.of[table][CALL_ADDRESS(regs) & HEAP_PLACE_MASK];
	struct thread *t;

	if (!place)
		return 0;
	t = thread_current();
	if (!t || !t->member.interest || t->member.is_before_exec)
		return 0;
	if (place & HEAP_PLACE_LATE) {
		place &= (uint8_t)~HEAP_PLACE_LATE;
		if (!counts_late(t, regs, place))
			return 0;
	}
	hit_begins(t, place == HEAP_PLACE_RESULT ? HIT_STEPPED : HIT_ENTRY);
	enter_place(t, regs, place);
	hit_ends(t);
	return 0;
}

SEC("kprobe")
int on_entry_0(struct pt_regs *regs)
{
	return enter_call(regs, 0);
}

SEC("kprobe")
int on_entry_1(struct pt_regs *regs)
{
	return enter_call(regs, 1);
}

SEC("kprobe")
int on_entry_2(struct pt_regs *regs)
{
	return enter_call(regs, 2);
}

SEC("kprobe")
int on_entry_3(struct pt_regs *regs)
{
	return enter_call(regs, 3);
}

SEC("kprobe")
int on_return(struct pt_regs *regs)
{
	struct thread *t = thread_current();

	if (!t)
		return 0;
	hit_begins(t, HIT_RETURN);
#ifdef WITH_SESSIONS
	t->has_returns = 1;
	end_call_at_return(t, regs);
#else
	if (t->stack && CALL_STACK(regs) == t->stack + RETURN_ADDRESS_BYTES)
		end_call(t, CALL_RESULT(regs));
#endif
	hit_ends(t);
	return 0;
}

#ifdef WITH_SESSIONS
SEC("kprobe")
int on_session(struct pt_regs *regs)
{
	uint64_t cookie = bpf_get_attach_cookie(regs);
	struct thread *t = thread_current();
	int is_needless;

	if (!t)
		return 1;
	if (is_session_end(t, regs, cookie)) {
		hit_begins(t, HIT_RETURN);
		end_call_at_return(t, regs);
		hit_ends(t);
		return 0;
	}
	if (!t->member.interest || t->member.is_before_exec)
		return 1;
	hit_begins(t, HIT_SHARED);
	is_needless = begins_session(t, regs, (uint8_t)cookie - HEAP_PLACE_FUNCTION) != 0;
	hit_ends(t);
	return is_needless;
}
#endif

/* --- following --- */

#ifdef WITH_SESSIONS
/* The collector still has to attach to a child. */
#define JOIN_FLAGS (control.has_sessions ? BPF_RB_FORCE_WAKEUP : ring_flags())
#endif
#include "bpf/follow.bpf.h"

static void thread_ends(struct thread *t, uint64_t now)
{
}

#include "bpf/heap_begun.bpf.h"

static void thread_visited(struct thread *t, struct task_struct *task)
{
}

#include "bpf/heap_flush.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
