/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests probes on sooth's own memory. */
#include "os/linux/uprobes/uprobes_trial.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "os/linux/uprobes/tracefs.h"

#ifdef __x86_64__
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_NONE
#endif

int uprobes_check_place(const struct prober_place *place, struct sooth_error *err)
{
	unsigned long long offset = place->offset;
	struct statx file;

	/* No server is asked: the file was read just before. */
	if (statx(place->file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE,
		    &file))
		return error_errno(err, -errno, "define a probe at 0x%llx", offset);
	if (S_ISREG(file.stx_mode) && place->offset < file.stx_size)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "define a probe at 0x%llx", offset);
	if (!S_ISREG(file.stx_mode))
		return error_why(err, "the path does not name a regular file");
	return error_why(err, "the file has %llu bytes", (unsigned long long)file.stx_size);
}

/*
 * The kernel decodes an instruction once, for the first process in which it meets it, and keeps
 * the result for all others: so code for another machine must not be tried here.
 */
static bool is_own_code(int file)
{
	ElfW(Ehdr) header;

	return pread(file, &header, sizeof(header), 0) == sizeof(header) &&
	       !memcmp(header.e_ident, ELFMAG, SELFMAG) &&
	       header.e_ident[EI_CLASS] == (__ELF_NATIVE_CLASS == 64 ? ELFCLASS64 : ELFCLASS32) &&
	       header.e_machine == OWN_MACHINE;
}

int uprobes_try_places(int64_t event, const struct prober_place *places, size_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct buffer mapped = { 0 };
	void *const *pages;
	int fd;

	for (size_t i = 0; i < count; i++) {
		void *at = MAP_FAILED;

		if (is_own_code(places[i].file))
			at = mmap(NULL, page, PROT_READ, MAP_PRIVATE, places[i].file,
				(off_t)(places[i].offset & ~(uint64_t)(page - 1)));
		/* Files that cannot be mapped are not tried. */
		if (at != MAP_FAILED)
			buffer_append(&mapped, &at, sizeof(at));
	}
	fd = tracefs_event_open(event, 0, TRACEFS_THREAD);
	if (fd >= 0)
		close(fd);
	pages = (void *const *)(const void *)mapped.data;
	for (size_t i = 0; i < mapped.size / sizeof(*pages); i++)
		munmap(pages[i], page);
	buffer_fini(&mapped);
	return fd < 0 ? fd : 0;
}
