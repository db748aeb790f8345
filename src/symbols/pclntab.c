/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/pclntab.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/read_at.h"
#include "symbols/elf_sections.h"

#define MAGIC_1_16 0xfffffffau
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u
#define HEAD_BYTES (8 + 8 * sizeof(uint64_t))

#define FUNCTIONS_MAX (4u << 20)
#define VALUES_BYTES  (16u << 10) /* of the lines of a function: later ones are not found */
#define PATH_BYTES    1000
/* Members of a function behind its entry (struct _func in src/runtime/runtime2.go). */
#define FUNCTION_FILES 16
#define FUNCTION_LINES 20
#define FUNCTION_UNIT  28

struct table {
	int file;
	uint64_t at, size; /* of the section in the file */
	bool is_relative;  /* entries of 4 bytes from the begin of the code; else whole addresses */
	unsigned pointer;  /* bytes */
	uint64_t text;	   /* the code, as linked */
	uint64_t functions, names, entries; /* count of functions, and offsets in the section */
	uint64_t units, files, values;	    /* offsets, too */
	unsigned quantum;		    /* bytes that each instruction is a multiple of */
};

static bool read_number(const struct table *t, uint64_t at, unsigned size, uint64_t *out)
{
	*out = 0;
	return at <= t->size && size <= t->size - at && read_all_at(t->file, out, size, t->at + at);
}

/* Returns number `i` of the header's numbers, which follow its first eight bytes. */
static uint64_t head_number(const struct table *t, const unsigned char *head, unsigned i)
{
	uint64_t number = 0;

	memcpy(&number, head + 8 + (size_t)i * t->pointer, t->pointer);
	return number;
}

static bool read_head(struct table *t, uint64_t text)
{
	unsigned char head[HEAD_BYTES];
	uint32_t magic;

	if (t->size < sizeof(head) || !read_all_at(t->file, head, sizeof(head), t->at))
		return false;
	memcpy(&magic, head, sizeof(magic));
	t->pointer = head[7];
	if (head[4] || head[5] || (t->pointer != 4 && t->pointer != 8))
		return false;
	t->is_relative = magic == MAGIC_1_18 || magic == MAGIC_1_20;
	if (!t->is_relative && magic != MAGIC_1_16)
		return false;
	t->functions = head_number(t, head, 0);
	/* In a position-independent program, it is known only after loading. */
	t->text = t->is_relative ? head_number(t, head, 2) : 0;
	if (!t->text)
		t->text = text;
	t->names = head_number(t, head, t->is_relative ? 3 : 2);
	t->entries = head_number(t, head, t->is_relative ? 7 : 6);
	t->units = head_number(t, head, t->is_relative ? 4 : 3);
	t->files = head_number(t, head, t->is_relative ? 5 : 4);
	t->values = head_number(t, head, t->is_relative ? 6 : 5);
	t->quantum = head[6];
	return t->functions && t->functions <= FUNCTIONS_MAX && t->names < t->size &&
	       t->entries < t->size;
}

static bool open_table(struct table *t, int fd)
{
	static const char *const names[] = { ".gopclntab", ".data.rel.ro.gopclntab", ".text" };
	struct elf_section found[ARRAY_SIZE(names)];
	const struct elf_section *s = &found[0];

	if (elf_sections_find(fd, names, ARRAY_SIZE(names), found))
		return false;
	if (!s->size)
		s = &found[1];
	*t = (struct table){ .file = fd, .at = s->offset, .size = s->size };
	return s->size && !s->is_compressed && read_head(t, found[2].address);
}

static unsigned entry_bytes(const struct table *t)
{
	return t->is_relative ? sizeof(uint32_t) : t->pointer;
}

/* Reads the address of function `i`; after the last function, the end of the code. */
static bool begin_of(const struct table *t, uint64_t i, uint64_t *begin)
{
	unsigned bytes = entry_bytes(t);

	if (!read_number(t, t->entries + i * 2 * bytes, bytes, begin))
		return false;
	*begin += t->is_relative ? t->text : 0;
	return true;
}

/* Finds the last function that begins at or before an address. */
static bool find_function(const struct table *t, uint64_t address, uint64_t *i, uint64_t *begin)
{
	uint64_t low = 0, high = t->functions, at;

	if (!begin_of(t, 0, &at) || address < at || !begin_of(t, t->functions, &at) ||
		address >= at)
		return false;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (!begin_of(t, middle, &at))
			return false;
		if (at <= address)
			low = middle;
		else
			high = middle;
	}
	*i = low;
	return begin_of(t, low, begin);
}

static bool read_name(const struct table *t, uint64_t i, struct elf_address *a)
{
	unsigned bytes = entry_bytes(t);
	uint64_t function, name, left;
	size_t size;

	if (!read_number(t, t->entries + i * 2 * bytes + bytes, bytes, &function) ||
		!read_number(t, t->entries + function + bytes, sizeof(uint32_t), &name))
		return false;
	name += t->names;
	if (name >= t->size)
		return false;
	left = t->size - name;
	size = left < ELF_ADDRESS_NAME_MAX ? (size_t)left : ELF_ADDRESS_NAME_MAX;
	if (!read_all_at(t->file, a->name, size, t->at + name))
		return false;
	a->name[size] = '\0';
	a->is_cut = strlen(a->name) == ELF_ADDRESS_NAME_MAX;
	return a->name[0] != '\0';
}

void pclntab_find(int fd, struct elf_address *addresses, size_t count)
{
	struct table t;

	if (!open_table(&t, fd))
		return;
	for (size_t k = 0; k < count; k++) {
		struct elf_address *a = &addresses[k];
		uint64_t i, begin;

		if (!a->is_linked || a->is_found || !find_function(&t, a->linked, &i, &begin) ||
			begin > a->linked)
			continue;
		a->is_found = read_name(&t, i, a);
		a->inside = a->is_found ? a->linked - begin : 0;
	}
}

/* --- lines --- */

static bool read_varint(struct cursor *c, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; shift < 35 && !cursor_at_end(c); shift += 7) {
		unsigned char byte = cursor_u8(c);

		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* Finds the value of an instruction, `inside` bytes into its function: pairs of the difference of
 * the value, and of how far it reaches. */
static bool find_value(const struct table *t, uint64_t at, uint64_t inside, int64_t *value)
{
	unsigned char bytes[VALUES_BYTES];
	uint64_t left = t->values + at < t->size ? t->size - t->values - at : 0, difference, reach;
	uint64_t end = 0;
	struct cursor c;

	left = left < sizeof(bytes) ? left : sizeof(bytes);
	if (!left || !read_all_at(t->file, bytes, left, t->at + t->values + at))
		return false;
	c = cursor_over(bytes, left);
	*value = -1;
	while (read_varint(&c, &difference) && (difference || !end) && read_varint(&c, &reach)) {
		*value += difference & 1 ? -(int64_t)(difference >> 1) - 1
					 : (int64_t)(difference >> 1);
		end += reach * t->quantum;
		if (inside < end)
			return true;
	}
	return false;
}

/* Finds a value of a function: `member` leads to it. */
static bool find_value_of(
	const struct table *t, uint64_t function, unsigned member, uint64_t inside, int64_t *value)
{
	uint64_t at;

	return read_number(t, function + entry_bytes(t) + member, sizeof(uint32_t), &at) &&
	       find_value(t, at, inside, value) && *value >= 0 && *value <= INT32_MAX;
}

static bool read_path(const struct table *t, uint64_t function, int64_t file, char path[PATH_BYTES])
{
	uint64_t unit, at, left;

	if (!read_number(t, function + entry_bytes(t) + FUNCTION_UNIT, sizeof(uint32_t), &unit) ||
		!read_number(t, t->units + (unit + (uint64_t)file) * sizeof(uint32_t),
			sizeof(uint32_t), &at) ||
		t->files + at >= t->size)
		return false;
	left = t->size - t->files - at;
	left = left < PATH_BYTES ? left : PATH_BYTES;
	return read_all_at(t->file, path, left, t->at + t->files + at) && memchr(path, 0, left);
}

static void read_line(
	const struct table *t, const struct elf_address *address, struct elf_line *line)
{
	unsigned bytes = entry_bytes(t);
	int64_t number, file, own_file;
	uint64_t i, begin, function;
	char path[PATH_BYTES];
	struct span name;

	if (!find_function(t, address->linked, &i, &begin) || begin > address->linked ||
		!read_number(t, t->entries + i * 2 * bytes + bytes, bytes, &function))
		return;
	function += t->entries;
	if (!find_value_of(t, function, FUNCTION_LINES, address->linked - begin, &number) ||
		!find_value_of(t, function, FUNCTION_FILES, address->linked - begin, &file) ||
		!find_value_of(t, function, FUNCTION_FILES, 0, &own_file) || file != own_file ||
		!read_path(t, function, file, path))
		return;
	name = path_base(span_of_string(path));
	line->places_size = (uint16_t)(1 + (unsigned)snprintf(line->places, sizeof(line->places),
						   "%.*s:%d", SPAN_ARGS(name), (int)number));
	line->is_found = true;
}

void pclntab_lines(
	int fd, const struct elf_address *addresses, struct elf_line *lines, size_t count)
{
	struct table t;

	if (!open_table(&t, fd))
		return;
	for (size_t k = 0; k < count; k++) {
		if (addresses[k].is_linked && !lines[k].is_found)
			read_line(&t, &addresses[k], &lines[k]);
	}
}
