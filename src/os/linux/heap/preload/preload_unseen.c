/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_unseen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/units.h"
#include "os/linux/files/procfs.h"
#include "os/linux/heap/preload/preload_processes.h"

#define PROGRAMS_MAX 256
#define WAITING_MAX  1024
#define PATIENCE_NS  (150 * NS_PER_MS) /* time that a program's first call may take */

void preload_unseen_init(struct preload_unseen *u)
{
	map_init(&u->programs, sizeof(uint64_t), sizeof(bool), PROGRAMS_MAX);
	map_init(&u->waiting, sizeof(struct process_id), sizeof(uint64_t), WAITING_MAX);
}

void preload_unseen_fini(struct preload_unseen *u)
{
	map_fini(&u->programs);
	map_fini(&u->waiting);
	buffer_fini(&u->paths);
}

/* Returns whether the library is among the mapped files. */
static bool has_library(int directory)
{
	struct buffer bytes = { 0 };
	bool has = procfs_read_at(directory, "maps", &bytes, PROCFS_MAPS) >= 0 &&
		   strstr(buffer_cstr(&bytes), "/" PRELOAD_LIBRARY);

	buffer_fini(&bytes);
	return has;
}

void preload_unseen_add(struct preload_unseen *u, struct span name)
{
	uint64_t key = 0xcbf29ce484222325u;
	bool is_new = false;

	for (size_t i = 0; i < name.size; i++)
		key = (key ^ (unsigned char)name.data[i]) * 0x100000001b3u;
	if (!map_put(&u->programs, &key, &is_new) || !is_new)
		return;
	buffer_append(&u->paths, name.data, name.size);
	buffer_char(&u->paths, '\0');
}

static void report_program(struct preload_unseen *u, int directory)
{
	struct buffer path = { 0 };
	char own[PATH_MAX];
	ssize_t own_size;

	/* Until its exec the command still runs sooth. */
	own_size = readlink("/proc/self/exe", own, sizeof(own));
	if (procfs_link_at(directory, "exe", &path) >= 0 && path.size &&
		!(own_size == (ssize_t)path.size && !memcmp(own, path.data, path.size)))
		preload_unseen_add(u, span_of((const char *)path.data, path.size));
	buffer_fini(&path);
}

/* Examines a process whose program is not the one that sooth knows. The process may be about to
 * connect. */
static void examine_process(struct preload_unseen *u, pid_t pid, uint64_t now_ns)
{
	_cleanup_close_ int directory = procfs_open(pid);
	struct process_id id;
	uint64_t *since;
	bool is_new;

	if (directory < 0 || procfs_identify_at(directory, &id) || has_library(directory))
		return;
	since = map_put(&u->waiting, &id, &is_new);
	if (!since)
		return;
	if (is_new)
		*since = now_ns;
	if (now_ns - *since < PATIENCE_NS)
		return;
	report_program(u, directory);
}

static void examine_children(struct preload_run *s, int directory, pid_t pid, uint64_t now_ns)
{
	struct buffer bytes = { 0 };
	struct cursor c;
	char name[48];

	snprintf(name, sizeof(name), "task/%d/children", (int)pid);
	if (procfs_read_at(directory, name, &bytes, PROCFS_SMALL) >= 0) {
		c = cursor_over(bytes.data, bytes.size);
		while (!cursor_at_end(&c)) {
			uint64_t child = cursor_decimal(&c);

			if (!c.failed && child && !preload_find_pid(s, (uint32_t)child))
				examine_process(&s->unseen, (pid_t)child, now_ns);
			cursor_skip(&c, " ");
		}
	}
	buffer_fini(&bytes);
}

void preload_unseen_find_programs(struct preload_run *s, uint64_t now_ns)
{
	for (size_t i = 0; i < preload_process_count(s); i++) {
		const struct preload_process *p = preload_process_at(s, i);

		if (p->has_left)
			continue;
		examine_process(&s->unseen, (pid_t)p->id.pid, now_ns);
		examine_children(s, p->directory, (pid_t)p->id.pid, now_ns);
	}
}

/* Makes the file that a program opens, and closes unread, when it cannot connect. The file has a
 * byte, for processes that read all files in /tmp. */
int preload_unseen_watch(struct preload_run *s, struct sooth_error *err)
{
	char path[sizeof(s->folder) + sizeof(PRELOAD_UNSEEN) + 1];
	int fd;

	snprintf(path, sizeof(path), "%s/" PRELOAD_UNSEEN, s->folder);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
	s->marker = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0 || fchmod(fd, 0444) || write(fd, "", 1) != 1 || close(fd) || s->marker < 0 ||
		inotify_add_watch(s->marker, path, IN_OPEN | IN_ACCESS) < 0)
		return error_errno(err, -errno, "watch %s", path);
	return 0;
}

bool preload_unseen_marked(const struct preload_run *s)
{
	struct inotify_event event;
	unsigned opened = 0, was_read = 0;

	/* The kernel merges equal events in a row, and one read may return several. */
	while (read(s->marker, &event, sizeof(event)) > 0) {
		opened += (event.mask & IN_OPEN) != 0;
		was_read += (event.mask & IN_ACCESS) != 0;
	}
	return opened > was_read;
}
