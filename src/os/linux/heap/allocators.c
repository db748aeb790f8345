/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocators in mapped files. */
#include "os/linux/heap/allocators.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/heap.h"
#include "os/linux/files/maps.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/procfs.h"
#include "symbols/elf.h"
#include "symbols/site.h"

#define FILES_MAX     65536
#define LANDING_BYTES 4 /* of endbr64 */

/* Entries among the names that are looked up, but not probed. */
enum not_probed {
	OPERATOR_NEW = 0xfe, /* operator new(unsigned long): it throws */
	ERRNO_LOCATION = 0xff,
};

struct file_identity {
	uint64_t device;
	uint64_t inode;
};

/* Names of allocator functions: the C library's, and those that other allocators add. */
static const struct {
	const char *name;
	uint8_t function; /* enum heap_function, HEAP_PLACE_LOADER or enum not_probed */
} names[] = {
	{ "malloc", HEAP_MALLOC },
	{ "free", HEAP_FREE },
	{ "cfree", HEAP_FREE },
	{ "calloc", HEAP_CALLOC },
	{ "realloc", HEAP_REALLOC },
	{ "reallocarray", HEAP_REALLOCARRAY },
	{ "aligned_alloc", HEAP_ALIGNED_ALLOC },
	{ "posix_memalign", HEAP_POSIX_MEMALIGN },
	{ "memalign", HEAP_MEMALIGN },
	{ "valloc", HEAP_VALLOC },
	{ "pvalloc", HEAP_PVALLOC },
	{ "je_malloc", HEAP_MALLOC },
	{ "je_free", HEAP_FREE },
	{ "je_calloc", HEAP_CALLOC },
	{ "je_realloc", HEAP_REALLOC },
	{ "je_aligned_alloc", HEAP_ALIGNED_ALLOC },
	{ "je_posix_memalign", HEAP_POSIX_MEMALIGN },
	{ "je_memalign", HEAP_MEMALIGN },
	{ "je_valloc", HEAP_VALLOC },
	{ "_rjem_malloc", HEAP_MALLOC },
	{ "_rjem_free", HEAP_FREE },
	{ "_rjem_calloc", HEAP_CALLOC },
	{ "_rjem_realloc", HEAP_REALLOC },
	{ "_rjem_posix_memalign", HEAP_POSIX_MEMALIGN },
	{ "mi_malloc", HEAP_MALLOC },
	{ "mi_free", HEAP_FREE },
	{ "mi_calloc", HEAP_CALLOC },
	{ "mi_realloc", HEAP_REALLOC },
	{ "mi_reallocarray", HEAP_REALLOCARRAY },
	{ "mi_aligned_alloc", HEAP_ALIGNED_ALLOC },
	{ "mi_posix_memalign", HEAP_POSIX_MEMALIGN },
	{ "mi_memalign", HEAP_MEMALIGN },
	{ "mi_valloc", HEAP_VALLOC },
	{ "mi_pvalloc", HEAP_PVALLOC },
	{ "tc_malloc", HEAP_MALLOC },
	{ "tc_free", HEAP_FREE },
	{ "tc_calloc", HEAP_CALLOC },
	{ "tc_realloc", HEAP_REALLOC },
	{ "tc_posix_memalign", HEAP_POSIX_MEMALIGN },
	{ "tc_memalign", HEAP_MEMALIGN },
	{ "tc_valloc", HEAP_VALLOC },
	{ "tc_pvalloc", HEAP_PVALLOC },
	/* The function that debuggers set a breakpoint on (link.h, r_debug): called after
	 * libraries were loaded. */
	{ "_dl_debug_state", HEAP_PLACE_LOADER },
	{ "__errno_location", ERRNO_LOCATION },
	{ "_Znwm", OPERATOR_NEW },
};

#define NAMES_COUNT ARRAY_SIZE(names)

#if defined(__x86_64__)
#define MACHINE_HERE MACHINE_X86_64
#else
#define MACHINE_HERE MACHINE_AARCH64
#endif

_Static_assert(NAMES_COUNT <= ELF_NAMES_MAX, "a bit each");

void allocators_init(struct allocators *a)
{
	map_init(&a->files, sizeof(struct file_identity), sizeof(bool), FILES_MAX);
	a->kernel = needs_kernel_release();
}

void allocators_fini(struct allocators *a)
{
	map_fini(&a->files);
}

static uint8_t arguments_of(uint8_t function)
{
	switch (function) {
	case HEAP_MALLOC:
	case HEAP_FREE:
	case HEAP_VALLOC:
	case HEAP_PVALLOC:
		return SITE_ARGUMENT(0);
	case HEAP_POSIX_MEMALIGN:
	case HEAP_REALLOCARRAY:
		return SITE_ARGUMENT(0) | SITE_ARGUMENT(1) | SITE_ARGUMENT(2);
	case HEAP_PLACE_LOADER:
		return 0;
	default:
		return SITE_ARGUMENT(0) | SITE_ARGUMENT(1);
	}
}

/* Which name to use for an address with several: the first in this list. */
static uint8_t function_of(const struct elf_function *f)
{
	return names[__builtin_ctzll(f->names)].function;
}

static void add_site(struct allocator_file *file, enum machine machine,
	const struct elf_function *f, uint32_t kernel)
{
	uint8_t function = function_of(f);
	struct site_requirement requirement = {
		.arguments = arguments_of(function),
		.needs_return = function != HEAP_FREE && function != HEAP_PLACE_LOADER,
		.skips_null = function == HEAP_FREE,
		.kernel = kernel,
	};
	unsigned char code[SITE_WINDOW_MAX];
	ssize_t size = elf_code(file->file, f, code, sizeof(code));
	struct site site;

	if (f->is_ifunc || size <= 0 || file->count == ALLOCATOR_SITES_MAX)
		return;
	site_choose(machine, code, (size_t)size, &requirement, &site);
	if (site.is_refused)
		return;
	file->sites[file->count++] = (struct allocator_site){
		.place = function == HEAP_PLACE_LOADER ? HEAP_PLACE_LOADER
						       : HEAP_PLACE_FUNCTION + function,
		.has_return = requirement.needs_return,
		.is_emulated = site.is_emulated,
		.entry = f->offset,
		.offset = f->offset + site.offset,
		.address = f->address + site.offset,
		.why = site.why,
	};
}

static void read_errno_location(
	struct allocator_file *file, enum machine machine, const struct elf_function *f)
{
	unsigned char code[64];
	ssize_t size = elf_code(file->file, f, code, sizeof(code));

	file->has_errno = size > 0 && errno_location_decode(machine, code, (size_t)size, f->address,
					      &file->errno_location);
}

/*
 * A free that only jumps to another free: both probes would see the call. For other functions the
 * return shows that they are one call; a free has no return probe.
 */
static bool only_jumps(const struct allocator_file *file, const struct elf_found *found,
	const struct elf_function *f)
{
	unsigned char code[2 * INSTRUCTION_LENGTH_MAX];
	struct instruction i;
	size_t at = 0;
	ssize_t size;

	if (function_of(f) != HEAP_FREE)
		return false;
	size = elf_code(file->file, f, code, sizeof(code));
	if (size <= 0 || !instruction_decode(found->machine, code, (size_t)size, &i))
		return false;
	if (i.kind == INSTRUCTION_NOP || i.length == LANDING_BYTES) { /* endbr64 decodes as plain */
		at = i.length;
		if (!instruction_decode(found->machine, code + at, (size_t)size - at, &i))
			return false;
	}
	for (size_t k = 0; i.kind == INSTRUCTION_JUMP && k < found->count; k++) {
		const struct elf_function *other = &found->functions[k];

		if (other != f && function_of(other) == HEAP_FREE &&
			other->offset == f->offset + at + (uint64_t)i.target)
			return true;
	}
	return false;
}

/*
 * A local function may be called free and be something else. Local functions count as an
 * allocator's only if both malloc and free are there.
 */
static bool has_local_allocator(const struct elf_found *found)
{
	bool has_malloc = false, has_free = false;

	for (size_t i = 0; i < found->count; i++) {
		if (found->functions[i].source != ELF_LOCAL)
			continue;
		has_malloc |= function_of(&found->functions[i]) == HEAP_MALLOC;
		has_free |= function_of(&found->functions[i]) == HEAP_FREE;
	}
	return has_malloc && has_free;
}

static void find_sites(const struct allocators *a, struct allocator_file *file)
{
	const char *symbols[NAMES_COUNT];
	struct elf_found found;
	struct sooth_error ignored;
	bool takes_local;

	for (size_t i = 0; i < NAMES_COUNT; i++)
		symbols[i] = names[i].name;
	/* A file that is not ELF, or for another machine, defines no allocator that runs here. */
	if (elf_functions(file->file, symbols, NAMES_COUNT, &found, &ignored) ||
		found.machine != MACHINE_HERE)
		return;
	takes_local = has_local_allocator(&found);
	for (size_t i = 0; i < found.count; i++) {
		const struct elf_function *f = &found.functions[i];

		if (function_of(f) == ERRNO_LOCATION)
			read_errno_location(file, found.machine, f);
		else if (function_of(f) == OPERATOR_NEW)
			file->has_operator_new = true;
		else if (!only_jumps(file, &found, f) && (f->source != ELF_LOCAL || takes_local))
			add_site(file, found.machine, f, a->kernel);
	}
}

/* /proc/PID/map_files needs cap_checkpoint_restore or root; the path may lead to another file by
 * now. */
static int open_mapped(pid_t pid, const struct maps_line *m)
{
	char path[4200];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", (int)pid,
		(unsigned long long)m->from, (unsigned long long)m->to);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 || (errno != EPERM && errno != EACCES))
		return fd < 0 ? -errno : fd;
	snprintf(
		path, sizeof(path), "/proc/%d/root%.*s", (int)pid, (int)m->path.size, m->path.data);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && st.st_ino == m->inode)
		return fd;
	close(fd);
	return -ENOENT;
}

bool allocator_file_defines(const struct allocator_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		if (file->sites[i].place != HEAP_PLACE_LOADER)
			return true;
	}
	return false;
}

static int examine(struct allocators *a, pid_t pid, const struct maps_line *m,
	allocator_handler handler, void *user, struct sooth_error *err)
{
	struct file_identity identity = { makedev(m->device_major, m->device_minor), m->inode };
	struct allocator_file file = { .device = identity.device, .inode = identity.inode };
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	const bool *known;
	bool *defines;
	int status;

	if (!m->inode || !m->is_executable || !m->path.size)
		return 0;
	known = map_get(&a->files, &identity);
	if (known)
		return *known;
	fd = open_mapped(pid, m);
	if (fd < 0)
		return 0; /* unmapped since, or unreadable: nothing is known about it */
	defines = map_put(&a->files, &identity, NULL);
	if (!defines)
		return error_no_memory(err);
	path = strndup(m->path.data, m->path.size);
	if (!path)
		return error_no_memory(err);
	file.file = fd;
	file.path = path;
	find_sites(a, &file);
	*defines = allocator_file_defines(&file);
	status = file.count ? handler(user, &file, err) : 0;
	return status < 0 ? status : *defines;
}

bool allocators_know(struct allocators *a, const char *path, uint64_t device, uint64_t inode)
{
	struct file_identity identity = { device, inode };
	struct allocator_file file = { .path = path };
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (map_get(&a->files, &identity))
		return true;
	if (path[0] != '/')
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	/* In another mount namespace the path may lead to another file. */
	if (fd < 0 || fstat(fd, &st) || st.st_dev != device || st.st_ino != inode)
		return false;
	file.file = fd;
	find_sites(a, &file);
	if (allocator_file_defines(&file))
		return false; /* it has to be found in the process, and probed */
	return map_put(&a->files, &identity, NULL) != NULL;
}

/* The executable is mapped first, unless the kernel placed its interpreter below; the line of
 * /proc/PID/exe would still be one of these. */
int allocators_examine(struct allocators *a, pid_t pid, allocator_handler handler, void *user,
	struct sooth_error *err)
{
	struct buffer bytes = { 0 };
	int status = procfs_read(pid, "maps", &bytes, PROCFS_MAPS);
	struct cursor c = cursor_over(bytes.data, bytes.size);
	bool defines = false;
	struct maps_line m;

	if (status >= 0 && !bytes.size) /* a zombie */
		status = -ESRCH;
	if (status < 0)
		error_errno(err, status, "read the mappings of process %d", (int)pid);
	else
		status = 0;
	while (status >= 0 && !cursor_at_end(&c)) {
		if (maps_parse(cursor_line(&c), &m))
			status = examine(a, pid, &m, handler, user, err);
		defines |= status > 0;
	}
	buffer_fini(&bytes);
	return status < 0 ? status : defines;
}
