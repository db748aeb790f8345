/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides by the first bytes of a file how to convert it. */
#include "import/import.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_at.h"
#include "import/import_state.h"

static const unsigned char zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
static const char lines_begin[] = { '{', '"', 'p', 'i', 'd',
	'"' }; /* begin of each line of all writers */

/* Makes the converted capture, which has no name, the file that is read from now on. */
static int replace_by_capture(struct capture_file *f, FILE *capture, struct sooth_error *err)
{
	int fd, status = fflush(capture) ? -errno : 0;

	fd = status ? -1 : dup(fileno(capture));
	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0) {
		status = error_errno(err, -errno, "convert %s into a capture", f->path);
		if (fd >= 0)
			close(fd);
		return status;
	}
	close(f->fd);
	f->fd = fd;
	f->bytes = (uint64_t)lseek(fd, 0, SEEK_CUR);
	lseek(fd, 0, SEEK_SET);
	return 0;
}

_Static_assert(sizeof(lines_begin) == IMPORT_BEGIN_SIZE && sizeof(zstd_magic) < IMPORT_BEGIN_SIZE,
	"the beginnings that are compared");

static int convert_artifact(struct capture_file *f, bool is_lines, struct sooth_error *err)
{
	struct import i = { .to = tmpfile() };
	int fd = dup(f->fd), status = 0;
	FILE *from = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (!from && fd >= 0)
		close(fd);
	if (!i.to || !from)
		status = error_errno(err, -errno, "convert %s into a capture", f->path);
	if (!status)
		status = import_memtrack(&i, from, is_lines, f->path, err);
	if (!status)
		status = replace_by_capture(f, i.to, err);
	if (from)
		fclose(from);
	if (i.to)
		fclose(i.to);
	buffer_fini(&i.records);
	buffer_fini(&i.bytes);
	block_encoder_fini(&i.encoder);
	return status;
}

static bool is_of_lines(const void *begin)
{
	return !memcmp(begin, lines_begin, sizeof(lines_begin));
}

bool import_accepts(const void *begin)
{
	assert(begin);
	return is_of_lines(begin) || !memcmp(begin, zstd_magic, sizeof(zstd_magic));
}

int import_open(struct capture_file *f, const char *path, struct sooth_error *err)
{
	assert(f);

	unsigned char begin[sizeof(lines_begin)];
	int status = capture_file_open(f, path, err);

	/* A pipe cannot be read ahead. */
	if (status || f->bytes < sizeof(begin) || !read_all_at(f->fd, begin, sizeof(begin), 0))
		return status;
	if (!import_accepts(begin))
		return 0;
	status = convert_artifact(f, is_of_lines(begin), err);
	if (status)
		capture_file_close(f);
	return status;
}
