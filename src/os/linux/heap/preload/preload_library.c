/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/parser.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/heap/allocator_names.h"
#include "os/linux/heap/allocator_sites.h"
#include "os/linux/heap/heap_source.h"
#include "preload/layout.h"
#include "symbols/elf.h"
#include "symbols/elf_slots.h"

#define PROGRAMS_MAX	  4096
#define OPEN_MS		  500
#define ENVIRONMENT_BYTES (256u << 10)
#define SCRIPT_BYTES	  256
#define LINK_BYTES	  256

static bool is_file(const char *path)
{
	return !access(path, R_OK);
}

/* Finds the folder of sooth itself, without its slash. */
static bool find_folder(char path[PATH_MAX])
{
	ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[size > 0 ? size : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return slash;
}

/* Finds the library: beside the program, as in a build folder; else below the prefix of the
 * program; else where it was to be installed. False: there is none. */
static bool find_library(const struct probe_options *options, char path[PATH_MAX])
{
	static const char *const below[] = { "/src/preload", "/../" SOOTH_LIBRARY_FOLDER };
	char folder[PATH_MAX];

	if (options->observer.heap.preload_path)
		return snprintf(path, PATH_MAX, "%s", options->observer.heap.preload_path) <
			       PATH_MAX &&
		       is_file(path);
	for (size_t i = 0; i < ARRAY_SIZE(below) && find_folder(folder); i++) {
		if (snprintf(path, PATH_MAX, "%s%s/" PRELOAD_LIBRARY, folder, below[i]) <
				PATH_MAX &&
			is_file(path))
			return true;
	}
	snprintf(path, PATH_MAX, SOOTH_PREFIX "/" SOOTH_LIBRARY_FOLDER "/" PRELOAD_LIBRARY);
	return is_file(path);
}

bool preload_library_fits(const struct probe_options *options)
{
	char path[PATH_MAX];

	return options->is_launched && !heap_needs_kernel(options) &&
	       (options->observer.heap.preload_path || find_library(options, path));
}

static int refuse_library(const char *why, struct sooth_error *err)
{
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED,
		"observe allocations with a preloaded library");
	error_why(err, "%s", why);
	return error_remedy(err, "leave out --engine preload, or launch a command: "
				 "sooth heap --engine preload -- COMMAND");
}

int preload_library_check(
	const struct probe_options *options, char path[PATH_MAX], struct sooth_error *err)
{
	if (!options->is_launched)
		return refuse_library("the library has to be loaded when the program starts", err);
	if (heap_needs_kernel(options))
		return refuse_library("the library records every call, and sums nothing up", err);
	if (!find_library(options, path)) {
		error_set(err, -ENOENT, SOOTH_FAULT_NOT_FOUND, "find %s", path);
		error_why(err, "sooth's library is not installed at this path");
		return error_remedy(
			err, "name the library with --preload-library FILE, or use --engine bpf");
	}
	if (!strpbrk(path, ": \t\n"))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "load %s", path);
	error_why(err, "LD_PRELOAD takes no path with a colon or a blank");
	return error_remedy(err, "use --engine bpf");
}

/* --- programs --- */

void preload_programs_init(struct preload_programs *p)
{
	*p = (struct preload_programs){ 0 };
	map_init(&p->known, 2 * sizeof(uint64_t), sizeof(bool), PROGRAMS_MAX);
}

void preload_programs_fini(struct preload_programs *p)
{
	map_fini(&p->known);
	timeout_fini(&p->timeout);
}

static bool has_privileges(int fd, const struct stat *st)
{
	return st->st_mode & (S_ISUID | S_ISGID) ||
	       fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

/* Returns whether a function belongs to another allocator and is not in the library. If the library
 * had such a function, a program that looks it up would believe that the allocator is there. */
static bool is_of_others(const char *name)
{
	static const char *const prefixes[] = { "mi_", "je_", "tc_", "_rjem_", "rp" };

	for (size_t i = 0; i < allocator_name_count; i++) {
		const struct allocator_name *a = &allocator_names[i];

		if (strcmp(a->name, name))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(prefixes); k++) {
			if (!strncmp(name, prefixes[k], strlen(prefixes[k])))
				return true;
		}
		/* mallocx, dallocx, ... */
		return strlen(name) > 6 && !strcmp(name + strlen(name) - 6, "allocx");
	}
	return false;
}

static bool calls_function(int fd, bool (*is_wanted)(const char *name))
{
	struct elf_slots *slots;
	bool calls;

	if (elf_slots_open(fd, &slots))
		return false;
	calls = elf_slots_call(slots, is_wanted);
	elf_slots_close(slots);
	return calls;
}

/* Functions that begin CPython and node, in the program or its library. */
static const char *const script_starts[] = { "Py_BytesMain", "Py_RunMain", "Py_Main",
	"_ZN4node5StartEiPPc" };

static bool is_script_start(const char *name)
{
	return SPAN_ANY(span_of_string(name), span_equal, script_starts);
}

static bool runs_scripts(int fd)
{
	struct elf_found *found = calloc(1, sizeof(*found));
	bool runs = found && !elf_functions(fd, script_starts, ARRAY_SIZE(script_starts), found) &&
		    found->count;

	free(found);
	return runs || calls_function(fd, is_script_start);
}

/* Returns whether the program uses another allocator: one of its own under other names, or bound at
 * link time. */
static bool uses_others(int fd)
{
	return allocator_is_in(fd) || calls_function(fd, is_of_others);
}

/* Returns whether the program loads the library's malloc. A malloc in the program itself would come
 * first. */
static bool loads_ours(int fd)
{
	static const char *const names[] = { "malloc" };
	struct elf_found *found = calloc(1, sizeof(*found));
	bool fits = found && !elf_functions(fd, names, ARRAY_SIZE(names), found) &&
		    found->has_interpreter;

	for (size_t i = 0; fits && i < found->count; i++)
		fits = found->functions[i].source != ELF_DYNAMIC;
	free(found);
	return fits && !uses_others(fd);
}

static bool program_fits(struct preload_programs *p, int fd)
{
	struct stat st;
	uint64_t key[2];
	bool is_new, *known;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	key[0] = st.st_dev;
	key[1] = st.st_ino;
	known = map_put(&p->known, key, &is_new);
	if (known && !is_new)
		return *known;
	parser_is_urgent = true; /* the program waits */
	is_new = !has_privileges(fd, &st) && loads_ours(fd) &&
		 !(p->names_scripts && runs_scripts(fd));
	parser_is_urgent = false;
	if (known)
		*known = is_new;
	return is_new;
}

/* Reads the interpreter of a script; false: the file is no script. */
static bool read_script(int fd, char path[SCRIPT_BYTES])
{
	char line[SCRIPT_BYTES] = "";
	ssize_t size = pread(fd, line, sizeof(line) - 1, 0);
	size_t from = 2, length;

	if (size < 3 || line[0] != '#' || line[1] != '!')
		return false;
	from += strspn(line + from, " \t");
	length = strcspn(line + from, " \t\n");
	memcpy(path, line + from, length);
	path[length] = '\0';
	return true;
}

bool preload_programs_fits(struct preload_programs *p, const char *path)
{
	_cleanup_close_ int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = timed_open_regular(&p->timeout, here, path, OPEN_MS);
	char script[SCRIPT_BYTES];

	if (fd < 0)
		return false;
	if (read_script(fd, script))
		return strcmp(script, path) != 0 && preload_programs_fits(p, script);
	return program_fits(p, fd);
}

bool preload_programs_fits_as(
	struct preload_programs *p, const char *path, uint64_t device, uint64_t inode)
{
	_cleanup_close_ int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = timed_open_regular(&p->timeout, here, path, OPEN_MS);
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && st.st_dev == device && st.st_ino == inode &&
	       program_fits(p, fd);
}

static bool names_library(const struct buffer *environment, const char *library)
{
	struct cursor c = cursor_over(environment->data, environment->size);

	while (!cursor_at_end(&c)) {
		struct span one = cursor_until(&c, '\0');

		if (span_starts(one, "LD_PRELOAD=") && span_contains(one, library))
			return true;
	}
	return false;
}

/* Returns whether a link in /proc/PID is the same as sooth's own. */
static bool is_own_link(int directory, const char *name)
{
	char own_name[32], own[LINK_BYTES], its[LINK_BYTES];
	ssize_t own_size, size = readlinkat(directory, name, its, sizeof(its));

	snprintf(own_name, sizeof(own_name), "/proc/self/%s", name);
	own_size = readlink(own_name, own, sizeof(own));
	return size > 0 && size == own_size && !memcmp(own, its, (size_t)size);
}

/* Returns whether the process sees the library: its root directory or namespace may lack the file,
 * or have another one at that path. */
static bool sees_library(struct preload_programs *p, int directory, const char *library)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct stat own, its;

	if (is_own_link(directory, "root") && is_own_link(directory, "ns/mnt"))
		return true;
	if (snprintf(path, sizeof(path), "root%s", library) >= (int)sizeof(path))
		return false;
	fd = timed_open(&p->timeout, directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, OPEN_MS);
	return fd >= 0 && !fstat(fd, &its) && !stat(library, &own) && its.st_dev == own.st_dev &&
	       its.st_ino == own.st_ino;
}

bool preload_program_uses_others(struct preload_programs *p, const char *path)
{
	_cleanup_close_ int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = timed_open_regular(&p->timeout, here, path, OPEN_MS);

	bool uses;

	parser_is_urgent = true;
	uses = fd >= 0 && uses_others(fd);
	parser_is_urgent = false;
	return uses;
}

unsigned preload_filters_of(int directory)
{
	struct buffer status = { 0 };
	unsigned filters = UINT_MAX;

	if (procfs_read_at(directory, "status", &status, PROCFS_SMALL) >= 0)
		filters = task_status_filters(status.data, status.size);
	buffer_fini(&status);
	return filters;
}

unsigned preload_filters_own(void)
{
	_cleanup_close_ int directory = procfs_open(getpid());

	return directory < 0 ? UINT_MAX : preload_filters_of(directory);
}

bool preload_filters_allow(unsigned filters, unsigned own)
{
	return !filters || (filters == own && filters <= PRELOAD_FILTERS_MAX);
}

/* Returns whether the process may connect. With a seccomp filter that sooth does not have the
 * library makes no system call. Only root and the command's user, in sooth's own user namespace,
 * reach the socket. */
static bool may_connect(int directory, const struct buffer *status, uint32_t uid)
{
	struct span users;
	struct cursor own;
	uint64_t real;

	if (!preload_filters_allow(
		    task_status_filters(status->data, status->size), preload_filters_own()) ||
		!task_status_find(&users, "Uid:", status->data, status->size))
		return false;
	own = cursor_over(users.data, users.size);
	real = cursor_decimal(&own);
	return !own.failed && (real == uid || !real) && is_own_link(directory, "ns/user");
}

bool preload_programs_runs(struct preload_programs *p, pid_t pid, const char *library, uint32_t uid)
{
	_cleanup_close_ int directory = procfs_open(pid);
	struct buffer environment = { 0 }, status = { 0 };
	bool names;
	int fd;

	if (directory < 0)
		return true; /* the process is gone */
	names = timeout_read_at(&p->timeout, directory, "environ", &environment, ENVIRONMENT_BYTES,
			OPEN_MS) >= 0 &&
		names_library(&environment, library);
	names = names && procfs_read_at(directory, "status", &status, PROCFS_SMALL) >= 0 &&
		may_connect(directory, &status, uid);
	buffer_fini(&environment);
	buffer_fini(&status);
	if (!names)
		return false;
	fd = timed_open(&p->timeout, directory, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK, OPEN_MS);
	names = fd >= 0 && program_fits(p, fd) && sees_library(p, directory, library);
	if (fd >= 0)
		close(fd);
	return names;
}
