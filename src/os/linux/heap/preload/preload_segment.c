/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "model/batch.h"
#include <sooth/field.h>

#define WORDS_AT_ONCE 8192
#define LATE_NS	      (2 * NS_PER_S)

/* --- memory --- */

int preload_memory(size_t size, const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	/* Without seals the program could cut the memory, and reading it would raise SIGBUS. */
	if (ftruncate(fd, (off_t)size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW)) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int map_segment(struct preload_segment *s)
{
	void *at = mmap(NULL, PRELOAD_SEGMENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);

	s->memory = at == MAP_FAILED ? NULL : at;
	return s->memory && !madvise(at, PRELOAD_SEGMENT_BYTES, MADV_DONTFORK) ? 0 : -errno;
}

struct preload_segment *preload_segment_new(
	const struct process_id *process, uint32_t pid, struct sooth_error *err)
{
	struct preload_segment *s = calloc(1, sizeof(*s));
	struct stat st;
	int status;

	if (!s) {
		error_no_memory(err);
		return NULL;
	}
	s->fd = preload_memory(PRELOAD_SEGMENT_BYTES, PRELOAD_MEMORY);
	status = s->fd < 0 ? s->fd : fstat(s->fd, &st) ? -errno : map_segment(s);
	if (status) {
		error_errno(err, status, "make memory for calls of a process");
		preload_segment_free(s);
		return NULL;
	}
	s->inode = st.st_ino;
	s->process = *process;
	s->pid = pid;
	return s;
}

void preload_segment_free(struct preload_segment *s)
{
	if (!s)
		return;
	if (s->memory)
		munmap(s->memory, PRELOAD_SEGMENT_BYTES);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

bool preload_segment_is_mapped(struct preload_segment *s)
{
	munmap(s->memory, PRELOAD_SEGMENT_BYTES);
	s->memory = NULL;
	if (!fcntl(s->fd, F_ADD_SEALS, F_SEAL_WRITE))
		return false;
	return !map_segment(s);
}

struct preload_slot *preload_segment_slot(const struct preload_segment *s, unsigned slot)
{
	return (struct preload_slot *)(s->memory + PRELOAD_SLOT_AT(slot));
}

void preload_slot_changed(struct preload_slot *slot)
{
	atomic_fetch_add(&slot->space, 1);
	if (atomic_exchange(&slot->is_waiting, 0))
		syscall(SYS_futex, &slot->space, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static struct preload_head *head_of(const struct preload_segment *s)
{
	return (struct preload_head *)(void *)s->memory;
}

unsigned preload_segment_used_slots(const struct preload_segment *s)
{
	unsigned used = atomic_load(&head_of(s)->used);

	return used < PRELOAD_SLOTS ? used : PRELOAD_SLOTS;
}

/* --- records --- */

/* Words of one reading, and how many of them were taken. */
struct words {
	const uint64_t *word;
	size_t count, at;
};

static bool read_word(struct words *w, bool is_there, uint64_t *out)
{
	*out = 0;
	if (!is_there)
		return true;
	if (w->at == w->count)
		return false;
	*out = w->word[w->at++];
	return true;
}

static void append_call(const struct preload_segment *s, const struct preload_reading *r,
	const struct heap_call *from, uint64_t time_ns, struct buffer *out)
{
	size_t size = s->stacks && from->function != HEAP_FREE ? sizeof(*from) : HEAP_CALL_LEAST;
	struct heap_call *call = buffer_reserve(out, size);

	if (!call)
		return;
	memcpy(call, from, size);
	call->record = (struct sooth_record){ .time_ns = time_ns,
		.start_ticks = r->process.start_ticks,
		.pid = r->process.pid,
		.tid = r->tid,
		.kind = HEAP_CALL,
		.cpu = SOOTH_CPU_NONE,

		.words = (uint16_t)(size / SOOTH_RECORD_WORD),
		.fixed_words = (uint16_t)(size / SOOTH_RECORD_WORD) };
	buffer_commit(out, size);
}

/* Returns the state of the error as the kernel side does (bpf/heap.bpf.c). */
static uint8_t error_state(const struct heap_call *call)
{
	if (call->address || call->function == HEAP_FREE || !call->size)
		return SOOTH_STATE_ABSENT;
	return call->error ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
}

/* Returns the time of the next call in the words. */
static uint64_t ticks_behind(const struct words *w, size_t at, uint64_t last_ticks)
{
	if (at >= w->count)
		return last_ticks;
	if ((w->word[at] & PRELOAD_HEAD_FUNCTION) != PRELOAD_TIME)
		return last_ticks + (w->word[at] >> PRELOAD_HEAD_DELTA);
	return at + 1 < w->count ? w->word[at + 1] : last_ticks;
}

static bool read_stack(const struct preload_segment *s, const struct preload_reading *r,
	const struct preload_clock *clock, struct words *w, uint64_t head, struct buffer *out)
{
	uint32_t count = (head >> PRELOAD_STACK_COUNT) & 0xff;
	uint64_t hash, ticks;

	if (!read_word(w, true, &hash) || count > w->count - w->at || count > PRELOAD_FRAMES_MAX)
		return false;
	ticks = ticks_behind(w, w->at + count, r->last_ticks);
	preload_stacks_add(s->stacks,
		&(struct preload_stack){ r->program, hash, preload_clock_ns(clock, ticks),
			&w->word[w->at], count, (head >> PRELOAD_STACK_END) & 0xff },
		out);
	w->at += count;
	return true;
}

static void put_number(const struct preload_segment *s, const struct preload_reading *r,
	struct heap_call *call, uint64_t hash)
{
	call->stack = preload_stacks_number(s->stacks, r->program, hash);
	call->stack_state =
		call->stack ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
}

/* Decodes one record. False: the words are no record. */
static bool decode_record(const struct preload_segment *s, struct preload_reading *r,
	const struct preload_clock *clock, struct words *w, struct buffer *out)
{
	struct heap_call call = { 0 };
	uint64_t head, error, ticks, stack;
	uint32_t function;

	read_word(w, true, &head);
	function = head & PRELOAD_HEAD_FUNCTION;
	if (function == PRELOAD_TIME)
		return read_word(w, true, &r->last_ticks);
	if (function == PRELOAD_STACK)
		return read_stack(s, r, clock, w, head, out);
	if (function >= HEAP_FUNCTIONS || !read_word(w, true, &call.address) ||
		!read_word(w, function != HEAP_FREE, &call.size) ||
		!read_word(w, head & PRELOAD_HEAD_HAS_OLD, &call.old_address) ||
		!read_word(w, head & PRELOAD_HEAD_HAS_ERROR, &error) ||
		!read_word(w, head & PRELOAD_HEAD_HAS_DURATION, &ticks) ||
		!read_word(w, head & PRELOAD_HEAD_HAS_STACK, &stack))
		return false;
	if (!(head & PRELOAD_HEAD_HAS_DURATION))
		ticks = (head >> PRELOAD_HEAD_DURATION) & ((1u << PRELOAD_HEAD_DURATION_BITS) - 1);
	r->last_ticks += head >> PRELOAD_HEAD_DELTA;
	call.function = (uint8_t)function;
	call.error = (uint8_t)error;
	call.is_overflow = (head & PRELOAD_HEAD_IS_OVERFLOW) != 0;
	call.alignment_log2 = (head >> PRELOAD_HEAD_ALIGNMENT) & 63;
	call.duration_ns = preload_clock_duration(clock, ticks);
	call.size_state = function == HEAP_FREE ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE;
	call.old_address_state = function == HEAP_REALLOC || function == HEAP_REALLOCARRAY
					 ? SOOTH_STATE_VALUE
					 : SOOTH_STATE_ABSENT;
	call.error_state = error_state(&call);
	put_number(s, r, &call, stack);
	append_call(s, r, &call, preload_clock_ns(clock, r->last_ticks), out);
	return true;
}

static void copy_words(
	const struct preload_segment *s, unsigned slot, uint64_t from, size_t count, uint64_t *to)
{
	const volatile uint64_t *ring = (const void *)(s->memory + preload_ring_at(slot));
	uint32_t mask = preload_ring_words(slot) - 1;

	for (size_t i = 0; i < count; i++)
		to[i] = ring[(from + i) & mask];
}

/* Decodes up to WORDS_AT_ONCE words. The rest of a cut record stays for the next time. */
static size_t decode_words(struct preload_segment *s, unsigned slot, uint64_t head,
	const struct preload_clock *clock, struct buffer *out, bool *is_damaged)
{
	uint64_t copy[WORDS_AT_ONCE];
	struct preload_reading *r = &s->slots[slot];
	size_t count = head - r->tail < WORDS_AT_ONCE ? (size_t)(head - r->tail) : WORDS_AT_ONCE;
	struct words w = { copy, count, 0 };
	size_t whole = 0;

	copy_words(s, slot, r->tail, count, copy);
	while (w.at < count) {
		struct preload_reading before = *r;

		if (decode_record(s, r, clock, &w, out)) {
			whole = w.at;
			continue;
		}
		*r = before;
		/* The copy cut the record, not the program. */
		if (count == WORDS_AT_ONCE && whole && count - whole < PRELOAD_WORDS_MAX)
			break;
		*is_damaged = true;
		return count;
	}
	return whole;
}

static void release_words(struct preload_slot *slot, uint64_t tail)
{
	atomic_store_explicit(&slot->tail, tail, memory_order_release);
	preload_slot_changed(slot);
}

/* Returns whether the process of the slot is known now. */
static bool identify_thread(struct preload_segment *s, unsigned number,
	const struct preload_clock *clock, struct preload_missing *missing)
{
	const struct preload_slot *slot = preload_segment_slot(s, number);
	struct preload_reading *r = &s->slots[number];

	uint64_t begin_ticks = atomic_load(&slot->begin_ticks);

	if (!begin_ticks)
		return false;
	r->last_ticks = 0;
	r->begin_ns = preload_clock_ns(clock, begin_ticks);
	r->pid = atomic_load(&slot->pid);
	r->tid = atomic_load(&slot->tid);
	r->is_gone = false;
	r->asked = 0;
	r->is_known = r->pid && !s->is_over && r->pid == s->pid;
	if (r->is_known) {
		r->process = s->process;
		r->program = s->program;
	} else if (s->find) {
		r->is_known = s->find(s->user, s, r, atomic_load(&slot->parent));
	}
	/* The thread may be in the middle of its first record. */
	r->complete_ns = r->looked_ns = r->begin_ns;
	if (r->is_known)
		return true;
	if (!r->since_ns)
		r->since_ns = clock_monotonic_ns();
	if (clock_monotonic_ns() - r->since_ns > LATE_NS) {
		missing->unknown++;
		preload_segment_release(s, number);
	}
	return false;
}

/* Notes up to when the records of a slot are complete. A record with a time but not fully written
 * either came after the last one that was read, or was already late then. If the thread stays
 * there, it was stopped. */
static void note_complete(struct preload_reading *r, bool is_late, bool has_moved, uint64_t now_ns,
	uint64_t *complete_ns)
{
	if (!is_late)
		r->complete_ns = now_ns;
	else if (has_moved)
		r->complete_ns = r->looked_ns;
	r->looked_ns = now_ns;
	if (r->complete_ns < *complete_ns && now_ns - r->complete_ns < LATE_NS)
		*complete_ns = r->complete_ns;
}

/* Reads a ring up to `head`; false: its content is damaged. */
static bool read_ring(struct preload_segment *s, unsigned number, uint64_t head,
	const struct preload_clock *clock, struct buffer *out)
{
	struct preload_slot *slot = preload_segment_slot(s, number);
	struct preload_reading *r = &s->slots[number];
	bool is_damaged = head - r->tail > preload_ring_words(number);

	while (r->tail != head && !is_damaged) {
		size_t taken = decode_words(s, number, head, clock, out, &is_damaged);

		if (!taken)
			break;
		r->tail += taken;
		release_words(slot, r->tail);
	}
	if (is_damaged) {
		r->tail = head;
		release_words(slot, head);
	}
	return !is_damaged;
}

static bool read_slot(struct preload_segment *s, unsigned number, const struct preload_clock *clock,
	struct buffer *out, struct preload_missing *missing, uint64_t *complete_ns)
{
	struct preload_slot *slot = preload_segment_slot(s, number);
	struct preload_reading *r = &s->slots[number];
	uint64_t now_ns = *complete_ns, head, lost;
	bool is_late;

	if (atomic_load(&slot->state) != PRELOAD_SLOT_TAKEN)
		return false;
	if (!r->is_known && !identify_thread(s, number, clock, missing)) {
		if (r->begin_ns && r->begin_ns < *complete_ns && now_ns - r->begin_ns < LATE_NS)
			*complete_ns = r->begin_ns;
		return false;
	}
	is_late = atomic_load_explicit(&slot->is_late, memory_order_acquire) && !r->is_gone;
	head = atomic_load_explicit(&slot->head, memory_order_acquire);
	lost = atomic_load(&slot->lost);
	s->is_coarse |= atomic_load(&slot->is_coarse) != 0;
	note_complete(r, is_late, head != r->tail, now_ns, complete_ns);
	missing->lost += lost - r->lost;
	r->lost = lost;
	if (head == r->tail)
		return false;
	if (!read_ring(s, number, head, clock, out))
		missing->damaged++;
	return true;
}

unsigned preload_segment_unknown_slots(const struct preload_segment *s)
{
	unsigned unknown = 0;

	for (unsigned i = 0; i < preload_segment_used_slots(s); i++)
		unknown += !s->slots[i].is_known &&
			   atomic_load(&preload_segment_slot(s, i)->state) == PRELOAD_SLOT_TAKEN;
	return unknown;
}

bool preload_segment_read(struct preload_segment *s, const struct preload_clock *clock,
	struct buffer *out, struct preload_missing *missing, uint64_t *complete_ns)
{
	uint64_t lowest = *complete_ns, left_out = atomic_load(&head_of(s)->left_out);
	unsigned used = preload_segment_used_slots(s);
	bool has_read = false;

	missing->lost += left_out - s->left_out;
	missing->gave_up += !s->gave_up && atomic_load(&head_of(s)->gave_up);
	s->gave_up |= atomic_load(&head_of(s)->gave_up) != 0;
	s->left_out = left_out;
	s->around |= atomic_load(&head_of(s)->around) & PRELOAD_AROUND_ALL;
	for (unsigned i = 0; i < used; i++) {
		uint64_t complete = *complete_ns;

		has_read |= read_slot(s, i, clock, out, missing, &complete);
		lowest = complete < lowest ? complete : lowest;
	}
	*complete_ns = lowest;
	return has_read;
}

/* --- counts --- */

void preload_segment_count(struct preload_segment *s, unsigned number,
	const struct preload_clock *clock, uint64_t now_ns, struct buffer *out)
{
	struct preload_slot *slot = preload_segment_slot(s, number);
	const struct preload_reading *r = &s->slots[number];

	for (uint32_t i = 0; r->is_known && i < HEAP_FUNCTIONS; i++) {
		struct preload_count c = slot->counts[i];
		struct heap_count count = { .record = { .time_ns = now_ns,
						    .start_ticks = r->process.start_ticks,
						    .pid = r->process.pid,
						    .tid = r->tid,
						    .kind = HEAP_COUNT,
						    .cpu = SOOTH_CPU_NONE },
			.from_ns = r->begin_ns,
			.count = c.count,
			.failed = c.failed,
			.overflows = c.overflows,
			.bytes = c.bytes,
			.total_ns = preload_clock_duration(clock, c.total_ticks),
			.max_ns = preload_clock_duration(clock, c.max_ticks),
			.function = i };

		if (!c.count)
			continue;
		memcpy(count.histogram, c.histogram, sizeof(count.histogram));
		RECORD_APPEND(out, &count, NULL, 0);
		memset(&slot->counts[i], 0, sizeof(slot->counts[i]));
	}
}

void preload_segment_release(struct preload_segment *s, unsigned number)
{
	struct preload_slot *slot = preload_segment_slot(s, number);

	s->slots[number] = (struct preload_reading){ 0 };
	atomic_store(&slot->head, 0);
	atomic_store(&slot->tail, 0);
	atomic_store(&slot->lost, 0);
	atomic_store(&slot->answered, 0);
	atomic_store(&slot->is_filtered, 0);
	atomic_store(&slot->begin_ticks, 0);
	atomic_store(&slot->state, PRELOAD_SLOT_FREE);
}
