/* SPDX-License-Identifier: BSD-2-Clause */
#include "preload/stack.h"

#include <fcntl.h>
#include <link.h>

#include "preload/kernel_calls.h"

#define OBJECTS_MAX 4096
extern int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *user)
	__attribute__((weak));

#define WORD sizeof(uint64_t)
/* The kernel keeps more than STACK_GAP free for the stack (mmap_base()). */
#define THREAD_FROM  88	  /* bytes of a thread's structure before the searched words */
#define THREAD_BYTES 2048 /* least size of the structure */
#define STACK_GAP    (64u << 20)

#if defined(__x86_64__)
#define SIGNAL_FP                                                                                  \
	120 /* distance of the frame pointer from the trampoline's stack pointer                   \
	       (bpf/unwind_step.h) */
#define SIGNAL_SP	   160
#define SIGNAL_PC	   168
#define RETURN_ADDRESS(pc) (pc)
#else
#define SIGNAL_FP	   (312 + 29 * 8)
#define SIGNAL_SP	   (312 + 31 * 8)
#define SIGNAL_PC	   (312 + 32 * 8)
#define RETURN_ADDRESS(pc) ((pc) & ((1ull << 48) - 1))
#endif

struct walk {
	uint64_t pc, sp, fp;
	uint64_t end;	       /* end of the stack's memory */
	uint64_t pc_at, fp_at; /* where the last step found pc and fp; 0: it kept fp */
	bool is_exact;	       /* pc is an interrupted instruction, not the one after a call */
	bool breaks;	       /* the frames beyond the last step are never reused */
	uint32_t outcome;      /* enum profile_end */
};

/* --- objects that sooth knows --- */

static atomic_ullong objects[OBJECTS_MAX];

/* Returns the place of an object in the table, or the free place for it; NULL: no room. */
static atomic_ullong *place_of(uintptr_t begin)
{
	size_t at = (begin >> 12) * 0x9e3779b97f4a7c15ull >> 40;

	for (unsigned i = 0; i < OBJECTS_MAX; i++) {
		atomic_ullong *place = &objects[(at + i) & (OBJECTS_MAX - 1)];
		unsigned long long have = atomic_load(place);

		if (!have || have == begin)
			return place;
	}
	return NULL;
}

static bool is_object_known(uintptr_t begin)
{
	const atomic_ullong *place = place_of(begin);

	return !place || atomic_load(place);
}

static void note_object(uintptr_t begin)
{
	atomic_ullong *place = place_of(begin);

	if (place)
		atomic_store(place, begin);
}

/* --- what may be read --- */

static uint64_t hex(const char *text, unsigned *at, unsigned size)
{
	uint64_t value = 0;

	for (; *at < size; ++*at) {
		char c = text[*at];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	return value;
}

/* Finds the mapping of an address in the kernel's list. */
static bool find_mapping(uint64_t address, uint64_t *found_from, uint64_t *found_to)
{
	char bytes[1024];
	long size, fd = KERNEL(openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0, 0, 0);
	unsigned kept = 0;
	bool is_found = false;

	while (fd >= 0 && !is_found &&
		(size = KERNEL(read, fd, bytes + kept, sizeof(bytes) - kept, 0, 0, 0)) > 0) {
		unsigned end = kept + (unsigned)size, line = 0;

		for (unsigned i = 0; i < end && !is_found; i++) {
			unsigned at = line;

			if (bytes[i] != '\n')
				continue;
			*found_from = hex(bytes, &at, i);
			at++;
			*found_to = hex(bytes, &at, i);
			is_found = address >= *found_from && address < *found_to;
			line = i + 1;
		}
		kept = line ? end - line : 0; /* skips a line longer than the buffer */
		for (unsigned i = 0; i < kept; i++)
			bytes[i] = bytes[line + i];
	}
	if (fd >= 0)
		KERNEL(close, fd, 0, 0, 0, 0, 0);
	return is_found;
}

static uint64_t first_from, first_to; /* the first thread's stack, with the gap below */

#if defined(__x86_64__)
extern const char *gnu_get_libc_version(void) __attribute__((weak));

/*
 * Finds the stack that the C library made for a thread. The stack ends with the thread's structure,
 * to which the thread pointer points. The structure has start and size of the stack (glibc's nptl:
 * stackblock, stackblock_size, guardsize).
 */
static bool find_own_stack(uint64_t sp, unsigned long long mapping[2])
{
	const uint64_t *words = __builtin_thread_pointer();
	uint64_t top = (uintptr_t)words + THREAD_BYTES;

	if (!gnu_get_libc_version)
		return false;
	for (unsigned i = THREAD_FROM; i < THREAD_BYTES / WORD - 3; i++) {
		uint64_t from = words[i], to = from + words[i + 1], guard = words[i + 2];

		if ((from | to | guard) & (PRELOAD_PAGE - 1) || to < top ||
			to - top > PRELOAD_PAGE || guard > words[i + 1] || from + guard > sp ||
			sp >= to)
			continue;
		mapping[0] = from + guard;
		mapping[1] = to;
		return true;
	}
	return false;
}
#else
static bool find_own_stack(uint64_t sp, unsigned long long mapping[2])
{
	(void)sp;
	(void)mapping;
	return false;
}
#endif

/*
 * Returns the end of the stack that has `sp`: signal handlers and coroutines have other stacks. The
 * memory above such a stack may be of another one, in the same mapping, and be unmapped later: only
 * frames whose callers the unwind information gives are read there.
 */
static uint64_t end_of_stack(struct thread *t, uint64_t sp)
{
	unsigned long long mapping[2] = { 0 };

	if (LIKELY(sp >= t->stack_from && sp < t->stack_to))
		return t->stack_to;
	if (sp >= first_from && sp < first_to) {
		mapping[0] = first_from;
		mapping[1] = first_to;
		t->stack_stays = true;
	} else {
		t->stack_stays = find_own_stack(sp, mapping);
		if (!t->stack_stays && (!session_ask(t, PRELOAD_ASK_MAPPING, sp, mapping) ||
					       sp < mapping[0] || sp >= mapping[1]))
			mapping[0] = mapping[1] = 0;
	}
	t->stack_from = mapping[0];
	t->stack_to = mapping[1];
	return t->stack_to;
}

/* Notes the objects of the start: sooth read the mappings before it answered. */
static int note_loaded_object(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		note_object(begin & ~(uintptr_t)(PRELOAD_PAGE - 1));
		break;
	}
	return 0;
}

bool stack_begin(void)
{
	if (dl_iterate_phdr)
		dl_iterate_phdr(note_loaded_object, NULL);
	if (find_mapping((uintptr_t)__builtin_frame_address(0), &first_from, &first_to))
		first_from = first_to - STACK_GAP;
	return unwind_begin();
}

static bool read_word(const struct walk *w, uint64_t address, uint64_t *out)
{
	if (address & (WORD - 1) || address < w->sp - 256 || address > w->end - WORD)
		return false;
	*out = *(const volatile uint64_t *)(uintptr_t)address;
	return true;
}

/* --- steps --- */

static bool stop_walk(struct walk *w, uint32_t outcome)
{
	w->outcome = outcome;
	return false;
}

static bool step_by_signal(struct thread *t, struct walk *w)
{
	uint64_t fp, sp, pc;

	if (!read_word(w, w->sp + SIGNAL_FP, &fp) || !read_word(w, w->sp + SIGNAL_SP, &sp) ||
		!read_word(w, w->sp + SIGNAL_PC, &pc))
		return stop_walk(w, PRELOAD_END_UNREADABLE);
	*w = (struct walk){ .pc = pc, .sp = sp, .fp = fp, .is_exact = true, .breaks = true };
	w->end = end_of_stack(t, sp);
	return w->end || stop_walk(w, PRELOAD_END_UNREADABLE);
}

/* The register may have any value in code without unwind information. */
static bool step_by_frame_pointer(const struct thread *t, struct walk *w, uint32_t outcome)
{
	uint64_t fp = w->fp, next, pc;

	if (!fp && !w->is_exact)
		return stop_walk(w, PRELOAD_END_WHOLE);
	if (!t->stack_stays || fp < w->sp || !read_word(w, fp, &next) ||
		!read_word(w, fp + WORD, &pc))
		return stop_walk(w, outcome);
	w->pc_at = fp + WORD;
	w->fp_at = fp;
	w->sp = fp + 2 * WORD;
	w->fp = next;
	w->pc = RETURN_ADDRESS(pc);
	w->is_exact = false;
	return true;
}

static bool step_by_rule(struct thread *t, struct walk *w, struct unwind_rule rule)
{
	int64_t offset = rule.frame >> UNWIND_KIND_BITS;
	uint64_t frame, from, pc;

	switch (rule.frame & ((1 << UNWIND_KIND_BITS) - 1)) {
	case UNWIND_END:
		return stop_walk(w, PRELOAD_END_WHOLE);
	case UNWIND_SIGNAL:
		return step_by_signal(t, w);
	case UNWIND_SP:
		frame = w->sp + (uint64_t)offset;
		break;
	case UNWIND_FP:
		frame = w->fp + (uint64_t)offset;
		break;
	case UNWIND_FP_SAVED:
		if (!read_word(w, w->fp + (uint64_t)offset, &frame))
			return stop_walk(w, PRELOAD_END_UNREADABLE);
		w->breaks = true; /* this word is not compared later */
		break;
	case UNWIND_NONE:
		return step_by_frame_pointer(t, w, PRELOAD_END_NO_ROW);
	default:
		return step_by_frame_pointer(t, w, PRELOAD_END_RULE);
	}
	/* Only a leaf has its return address in a register, but this frame has called another. */
	if (rule.ra == UNWIND_KEPT || frame <= w->sp)
		return stop_walk(w, PRELOAD_END_STUCK);
	w->pc_at = frame + (uint64_t)(int64_t)rule.ra;
	if (!read_word(w, w->pc_at, &pc))
		return stop_walk(w, PRELOAD_END_UNREADABLE);
	from = (rule.frame & ((1 << UNWIND_KIND_BITS) - 1)) == UNWIND_FP_SAVED ? w->fp : frame;
	w->fp_at = rule.fp == UNWIND_KEPT ? 0 : from + (uint64_t)(int64_t)rule.fp;
	if (w->fp_at && !read_word(w, w->fp_at, &w->fp))
		return stop_walk(w, PRELOAD_END_UNREADABLE);
	w->sp = frame;
	w->pc = RETURN_ADDRESS(pc);
	w->is_exact = false;
	return true;
}

/* --- a walk --- */

/*
 * The last stack of the thread is kept, outermost frame first. If a frame has the same registers,
 * and the words from which its callers were found are unchanged, then all frames above are the
 * same: only the frames below are walked and mixed into the hash.
 */
struct walking {
	struct thread *thread;
	struct walk w;
	struct kept_frame *new_frames; /* PRELOAD_FRAMES_MAX, the innermost first */
	uint32_t count;
	uint32_t kept; /* frames reused from the last stack, outermost first */
};

static bool is_word_at(uint64_t at, uint64_t value)
{
	return *(const volatile uint64_t *)(uintptr_t)at == value;
}

/* Returns whether the step from kept frame `i` still leads to the kept frame above it. */
static bool leads_to_kept_frame(const struct kept_frame *all, uint32_t i)
{
	const struct kept_frame *f = &all[i], *above = &all[i - 1];

	return !f->breaks && is_word_at(f->pc_at, above->raw_pc) &&
	       (!f->fp_at || is_word_at(f->fp_at, above->fp));
}

/* Returns whether the walk has reached a kept frame whose callers are unchanged. */
static bool meets_kept(struct walking *walking)
{
	const struct kept_stack *kept = &walking->thread->stacks->kept;
	const struct walk *w = &walking->w;
	uint32_t at = walking->kept;

	while (at && kept->frames[at - 1].sp < w->sp)
		at--;
	walking->kept = at;
	if (!at || kept->frames[at - 1].sp != w->sp ||
		kept->frames[at - 1].pc != w->pc - !w->is_exact ||
		kept->frames[at - 1].fp != w->fp || w->is_exact)
		return false;
	for (uint32_t i = at - 1; i; i--) {
		if (!leads_to_kept_frame(kept->frames, i)) {
			walking->kept = i; /* only the frames above can still be met */
			return false;
		}
	}
	return true;
}

static void walk_stack(struct walking *walking)
{
	struct walk *w = &walking->w;
	struct thread *t = walking->thread;

	w->end = end_of_stack(t, w->sp);
	walking->kept = t->stacks->kept.end == w->end ? t->stacks->kept.count : 0;
	while (w->end) {
		struct kept_frame *f = &walking->new_frames[walking->count];

		if (!w->pc) {
			w->outcome = PRELOAD_END_WHOLE;
			break;
		}
		if (meets_kept(walking)) {
			w->outcome = t->stacks->kept.outer;
			return;
		}
		if (walking->count == PRELOAD_FRAMES_MAX - 1) {
			w->outcome = PRELOAD_END_DEPTH;
			break;
		}
		*f = (struct kept_frame){ .pc = w->pc - !w->is_exact, .sp = w->sp, .fp = w->fp };
		f->raw_pc = w->pc;
		walking->count++;
		w->breaks = false;
		if (!step_by_rule(t, w, unwind_find(f->pc)))
			break;
		f->pc_at = w->pc_at;
		f->fp_at = w->fp_at;
		f->breaks = w->breaks;
	}
	walking->kept = 0;
}

static uint64_t mix_hash(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0xff51afd7ed558ccdull;
	return hash ^ hash >> 29;
}

/* Replaces the kept frames that are gone by the new frames. */
static void keep_frames(struct walking *walking)
{
	struct kept_stack *kept = &walking->thread->stacks->kept;
	uint32_t room = PRELOAD_FRAMES_MAX - 1 - walking->kept;
	uint32_t count = walking->count < room ? walking->count : room;
	uint64_t hash = walking->kept ? kept->frames[walking->kept - 1].hash
				      : mix_hash(0x9e3779b97f4a7c15ull, walking->w.outcome);

	kept->outer = walking->w.outcome;
	/* The whole stack is too deep: some new frames are left out, but not of shallower ones. */
	if (count < walking->count)
		walking->w.outcome = PRELOAD_END_DEPTH;
	for (uint32_t i = 0; i < count; i++) {
		struct kept_frame *f = &kept->frames[walking->kept + i];

		*f = walking->new_frames[walking->count - 1 - i];
		hash = f->hash = mix_hash(hash, f->pc);
	}
	kept->count = walking->kept + count;
	kept->outcome = walking->w.outcome;
	kept->end = walking->w.end;
}

/* --- code --- */

void stack_meet_code(uintptr_t begin)
{
	unsigned long long ignored[2];

	if (is_object_known(begin))
		return;
	/* A second request for the same code does no harm. */
	session_ask(&self, PRELOAD_ASK_CODE, begin, ignored);
	note_object(begin);
}

void stack_forget_code(void)
{
	for (unsigned i = 0; i < OBJECTS_MAX; i++)
		atomic_store(&objects[i], 0);
	unwind_forget();
	if (self.stacks)
		self.stacks->kept.count = 0;
}

/* --- stacks --- */

uint64_t stack_walk_frames(struct thread *t, const uintptr_t *frame, const void *function)
{
	struct walking walking;
	const struct kept_stack *kept = &t->stacks->kept;
	uint64_t hash;

	walking.thread = t;
	walking.new_frames = t->stacks->new_frames; /* not on the program's stack */
	walking.count = walking.kept = 0;
	walking.w = (struct walk){
		.pc = RETURN_ADDRESS(frame[1]), .sp = (uintptr_t)(frame + 2), .fp = frame[0]
	};
	walk_stack(&walking);
	keep_frames(&walking);
	hash = mix_hash(kept->count ? kept->frames[kept->count - 1].hash : kept->outcome,
		(uintptr_t)function);
	hash += !hash;
	record_stack(t, hash, function);
	return hash;
}
