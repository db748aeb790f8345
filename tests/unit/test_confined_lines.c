/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DWARF made to break its reader: entries nested more deeply than the stack of a reader is long,
 * and a line table that takes a hundred times the size of its file. Both are refused, and the same
 * file without that is read.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buffer.h"
#include "os/linux/files/timeout.h"
#include "os/linux/profile/confined_lines.h"

#ifndef __has_feature
#define __has_feature(name) 0
#endif

#define BASE 0x4000b0
#define CODE 64 /* bytes of code, behind the headers */
#define DEEP 1000000
#define ROWS 20000000

struct made {
	struct buffer info, line;
};

static void put(struct buffer *to, const void *bytes, size_t size)
{
	buffer_append(to, bytes, size);
	assert_false(buffer_failed(to));
}

static void put_number(struct buffer *to, uint64_t value, size_t size)
{
	put(to, &value, size); /* both machines are little-endian */
}

static void put_range(struct buffer *to)
{
	put_number(to, BASE, 8);
	put_number(to, CODE, 8);
}

/* A unit, a function and `depth` blocks, each in the one before. */
static void make_info(struct buffer *to, size_t depth)
{
	struct buffer entries = { 0 };

	put(&entries, "\1s.c", 5);
	put_range(&entries);
	put_number(&entries, 0, 4);
	put(&entries, "\2f", 3);
	put_range(&entries);
	for (size_t i = 0; i < depth; i++) {
		put(&entries, "\3", 1);
		put_range(&entries);
	}
	for (size_t i = 0; i < depth + 2; i++)
		put(&entries, "", 1);
	put_number(to, 7 + entries.size, 4);
	put_number(to, 4, 2); /* DWARF 4 */
	put_number(to, 0, 4);
	put_number(to, 8, 1);
	put(to, entries.data, entries.size);
	buffer_fini(&entries);
}

static const unsigned char abbreviations[] = "\1\x11\1\x03\x08\x11\x01\x12\x07\x10\x17\0\0"
					     "\2\x2e\1\x03\x08\x11\x01\x12\x07\0\0"
					     "\3\x0b\1\x11\x01\x12\x07\0\0";

static void make_line(struct buffer *to, size_t rows)
{
	static const unsigned char head[] =
		"\1\1\1\xfb\x0e\x0d\0\1\1\1\1\0\0\0\1\0\0\1\0s.c\0\0\0\0";
	struct buffer program = { 0 };

	put(&program, "\0\x09\x02", 3);
	put_number(&program, BASE, 8);
	for (size_t i = 0; i < rows; i++)
		put(&program, "\x12", 1); /* the same address and line */
	put(&program, "\1\2\x40\0\1\1", 6);
	put_number(to, 6 + sizeof(head) + program.size, 4);
	put_number(to, 4, 2);
	put_number(to, sizeof(head), 4);
	put(to, head, sizeof(head));
	put(to, program.data, program.size);
	buffer_fini(&program);
}

static void put_section(struct buffer *heads, unsigned name, unsigned type, uint64_t flags,
	uint64_t address, uint64_t offset, uint64_t size)
{
	put_number(heads, name, 4);
	put_number(heads, type, 4);
	put_number(heads, flags, 8);
	put_number(heads, address, 8);
	put_number(heads, offset, 8);
	put_number(heads, size, 8);
	put_number(heads, 0, 8);
	put_number(heads, 1, 8);
	put_number(heads, 0, 8);
}

static void put_headers(struct buffer *to, uint64_t sections)
{
	static const unsigned char identity[16] = "\177ELF\2\1\1";

	put(to, identity, sizeof(identity));
	put_number(to, 2, 2);  /* an executable */
	put_number(to, 62, 2); /* x86-64 */
	put_number(to, 1, 4);
	put_number(to, BASE, 8);
	put_number(to, 64, 8);
	put_number(to, sections, 8);
	put_number(to, 0, 4);
	put_number(to, 64, 2);
	put_number(to, 56, 2);
	put_number(to, 1, 2);
	put_number(to, 64, 2);
	put_number(to, 6, 2);
	put_number(to, 5, 2);
	put_number(to, 1, 4); /* loaded */
	put_number(to, 5, 4); /* readable, code */
	put_number(to, 0, 8);
	put_number(to, BASE - 0xb0, 8);
	put_number(to, BASE - 0xb0, 8);
	put_number(to, 0xb0 + CODE, 8);
	put_number(to, 0xb0 + CODE, 8);
	put_number(to, 4096, 8);
}

static int make_file(size_t depth, size_t rows)
{
	static const char names[] = "\0.text\0.debug_info\0.debug_abbrev\0.debug_line\0.shstrtab";
	static const unsigned char code[0xb0 + CODE - 120];
	struct buffer info = { 0 }, line = { 0 }, head = { 0 }, rest = { 0 };
	uint64_t at = 0xb0 + CODE, end;
	int fd = memfd_create("lines", MFD_CLOEXEC);

	make_info(&info, depth);
	make_line(&line, rows);
	end = at + info.size + line.size + sizeof(abbreviations) + sizeof(names);
	put_headers(&head, end);
	assert_int_equal(head.size, 120);
	put(&head, code, sizeof(code));
	put(&rest, abbreviations, sizeof(abbreviations));
	put(&rest, names, sizeof(names));
	put_section(&rest, 0, 0, 0, 0, 0, 0);
	put_section(&rest, 1, 1, 6, BASE, 0xb0, CODE);
	put_section(&rest, 7, 1, 0, 0, at, info.size);
	put_section(&rest, 33, 1, 0, 0, at + info.size, line.size);
	at += info.size + line.size;
	put_section(&rest, 19, 1, 0, 0, at, sizeof(abbreviations));
	put_section(&rest, 45, 3, 0, 0, at + sizeof(abbreviations), sizeof(names));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, head.data, head.size), head.size);
	assert_int_equal(write(fd, info.data, info.size), info.size);
	assert_int_equal(write(fd, line.data, line.size), line.size);
	assert_int_equal(write(fd, rest.data, rest.size), rest.size);
	buffer_fini(&info);
	buffer_fini(&line);
	buffer_fini(&head);
	buffer_fini(&rest);
	return fd;
}

struct lookup {
	int file;
	struct file_names names;
};

static void do_lookup(void *argument)
{
	struct lookup *l = argument;

	if (!elf_addresses(l->file, l->names.addresses, l->names.count))
		confined_lines(l->file, &l->names);
}

/* As profile_names() does it. */
static struct lookup *look_up(size_t depth, size_t rows)
{
	size_t size = offsetof(struct lookup, names) + sizeof(struct file_names) +
		      sizeof(struct elf_line);
	struct lookup *l = calloc(1, size);
	struct timeout timeout = { 0 };

	assert_non_null(l);
	l->file = make_file(depth, rows);
	l->names.count = 1;
	l->names.has_lines = true;
	l->names.addresses[0].offset = 0xb4;
	assert_int_equal(
		timeout_call(&timeout, do_lookup, NULL, l, size, l->file, 8 * FILE_LINES_MS), 0);
	timeout_fini(&timeout);
	close(l->file);
	return l;
}

static void test_read(void **state)
{
	struct lookup *l = look_up(20, 20);

	(void)state;
	assert_true(l->names.addresses[0].is_linked);
	assert_true(l->names.lines[0].is_found);
	assert_string_equal(l->names.lines[0].places, "s.c:1");
	assert_false(l->names.is_refused || l->names.lines[0].is_refused);
	free(l);
}

static void check_refused(size_t depth, size_t rows)
{
	struct lookup *l = look_up(depth, rows);

	assert_true(l->names.addresses[0].is_linked);
	assert_true(l->names.is_refused && l->names.lines[0].is_refused);
	assert_false(l->names.lines[0].is_found);
	assert_int_equal(l->names.lines[0].places_size, 0);
	free(l);
}

static void test_deep(void **state)
{
	struct lookup *l = look_up(DEEP, 1);

	(void)state;
	/* Nested too deeply for its inlined functions to be known. */
	assert_true(l->names.lines[0].is_found && l->names.lines[0].is_cut);
	assert_string_equal(l->names.lines[0].places, "s.c:1");
	assert_int_equal(l->names.lines[0].functions_size, 0);
	free(l);
}

static void test_memory(void **state)
{
	struct rusage children;

	(void)state;
	/* A sanitizer's allocator ends the process itself, and takes minutes to have that much. */
	if (__has_feature(address_sanitizer))
		return;
	check_refused(1, ROWS);
	/* The process between this one and the reader counts, which waited for the reader. */
	assert_false(getrusage(RUSAGE_CHILDREN, &children));
	assert_true(children.ru_maxrss < 3 << 20); /* KiB */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
