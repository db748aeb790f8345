/* SPDX-License-Identifier: BSD-2-Clause */
/* Types as BTF tells them, and fitting a program to others than it was compiled with. Both are
 * made here, member by member. */
#include "support.h"

#include <errno.h>
#include <linux/btf.h>

#include "os/linux/bpf/bpf_fit.h"
#include "os/linux/bpf/kernel_types.h"

/* --- making BTF --- */

struct made {
	struct buffer types, strings, all;
	uint32_t count;
};

static void put(struct buffer *b, uint32_t value)
{
	buffer_append(b, &value, sizeof(value));
}

static uint32_t name(struct made *m, const char *text)
{
	uint32_t at = (uint32_t)m->strings.size;

	if (!text)
		return 0;
	buffer_append(&m->strings, text, strlen(text) + 1);
	return at;
}

static struct made begin(void)
{
	struct made m = { 0 };

	buffer_char(&m.strings, '\0');
	return m;
}

static uint32_t add(
	struct made *m, const char *text, uint32_t kind, uint32_t members, bool flag, uint32_t size)
{
	put(&m->types, name(m, text));
	put(&m->types, kind << 24 | members | (uint32_t)flag << 31);
	put(&m->types, size);
	return ++m->count;
}

static uint32_t add_int(struct made *m, const char *text, uint32_t bytes, bool is_signed)
{
	uint32_t id = add(m, text, BTF_KIND_INT, 0, false, bytes);

	put(&m->types, (is_signed ? BTF_INT_SIGNED << 24 : 0) | bytes * 8);
	return id;
}

static uint32_t add_array(struct made *m, uint32_t of, uint32_t count)
{
	uint32_t id = add(m, NULL, BTF_KIND_ARRAY, 0, false, 0);

	put(&m->types, of);
	put(&m->types, of);
	put(&m->types, count);
	return id;
}

static void enumerator(struct made *m, const char *text, uint32_t value)
{
	uint32_t at = name(m, text);

	put(&m->types, at);
	put(&m->types, value);
}

static void member(struct made *m, const char *text, uint32_t type, uint32_t bit)
{
	uint32_t at = name(m, text);

	put(&m->types, at);
	put(&m->types, type);
	put(&m->types, bit);
}

static struct span finish(struct made *m)
{
	struct btf_header header = { .magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = (uint32_t)m->types.size,
		.str_off = (uint32_t)m->types.size,
		.str_len = (uint32_t)m->strings.size };

	buffer_append(&m->all, &header, sizeof(header));
	buffer_append(&m->all, m->types.data, m->types.size);
	buffer_append(&m->all, m->strings.data, m->strings.size);
	return span_of((const char *)m->all.data, m->all.size);
}

static void forget(struct made *m)
{
	buffer_fini(&m->types);
	buffer_fini(&m->strings);
	buffer_fini(&m->all);
}

/* struct thing { int a; union { long b; struct { int c; unsigned d:3, e:20; }; };
 *	struct item list[3]; struct item tail[]; } with a hundred integers before it. */
static struct made kernel(void)
{
	struct made m = begin();
	uint32_t number, wide, word, item, list, tail, alias, deep, choice;

	for (int i = 0; i < 100; i++)
		add_int(&m, "filler", 4, false);
	number = add_int(&m, "int", 4, true);
	wide = add_int(&m, "long", 8, true);
	word = add_int(&m, "unsigned", 4, false);
	item = add(&m, "item", BTF_KIND_STRUCT, 2, false, 16);
	member(&m, "x", wide, 0);
	member(&m, "y", number, 64);
	list = add_array(&m, item, 3);
	tail = add_array(&m, item, 0);
	deep = add(&m, NULL, BTF_KIND_STRUCT, 3, true, 12);
	member(&m, "c", number, 0);
	member(&m, "d", word, 3 << 24 | 32);
	member(&m, "e", word, 20 << 24 | 35);
	choice = add(&m, NULL, BTF_KIND_UNION, 2, false, 16);
	member(&m, "b", wide, 0);
	member(&m, NULL, deep, 0);
	alias = add(&m, "number_t", BTF_KIND_TYPEDEF, 0, false, number);
	add(&m, "thing", BTF_KIND_STRUCT, 4, false, 80);
	member(&m, "a", alias, 0);
	member(&m, NULL, choice, 64);
	member(&m, "list", list, 192);
	member(&m, "tail", tail, 576);
	add(&m, "thing", BTF_KIND_FUNC, 0, false, 0);
	add(&m, "twin", BTF_KIND_STRUCT, 1, false, 8);
	member(&m, "a", number, 0);
	add(&m, "twin", BTF_KIND_STRUCT, 1, false, 8);
	member(&m, "a", number, 32);
	add(&m, "choice", BTF_KIND_ENUM, 3, false, 4);
	enumerator(&m, "CHOICE_NONE", 0);
	enumerator(&m, "CHOICE_NEW", 1);
	enumerator(&m, "CHOICE_OLD", 2);
	return m;
}

/* --- finding --- */

static struct kernel_name wanted(const char *text, bool is_function)
{
	return (struct kernel_name){ .name = span_of(text, strlen(text)),
		.of = is_function ? KERNEL_FUNCTION : KERNEL_STRUCT };
}

static void assert_place(const struct kernel_types *t, uint32_t type, const char *way, uint32_t bit,
	uint32_t bits, uint32_t bytes)
{
	struct kernel_path path = { 0 };
	struct kernel_place place = { 0 };
	char words[64], *rest = words, *word;

	snprintf(words, sizeof(words), "%s", way);
	while ((word = strsep(&rest, "."))) {
		struct kernel_step step = { .name = span_of(word, strlen(word)) };

		if (*word >= '0' && *word <= '9')
			step = (struct kernel_step){ .element = (uint32_t)atoi(word) };
		path.steps[path.count++] = step;
	}
	if (kernel_types_find(t, type, &path, &place) != (bytes > 0))
		fail_msg("%s", way);
	if (bytes && (place.bit != bit || place.bits != bits || place.bytes != bytes))
		fail_msg("%s: bit %u, %u bits, %u bytes", way, place.bit, place.bits, place.bytes);
}

static void test_find(void **state)
{
	struct made m = kernel();
	struct span all = finish(&m);
	struct kernel_name names[] = { wanted("thing", false), wanted("thing", true),
		wanted("twin", false), wanted("item", false), wanted("thin", false),
		wanted("number_t", false) };
	struct kernel_types t;
	struct kernel_type type;
	uint32_t thing;

	(void)state;
	assert_int_equal(kernel_types_over(&t, all.data, all.size, names, ARRAY_SIZE(names)), 0);
	assert_int_equal(t.count, m.count + 1);
	assert_int_equal(names[0].found, 1);
	assert_int_equal(names[1].found, 1);
	assert_int_equal(names[1].ids[0], names[0].ids[0] + 1);
	assert_int_equal(names[2].found, 2);
	assert_int_equal(names[3].found, 1);
	assert_int_equal(names[4].found, 0);
	assert_int_equal(names[5].found, 0);
	thing = names[0].ids[0];
	assert_true(kernel_types_get(&t, thing, &type));
	assert_int_equal(type.members, 4);
	assert_false(kernel_types_get(&t, 0, &type));
	assert_false(kernel_types_get(&t, t.count, &type));
	assert_place(&t, thing, "a", 0, 0, 4);
	assert_place(&t, thing, "b", 64, 0, 8);
	assert_place(&t, thing, "c", 64, 0, 4);
	assert_place(&t, thing, "d", 96, 3, 4);
	assert_place(&t, thing, "e", 99, 20, 4);
	assert_place(&t, thing, "list", 192, 0, 48);
	assert_place(&t, thing, "list.2.y", 192 + 256 + 64, 0, 4);
	assert_place(&t, thing, "list.3.y", 0, 0, 0);
	assert_place(&t, thing, "tail.1.x", 576 + 128, 0, 8);
	assert_place(&t, thing, "nothing", 0, 0, 0);
	assert_place(&t, thing, "a.b", 0, 0, 0);
	assert_place(&t, thing, "0", 0, 0, 0);
	kernel_types_close(&t);
	forget(&m);
}

static void test_broken(void **state)
{
	struct made m = kernel();
	struct span all = finish(&m);
	struct kernel_types t;
	_cleanup_free_ char *copy = malloc(all.size);

	(void)state;
	for (size_t size = 0; size < all.size; size += 7) {
		memcpy(copy, all.data, size);
		assert_int_equal(kernel_types_over(&t, copy, size, NULL, 0), -EINVAL);
		kernel_types_close(&t);
	}
	memcpy(copy, all.data, all.size);
	copy[sizeof(struct btf_header) + 7] = 31; /* a kind that is not known */
	assert_int_equal(kernel_types_over(&t, copy, all.size, NULL, 0), -EINVAL);
	kernel_types_close(&t);
	forget(&m);
}

/* --- fitting --- */

#define LOAD(bytes_)                                                                               \
	{                                                                                          \
		.code = BPF_LDX | BPF_MEM | (bytes_), .dst_reg = 1, .src_reg = 2, .off = 99        \
	}
#define NUMBER                                                                                     \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 99                       \
	}
#define WIDE                                                                                       \
	{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .imm = 99 },                            \
	{                                                                                          \
		.imm = 0                                                                           \
	}
#define NEVER_RUN_CALL 0xbad2310

struct one_note {
	uint32_t at, type;
	const char *access;
	uint32_t kind;
};

/* The types that the program knows: two shapes of thing, and types that are not there. */
static struct made own(uint32_t ids[5])
{
	struct made m = begin();
	uint32_t number = add_int(&m, "int", 4, true), wide = add_int(&m, "long", 8, true);
	uint32_t word = add_int(&m, "unsigned", 4, false), item, list;

	item = add(&m, "item", BTF_KIND_STRUCT, 1, false, 4);
	member(&m, "y", number, 0);
	list = add_array(&m, item, 3);
	ids[0] = add(&m, "thing___a", BTF_KIND_STRUCT, 5, true, 40);
	member(&m, "e", word, 30 << 24);
	member(&m, "a", number, 32);
	member(&m, "b", wide, 64);
	member(&m, "list", list, 128);
	member(&m, "missing", number, 256);
	ids[1] = add(&m, "thing___b", BTF_KIND_STRUCT, 1, false, 8);
	member(&m, "a", wide, 0); /* longer than it is */
	ids[2] = add(&m, "twin", BTF_KIND_STRUCT, 1, false, 4);
	member(&m, "a", number, 0);
	ids[3] = add(&m, "absent", BTF_KIND_STRUCT, 1, false, 4);
	member(&m, "a", number, 0);
	ids[4] = add(&m, "choice", BTF_KIND_ENUM, 2, false, 4);
	enumerator(&m, "CHOICE_OLD", 1);
	enumerator(&m, "CHOICE_LATER", 3);
	return m;
}

static struct buffer notes_of(struct made *m, const struct one_note *notes, size_t count)
{
	uint32_t header = 32, section = name(m, "iter/test");
	struct buffer b = { 0 };

	put(&b, 0xeb9f | 1 << 16);
	put(&b, header);
	for (int i = 0; i < 4; i++)
		put(&b, 0);
	put(&b, 0);
	put(&b, (uint32_t)(4 + 8 + count * 16));
	put(&b, 16);
	put(&b, section);
	put(&b, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		put(&b, notes[i].at * 8);
		put(&b, notes[i].type);
		put(&b, name(m, notes[i].access));
		put(&b, notes[i].kind);
	}
	return b;
}

static int fit(struct bpf_insn *code, size_t count, const uint32_t ids[5], struct made *m,
	const struct one_note *notes, size_t note_count)
{
	struct buffer told = notes_of(m, notes, note_count);
	struct made there = kernel();
	struct span kernel_bytes = finish(&there);
	struct bpf_unfitted program = { .instructions = code,
		.count = count,
		.section = span_of("iter/test", 9),
		.types = finish(m),
		.notes = span_of((const char *)told.data, told.size) };
	struct kernel_name names[8];
	struct kernel_types t;
	struct sooth_error err;
	size_t found;
	int status;

	(void)ids;
	assert_int_equal(bpf_list_relocated_types(&program, names, ARRAY_SIZE(names), &found), 0);
	assert_int_equal(
		kernel_types_over(&t, kernel_bytes.data, kernel_bytes.size, names, found), 0);
	status = bpf_relocate(&program, &t, names, found, &err);
	kernel_types_close(&t);
	buffer_fini(&told);
	forget(&there);
	forget(m);
	return status;
}

static void test_fit(void **state)
{
	uint32_t ids[5];
	struct made m = own(ids);
	struct bpf_insn code[] = { LOAD(BPF_W), LOAD(BPF_DW), LOAD(BPF_W), NUMBER, NUMBER, NUMBER,
		NUMBER, NUMBER, NUMBER, NUMBER, LOAD(BPF_W), WIDE, NUMBER, NUMBER, NUMBER, NUMBER,
		NUMBER, NUMBER };
	const struct one_note notes[] = {
		{ 0, ids[0], "0:1", 0 },     /* a */
		{ 1, ids[0], "0:2", 0 },     /* b */
		{ 2, ids[0], "0:3:2:0", 0 }, /* list[2].y */
		{ 3, ids[0], "0:2", 2 },     /* b exists */
		{ 4, ids[0], "0:4", 2 },     /* missing does not */
		{ 5, ids[0], "0:0", 0 },     /* e: which bytes, */
		{ 6, ids[0], "0:0", 1 },     /* how many, */
		{ 7, ids[0], "0:0", 4 },     /* shifted left, */
		{ 8, ids[0], "0:0", 5 },     /* and right */
		{ 9, ids[0], "0:1", 3 },     /* a is signed */
		{ 10, ids[0], "0:4", 0 },    /* missing */
		{ 11, ids[0], "0", 7 },	     /* the number of the type */
		{ 13, ids[3], "0:0", 2 },    /* a struct that is not there */
		{ 14, ids[3], "0", 8 },	     /* nor does it exist, */
		{ 15, ids[0], "0", 8 },	     /* but this one does, */
		{ 16, ids[0], "0", 9 },	     /* of 80 bytes */
		{ 17, ids[4], "0", 10 },     /* CHOICE_OLD, whatever its value */
		{ 18, ids[4], "1", 10 },     /* CHOICE_LATER */
	};

	(void)state;
	assert_int_equal(fit(code, ARRAY_SIZE(code), ids, &m, notes, ARRAY_SIZE(notes)), 0);
	assert_int_equal(code[0].off, 0);
	assert_int_equal(code[1].off, 8);
	assert_int_equal(code[2].off, 24 + 32 + 8);
	assert_int_equal(code[3].imm, 1);
	assert_int_equal(code[4].imm, 0);
	assert_int_equal(code[5].imm, 12);
	assert_int_equal(code[6].imm, 4);
	assert_int_equal(code[7].imm, 64 - (99 + 20 - 96));
	assert_int_equal(code[8].imm, 64 - 20);
	assert_int_equal(code[9].imm, 1);
	assert_int_equal(code[10].code, BPF_JMP | BPF_CALL);
	assert_int_equal(code[10].imm, NEVER_RUN_CALL);
	assert_int_equal(code[11].imm, 110);
	assert_int_equal(code[13].imm, 0);
	assert_int_equal(code[14].imm, 0);
	assert_int_equal(code[15].imm, 1);
	assert_int_equal(code[16].imm, 80);
	assert_int_equal(code[17].imm, 1);
	assert_int_equal(code[18].imm, 0);
}

static void assert_refused(const struct one_note *note, struct bpf_insn code)
{
	uint32_t ids[5];
	struct made m = own(ids);

	assert_true(fit(&code, 1, ids, &m, note, 1) < 0);
}

static void test_refused(void **state)
{
	uint32_t ids[5];
	struct made m = own(ids);

	(void)state;
	forget(&m);
	/* Another length than the program reads; two structs of that name; none that it could be;
	 * an instruction that has no place for it, and one beyond the end. */
	assert_refused(&(struct one_note){ 0, ids[1], "0:0", 0 }, (struct bpf_insn)LOAD(BPF_DW));
	assert_refused(&(struct one_note){ 0, ids[2], "0:0", 0 }, (struct bpf_insn)LOAD(BPF_W));
	assert_refused(&(struct one_note){ 0, ids[0], "0:9", 0 }, (struct bpf_insn)LOAD(BPF_W));
	assert_refused(&(struct one_note){ 0, ids[0], "0:1", 11 }, (struct bpf_insn)LOAD(BPF_W));
	assert_refused(&(struct one_note){ 0, ids[0], "0:1", 0 },
		(struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
	assert_refused(&(struct one_note){ 1, ids[0], "0:1", 0 }, (struct bpf_insn)LOAD(BPF_W));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
