/* SPDX-License-Identifier: BSD-2-Clause */
/* Build ids by libelf; the file belongs to the target, so it is opened with care. */
#include "os/linux/uprobes/build_id.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NOTES_MAX 64 /* notes read per segment */

static void hexadecimal(char out[BUILD_ID_TEXT_SIZE], const unsigned char *bytes, size_t size)
{
	size = size < (BUILD_ID_TEXT_SIZE - 1) / 2 ? size : (BUILD_ID_TEXT_SIZE - 1) / 2;
	for (size_t i = 0; i < size; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int find_in_notes(Elf_Data *data, char out[BUILD_ID_TEXT_SIZE])
{
	size_t at = 0, name, contents;
	GElf_Nhdr note;

	for (int i = 0; data && i < NOTES_MAX; i++) {
		at = gelf_getnote(data, at, &note, &name, &contents);
		if (!at)
			break;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
			!memcmp((char *)data->d_buf + name, "GNU", sizeof("GNU"))) {
			hexadecimal(out, (unsigned char *)data->d_buf + contents, note.n_descsz);
			return 0;
		}
	}
	return -ENOENT;
}

static int find_in_elf(Elf *elf, char out[BUILD_ID_TEXT_SIZE])
{
	size_t count;

	if (elf_getphdrnum(elf, &count))
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_NOTE)
			continue;
		if (!find_in_notes(elf_getdata_rawchunk(elf, (int64_t)segment.p_offset,
					   segment.p_filesz, ELF_T_NHDR),
			    out))
			return 0;
	}
	return -ENOENT;
}

int build_id_read(int process, const char *path, char out[BUILD_ID_TEXT_SIZE])
{
	/* A mapped file may have been replaced by a FIFO or a device since: do not wait on it. */
	_cleanup_close_ int fd =
		openat(process, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	Elf *elf;
	int status;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -EINVAL;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return -EINVAL;
	status = elf_kind(elf) == ELF_K_ELF ? find_in_elf(elf, out) : -EINVAL;
	elf_end(elf);
	return status;
}
