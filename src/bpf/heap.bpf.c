/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls of allocators by followed threads: entries and returns of their functions, paired in the
 * thread. A call inside another (calloc's malloc, a tail call of an alias) is part of the
 * outermost one: its entry is deeper in the stack. A call that was left by longjmp is detected
 * when the next one starts higher.
 *
 * Counts are made in the thread's own memory and cross to user space when the thread ends or is
 * visited; a stream crosses call by call. The entry of a thread that is killed in a call is freed
 * with the thread.
 */
#include "bpf/member.bpf.h"
#include "bpf/call.bpf.h"
#include "bpf/heap.h"
#include "bpf/log2.h"

struct thread {
	struct member member;
	uint64_t stack; /* the stack pointer at the entry of the outermost call; 0: in no call */
	uint64_t entered_ns;
	uint64_t size;
	uint64_t old_address; /* posix_memalign: where the address will be written to */
	uint8_t function;
	uint8_t is_overflow;
	uint8_t alignment_log2;
	uint8_t unused;
	uint64_t loads; /* how often the loader has reported a changed list */
#ifdef WITH_STACKS
	uint64_t stack_hash; /* 0: not known */
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
#ifdef WITH_STACKS
#include "bpf/heap_stacks.bpf.h"
#define CALL_BYTES	      sizeof(struct heap_call)
#define TAKE_STACK(t, regs)   take_stack(t, regs)
#define PUT_STACK_HASH(r, t)  ((r)->stack_hash = (t)->stack_hash)
#else
#define CALL_BYTES	      HEAP_CALL_LEAST
#define TAKE_STACK(t, regs)
#define PUT_STACK_HASH(r, t)
#endif
struct heap_places places SEC(".data.places") = {};

/* --- the called function --- */

static inline struct heap_aggregate *aggregate_of(struct thread *t, uint32_t function)
{
	return &t->aggregates[function & (HEAP_FUNCTION_SLOTS - 1)];
}

/* number times size, as the function itself has to multiply them. */
static inline void take_side_output(struct thread *t, uint64_t number, uint64_t size)
{
	uint64_t product = number * size;

	/* Else the compiler turns the division into a 128-bit multiplication, which BPF does not
	 * have. */
	asm volatile("" : "+r"(product));
	t->is_overflow = (number | size) >> 32 && number && product / number != size;
	t->size = t->is_overflow ? ~0ULL : product;
}

static inline void take_alignment(struct thread *t, uint64_t alignment, uint64_t size)
{
	t->alignment_log2 = (uint8_t)log2_of(alignment);
	t->size = size;
}

static inline void take_arguments(struct thread *t, struct pt_regs *regs, uint32_t function)
{
	uint64_t first = CALL_ARGUMENT_1(regs), second = CALL_ARGUMENT_2(regs);

	t->function = (uint8_t)function;
	t->is_overflow = 0;
	t->alignment_log2 = 0;
	t->old_address = 0;
	switch (function) {
	case HEAP_CALLOC:
		take_side_output(t, first, second);
		break;
	case HEAP_REALLOC:
		t->old_address = first;
		t->size = second;
		break;
	case HEAP_REALLOCARRAY:
		t->old_address = first;
		take_side_output(t, second, CALL_ARGUMENT_3(regs));
		break;
	case HEAP_ALIGNED_ALLOC:
	case HEAP_MEMALIGN:
		take_alignment(t, first, second);
		break;
	case HEAP_POSIX_MEMALIGN:
		t->old_address = first;
		take_alignment(t, second, CALL_ARGUMENT_3(regs));
		break;
	default: /* malloc, valloc, pvalloc */
		t->size = first;
	}
}

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

/* --- the probes --- */

/*
 * During a call the return address on the stack is replaced by the kernel's trampoline. If
 * something else is there, the frame was left and its place is used by others.
 */
static bool is_left(const struct thread *t)
{
	struct task_struct *task = current_task();
	uint64_t trampoline = 0, address = 0;

	if (!RETURN_ADDRESS_BYTES || !bpf_core_type_exists(struct xol_area))
		return false;
	trampoline = BPF_CORE_READ(task, mm, uprobes_state.xol_area, vaddr);
	return !bpf_probe_read_user(
		       &address, sizeof(address), (const void *)(unsigned long)t->stack) &&
	       address != trampoline;
}

/* Whether a call that starts here is part of the one the thread is in. */
static inline bool is_nested(struct thread *t, uint64_t stack, uint32_t function)
{
	if (!t->stack)
		return false;
	/* At the same height a tail-called function continues for its caller; the same function
	 * again at that height means that its earlier call never returned. */
	if ((stack < t->stack || (stack == t->stack && function != t->function)) && !is_left(t))
		return true;
	aggregate_of(t, t->function)->unfinished++;
	t->stack = 0;
	return false;
}

static inline void enter_free(struct thread *t, struct pt_regs *regs)
{
	uint64_t address = CALL_ARGUMENT_1(regs);

	if (!address || is_nested(t, CALL_STACK(regs), HEAP_FREE))
		return;
	if (t->member.interest & INTEREST_COUNT)
		aggregate_of(t, HEAP_FREE)->count++;
	if (t->member.interest & INTEREST_STREAM)
		stream_free(t, address);
}

/* The collector finds new mappings by itself; this record only wakes it. */
static void emit_loaded(struct thread *t)
{
	struct heap_loaded *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	t->loads++;
	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_joins, 1);
		return;
	}
	record_fill(&r->record, &t->member, HEAP_LOADED, RECORD_WORDS(struct heap_loaded),
		bpf_ktime_get_ns());
	r->ordinal = t->loads;
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
}

static inline int enter(struct pt_regs *regs, uint32_t table)
{
	uint8_t place = places.of[table][CALL_ADDRESS(regs) & HEAP_PLACE_MASK];
	struct thread *t;
	uint32_t function;

	if (!place)
		return 0;
	t = thread_current();
	if (!t || !t->member.interest || t->member.is_before_exec)
		return 0;
	if (place == HEAP_PLACE_LOADER) {
		emit_loaded(t);
		return 0;
	}
	function = place - HEAP_PLACE_FUNCTION;
	if (function == HEAP_FREE) {
		enter_free(t, regs);
		return 0;
	}
	if (is_nested(t, CALL_STACK(regs), function))
		return 0;
	take_arguments(t, regs, function);
	TAKE_STACK(t, regs);
	t->entered_ns = bpf_ktime_get_ns();
	t->stack = CALL_STACK(regs);
	return 0;
}

SEC("kprobe")
int on_entry_0(struct pt_regs *regs)
{
	return enter(regs, 0);
}

SEC("kprobe")
int on_entry_1(struct pt_regs *regs)
{
	return enter(regs, 1);
}

SEC("kprobe")
int on_entry_2(struct pt_regs *regs)
{
	return enter(regs, 2);
}

SEC("kprobe")
int on_entry_3(struct pt_regs *regs)
{
	return enter(regs, 3);
}

/* posix_memalign returns its error and has just written the address: the page is mapped. */
static inline uint64_t aligned_result(const struct thread *t, int32_t result, uint32_t *error)
{
	uint64_t address = 0;

	*error = (uint32_t)result;
	if (!result)
		bpf_probe_read_user(
			&address, sizeof(address), (const void *)(unsigned long)t->old_address);
	return address;
}

SEC("kprobe")
int on_return(struct pt_regs *regs)
{
	struct thread *t = thread_current();
	uint64_t now, address;
	uint32_t error = 0;
	bool is_failed;

	if (!t || !t->stack || CALL_STACK(regs) != t->stack + RETURN_ADDRESS_BYTES)
		return 0;
	t->stack = 0;
	if (!t->member.interest)
		return 0;
	now = bpf_ktime_get_ns();
	address = CALL_RESULT(regs);
	if (t->function == HEAP_POSIX_MEMALIGN)
		address = aligned_result(t, (int32_t)CALL_RESULT(regs), &error);
	is_failed = !address && (t->size || error);
	if (t->member.interest & INTEREST_COUNT)
		count_call(t, is_failed, now - t->entered_ns);
	if (t->member.interest & INTEREST_STREAM)
		stream_call(t, address, error, now);
	return 0;
}

/* --- following --- */

#include "bpf/follow.bpf.h"

static void thread_ends(struct thread *t, uint64_t now)
{
}

/* A device number within the kernel (include/linux/kdev_t.h). */
#define DEVICE_MINOR_BITS 20

static void thread_execs(struct thread *t, struct linux_binprm *program)
{
	struct heap_begun *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	struct inode *inode = BPF_CORE_READ(program, file, f_inode);
	uint32_t device = BPF_CORE_READ(inode, i_sb, s_dev);

	t->stack = 0; /* its call was in the previous program */
	t->loads = 0;
	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_joins, 1);
		return;
	}
	record_fill(&r->record, &t->member, HEAP_BEGUN, RECORD_WORDS(struct heap_begun),
		bpf_ktime_get_ns());
	r->inode = BPF_CORE_READ(inode, i_ino);
	r->device_major = device >> DEVICE_MINOR_BITS;
	r->device_minor = device & ((1u << DEVICE_MINOR_BITS) - 1);
	r->path[0] = 0;
	bpf_probe_read_kernel_str(r->path, sizeof(r->path), BPF_CORE_READ(program, filename));
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
}

static void thread_visited(struct thread *t, struct task_struct *task)
{
}

/* Several threads of a process may end together. */
static void keep_aggregate(
	const struct thread *t, uint32_t function, const struct heap_aggregate *aggregate)
{
	struct heap_kept_key key = { t->member.start_ticks, t->member.pid, function };
	struct heap_kept blank = { .from_ns = t->member.from_ns };
	struct heap_kept *kept;

	bpf_map_update_elem(&kept_aggregates, &key, &blank, BPF_NOEXIST);
	kept = bpf_map_lookup_elem(&kept_aggregates, &key);
	if (!kept) {
		__sync_fetch_and_add(&control.lost_aggregates, aggregate->count);
		return;
	}
	__sync_fetch_and_add(&kept->aggregate.count, aggregate->count);
	__sync_fetch_and_add(&kept->aggregate.failed, aggregate->failed);
	__sync_fetch_and_add(&kept->aggregate.overflows, aggregate->overflows);
	__sync_fetch_and_add(&kept->aggregate.unfinished, aggregate->unfinished);
	__sync_fetch_and_add(&kept->aggregate.bytes, aggregate->bytes);
	__sync_fetch_and_add(&kept->aggregate.total_ns, aggregate->total_ns);
	if (aggregate->max_ns >
		kept->aggregate.max_ns) /* not atomic: of two threads the smaller maximum may win */
		kept->aggregate.max_ns = aggregate->max_ns;
	for (int i = 0; i < HEAP_BUCKETS; i++)
		__sync_fetch_and_add(&kept->aggregate.histogram[i], aggregate->histogram[i]);
}

VERIFIED_ALONE int flush_function(struct thread *t, uint32_t function, uint64_t now)
{
	struct heap_aggregate *aggregate;
	struct heap_count *r;

	if (!t || function >= HEAP_FUNCTIONS)
		return 0;
	aggregate = aggregate_of(t, function);
	if (!aggregate->count && !aggregate->unfinished)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		keep_aggregate(t, function, aggregate);
		return 0;
	}
	record_fill(&r->record, &t->member, HEAP_COUNT, RECORD_WORDS(struct heap_count), now);
	r->from_ns = t->member.from_ns;
	r->count = aggregate->count;
	r->failed = aggregate->failed;
	r->overflows = aggregate->overflows;
	r->unfinished = aggregate->unfinished;
	r->bytes = aggregate->bytes;
	r->total_ns = aggregate->total_ns;
	r->max_ns = aggregate->max_ns;
	r->function = function;
	r->unused = 0;
	__builtin_memcpy(r->histogram, aggregate->histogram, sizeof(r->histogram));
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}

static void thread_flush(struct thread *t, uint64_t now)
{
	if (t->stack)
		aggregate_of(t, t->function)->unfinished++;
	t->stack = 0;
	for (uint32_t i = 0; i < HEAP_FUNCTIONS; i++)
		flush_function(t, i, now);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
