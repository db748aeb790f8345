/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of Go programs by their table of the runtime, in made-up files: each form of the table,
 * edges of a function, and tables that are damaged. */
#include "support.h"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/elf_lines.h"

#define CODE_AT	 0x1000 /* in the file */
#define CODE	 0x401000
#define BYTES	 0x100
#define TABLE_AT 0x2000
#define NAMES	 "\0.text\0.gopclntab\0.shstrtab"

struct form {
	uint32_t magic;
	uint64_t text;	    /* as the head has it */
	uint64_t functions; /* as the head says */
	unsigned cut;	    /* bytes at the end of the section */
};

static void put(struct buffer *out, uint64_t value, size_t bytes)
{
	buffer_append(out, &value, bytes);
}

#define FILES "/src/book.go\0/src/other.go"
/* Lines: 10 for 0x10 bytes, then 12. Files: the first one for 0x20 bytes, then the second. */
#define VALUES	     "\0\x16\x10\x04\x20\0\x02\x20\x02\x10"
#define LINES	     1
#define FILE_NUMBERS 6
/* What is behind the name of the second function. */
#define BEHIND (7 * 4 + 8 + sizeof(FILES) + sizeof(VALUES))

static void put_function(struct buffer *out, uint64_t begin, size_t entry, uint64_t name)
{
	put(out, begin, entry);
	put(out, name, 4);
	for (unsigned i = 0; i < 3; i++)
		put(out, 0, 4);
	put(out, FILE_NUMBERS, 4);
	put(out, LINES, 4);
	put(out, 0, 4);
	put(out, 0, 4); /* of the unit */
}

/* Two functions: at 0x10 and at 0x40 of the code, which ends at 0x80. */
static void put_table(struct buffer *out, const struct form *f)
{
	bool is_relative = f->magic != 0xfffffffa;
	size_t entry = is_relative ? 4 : 8, names = 72, entries = 112;
	uint64_t base = is_relative ? 0 : CODE;
	size_t at = out->size, functions = 6 * entry;
	size_t units = entries + functions + 2 * (entry + 32), files = units + 8;

	put(out, f->magic, 4);
	put(out, 8 << 24 | 1 << 16, 4); /* a pointer has 8 bytes */
	put(out, f->functions, 8);
	put(out, 1, 8);
	if (is_relative)
		put(out, f->text, 8);
	put(out, names, 8);
	put(out, units, 8);
	put(out, files, 8);
	put(out, files + sizeof(FILES), 8);
	put(out, entries, 8);
	if (!is_relative)
		put(out, 0, 8);
	buffer_append(out, "main.(*Book).tally\0main.settle\0        ", entries - names);
	assert_int_equal(out->size - at, entries);
	put(out, base + 0x10, entry);
	put(out, functions, entry);
	put(out, base + 0x40, entry);
	put(out, functions + entry + 32, entry);
	put(out, base + 0x80, entry);
	put(out, 0, entry);
	put_function(out, base + 0x10, entry, 0);
	put_function(out, base + 0x40, entry, 19);
	put(out, 0, 4);
	put(out, strlen(FILES) + 1, 4);
	buffer_append(out, FILES, sizeof(FILES));
	buffer_append(out, VALUES, sizeof(VALUES));
}

static void put_section(struct buffer *out, uint32_t name, uint32_t type, uint64_t address,
	uint64_t offset, uint64_t size)
{
	Elf64_Shdr s = { .sh_name = name,
		.sh_type = type,
		.sh_addr = address,
		.sh_offset = offset,
		.sh_size = size,
		.sh_addralign = 1 };

	buffer_append(out, &s, sizeof(s));
}

static int file_of(const struct form *f)
{
	Elf64_Ehdr head = { .e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(head),
		.e_ehsize = sizeof(head),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 4,
		.e_shstrndx = 3 };
	Elf64_Phdr load = { .p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = CODE_AT,
		.p_vaddr = CODE,
		.p_filesz = BYTES,
		.p_memsz = BYTES };
	struct buffer table = { 0 }, sections = { 0 };
	int fd = memfd_create("go", MFD_CLOEXEC);

	memcpy(head.e_ident, ELFMAG, SELFMAG);
	head.e_ident[EI_CLASS] = ELFCLASS64;
	head.e_ident[EI_DATA] = ELFDATA2LSB;
	head.e_ident[EI_VERSION] = EV_CURRENT;
	put_table(&table, f);
	head.e_shoff = TABLE_AT + table.size + sizeof(NAMES);
	put_section(&sections, 0, SHT_NULL, 0, 0, 0);
	put_section(&sections, 1, SHT_PROGBITS, CODE, CODE_AT, BYTES);
	put_section(&sections, 7, SHT_PROGBITS, 0, TABLE_AT, table.size - f->cut);
	put_section(&sections, 18, SHT_STRTAB, 0, TABLE_AT + table.size, sizeof(NAMES));
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(pwrite(fd, &load, sizeof(load), sizeof(head)), sizeof(load));
	assert_int_equal(pwrite(fd, table.data, table.size, TABLE_AT), table.size);
	assert_int_equal(
		pwrite(fd, NAMES, sizeof(NAMES), (off_t)(TABLE_AT + table.size)), sizeof(NAMES));
	assert_int_equal(
		pwrite(fd, sections.data, sections.size, (off_t)head.e_shoff), sections.size);
	buffer_fini(&table);
	buffer_fini(&sections);
	return fd;
}

/* The name of the function there; "": none. */
static const char *name_at(const struct form *f, uint64_t inside, struct elf_address *a)
{
	int fd = file_of(f);

	*a = (struct elf_address){ .offset = CODE_AT + inside };
	assert_int_equal(elf_addresses(fd, a, 1), 0);
	close(fd);
	return a->is_found ? a->name : "";
}

static void test_names(void **state)
{
	static const struct form forms[] = { { 0xfffffff1, CODE, 2, 0 }, { 0xfffffff0, 0, 2, 0 },
		{ 0xfffffffa, 0, 2, 0 } };
	struct elf_address a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		assert_string_equal(name_at(&forms[i], 0x10, &a), "main.(*Book).tally");
		assert_int_equal(a.inside, 0);
		assert_string_equal(name_at(&forms[i], 0x3f, &a), "main.(*Book).tally");
		assert_int_equal(a.inside, 0x2f);
		assert_string_equal(name_at(&forms[i], 0x40, &a), "main.settle");
		assert_string_equal(name_at(&forms[i], 0x7f, &a), "main.settle");
		assert_string_equal(name_at(&forms[i], 0x80, &a), "");
		assert_string_equal(name_at(&forms[i], 0x0f, &a), "");
	}
}

static void test_damaged(void **state)
{
	static const struct form forms[] = { { 0xfffffffb, CODE, 2, 0 }, { 0xfffffff1, CODE, 0, 0 },
		{ 0xfffffff1, CODE, UINT64_MAX, 0 }, { 0xfffffff1, CODE, 4, 0 },
		{ 0xfffffff1, CODE, 2, 4 + BEHIND }, { 0xfffffff1, CODE, 2, 80 + BEHIND },
		{ 0xfffffff1, UINT64_MAX, 2, 0 } };
	struct elf_address a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		assert_string_equal(name_at(&forms[i], 0x40, &a), "");
}

/* The line there; "": none. */
static void check_line(const struct form *f, uint64_t inside, const char *expected)
{
	static struct elf_line line;
	struct elf_address a = { .offset = CODE_AT + inside };
	int fd = file_of(f);

	line = (struct elf_line){ 0 };
	assert_int_equal(elf_addresses(fd, &a, 1), 0);
	elf_lines(fd, &a, &line, 1);
	close(fd);
	assert_string_equal(line.places, expected);
	assert_int_equal(line.is_found, expected[0] != 0);
	assert_int_equal(line.places_size, expected[0] ? strlen(expected) + 1 : 0);
}

static void test_lines(void **state)
{
	static const struct form forms[] = { { 0xfffffff1, CODE, 2, 0 }, { 0xfffffff0, 0, 2, 0 },
		{ 0xfffffffa, 0, 2, 0 } };
	static const struct form cut = { 0xfffffff1, CODE, 2, sizeof(VALUES) - 3 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		check_line(&forms[i], 0x10, "book.go:10");
		check_line(&forms[i], 0x1f, "book.go:10");
		check_line(&forms[i], 0x20, "book.go:12");
		check_line(&forms[i], 0x30, ""); /* inlined from another file */
		check_line(&forms[i], 0x40, "book.go:10");
		check_line(&forms[i], 0x7f, "");
		check_line(&forms[i], 0x80, "");
	}
	check_line(&cut, 0x20, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
