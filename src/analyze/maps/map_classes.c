/* SPDX-License-Identifier: BSD-2-Clause */
/* Classifies a mapping by itself and its neighbors. If rules of different allocators match, the
 * class is `other`. */
#include "analyze/maps/map_classes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

#define ARENA_BYTES	    (64 * MIB) /* HEAP_MAX_SIZE of malloc/arena.c, on 64-bit machines */
#define MIMALLOC_FROM	    (2 * TIB)  /* range of addresses that mimalloc's os.c asks for */
#define MIMALLOC_TO	    (30 * TIB)
#define MIMALLOC_ALIGN	    (2 * MIB)
#define STRUCTURE_HEAP_SIZE (4 * GIB) /* size and alignment of JavaScriptCore's heap */
#define GO_FROM		    UINT64_C(0xc000000000)
#define GO_TO		    (GO_FROM + (UINT64_C(64) << 30))
#define GUARD_MAX	    MIB
#define STACK_SIZES_MAX	    64

#define HAS(f, runtime) (((f)->runtimes >> (runtime)&1) != 0)

static const char *const class_names[MAP_CLASSES] = { "other", "file", "deleted-file", "shared",
	"kernel", "thread-stack", "glibc-heap", "glibc-arena", "mimalloc", "jemalloc", "tcmalloc",
	"javascriptcore", "v8", "go", "jit", "brk", "reservation", "malloc-zone" };
const struct sooth_names map_class_names = { MAP_CLASSES, class_names };

const char *const map_class_texts[MAP_CLASSES] = {
	[MAP_OTHER] = "anonymous memory",
	[MAP_FILE] = "file pages",
	[MAP_DELETED_FILE] = "pages of deleted files",
	[MAP_SHARED] = "shared memory",
	[MAP_KERNEL] = "kernel mappings",
	[MAP_THREAD_STACK] = "thread stacks",
	[MAP_GLIBC_HEAP] = "the glibc heap",
	[MAP_GLIBC_ARENA] = "glibc malloc arenas",
	[MAP_MIMALLOC] = "the mimalloc heap",
	[MAP_JEMALLOC] = "the jemalloc heap",
	[MAP_TCMALLOC] = "the tcmalloc heap",
	[MAP_JAVASCRIPTCORE] = "the JavaScript heap (JavaScriptCore)",
	[MAP_V8] = "the JavaScript heap (V8)",
	[MAP_GO] = "the Go heap",
	[MAP_JIT] = "JIT code",
	[MAP_BRK] = "the heap (brk)",
	[MAP_MALLOC_ZONE] = "the heap (malloc zones)",
	[MAP_RESERVATION] = "reserved addresses",
};

struct diagnosis {
	const struct map_facts *facts;
	uint8_t *classes;
	uint64_t stack_sizes[STACK_SIZES_MAX]; /* sizes of guarded mappings with a stack pointer */
	size_t stack_size_count;
};

static struct span map_path(const struct maps_mapping *m)
{
	return record_text(&m->record, &m->path);
}

static uint64_t size_of(const struct maps_mapping *m)
{
	return m->to - m->from;
}

/* --- a mapping by itself --- */

static bool is_shared_memory(const struct maps_mapping *m, struct span path)
{
	if (span_starts(path, "/dev/shm/") || span_starts(path, "[anon_shmem:"))
		return true;
	/* Mounts within the kernel have major number 0, and their files have no name. */
	if (!m->is_deleted || m->device_major)
		return false;
	return span_starts(path, "/memfd:") || span_starts(path, "/SYSV") ||
	       (span_equal(path, "/dev/zero") && m->protection & MAPS_SHARED);
}

static bool is_kernel_name(struct span path)
{
	static const char *const names[] = { "[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]",
		"[uprobes]", "[sigpage]", "[vectors]" };

	return SPAN_ANY(path, span_equal, names);
}

static enum map_class class_of_brk(const struct map_facts *f)
{
	bool has_other = HAS(f, MAPS_MIMALLOC) || HAS(f, MAPS_JEMALLOC) || HAS(f, MAPS_MUSL);

	if (has_other || HAS(f, MAPS_GLIBC) == HAS(f, MAPS_TCMALLOC))
		return HAS(f, MAPS_TCMALLOC) && !has_other ? MAP_TCMALLOC : MAP_BRK;
	return HAS(f, MAPS_GLIBC) ? MAP_GLIBC_HEAP : MAP_TCMALLOC;
}

/* Returns whether it is private memory without a file, even if prctl(2) named it. */
static bool is_anonymous(const struct maps_mapping *m)
{
	struct span path = map_path(m);

	return !m->inode && !(m->protection & MAPS_SHARED) &&
	       (!path.size || span_starts(path, "[anon:"));
}

static bool is_inaccessible(const struct maps_mapping *m)
{
	return is_anonymous(m) && !(m->protection & (MAPS_READ | MAPS_WRITE | MAPS_EXECUTE));
}

static bool is_writable(const struct maps_mapping *m)
{
	return is_anonymous(m) && (m->protection & MAPS_READ) && (m->protection & MAPS_WRITE);
}

static bool has_flags(const struct maps_mapping *m, uint8_t flags)
{
	return m->flags_state == SOOTH_STATE_VALUE && (m->flags & flags) == flags;
}

/* Returns the class by the tag that macOS gives to memory. */
static enum map_class class_by_tag(struct span path)
{
	if (span_starts(path, "[malloc"))
		return MAP_MALLOC_ZONE;
	if (span_starts(path, "[javascriptcore"))
		return MAP_JAVASCRIPTCORE;
	if (span_starts(path, "[jit"))
		return MAP_JIT;
	return span_equal(path, "[tcmalloc]") ? MAP_TCMALLOC : MAP_OTHER;
}

/* Returns the class by the name or the file; MAP_OTHER: unknown. */
static enum map_class class_by_name(const struct map_facts *f, const struct maps_mapping *m)
{
	struct span path = map_path(m);

	if (is_shared_memory(m, path))
		return MAP_SHARED;
	if (m->inode && span_starts(path, "/"))
		return m->is_deleted ? MAP_DELETED_FILE : MAP_FILE;
	if (m->inode)
		return MAP_OTHER;
	if (is_kernel_name(path))
		return MAP_KERNEL;
	if (span_equal(path, "[heap]"))
		return class_of_brk(f);
	if (span_equal(path, "[stack]"))
		return MAP_THREAD_STACK;
	/* glibc names its memory if configured by glibc.mem.decorate_maps. */
	if (span_starts(path, "[anon: glibc: pthread"))
		return MAP_THREAD_STACK;
	if (span_starts(path, "[anon: glibc: malloc arena"))
		return MAP_GLIBC_ARENA;
	return class_by_tag(path);
}

/* --- a mapping by its neighbors --- */

static const struct maps_mapping *touching_mapping(const struct map_facts *f, size_t i, int side)
{
	size_t other = i + (size_t)side;
	const struct maps_mapping *m = f->mappings[i], *n;

	if ((side < 0 && !i) || other >= f->count)
		return NULL;
	n = f->mappings[other];
	return (side < 0 ? n->to == m->from : m->to == n->from) ? n : NULL;
}

static bool holds_stack_pointer(const struct map_facts *f, const struct maps_mapping *m)
{
	size_t low = 0, high = f->stack_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (f->stacks[middle] < m->from)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->stack_count && f->stacks[low] < m->to;
}

static bool has_guard(const struct map_facts *f, size_t i)
{
	const struct maps_mapping *below = touching_mapping(f, i, -1);

	return below && is_inaccessible(below) && size_of(below) <= GUARD_MAX;
}

static bool is_stack(const struct map_facts *f, size_t i)
{
	const struct maps_mapping *m = f->mappings[i];

	return is_writable(m) && has_guard(f, i) && holds_stack_pointer(f, m);
}

static bool has_stack_size(const struct diagnosis *j, const struct maps_mapping *m)
{
	for (size_t i = 0; i < j->stack_size_count; i++) {
		if (j->stack_sizes[i] == size_of(m))
			return true;
	}
	return false;
}

/* Returns whether it is an arena: writable from a multiple of ARENA_BYTES, then inaccessible; with
 * `rest`, whether it is that second part. */
static bool is_arena(const struct map_facts *f, size_t i, bool rest)
{
	const struct maps_mapping *used = rest ? touching_mapping(f, i, -1) : f->mappings[i];
	const struct maps_mapping *unused = rest ? f->mappings[i] : touching_mapping(f, i, 1);

	if (!HAS(f, MAPS_GLIBC) || !used || !unused || !is_writable(used) ||
		used->protection & MAPS_EXECUTE || !is_inaccessible(unused))
		return false;
	if (used->flags_state == SOOTH_STATE_VALUE && !has_flags(used, MAPS_NO_RESERVE))
		return false;
	if (used->flags_state == SOOTH_STATE_VALUE && has_flags(used, MAPS_NOT_IN_FORKS))
		return false; /* V8's code range may look like an arena */
	return !(used->from % ARENA_BYTES) && !(unused->to % ARENA_BYTES) &&
	       unused->to - used->to < ARENA_BYTES;
}

static bool is_mimalloc(const struct diagnosis *j, size_t i)
{
	const struct maps_mapping *m = j->facts->mappings[i];
	bool goes_on = touching_mapping(j->facts, i, -1) && j->classes[i - 1] == MAP_MIMALLOC;

	return HAS(j->facts, MAPS_MIMALLOC) && has_flags(m, MAPS_NO_RESERVE) &&
	       !has_flags(m, MAPS_NOT_IN_FORKS) && m->from >= MIMALLOC_FROM &&
	       m->to <= MIMALLOC_TO && (goes_on || !(m->from % MIMALLOC_ALIGN));
}

static bool is_jemalloc(const struct map_facts *f, const struct maps_mapping *m)
{
	return HAS(f, MAPS_JEMALLOC) && !HAS(f, MAPS_MIMALLOC) && !HAS(f, MAPS_V8) &&
	       !HAS(f, MAPS_JAVASCRIPTCORE) && !HAS(f, MAPS_GO) && is_writable(m) &&
	       has_flags(m, MAPS_NO_RESERVE) && !has_flags(m, MAPS_NOT_IN_FORKS);
}

static bool is_structure_heap(const struct map_facts *f, const struct maps_mapping *m)
{
	return HAS(f, MAPS_JAVASCRIPTCORE) && has_flags(m, MAPS_NO_RESERVE) &&
	       !has_flags(m, MAPS_NOT_IN_FORKS) && !(m->from % STRUCTURE_HEAP_SIZE) &&
	       size_of(m) >= STRUCTURE_HEAP_SIZE && !(size_of(m) % GIB);
}

static bool is_unreserved(const struct map_facts *f, const struct maps_mapping *m)
{
	return HAS(f, MAPS_V8) && has_flags(m, MAPS_NO_RESERVE | MAPS_NOT_IN_FORKS);
}

static bool is_fixed_heap(const struct map_facts *f, const struct maps_mapping *m)
{
	return HAS(f, MAPS_GO) && m->from >= GO_FROM && m->to <= GO_TO;
}

static enum map_class class_of_anonymous(const struct diagnosis *j, size_t i)
{
	const struct map_facts *f = j->facts;
	const struct maps_mapping *m = f->mappings[i];
	enum map_class found = MAP_OTHER;
	unsigned claims = 0;

	if (is_stack(f, i) || (is_writable(m) && has_guard(f, i) && has_stack_size(j, m)))
		return MAP_THREAD_STACK;
	if (m->protection & MAPS_EXECUTE)
		return MAP_JIT;
#define CLAIM(condition, class_)                                                                   \
	do {                                                                                       \
		if (condition) {                                                                   \
			claims++;                                                                  \
			found = class_;                                                            \
		}                                                                                  \
	} while (0)
	CLAIM(is_mimalloc(j, i), MAP_MIMALLOC);
	/*
	 * Segments that look like arenas: the kernel places none at a requested address.
	 */
	CLAIM(!claims && is_arena(f, i, is_inaccessible(m)), MAP_GLIBC_ARENA);
	CLAIM(found == MAP_OTHER && is_jemalloc(f, m), MAP_JEMALLOC);
	CLAIM(is_structure_heap(f, m), MAP_JAVASCRIPTCORE);
	CLAIM(is_unreserved(f, m), MAP_V8);
	CLAIM(is_fixed_heap(f, m), MAP_GO);
#undef CLAIM
	if (claims)
		return claims == 1 ? found : MAP_OTHER;
	if (is_inaccessible(m) && (m->figures_state || !m->rss_bytes))
		return MAP_RESERVATION;
	return MAP_OTHER;
}

static void emit_note_about_stack_sizes(struct diagnosis *j)
{
	for (size_t i = 0; i < j->facts->count; i++) {
		const struct maps_mapping *m = j->facts->mappings[i];

		if (j->stack_size_count < STACK_SIZES_MAX && is_stack(j->facts, i) &&
			!has_stack_size(j, m))
			j->stack_sizes[j->stack_size_count++] = size_of(m);
	}
}

void map_classify(const struct map_facts *facts, uint8_t *classes)
{
	struct diagnosis j = { .facts = facts, .classes = classes };

	emit_note_about_stack_sizes(&j);
	for (size_t i = 0; i < facts->count; i++) {
		const struct maps_mapping *m = facts->mappings[i];

		classes[i] = class_by_name(facts, m);
		if (classes[i] == MAP_OTHER && is_anonymous(m))
			classes[i] = class_of_anonymous(&j, i);
		/* A guard precedes its stack. */
		if (classes[i] == MAP_THREAD_STACK && has_guard(facts, i) && is_anonymous(m) &&
			classes[i - 1] == MAP_RESERVATION)
			classes[i - 1] = MAP_THREAD_STACK;
	}
}

/* --- sums --- */

uint64_t map_reserved_bytes(const struct maps_mapping *m)
{
	uint64_t used = m->rss_bytes + m->swap_bytes;
	bool is_memory =
		!m->inode && !(m->protection & MAPS_SHARED) && !is_kernel_name(map_path(m));

	return is_memory && used < size_of(m) ? size_of(m) - used : 0;
}

static void map_total_add(struct map_total *t, const struct maps_mapping *m)
{
	if (!t->mappings)
		t->figures_state = m->figures_state;
	else if (t->figures_state != m->figures_state)
		t->figures_state = SOOTH_STATE_TRUNCATED;
	t->mappings++;
	t->size_bytes += size_of(m);
	if (m->figures_state != SOOTH_STATE_VALUE)
		return;
	t->reserved_bytes += map_reserved_bytes(m);
	t->rss_bytes += m->rss_bytes;
	t->pss_bytes += m->pss_bytes;
	t->dirty_bytes += m->shared_dirty_bytes + m->private_dirty_bytes;
	t->swap_bytes += m->swap_bytes;
}

int map_totals(const struct snapshot *snapshot, struct map_total totals[MAP_CLASSES])
{
	struct map_facts facts;
	int status = map_facts_gather(&facts, snapshot);
	uint8_t *classes = status ? NULL : malloc(facts.count + 1);

	memset(totals, 0, MAP_CLASSES * sizeof(*totals));
	if (classes) {
		map_classify(&facts, classes);
		for (size_t i = 0; i < facts.count; i++)
			map_total_add(&totals[classes[i]], facts.mappings[i]);
	}
	free(classes);
	map_facts_fini(&facts);
	return classes ? 0 : -ENOMEM;
}

/* --- one snapshot --- */

static int compare_by_address(const void *a, const void *b)
{
	const struct maps_mapping *left = *(const struct maps_mapping *const *)a;
	const struct maps_mapping *right = *(const struct maps_mapping *const *)b;

	return (left->from > right->from) - (left->from < right->from);
}

static int compare_by_value(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void gather_one(struct map_facts *f, const struct sooth_record *r)
{
	const struct maps_mapping *m = record_as(r, MAPS_MAPPING, sizeof(*m));
	const struct maps_stack *s = record_as(r, MAPS_STACK, sizeof(*s));
	const struct maps_runtime_found *found = record_as(r, MAPS_RUNTIME, sizeof(*found));

	if (m && m->to >= m->from)
		f->mappings[f->count++] = m;
	if (s)
		f->stacks[f->stack_count++] = s->address;
	if (found && found->runtime < MAPS_RUNTIMES)
		f->runtimes |= 1u << found->runtime;
}

int map_facts_gather(struct map_facts *facts, const struct snapshot *snapshot)
{
	const struct batch records = snapshot_records(snapshot);
	size_t mappings = 0, stacks = 0;

	assert(facts);
	*facts = (struct map_facts){ 0 };
	batch_for_each (r, &records) {
		mappings += r->kind == MAPS_MAPPING;
		stacks += r->kind == MAPS_STACK;
	}
	facts->mappings = calloc(mappings + 1, sizeof(*facts->mappings));
	facts->stacks = calloc(stacks + 1, sizeof(*facts->stacks));
	if (!facts->mappings || !facts->stacks)
		return -ENOMEM;
	batch_for_each (r, &records)
		gather_one(facts, r);
	qsort(facts->mappings, facts->count, sizeof(*facts->mappings), compare_by_address);
	qsort(facts->stacks, facts->stack_count, sizeof(*facts->stacks), compare_by_value);
	return 0;
}

void map_facts_fini(struct map_facts *facts)
{
	assert(facts);
	free(facts->mappings);
	free(facts->stacks);
	*facts = (struct map_facts){ 0 };
}
