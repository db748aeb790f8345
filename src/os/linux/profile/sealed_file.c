/* SPDX-License-Identifier: BSD-2-Clause */
/* Files with a checksum at their end. */
#include "os/linux/profile/sealed_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/read_at.h"

#define SEAL	  "\nsooth debug file 1 %016llx %08lx\n" /* another number: another form */
#define SEAL_SIZE (sizeof("\nsooth debug file 1 ") - 1 + 16 + 1 + 8 + 1)
#define PIECE	  (256u << 10)

_Static_assert(SEAL_SIZE <= SEALED_FILE_MORE, "SEALED_FILE_MORE");

static bool make_seal(int file, uint64_t size, char seal[SEAL_SIZE + 1])
{
	_cleanup_free_ unsigned char *piece = malloc(PIECE);
	uLong sum = crc32(0, NULL, 0);

	for (uint64_t at = 0; piece && at < size; at += PIECE) {
		size_t part = size - at < PIECE ? (size_t)(size - at) : PIECE;

		if (!read_all_at(file, piece, part, at))
			return false;
		sum = crc32(sum, piece, (uInt)part);
	}
	if (!piece)
		return false;
	snprintf(seal, SEAL_SIZE + 1, SEAL, (unsigned long long)size, (unsigned long)sum);
	return true;
}

bool sealed_file_write(int file)
{
	char seal[SEAL_SIZE + 1];
	struct stat st;

	return !fstat(file, &st) && make_seal(file, (uint64_t)st.st_size, seal) &&
	       pwrite(file, seal, SEAL_SIZE, st.st_size) == (ssize_t)SEAL_SIZE;
}

bool sealed_file_is_whole(int file)
{
	char seal[SEAL_SIZE + 1], found[SEAL_SIZE];
	struct stat st;
	uint64_t size;

	if (fstat(file, &st) || st.st_size <= (off_t)SEAL_SIZE)
		return false;
	size = (uint64_t)st.st_size - SEAL_SIZE;
	return read_all_at(file, found, sizeof(found), size) && found[0] == '\n' &&
	       make_seal(file, size, seal) && !memcmp(found, seal, SEAL_SIZE);
}
