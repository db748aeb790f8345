/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/host/freezer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/host/control_groups.h"
#include "os/linux/files/limits_files.h"

#define GROUPS_MAX 1000 /* nesting depth */
#define DEPTH_MAX  32
#define PIDS_BYTES (4u << 20)
#define FREEZE_NS  (2 * NS_PER_S)
#define PAUSE_NS   (5 * NS_PER_MS)

/* Names in the two versions. */
struct freezer {
	const char *controller; /* "": version 2 */
	const char *file, *on, *off;
	const char *state_file, *state_word; /* file and word that report the frozen state */
};

static const struct freezer freezers[] = {
	{ "freezer", "freezer.state", "FROZEN", "THAWED", "freezer.state", NULL },
	{ "", "cgroup.freeze", "1", "0", "cgroup.events", "frozen" },
};

struct inside {
	const struct process_id *processes;
	size_t count, found;
	unsigned groups;
	bool has_others;
};

/* --- the processes in it --- */

static bool is_targeted(const struct inside *in, pid_t pid)
{
	struct process_id now;

	for (size_t i = 0; i < in->count; i++) {
		if ((pid_t)in->processes[i].pid == pid)
			return !procfs_identify(pid, &now) &&
			       now.start_ticks == in->processes[i].start_ticks;
	}
	return false;
}

static void read_pids(struct inside *in, int group)
{
	struct buffer text = { 0 };
	struct cursor c;

	if (procfs_read_at(group, "cgroup.procs", &text, PIDS_BYTES))
		in->has_others = true; /* it is unknown */
	c = cursor_over(text.data, text.size);
	while (!cursor_at_end(&c) && !in->has_others) {
		struct span line = cursor_line(&c);
		uint64_t pid;

		if (!span_decimal(line, &pid) || !is_targeted(in, (pid_t)pid))
			in->has_others = true; /* 0: of another pid namespace */
		else
			in->found++;
	}
	buffer_fini(&text);
}

static void check_below(struct inside *in, int group, unsigned depth)
{
	int fd = openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir || depth > DEPTH_MAX || ++in->groups > GROUPS_MAX) {
		if (!dir)
			cleanup_close(&fd);
		in->has_others = true;
		return;
	}
	read_pids(in, group);
	while (!in->has_others && (entry = readdir(dir))) {
		_cleanup_close_ int below = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		below = openat(group, entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (below >= 0)
			check_below(in, below, depth + 1);
	}
}

static bool has_only_processes(int group, const struct process_id *processes, size_t count)
{
	struct inside in = { .processes = processes, .count = count };

	check_below(&in, group, 0);
	return !in.has_others && in.found == count;
}

/* --- freezing --- */

static int write_word(int group, const char *name, const char *state_word)
{
	_cleanup_close_ int fd = openat(group, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, state_word, strlen(state_word)) < 0)
		return -errno;
	return 0;
}

static bool is_frozen_now(const struct freezer *f, int group)
{
	struct buffer text = { 0 };
	uint64_t value = 0;
	bool is_so = false;

	if (!procfs_read_at(group, f->state_file, &text, PROCFS_SMALL)) {
		struct cursor c = cursor_over(text.data, text.size);

		if (f->state_word)
			is_so = group_event_parse(&value, f->state_word, text.data, text.size) &&
				value;
		else
			is_so = span_equal(cursor_line(&c), f->on);
	}
	buffer_fini(&text);
	return is_so;
}

/* Waits until the processes are frozen, or run: each thread has to reach a point where it can stop.
 */
static bool wait_until(const struct freezer *f, int group, bool is_frozen)
{
	for (uint64_t waited = 0; waited < FREEZE_NS; waited += PAUSE_NS) {
		if (is_frozen_now(f, group) == is_frozen)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = (long)PAUSE_NS }, NULL);
	}
	return false;
}

static int set_group(const struct freezer *f, int group, const struct process_id *processes,
	size_t count, bool is_frozen, struct sooth_error *err)
{
	int status = write_word(group, f->file, is_frozen ? f->on : f->off);

	if (status)
		return error_errno(err, status, "write %s of the control group", f->file);
	if (!wait_until(f, group, is_frozen)) {
		write_word(group, f->file, f->off);
		error_set(err, -ETIMEDOUT, SOOTH_FAULT_IO, "freeze the control group");
		return error_why(err, "some processes of the group did not freeze in time");
	}
	/* Another process may have moved into the group between the check and the freezing. */
	if (is_frozen && !has_only_processes(group, processes, count)) {
		write_word(group, f->file, f->off);
		return 1;
	}
	return 0;
}

static int try_freezer(const struct freezer *f, struct control_groups *groups, int process,
	const struct process_id *processes, size_t count, bool is_frozen, char *group, size_t room,
	struct sooth_error *err)
{
	char path[GROUP_PATH_MAX];
	_cleanup_close_ int fd = control_groups_open(groups, process, f->controller, path);

	if (fd < 0)
		return 1; /* another hierarchy was checked first */
	if (is_frozen ? !has_only_processes(fd, processes, count) : !is_frozen_now(f, fd)) {
		snprintf(group, room,
			is_frozen ? "the control group also contains other processes"
				  : "the control group of the processes is not frozen");
		return 1;
	}
	snprintf(group, room, "%s", path);
	return set_group(f, fd, processes, count, is_frozen, err);
}

int freezer_set(const struct os *os, const struct process_id *processes, size_t count,
	bool is_frozen, char *group, size_t room, struct sooth_error *err)
{
	_cleanup_free_ struct control_groups *groups = calloc(1, sizeof(*groups));
	_cleanup_close_ int process = count ? procfs_open((pid_t)processes[0].pid) : -1;
	int status = 1;

	(void)os;
	snprintf(group, room, "the processes have no control group of their own");
	if (!groups)
		return error_no_memory(err);
	if (process < 0)
		return 1;
	control_groups_read_mounts(groups);
	for (size_t i = 0; i < ARRAY_SIZE(freezers) && status == 1; i++)
		status = try_freezer(&freezers[i], groups, process, processes, count, is_frozen,
			group, room, err);
	control_groups_fini(groups);
	return status;
}

enum proc_frozen freezer_read_state(struct control_groups **groups, struct span own)
{
	enum proc_frozen answer;
	char path[GROUP_PATH_MAX];

	if (!*groups) {
		*groups = calloc(1, sizeof(**groups));
		if (!*groups)
			return PROC_FROZEN_NOT_REPORTED;
		control_groups_read_mounts(*groups);
	}
	answer = (*groups)->count ? PROC_FROZEN_NO : PROC_FROZEN_NOT_REPORTED;
	for (size_t i = 0; i < ARRAY_SIZE(freezers); i++) {
		_cleanup_close_ int fd =
			control_groups_open_of(*groups, own, freezers[i].controller, path);

		if (fd >= 0 && is_frozen_now(&freezers[i], fd))
			return PROC_FROZEN_YES;
		if (fd < 0 && fd != -ENOENT)
			answer = PROC_FROZEN_NOT_REPORTED;
	}
	return answer;
}

void freezer_forget(struct control_groups **groups)
{
	if (*groups)
		control_groups_fini(*groups);
	free(*groups);
	*groups = NULL;
}
