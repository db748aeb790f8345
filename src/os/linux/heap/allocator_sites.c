/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds sites in the functions of one file, by their names and their code. */
#include "os/linux/heap/allocator_sites.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "bpf/heap.h"
#include "os/linux/heap/allocator_names.h"
#include "symbols/code_paths.h"
#include "symbols/elf_texts.h"
#include "symbols/site.h"

#if defined(__x86_64__)
#define MACHINE_HERE MACHINE_X86_64
#else
#define MACHINE_HERE MACHINE_AARCH64
#endif

static const struct heap_form_layout layouts[] = {
#define FORM_LAYOUT(name_, ...) { __VA_ARGS__ },
	HEAP_FORMS(FORM_LAYOUT)
#undef FORM_LAYOUT
};

/* --- which functions --- */

/* Returns which name to use for an address with several names: the first in the list. */
static const struct allocator_name *name_of(const struct elf_function *f)
{
	return &allocator_names[elf_function_first(f)];
}

static bool is_allocator_function(const struct allocator_name *name)
{
	return name->kind <= ALLOCATOR_THROWS;
}

static bool is_free_function(const struct allocator_name *name)
{
	return is_allocator_function(name) && name->form == HEAP_FORM_FREE;
}

/*
 * A local function may be called free and be something else. So local functions count as an
 * allocator's only if both malloc and free are there: in a static position-independent program the
 * linker makes one of the two local. C++ operators count only beside other functions of an
 * allocator, because those of the C++ library call malloc and free.
 */
struct own_functions {
	bool takes_local;
	bool any; /* an allocating function is not local, or counts although it is */
};

static struct own_functions own_functions(const struct elf_found *found)
{
	struct own_functions own = { 0 };
	bool has_malloc = false, has_free = false, has_global = false;

	for (size_t i = 0; i < found->count; i++) {
		const struct elf_function *f = &found->functions[i];
		bool is_local = f->source == ELF_LOCAL;

		if (name_of(f)->kind != ALLOCATOR_PLAIN)
			continue;
		has_malloc |= name_of(f)->form == HEAP_FORM_MALLOC ||
			      name_of(f)->form == HEAP_FORM_MALLOCX;
		has_free |= is_free_function(name_of(f));
		has_global |= !is_local && !is_free_function(name_of(f));
	}
	own.takes_local = has_malloc && has_free;
	own.any = has_global || own.takes_local;
	return own;
}

struct search {
	struct allocator_file *file;
	struct elf_found found;
	struct own_functions own;
	struct elf_slots *slots;
	uint32_t kernel;
};

static bool is_probed(const struct search *s, const struct elf_function *f)
{
	if (f->source == ELF_LOCAL && !s->own.takes_local)
		return false;
	switch (name_of(f)->kind) {
	case ALLOCATOR_OPERATOR:
	case ALLOCATOR_THROWS:
		return s->own.any;
	default:
		return true;
	}
}

/* --- what they call --- */

struct target_search {
	const struct search *search;
	const struct elf_function *from;
};

/* Classifies the target of a call (code_classify): is it another probed function that allocates, or
 * frees, the block for this function? */
static enum code_target classify_target(
	void *user, uint64_t offset, bool is_defined, const char *name)
{
	const struct target_search *t = user;
	const struct elf_found *found = &t->search->found;
	bool frees = is_free_function(name_of(t->from));

	for (size_t i = 0; is_defined && i < found->count; i++) {
		const struct elf_function *f = &found->functions[i];

		if (f->offset == offset)
			return f == t->from || !is_allocator_function(name_of(f)) ||
					       is_free_function(name_of(f)) != frees ||
					       !is_probed(t->search, f)
				       ? CODE_OTHER
			       : name_of(f)->kind == ALLOCATOR_THROWS ? CODE_TARGET_INSIDE
								      : CODE_TARGET;
	}
	for (size_t i = 0; !is_defined && i < allocator_name_count; i++) {
		const struct allocator_name *other = &allocator_names[i];

		if (other->kind == ALLOCATOR_PLAIN && is_free_function(other) == frees &&
			!strcmp(other->name, name))
			return CODE_TARGET;
	}
	return CODE_OTHER;
}

static bool find_paths(const struct search *s, const struct elf_function *f, struct code_paths *out)
{
	struct target_search t = { s, f };

	return s->slots && !code_paths_find(s->file->file, s->found.machine, f, s->slots,
				   classify_target, &t, out);
}

/* Returns whether all calls of a function pass through an inner function that is probed. For a free
 * no return would show that both are one call, and returns of operators that throw are expensive to
 * probe. */
static bool is_forwarder(const struct search *s, const struct elf_function *f)
{
	struct code_paths paths;

	return find_paths(s, f, &paths) && !paths.avoids_targets && !paths.is_cut;
}

/* --- sites --- */

static uint8_t argument_bit(uint8_t argument)
{
	argument &= (uint8_t)~HEAP_IN_FLAGS;
	return argument ? SITE_ARGUMENT(argument - 1) : 0;
}

static uint8_t arguments_of(const struct heap_form_layout *layout)
{
	return argument_bit(layout->size) | argument_bit(layout->number) |
	       argument_bit(layout->old) | argument_bit(layout->alignment);
}

static struct allocator_site *new_site(struct search *s)
{
	struct allocator_file *file = s->file;

	return file->count < ALLOCATOR_SITES_MAX ? &file->sites[file->count++] : NULL;
}

/* Adds a site of the function, with the given place; false if there is none. */
static bool add_site(struct search *s, const struct elf_function *f, uint8_t place,
	const struct site_requirement *requirement, bool has_return)
{
	unsigned char code[SITE_WINDOW_MAX];
	ssize_t size = elf_code(s->file->file, f, code, sizeof(code));
	struct allocator_site *to;
	struct site site;

	if (f->is_ifunc || size <= 0)
		return false;
	site_choose(s->found.machine, code, (size_t)size, requirement, &site);
	to = site.is_refused ? NULL : new_site(s);
	if (!to)
		return false;
	*to = (struct allocator_site){
		.place = place,
		.function = place < HEAP_PLACE_LOADER ? layouts[name_of(f)->form].function : 0,
		.has_return = has_return,
		.is_emulated = site.is_emulated,
		.keeps_return = site.keeps_return,
		.entry = f->offset,
		.offset = f->offset + site.offset,
		.why = site.why,
	};
	return true;
}

static void add_function(struct search *s, const struct elf_function *f)
{
	const struct allocator_name *name = name_of(f);
	const struct site_requirement requirement = {
		.arguments = arguments_of(&layouts[name->form]),
		.needs_return = !is_free_function(name),
		.skips_null = is_free_function(name),
		.kernel = s->kernel,
	};

	add_site(s, f, (uint8_t)(HEAP_PLACE_FUNCTION + name->form), &requirement,
		requirement.needs_return);
}

/* Adds a return site. Several functions may end in the same code. */
static void add_return(struct search *s, const struct elf_function *f, uint64_t offset)
{
	struct allocator_site *to;

	for (size_t i = 0; i < s->file->count; i++)
		if (s->file->sites[i].place == HEAP_PLACE_RESULT &&
			s->file->sites[i].offset == offset)
			return;
	to = new_site(s);
	if (!to)
		return;
	*to = (struct allocator_site){
		.place = HEAP_PLACE_RESULT,
		.function = layouts[name_of(f)->form].function,
		.entry = f->offset,
		.offset = offset,
		.why = "a return instruction: the function may throw",
	};
}

/* Adds the sites of a function that may throw. */
static void add_throwing(struct search *s, const struct elf_function *f)
{
	const struct allocator_name *name = name_of(f);
	const struct site_requirement requirement = {
		.arguments = arguments_of(&layouts[name->form]),
		.needs_return = true, /* the stack shows which call a return instruction ends */
		.kernel = s->kernel,
	};
	uint8_t place = (uint8_t)(HEAP_PLACE_FUNCTION + name->form) | HEAP_PLACE_THROWS;
	struct code_paths paths;

	if (!find_paths(s, f, &paths) || paths.is_cut || !paths.count) {
		s->file->has_unseen_new = true;
		return;
	}
	if (!paths.avoids_targets)
		return;
	if (!add_site(s, f, place, &requirement, false)) {
		s->file->has_unseen_new = true;
		return;
	}
	for (size_t i = 0; i < paths.count; i++)
		add_return(s, f, paths.returns[i]);
}

/* Adds a site of a function that is not an allocator's. */
static void add_mark(struct search *s, const struct elf_function *f, uint8_t place)
{
	const struct site_requirement requirement = { .kernel = s->kernel };

	add_site(s, f, place, &requirement, false);
}

static void add_sites(struct search *s, const struct elf_function *f)
{
	switch (name_of(f)->kind) {
	case ALLOCATOR_LOADER:
		add_mark(s, f, HEAP_PLACE_LOADER);
		break;
	case ALLOCATOR_EXCEPTION:
		add_mark(s, f, HEAP_PLACE_EXCEPTION);
		break;
	case ALLOCATOR_THREAD_END:
		add_mark(s, f, HEAP_PLACE_THREAD_END);
		break;
	case ALLOCATOR_THROWS:
		add_throwing(s, f);
		break;
	case ALLOCATOR_PLAIN:
		if (is_free_function(name_of(f)) && is_forwarder(s, f))
			break;
		add_function(s, f);
		break;
	default:
		if (!is_forwarder(s, f))
			add_function(s, f);
	}
}

/* Finds the function in a glibc without symbols, by an error text that only this function has since
 * 2.32. */
static void add_thread_end(struct search *s)
{
	struct elf_function f;

	for (size_t i = 0; i < s->file->count; i++)
		if (s->file->sites[i].place == HEAP_PLACE_THREAD_END)
			return;
	if (s->found.machine == MACHINE_X86_64 &&
		elf_function_of_text(s->file->file,
			"tcache_thread_shutdown(): unaligned tcache chunk detected", &f))
		add_mark(s, &f, HEAP_PLACE_THREAD_END);
}

/* Returns whether both allocating and freeing calls are seen. */
static bool has_alloc_and_free(const struct allocator_file *file)
{
	bool gives = false, frees = false;

	for (size_t i = 0; i < file->count; i++) {
		uint8_t place = file->sites[i].place;

		frees |= place == HEAP_PLACE_FUNCTION + HEAP_FORM_FREE;
		gives |= place < HEAP_PLACE_LOADER && place != HEAP_PLACE_FUNCTION + HEAP_FORM_FREE;
	}
	return gives && frees;
}

/* Finds the functions by name. False: the file is no ELF file, or is for another machine. */
static bool find_functions(int file, struct elf_found *out)
{
	const char *symbols[ELF_NAMES_MAX];

	for (size_t i = 0; i < allocator_name_count; i++)
		symbols[i] = allocator_names[i].name;
	return !elf_functions(file, symbols, allocator_name_count, out) &&
	       out->machine == MACHINE_HERE;
}

bool allocator_is_in(int file)
{
	_cleanup_free_ struct elf_found *found = calloc(1, sizeof(*found));

	return found && find_functions(file, found) && own_functions(found).takes_local;
}

static void find_sites(struct search *s)
{
	struct allocator_file *file = s->file;

	s->own = own_functions(&s->found);
	if (s->own.any && elf_slots_open(file->file, &s->slots))
		s->slots = NULL;
	for (size_t i = 0; i < s->found.count; i++)
		if (is_probed(s, &s->found.functions[i]))
			add_sites(s, &s->found.functions[i]);
	elf_slots_close(s->slots);
	if (s->own.any)
		add_thread_end(s);
	file->is_opaque = !s->found.has_interpreter && !has_alloc_and_free(file);
}

void allocator_sites_find(struct allocator_file *file, uint32_t kernel)
{
	struct search s = { .file = file, .kernel = kernel };

	file->is_opaque = true;
	parser_is_urgent = true;
	if (find_functions(file->file, &s.found))
		find_sites(&s);
	parser_is_urgent = false;
}

bool allocator_file_defines(const struct allocator_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		if (file->sites[i].place < HEAP_PLACE_LOADER)
			return true;
	}
	return false;
}
