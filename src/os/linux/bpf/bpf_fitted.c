/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/bpf/bpf_fitted.h"

#include <bpf/bpf.h>
#include <assert.h>
#include <errno.h>
#include <linux/btf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/bpf/bpf_fit.h"

#define TRACEPOINT    "kernel_tp/"
#define ITERATOR      "kernel_iter/"
#define RELOCATIONS   28 /* offset in the header of .BTF.ext of the size of the relocations */
#define SECTIONS_MAX  64
#define NAME_SIZE     64
#define NOT_A_PROGRAM 1 /* a descriptor that is never used: see set_up() */

/* --- the image, made by sooth's own build --- */

unsigned char *bpf_image_unpack(const struct bpf_image *image)
{
	unsigned char *bytes = malloc(image->size);

	if (bytes && ZSTD_decompress(bytes, image->size, image->packed, image->packed_size) !=
			     image->size) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

struct sections {
	struct bpf_unfitted programs[SECTIONS_MAX];
	char names[SECTIONS_MAX][NAME_SIZE];
	size_t count;
	bool is_refused; /* the names are refused: there are more, or longer ones, than there is
			    room for */
	struct span types, notes;
};

static bool name_begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

static void patch_entry(struct bpf_fitted *f, const char *section)
{
	bool is_iterator = name_begins(section, ITERATOR);
	struct bpf_entry *e = &f->entries[f->count];
	const char *name = section + strlen(is_iterator ? ITERATOR : TRACEPOINT);

	if ((!is_iterator && !name_begins(section, TRACEPOINT)) || f->count == BPF_ENTRIES_MAX)
		return;
	snprintf(e->section, sizeof(e->section), "%s", section);
	snprintf(e->name, sizeof(e->name), "%s%s", is_iterator ? "bpf_iter_" : "btf_trace_", name);
	f->count++;
}

struct reading {
	struct bpf_fitted *fitted;
	struct sections *sections;
};

static void patch_section(
	void *user, const char *name, const unsigned char *bytes, size_t size, bool is_code)
{
	struct reading *r = user;
	struct sections *s = r->sections;
	struct span all = span_of((const char *)bytes, size);

	if (!strcmp(name, ".BTF"))
		s->types = all;
	else if (!strcmp(name, ".BTF.ext"))
		s->notes = all;
	else if (is_code && (s->count == SECTIONS_MAX || strlen(name) >= NAME_SIZE))
		s->is_refused = true;
	else if (is_code) {
		/* In the copy, which is written to. */
		unsigned char *own = r->fitted->bytes + (bytes - r->fitted->bytes);

		memcpy(s->names[s->count], name, strlen(name) + 1);
		s->programs[s->count] =
			(struct bpf_unfitted){ .instructions = (struct bpf_insn *)(void *)own,
				.count = size / sizeof(struct bpf_insn),
				.section = span_of(s->names[s->count], strlen(name)) };
		s->count++;
		patch_entry(r->fitted, name);
	}
}

static void read_sections(struct bpf_fitted *f, struct sections *s)
{
	struct reading r = { f, s };

	bpf_sections_visit(f->bytes, f->size, patch_section, &r);
	for (size_t i = 0; i < s->count; i++) {
		s->programs[i].types = s->types;
		s->programs[i].notes = s->notes;
	}
}

/* --- the kernel --- */

struct wanted {
	struct kernel_name names[KERNEL_NAMES_MAX];
	size_t count;
};

/* Adds the names of a program that are not in the list yet. */
static int add_wanted_names(struct wanted *w, const struct bpf_unfitted *program)
{
	struct kernel_name names[KERNEL_NAMES_MAX];
	size_t count;
	int status = bpf_list_relocated_types(program, names, ARRAY_SIZE(names), &count);

	for (size_t i = 0; i < count && !status; i++) {
		size_t at = 0;

		while (at < w->count && (w->names[at].of != names[i].of ||
						span_compare(w->names[at].name, names[i].name)))
			at++;
		if (at < w->count)
			continue;
		if (w->count == KERNEL_NAMES_MAX - BPF_ENTRIES_MAX)
			status = -ENOSPC;
		else
			w->names[w->count++] = names[i];
	}
	return status;
}

static void add_wanted_entries(struct wanted *w, const struct bpf_fitted *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct bpf_entry *e = &f->entries[i];

		w->names[w->count++] = (struct kernel_name){ .name = span_of(
								     e->name, strlen(e->name)),
			.of = name_begins(e->section, ITERATOR) ? KERNEL_FUNCTION : KERNEL_ALIAS };
	}
}

/* Returns the number of arguments of the function to which an alias points, without the first,
 * which is the registrant's. */
static uint32_t arguments_of(const struct kernel_types *kernel, uint32_t id)
{
	struct kernel_type type;

	for (int i = 0; i < 2; i++) {
		if (!id || !kernel_types_get(kernel, id, &type))
			return 0;
		id = type.size;
	}
	if (!kernel_types_get(kernel, id, &type) || type.kind != BTF_KIND_FUNC_PROTO)
		return 0;
	return type.members ? type.members - 1 : 0;
}

static int relocate_programs(
	struct bpf_fitted *f, const struct sections *s, struct wanted *w, struct sooth_error *err)
{
	size_t types = w->count;
	struct kernel_types kernel;
	int status;

	add_wanted_entries(w, f);
	status = kernel_types_open(&kernel, w->names, w->count, err);
	if (status)
		return status;
	for (size_t i = 0; i < f->count; i++)
		f->entries[i].id = w->names[types + i].found ? w->names[types + i].ids[0] : 0;
	for (size_t i = 0; i < f->count; i++)
		f->entries[i].arguments = name_begins(f->entries[i].section, TRACEPOINT)
						  ? arguments_of(&kernel, f->entries[i].id)
						  : 0;
	for (size_t i = 0; i < s->count && !status; i++)
		status = bpf_relocate(&s->programs[i], &kernel, w->names, types, err);
	kernel_types_close(&kernel);
	return status;
}

/* Removes the notes, so that libbpf has nothing to relocate. */
static void forget_notes(struct bpf_fitted *f, const struct sections *s)
{
	size_t at = (size_t)(s->notes.data - (const char *)f->bytes) + RELOCATIONS;

	memset(f->bytes + at, 0, sizeof(uint32_t));
}

static int fit_image(struct bpf_fitted *f, const struct bpf_image *image, struct sooth_error *err)
{
	_cleanup_free_ struct sections *s = calloc(1, sizeof(*s));
	_cleanup_free_ struct wanted *w = calloc(1, sizeof(*w));
	int status = 0;

	if (!s || !w)
		return error_no_memory(err);
	read_sections(f, s);
	if (s->is_refused || s->notes.size < RELOCATIONS + sizeof(uint32_t))
		status = -EINVAL;
	for (size_t i = 0; i < s->count && !status; i++)
		status = add_wanted_names(w, &s->programs[i]);
	if (status)
		return error_set(
			err, status, SOOTH_FAULT_INTERNAL, "read the BPF object %s", image->name);
	status = relocate_programs(f, s, w, err);
	if (!status)
		forget_notes(f, s);
	return status;
}

int bpf_load_fitted(struct bpf_fitted *f, const struct bpf_image *image, struct sooth_error *err)
{
	int status;

	*f = (struct bpf_fitted){ .bytes = bpf_image_unpack(image), .size = image->size };
	if (!f->bytes)
		return error_no_memory(err);
	status = fit_image(f, image, err);
	if (status)
		bpf_fitted_close(f);
	return status;
}

void bpf_fitted_close(struct bpf_fitted *f)
{
	free(f->bytes);
	f->bytes = NULL;
}

uint32_t bpf_fitted_arguments(const struct bpf_fitted *f, const char *section)
{
	assert(f);
	for (size_t i = 0; i < f->count; i++) {
		if (!strcmp(f->entries[i].section, section))
			return f->entries[i].arguments;
	}
	return 0;
}

/* --- libbpf --- */

/* libbpf's handlers have no pointer to an object: the object that is being loaded is kept here. */
static __thread const struct bpf_fitted *loading;

/* Sets up a program. libbpf reads the kernel's types for each program that attaches to the kernel.
 * So until it is loaded, the program looks as if it attached to another program. */
static int set_up(struct bpf_program *program, long cookie)
{
	(void)cookie;
	return bpf_program__set_attach_target(program, NOT_A_PROGRAM, NULL);
}

static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	const char *section = bpf_program__section_name(program);

	(void)cookie;
	options->attach_prog_fd = 0;
	for (size_t i = 0; loading && i < loading->count; i++) {
		if (!strcmp(loading->entries[i].section, section))
			options->attach_btf_id = loading->entries[i].id;
	}
	return options->attach_btf_id ? 0 : -ESRCH;
}

static int attach(const struct bpf_program *program, long cookie, struct bpf_link **link)
{
	(void)cookie;
	*link = bpf_program__attach_trace(program);
	return *link ? 0 : -errno;
}

static int handlers_status;

static void register_handlers(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_setup_fn = set_up,
		.prog_prepare_load_fn = prepare, .prog_attach_fn = attach);
	int made = libbpf_register_prog_handler(
		"kernel_tp+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, &options);

	if (made >= 0)
		made = libbpf_register_prog_handler(
			"kernel_iter+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, &options);
	handlers_status = made < 0 ? made : 0;
}

int bpf_fitted_register(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_handlers);
	return handlers_status;
}

int bpf_fitted_load(const struct bpf_fitted *f, struct bpf_object *object)
{
	int status;

	loading = f;
	status = bpf_object__load(object);
	loading = NULL;
	return status;
}
