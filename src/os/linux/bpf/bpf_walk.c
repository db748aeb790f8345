/* SPDX-License-Identifier: BSD-2-Clause */
/* Small iterators. */
#include "os/linux/bpf/bpf_walk.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/log.h"
#include "bpf/walk.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/bpf/kernel_types.h"
#include "os/linux/rights/needs.h"

/* --- fitting to the kernel --- */

/*
 * Fits a program that was compiled against a few members of the kernel's structs to the running
 * kernel: clang's notes in .BTF.ext (Documentation/bpf/llvm_reloc.rst, CO-RE) are looked up in the
 * kernel's own types and written into the instructions.
 *
 * It handles fewer kinds than libbpf: members, their existence, bit fields, and numbers of types;
 * no enumerations, calls or maps. Unknown kinds are refused.
 */

/* .BTF.ext, which no user-space header describes: Documentation/bpf/btf.rst */
#define NOTES_MAGIC	   0xeb9f
#define NOTES_HEADER_LEAST 32 /* with the part about relocations */
#define NOTE_BYTES	   16

/* enum bpf_core_relo_kind; linux/bpf.h has it since 5.17 */
enum note_kind {
	NOTE_BYTE_OFFSET,
	NOTE_BYTE_SIZE,
	NOTE_EXISTS,
	NOTE_SIGNED,
	NOTE_LEFT_SHIFT,
	NOTE_RIGHT_SHIFT,
	NOTE_TYPE_HERE,
	NOTE_TYPE_THERE,
};

#define NEVER_RUN 0xbad2310 /* an invalid call number, the same that libbpf uses */

struct note {
	uint32_t at; /* byte in the section */
	uint32_t type;
	uint32_t access;
	uint32_t kind;
};

/* --- notes, one by one --- */

struct note_walk {
	const struct bpf_unfitted *program;
	const struct kernel_types *types; /* of the program */
	struct cursor cursor;
	uint32_t note_bytes;
	uint32_t left; /* of the current section */
	bool is_ours;
};

static int walk_begin(
	struct note_walk *w, const struct bpf_unfitted *program, const struct kernel_types *types)
{
	struct cursor c = cursor_over(program->notes.data, program->notes.size);
	uint32_t header, offset, size;

	*w = (struct note_walk){ .program = program, .types = types };
	if (cursor_u16(&c) != NOTES_MAGIC)
		return -EINVAL;
	cursor_u16(&c);
	header = cursor_u32(&c);
	cursor_bytes(&c, 16); /* offsets of functions and lines */
	offset = cursor_u32(&c);
	size = cursor_u32(&c);
	if (c.failed || header < NOTES_HEADER_LEAST || header > program->notes.size)
		return -EINVAL;
	w->cursor = cursor_over(program->notes.data + header, program->notes.size - header);
	cursor_bytes(&w->cursor, offset);
	if (w->cursor.failed || size > cursor_left(&w->cursor))
		return -EINVAL;
	w->cursor.end = w->cursor.at + size;
	if (!size)
		return 0;
	w->note_bytes = cursor_u32(&w->cursor);
	return w->note_bytes < NOTE_BYTES ? -EINVAL : 0;
}

/* 1: a note; 0: no more; or a negative errno. */
static int walk_next(struct note_walk *w, struct note *note)
{
	for (;;) {
		while (!w->left) {
			if (cursor_at_end(&w->cursor))
				return 0;
			w->is_ours =
				!span_compare(kernel_types_name(w->types, cursor_u32(&w->cursor)),
					w->program->section);
			w->left = cursor_u32(&w->cursor);
			if (w->cursor.failed)
				return -EINVAL;
		}
		w->left--;
		note->at = cursor_u32(&w->cursor);
		note->type = cursor_u32(&w->cursor);
		note->access = cursor_u32(&w->cursor);
		note->kind = cursor_u32(&w->cursor);
		cursor_bytes(&w->cursor, w->note_bytes - NOTE_BYTES);
		if (w->cursor.failed)
			return -EINVAL;
		if (w->is_ours)
			return 1;
	}
}

/* --- types of the kernel --- */

static struct span name_of(const struct kernel_types *types, uint32_t id)
{
	struct kernel_type type;
	struct span name;

	if (!kernel_types_get(types, id, &type))
		return span_of("", 0);
	name = kernel_types_name(types, type.name);
	for (size_t i = 1; i + 3 < name.size; i++) {
		if (!memcmp(name.data + i, "___", 3))
			name.size = i;
	}
	return name;
}

static const struct kernel_name *find_name(
	const struct kernel_name *names, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++) {
		if (!names[i].is_function && !span_compare(names[i].name, name))
			return &names[i];
	}
	return NULL;
}

int bpf_relocate_names(
	const struct bpf_unfitted *program, struct kernel_name *names, size_t room, size_t *count)
{
	struct kernel_types types;
	struct note_walk w;
	struct note note;
	int status = kernel_types_over(&types, program->types.data, program->types.size, NULL, 0);

	*count = 0;
	if (!status)
		status = walk_begin(&w, program, &types);
	while (!status && (status = walk_next(&w, &note)) == 1) {
		struct span name = name_of(&types, note.type);

		status = 0;
		if (!name.size)
			status = -EINVAL;
		else if (find_name(names, *count, name))
			continue;
		else if (*count == room)
			status = -ENOSPC;
		else
			names[(*count)++] = (struct kernel_name){ .name = name };
	}
	kernel_types_close(&types);
	return status;
}

/* --- values --- */

struct fitting {
	const struct kernel_types *own, *kernel;
	const struct kernel_name *names;
	size_t count;
};

struct value {
	bool exists;
	bool is_alike; /* as long as the program expects it to be */
	uint32_t is;
};

/* As the macros for bit fields in bpf_core_read.h expect: a piece of memory that has all of it,
 * shifted left, then right. Bits are numbered from the lowest, as on all supported machines. */
static uint32_t of_bits(const struct kernel_place *p, enum note_kind kind)
{
	uint32_t bytes = p->bytes, from = p->bit / 8 / bytes * bytes;

	while (p->bit + p->bits - from * 8 > bytes * 8) {
		bytes *= 2;
		from = p->bit / 8 / bytes * bytes;
	}
	switch (kind) {
	case NOTE_BYTE_OFFSET:
		return from;
	case NOTE_BYTE_SIZE:
		return bytes;
	case NOTE_LEFT_SHIFT:
		return 64 - (p->bit + p->bits - from * 8);
	default:
		return 64 - p->bits;
	}
}

static uint32_t of_place(const struct kernel_place *p, enum note_kind kind)
{
	struct kernel_place whole = *p;

	if (kind == NOTE_EXISTS)
		return 1;
	if (kind == NOTE_SIGNED)
		return p->is_signed;
	if (!p->bits && kind == NOTE_BYTE_OFFSET)
		return p->bit / 8;
	if (!p->bits && kind == NOTE_BYTE_SIZE)
		return p->bytes;
	if (!whole.bits)
		whole.bits = p->bytes * 8;
	return of_bits(&whole, kind);
}

static bool is_sound(const struct kernel_place *p)
{
	return p->bytes && (!p->bits || (p->bytes <= 8 && p->bits <= 64));
}

static bool same(const struct value *a, const struct value *b)
{
	return a->is == b->is && a->is_alike == b->is_alike;
}

static struct value value_in(const struct fitting *f, const struct note *note,
	const struct kernel_path *path, uint32_t type)
{
	struct kernel_place there, here;
	struct value v = { 0 };

	if (note->kind == NOTE_TYPE_THERE)
		return (struct value){ .exists = true, .is_alike = true, .is = type };
	v.exists = kernel_types_find(f->kernel, type, path, &there) && is_sound(&there);
	if (!v.exists)
		return v;
	v.is = of_place(&there, note->kind);
	v.is_alike = kernel_types_find(f->own, note->type, path, &here) &&
		     here.bytes == there.bytes && !there.bits;
	return v;
}

/* Types of the same name must agree, else it is unknown which one is right. */
static int find_value(const struct fitting *f, const struct note *note, struct value *v)
{
	const struct kernel_name *name = find_name(f->names, f->count, name_of(f->own, note->type));
	struct kernel_path path = { 0 };
	size_t found = 0;

	*v = (struct value){ 0 };
	if (!name || note->kind == NOTE_TYPE_HERE || note->kind > NOTE_TYPE_THERE)
		return -EOPNOTSUPP;
	if (name->found > KERNEL_SAME_MAX)
		return -EOPNOTSUPP;
	if (note->kind != NOTE_TYPE_THERE && !kernel_path_from(&path, f->own, note->type,
						     kernel_types_name(f->own, note->access)))
		return -EINVAL;
	for (uint32_t i = 0; i < name->found; i++) {
		struct value one = value_in(f, note, &path, name->ids[i]);

		if (!one.exists)
			continue;
		if (found++ && !same(v, &one))
			return -EOPNOTSUPP;
		*v = one;
	}
	return 0;
}

/* --- places --- */

static void never_run(struct bpf_insn *at)
{
	*at = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = NEVER_RUN };
}

static int put(const struct bpf_unfitted *program, const struct note *note, const struct value *v)
{
	size_t i = note->at / sizeof(struct bpf_insn);
	struct bpf_insn *at = program->instructions + i;
	bool is_wide;

	if (note->at % sizeof(*at) || i >= program->count)
		return -EINVAL;
	is_wide = at->code == (BPF_LD | BPF_DW | BPF_IMM);
	if (is_wide && i + 1 >= program->count)
		return -EINVAL;
	/* Code compiled for a different kernel: it is not reached, and if it were, the verifier
	 * would reject it. */
	if (note->kind != NOTE_EXISTS && !v->exists) {
		never_run(at);
		if (is_wide)
			never_run(at + 1);
		return 0;
	}
	if (is_wide || ((BPF_CLASS(at->code) == BPF_ALU || BPF_CLASS(at->code) == BPF_ALU64) &&
			       BPF_SRC(at->code) == BPF_K)) {
		at->imm = (int32_t)v->is;
		return 0;
	}
	if (BPF_CLASS(at->code) != BPF_LDX || !v->is_alike)
		return -EOPNOTSUPP;
	if (v->is > INT16_MAX)
		return -ERANGE;
	at->off = (int16_t)v->is;
	return 0;
}

int bpf_relocate(const struct bpf_unfitted *program, const struct kernel_types *kernel,
	const struct kernel_name *names, size_t count, struct sooth_error *err)
{
	struct kernel_types own;
	struct fitting f = { &own, kernel, names, count };
	struct note_walk w;
	struct note note;
	struct value v;
	int status = kernel_types_over(&own, program->types.data, program->types.size, NULL, 0);

	if (!status)
		status = walk_begin(&w, program, &own);
	while (!status && (status = walk_next(&w, &note)) == 1) {
		status = find_value(&f, &note, &v);
		if (!status)
			status = put(program, &note, &v);
	}
	kernel_types_close(&own);
	if (!status)
		return 0;
	error_set(err, status, SOOTH_FAULT_UNSUPPORTED, "fit the BPF program to this kernel");
	return error_why(err, "this kernel's data structures differ from those that sooth knows");
}

#define READ_AT_ONCE   (32u << 10) /* what the kernel fills for one read(2), 8 pages */
#define VERIFIER_BYTES (64u << 10)
#define NAME_SIZE      64
#define CALL_OF_KERNEL 2 /* BPF_PSEUDO_KFUNC_CALL; linux/bpf.h has it since 5.13 */

/* The parts of the image that loading needs. */
struct walk_image {
	struct bpf_unfitted program; /* its instructions are a copy */
	struct kernel_name names[KERNEL_NAMES_MAX];
	size_t count;
	const struct kernel_name *entry, *cast; /* functions of the kernel, among the names */
	char section[NAME_SIZE], function[NAME_SIZE];
};

/* --- the image, made by sooth's own build --- */

static void take_section(struct walk_image *w, const char *name, struct span bytes)
{
	if (!strcmp(name, ".BTF"))
		w->program.types = bytes;
	else if (!strcmp(name, ".BTF.ext"))
		w->program.notes = bytes;
	else if (span_equal(w->program.section, name) && !w->program.instructions) {
		w->program.instructions = malloc(bytes.size);
		if (!w->program.instructions)
			return;
		memcpy(w->program.instructions, bytes.data, bytes.size);
		w->program.count = bytes.size / sizeof(struct bpf_insn);
	}
}

static void read_sections(struct walk_image *w, const struct bpf_image *image)
{
	Elf_Scn *section = NULL;
	size_t names;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)(uintptr_t)image->data, image->size);
	if (!elf || elf_getshdrstrndx(elf, &names)) {
		elf_end(elf);
		return;
	}
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name && header.sh_type != SHT_NOBITS && header.sh_offset <= image->size &&
			header.sh_size <= image->size - header.sh_offset)
			take_section(w, name,
				span_of((const char *)image->data + header.sh_offset,
					header.sh_size));
	}
	elf_end(elf);
}

static const struct kernel_name *add_function(struct walk_image *w, const char *name)
{
	struct kernel_name *n = &w->names[w->count++];

	*n = (struct kernel_name){ .name = span_of(name, strlen(name)), .is_function = true };
	return n;
}

static int read_image(struct walk_image *w, const struct bpf_image *image, const char *over,
	struct sooth_error *err)
{
	int status;

	snprintf(w->section, sizeof(w->section), "iter/%s", over);
	snprintf(w->function, sizeof(w->function), "bpf_iter_%s", over);
	w->program.section = span_of(w->section, strlen(w->section));
	read_sections(w, image);
	status = w->program.instructions ? bpf_relocate_names(&w->program, w->names,
						   KERNEL_NAMES_MAX - 2, &w->count)
					 : -EINVAL;
	if (status)
		return error_set(err, status, SOOTH_FAULT_INTERNAL, "find %s in the BPF object %s",
			w->section, image->name);
	w->entry = add_function(w, w->function);
	w->cast = add_function(w, "bpf_rdonly_cast");
	return 0;
}

/* --- making it fit --- */

static void put_cast(const struct walk_image *w, struct bpf_insn *at)
{
	bool has_cast = w->cast->found == 1;

	if (at->imm == WALK_CAN_CAST)
		*at = (struct bpf_insn){
			.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = has_cast
		};
	else if (has_cast)
		*at = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL,
			.src_reg = CALL_OF_KERNEL,
			.imm = (int32_t)w->cast->ids[0] };
	else
		*at = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
			.dst_reg = BPF_REG_0,
			.src_reg = BPF_REG_1 };
}

static void put_casts(struct walk_image *w)
{
	for (size_t i = 0; i < w->program.count; i++) {
		struct bpf_insn *at = &w->program.instructions[i];

		if (at->code == (BPF_JMP | BPF_CALL) && !at->src_reg &&
			(at->imm == WALK_CAST || at->imm == WALK_CAN_CAST))
			put_cast(w, at);
	}
}

static int fit(struct walk_image *w, struct sooth_error *err)
{
	struct kernel_types kernel;
	int status = kernel_types_open(&kernel, w->names, w->count, err);

	if (status)
		return status;
	status = bpf_relocate(&w->program, &kernel, w->names, w->count, err);
	kernel_types_close(&kernel);
	if (status)
		return status;
	put_casts(w);
	if (w->entry->found == 1)
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "iterate in the kernel");
	return error_why(err, "this kernel has no iterator %s", w->function);
}

/* --- loading --- */

static int load(const struct walk_image *w, const char *name, char *messages)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_ITER,
		.attach_btf_id = w->entry->ids[0], .log_buf = messages,
		.log_size = messages ? VERIFIER_BYTES : 0, .log_level = messages ? 1 : 0);
	int program = bpf_prog_load(BPF_PROG_TYPE_TRACING, name, "Dual BSD/GPL",
		w->program.instructions, w->program.count, &options);

	return program < 0 ? -errno : program;
}

static void log_messages(const struct walk_image *w, const char *name, const struct log *log)
{
	_cleanup_free_ char *messages = NULL;
	char *line, *rest;
	int program;

	if (!log || log->level < LOG_WARNING || !(messages = calloc(1, VERIFIER_BYTES)))
		return;
	program = load(w, name, messages);
	if (program >= 0)
		close(program);
	messages[VERIFIER_BYTES - 1] = '\0';
	for (rest = messages; (line = strsep(&rest, "\n"));) {
		if (*line)
			log_line(log, LOG_WARNING, "%s", line);
	}
}

static int refuse(struct sooth_error *err, int status, const char *tried, const char *what)
{
	error_errno(err, status, "%s %s", tried, what);
	if (status == -EPERM) {
		error_missing(err, "permission to use BPF for tracing");
		error_remedy(err, "%s", needs_bpf_remedy);
	}
	return status;
}

int bpf_walk_open(struct bpf_walk *out, const struct bpf_image *image, const char *over,
	const struct log *log, struct sooth_error *err)
{
	_cleanup_free_ struct walk_image *w = calloc(1, sizeof(*w));
	struct bpf_walk made = { -1, -1 };
	int status = w ? read_image(w, image, over, err) : error_no_memory(err);

	if (!status)
		status = fit(w, err);
	if (!status) {
		made.program = load(w, image->name, NULL);
		if (made.program < 0) {
			status = refuse(err, made.program, "load the BPF program", image->name);
			log_messages(w, image->name, log);
		}
	}
	if (!status) {
		made.link = bpf_link_create(made.program, 0, BPF_TRACE_ITER, NULL);
		if (made.link < 0)
			status = refuse(err, -errno, "attach the BPF program", image->name);
	}
	if (w)
		free(w->program.instructions);
	if (status)
		bpf_walk_close(&made);
	else
		*out = made;
	return status;
}

int bpf_walk_run(const struct bpf_walk *w, struct buffer *scratch,
	void (*take)(void *user, const struct buffer *piece), void *user, struct sooth_error *err)
{
	_cleanup_close_ int fd = bpf_iter_create(w->link);
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0) {
		void *to;

		buffer_reset(scratch);
		to = buffer_reserve(scratch, READ_AT_ONCE);
		if (!to)
			return error_no_memory(err);
		do {
			got = read(fd, to, READ_AT_ONCE);
		} while (got < 0 && (errno == EINTR || errno == EAGAIN));
		if (got > 0) {
			buffer_commit(scratch, (size_t)got);
			take(user, scratch);
		}
	}
	return got < 0 ? refuse(err, -errno, "iterate with the BPF program", "in the kernel") : 0;
}

void bpf_walk_close(struct bpf_walk *w)
{
	cleanup_close(&w->link);
	cleanup_close(&w->program);
	*w = (struct bpf_walk){ -1, -1 };
}
