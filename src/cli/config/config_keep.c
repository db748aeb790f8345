/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a line of a settings file. */
#include "cli/config/config_keep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/file.h"
#include "cli/config/config_files.h"
#include "cli/rights/invoker.h"

#define BYTES_MAX (64u << 10)

static bool is_line_of_setting(struct span line, const char *name)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct span word = cursor_until(&c, '=');

	while (word.size && strchr(" \t", word.data[0]))
		word = span_of(word.data + 1, word.size - 1);
	while (word.size && strchr(" \t", word.data[word.size - 1]))
		word.size--;
	return span_equal(word, name);
}

static void replace_line(struct buffer *out, struct span text, const char *name, const char *value)
{
	struct cursor c = cursor_over(text.data, text.size);
	bool is_written = !value;

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		bool is_it = is_line_of_setting(line, name);

		if (!is_it)
			buffer_format(out, "%.*s\n", (int)line.size, (const char *)line.data);
		else if (!is_written)
			buffer_format(out, "%s = %s\n", name, value);
		is_written |= is_it;
	}
	if (!is_written)
		buffer_format(out, "%s = %s\n", name, value);
}

/* Makes missing folders above the file. Opening the file reports a folder that cannot be made. */
static void make_folders(const char *path)
{
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s", path);
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(folder, 0700);
		*slash = '/';
	}
}

/* Writes the file; in a folder of the user of sudo with that user's rights, so the file stays the
 * user's. */
static int write_file(
	const char *path, uid_t owner, const struct buffer *text, struct sooth_error *err)
{
	struct out_file file = { 0 };
	struct rights before;
	int status = rights_drop_to_user(&before, owner, err);

	if (status)
		return status;
	make_folders(path);
	status = out_file_open(&file, path, false, err);
	if (!status && text->size && fwrite(text->data, text->size, 1, file.stream) != 1)
		status = error_errno(err, -EIO, "write %s", path);
	if (!status)
		status = out_file_commit(&file, err);
	out_file_close(&file);
	rights_restore(&before);
	return status;
}

int config_save(const char *path, const char *name, const char *value, struct sooth_error *err)
{
	struct buffer before = { 0 }, after = { 0 };
	uid_t owner;
	int status = config_read(&before, path, BYTES_MAX, &owner, err);

	if (status == -ENOENT || status == -ENOTDIR)
		status = 0;
	if (!status) {
		replace_line(&after, span_of((const char *)before.data, before.size), name, value);
		status = buffer_failed(&after) ? error_no_memory(err)
					       : write_file(path, owner, &after, err);
	}
	buffer_fini(&before);
	buffer_fini(&after);
	return status;
}
