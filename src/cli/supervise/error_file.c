/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/supervise/error_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "probes/log_line.h"
#include "secrets/mask.h"

#define TAIL_BYTES 65536
#define TEXT_BYTES 200

void error_file_begin(struct error_file *f)
{
	struct stat status;

	f->is_file = !fstat(STDERR_FILENO, &status) && S_ISREG(status.st_mode);
	f->from = f->is_file ? status.st_size : 0;
}

static void find_last(struct buffer *text, struct buffer *out)
{
	struct cursor c = cursor_over(text->data, text->size);
	struct span last = { 0 };

	while (!cursor_at_end(&c)) {
		struct span bytes = cursor_line(&c);
		struct log_line line;

		log_line_read(&line, bytes, false);
		if (line.kind == LOG_LINE_ERROR)
			last = line.message;
	}
	if (last.size)
		mask_text(out, last.data, log_line_cut(last, TEXT_BYTES));
}

bool error_file_read(const struct error_file *f, struct buffer *out)
{
	_cleanup_close_ int fd = -1;
	struct buffer text = { 0 };
	struct stat status;
	ssize_t got = -1;
	off_t from;
	void *room;

	/* The descriptor may be for writing only. */
	if (f->is_file)
		fd = open("/dev/fd/2", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode))
		return false;
	/* The command may have truncated it. */
	from = status.st_size < f->from ? 0 : f->from;
	if (status.st_size - from > TAIL_BYTES)
		from = status.st_size - TAIL_BYTES;
	room = buffer_reserve(&text, TAIL_BYTES);
	if (room)
		got = pread(fd, room, TAIL_BYTES, from);
	if (got > 0) {
		buffer_commit(&text, (size_t)got);
		find_last(&text, out);
	}
	buffer_fini(&text);
	return got >= 0;
}
