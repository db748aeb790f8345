/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in separate debug files, read in a call with a timeout. */
#include "os/linux/profile/debug_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "os/linux/files/root_file.h"
#include "os/linux/profile/confined_lines.h"
#include "os/linux/profile/sealed_file.h"

#define DEBUG_FOLDER  "/usr/lib/debug"
#define CRC_BYTES_MAX (UINT64_C(512) << 20)
#define CRC_PIECE     (256u << 10)
#define HEADERS_MAX   65536

/* --- the file --- */

/* Everything in it is a copy: if the call times out, it may still run when its caller has
 * returned. */
struct job {
	int root; /* its own descriptor; in debug_file_names_sealed() that of the file */
	struct debug_identity identity;
	char folder[PATH_MAX]; /* folder of the program */
	bool is_read;
	struct file_names names; /* last member: it has a variable length */
};

static bool has_checksum(int file, uint64_t size, uint32_t sum)
{
	_cleanup_free_ unsigned char *piece = size <= CRC_BYTES_MAX ? malloc(CRC_PIECE) : NULL;
	uLong crc = crc32(0, NULL, 0);
	ssize_t got;

	for (uint64_t at = 0; piece && at < size; at += (uint64_t)got) {
		got = pread(file, piece, CRC_PIECE, (off_t)at);
		if (got <= 0)
			return false;
		crc = crc32(crc, piece, (uInt)got);
	}
	return piece && (uint32_t)crc == sum;
}

static bool has_build_id(const struct job *job, int file, uint64_t size)
{
	struct debug_identity found;

	if (!job->identity.build_id[0])
		return has_checksum(file, size, job->identity.link_crc);
	debug_identity_read(file, &found);
	return !strcmp(found.build_id, job->identity.build_id);
}

/* Opens a file after checking its type and owner. */
static int open_checked(const struct job *job, const char *path)
{
	_cleanup_close_ int place = root_file_open(job->root, path, O_PATH);
	char name[sizeof("/proc/self/fd/-2147483648")];
	struct stat st;
	int fd;

	if (place < 0 || fstat(place, &st) || !S_ISREG(st.st_mode) || st.st_mode & 022 ||
		(st.st_uid && st.st_uid != geteuid() && st.st_uid != job->identity.owner))
		return -ENOENT;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", place);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && has_build_id(job, fd, (uint64_t)st.st_size))
		return fd;
	cleanup_close(&fd);
	return -ENOENT;
}

static void read_open(struct job *job, int file)
{
	struct file_names *n = &job->names;

	job->is_read = !elf_addresses_debug(file, n->addresses, n->count);
	if (job->is_read && n->has_lines)
		confined_lines(file, n);
}

static void read_file(struct job *job, const char *before, const char *folder, const char *name)
{
	_cleanup_close_ int file = -1;
	char path[2 * PATH_MAX];

	if (job->is_read ||
		snprintf(path, sizeof(path), "%s%s/%s", before, folder, name) >= (int)sizeof(path))
		return;
	file = open_checked(job, path);
	if (file >= 0)
		read_open(job, file);
}

static void run_open_job(void *argument)
{
	struct job *job = argument;
	const char *id = job->identity.build_id, *link = job->identity.link;
	char name[DEBUG_BUILD_ID_SIZE + 16];

	if (strlen(id) > 2) {
		snprintf(name, sizeof(name), "%.2s/%s.debug", id, id + 2);
		read_file(job, DEBUG_FOLDER, "/.build-id", name);
	}
	if (!*link)
		return;
	read_file(job, "", job->folder, link);
	if (strlen(link) < DEBUG_LINK_SIZE - 8) {
		char below[DEBUG_LINK_SIZE];

		snprintf(below, sizeof(below), ".debug/%.240s", link);
		read_file(job, "", job->folder, below);
	}
	read_file(job, DEBUG_FOLDER, job->folder, link);
}

static int check_sections(int file, void *job, struct buffer *more)
{
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(file, ELF_C_READ, NULL);
	size_t count = 0;
	struct stat st;
	bool is_sound = elf && !fstat(file, &st) && !elf_getshdrnum(elf, &count) && count > 1 &&
			count <= HEADERS_MAX;

	for (size_t i = 1; is_sound && i < count; i++) {
		uint64_t size = (uint64_t)st.st_size;
		GElf_Shdr s;

		is_sound = gelf_getshdr(elf_getscn(elf, i), &s) &&
			   (s.sh_type == SHT_NOBITS ||
				   (s.sh_size <= size && s.sh_offset <= size - s.sh_size));
	}
	elf_end(elf);
	(void)more;
	*(bool *)job = is_sound;
	return 0;
}

bool debug_file_is_sound(int file)
{
	static const struct parser parser = { "sections of a debug file", check_sections };
	bool is_sound = false;

	return !parser_run(&parser, file, &is_sound, sizeof(is_sound), NULL) && is_sound;
}

static void run_seal_job(void *argument)
{
	struct job *job = argument;

	if (job->identity.build_id[0] && sealed_file_is_whole(job->root) &&
		has_build_id(job, job->root, 0) && debug_file_is_sound(job->root))
		read_open(job, job->root);
}

static bool call_timed(struct timeout *timeout, void (*work)(void *), struct job *job, int kept,
	struct file_names *names)
{
	size_t size = offsetof(struct job, names) + file_names_size(names);

	memcpy(&job->names, names, file_names_size(names));
	if (timeout_call_file(timeout, work, job, size, kept, file_names_ms(names)) ||
		!job->is_read)
		return false;
	memcpy(names, &job->names, file_names_size(names));
	return true;
}

bool debug_file_names(struct timeout *timeout, int root, const char *path,
	const struct debug_identity *identity, struct file_names *names)
{
	_cleanup_free_ struct job *job =
		calloc(1, offsetof(struct job, names) + file_names_size(names));
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!job || (!identity->build_id[0] && !identity->link[0]))
		return false;
	job->identity = *identity;
	if (slash && (size_t)(slash - path) < sizeof(job->folder))
		memcpy(job->folder, path, (size_t)(slash - path));
	return call_timed(timeout, run_open_job, job, root, names);
}

bool debug_file_names_sealed(struct timeout *timeout, int file,
	const struct debug_identity *identity, struct file_names *names)
{
	_cleanup_free_ struct job *job =
		calloc(1, offsetof(struct job, names) + file_names_size(names));

	if (!job)
		return false;
	job->identity = *identity;
	return call_timed(timeout, run_seal_job, job, file, names);
}
