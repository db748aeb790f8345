/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the program of an exec as its thread will find it. */
#include "os/linux/ptrace/exec_privilege.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/ptrace/tracee_pieces.h"

/* Opens a link of the thread in /proc. */
static int open_link(const struct tracee *t, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)t->tid, name);
	return open(path, O_PATH | O_CLOEXEC);
}

/* Opens the folder in which the path begins; execveat(2) names one. */
static int open_folder(const struct tracee *t, bool is_absolute)
{
	int folder = t->number == SYS_execveat ? (int)t->arguments[0] : AT_FDCWD;
	char name[32];

	if (is_absolute)
		return open_link(t, "root");
	if (folder == AT_FDCWD)
		return open_link(t, "cwd");
	snprintf(name, sizeof(name), "fd/%d", folder);
	return open_link(t, name);
}

static int open_program(const struct tracee *t)
{
	uint64_t from = t->arguments[t->number == SYS_execveat];
	struct open_how how = { .flags = O_PATH | O_CLOEXEC };
	_cleanup_close_ int folder = -1;
	char path[PATH_MAX];
	int program;

	if (!tracee_read_text(path, sizeof(path), from))
		return -1;
	folder = open_folder(t, *path == '/');
	if (folder < 0 || !*path)
		return TAKE_FD(folder);
	if (*path == '/')
		how.resolve = RESOLVE_IN_ROOT;
	program = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
	/* Before Linux 5.6 there is no openat2(2). */
	return program < 0 ? openat(folder, path, O_PATH | O_CLOEXEC) : program;
}

bool exec_gains_privilege(const struct tracee *t)
{
	_cleanup_close_ int program = -1;
	struct stat file;
	char path[64];

	tracee_read_for(NULL, (pid_t)t->process.pid, t->tid);
	program = open_program(t);
	if (program < 0 || fstat(program, &file))
		return false; /* the exec will fail, too */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	return (S_ISREG(file.st_mode) && file.st_mode & (S_ISUID | S_ISGID)) ||
	       getxattr(path, "security.capability", NULL, 0) > 0;
}
