/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Resident memory of followed processes, at the tracepoint kmem:rss_stat, which the kernel reaches
 * after each change of a counter. The state is kept per address space: a vfork child changes that
 * of its parent, and the kernel reclaims memory from other threads. Values are absolute, so a
 * missed change is repaired by the next one. An address space that its own process tears down, at
 * exec or exit, keeps its last values.
 *
 * Threads that change one address space at the same time may mix their values for a moment: pages
 * that a few faults touch, never a peak of more.
 */
#include "bpf/member.bpf.h"
#include "bpf/resident.h"

#define HITS_BATCH  32 /* calls of a thread until they are added to the total */
#define NOTED_PAGES 16 /* growth of the peak until VmHWM is read again */

struct thread {
	struct member member;
	uint32_t hits;
	uint32_t unused;
};

#include "bpf/threads.bpf.h"
#include "bpf/follow.bpf.h"

struct space {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t has_ended;
	uint64_t pages[RESIDENT_MEMBERS];
	/* The highest values since the last record, and the values of that. */
	uint64_t high[RESIDENT_MEMBERS], recorded[RESIDENT_MEMBERS];
	uint64_t high_ns;
	uint64_t peak;
	uint64_t kernel_peak, start_peak; /* VmHWM: so far, and at the first record */
	uint64_t kernel_noted;		  /* sum when kernel_peak was last read */
	uint64_t error;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RESIDENT_SPACES_MOST);
	__type(key, uint64_t); /* address of the kernel's struct mm_struct */
	__type(value, struct space);
} spaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RESIDENT_SPACES_MOST);
	__type(key, uint32_t);	 /* pid */
	__type(value, uint64_t); /* key of `spaces` */
} space_of_process SEC(".maps");

struct resident_control control SEC(".data.control") = {};
const volatile struct resident_config config SEC(".rodata.config") = {};

/* Where the memory of each CPU is: an element of a map of the kernel's per-CPU kind shows it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint64_t);
} cpu_memory SEC(".maps");

/* Read back from memory, these addresses are plain numbers for the verifier. Every CPU that learns
 * them writes the same. */
struct {
	volatile uint64_t map;			       /* the kernel's struct of the map above */
	volatile uint64_t pointer;		       /* per-CPU pointer of its element */
	volatile uint64_t element[RESIDENT_CPUS_MOST]; /* the element of each CPU */
	volatile uint64_t is_known;
} learned SEC(".data.learned") = {};

/* Ends with an array of the per-CPU pointers of its elements. */
struct bpf_array {
	uint32_t elem_size;
} KERNEL_TYPE;

/* --- the counters of the kernel --- */

static inline bool counts_by_cpu(void)
{
	struct mm_struct___before_6_2 *before = 0;

	return !bpf_core_field_exists(before->rss_stat.count);
}

static inline void learn_places(void)
{
	uint32_t first = 0;
	uint64_t pointer = 0;

	learned.map = (uint64_t)&cpu_memory;
	bpf_probe_read_kernel(&pointer, sizeof(pointer),
		(const void *)(learned.map + bpf_core_type_size(struct bpf_array)));
	learned.pointer = pointer;
	for (uint32_t cpu = 0; cpu < config.cpus && cpu < RESIDENT_CPUS_MOST; cpu++) {
		const void *element = bpf_map_lookup_percpu_elem(&cpu_memory, &first, cpu);

		if (!element)
			return;
		learned.element[cpu] = (uint64_t)element;
	}
	learned.is_known = pointer != 0;
}

/* Returns the counts that the CPUs have not flushed yet. */
VERIFIED_ALONE_BY_NUMBERS uint64_t unflushed(uint64_t counters)
{
	int64_t sum = 0;

	if (!counts_by_cpu())
		return 0;
	if (!learned.is_known)
		learn_places();
	for (uint32_t cpu = 0; cpu < config.cpus && cpu < RESIDENT_CPUS_MOST; cpu++) {
		uint64_t at = counters - learned.pointer + learned.element[cpu];
		int32_t count = 0;

		if (learned.is_known)
			bpf_probe_read_kernel(&count, sizeof(count), (const void *)at);
		sum += count;
	}
	return (uint64_t)sum;
}

static inline uint64_t all_pages(int64_t count, const int32_t *counters)
{
	count += (int64_t)unflushed((uint64_t)counters);
	return count > 0 ? (uint64_t)count : 0;
}

/* The member has to be a constant, as offsets are resolved when the program is loaded. */
#define PAGES_OF(mm, member)                                                                       \
	(!counts_by_cpu() || config.cpus > RESIDENT_CPUS_MOST                                      \
			? RSS_PAGES(mm, member)                                                    \
			: all_pages(BPF_CORE_READ(mm, rss_stat[member].count),                     \
				  BPF_CORE_READ(mm, rss_stat[member].counters)))

static inline void read_member(struct space *s, struct mm_struct *mm, uint32_t member)
{
	if (member == RESIDENT_FILE)
		s->pages[RESIDENT_FILE] = PAGES_OF(mm, RESIDENT_FILE);
	else if (member == RESIDENT_ANONYMOUS)
		s->pages[RESIDENT_ANONYMOUS] = PAGES_OF(mm, RESIDENT_ANONYMOUS);
	else if (member == RESIDENT_SWAP)
		s->pages[RESIDENT_SWAP] = PAGES_OF(mm, RESIDENT_SWAP);
	else if (member == RESIDENT_SHARED)
		s->pages[RESIDENT_SHARED] = PAGES_OF(mm, RESIDENT_SHARED);
}

/* Returns the bound of the error of a counter as read without what CPUs or threads hold. */
static inline uint64_t held_pages(struct task_struct *task)
{
	if (counts_by_cpu())
		return (uint64_t)config.batch_pages * config.cpus;
	return (uint64_t)config.batch_pages * (uint32_t)BPF_CORE_READ(task, signal, nr_threads);
}

static inline uint64_t sum_of(const uint64_t *pages)
{
	return pages[RESIDENT_FILE] + pages[RESIDENT_ANONYMOUS] + pages[RESIDENT_SHARED];
}

static inline void note_kernel_peak(struct space *s, struct mm_struct *mm)
{
	uint64_t pages = BPF_CORE_READ(mm, hiwater_rss);
	uint64_t now =
		RSS_PAGES(mm, RSS_FILE) + RSS_PAGES(mm, RSS_ANONYMOUS) + RSS_PAGES(mm, RSS_SHARED);

	pages = now > pages ? now : pages;
	if (pages > s->kernel_peak)
		s->kernel_peak = pages;
}

static inline void read_pages(struct space *s, struct mm_struct *mm)
{
	for (uint32_t member = 0; member < RESIDENT_MEMBERS; member++)
		read_member(s, mm, member);
}

/* --- records --- */

/* `at`: the time of the values; the record's own time is now, because a highest value is known to
 * be one only later. */
static void emit_level(struct space *s, const uint64_t *pages, uint64_t at, uint8_t cause)
{
	struct resident_level *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	struct member m = { .start_ticks = s->start_ticks, .pid = s->pid, .tid = s->pid };

	if (!r) {
		__sync_fetch_and_add(&control.lost, 1);
		return;
	}
	if (bpf_get_current_pid_tgid() >> 32 == s->pid && !OWN_NAMESPACE)
		m.tid = (uint32_t)bpf_get_current_pid_tgid();
	record_fill(&r->record, &m, RESIDENT_LEVEL, RECORD_WORDS(struct resident_level),
		bpf_ktime_get_ns());
	r->at_ns = at;
	for (uint32_t i = 0; i < RESIDENT_MEMBERS; i++)
		r->bytes[i] = pages[i] * config.page_bytes;
	r->peak_bytes = s->peak * config.page_bytes;
	r->kernel_peak_bytes = s->kernel_peak * config.page_bytes;
	r->start_peak_bytes = s->start_peak * config.page_bytes;
	/* It is known if the counts of all CPUs were added. */
	r->error_bytes = learned.is_known ? 0 : s->error * config.page_bytes;
	r->kernel_error_bytes = 3 * s->error * config.page_bytes;
	r->page_bytes = config.page_bytes;
	r->cause = cause;
	__builtin_memset(r->unused, 0, sizeof(r->unused));
	bpf_ringbuf_submit(r, ring_flags());
}

static inline uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static inline void copy_pages(uint64_t *to, const uint64_t *from)
{
	__builtin_memcpy(to, from, RESIDENT_MEMBERS * sizeof(*to));
}

static inline bool has_moved(const struct space *s, uint64_t step)
{
	return distance(sum_of(s->pages), sum_of(s->recorded)) >= step ||
	       distance(s->pages[RESIDENT_FILE], s->recorded[RESIDENT_FILE]) >= step ||
	       distance(s->pages[RESIDENT_ANONYMOUS], s->recorded[RESIDENT_ANONYMOUS]) >= step ||
	       distance(s->pages[RESIDENT_SWAP], s->recorded[RESIDENT_SWAP]) >= step ||
	       distance(s->pages[RESIDENT_SHARED], s->recorded[RESIDENT_SHARED]) >= step;
}

static inline void emit_high(struct space *s)
{
	if (sum_of(s->high) <= sum_of(s->recorded))
		return;
	emit_level(s, s->high, s->high_ns, RESIDENT_CHANGED);
	copy_pages(s->recorded, s->high);
}

static inline void emit_now(struct space *s, uint64_t now, uint8_t cause)
{
	emit_level(s, s->pages, now, cause);
	copy_pages(s->recorded, s->pages);
	copy_pages(s->high, s->pages);
	s->high_ns = now;
}

static inline void emit_last(struct space *s)
{
	if (s->has_ended)
		return;
	s->has_ended = 1;
	emit_high(s);
	emit_now(s, bpf_ktime_get_ns(), RESIDENT_LAST);
}

static inline void note_peak(struct space *s, struct mm_struct *mm, uint64_t sum)
{
	if (sum <= s->peak)
		return;
	s->peak = sum;
	if (sum >= s->kernel_noted + NOTED_PAGES) {
		note_kernel_peak(s, mm);
		s->kernel_noted = sum;
	}
}

static void note_change(struct space *s, struct mm_struct *mm, uint64_t now)
{
	uint64_t sum = sum_of(s->pages), step = sum / RESIDENT_STEP_SHARES;

	if (step * config.page_bytes < RESIDENT_STEP_BYTES)
		step = RESIDENT_STEP_BYTES / config.page_bytes;
	note_peak(s, mm, sum);
	if (sum > sum_of(s->high)) {
		copy_pages(s->high, s->pages);
		s->high_ns = now;
	}
	if (!has_moved(s, step) && sum_of(s->high) - sum < step)
		return;
	note_kernel_peak(s, mm);
	if (sum_of(s->high) - sum >= step)
		emit_high(s);
	if (has_moved(s, step))
		emit_now(s, now, RESIDENT_CHANGED);
}

/* --- address spaces --- */

static struct space *space_of(uint32_t pid)
{
	uint64_t *key = bpf_map_lookup_elem(&space_of_process, &pid);

	return key ? bpf_map_lookup_elem(&spaces, key) : 0;
}

/* Records the last values, and forgets the address space. */
static void end_space(uint32_t pid)
{
	uint64_t *at = bpf_map_lookup_elem(&space_of_process, &pid), key = at ? *at : 0;
	struct space *s = at ? bpf_map_lookup_elem(&spaces, &key) : 0;

	if (s && s->pid == pid) {
		emit_last(s);
		bpf_map_delete_elem(&spaces, &key);
	}
	bpf_map_delete_elem(&space_of_process, &pid);
}

static struct space *space_made(struct mm_struct *mm, struct task_struct *task)
{
	uint64_t key = (uint64_t)mm;
	uint32_t pid = pid_of(task);
	struct space made = { .pid = pid, .start_ticks = start_ticks_of(task) };
	struct space *s;

	end_space(pid); /* exec has replaced it */
	bpf_map_update_elem(&spaces, &key, &made, BPF_ANY);
	bpf_map_update_elem(&space_of_process, &pid, &key, BPF_ANY);
	s = bpf_map_lookup_elem(&spaces, &key);
	if (!s) {
		__sync_fetch_and_add(&control.lost_spaces, 1);
		return 0;
	}
	s->error = held_pages(task);
	read_pages(s, mm);
	s->peak = sum_of(s->pages);
	note_kernel_peak(s, mm);
	s->start_peak = s->kernel_peak;
	emit_now(s, bpf_ktime_get_ns(), RESIDENT_FIRST);
	return s;
}

static inline void count_hit(struct thread *t)
{
	if (++t->hits % HITS_BATCH == 0)
		__sync_fetch_and_add(&control.events, HITS_BATCH);
}

/* Returns the address space of the current thread; NULL: it is not followed. */
static struct space *own_space(struct mm_struct *mm, struct task_struct *task)
{
	struct thread *t = thread_current();
	uint64_t key = (uint64_t)mm;
	struct space *s;

	if (!t || !t->member.interest || t->member.is_before_exec)
		return 0;
	count_hit(t);
	s = bpf_map_lookup_elem(&spaces, &key);
	/* The address may have belonged to a process whose end was missed. */
	if (!s || (s->pid != t->member.pid && !TASK_READ(task, vfork_done)))
		return space_made(mm, task);
	if (!counts_by_cpu())
		s->error = held_pages(task); /* more threads, more batches */
	return s;
}

/* Returns the address space of another process. */
static struct space *other_space(struct mm_struct *mm)
{
	uint64_t key = (uint64_t)mm;
	struct space *s = bpf_map_lookup_elem(&spaces, &key);

	return s && s->pid != pid_of(current_task()) ? s : 0;
}

static void take_change(struct mm_struct *mm, uint32_t member)
{
	struct task_struct *task = current_task();
	struct space *s;

	if (control.is_off)
		return;
	s = TASK_READ(task, mm) == mm ? own_space(mm, task) : other_space(mm);
	if (!s || s->has_ended)
		return;
	read_member(s, mm, member);
	note_change(s, mm, bpf_ktime_get_ns());
}

SEC("kernel_tp/rss_stat")
int BPF_PROG(on_change, struct mm_struct *mm, int member)
{
	take_change(mm, (uint32_t)member);
	return 0;
}

/* Values are absolute: it does no harm to read them twice. */
SEC("kernel_tp/rss_stat")
int BPF_PROG(on_change_again, struct mm_struct *mm, int member)
{
	take_change(mm, (uint32_t)member);
	return 0;
}

/* --- what following means for it --- */

static void thread_ends(struct thread *t, uint64_t now)
{
	if (!BPF_CORE_READ(current_task(), signal, live.counter))
		end_space(t->member.pid);
}

/* The observation ends, and the process lives on. */
static void thread_visited(struct thread *t, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct space *s;

	if (!mm || t->member.is_before_exec || t->member.is_released || control.is_off)
		return;
	s = space_of(t->member.pid);
	s = s ? s : space_made(mm, task);
	if (!s || s->has_ended)
		return;
	note_kernel_peak(s, mm);
	read_pages(s, mm);
	note_change(s, mm, bpf_ktime_get_ns());
	emit_last(s);
}

/* The new program may have touched its memory before this. */
static void thread_execs(struct thread *t, struct linux_binprm *program)
{
	uint64_t *key = bpf_map_lookup_elem(&space_of_process, &t->member.pid);

	if (key && *key != (uint64_t)TASK_READ(current_task(), mm))
		end_space(t->member.pid);
}

static void thread_flush(struct thread *t, uint64_t now)
{
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
