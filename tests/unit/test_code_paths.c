/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths of functions in a library that is made here: which return instructions are theirs, and
 * whether every path calls a target first. And functions found by their texts.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/code_paths.h"
#include "symbols/elf_texts.h"

static const char source[] =
	".text\n"
	".macro function name\n.globl \\name\n.type \\name,@function\n\\name:\n.endm\n"
	/* a return of its own, and a jump to local code behind a call through the PLT */
	"function two\n test %rdi,%rdi\n je 1f\n ret\n1: jmp slow\n.size two,.-two\n"
	"slow: call other@PLT\n nop\n ret\n"
	/* a target on one of two paths, by a jump through the PLT */
	"function one_of_two\n test %rdi,%rdi\n je 1f\n ret\n1: jmp target@PLT\n.size "
	"one_of_two,.-one_of_two\n"
	/* every path calls it */
	"function forwards\n push %rbx\n call target@PLT\n pop %rbx\n ret\n.size "
	"forwards,.-forwards\n"
	/* the call of a function that never returns is the last of a path */
	"function throws\n test %rdi,%rdi\n je 1f\n ret\n1: call __cxa_throw@PLT\n.size "
	"throws,.-throws\n"
	"behind: ret\n"
	/* a jump that cannot be followed */
	"function lost\n jmp *%rax\n.size lost,.-lost\n"
	/* a loop */
	"function turns\n1: dec %rdi\n jne 1b\n ret\n.size turns,.-turns\n"
	"function target\n ret\n.size target,.-target\n"
	"function inside\n jmp target@PLT\n.size inside,.-inside\n"
	".cfi_startproc\nnop\n.cfi_endproc\n"
	"named: .cfi_startproc\n push %rax\n lea text(%rip),%rdi\n ret\n.cfi_endproc\n"
	/* two jumps into the middle of a rest elsewhere, one to a function's start */
	"function split\n.cfi_startproc\n test %rdi,%rdi\n {disp32} je inner\n {disp32} jne "
	"inner2\n"
	" {disp32} jmp start\n.cfi_endproc\n.size split,.-split\n"
	"start: .cfi_startproc\n ret\n.cfi_endproc\n"
	"rest: .cfi_startproc\n nop\ninner: nop\ninner2: ret\n.cfi_endproc\n"
	"behind_rest: .cfi_startproc\n ret\n.cfi_endproc\n"
	".section .rodata\ntext: .asciz \"the text of named\"\n";

enum { TWO, ONE_OF_TWO, FORWARDS, THROWS, LOST, TURNS, TARGET, INSIDE, SPLIT, NAMES };

static const char *const names[NAMES] = { "two", "one_of_two", "forwards", "throws", "lost",
	"turns", "target", "inside", "split" };

static struct elf_found found;
static int library = -1;
static bool follows; /* code of the target too */

static const struct elf_function *named(size_t which)
{
	for (size_t i = 0; i < found.count; i++)
		if (elf_function_has(&found.functions[i], which))
			return &found.functions[i];
	fail_msg("no %s", names[which]);
	return NULL;
}

static enum code_target classify(void *user, uint64_t offset, bool is_defined, const char *name)
{
	(void)user;
	(void)name;
	if (!is_defined || offset != named(TARGET)->offset)
		return CODE_OTHER;
	return follows ? CODE_TARGET_INSIDE : CODE_TARGET;
}

static struct code_paths paths_of(size_t which)
{
	struct elf_slots *slots = NULL;
	struct code_paths paths;

	assert_int_equal(elf_slots_open(library, &slots), 0);
	assert_int_equal(code_paths_find(library, found.machine, named(which), slots, classify,
				 NULL, &paths),
		0);
	elf_slots_close(slots);
	for (size_t i = 0; i < paths.count; i++) {
		unsigned char code;

		assert_int_equal(pread(library, &code, 1, (off_t)paths.returns[i]), 1);
		assert_int_equal(code, 0xc3);
	}
	return paths;
}

static void assert_paths(size_t which, size_t returns, bool avoids, bool is_cut)
{
	struct code_paths paths = paths_of(which);

	assert_int_equal(paths.count, returns);
	assert_int_equal(paths.avoids_targets, avoids);
	assert_int_equal(paths.is_cut, is_cut);
}

static int make_library(void **state)
{
	static char folder[] = "/tmp/test-code-paths-XXXXXX";
	char path[64], command[256];
	FILE *file;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/code.s", folder);
	file = fopen(path, "w");
	if (!file)
		return -1;
	fputs(source, file);
	fclose(file);
	snprintf(command, sizeof(command),
		"gcc -shared -nostdlib -Wl,-z,lazy -Wl,--eh-frame-hdr -o %s/code.so %s/code.s "
		"2>/dev/null",
		folder, folder);
	if (!system(command)) {
		snprintf(path, sizeof(path), "%s/code.so", folder);
		library = open(path, O_RDONLY | O_CLOEXEC);
	}
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void open_library(void)
{
	if (library < 0)
		skip(); /* no assembler of x86-64 */
	assert_int_equal(elf_functions(library, names, NAMES, &found), 0);
	assert_int_equal(found.count, NAMES);
}

static void test_paths(void **state)
{
	(void)state;
	open_library();
	follows = false;
	assert_paths(TWO, 2, true, false);
	assert_paths(ONE_OF_TWO, 1, true, false);
	assert_paths(FORWARDS, 1, false, false);
	assert_paths(THROWS, 1, true, false);
	assert_paths(LOST, 0, false, true);
	assert_paths(TURNS, 1, true, false);
	assert_paths(INSIDE, 0, false, false);
	follows = true;
	assert_paths(INSIDE, 1, false, false);
	assert_paths(ONE_OF_TWO, 2, true, false);
}

static void test_slots(void **state)
{
	struct elf_slots *slots = NULL;
	struct elf_slot slot;

	(void)state;
	open_library();
	assert_int_equal(elf_slots_open(library, &slots), 0);
	assert_false(elf_slots_find(slots, named(TWO)->address, &slot));
	elf_slots_close(slots);
	elf_slots_close(NULL);
	assert_int_equal(elf_slots_open(-1, &slots), -EINVAL);
}

static void test_texts(void **state)
{
	struct elf_function function;
	unsigned char code;

	(void)state;
	open_library();
	assert_false(elf_function_of_text(library, "the text", &function));
	assert_true(elf_function_of_text(library, "the text of named", &function));
	assert_int_equal(pread(library, &code, 1, (off_t)function.offset), 1);
	assert_int_equal(code, 0x50); /* push %rax */
}

static struct elf_export export_of(const char *name)
{
	struct elf_export export = { 0 };
	struct elf_exports exports = { .found = &export };

	assert_true(elf_exports_find(library, &name, 1, &exports));
	return export;
}

static void test_rest(void **state)
{
	struct elf_export split, other, rest = { 0 };
	unsigned char code[3];

	(void)state;
	open_library();
	split = export_of("split");
	other = export_of("two");
	assert_true(elf_function_rest(library, &split, &rest));
	assert_int_equal(rest.size, sizeof(code));
	assert_int_equal(pread(library, code, sizeof(code), (off_t)rest.offset), sizeof(code));
	assert_memory_equal(code, "\x90\x90\xc3", sizeof(code));
	assert_false(elf_function_rest(library, &other, &rest));
	split.size = UINT64_MAX;
	assert_false(elf_function_rest(library, &split, &rest));
	split.size = 4;
	split.address = UINT64_MAX - 2;
	assert_false(elf_function_rest(library, &split, &rest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_rest),
	};

	return cmocka_run_group_tests(tests, make_library, NULL);
}
