/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The choice of a site: on prologues written by hand, on the allocators of this
 * machine's libc and of musl, and on functions made at random and compiled in many
 * ways. These are run, single-stepped by ptrace: every call passes the chosen site
 * once (those with NULL as promised), arguments and return address untouched.
 *
 * SOOTH_TEST_SEED makes other functions; SOOTH_TEST_MUSL names musl's libc when it is
 * not installed.
 */
#include "support.h"

#include "one_processor.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "symbols/elf.h"
#include "symbols/site.h"

#define KERNEL KERNEL_RELEASE(6, 1)

struct row {
	enum machine machine;
	const char *what, *code;
	unsigned arguments;
	bool needs_return, skips_null;
	uint32_t offset;
	bool is_emulated, sees_null;
	const char *why; /* a part of it */
};

#define X86 MACHINE_X86_64
#define ARM MACHINE_AARCH64

static const struct row rows[] = {
	{ X86, "a push", "4154 55 53 4889fb", 1, true, false, 0, true, true, "first instruction" },
	{ X86, "endbr64 first", "f30f1efa 55 c3", 1, true, false, 4, true, true, "intact" },
	{ X86, "glibc 2.36 free, all", "4885ff 0f84bf000000 55 488d77f0", 1, false, false, 3, true,
		true, "intact" },
	{ X86, "the same but NULL", "4885ff 0f84bf000000 55 488d77f0", 1, false, true, 9, true,
		false, "after the test for NULL" },
	{ X86, "taken when not NULL", "4885ff 7502 31c0 55 c3", 1, false, true, 3, true, true,
		"intact" },
	{ X86, "that with a return between", "4885ff 7503 31c0 c3 55 c3", 1, false, true, 8, true,
		false, "after the test" },
	{ X86, "a push between test and branch", "4885ff 53 7410 55 c3", 1, false, true, 6, true,
		false, "after the test" },
	{ X86, "flags lost between", "4885ff 4883ec08 7410 55 c3", 1, false, true, 7, true, true,
		"intact" },
	{ X86, "32 bits tested only", "85ff 7410 55 c3", 1, false, true, 2, true, true, "intact" },
	{ X86, "NULL comes back", "4885ff 7404 55 5d c3 90 ebfa", 1, false, true, 3, true, true,
		"intact" },
	{ X86, "cmpb first, return wanted", "803d0102140000 4154 4989d4", 7, true, false, 7, true,
		true, "intact" },
	{ X86, "argument lost", "4889f8 89f7 55 c3", 1, false, false, 0, false, true,
		"overwritten" },
	{ X86, "another one lost", "4889f8 89f7 55 c3", 2, false, false, 5, true, true, "intact" },
	{ X86, "stack moved", "4883ec08 55 c3", 1, true, false, 0, false, true, "stack" },
	{ X86, "stack moved, no return", "4883ec08 55 c3", 1, false, false, 4, true, true,
		"intact" },
	{ X86, "a loop's head", "4889f8 55 5d 48ffc8 75f9 c3", 1, false, false, 0, false, true,
		"back" },
	{ X86, "a loop from behind", "4889f8 55 5d 48ffc8 75f6 c3", 1, false, false, 0, false, true,
		"back" },
	{ X86, "a loop behind", "4889f8 55 48ffc8 75fb 5d c3", 1, false, false, 3, true, true,
		"intact" },
	{ X86, "it calls itself", "4889f8 55 e8f7ffffff 5d c3", 1, false, false, 3, true, true,
		"intact" },
	{ X86, "paths part, one ends", "4883fe07 760a 4889f8 55 c3", 1, false, false, 4, true, true,
		"intact" },
	{ X86, "a jump", "e96b190000", 1, true, false, 0, true, true, "first" },
	{ X86, "a call first", "f30f1efa ffd0 55 c3", 1, false, false, 0, false, true, "calls" },
	{ X86, "returns at once", "4889f8 c3", 1, false, false, 0, false, true, "returns" },
	{ X86, "not an instruction", "4889f8 06 55", 1, false, false, 0, false, true,
		"does not know" },
	{ X86, "nop of five bytes, old kernel", "f30f1efa 0f1f440000 53 c3", 1, false, false, 9,
		true, true, "intact" },
	{ X86, "refused entry", "f048ff07 4889f8 c3", 1, false, false, 4, false, true, "returns" },
	{ X86, "nothing", "", 1, false, false, 0, false, true, "does not know" },
	{ X86, "cut", "4889f8 48", 1, false, false, 0, false, true, "does not know" },
	{ ARM, "a branch-and-link later", "3f2303d5 fd7bbfa9 fd030091 02000094", 1, false, false,
		12, true, true, "intact" },
	{ ARM, "return address signed", "3f2303d5 02000094", 1, true, false, 0, false, true,
		"stack" },
	{ ARM, "cbz of x0", "400000b4 10000090 c0035fd6", 1, false, false, 0, true, true, "first" },
	{ ARM, "the same but NULL", "400000b4 10000090 c0035fd6", 1, false, true, 4, true, false,
		"after the test" },
	{ ARM, "NULL joins there", "200000b4 10000090 c0035fd6", 1, false, true, 0, true, true,
		"first" },
	{ ARM, "NULL leaves", "600000b4 10000090 c0035fd6 c0035fd6", 1, false, true, 4, true, false,
		"after the test" },
	{ ARM, "x0 lost", "e00313aa 02000014 00000000", 1, false, false, 0, false, true,
		"overwritten" },
};

static size_t unhex(const char *text, uint8_t *out, size_t room)
{
	size_t size = 0;

	for (; *text; text += 2) {
		unsigned byte;

		while (*text == ' ')
			text++;
		assert_true(size < room);
		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		out[size++] = (uint8_t)byte;
	}
	return size;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct site_requirement want = { .arguments = (uint8_t)row->arguments,
			.needs_return = row->needs_return,
			.skips_null = row->skips_null,
			.kernel = KERNEL };
		uint8_t code[64];
		size_t size = unhex(row->code, code, sizeof(code));
		struct site site;

		site_choose(row->machine, code, size, &want, &site);
		if (site.offset != row->offset || site.is_emulated != row->is_emulated ||
			site.sees_null != row->sees_null || !has(site.why, row->why))
			fail_msg("%s: +%u, %s, %s: %s", row->what, site.offset,
				site.is_emulated ? "emulated" : "stepped",
				site.sees_null ? "sees NULL" : "does not", site.why);
	}
}

static void test_kernels(void **state)
{
	/* endbr64; nop of five bytes; push */
	uint8_t code[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x44, 0, 0, 0x53 };
	struct site_requirement want = { .arguments = SITE_ARGUMENT(0) };
	struct site site;

	(void)state;
	site_choose(X86, code, sizeof(code), &want, &site);
	assert_int_equal(site.offset, 9);
	want.kernel = KERNEL_RELEASE(6, 16);
	site_choose(X86, code, sizeof(code), &want, &site);
	assert_int_equal(site.offset, 4);
	want.kernel = KERNEL_RELEASE(4, 15);
	site_choose(X86, code, sizeof(code), &want, &site);
	assert_int_equal(site.offset, 0);
	assert_false(site.is_emulated);
	assert_true(site.is_once && site.keeps_return && !site.is_refused);
}

static void test_entry(void **state)
{
	/* dec %rdi; jne to the entry: every turn passes it */
	uint8_t loop[] = { 0x48, 0xff, 0xcf, 0x75, 0xfb, 0xc3 };
	struct site_requirement want = { .arguments = SITE_ARGUMENT(0) };
	struct site site;

	(void)state;
	site_choose(X86, loop, sizeof(loop), &want, &site);
	assert_int_equal(site.offset, 0);
	assert_false(site.is_once);
	assert_false(site.is_refused);
	site_choose(X86, "\x06", 1, &want, &site);
	assert_true(site.is_refused);
}

#ifdef __x86_64__
#define WATCHED_MAX  64
#define SELECTED_MAX 8
#define FRAMES_MAX   64

/* A function and the sites chosen in it. */
struct watched {
	const char *name;
	uint64_t entry;
	struct site_requirement wants[SELECTED_MAX];
	struct site sites[SELECTED_MAX];
	size_t want_count;
	size_t calls;
};

struct frame {
	struct watched *function;
	uint64_t sp, back;
	uint64_t arguments[6];
	unsigned hits[SELECTED_MAX];
};

struct tracing {
	struct watched *functions;
	size_t count;
	struct frame frames[FRAMES_MAX];
	size_t depth;
	size_t steps;
};

static void arguments_of(const struct user_regs_struct *regs, uint64_t out[6])
{
	memcpy(out, (uint64_t[]){ regs->rdi, regs->rsi, regs->rdx, regs->rcx, regs->r8, regs->r9 },
		6 * sizeof(*out));
}

static void on_entry(
	struct tracing *t, pid_t pid, struct watched *f, const struct user_regs_struct *regs)
{
	struct frame *frame = &t->frames[t->depth++];

	assert_true(t->depth <= FRAMES_MAX);
	*frame = (struct frame){ .function = f, .sp = regs->rsp };
	frame->back = (uint64_t)ptrace(PTRACE_PEEKDATA, pid, regs->rsp, 0);
	arguments_of(regs, frame->arguments);
	f->calls++;
}

static void on_site(
	struct tracing *t, struct watched *f, size_t which, const struct user_regs_struct *regs)
{
	const struct site_requirement *want = &f->wants[which];
	struct frame *frame = NULL;
	uint64_t now[6];

	for (size_t i = t->depth; i > 0 && !frame; i--)
		if (t->frames[i - 1].function == f)
			frame = &t->frames[i - 1];
	if (!frame)
		return; /* of a call that began before the tracing */
	frame->hits[which]++;
	arguments_of(regs, now);
	for (unsigned i = 0; i < 6; i++)
		if ((want->arguments & SITE_ARGUMENT(i)) && now[i] != frame->arguments[i] &&
			frame->hits[which] == 1)
			fail_msg("%s+%u (%s): argument %u is gone", f->name, f->sites[which].offset,
				f->sites[which].why, i);
	if (f->sites[which].keeps_return && frame->hits[which] == 1 && regs->rsp != frame->sp)
		fail_msg("%s+%u: the stack has moved", f->name, f->sites[which].offset);
}

static void on_return(const struct frame *frame)
{
	struct watched *f = frame->function;
	bool is_null = !frame->arguments[0];

	for (size_t i = 0; i < f->want_count; i++) {
		unsigned least = is_null && !f->sites[i].sees_null ? 0 : 1;
		unsigned most = least;

		/* NULL that was to be skipped may leave before the site, at a test it sees. */
		if (!f->sites[i].is_once)
			most = UINT32_MAX;
		if (frame->hits[i] < least || frame->hits[i] > most)
			fail_msg("%s+%u (%s, arguments %x%s%s, %s): passed %u times with %s",
				f->name, f->sites[i].offset, f->sites[i].why, f->wants[i].arguments,
				f->wants[i].needs_return ? ", return" : "",
				f->wants[i].skips_null ? ", no NULL" : "",
				f->sites[i].is_emulated ? "emulated" : "stepped", frame->hits[i],
				is_null ? "NULL" : "an argument");
	}
}

static void on_step(struct tracing *t, pid_t pid, const struct user_regs_struct *regs)
{
	while (t->depth && regs->rip == t->frames[t->depth - 1].back &&
		regs->rsp == t->frames[t->depth - 1].sp + 8)
		on_return(&t->frames[--t->depth]);
	for (size_t i = 0; i < t->count; i++) {
		struct watched *f = &t->functions[i];

		if (regs->rip - f->entry >= SITE_REACH_MAX)
			continue;
		if (regs->rip == f->entry)
			on_entry(t, pid, f, regs);
		for (size_t k = 0; k < f->want_count; k++)
			if (regs->rip == f->entry + f->sites[k].offset)
				on_site(t, f, k, regs);
	}
}

/* Steps a stopped child to its end. */
static size_t trace(pid_t pid, struct watched *functions, size_t count)
{
	struct tracing t = { .functions = functions, .count = count };
	cpu_set_t processors = one_processor_with(pid);
	struct user_regs_struct regs;
	int status = 0;

	for (;;) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) != SIGTRAP)
			fail_msg("signal %d after %zu steps", WSTOPSIG(status), t.steps);
		assert_int_equal(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
		on_step(&t, pid, &regs);
		t.steps++;
	}
	one_processor_end(&processors);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(t.depth, 0);
	return t.steps;
}

/* A child that stops, then runs this and ends. */
static pid_t start_child(void (*run)(void *), void *argument)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		run(argument);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL);
	return pid;
}

static void choose(struct watched *f, const uint8_t *code, size_t size, unsigned arguments,
	bool needs_return, bool skips_null)
{
	struct site_requirement *want = &f->wants[f->want_count];

	assert_true(f->want_count < SELECTED_MAX);
	*want = (struct site_requirement){ .arguments = (uint8_t)arguments,
		.needs_return = needs_return,
		.skips_null = skips_null,
		.kernel = KERNEL };
	site_choose(MACHINE_X86_64, code, size, want, &f->sites[f->want_count++]);
}

/* --- allocators --- */

struct allocator {
	const char *name;
	unsigned arguments;
	bool returns;  /* a block, or whether there is one */
	int glibc_236; /* where it is there; -1: the entry, stepped */
};

static const struct allocator allocators[] = {
	{ "malloc", 1, true, 0 },
	{ "calloc", 3, true, 0 },
	{ "realloc", 3, true, 0 },
	{ "free", 1, false, 9 },
	{ "posix_memalign", 7, true, 7 },
	{ "aligned_alloc", 3, true, 7 },
	{ "memalign", 3, true, 7 },
	{ "valloc", 1, true, 7 },
	{ "pvalloc", 1, true, 7 },
	{ "reallocarray", 7, true, -1 },
};

static void show(const struct watched *f)
{
	for (size_t i = 0; i < f->want_count; i++)
		print_message("  %-14s +%-3u %s%s%s: %s\n", f->name, f->sites[i].offset,
			instruction_kind_name(f->sites[i].instruction.kind),
			f->sites[i].is_emulated ? "" : ", single-stepped",
			f->sites[i].sees_null ? "" : ", NULL not seen", f->sites[i].why);
}

/* The allocators a file has, and their sites; `base` is where its address 0 is mapped. */
static size_t watch_allocators(const char *path, uint64_t base, struct watched out[WATCHED_MAX])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *names[ARRAY_SIZE(allocators)];
	struct elf_found found;
	size_t count = 0;

	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(allocators); i++)
		names[i] = allocators[i].name;
	assert_int_equal(elf_functions(fd, names, ARRAY_SIZE(names), &found), 0);
	for (size_t i = 0; i < found.count; i++) {
		unsigned which = (unsigned)elf_function_first(&found.functions[i]);
		const struct allocator *a = &allocators[which];
		struct watched *f = &out[count++];
		uint8_t code[SITE_WINDOW_MAX];
		ssize_t size = elf_code(fd, &found.functions[i], code, sizeof(code));

		assert_true(size > 0);
		*f = (struct watched){ .name = a->name,
			.entry = base + found.functions[i].address };
		choose(f, code, (size_t)size, a->arguments, a->returns, !a->returns);
		choose(f, code, (size_t)size, a->arguments, false, false);
		show(f);
	}
	return count;
}

/* So that the compiler does not see what is called. */
static void *volatile kept;

static void use_allocators(void *unused)
{
	void *blocks[16] = { 0 };
	size_t count = 0;

	(void)unused;
	for (size_t size = 1; size < 300000; size = size * 23 + 8) {
		void *(*volatile allocate)(size_t) = malloc;
		void *(*volatile zeroed)(size_t, size_t) = calloc;
		void *(*volatile again)(void *, size_t) = realloc;

		blocks[count++] = allocate(size);
		blocks[count] = zeroed(3, size);
		blocks[count] = again(blocks[count], size);
		kept = blocks[count];
		count++;
		kept = again(NULL, size);
		free(kept);
	}
	kept = NULL;
	free(kept);
	if (!posix_memalign(&blocks[count], 64, 100))
		count++;
	blocks[count++] = aligned_alloc(4096, 8192);
	kept = reallocarray(NULL, 10, 10);
	free(kept);
	for (size_t i = 0; i < count; i++)
		free(blocks[i]);
}

static void test_libc(void **state)
{
	struct watched functions[WATCHED_MAX];
	size_t count, steps;
	Dl_info info;

	(void)state;
	assert_true(dladdr(dlsym(RTLD_DEFAULT, "getpid"), &info));
	/* Under a sanitizer malloc is another's: tracing this one tells nothing of it. */
	count = watch_allocators(info.dli_fname, (uint64_t)info.dli_fbase, functions);
	assert_true(count >= 9);
	steps = trace(start_child(use_allocators, NULL), functions, count);
	for (size_t i = 0; i < count; i++)
		print_message("  %s: %zu calls\n", functions[i].name, functions[i].calls);
	print_message("  %zu steps\n", steps);
#ifdef __GLIBC__
	if (strcmp(gnu_get_libc_version(), "2.36"))
		return;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(allocators); k++) {
			const struct allocator *a = &allocators[k];

			if (strcmp(a->name, functions[i].name))
				continue;
			assert_int_equal(functions[i].sites[0].is_emulated, a->glibc_236 >= 0);
			assert_int_equal(
				functions[i].sites[0].offset, a->glibc_236 >= 0 ? a->glibc_236 : 0);
			assert_int_equal(functions[i].sites[0].sees_null, a->returns);
			/* free again, NULL included */
			if (!a->returns)
				assert_int_equal(functions[i].sites[1].offset, 3);
		}
#endif
}

/* A program on musl without its compiler's wrapper: what crt1.o would do, and some calls. */
static const char musl_program[] =
	"typedef unsigned long size_t;\n"
	"void *malloc(size_t), *calloc(size_t, size_t), *realloc(void *, size_t), free(void *);\n"
	"void *aligned_alloc(size_t, size_t), *memalign(size_t, size_t), *valloc(size_t);\n"
	"int posix_memalign(void **, size_t, size_t); void *reallocarray(void *, size_t, size_t);\n"
	"int __libc_start_main(int (*)(int, char **), int, char **);\n"
	"int main(int c, char **v) { void *p[40]; int n = 0; (void)c; (void)v;\n"
	"  for (size_t s = 1; s < 300000; s = s * 23 + 8) { p[n++] = malloc(s);\n"
	"    p[n++] = realloc(calloc(3, s), s); free(realloc(0, s)); p[n++] = memalign(64, s); }\n"
	"  free(0); posix_memalign(&p[n++], 64, 100); p[n++] = aligned_alloc(4096, 8192);\n"
	"  p[n++] = valloc(10); p[n++] = reallocarray(0, 10, 10);\n"
	"  while (n) free(p[--n]); return 0; }\n"
	"__asm__(\".globl _start\\n_start: xor %ebp,%ebp; mov %rsp,%rdi; and $-16,%rsp; call "
	"go\");\n"
	"void go(long *sp) { __libc_start_main(main, (int)*sp, (char **)(sp + 1)); }\n";

/* Where the first mapping of this process is that holds `path`. */
static uint64_t mapped_at(pid_t pid, const char *path)
{
	_cleanup_file_ FILE *maps = NULL;
	char name[64], line[512];
	uint64_t base = 0;

	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	maps = fopen(name, "r");
	assert_non_null(maps);
	while (!base && fgets(line, sizeof(line), maps))
		if (has(line, path))
			base = strtoull(line, NULL, 16);
	return base;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void remove_folder(const char *folder)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	assert_int_equal(system(command), 0);
}

static void exec_musl(void *argument)
{
	char **paths = argument;

	execl(paths[0], paths[0], paths[1], NULL);
	_exit(127);
}

static void test_musl(void **state)
{
	const char *given = getenv("SOOTH_TEST_MUSL");
	char folder[] = "/tmp/test-site-XXXXXX", command[512], path[64], source[64];
	struct watched functions[WATCHED_MAX];
	_cleanup_free_ char *libc = realpath(given ? given : "/lib/ld-musl-x86_64.so.1", NULL);
	size_t count;
	int status;
	pid_t pid;

	(void)state;
	if (!libc || system("gcc --version >/dev/null 2>&1"))
		skip();
	assert_non_null(mkdtemp(folder));
	snprintf(source, sizeof(source), "%s/a.c", folder);
	snprintf(path, sizeof(path), "%s/a", folder);
	write_file(source, musl_program);
	snprintf(command, sizeof(command),
		"gcc -O0 -w -fno-builtin -fno-stack-protector -nostdlib -pie -fPIE -o %s %s '%s'",
		path, source, libc);
	assert_int_equal(system(command), 0);
	pid = start_child(exec_musl, (char *[]){ libc, path });
	assert_int_equal(ptrace(PTRACE_CONT, pid, 0, 0), 0); /* to the end of its exec */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	count = watch_allocators(libc, mapped_at(pid, libc), functions);
	assert_true(count >= 8);
	print_message("  %zu steps\n", trace(pid, functions, count));
	for (size_t i = 0; i < count; i++) {
		print_message("  %s: %zu calls\n", functions[i].name, functions[i].calls);
		assert_true(functions[i].calls);
	}
	remove_folder(folder);
}

/* --- functions made at random --- */

#define MADE 24

#define A_SWITCH                                                                                   \
	"switch (n & 7) { case 0: r += m; break; case 1: r -= k; break; case 2: r = k * m;"        \
	" break; case 3: r = sink(r, m); break; case 4: return m; default: r ^= 1; }"

static const char *const statements[] = {
	"if (!flag) { flag = 1; sink(n, m); }",
	"r += sink(k, m);",
	"r += sink(n, k) + m;",
	"for (long i = 0; i < (n & 3); i++) r = r * 3 + (p ? p[i] : k);",
	"do { r += k; n--; } while (n > 0);",
	"while (m > k) { m -= 7; r ^= m; }",
	"if (m > k) r ^= n; else r += 5;",
	"if (p && p[n & 7] > m) return r + k;",
	A_SWITCH,
	"r += (long)((double)m * 1.5 + (double)k);",
	"{ long a[40]; for (int i = 0; i < 40; i++) a[i] = m + i; if (p) p[1] = a[n & 31]; }",
	"{ struct big { long v[12]; } x = { { m, k } }, y = x; r += y.v[n & 7]; }",
	"n = n & 3; m = k; r += n;",
	"if (p) p[2] = r;",
	"top%d: if (n > 0) { n -= 2; r += m; goto top%d; }",
	"r += count++;",
	"__asm__ volatile(\"\" ::: \"rbx\", \"r12\");",
};

static const char *const endings[] = { "return r;", "return sink(r, n);",
	"return r + (p ? p[0] : 1);", "return p ? made%d(0, n & 1, m, k) : r;" };

static void make_function(FILE *out, unsigned number, uint64_t *seed)
{
	static const char *const guards[] = { "", "if (!p) return m;", "if (!p) return 0;",
		"if (p == 0) { count++; return k; }", "if (__builtin_expect(!p, 1)) return n;" };
	size_t count = random_below(seed, 5);
	bool is_early = random_below(seed, 2);

	fprintf(out, "long made%u(long *p, long n, long m, long k)\n{\n\tlong r = 0;\n", number);
	if (is_early)
		fprintf(out, "\t%s\n", guards[random_below(seed, ARRAY_SIZE(guards))]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	for (size_t i = 0; i < count; i++) {
		const char *text = statements[random_below(seed, ARRAY_SIZE(statements))];
		int label = (int)(number * 10 + i);

		fputc('\t', out);
		fprintf(out, text, label, label);
		fputc('\n', out);
	}
	if (!is_early)
		fprintf(out, "\t%s\n", guards[random_below(seed, ARRAY_SIZE(guards))]);
	fputc('\t', out);
	fprintf(out, endings[random_below(seed, ARRAY_SIZE(endings))], number);
#pragma GCC diagnostic pop
	fputs("\n}\n", out);
}

typedef long made_function(long *, long, long, long);

static void call_made(void *argument)
{
	struct watched *functions = argument;

	for (unsigned i = 0; i < MADE; i++) {
		long values[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
		made_function *call;

		memcpy(&call, &functions[i].entry, sizeof(call));
		kept = (void *)call(values, 3, 20, 5);
		kept = (void *)call(values, 0, -1, 100);
		kept = (void *)call(NULL, 1, 2, 3);
		kept = (void *)call(NULL, 4, 30, 1);
	}
}

/* How a compilation's functions came out. */
struct outcome {
	size_t sites, emulated, without_null, loops;
};

static void watch_made(
	void *object, struct watched functions[MADE], uint64_t *seed, struct outcome *outcome)
{
	static char names[MADE][16];

	for (unsigned i = 0; i < MADE; i++) {
		struct watched *f = &functions[i];
		Dl_info info;
		void *entry;
		const uint64_t *size;
		Elf64_Sym *symbol = NULL;

		snprintf(names[i], sizeof(names[i]), "made%u", i);
		entry = dlsym(object, names[i]);
		assert_non_null(entry);
		assert_true(dladdr1(entry, &info, (void **)&symbol, RTLD_DL_SYMENT));
		size = &symbol->st_size;
		*f = (struct watched){ .name = names[i], .entry = (uint64_t)entry };
		choose(f, entry, *size, 1, false, false);
		choose(f, entry, *size, 1, false, true);
		choose(f, entry, *size, 15, true, false);
		choose(f, entry, *size, 15, false, true);
		choose(f, entry, *size, 2, false, false);
		choose(f, entry, *size, 0, false, false);
		choose(f, entry, *size, (unsigned)random_below(seed, 16), random_below(seed, 2),
			random_below(seed, 2));
		for (size_t k = 0; k < f->want_count; k++) {
			outcome->sites++;
			outcome->emulated += f->sites[k].is_emulated;
			outcome->without_null += !f->sites[k].sees_null;
			outcome->loops += !f->sites[k].is_once;
		}
	}
}

static void make_source(const char *path, uint64_t *seed)
{
	struct text source;

	text_open(&source);
	fputs("static volatile int flag; static volatile long count;\n"
	      "__attribute__((noinline)) long sink(long a, long b) { count += a; return a - b; }\n",
		source.stream);
	for (unsigned i = 0; i < MADE; i++)
		make_function(source.stream, i, seed);
	write_file(path, text_close(&source));
	text_free(&source);
}

static void check_compiled(const char *compiler, const char *options, uint64_t *seed)
{
	char folder[] = "/tmp/test-site-XXXXXX", command[512], path[64];
	struct watched functions[MADE];
	struct outcome outcome = { 0 };
	size_t steps;
	void *object;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.c", folder);
	make_source(path, seed);
	snprintf(command, sizeof(command), "cd %s && %s -w -shared -fPIC %s a.c -o a.so", folder,
		compiler, options);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/a.so", folder);
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object)
		fail_msg("%s", dlerror());
	watch_made(object, functions, seed, &outcome);
	steps = trace(start_child(call_made, functions), functions, MADE);
	print_message(
		"  %s %s: %zu sites, %zu emulated, %zu without NULL, %zu in loops, %zu steps\n",
		compiler, options, outcome.sites, outcome.emulated, outcome.without_null,
		outcome.loops, steps);
	dlclose(object);
	remove_folder(folder);
}

static void test_made(void **state)
{
	static const char *const compilers[] = { "gcc", "clang" };
	static const char *const options[] = {
		"-O0",
		"-O0 -fcf-protection",
		"-O1 -fcf-protection=none",
		"-O1 -fno-omit-frame-pointer",
		"-O2 -fcf-protection",
		"-O2 -fcf-protection=none -fno-omit-frame-pointer",
		"-O2 -fcf-protection=none -fomit-frame-pointer",
		"-Os -fcf-protection",
		"-Os -fcf-protection=none",
		"-O3 -fstack-protector-all",
	};
	const char *given = getenv("SOOTH_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 1;
	size_t found = 0;

	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(compilers); c++) {
		char command[64];

		snprintf(command, sizeof(command), "%s --version >/dev/null 2>&1", compilers[c]);
		if (system(command))
			continue;
		found++;
		for (size_t i = 0; i < ARRAY_SIZE(options); i++)
			check_compiled(compilers[c], options[i], &seed);
	}
	if (!found)
		skip();
}
#else
static void test_not_here(void **state)
{
	(void)state;
	skip();
}
#define test_libc test_not_here
#define test_musl test_not_here
#define test_made test_not_here
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_libc),
		cmocka_unit_test(test_musl),
		cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
