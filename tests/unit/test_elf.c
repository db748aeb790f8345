/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions by name: in this machine's libc, against what dlsym() says; in objects
 * compiled here with versions, aliases, indirect and local functions; in files that
 * are no ELF, are cut, or claim what they do not have.
 */
#include "support.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/elf.h"
#include "symbols/elf_exports.h"

static int find(const char *path, const char *const *names, size_t count, struct elf_found *found)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return elf_functions(fd, names, count, found);
}

/* The function with this name; NULL when there is none. */
static const struct elf_function *named(const struct elf_found *found, unsigned which)
{
	for (size_t i = 0; i < found->count; i++)
		if (elf_function_has(&found->functions[i], which))
			return &found->functions[i];
	return NULL;
}

static size_t count_named(const struct elf_found *found, unsigned which)
{
	size_t count = 0;

	for (size_t i = 0; i < found->count; i++)
		count += elf_function_has(&found->functions[i], which);
	return count;
}

static void test_libc(void **state)
{
	static const char *const names[] = { "malloc", "free", "getpid", "qsort", "memalign",
		"aligned_alloc", "no_such_function" };
	struct elf_found found;
	Dl_info info;

	(void)state;
	assert_true(dladdr(dlsym(RTLD_DEFAULT, "getpid"), &info));
	assert_int_equal(find(info.dli_fname, names, ARRAY_SIZE(names), &found), 0);
	assert_false(found.is_cut);
	for (unsigned i = 0; i < 6; i++) {
		const struct elf_function *f = named(&found, i);

		assert_non_null(f);
		assert_int_equal(count_named(&found, i), 1);
		assert_int_equal(f->source, ELF_DYNAMIC);
		assert_false(f->is_ifunc);
	}
	for (size_t i = 1; i < found.count; i++)
		assert_true(found.functions[i - 1].offset < found.functions[i].offset);
	assert_null(named(&found, 6));
	/* only this one: a sanitizer puts its own before others */
	assert_int_equal((uint64_t)info.dli_fbase + named(&found, 2)->address,
		(uint64_t)dlsym(RTLD_DEFAULT, "getpid"));
#ifdef __x86_64__
	assert_int_equal(found.machine, MACHINE_X86_64);
#endif
}

static void test_code(void **state)
{
	static const char *const names[] = { "getpid" };
	_cleanup_close_ int fd = -1;
	struct elf_function function;
	struct elf_found found;
	uint8_t code[4096];
	Dl_info info;
	void *entry = dlsym(RTLD_DEFAULT, "getpid");

	(void)state;
	assert_true(dladdr(entry, &info));
	assert_int_equal(find(info.dli_fname, names, 1, &found), 0);
	function = found.functions[0];
	fd = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
	assert_true(function.size > 0 && function.size < sizeof(code));
	assert_int_equal(elf_code(fd, &function, code, 4), 4);
	assert_memory_equal(code, entry, 4);
	assert_int_equal(elf_code(fd, &function, code, sizeof(code)), function.size);
	assert_memory_equal(code, entry, function.size);
	function.size = 0;
	assert_int_equal(elf_code(fd, &function, code, sizeof(code)), sizeof(code));
	function.offset = UINT64_C(1) << 40;
	assert_int_equal(elf_code(fd, &function, code, sizeof(code)), 0);
	assert_int_equal(elf_code(-1, &function, code, sizeof(code)), -EBADF);
}

/* --- objects made here --- */

static char folder[] = "/tmp/test-elf-XXXXXX";

static void in_folder(const char *format, ...)
{
	char command[1024];
	va_list arguments;
	int length = snprintf(command, sizeof(command), "cd %s && ", folder);

	va_start(arguments, format);
	vsnprintf(command + length, sizeof(command) - (size_t)length, format, arguments);
	va_end(arguments);
	if (system(command))
		fail_msg("failed: %s", command);
}

static void write_in(const char *name, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static const char *const made_names[] = { "plain", "alias", "versioned", "only_old", "chosen",
	"hidden", "twice", "data" };

enum {
	PLAIN,
	ALIAS,
	VERSIONED,
	ONLY_OLD,
	CHOSEN,
	HIDDEN,
	TWICE,
	DATA,
};

static const char made_source[] =
	"int plain(int a) { return a + 1; }\n"
	"int alias(int) __attribute__((alias(\"plain\")));\n"
	"int versioned_1(int a) { return a; } int versioned_2(int a) { return a + 2; }\n"
	"__asm__(\".symver versioned_1,versioned@V1\\n.symver versioned_2,versioned@@V2\");\n"
	"int only_1(int a) { return a + 9; } __asm__(\".symver only_1,only_old@V1\");\n"
	"static int one(int a) { return a; } static void *choose(void) { return one; }\n"
	"int chosen(int) __attribute__((ifunc(\"choose\")));\n"
	"__attribute__((visibility(\"hidden\"), noinline)) int hidden(int a) { return a + 3; }\n"
	"__attribute__((noinline, used)) static int twice(int a) { return a * 3; }\n"
	"int data = 3; int calls(int a) { return hidden(a) + twice(a); }\n";

static int make_objects(void **state)
{
	(void)state;
	if (system("gcc --version >/dev/null 2>&1"))
		return 0;
	assert_non_null(mkdtemp(folder));
	write_in("a.c", made_source);
	write_in("b.c",
		"__attribute__((noinline, used)) static int twice(int a) { return a * 2; }\n"
		"int more(int a) { return twice(a); }\n");
	write_in("a.map", "V1 { global: only_1; }; V2 { global: versioned; plain; alias; chosen; "
			  "data; calls; more;"
			  " local: *; } V1;\n");
	in_folder("gcc -shared -fPIC -O1 a.c b.c -Wl,--version-script=a.map -o a.so");
	in_folder("cp a.so stripped.so && strip stripped.so");
	write_in("c.c", "int plain(int a) { return a + 1; }\nint main(void) { return plain(-1); }\n"
			"static int twice(int a) { return a; } int (*p)(int) = twice;\n");
	in_folder("gcc -static -no-pie -O1 c.c -o c");
	in_folder("gcc -m32 -c -O1 -ffreestanding c.c -o c32.o 2>/dev/null || : > c32.o");
	return 0;
}

static int remove_objects(void **state)
{
	(void)state;
	if (!access(folder, R_OK))
		in_folder("rm -r %s", folder);
	return 0;
}

static void find_in(const char *name, struct elf_found *found)
{
	char path[64];

	if (access(folder, R_OK))
		skip();
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(find(path, made_names, ARRAY_SIZE(made_names), found), 0);
}

static void test_made(void **state)
{
	struct elf_found found, stripped;
	uint64_t address;
	void *object;
	char path[64];

	(void)state;
	find_in("a.so", &found);
	assert_ptr_equal(named(&found, PLAIN), named(&found, ALIAS));
	assert_int_equal(named(&found, PLAIN)->source, ELF_DYNAMIC);
	assert_int_equal(count_named(&found, PLAIN), 1);
	assert_true(named(&found, CHOSEN)->is_ifunc);
	assert_false(named(&found, PLAIN)->is_ifunc);
	assert_int_equal(named(&found, ONLY_OLD)->source, ELF_DYNAMIC_OLD);
	assert_int_equal(named(&found, HIDDEN)->source, ELF_LOCAL);
	assert_int_equal(count_named(&found, TWICE), 2);
	assert_null(named(&found, DATA));
	/* the default version, as dlsym() finds it */
	assert_int_equal(count_named(&found, VERSIONED), 1);
	snprintf(path, sizeof(path), "%s/a.so", folder);
	object = dlopen(path, RTLD_NOW);
	assert_non_null(object);
	address = (uint64_t)dlsym(object, "versioned") - (uint64_t)dlsym(object, "plain");
	assert_int_equal(
		named(&found, VERSIONED)->address - named(&found, PLAIN)->address, address);
	dlclose(object);
	find_in("stripped.so", &stripped);
	assert_null(named(&stripped, HIDDEN));
	assert_int_equal(named(&stripped, PLAIN)->offset, named(&found, PLAIN)->offset);
	assert_int_equal(named(&stripped, VERSIONED)->offset, named(&found, VERSIONED)->offset);
}

static void test_static(void **state)
{
	static const char *const names[] = { "malloc", "free", "main", "twice" };
	struct elf_found found;
	char path[64];

	(void)state;
	find_in("c", &found);
	assert_int_equal(named(&found, PLAIN)->source, ELF_GLOBAL);
	/* not PIE: the address is another than the offset */
	assert_true(named(&found, PLAIN)->address != named(&found, PLAIN)->offset);
	snprintf(path, sizeof(path), "%s/c", folder);
	assert_int_equal(find(path, names, ARRAY_SIZE(names), &found), 0);
	assert_int_equal(count_named(&found, 0), 1);
	assert_int_equal(count_named(&found, 1), 1);
}

static void test_bound(void **state)
{
	static char text[ELF_NAMES_MAX + 1][8];
	const char *names[ELF_NAMES_MAX + 1];
	struct elf_found found;
	char path[64];
	FILE *file;

	(void)state;
	if (access(folder, R_OK))
		skip();
	for (size_t i = 0; i <= ELF_NAMES_MAX; i++) {
		snprintf(text[i], sizeof(text[i]), "f%zu", i);
		names[i] = text[i];
	}
	/* two functions more than may be found */
	snprintf(path, sizeof(path), "%s/many.s", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < ELF_FUNCTIONS_MAX + 2; i++)
		fprintf(file, ".globl f%d\n.type f%d,@function\nf%d: nop\n", i, i, i);
	fclose(file);
	in_folder("gcc -shared -nostdlib many.s -o many.so");
	snprintf(path, sizeof(path), "%s/many.so", folder);
	assert_int_equal(find(path, names, ELF_NAMES_MAX, &found), 0);
	assert_int_equal(found.count, ELF_FUNCTIONS_MAX);
	assert_false(found.is_cut);
	assert_int_equal(elf_functions(-1, names, ELF_NAMES_MAX + 1, &found), -EINVAL);
	snprintf(path, sizeof(path), "%s/same.c", folder);
	in_folder("for i in $(seq %d); do printf '.type twice,@function\\ntwice: nop\\n' "
		  "> same$i.s; done",
		ELF_FUNCTIONS_MAX + 2);
	in_folder("gcc -shared -nostdlib same*.s -o same.so");
	snprintf(path, sizeof(path), "%s/same.so", folder);
	assert_int_equal(find(path, made_names, ARRAY_SIZE(made_names), &found), 0);
	assert_int_equal(found.count, ELF_FUNCTIONS_MAX);
	assert_true(found.is_cut);
}

/* --- what is none --- */

static int find_in_bytes(const void *data, size_t size, struct elf_found *found)
{
	static const char *const names[] = { "plain", "twice" };
	_cleanup_close_ int fd = memfd_create("test-elf", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	return elf_functions(fd, names, ARRAY_SIZE(names), found);
}

static void test_refused(void **state)
{
	static const char *const names[] = { "malloc" };
	struct elf_found found;
	Elf64_Ehdr header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				      ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(Elf64_Ehdr) };
	int fds[2];

	(void)state;
	memset(&found, 0x5a, sizeof(found));
	assert_int_equal(find_in_bytes("", 0, &found), -EINVAL);
	assert_int_equal(find_in_bytes("#!/bin/sh\n", 10, &found), -EINVAL);
	assert_int_equal(find_in_bytes("!<arch>\n", 8, &found), -EINVAL);
	assert_int_equal(find_in_bytes(&header, sizeof(header) / 2, &found), -EINVAL);
	assert_int_equal(find("/dev/zero", names, 1, &found), -EINVAL);
	assert_int_equal(find("/", names, 1, &found), -EINVAL);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(elf_functions(fds[0], names, 1, &found), -EINVAL);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(elf_functions(-1, names, 1, &found), -EBADF);
	header.e_machine = EM_PPC64;
	assert_int_equal(find_in_bytes(&header, sizeof(header), &found), -EOPNOTSUPP);
	header.e_machine = EM_X86_64;
	header.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_int_equal(find_in_bytes(&header, sizeof(header), &found), -EOPNOTSUPP);
	/* nothing was written all the time */
	assert_int_equal(found.count, (size_t)0x5a5a5a5a5a5a5a5a);
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	assert_int_equal(find_in_bytes(&header, sizeof(header), &found), 0);
	assert_int_equal(found.count, 0);
}

#define ELF_HEADER                                                                                 \
	.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },    \
	.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT,                         \
	.e_ehsize = sizeof(Elf64_Ehdr), .e_shentsize = sizeof(Elf64_Shdr)

/* A hollow file of a terabyte whose symbols claim most of it: refused before it is read. */
static void test_hollow(void **state)
{
	static const char *const names[] = { "plain" };
	_cleanup_close_ int fd = memfd_create("test-elf", MFD_CLOEXEC);
	Elf64_Ehdr header = { ELF_HEADER, .e_shoff = sizeof(Elf64_Ehdr), .e_shnum = 3 };
	Elf64_Shdr sections[3] = {
		[1] = { .sh_type = SHT_DYNSYM,
			.sh_link = 2,
			.sh_offset = 4096,
			.sh_size = UINT64_C(24) << 34,
			.sh_entsize = sizeof(Elf64_Sym) },
		[2] = { .sh_type = SHT_STRTAB, .sh_offset = 4096, .sh_size = UINT64_C(1) << 39 },
	};
	struct elf_found found;

	(void)state;
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(pwrite(fd, sections, sizeof(sections), sizeof(header)), sizeof(sections));
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_int_equal(elf_functions(fd, names, 1, &found), 0);
	assert_int_equal(found.count, 0);
	assert_true(found.is_cut);
	/* the names alone too large */
	sections[1].sh_size = 2 * sizeof(Elf64_Sym);
	assert_int_equal(pwrite(fd, sections, sizeof(sections), sizeof(header)), sizeof(sections));
	assert_int_equal(elf_functions(fd, names, 1, &found), 0);
	assert_true(found.is_cut);
}

/* Many tables of symbols, all of them the same hollow part of the file: the first is read. Names
 * without an end: none is. */
static void test_tables(void **state)
{
	static const char *const names[] = { "plain" };
	_cleanup_close_ int fd = memfd_create("test-elf", MFD_CLOEXEC);
	enum { TABLES = 400, NAMES = TABLES + 1, ALL };
	static Elf64_Shdr sections[ALL];
	Elf64_Ehdr header = { ELF_HEADER, .e_phoff = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1, .e_shoff = 4096, .e_shnum = ALL };
	Elf64_Phdr segment = {
		.p_type = PT_LOAD, .p_flags = PF_X, .p_filesz = 65536, .p_memsz = 65536
	};
	Elf64_Sym symbol = { .st_name = 1, .st_shndx = 1, .st_value = 4711, .st_size = 8 };
	struct elf_export found;
	struct elf_exports exports = { .found = &found };
	struct rusage before, after;

	(void)state;
	for (size_t i = 1; i <= TABLES; i++)
		sections[i] = (Elf64_Shdr){ .sh_type = SHT_DYNSYM,
			.sh_link = NAMES,
			.sh_offset = 65536,
			.sh_size = (UINT64_C(8) << 20) / sizeof(symbol) * sizeof(symbol),
			.sh_entsize = sizeof(symbol) };
	sections[NAMES] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = 60000, .sh_size = 7 };
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(pwrite(fd, &segment, sizeof(segment), sizeof(header)), sizeof(segment));
	assert_int_equal(pwrite(fd, sections, sizeof(sections), 4096), sizeof(sections));
	assert_int_equal(pwrite(fd, "\0plain", 7, 60000), 7);
	assert_int_equal(
		pwrite(fd, &symbol, sizeof(symbol), 65536 + sizeof(symbol)), sizeof(symbol));
	assert_int_equal(ftruncate(fd, 32 << 20), 0);
	getrusage(RUSAGE_SELF, &before);
	assert_true(elf_exports_find(fd, names, 1, &exports));
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(found.address, 4711);
	assert_true(after.ru_maxrss - before.ru_maxrss < 256 << 10);
	assert_int_equal(pwrite(fd, "!", 1, 60006), 1);
	assert_true(elf_exports_find(fd, names, 1, &exports));
	assert_int_equal(found.address, 0);
}

/* Cut anywhere, and with any byte of its headers changed: an answer, no crash. */
static void test_damaged(void **state)
{
	_cleanup_free_ uint8_t *whole = NULL, *copy = NULL;
	struct elf_found found;
	uint64_t seed = 3;
	struct stat st;
	char path[64];
	FILE *file;
	size_t size;

	(void)state;
	if (access(folder, R_OK))
		skip();
	snprintf(path, sizeof(path), "%s/a.so", folder);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	size = (size_t)st.st_size;
	whole = malloc(size);
	copy = malloc(size);
	assert_non_null(whole);
	assert_non_null(copy);
	assert_int_equal(fread(whole, 1, size, file), size);
	fclose(file);
	for (size_t cut = 0; cut < size; cut += 1 + cut / 16)
		find_in_bytes(whole, cut, &found);
	for (int i = 0; i < 3000; i++) {
		memcpy(copy, whole, size);
		for (uint64_t k = 0; k < 1 + random_below(&seed, 4); k++) {
			/* the headers at both ends, and anything */
			size_t at = random_below(&seed, 3) ? random_below(&seed, 1024)
							   : random_below(&seed, size);

			at = random_below(&seed, 2) ? at : size - 1 - at;
			copy[at] = (uint8_t)random_next(&seed);
		}
		if (!find_in_bytes(copy, size, &found))
			assert_true(found.count <= ELF_FUNCTIONS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libc),
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hollow),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, make_objects, remove_objects);
}
