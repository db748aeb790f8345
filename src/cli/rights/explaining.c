/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/rights/explaining.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/rights/invoker.h"
#include "import/import.h"
#include "os/os.h"

#define OUTPUTS_MAX 128
#define FIXED_MAX   16 /* folders and files besides those of the outputs */

static const char *outputs[OUTPUTS_MAX];
static size_t output_count;
static bool has_begun;
static pid_t (*keep_pager)(void);

void explaining_note_outputs(const char *const *paths, size_t count)
{
	assert(paths || !count);
	output_count = count < OUTPUTS_MAX ? count : OUTPUTS_MAX;
	if (output_count)
		memcpy(outputs, paths, output_count * sizeof(*paths));
}

void explaining_use_pager(pid_t (*keep)(void))
{
	keep_pager = keep;
}

/* Returns the folder in which an output is made; of a device itself, as disks are devices, too. */
static char *folder_to_write(const char *path)
{
	size_t end = strlen(path);
	struct stat st;

	if (!stat(path, &st) && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return strdup(path);
	while (end > 1 && path[end - 1] == '/')
		end--;
	while (end && path[end - 1] != '/')
		end--;
	return end ? strndup(path, end) : strdup(".");
}

/* Paths of other processes, /proc/PID/root, lead nowhere afterwards: such a file is opened before,
 * and read by its descriptor. */
static struct {
	char path[PATH_MAX], name[32];
} opened;

static void open_of_process(const char *path)
{
	int fd = path && !strncmp(path, "/proc/", strlen("/proc/"))
			 ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
			 : -1;

	if (fd < 0)
		return;
	snprintf(opened.path, sizeof(opened.path), "%s", path);
	snprintf(opened.name, sizeof(opened.name), "/proc/self/fd/%d", fd);
}

static size_t add_terminals(const char **out)
{
	size_t count = 0;

	out[count++] = "/dev/null";
	out[count++] = "/dev/tty";
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		const char *name = isatty(fd) ? ttyname(fd) : NULL;

		/* They are mostly one; the next call reuses the text. */
		if (name) {
			out[count++] = name;
			break;
		}
	}
	return count;
}

static size_t add_temporary(const char **out)
{
	static const char *const variables[] = { "SQLITE_TMPDIR", "TMPDIR" };
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *folder = getenv(variables[i]);

		if (folder)
			out[count++] = folder;
	}
	out[count++] = "/var/tmp";
	out[count++] = "/tmp";
	return count;
}

static void give_up(const char *path, bool has_temporary)
{
	const char *places[OUTPUTS_MAX + FIXED_MAX];
	struct explain_only what = { .places = places };
	size_t fixed = add_terminals(places);
	gid_t gid;
	uid_t uid;

	has_begun = true;
	open_of_process(path);
	what.pager = keep_pager ? keep_pager() : 0;
	what.is_sudo = invoker_find(&uid, &gid);
	if (has_temporary)
		fixed += add_temporary(places + fixed);
	what.count = fixed;
	for (size_t i = 0; i < output_count; i++) {
		char *folder = folder_to_write(outputs[i]);

		if (folder)
			places[what.count++] = folder;
	}
	os_native.explain_only(&os_native, &what);
	while (what.count > fixed)
		free((char *)(uintptr_t)places[--what.count]);
}

/* Returns whether a file of another tool is read, whose capture is a temporary file. A FIFO is not
 * opened: its writer would take the close for the end of its reader. */
static bool is_imported(const char *path)
{
	char begin[IMPORT_BEGIN_SIZE];
	struct stat st;
	bool is_file = path && !stat(path, &st) && S_ISREG(st.st_mode);
	_cleanup_close_ int fd =
		is_file ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;

	return fd >= 0 && read(fd, begin, sizeof(begin)) == sizeof(begin) && import_accepts(begin);
}

static bool may_begin(void)
{
	return !has_begun && os_native.explain_only;
}

static const char *name_of(const char *path)
{
	return path && opened.name[0] && !strcmp(path, opened.path) ? opened.name : path;
}

const char *explaining_begin(const char *path)
{
	if (may_begin())
		give_up(path, is_imported(path));
	return name_of(path);
}

const char *explaining_begin_with_tables(const char *path)
{
	if (may_begin())
		give_up(path, true);
	return name_of(path);
}
