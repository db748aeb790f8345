/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the program of an exec as its thread will find it. An answer that is not certain is yes: a
 * program that loses its privilege is worse than one that is not observed. */
#include "os/linux/ptrace/exec_privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/ptrace/tracee_pieces.h"

#define INTERPRETERS_MAX 5   /* BINPRM: a script of a script ... */
#define HEAD_SIZE	 256 /* BINPRM_BUF_SIZE */

/* Returns whether an exec fails as the look-up did. Other errors may be those of this process. */
static bool is_failure(int status)
{
	return status == -ENOENT || status == -ENOTDIR || status == -ENAMETOOLONG ||
	       status == -EFAULT;
}

/* Returns whether the thread has the rights of this process to files: what this process is denied,
 * the exec is, too. */
static bool has_own_rights(const struct tracee *t)
{
	static const char *const names[] = { "Uid:", "Gid:", "Groups:", "CapEff:" };
	struct buffer own = { 0 }, other = { 0 };
	_cleanup_close_ int thread = procfs_open(t->tid);
	bool is_same = thread >= 0 && procfs_shares_namespace(thread, "ns/user") &&
		       procfs_read(getpid(), "status", &own, PROCFS_SMALL) >= 0 &&
		       tracee_read_file(t, "status", &other) >= 0;

	for (size_t i = 0; is_same && i < ARRAY_SIZE(names); i++) {
		struct span a, b;

		is_same = task_status_find(&a, names[i], own.data, own.size) &&
			  task_status_find(&b, names[i], other.data, other.size) &&
			  a.size == b.size && !memcmp(a.data, b.data, a.size);
	}
	buffer_fini(&own);
	buffer_fini(&other);
	return is_same;
}

static bool has_no_new_privileges(const struct tracee *t)
{
	struct buffer status = { 0 };
	uint64_t is_set = 0;

	if (tracee_read_file(t, "status", &status) >= 0)
		task_status_number(&is_set, "NoNewPrivs:", status.data, status.size);
	buffer_fini(&status);
	return is_set;
}

/* --- the file --- */

/* Opens a link of the thread in /proc. Returns a descriptor or a negative errno, as those below. */
static int open_link(const struct tracee *t, const char *name)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)t->tid, name);
	file = open(path, O_PATH | O_CLOEXEC);
	return file < 0 ? -errno : file;
}

/* Opens the folder in which the path begins. */
static int open_folder(const struct tracee *t, int folder, bool is_absolute)
{
	char name[32];

	if (is_absolute)
		return open_link(t, "root");
	if (folder == AT_FDCWD)
		return open_link(t, "cwd");
	snprintf(name, sizeof(name), "fd/%d", folder);
	return open_link(t, name);
}

static bool has_own_root(const struct tracee *t)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)t->tid);
	return !stat("/", &own) && !stat(path, &other) && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

/* Follows no link to an open file: /proc/self is that of this process. */
static int open_at(const struct tracee *t, int folder, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)(O_PATH | O_CLOEXEC | flags) };
	int file;

	if (*path == '/')
		how.resolve = RESOLVE_IN_ROOT;
	else
		how.resolve = RESOLVE_NO_MAGICLINKS | (has_own_root(t) ? 0 : RESOLVE_NO_SYMLINKS);
	file = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
	/* Before Linux 5.6, and in some containers, there is no openat2(2). */
	if (file < 0 && (errno == ENOSYS || errno == EPERM)) {
		while (*path == '/')
			path++;
		file = openat(folder, path, O_PATH | O_CLOEXEC | flags);
	}
	return file < 0 ? -errno : file;
}

/* Returns whether a file that this process does not find may exist for the thread: the path leads
 * through /proc, or through a link that may lead there. */
static bool may_lead_to_proc(const struct tracee *t, int folder, char *path)
{
	for (char *end = path; *end;) {
		_cleanup_close_ int file = -1;
		struct statfs system;
		char last;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		last = *end;
		*end = '\0';
		file = open_at(t, folder, path, 0);
		if (file >= 0 && (fstatfs(file, &system) || system.f_type == PROC_SUPER_MAGIC))
			return true;
		if (file < 0) {
			file = open_at(t, folder, path, O_NOFOLLOW);
			return file >= 0 || !is_failure(file);
		}
		*end = last;
	}
	return false;
}

/* Returns the name in the thread's folder in /proc if the path is that of its program, or of a
 * descriptor. */
static const char *own_link(const char *path, char name[32])
{
	static const char *const folders[] = { "/proc/self/", "/proc/thread-self/", "/dev/" };

	for (size_t i = 0; i < 3; i++) {
		size_t size = strlen(folders[i]);
		char *end = NULL;

		if (strncmp(path, folders[i], size))
			continue;
		path += size;
		if (i < 2 && !strcmp(path, "exe"))
			return "exe";
		if (strncmp(path, "fd/", 3) || path[3] < '0' || path[3] > '9')
			return NULL;
		snprintf(name, 32, "fd/%lu", strtoul(path + 3, &end, 10));
		return *end ? NULL : name;
	}
	return NULL;
}

static int open_program(const struct tracee *t, int from, char *path)
{
	_cleanup_close_ int folder = -1;
	char name[32];
	const char *link = own_link(path, name);
	int program;

	if (link)
		return open_link(t, link);
	folder = open_folder(t, from, *path == '/');
	if (folder < 0 || !*path)
		return TAKE_FD(folder);
	program = open_at(t, folder, path, 0);
	return program < 0 && is_failure(program) && may_lead_to_proc(t, folder, path) ? -EXDEV
										       : program;
}

/* --- its rights --- */

static bool has_privilege(int program)
{
	struct stat file;
	struct statvfs system;
	ssize_t bytes;
	char path[64];

	if (fstat(program, &file) || fstatvfs(program, &system))
		return true;
	if (!S_ISREG(file.st_mode) || system.f_flag & ST_NOSUID)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	bytes = getxattr(path, "security.capability", NULL, 0);
	return file.st_mode & (S_ISUID | S_ISGID) || bytes > 0 ||
	       (bytes < 0 && errno != ENODATA && errno != EOPNOTSUPP);
}

static bool may_be_run(int program)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	return !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) || errno != EACCES;
}

/* Reads the path of the interpreter of a script. Returns 1; 0: it is none; or a negative errno. */
static int read_interpreter(int program, char path[PATH_MAX])
{
	_cleanup_close_ int file = -1;
	struct stat status;
	char head[HEAD_SIZE + 1], *from = head + 2;
	ssize_t size;

	if (fstat(program, &status) || !S_ISREG(status.st_mode))
		return 0;
	snprintf(path, PATH_MAX, "/proc/self/fd/%d", program);
	file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size = file < 0 ? -1 : read(file, head, HEAD_SIZE);
	if (size < 0)
		return -errno;
	head[size] = '\0';
	if (strncmp(head, "#!", 2))
		return 0;
	from += strspn(from, " \t");
	from[strcspn(from, " \t\n")] = '\0';
	strcpy(path, from);
	return *path != '\0';
}

bool exec_may_gain_privilege(const struct tracee *t)
{
	int argument = tracee_exec_path(t), folder = AT_FDCWD, status = 1;
	char path[PATH_MAX];

	if (argument < 0 || has_no_new_privileges(t))
		return false;
	if (argument)
		folder = (int)t->arguments[0];
	tracee_read_for(NULL, (pid_t)t->process.pid, t->tid);
	errno = 0; /* stays so if only the end of the path cannot be read */
	if (!tracee_read_text(path, sizeof(path), tracee_address(t, argument)))
		return errno && errno != EFAULT;
	for (int i = 0; i <= INTERPRETERS_MAX && status > 0; i++) {
		_cleanup_close_ int program = open_program(t, folder, path);

		if (program < 0)
			return !is_failure(program) && (program != -EACCES || !has_own_rights(t));
		if (has_privilege(program))
			return may_be_run(program) || !has_own_rights(t);
		status = read_interpreter(program, path);
		folder = AT_FDCWD;
	}
	return status < 0;
}
