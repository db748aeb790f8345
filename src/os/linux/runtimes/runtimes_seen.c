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
#include "recognize/script.h"
#include "symbols/elf.h"
#include "symbols/elf_sections.h"

#define EXECUTABLES_MAX 4096
#define SCAN_MS		3000 /* some megabytes of symbols, perhaps from a slow disk */

/* The start of a library's file name; followed by ".", "-" or a digit, so that no other library
 * matches. */
static const struct {
	const char *name;
	enum maps_runtime runtime;
} libraries[] = {
	{ "libc.so", MAPS_GLIBC },
	{ "ld-linux", MAPS_GLIBC },
	{ "ld-musl", MAPS_MUSL },
	{ "libc.musl", MAPS_MUSL },
	{ "libmimalloc", MAPS_MIMALLOC },
	{ "libjemalloc", MAPS_JEMALLOC },
	{ "libtcmalloc", MAPS_TCMALLOC },
	{ "libjavascriptcoregtk", MAPS_JAVASCRIPTCORE },
	{ "libnode", MAPS_V8 },
	{ "libv8", MAPS_V8 },
	{ "libpython3", MAPS_PYTHON },
	{ "libpython2", MAPS_PYTHON },
	{ "libjvm", MAPS_JAVA },
};

/* Functions that an executable defines. A name that is a prefix of another one matches only
 * itself. */
static const struct {
	const char *name;
	enum maps_runtime runtime;
} functions[] = {
	{ "__libc_setup_tls", MAPS_GLIBC }, /* of a static executable */
	{ "__init_libc", MAPS_MUSL },	    /* the same */
	{ "mi_malloc", MAPS_MIMALLOC },
	{ "malloc_good_size", MAPS_MIMALLOC }, /* exported in place of the C library's */
	{ "je_malloc", MAPS_JEMALLOC },
	{ "je_malloc_usable_size", MAPS_JEMALLOC },
	{ "_rjem_malloc", MAPS_JEMALLOC },
	{ "tc_malloc", MAPS_TCMALLOC },
	{ "_ZN2v87Isolate10GetCurrentEv", MAPS_V8 },
	{ "_ZN2v87Isolate8AllocateEv", MAPS_V8 },
	{ "JSGlobalContextCreate", MAPS_JAVASCRIPTCORE },
	{ "rust_eh_personality", MAPS_RUST },
	{ "Py_BytesMain", MAPS_PYTHON },
	{ "Py_InitializeFromConfig", MAPS_PYTHON },
};

static const struct {
	const char *name;
	enum maps_runtime runtime;
} sections[] = {
	{ ".note.bun", MAPS_JAVASCRIPTCORE }, /* Bun uses it */
	{ ".bun", MAPS_JAVASCRIPTCORE },
	{ ".go.buildinfo", MAPS_GO },
	{ ".gopclntab", MAPS_GO },
};

_Static_assert(ARRAY_SIZE(functions) <= 64 && ARRAY_SIZE(sections) <= 64, "a bit each");

/* A file that was replaced or written to counts as another one. */
struct executable {
	uint64_t device, inode;
	uint64_t size, changed_s, changed_ns;
};

struct evidence {
	uint64_t functions, sections; /* bit i: it has the i-th one */
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

static void note(struct runtimes_seen *seen, enum maps_runtime runtime, const char *format,
	int size, const char *name)
{
	char *why = seen->why[runtime];

	if (!why[0])
		snprintf(why, RUNTIMES_WHY_SIZE, format, size, name);
}

/* libc-2.31.so, as glibc named it before 2.34 */
static bool is_old_glibc(struct span name)
{
	return span_starts(name, "libc-2.") && span_ends(name, ".so");
}

void runtimes_see_file(struct runtimes_seen *seen, struct span path)
{
	struct span name = path_base(path);

	if (name.size == path.size) /* no file's path */
		return;
	if (span_equal(name, "libc.so")) /* musl's C library and loader are this file */
		note(seen, MAPS_MUSL, "%.*s is mapped", (int)name.size, name.data);
	if (is_old_glibc(name))
		note(seen, MAPS_GLIBC, "%.*s is mapped", (int)name.size, name.data);
	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++) {
		size_t length = strlen(libraries[i].name);

		if (!span_starts(name, libraries[i].name) || name.size == length ||
			!strchr(".-_0123456789", name.data[length]) || !span_contains(name, ".so"))
			continue;
		note(seen, libraries[i].runtime, "%.*s is mapped", (int)name.size, name.data);
	}
}

/* --- the executable, in a call with a timeout --- */

struct scan {
	int process; /* its own descriptor */
	struct executable id;
	struct evidence found;
	int status;
};

static int scan_executable(struct scan *l, int fd)
{
	const char *symbols[ARRAY_SIZE(functions)], *prefixes[ARRAY_SIZE(sections)];
	struct elf_found found;
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		symbols[i] = functions[i].name;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		prefixes[i] = sections[i].name;
	status = elf_sections(fd, prefixes, ARRAY_SIZE(sections), &l->found.sections);
	/* A file for an unknown machine has no known runtime. */
	if (!status && !elf_functions(fd, symbols, ARRAY_SIZE(functions), &found, NULL)) {
		for (size_t i = 0; i < found.count; i++)
			l->found.functions |= found.functions[i].names[0];
	}
	return status;
}

/* O_NONBLOCK: an executable is a regular file, but a link may have been replaced by something
 * else. */
static void do_scan(void *argument)
{
	struct scan *l = argument;
	_cleanup_close_ int fd = openat(l->process, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	l->status = fd < 0 ? -errno : scan_executable(l, fd);
}

static void do_identify(void *argument)
{
	struct scan *l = argument;
	struct stat st;

	l->status = fstatat(l->process, "exe", &st, 0) ? -errno : 0;
	if (!l->status)
		l->id = (struct executable){ st.st_dev, st.st_ino, (uint64_t)st.st_size,
			(uint64_t)st.st_ctim.tv_sec, (uint64_t)st.st_ctim.tv_nsec };
}

static int scan(struct timeout *timeout, int process, struct scan *l, void (*work)(void *argument))
{
	int status = timeout_call_file(timeout, work, l, sizeof(*l), process, SCAN_MS);

	return status ? status : l->status;
}

/* Bun defines functions of V8's interface and runs JavaScriptCore. */
static bool has_javascriptcore(const struct evidence *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (e->sections >> i & 1 && sections[i].runtime == MAPS_JAVASCRIPTCORE)
			return true;
	}
	return false;
}

static void tell(const struct evidence *e, struct runtimes_seen *seen)
{
	bool is_no_v8 = has_javascriptcore(e);

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (e->functions >> i & 1 && !(is_no_v8 && functions[i].runtime == MAPS_V8))
			note(seen, functions[i].runtime, "the executable defines %.*s", 64,
				functions[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (e->sections >> i & 1)
			note(seen, sections[i].runtime, "the executable has sections %.*s", 64,
				sections[i].name);
	}
}

int runtimes_see_executable(
	struct runtimes *r, struct timeout *timeout, int process, struct runtimes_seen *seen)
{
	struct scan l = { 0 };
	struct evidence *known = NULL;
	int status = scan(timeout, process, &l, do_identify);

	assert(r);
	if (!status) {
		known = map_get(&r->executables, &l.id);
		if (!known)
			status = scan(timeout, process, &l, do_scan);
		if (!status && !known) {
			known = map_put(&r->executables, &l.id, NULL);
			if (known)
				*known = l.found;
		}
		if (!status)
			tell(known ? known : &l.found, seen);
	}
	return status;
}
