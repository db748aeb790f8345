/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every function of an allocator, under every name that one of them has: those of jemalloc's,
 * tcmalloc's and mimalloc's own interfaces, with the prefixes they are built with, C23's, and C++'s
 * operators. Those that the process has are called a known number of times each, and the blocks are
 * freed. --only calls the functions whose names begin so.
 */
#include "heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define ALIGNMENT      64
#define ALIGNMENT_LOG2 6
#define NUMBER	       3
#define SMALL	       27
#define CALLS	       20
#define ROWS_MAX       512
#define NAME_MAX_BYTES 64

/* Families: what stands before the name of a function, and which give and free its blocks: the
 * second with an alignment. */
struct family {
	const char *prefix, *malloc, *aligned, *free;
	bool has_size_first; /* the arguments of `aligned` */
};

static const struct family families[] = {
	{ "", "malloc", "aligned_alloc", "free", false },
	{ "je_", "je_malloc", "je_aligned_alloc", "je_free", false },
	{ "_rjem_", "_rjem_malloc", "_rjem_aligned_alloc", "_rjem_free", false },
	{ "tc_", "tc_malloc", "tc_memalign", "tc_free", false },
	{ "mi_", "mi_malloc", "mi_malloc_aligned", "mi_free", true },
	{ "mi_heap_", "mi_malloc", "mi_malloc_aligned", "mi_free", true },
	{ "_Z", "_Znwm", "_ZnwmSt11align_val_t", "_ZdlPv", true },
};

#define OF_C  0x1f
#define OF_JE 0x07
#define OF_TC 0x08
#define OF_MI 0x10
#define OF_MH 0x20
#define OF_CC 0x40

/*
 * The arguments, one letter each: s the size, k a small one, e the size of one of `n` elements, p
 * a block, a an alignment, o where an address is stored, h a heap, f jemalloc's flags with the
 * alignment, x an object of type std::nothrow_t, z nothing.
 */
static const struct form {
	unsigned families;
	const char *name;
	enum heap_function function;
	const char *arguments;
} forms[] = {
	{ OF_C, "malloc", HEAP_MALLOC, "s" },
	{ OF_C, "calloc", HEAP_CALLOC, "ne" },
	{ OF_C, "realloc", HEAP_REALLOC, "ps" },
	{ OF_C, "reallocarray", HEAP_REALLOCARRAY, "pne" },
	{ OF_C, "aligned_alloc", HEAP_ALIGNED_ALLOC, "as" },
	{ OF_C, "posix_memalign", HEAP_POSIX_MEMALIGN, "oas" },
	{ OF_C, "memalign", HEAP_MEMALIGN, "as" },
	{ OF_C, "valloc", HEAP_VALLOC, "s" },
	{ OF_C, "pvalloc", HEAP_PVALLOC, "s" },
	{ OF_C, "free", HEAP_FREE, "p" },
	{ OF_C, "cfree", HEAP_FREE, "p" },
	{ OF_C, "free_sized", HEAP_FREE, "ps" },
	{ OF_C, "free_aligned_sized", HEAP_FREE, "pas" },
	{ OF_JE, "mallocx", HEAP_MALLOC, "sf" },
	{ OF_JE, "rallocx", HEAP_REALLOC, "psf" },
	{ OF_JE, "xallocx", HEAP_REALLOC, "pszz" },
	{ OF_JE, "dallocx", HEAP_FREE, "pz" },
	{ OF_JE, "sdallocx", HEAP_FREE, "psz" },
	{ OF_TC, "malloc_skip_new_handler", HEAP_MALLOC, "s" },
	{ OF_MI | OF_MH, "malloc_small", HEAP_MALLOC, "k" },
	{ OF_MI | OF_MH, "mallocn", HEAP_MALLOC, "ne" },
	{ OF_MI | OF_MH, "zalloc", HEAP_CALLOC, "s" },
	{ OF_MI, "zalloc_small", HEAP_CALLOC, "k" },
	{ OF_MI | OF_MH, "reallocn", HEAP_REALLOCARRAY, "pne" },
	{ OF_MI | OF_MH, "reallocf", HEAP_REALLOC, "ps" },
	{ OF_MI | OF_MH, "rezalloc", HEAP_REALLOC, "ps" },
	{ OF_MI | OF_MH, "recalloc", HEAP_REALLOCARRAY, "pne" },
	{ OF_MI, "expand", HEAP_REALLOC, "ps" },
	{ OF_MI, "free_size", HEAP_FREE, "ps" },
	{ OF_MI, "free_aligned", HEAP_FREE, "pa" },
	{ OF_MI, "free_size_aligned", HEAP_FREE, "psa" },
	{ OF_MI | OF_MH, "malloc_aligned", HEAP_ALIGNED_ALLOC, "sa" },
	{ OF_MI | OF_MH, "malloc_aligned_at", HEAP_ALIGNED_ALLOC, "saz" },
	{ OF_MI | OF_MH, "zalloc_aligned", HEAP_ALIGNED_ALLOC, "sa" },
	{ OF_MI | OF_MH, "zalloc_aligned_at", HEAP_ALIGNED_ALLOC, "saz" },
	{ OF_MI | OF_MH, "calloc_aligned", HEAP_ALIGNED_ALLOC, "nea" },
	{ OF_MI | OF_MH, "calloc_aligned_at", HEAP_ALIGNED_ALLOC, "neaz" },
	{ OF_MI | OF_MH, "realloc_aligned", HEAP_REALLOC, "psa" },
	{ OF_MI | OF_MH, "realloc_aligned_at", HEAP_REALLOC, "psaz" },
	{ OF_MI | OF_MH, "rezalloc_aligned", HEAP_REALLOC, "psa" },
	{ OF_MI | OF_MH, "rezalloc_aligned_at", HEAP_REALLOC, "psaz" },
	{ OF_MI | OF_MH, "recalloc_aligned", HEAP_REALLOCARRAY, "pnea" },
	{ OF_MI | OF_MH, "recalloc_aligned_at", HEAP_REALLOCARRAY, "pneaz" },
	{ OF_MH, "malloc", HEAP_MALLOC, "s" },
	{ OF_MH, "calloc", HEAP_CALLOC, "ne" },
	{ OF_MH, "realloc", HEAP_REALLOC, "ps" },
	{ OF_MI, "new", HEAP_MALLOC, "s" },
	{ OF_MI, "new_n", HEAP_MALLOC, "ne" },
	{ OF_MI, "new_nothrow", HEAP_MALLOC, "s" },
	{ OF_MI, "new_aligned", HEAP_ALIGNED_ALLOC, "sa" },
	{ OF_MI, "new_aligned_nothrow", HEAP_ALIGNED_ALLOC, "sa" },
	{ OF_MI, "new_realloc", HEAP_REALLOC, "ps" },
	{ OF_MI, "new_reallocn", HEAP_REALLOCARRAY, "pne" },
	{ OF_MH, "alloc_new", HEAP_MALLOC, "s" },
	{ OF_MH, "alloc_new_n", HEAP_MALLOC, "ne" },
	{ OF_CC, "nwm", HEAP_MALLOC, "s" },
	{ OF_CC, "nam", HEAP_MALLOC, "s" },
	{ OF_CC, "nwmRKSt9nothrow_t", HEAP_MALLOC, "sx" },
	{ OF_CC, "namRKSt9nothrow_t", HEAP_MALLOC, "sx" },
	{ OF_CC, "nwmSt11align_val_t", HEAP_ALIGNED_ALLOC, "sa" },
	{ OF_CC, "namSt11align_val_t", HEAP_ALIGNED_ALLOC, "sa" },
	{ OF_CC, "nwmSt11align_val_tRKSt9nothrow_t", HEAP_ALIGNED_ALLOC, "sax" },
	{ OF_CC, "namSt11align_val_tRKSt9nothrow_t", HEAP_ALIGNED_ALLOC, "sax" },
	{ OF_CC, "dlPv", HEAP_FREE, "p" },
	{ OF_CC, "daPv", HEAP_FREE, "p" },
	{ OF_CC, "dlPvm", HEAP_FREE, "ps" },
	{ OF_CC, "daPvm", HEAP_FREE, "ps" },
	{ OF_CC, "dlPvRKSt9nothrow_t", HEAP_FREE, "px" },
	{ OF_CC, "daPvRKSt9nothrow_t", HEAP_FREE, "px" },
	{ OF_CC, "dlPvSt11align_val_t", HEAP_FREE, "pa" },
	{ OF_CC, "daPvSt11align_val_t", HEAP_FREE, "pa" },
	{ OF_CC, "dlPvmSt11align_val_t", HEAP_FREE, "psa" },
	{ OF_CC, "daPvmSt11align_val_t", HEAP_FREE, "psa" },
	{ OF_CC, "dlPvSt11align_val_tRKSt9nothrow_t", HEAP_FREE, "pax" },
	{ OF_CC, "daPvSt11align_val_tRKSt9nothrow_t", HEAP_FREE, "pax" },
};

/* Whatever is passed beyond the arguments of a function it does not see. */
typedef uintptr_t (*any_function)(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t);

struct row {
	const struct form *form;
	const struct family *family;
	any_function call, malloc, aligned, free;
};

static char *only;
static struct row rows[ROWS_MAX];
static size_t row_count;
static uintptr_t heap;
static struct heap_aggregate aggregate;
static const size_t sizes[] = { 27, 1011, 5003, 300003 };

static any_function find(const char *name)
{
	return (any_function)(uintptr_t)dlsym(RTLD_DEFAULT, name);
}

/* Of another allocator is a block that this one cannot free. */
static bool are_of_one_file(any_function a, any_function b)
{
	Dl_info of_a, of_b;

	return a && b && dladdr((void *)(uintptr_t)a, &of_a) &&
	       dladdr((void *)(uintptr_t)b, &of_b) && of_a.dli_fbase == of_b.dli_fbase;
}

static void find_row(const struct family *family, const struct form *form)
{
	struct row row = { .form = form, .family = family };
	char name[NAME_MAX_BYTES];

	snprintf(name, sizeof(name), "%s%s", family->prefix, form->name);
	if (only && strncmp(name, only, strlen(only)) != 0)
		return;
	row.call = find(name);
	row.malloc = find(family->malloc);
	row.aligned = find(family->aligned);
	row.free = find(family->free);
	if (row.aligned && are_of_one_file(row.call, row.malloc) &&
		are_of_one_file(row.call, row.free) && row_count < ROWS_MAX)
		rows[row_count++] = row;
}

static void find_rows(void)
{
	any_function get_heap = find("mi_heap_get_default");

	heap = get_heap ? get_heap(0, 0, 0, 0, 0, 0) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		for (size_t k = 0; k < ARRAY_SIZE(forms); k++)
			if (forms[k].families >> i & 1)
				find_row(&families[i], &forms[k]);
}

static void note(enum heap_function function, bool is_given, uint64_t size)
{
	struct heap_calls *calls = &aggregate.calls[function];

	calls->count++;
	if (function == HEAP_FREE)
		return;
	calls->failed += !is_given;
	calls->bytes += is_given ? size : 0;
}

/* A function that frees is told the alignment that the block has. */
static uintptr_t base_block(const struct row *row, size_t size)
{
	bool is_aligned = row->form->function == HEAP_FREE && strchr(row->form->arguments, 'a');
	bool is_tc = !strcmp(row->family->aligned, "tc_memalign");
	uintptr_t block;

	if (!is_aligned)
		block = row->malloc(size, 0, 0, 0, 0, 0);
	else if (row->family->has_size_first)
		block = row->aligned(size, ALIGNMENT, 0, 0, 0, 0);
	else
		block = row->aligned(ALIGNMENT, size, 0, 0, 0, 0);
	note(!is_aligned ? HEAP_MALLOC : is_tc ? HEAP_MEMALIGN : HEAP_ALIGNED_ALLOC, block, size);
	return block;
}

static void free_block(const struct row *row, uintptr_t block)
{
	if (!block)
		return;
	row->free(block, 0, 0, 0, 0, 0);
	note(HEAP_FREE, true, 0);
}

struct call {
	uintptr_t given[6];
	uintptr_t old, stored;
	size_t size;
};

static void prepare(const struct row *row, struct call *c)
{
	static const char nothrow;
	const char *letters = row->form->arguments;
	uintptr_t *to = c->given;

	if (strchr(letters, 'e'))
		c->size -= c->size % NUMBER;
	else if (strchr(letters, 'k'))
		c->size = SMALL;
	if (!strcmp(row->family->prefix, "mi_heap_"))
		*to++ = heap;
	for (; *letters; letters++) {
		uintptr_t value = 0;

		if (*letters == 's' || *letters == 'k')
			value = c->size;
		else if (*letters == 'e')
			value = c->size / NUMBER;
		else if (*letters == 'n')
			value = NUMBER;
		else if (*letters == 'a')
			value = ALIGNMENT;
		else if (*letters == 'f')
			value = ALIGNMENT_LOG2;
		else if (*letters == 'p')
			value = c->old = base_block(row, c->size);
		else if (*letters == 'o')
			value = (uintptr_t)&c->stored;
		else if (*letters == 'x')
			value = (uintptr_t)&nothrow;
		*to++ = value;
	}
}

static void call_row(const struct row *row, size_t size)
{
	struct call c = { .size = size };
	uintptr_t result;

	prepare(row, &c);
	result = row->call(c.given[0], c.given[1], c.given[2], c.given[3], c.given[4], c.given[5]);
	if (row->form->function == HEAP_FREE) {
		note(HEAP_FREE, true, 0);
		return;
	}
	if (!strcmp(row->form->name, "xallocx")) /* it returns a size, and leaves the block there */
		result = result >= c.size ? c.old : 0;
	else if (c.given[0] == (uintptr_t)&c.stored)
		result = result ? 0 : c.stored;
	note(row->form->function, result, c.size);
	free_block(row, result ? result : c.old);
}

static int run(const struct workload *w)
{
	struct heap_board *board = NULL;
	int err = heap_board_new(&board, NULL);

	find_rows();
	if (!err)
		err = workload_ready(w);
	if (err)
		return err;
	for (size_t i = 0; i < row_count; i++)
		for (size_t k = 0; k < CALLS + i % 7; k++)
			call_row(&rows[i], sizes[k % ARRAY_SIZE(sizes)]);
	heap_board_add(board, false)->aggregate = aggregate;
	return heap_truth_write(w, "heap_forms", board,
		(struct heap_fact[]){ { "functions_called", row_count }, { 0 } });
}

static const struct param params[] = {
	{ "only", "NAME", "only functions whose names begin so", PARAM_TEXT, &only, 0, 0 },
	{ 0 },
};

const struct scenario scenario_heap_forms = {
	.name = "heap_forms",
	.help = "each function of an allocator by each of its names",
	.params = params,
	.run = run,
};
