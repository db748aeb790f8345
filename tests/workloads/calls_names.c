/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that take names of files, and names made to mislead. */
#include "calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/statfs.h>

static char room[8192];

static void directories(void)
{
	long fd;

	CALL(mkdirat, AT_FDCWD, P("dir"), 0755);
	told(in_calls("dir"), "AT_FDCWD, \"dir\", 0755");
	fd = CALL(openat, AT_FDCWD, P("./dir"), O_RDONLY | O_DIRECTORY, 0);
	told(in_calls("dir"), "AT_FDCWD, \"./dir\", O_RDONLY|O_DIRECTORY");
	CALL(mkdirat, fd, P("below"), 0700);
	told(in_calls("dir/below"), "%s, \"below\", 0700", fd_of(fd, "dir"));
	CALL(getdents64, fd, P(room), sizeof(room));
	told(NULL, "%s, 0x%lx, 8192", fd_of(fd, "dir"), P(room));
	CALL(fchdir, fd);
	told(NULL, "%s", fd_of(fd, "dir"));
	CALL(getcwd, P(room), sizeof(room));
	told(NULL, "\"%s\", 8192", in_calls("dir"));
	CALL(unlinkat, AT_FDCWD, P("below"), AT_REMOVEDIR);
	told(in_calls("dir/below"), "AT_FDCWD, \"below\", AT_REMOVEDIR");
	CALL(chdir, P(calls_folder));
	told(calls_folder, "\"%s\"", calls_folder);
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, "dir"));
}

static void links(void)
{
	CALL(symlinkat, P("plain"), AT_FDCWD, P("link"));
	told(in_calls("link"), "\"plain\", AT_FDCWD, \"link\"");
	CALL(readlinkat, AT_FDCWD, P("link"), P(room), 100);
	told(in_calls("link"), "AT_FDCWD, \"link\", \"plain\", 100");
	CALL(linkat, AT_FDCWD, P("plain"), AT_FDCWD, P("hard"), AT_SYMLINK_FOLLOW);
	told(in_calls("plain"), "AT_FDCWD, \"plain\", AT_FDCWD, \"hard\", AT_SYMLINK_FOLLOW");
	CALL(renameat2, AT_FDCWD, P("hard"), AT_FDCWD, P("dir"), RENAME_NOREPLACE);
	told(in_calls("hard"), "AT_FDCWD, \"hard\", AT_FDCWD, \"dir\", RENAME_NOREPLACE");
	CALL(renameat2, AT_FDCWD, P("hard"), AT_FDCWD, P("link"), RENAME_EXCHANGE);
	told(in_calls("hard"), "AT_FDCWD, \"hard\", AT_FDCWD, \"link\", RENAME_EXCHANGE");
	CALL(unlinkat, AT_FDCWD, P("hard"), 0);
	told(in_calls("hard"), "AT_FDCWD, \"hard\", 0");
}

static void looks(void)
{
	struct stat st;
	struct statfs fs;
	struct statx stx;

	CALL(newfstatat, AT_FDCWD, P("plain"), P(&st), AT_SYMLINK_NOFOLLOW);
	told(in_calls("plain"), "AT_FDCWD, \"plain\", 0x%lx, AT_SYMLINK_NOFOLLOW", P(&st));
	CALL(newfstatat, 0, P(""), P(&st), AT_EMPTY_PATH | AT_NO_AUTOMOUNT);
	told("", "%s, \"\", 0x%lx, AT_NO_AUTOMOUNT|AT_EMPTY_PATH", fd_is(0, calls_stdin), P(&st));
	CALL(statx, AT_FDCWD, P("plain"), AT_STATX_DONT_SYNC, STATX_SIZE | STATX_MTIME, P(&stx));
	told(in_calls("plain"),
		"AT_FDCWD, \"plain\", AT_STATX_DONT_SYNC, STATX_MTIME|STATX_SIZE, 0x%lx", P(&stx));
	CALL(statx, AT_FDCWD, P("plain"), AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID,
		P(&stx));
	told(in_calls("plain"),
		"AT_FDCWD, \"plain\", AT_STATX_DONT_SYNC, STATX_BASIC_STATS|STATX_MNT_ID, 0x%lx",
		P(&stx));
	CALL(statfs, P("."), P(&fs));
	told(calls_folder, "\".\", 0x%lx", P(&fs));
	CALL(faccessat, AT_FDCWD, P("plain"), R_OK | X_OK);
	told(in_calls("plain"), "AT_FDCWD, \"plain\", R_OK|X_OK");
	CALL(faccessat2, AT_FDCWD, P("plain"), F_OK, AT_EACCESS);
	told(in_calls("plain"), "AT_FDCWD, \"plain\", F_OK, AT_EACCESS");
}

static void attributes(void)
{
	struct timespec times[2] = { { 1000000000, 0 }, { 1000000001, 5 } };

	CALL(fchmodat, AT_FDCWD, P("plain"), 0604);
	told(in_calls("plain"), "AT_FDCWD, \"plain\", 0604");
	CALL(fchownat, AT_FDCWD, P("plain"), -1, -1, AT_SYMLINK_NOFOLLOW);
	told(in_calls("plain"), "AT_FDCWD, \"plain\", -1, -1, AT_SYMLINK_NOFOLLOW");
	CALL(utimensat, AT_FDCWD, P("plain"), P(times), 0);
	told(in_calls("plain"), "AT_FDCWD, \"plain\", 0x%lx, 0", P(times));
	CALL(setxattr, P("plain"), P("user.sooth"), P("value\n"), 6, 1);
	told(in_calls("plain"), "\"plain\", \"user.sooth\", \"value\\n\", 6, XATTR_CREATE");
	CALL(removexattr, P("plain"), P("user.none"));
	told(in_calls("plain"), "\"plain\", \"user.none\"");
	CALL(umask, 027);
	told(NULL, "027");
	CALL(mknodat, AT_FDCWD, P("fifo"), S_IFIFO | 0600, 0);
	told(in_calls("fifo"), "AT_FDCWD, \"fifo\", S_IFIFO|0600, 0");
}

/* The older calls, of which newer systems have only some. */
static void old_names(void)
{
#ifdef SYS_open
	struct stat st;
	long fd = CALL(open, P("old"), O_WRONLY | O_CREAT | O_EXCL, 0644);

	told(in_calls("old"), "\"old\", O_WRONLY|O_CREAT|O_EXCL, 0644");
	CALL(dup2, fd, 41);
	told(NULL, "%s, 41", fd_of(fd, "old"));
	CALL(close, 41);
	told(NULL, "%s", fd_of(41, "old"));
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, "old"));
	CALL(stat, P("old"), P(&st));
	told(in_calls("old"), "\"old\", 0x%lx", P(&st));
	CALL(lstat, P("old"), P(&st));
	told(in_calls("old"), "\"old\", 0x%lx", P(&st));
	CALL(access, P("old"), W_OK);
	told(in_calls("old"), "\"old\", W_OK");
	CALL(mkdir, P("older"), 0777);
	told(in_calls("older"), "\"older\", 0777");
	CALL(rename, P("older"), P("oldest"));
	told(in_calls("older"), "\"older\", \"oldest\"");
	CALL(rmdir, P("oldest"));
	told(in_calls("oldest"), "\"oldest\"");
	CALL(symlink, P("old"), P("soft"));
	told(in_calls("soft"), "\"old\", \"soft\"");
	CALL(readlink, P("soft"), P(room), 2);
	told(in_calls("soft"), "\"soft\", \"ol\", 2");
	CALL(link, P("old"), P("soft"));
	told(in_calls("old"), "\"old\", \"soft\"");
	CALL(chmod, P("old"), 0400);
	told(in_calls("old"), "\"old\", 0400");
	CALL(lchown, P("old"), -1, 65534);
	told(in_calls("old"), "\"old\", -1, 65534");
	CALL(unlink, P("old"));
	told(in_calls("old"), "\"old\"");
	fd = CALL(creat, P("old"), 0600);
	told(in_calls("old"), "\"old\", 0600");
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, "old"));
#endif
}

void calls_of_names(void)
{
	directories();
	links();
	looks();
	attributes();
	old_names();
}

/* --- made to mislead --- */

/* As a text, and as what a descriptor is: what would end the one need not end the other. */
static void open_misleading(const char *name, const char *written, const char *of_descriptor)
{
	long fd = CALL(openat, AT_FDCWD, P(name), O_RDONLY | O_CREAT, 0600);

	told(in_calls(written), "AT_FDCWD, \"%s\", O_RDONLY|O_CREAT, 0600", written);
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, of_descriptor));
}

static void open_hostile(const char *name, const char *written)
{
	open_misleading(name, written, written);
}

/* Nobody opens these, so their length is free. */
static void look_for_long(size_t size)
{
	memset(room, 'a', size);
	for (size_t i = 200; i < size; i += 200)
		room[i] = '/';
	room[size] = '\0';
	CALL(unlinkat, AT_FDCWD, P(room), 0);
	/* As much as is kept. */
	if (size > 1022)
		told("*", "AT_FDCWD, \"%.1022s\"..., 0", room);
	else
		told("*", "AT_FDCWD, \"%s\", 0", room);
}

void calls_of_hostile_names(void)
{
	open_hostile("line\nbreak", "line\\nbreak");
	open_hostile("\033]0;title\007\033[31mred", "\\x1b]0;title\\x07\\x1b[31mred");
	open_hostile("bad\xff\xfe\xc3", "bad\\xff\\xfe\\xc3");
	open_hostile("h\xc3\xa9t\xc3\xa9", "h\xc3\xa9t\xc3\xa9");
	open_hostile("over\xe2\x80\xaeride\xc2\x85", "over\\xe2\\x80\\xaeride\\xc2\\x85");
	open_hostile("back\\x1b\r", "back\\\\x1b\\r");
	open_misleading(") = 3<etc>", ") = 3<etc>", ") = 3<etc\\>");
	open_misleading("a\" b", "a\\\" b", "a\" b");
	look_for_long(1021);
	look_for_long(1022);
	look_for_long(1023);
	look_for_long(3000);
	look_for_long(5000);
	CALL(unlinkat, AT_FDCWD, 1, 0);
	told(NULL, "AT_FDCWD, 0x1 (not readable), 0");
	CALL(unlinkat, AT_FDCWD, 0, 0);
	told(NULL, "AT_FDCWD, NULL, 0");
}
