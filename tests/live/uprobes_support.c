/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters, places and targets; see uprobes_support.h. */
#include "uprobes_support.h"

#include <asm/ptrace.h>
#include <bpf/bpf.h>
#include <dirent.h>
#include <dlfcn.h>
#include <link.h>
#include <linux/bpf.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "symbols/site.h"
#include "uprobes_targets.h"

#ifdef __x86_64__
#define PROGRAM_COUNTER offsetof(struct pt_regs, rip)
#define OWN_MACHINE	MACHINE_X86_64
#else
#define PROGRAM_COUNTER offsetof(struct user_pt_regs, pc)
#define OWN_MACHINE	MACHINE_AARCH64
#endif

#define SLOTS 4096u

/* --- counting --- */

struct counter make_counter(bool by_place)
{
	struct counter c = { .map = bpf_map_create(
				     BPF_MAP_TYPE_ARRAY, "test_counts", 4, 8, SLOTS, NULL) };
	const struct bpf_insn code[] = {
		{ BPF_LDX | BPF_DW | BPF_MEM, 2, 1, PROGRAM_COUNTER, 0 },
		{ BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, by_place ? SLOTS - 1 : 0 },
		{ BPF_STX | BPF_W | BPF_MEM, 10, 2, -4, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4 },
		{ BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, c.map },
		{ 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 1 },
		{ BPF_STX | BPF_DW | BPF_ATOMIC, 0, 1, 0, BPF_ADD },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};

	assert_true(c.map >= 0);
	c.program = bpf_prog_load(
		BPF_PROG_TYPE_KPROBE, "test_count", "Dual BSD/GPL", code, ARRAY_SIZE(code), NULL);
	assert_true(c.program >= 0);
	return c;
}

uint64_t counted(const struct counter *c, uint64_t offset)
{
	uint32_t slot = offset % SLOTS;
	uint64_t value;

	assert_int_equal(bpf_map_lookup_elem(c->map, &slot, &value), 0);
	return value;
}

void free_counter(struct counter *c)
{
	close(c->map);
	close(c->program);
}

/* --- places --- */

struct wanted {
	uintptr_t address;
	uint64_t offset;
	char path[256];
};

static int find_segment(struct dl_phdr_info *object, size_t size, void *user)
{
	struct wanted *w = user;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t from = object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD || w->address < from ||
			w->address - from >= segment->p_filesz)
			continue;
		w->offset = w->address - from + segment->p_offset;
		snprintf(w->path, sizeof(w->path), "%s",
			*object->dlpi_name ? object->dlpi_name : "/proc/self/exe");
		return 1;
	}
	return 0;
}

static struct wanted find(const void *address)
{
	struct wanted w = { .address = (uintptr_t)address };

	assert_int_equal(dl_iterate_phdr(find_segment, &w), 1);
	return w;
}

static void places_of(struct prober_place *places, const void *const *functions, size_t count)
{
	int file = open(find(functions[0]).path, O_RDONLY | O_CLOEXEC);

	assert_true(file >= 0);
	for (size_t i = 0; i < count; i++)
		places[i] = (struct prober_place){ file, find(functions[i]).offset, 0 };
}

void probed_places(struct prober_place *places)
{
	places_of(places, probed_functions, PROBED_COUNT);
}

uint64_t refused_offset(void)
{
	return find((const void *)(uintptr_t)refused_function).offset;
}

unsigned family_places(struct prober_place *places, bool is_chosen)
{
	static const char *const names[] = { "malloc", "calloc", "realloc", "posix_memalign",
		"aligned_alloc", "free" };
	const void *functions[FAMILY_COUNT];
	unsigned behind = 0;

	_Static_assert(ARRAY_SIZE(names) == FAMILY_COUNT, "names");
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		functions[i] = dlsym(RTLD_DEFAULT, names[i]);
	places_of(places, functions, FAMILY_COUNT);
	for (size_t i = 0; i < FAMILY_COUNT && is_chosen; i++) {
		struct site_requirement want = { .needs_return = true };
		const ElfW(Sym) * symbol;
		struct site site;
		Dl_info info;

		assert_true(dladdr1(functions[i], &info, (void **)&symbol, RTLD_DL_SYMENT));
		site_choose(OWN_MACHINE, functions[i], symbol->st_size, &want, &site);
		assert_true(site.keeps_return);
		places[i].offset += site.offset;
		behind += site.offset > 0;
	}
	return behind;
}

void skip_with_own_malloc(void)
{
	/* A sanitizer's takes the calls before libc's can. */
	if (dlsym(RTLD_DEFAULT, "__asan_init") || dlsym(RTLD_DEFAULT, "__tsan_init"))
		skip();
}

/* --- what is there --- */

void await(const volatile unsigned *value, unsigned wanted)
{
	for (uint64_t begin = clock_monotonic_ns(); *value < wanted; usleep(200))
		assert_true(clock_monotonic_ns() - begin < TIMEOUT_NS);
}

void await_file(pid_t pid, const char *name, const char *text)
{
	struct buffer b = { 0 };
	uint64_t begin = clock_monotonic_ns();

	while (procfs_read(pid, name, &b, PROCFS_SMALL) ||
		!memmem(b.data, b.size, text, strlen(text)))
		assert_true(clock_monotonic_ns() - begin < TIMEOUT_NS);
	buffer_fini(&b);
}

unsigned count_files(pid_t pid, const char *folder)
{
	_cleanup_dir_ DIR *dir = NULL;
	unsigned count = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, folder);
	dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	return count;
}

/* Lines of uprobe_events in this process's names; some are passed over when others go meanwhile. */
static unsigned read_definitions(pid_t owner, pid_t *guard)
{
	_cleanup_close_ int tracefs = tracefs_open(NULL);
	_cleanup_close_ int fd = openat(tracefs, "uprobe_events", O_RDONLY | O_CLOEXEC);
	_cleanup_file_ FILE *file = fdopen(dup(fd), "r");
	unsigned count = 0;
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned long long start;
		int pid, by;

		if (sscanf(line, "%*1[pr]:sooth_%d_%llu_%d/e", &pid, &start, &by) != 3 ||
			pid != owner)
			continue;
		*guard = by;
		count++;
	}
	return count;
}

unsigned definitions(pid_t owner)
{
	unsigned most = 0;
	pid_t guard;

	for (int i = 0; i < 3; i++) {
		unsigned count = read_definitions(owner, &guard);

		most = count > most ? count : most;
	}
	return most;
}

void await_definitions(pid_t owner, unsigned count)
{
	for (uint64_t begin = clock_monotonic_ns(); definitions(owner) != count; usleep(1000))
		assert_true(clock_monotonic_ns() - begin < TIMEOUT_NS);
}

pid_t guard_of(pid_t owner)
{
	pid_t guard = 0;

	assert_true(read_definitions(owner, &guard) > 0);
	return guard;
}

static void write_line(void *user, enum log_level level, const char *line)
{
	(void)user;
	(void)level;
	fprintf(stderr, "%s\n", line);
}

static const struct log warnings = { .level = LOG_WARNING, .write = write_line };

struct uprobes *open_uprobes(void)
{
	struct sooth_error err = { 0 };
	struct uprobes *u;

	if (uprobes_open(&u, &warnings, &err))
		fail_msg("%s: %s", err.tried, err.why);
	return u;
}

unsigned define(struct uprobes *u, const struct prober_place *places, size_t count, bool is_return,
	const struct counter *counter)
{
	struct sooth_error err = { 0 };
	size_t refused;
	unsigned event;

	if (uprobes_define(u, places, count, is_return, counter->program, &event, &refused, &err))
		fail_msg("%s: %s (place %zu)", err.tried, err.why, refused);
	assert_int_equal(refused, count);
	return event;
}

unsigned attach_all(struct uprobes *u, unsigned event, pid_t pid)
{
	_cleanup_dir_ DIR *dir = NULL;
	unsigned count = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct sooth_error err = { 0 };
		pid_t tid = atoi(entry->d_name);
		int code = tid ? uprobes_attach(u, event, tid, &err) : -ESRCH;

		if (code && code != -ESRCH)
			fail_msg("%s: %s", err.tried, err.why);
		count += !code;
	}
	return count;
}

void close_uprobes(struct uprobes *u)
{
	uprobes_close(u, NULL);
	await_definitions(getpid(), 0);
}
