/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF. */
#include "os/linux/bpf/kernel_types.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define VMLINUX	     "/sys/kernel/btf/vmlinux"
#define BYTES_MAX    (256u << 20)
#define EVERY	     64 /* types: the offset of one in this many is kept */
#define DEPTH_MAX    16 /* depth of nested unnamed structs, and of type aliases */
#define BITS_MAX     (1u << 24)
#define MEMBERS_MAX  65536 /* compared for one name */
#define ENUM64_BYTES 12	   /* struct btf_enum64, of Linux 6.0 */
#define NAME_SLOTS   (2 * KERNEL_NAMES_MAX)

/* Copies a number out of BTF data, which is packed: values may be unaligned. */
static uint32_t u32_at(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static size_t more_bytes(uint32_t kind, uint32_t members)
{
	switch (kind) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return members * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return members * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return members * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return members * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64:
		return members * ENUM64_BYTES;
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return SIZE_MAX;
	}
}

/* Reads the type at an offset. Returns its length; 0: the type goes beyond the bytes, or its length
 * is unknown. */
static size_t type_at(const struct kernel_types *t, size_t at, struct kernel_type *out)
{
	size_t left = t->types_size - at, more;
	uint32_t info;

	if (left < sizeof(struct btf_type))
		return 0;
	info = u32_at(t->types + at + 4);
	*out = (struct kernel_type){ .name = u32_at(t->types + at),
		.kind = BTF_INFO_KIND(info),
		.members = BTF_INFO_VLEN(info),
		.size = u32_at(t->types + at + 8),
		.has_bitfields = BTF_INFO_KFLAG(info),
		.more = t->types + at + sizeof(struct btf_type) };
	more = more_bytes(out->kind, out->members);
	return more > left - sizeof(struct btf_type) ? 0 : sizeof(struct btf_type) + more;
}

struct span kernel_types_name(const struct kernel_types *t, uint32_t name)
{
	const char *from = (const char *)t->strings + name;
	size_t left = name < t->strings_size ? t->strings_size - name : 0;

	return span_of(from, left ? strnlen(from, left) : 0);
}

/* --- in one pass --- */

/* Names by their first bytes: these exclude most of a kernel's names. */
struct name_table {
	struct kernel_name *names;
	uint8_t slots[NAME_SLOTS]; /* 1 + index of a name; 0: free */
	uint32_t heads[NAME_SLOTS];
};

static uint32_t head_of(const char *text, size_t size)
{
	uint32_t head = 0;

	memcpy(&head, text, size < sizeof(head) ? size : sizeof(head));
	return head;
}

static size_t slot_of(uint32_t head)
{
	return (head * 0x9e3779b1u >> 16) % NAME_SLOTS;
}

static void table_fill(struct name_table *table, struct kernel_name *names, size_t count)
{
	memset(table, 0, sizeof(*table));
	table->names = names;
	for (size_t i = 0; i < count; i++) {
		uint32_t head = head_of(names[i].name.data, names[i].name.size);
		size_t slot = slot_of(head);

		while (table->slots[slot])
			slot = (slot + 1) % NAME_SLOTS;
		table->slots[slot] = (uint8_t)(i + 1);
		table->heads[slot] = head;
	}
}

enum kernel_named kernel_type_names(const struct kernel_type *type)
{
	switch (type->kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return KERNEL_STRUCT;
	case BTF_KIND_FUNC:
		return KERNEL_FUNCTION;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return KERNEL_ENUM;
	case BTF_KIND_TYPEDEF:
		return KERNEL_ALIAS;
	default:
		return KERNEL_UNNAMED;
	}
}

static void table_add_type(const struct kernel_types *t, struct name_table *table, uint32_t id,
	const struct kernel_type *type)
{
	const char *text = (const char *)t->strings + type->name;
	uint32_t head;
	size_t left;

	if (kernel_type_names(type) == KERNEL_UNNAMED)
		return;
	if (!type->name || type->name >= t->strings_size)
		return;
	left = t->strings_size - type->name;
	head = head_of(text, strnlen(text, left < sizeof(head) ? left : sizeof(head)));
	for (size_t slot = slot_of(head); table->slots[slot]; slot = (slot + 1) % NAME_SLOTS) {
		struct kernel_name *name = &table->names[table->slots[slot] - 1];

		if (table->heads[slot] != head || name->of != kernel_type_names(type) ||
			span_compare(kernel_types_name(t, type->name), name->name))
			continue;
		if (name->found < KERNEL_SAME_MAX)
			name->ids[name->found] = id;
		name->found++;
	}
}

static int index_types(struct kernel_types *t, struct kernel_name *names, size_t count)
{
	struct name_table table;
	struct kernel_type type;

	table_fill(&table, names, count);
	t->count = 1;
	for (size_t at = 0, size; at < t->types_size; at += size, t->count++) {
		uint32_t start = (uint32_t)at;

		size = type_at(t, at, &type);
		if (!size)
			return -EINVAL;
		if (t->count % EVERY == 1)
			buffer_append(&t->starts, &start, sizeof(start));
		table_add_type(t, &table, t->count, &type);
	}
	return buffer_failed(&t->starts) ? -ENOMEM : 0;
}

int kernel_types_over(struct kernel_types *t, const void *data, size_t size,
	struct kernel_name *names, size_t count)
{
	struct btf_header header;
	size_t left;

	*t = (struct kernel_types){ 0 };
	if (count > KERNEL_NAMES_MAX || size < sizeof(header) || size > BYTES_MAX)
		return -EINVAL;
	memcpy(&header, data, sizeof(header));
	if (header.magic != BTF_MAGIC || header.version != BTF_VERSION || header.hdr_len > size)
		return -EINVAL;
	left = size - header.hdr_len;
	if (header.type_off > left || header.type_len > left - header.type_off ||
		header.str_off > left || header.str_len > left - header.str_off)
		return -EINVAL;
	t->types = (const unsigned char *)data + header.hdr_len + header.type_off;
	t->types_size = header.type_len;
	t->strings = (const unsigned char *)data + header.hdr_len + header.str_off;
	t->strings_size = header.str_len;
	return index_types(t, names, count);
}

/* --- the running kernel's types --- */

static int read_bytes(int fd, unsigned char *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(fd, to + done, size - done);

		if (got <= 0)
			return got ? -errno : -EIO;
		done += (size_t)got;
	}
	return 0;
}

/* Maps the kernel's BTF file, which is possible without a copy since Linux 6.16. */
static int map_file(int fd, size_t size, void **out)
{
	void *to = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	int status = 0;

	if (to == MAP_FAILED) {
		to = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (to == MAP_FAILED)
			return -errno;
		status = read_bytes(fd, to, size);
	}
	if (status)
		munmap(to, size);
	else
		*out = to;
	return status;
}

int kernel_types_open(
	struct kernel_types *t, struct kernel_name *names, size_t count, struct sooth_error *err)
{
	_cleanup_close_ int fd = open(VMLINUX, O_RDONLY | O_CLOEXEC);
	void *bytes = NULL;
	struct stat st;
	int status = fd < 0 || fstat(fd, &st) ? -errno : 0;

	*t = (struct kernel_types){ 0 };
	if (!status)
		status = map_file(fd, (size_t)st.st_size, &bytes);
	if (status)
		return error_errno(err, status, "read %s", VMLINUX);
	status = kernel_types_over(t, bytes, (size_t)st.st_size, names, count);
	t->mapped = bytes;
	t->mapped_size = (size_t)st.st_size;
	if (!status)
		return 0;
	kernel_types_close(t);
	error_set(err, status, SOOTH_FAULT_UNSUPPORTED, "understand %s", VMLINUX);
	error_why(err,
		"the kernel's type information has kinds that this version of sooth does not know");
	return error_remedy(err, "if sooth doctor shows that another method works, do nothing; "
				 "else report the kernel version to the authors of sooth");
}

void kernel_types_close(struct kernel_types *t)
{
	buffer_fini(&t->starts);
	if (t->mapped)
		munmap(t->mapped, t->mapped_size);
	*t = (struct kernel_types){ 0 };
}

/* --- types --- */

bool kernel_types_get(const struct kernel_types *t, uint32_t id, struct kernel_type *out)
{
	const uint32_t *starts = (const void *)t->starts.data;
	size_t at;

	if (!id || id >= t->count)
		return false;
	at = starts[(id - 1) / EVERY];
	for (uint32_t i = (id - 1) / EVERY * EVERY + 1; i < id; i++)
		at += type_at(t, at, out);
	return type_at(t, at, out) > 0;
}

/* Returns a type without type aliases, const and the like. */
static bool bare_type(const struct kernel_types *t, uint32_t id, struct kernel_type *out)
{
	for (unsigned i = 0; i < DEPTH_MAX && kernel_types_get(t, id, out); i++) {
		switch (out->kind) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = out->size;
			break;
		default:
			return true;
		}
	}
	return false;
}

static bool has_members(const struct kernel_type *type)
{
	return type->kind == BTF_KIND_STRUCT || type->kind == BTF_KIND_UNION;
}

struct member {
	uint32_t name, type, bit, bits;
};

static struct member member_of(const struct kernel_type *type, uint32_t i)
{
	const unsigned char *at = type->more + i * sizeof(struct btf_member);
	uint32_t offset = u32_at(at + 8);
	struct member m = { .name = u32_at(at), .type = u32_at(at + 4), .bit = offset };

	if (type->has_bitfields) {
		m.bit = BTF_MEMBER_BIT_OFFSET(offset);
		m.bits = BTF_MEMBER_BITFIELD_SIZE(offset);
	}
	return m;
}

static struct btf_array array_of(const struct kernel_type *type)
{
	return (struct btf_array){ .type = u32_at(type->more), .nelems = u32_at(type->more + 8) };
}

bool kernel_types_size(const struct kernel_types *t, uint32_t id, uint32_t *bytes)
{
	uint64_t elements = 1;
	struct kernel_type type;

	for (unsigned i = 0; i < DEPTH_MAX && bare_type(t, id, &type); i++) {
		if (type.kind == BTF_KIND_ARRAY) {
			elements *= array_of(&type).nelems;
			id = array_of(&type).type;
			if (elements > BITS_MAX)
				return false;
			continue;
		}
		if (type.kind == BTF_KIND_PTR)
			type.size = sizeof(void *);
		else if (type.kind != BTF_KIND_INT && type.kind != BTF_KIND_ENUM &&
			 type.kind != BTF_KIND_ENUM64 && !has_members(&type))
			return false;
		elements *= type.size;
		*bytes = (uint32_t)elements;
		return elements <= BITS_MAX;
	}
	return false;
}

struct span kernel_enumerator(
	const struct kernel_types *t, const struct kernel_type *type, uint32_t index)
{
	/* Each begins with its name, whatever the size of its value is. */
	size_t size = type->kind == BTF_KIND_ENUM ? sizeof(struct btf_enum) : ENUM64_BYTES;

	if (kernel_type_names(type) != KERNEL_ENUM || index >= type->members)
		return span_of("", 0);
	return kernel_types_name(t, u32_at(type->more + index * size));
}

bool kernel_has_enumerator(
	const struct kernel_types *t, const struct kernel_type *type, struct span name)
{
	for (uint32_t i = 0; i < type->members; i++) {
		if (!span_compare(kernel_enumerator(t, type, i), name))
			return true;
	}
	return false;
}

/* --- the path to a member --- */

bool kernel_path_from(
	struct kernel_path *path, const struct kernel_types *t, uint32_t type, struct span numbers)
{
	struct cursor c = cursor_over(numbers.data, numbers.size);
	struct kernel_type at;

	path->count = 0;
	/* The first number indexes an array of the struct itself. */
	if (cursor_decimal(&c) || c.failed)
		return false;
	while (!cursor_at_end(&c)) {
		struct kernel_step step = { 0 };
		uint64_t number;

		if (!cursor_skip(&c, ":") || !bare_type(t, type, &at))
			return false;
		number = cursor_decimal(&c);
		if (c.failed || path->count == KERNEL_STEPS_MAX)
			return false;
		if (at.kind == BTF_KIND_ARRAY) {
			step.element = (uint32_t)number;
			type = array_of(&at).type;
		} else if (has_members(&at) && number < at.members) {
			struct member m = member_of(&at, (uint32_t)number);

			type = m.type;
			step.name = kernel_types_name(t, m.name);
			if (!step.name.size)
				continue; /* unnamed: the search for the next name passes through it
					   */
		} else {
			return false;
		}
		path->steps[path->count++] = step;
	}
	return true;
}

struct search {
	const struct kernel_types *types;
	struct span name;
	unsigned depth;
	unsigned left; /* members that may still be compared */
};

/* Finds a member, also in unnamed structs, whose members belong to the struct around them. */
static bool find_member(struct search *s, const struct kernel_type *type, struct member *out)
{
	for (uint32_t i = 0; i < type->members && s->left; i++) {
		struct member m = member_of(type, i);
		struct kernel_type of;
		bool is_found;

		s->left--;
		*out = m;
		if (m.name && !span_compare(kernel_types_name(s->types, m.name), s->name))
			return true;
		if (m.name || s->depth == DEPTH_MAX || !bare_type(s->types, m.type, &of) ||
			!has_members(&of))
			continue;
		s->depth++;
		is_found = find_member(s, &of, out);
		s->depth--;
		out->bit += m.bit;
		if (is_found)
			return true;
	}
	return false;
}

static bool find_element(const struct kernel_types *t, const struct kernel_type *type,
	uint32_t element, struct member *out)
{
	struct btf_array array = array_of(type);
	uint32_t bytes;

	/* An array of no element, or one, at the end of a struct has as many as there is memory
	 * for. */
	if (type->kind != BTF_KIND_ARRAY || (element >= array.nelems && array.nelems > 1) ||
		!kernel_types_size(t, array.type, &bytes) ||
		(uint64_t)element * bytes > BITS_MAX / 8)
		return false;
	*out = (struct member){ .type = array.type, .bit = element * bytes * 8 };
	return true;
}

bool kernel_types_find(const struct kernel_types *t, uint32_t type, const struct kernel_path *path,
	struct kernel_place *place)
{
	struct member m = { .type = type };
	struct kernel_type at;
	uint64_t bit = 0;

	for (size_t i = 0; i < path->count; i++) {
		const struct kernel_step *step = &path->steps[i];
		struct search search = { t, step->name, 0, MEMBERS_MAX };

		if (!bare_type(t, m.type, &at))
			return false;
		if (step->name.size ? !has_members(&at) || !find_member(&search, &at, &m)
				    : !find_element(t, &at, step->element, &m))
			return false;
		bit += m.bit;
		if (bit > BITS_MAX)
			return false;
	}
	*place = (struct kernel_place){ .bit = (uint32_t)bit, .bits = m.bits };
	if (bare_type(t, m.type, &at) && at.kind == BTF_KIND_INT)
		place->is_signed = BTF_INT_ENCODING(u32_at(at.more)) & BTF_INT_SIGNED;
	return kernel_types_size(t, m.type, &place->bytes);
}
