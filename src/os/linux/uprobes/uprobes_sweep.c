/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds definitions by their names and removes them. */
#include "os/linux/uprobes/uprobes_sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/procfs.h"

#define RETRY_NS 10000000

struct definition {
	struct tracefs_group group;
	uint64_t event;
};

typedef void (*definition_visitor)(void *user, const struct definition *definition);

/* A line: p:sooth_<pid>_<start>_<guard>/e<number> FILE:OFFSET */
static bool parse(const char *line, size_t size, struct definition *definition)
{
	struct cursor c = cursor_over(line, size);
	uint64_t pid;

	if (!cursor_skip(&c, "p:" TRACEFS_PREFIX) && !cursor_skip(&c, "r:" TRACEFS_PREFIX))
		return false;
	pid = cursor_decimal(&c);
	c.failed |= pid > UINT32_MAX;
	definition->group.owner = (struct process_id){ .pid = (uint32_t)pid };
	c.failed |= !cursor_skip(&c, "_");
	definition->group.owner.start_ticks = cursor_decimal(&c);
	c.failed |= !cursor_skip(&c, "_");
	definition->group.guard = cursor_decimal(&c);
	c.failed |= !cursor_skip(&c, "/e");
	definition->event = cursor_decimal(&c);
	return cursor_skip(&c, " ") && !c.failed;
}

/* Each probe with a name of sooth; some are skipped when other processes remove theirs
 * meanwhile. */
static int visit(int tracefs, definition_visitor visitor, void *user)
{
	_cleanup_close_ int fd = openat(tracefs, "uprobe_events", O_RDONLY | O_CLOEXEC);
	char line[128]; /* other programs' lines may be longer: their start is enough */
	char bytes[1024];
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			struct definition definition;

			if (bytes[i] != '\n') {
				if (used < sizeof(line))
					line[used++] = bytes[i];
				continue;
			}
			if (parse(line, used, &definition))
				visitor(user, &definition);
			used = 0;
		}
	}
	return got < 0 ? -errno : 0;
}

static bool is_same(const struct definition *a, const struct definition *b)
{
	return a->group.owner.pid == b->group.owner.pid &&
	       a->group.owner.start_ticks == b->group.owner.start_ticks &&
	       a->group.guard == b->group.guard && a->event == b->event;
}

/* Every event once: its probes are adjacent. */
static void collect(void *user, const struct definition *definition)
{
	struct buffer *events = user;
	const struct definition *all = (const void *)events->data;
	size_t count = events->size / sizeof(*all);

	if (!count || !is_same(&all[count - 1], definition))
		buffer_append(events, definition, sizeof(*definition));
}

static bool is_alive(const struct process_id *process)
{
	struct process_id now;

	return !procfs_identify((pid_t)process->pid, &now) &&
	       now.start_ticks == process->start_ticks;
}

/* Owners wrote their pid in their own pid namespace. */
static bool sees_all_processes(void)
{
	struct stat ns;

	return !stat("/proc/self/ns/pid", &ns) && ns.st_ino == PID_NAMESPACE_INITIAL;
}

static void remove_dead(int tracefs, const struct definition *definition, const struct log *log)
{
	unsigned long long pid = definition->group.owner.pid;
	int code;

	if (is_alive(&definition->group.owner))
		return;
	code = tracefs_remove(tracefs, &definition->group, definition->event);
	if (!code)
		log_line(log, LOG_INFO, "removed probes that process %llu left", pid);
	else if (code != -ENOENT) /* another process's sweep was faster */
		log_line(log, LOG_WARNING, "remove probes that process %llu left: %s", pid,
			strerror(-code));
}

void uprobes_sweep_dead(int tracefs, const struct log *log)
{
	const struct definition *definitions;
	struct buffer events = { 0 };
	int code;

	if (!sees_all_processes())
		return;
	code = visit(tracefs, collect, &events);
	if (code)
		log_line(log, LOG_WARNING, "list the probes in tracefs: %s", strerror(-code));
	definitions = (const void *)events.data;
	for (size_t i = 0; i < events.size / sizeof(*definitions); i++)
		remove_dead(tracefs, &definitions[i], log);
	buffer_fini(&events);
}

static int remove_unused(int tracefs, const struct tracefs_group *group, uint64_t count)
{
	int result = 0;

	for (uint64_t event = 0; event < count; event++) {
		int code = tracefs_remove(tracefs, group, event);

		if (code && code != -ENOENT && result != -EBUSY)
			result = code;
	}
	return result;
}

int uprobes_sweep_group(
	int tracefs, const struct tracefs_group *group, uint64_t count, uint64_t timeout_ns)
{
	const struct timespec pause = { .tv_nsec = RETRY_NS };
	uint64_t begin = clock_monotonic_ns();
	int code;

	while ((code = remove_unused(tracefs, group, count)) == -EBUSY &&
		clock_monotonic_ns() - begin < timeout_ns)
		nanosleep(&pause, NULL);
	return code;
}
