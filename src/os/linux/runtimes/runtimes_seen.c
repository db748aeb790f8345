/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocators and runtimes of a process. */
#include "os/linux/runtimes/runtimes_seen.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "base/cursor.h"
#include "os/linux/runtimes/runtime_set.h"
#include "symbols/elf.h"
#include "symbols/elf_sections.h"

#define EXECUTABLES_MAX 4096
#define SCAN_MS		3000 /* some megabytes of symbols, perhaps from a slow disk */

/* Allocators, in addition to the runtimes of languages. */
static const struct runtime_signs allocators[] = {
	/* A static executable defines the function. */
	{ MAPS_GLIBC, .libraries = { "libc.so", "libc-2." /* before 2.34 */, "ld-linux" },
		.functions = { "__libc_setup_tls" } },
	{ MAPS_MUSL, .libraries = { "ld-musl", "libc.musl" }, .functions = { "__init_libc" } },
	/* The second function is exported in place of the C library's. */
	{ MAPS_MIMALLOC, .libraries = { "libmimalloc" },
		.functions = { "mi_malloc", "malloc_good_size" } },
	{ MAPS_JEMALLOC, .libraries = { "libjemalloc" },
		.functions = { "je_malloc", "je_malloc_usable_size", "_rjem_malloc" } },
	{ MAPS_TCMALLOC, .libraries = { "libtcmalloc" }, .functions = { "tc_malloc" } },
	{ MAPS_RUST, .functions = { "rust_eh_personality" } },
};

#define ALL (ARRAY_SIZE(allocators) + RUNTIMES)

_Static_assert(ALL *RUNTIME_SIGNS_MAX <= 64, "a bit each");

/* A file that was replaced or changed counts as another file. */
struct executable {
	uint64_t device, inode;
	uint64_t size, changed_s, changed_ns;
};

struct evidence {
	uint64_t functions, sections; /* bit i: the executable has the i-th name of the list */
};

void runtimes_init(struct runtimes *r)
{
	assert(r);
	map_init(&r->executables, sizeof(struct executable), sizeof(struct evidence),
		EXECUTABLES_MAX);
}

void runtimes_fini(struct runtimes *r)
{
	assert(r);
	map_fini(&r->executables);
}

static void note_runtime(struct runtimes_seen *seen, enum maps_runtime runtime, const char *format,
	int size, const char *name)
{
	char *why = seen->why[runtime];

	if (!why[0])
		snprintf(why, RUNTIMES_WHY_SIZE, format, size, name);
}

/* All names of one kind of sign, of all runtimes. */
struct sign_list {
	size_t count;
	const char *names[64];
	const struct runtime_signs *of[64];
};

/* Returns the names of the kind number `kind` in struct runtime_signs. */
static struct sign_list list_of(size_t kind)
{
	struct sign_list l = { 0 };

	for (size_t i = 0; i < ALL; i++) {
		const struct runtime_signs *of =
			i < RUNTIMES ? &runtime_table[i]->signs : &allocators[i - RUNTIMES];
		const char *const *names = (const void *)((const char *)of + kind);

		for (size_t k = 0; k < RUNTIME_SIGNS_MAX && names[k]; k++) {
			l.names[l.count] = names[k];
			l.of[l.count++] = of;
		}
	}
	return l;
}

void runtimes_see_file(struct runtimes_seen *seen, struct span path)
{
	const struct sign_list libraries = list_of(offsetof(struct runtime_signs, libraries));
	struct span name = path_base(path);

	if (name.size == path.size) /* no file's path */
		return;
	if (span_equal(name, "libc.so")) /* musl's C library and loader are one file */
		note_runtime(seen, MAPS_MUSL, "%.*s is mapped", SPAN_ARGS(name));
	for (size_t i = 0; i < libraries.count; i++) {
		size_t length = strlen(libraries.names[i]);

		if (span_starts(name, libraries.names[i]) && name.size > length &&
			strchr(".-_0123456789", name.data[length]) && span_contains(name, ".so"))
			note_runtime(
				seen, libraries.of[i]->runtime, "%.*s is mapped", SPAN_ARGS(name));
	}
}

/* --- the executable, in a call with a timeout --- */

struct scan {
	int process; /* a copy of the caller's descriptor */
	struct executable id;
	struct evidence found;
	int status;
};

/* Both scans in one go, as each file costs a process. */
static int parse_executable(int fd, void *job, struct buffer *more)
{
	struct evidence *evidence = job;
	const struct sign_list functions = list_of(offsetof(struct runtime_signs, functions)),
			       sections = list_of(offsetof(struct runtime_signs, sections));
	struct elf_found found;
	int status = elf_sections(fd, sections.names, sections.count, &evidence->sections);

	(void)more;

	/* A file for an unknown machine has no known runtime. */
	if (!status && !elf_functions(fd, functions.names, functions.count, &found)) {
		for (size_t i = 0; i < found.count; i++)
			evidence->functions |= found.functions[i].names[0];
	}
	return status;
}

/* Scans a file for signs of runtimes. O_NONBLOCK: an executable is a regular file, but a link may
 * have been replaced by something else. */
static void run_scan_job(void *argument)
{
	static const struct parser parser = { "signs of a runtime in an ELF file",
		parse_executable };
	struct scan *l = argument;
	_cleanup_close_ int fd = openat(l->process, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	l->status = fd < 0 ? -errno : parser_run(&parser, fd, &l->found, sizeof(l->found), NULL);
}

static void run_identify_job(void *argument)
{
	struct scan *l = argument;
	struct stat st;

	l->status = fstatat(l->process, "exe", &st, 0) ? -errno : 0;
	if (!l->status)
		l->id = (struct executable){ st.st_dev, st.st_ino, (uint64_t)st.st_size,
			(uint64_t)st.st_ctim.tv_sec, (uint64_t)st.st_ctim.tv_nsec };
}

static int scan_timed(
	struct timeout *timeout, int process, struct scan *l, void (*work)(void *argument))
{
	int status = timeout_call_file(timeout, work, l, sizeof(*l), process, SCAN_MS);

	return status ? status : l->status;
}

static void note_evidence(const struct evidence *e, struct runtimes_seen *seen)
{
	const struct sign_list functions = list_of(offsetof(struct runtime_signs, functions)),
			       sections = list_of(offsetof(struct runtime_signs, sections));
	uint32_t provided = 0;

	for (size_t i = 0; i < sections.count; i++)
		provided |= e->sections >> i & 1 ? sections.of[i]->provides : 0;
	for (size_t i = 0; i < functions.count; i++) {
		enum maps_runtime runtime = functions.of[i]->runtime;

		if (e->functions >> i & 1 && !(provided >> runtime & 1))
			note_runtime(seen, runtime, "the executable defines %.*s", 64,
				functions.names[i]);
	}
	for (size_t i = 0; i < sections.count; i++) {
		if (e->sections >> i & 1)
			note_runtime(seen, sections.of[i]->runtime,
				"the executable has sections %.*s", 64, sections.names[i]);
	}
}

int runtimes_see_executable(
	struct runtimes *r, struct timeout *timeout, int process, struct runtimes_seen *seen)
{
	struct scan l = { 0 };
	struct evidence *known = NULL;
	int status = scan_timed(timeout, process, &l, run_identify_job);

	assert(r);
	if (!status) {
		known = map_get(&r->executables, &l.id);
		if (!known)
			status = scan_timed(timeout, process, &l, run_scan_job);
		if (!status && !known) {
			known = map_put(&r->executables, &l.id, NULL);
			if (known)
				*known = l.found;
		}
		if (!status)
			note_evidence(known ? known : &l.found, seen);
	}
	return status;
}
