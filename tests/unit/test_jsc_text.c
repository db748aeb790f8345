/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names from the text of modules in an executable made by Bun: found by the module's path and the
 * place in it, in tables of rows of either size; nothing where a place lies outside.
 */
#include "support.h"

#include <fcntl.h>
#include <unistd.h>

#include "os/linux/runtimes/jsc/jsc_text.h"

#define PREFIX 64 /* bytes before the section */

static const struct {
	const char *path, *text;
	unsigned char encoding;
} modules[] = {
	{ "/$bunfs/root/aaaa.js", ";let first=(a)=>1;function second(a){return 2}", 1 },
	{ "/$bunfs/root/bbbb.js", ";let other=(a)=>1;", 1 },
	{ "/$bunfs/root/wide.js", ";let w=(a)=>1;", 2 },
};

static void put_u32(struct buffer *b, size_t value)
{
	uint32_t word = (uint32_t)value;

	buffer_append(b, &word, sizeof(word));
}

/* A section of modules whose rows have that size. */
static void put_section(struct buffer *b, size_t row)
{
	struct buffer table = { 0 };
	size_t begin, at;
	uint64_t size;

	buffer_zeros(b, PREFIX + 8);
	begin = b->size;
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		put_u32(&table, b->size - begin);
		put_u32(&table, strlen(modules[i].path));
		buffer_append(b, modules[i].path, strlen(modules[i].path) + 1);
		put_u32(&table, b->size - begin);
		put_u32(&table, strlen(modules[i].text));
		buffer_append(b, modules[i].text, strlen(modules[i].text) + 1);
		buffer_zeros(&table, row - 20);
		buffer_char(&table, (char)modules[i].encoding);
		buffer_zeros(&table, 3);
	}
	at = b->size - begin;
	buffer_append(b, table.data, table.size);
	size = b->size - begin;
	buffer_append(b, &size, sizeof(size));
	put_u32(b, at);
	put_u32(b, table.size);
	put_u32(b, 0); /* the module that starts the program */
	put_u32(b, 0);
	put_u32(b, 0);
	put_u32(b, 0);
	buffer_string(b, "\n---- Bun! ----\n");
	size = b->size - begin;
	memcpy(b->data + PREFIX, &size, sizeof(size));
	buffer_fini(&table);
}

struct fixture {
	struct jsc_text text;
	struct timeout timeout;
	struct buffer found;
};

static void begin(struct fixture *f, const struct buffer *bytes)
{
	struct elf_section section = { .offset = PREFIX, .size = bytes->size - PREFIX };
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(bytes->data, 1, bytes->size, file), bytes->size);
	fflush(file);
	*f = (struct fixture){ 0 };
	jsc_text_init(&f->text, fileno(file), &section);
	fclose(file);
}

static void end(struct fixture *f)
{
	jsc_text_fini(&f->text);
	timeout_fini(&f->timeout);
	buffer_fini(&f->found);
}

static void assert_found(struct fixture *f, const char *path, const char *before, const char *name)
{
	uint32_t start = UINT32_MAX;
	bool is_found;

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		const char *at = strstr(modules[i].text, before);

		if (!strcmp(modules[i].path, path) && at)
			start = (uint32_t)(at - modules[i].text);
	}
	buffer_reset(&f->found);
	is_found = jsc_text_name(&f->text, &f->timeout, path, start, &f->found);
	assert_int_equal(is_found, name != NULL);
	assert_string_equal(buffer_cstr(&f->found), name ? name : "");
}

static void test_found(void **state)
{
	static const size_t rows[] = { 36, 52 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buffer bytes = { 0 };
		struct fixture f;

		put_section(&bytes, rows[i]);
		begin(&f, &bytes);
		assert_found(&f, "/$bunfs/root/aaaa.js", "(a)=>", "first");
		assert_found(&f, "/$bunfs/root/aaaa.js", "function", "second");
		assert_found(&f, "/$bunfs/root/bbbb.js", "(a)=>", "other");
		assert_found(&f, "/$bunfs/root/bbbb.js", "not there", NULL);
		assert_found(&f, "/$bunfs/root/cccc.js", "(a)=>", NULL);
		assert_found(&f, "/$bunfs/root/aaaa.j", "(a)=>", NULL);
		assert_found(&f, "", "(a)=>", NULL);
		/* Places in it would be letters, not bytes. */
		assert_found(&f, "/$bunfs/root/wide.js", "(a)=>", NULL);
		end(&f);
		buffer_fini(&bytes);
	}
}

/* Every byte changed, and the file cut everywhere: no name that is not in a module. */
static void test_broken(void **state)
{
	struct buffer bytes = { 0 };
	struct fixture f;

	(void)state;
	put_section(&bytes, 52);
	for (size_t at = PREFIX; at < bytes.size; at += 3) {
		bytes.data[at] ^= 0x41;
		begin(&f, &bytes);
		buffer_reset(&f.found);
		if (jsc_text_name(&f.text, &f.timeout, "/$bunfs/root/bbbb.js", 11, &f.found) &&
			strcmp(buffer_cstr(&f.found), "other"))
			assert_in_range(at, PREFIX + 8, bytes.size);
		end(&f);
		bytes.data[at] ^= 0x41;
	}
	for (size_t size = PREFIX; size < bytes.size; size += 7) {
		struct buffer cut = { 0 };

		buffer_append(&cut, bytes.data, size);
		begin(&f, &cut);
		buffer_reset(&f.found);
		assert_false(
			jsc_text_name(&f.text, &f.timeout, "/$bunfs/root/bbbb.js", 11, &f.found));
		end(&f);
		buffer_fini(&cut);
	}
	buffer_fini(&bytes);
}

static void test_none(void **state)
{
	struct elf_section none = { 0 };
	struct timeout timeout = { 0 };
	struct buffer found = { 0 };
	struct jsc_text text;

	(void)state;
	jsc_text_init(&text, -1, &none);
	assert_false(jsc_text_name(&text, &timeout, "/$bunfs/root/aaaa.js", 0, &found));
	jsc_text_fini(&text);
	timeout_fini(&timeout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
