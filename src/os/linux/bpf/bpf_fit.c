/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/bpf/bpf_fit.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <string.h>

/* --- sections --- */

void bpf_sections_visit(
	const unsigned char *image, size_t size, bpf_section_visitor visitor, void *user)
{
	Elf_Scn *section = NULL;
	size_t names;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)(uintptr_t)image, size);
	if (!elf || elf_getshdrstrndx(elf, &names)) {
		elf_end(elf);
		return;
	}
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name && header.sh_type != SHT_NOBITS && header.sh_offset <= size &&
			header.sh_size <= size - header.sh_offset)
			visitor(user, name, image + header.sh_offset, header.sh_size,
				header.sh_flags & SHF_EXECINSTR);
	}
	elf_end(elf);
}

/* --- notes --- */

/* .BTF.ext, which no user-space header describes: Documentation/bpf/btf.rst */
#define NOTES_MAGIC	   0xeb9f
#define NOTES_HEADER_LEAST 32 /* least size of a header that has the part about relocations */
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
	NOTE_TYPE_EXISTS,
	NOTE_TYPE_SIZE,
	NOTE_ENUMERATOR_EXISTS,
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
	const struct kernel_types *types; /* types of the program */
	struct cursor cursor;
	uint32_t note_bytes;
	uint32_t left; /* notes left in the current section */
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

/* Goes to the next note. Returns 1: a note; 0: no more; or a negative errno. */
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

static enum kernel_named named_by(const struct kernel_types *types, uint32_t id)
{
	struct kernel_type type;

	return kernel_types_get(types, id, &type) ? kernel_type_names(&type) : KERNEL_UNNAMED;
}

static const struct kernel_name *find_name(
	const struct kernel_name *names, size_t count, enum kernel_named of, struct span name)
{
	for (size_t i = 0; i < count; i++) {
		if (names[i].of == of && !span_compare(names[i].name, name))
			return &names[i];
	}
	return NULL;
}

int bpf_list_relocated_types(
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
		enum kernel_named of = named_by(&types, note.type);

		status = 0;
		if (!name.size || of == KERNEL_UNNAMED || of == KERNEL_FUNCTION)
			status = -EINVAL;
		else if (find_name(names, *count, of, name))
			continue;
		else if (*count == room)
			status = -ENOSPC;
		else
			names[(*count)++] = (struct kernel_name){ .name = name, .of = of };
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
	bool is_alike; /* the field is as long as the program expects */
	uint32_t is;
};

/* Returns a value as the macros for bit fields in bpf_core_read.h expect it: a piece of memory that
 * contains the whole field, shifted left, then right. Bits are numbered from the lowest, as on all
 * supported machines. */
static uint32_t value_of_bits(const struct kernel_place *p, enum note_kind kind)
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

static uint32_t place_value(const struct kernel_place *p, enum note_kind kind)
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
	return value_of_bits(&whole, kind);
}

static bool is_place_valid(const struct kernel_place *p)
{
	return p->bytes && (!p->bits || (p->bytes <= 8 && p->bits <= 64));
}

static bool is_same_value(const struct value *a, const struct value *b)
{
	return a->is == b->is && a->is_alike == b->is_alike;
}

/* Returns whether the enumerator exists. The note names it by its index in the program's own
 * enumeration. */
static bool has_enumerator(const struct fitting *f, const struct note *note, uint32_t type)
{
	struct span access = kernel_types_name(f->own, note->access);
	struct kernel_type own, there;
	uint64_t index;

	return span_decimal(access, &index) && index <= UINT32_MAX &&
	       kernel_types_get(f->own, note->type, &own) &&
	       kernel_types_get(f->kernel, type, &there) &&
	       kernel_has_enumerator(
		       f->kernel, &there, kernel_enumerator(f->own, &own, (uint32_t)index));
}

static struct value type_value(const struct fitting *f, const struct note *note, uint32_t type)
{
	struct value v = { .exists = true, .is_alike = true, .is = 1 };

	if (note->kind == NOTE_TYPE_THERE)
		v.is = type;
	else if (note->kind == NOTE_TYPE_SIZE)
		v.exists = kernel_types_size(f->kernel, type, &v.is);
	else if (note->kind == NOTE_ENUMERATOR_EXISTS)
		v.exists = has_enumerator(f, note, type);
	return v;
}

static struct value member_value(const struct fitting *f, const struct note *note,
	const struct kernel_path *path, uint32_t type)
{
	struct kernel_place there, here;
	struct value v = { 0 };

	if (note->kind >= NOTE_TYPE_THERE)
		return type_value(f, note, type);
	v.exists = kernel_types_find(f->kernel, type, path, &there) && is_place_valid(&there);
	if (!v.exists)
		return v;
	v.is = place_value(&there, note->kind);
	v.is_alike = kernel_types_find(f->own, note->type, path, &here) &&
		     here.bytes == there.bytes && !there.bits;
	return v;
}

/* Finds a value. Types of the same name must agree, otherwise the right one is unknown. */
static int find_value(const struct fitting *f, const struct note *note, struct value *v)
{
	const struct kernel_name *name = find_name(
		f->names, f->count, named_by(f->own, note->type), name_of(f->own, note->type));
	struct kernel_path path = { 0 };
	size_t found = 0;

	*v = (struct value){ 0 };
	if (!name || note->kind == NOTE_TYPE_HERE || note->kind > NOTE_ENUMERATOR_EXISTS)
		return -EOPNOTSUPP;
	if (name->found > KERNEL_SAME_MAX)
		return -EOPNOTSUPP;
	if (note->kind < NOTE_TYPE_HERE && !kernel_path_from(&path, f->own, note->type,
						   kernel_types_name(f->own, note->access)))
		return -EINVAL;
	for (uint32_t i = 0; i < name->found; i++) {
		struct value one = member_value(f, note, &path, name->ids[i]);

		if (!one.exists)
			continue;
		if (found++ && !is_same_value(v, &one))
			return -EOPNOTSUPP;
		*v = one;
	}
	return 0;
}

/* --- places --- */

static void replace_by_invalid_call(struct bpf_insn *at)
{
	*at = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = NEVER_RUN };
}

/* Returns whether a note asks for existence: absence is an answer to it. */
static bool is_about_existence(enum note_kind kind)
{
	return kind == NOTE_EXISTS || kind == NOTE_TYPE_EXISTS || kind == NOTE_ENUMERATOR_EXISTS;
}

static int put_value(
	const struct bpf_unfitted *program, const struct note *note, const struct value *v)
{
	size_t i = note->at / sizeof(struct bpf_insn);
	struct bpf_insn *at = program->instructions + i;
	bool is_wide;

	if (note->at % sizeof(*at) || i >= program->count)
		return -EINVAL;
	is_wide = at->code == (BPF_LD | BPF_DW | BPF_IMM);
	if (is_wide && i + 1 >= program->count)
		return -EINVAL;
	/* The code was compiled for a different kernel. It is not reached; if it were, the verifier
	 * would reject it. */
	if (!is_about_existence(note->kind) && !v->exists) {
		replace_by_invalid_call(at);
		if (is_wide)
			replace_by_invalid_call(at + 1);
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
			status = put_value(program, &note, &v);
	}
	kernel_types_close(&own);
	if (!status)
		return 0;
	error_set(err, status, SOOTH_FAULT_UNSUPPORTED, "fit the BPF program to this kernel");
	return error_why(err, "this kernel's data structures differ from those that sooth knows");
}
