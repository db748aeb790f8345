/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that may configure root: owners, modes, links and kinds, of each part of the way. As root:
 * a user owns none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/trusted.h"

#define USER  4242
#define OTHER 4343

static char top[] = "/tmp/sooth-test-trusted-XXXXXX";
static const struct trust trust = { .is_checked = true, .user = USER };
static const struct trust only_root = { .is_checked = true };

static const char *at(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void folder(const char *name, uid_t owner, mode_t mode)
{
	assert_int_equal(mkdir(at(name), 0700), 0);
	assert_int_equal(chown(at(name), owner, owner), 0);
	assert_int_equal(chmod(at(name), mode), 0);
}

static void file(const char *name, uid_t owner, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, owner, owner), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void link_to(const char *name, const char *target, uid_t owner)
{
	assert_int_equal(symlink(target, at(name)), 0);
	assert_int_equal(lchown(at(name), owner, owner), 0);
}

static int result_of(const struct trust *t, const char *path, int flags, uid_t *owner)
{
	struct sooth_error err = { 0 };
	int fd = trusted_open(t, path, flags, owner, &err);

	if (fd >= 0)
		close(fd);
	else
		assert_int_equal(fd, err.code);
	return fd < 0 ? fd : 0;
}

static int open_it(const char *name)
{
	return result_of(&trust, at(name), 0, NULL);
}

static void assert_owner(const char *name, uid_t expected)
{
	uid_t owner = 1;

	assert_int_equal(result_of(&trust, at(name), 0, &owner), 0);
	assert_int_equal(owner, expected);
}

/* --- --- */

static void test_owners(void **state)
{
	(void)state;
	folder("owners", 0, 0755);
	file("owners/root", 0, 0644);
	file("owners/user", USER, 0644);
	file("owners/other", OTHER, 0644);
	assert_owner("owners/root", 0);
	assert_owner("owners/user", USER);
	assert_int_equal(open_it("owners/other"), -EPERM);
	assert_int_equal(result_of(&only_root, at("owners/user"), 0, NULL), -EPERM);
	assert_int_equal(open_it("owners/none"), -ENOENT);
}

static void test_folders(void **state)
{
	(void)state;
	folder("home", USER, 0755);
	folder("home/sub", USER, 0755);
	file("home/sub/user", USER, 0644);
	file("home/sub/root", 0, 0644);
	assert_owner("home/sub/user", USER);
	/* A user can move a file of root into a folder of its own. */
	assert_int_equal(open_it("home/sub/root"), -EPERM);
	folder("home/of-root", 0, 0755);
	file("home/of-root/root", 0, 0644);
	assert_int_equal(open_it("home/of-root/root"), -EPERM);
	folder("foreign", OTHER, 0755);
	folder("foreign/of-root", 0, 0755);
	file("foreign/of-root/root", 0, 0644);
	assert_int_equal(open_it("foreign/of-root/root"), -EPERM);
	assert_int_equal(result_of(&only_root, at("home"), O_DIRECTORY, NULL), -EPERM);
	assert_int_equal(result_of(&trust, at("home"), O_DIRECTORY, NULL), 0);
	assert_int_equal(result_of(&trust, at("home/sub/user"), O_DIRECTORY, NULL), -ENOTDIR);
}

/* The owner of a missing file decides who would make it. */
static void test_missing(void **state)
{
	uid_t owner = 1;

	(void)state;
	assert_int_equal(result_of(&trust, at("home/none"), 0, &owner), -ENOENT);
	assert_int_equal(owner, USER);
	assert_int_equal(result_of(&trust, at("none"), 0, &owner), -ENOENT);
	assert_int_equal(owner, 0);
	folder("shared", 0, 01777);
	assert_int_equal(open_it("shared/none"), -EPERM);
}

static void test_modes(void **state)
{
	struct sooth_error err = { 0 };

	(void)state;
	folder("modes", 0, 0755);
	file("modes/group", USER, 0664);
	file("modes/all", 0, 0646);
	file("modes/group-of-root", 0, 0664);
	assert_int_equal(open_it("modes/group"), -EPERM);
	assert_int_equal(open_it("modes/all"), -EPERM);
	assert_int_equal(open_it("modes/group-of-root"), -EPERM);
	folder("modes/open", 0, 0777);
	file("modes/open/root", 0, 0644);
	assert_int_equal(open_it("modes/open/root"), -EPERM);
	folder("modes/sticky", 0, 01777);
	file("modes/sticky/root", 0, 0644);
	assert_int_equal(open_it("modes/sticky/root"), 0);
	assert_int_equal(trusted_open(&trust, at("modes/all"), 0, NULL, &err), -EPERM);
	assert_non_null(strstr(err.why, "modes/all can be written to by other users"));
	assert_non_null(strstr(err.remedy, "chmod go-w /tmp/"));
	/* A name is no part of a command to paste. */
	file("modes/a'; reboot; '", 0, 0666);
	err = (struct sooth_error){ 0 };
	assert_int_equal(trusted_open(&trust, at("modes/a'; reboot; '"), 0, NULL, &err), -EPERM);
	assert_string_equal(err.remedy, "");
}

static void test_links(void **state)
{
	(void)state;
	folder("links", 0, 0755);
	folder("links/home", USER, 0755);
	file("links/secret", 0, 0600);
	file("links/home/user", USER, 0644);
	link_to("links/root", "secret", 0);
	link_to("links/absolute", at("links/secret"), 0);
	link_to("links/up", "../links/./home/../secret", 0);
	link_to("links/folder", "home", 0);
	assert_owner("links/root", 0);
	assert_owner("links/absolute", 0);
	assert_int_equal(open_it("links/up"), -EPERM); /* by a folder of the user */
	assert_owner("links/folder/user", USER);
	/* A link of the user leads to files of the user only. */
	link_to("links/home/own", "user", USER);
	link_to("links/home/secret", "../secret", USER);
	link_to("links/home/device", "/dev/null", USER);
	assert_owner("links/home/own", USER);
	assert_int_equal(open_it("links/home/secret"), -EPERM);
	assert_int_equal(open_it("links/home/device"), -EINVAL);
	link_to("links/other", "secret", OTHER);
	assert_int_equal(open_it("links/other"), -EPERM);
	link_to("links/loop", "loop", 0);
	assert_int_equal(open_it("links/loop"), -ELOOP);
	link_to("shared/link", at("links/secret"), 0);
	assert_int_equal(open_it("shared/link"), -EPERM);
}

static void test_kinds(void **state)
{
	(void)state;
	folder("kinds", 0, 0755);
	assert_int_equal(mkfifo(at("kinds/fifo"), 0600), 0);
	assert_int_equal(open_it("kinds/fifo"), -EINVAL);
	assert_int_equal(open_it("kinds"), -EINVAL);
	assert_int_equal(open_it("kinds/fifo/x"), -ENOTDIR);
}

static void test_names(void **state)
{
	static char longest[5000];
	char here[512];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	assert_int_equal(open_it(longest), -ENAMETOOLONG);
	longest[300] = '\0';
	assert_int_equal(open_it(longest), -ENAMETOOLONG);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(at("owners")), 0);
	assert_int_equal(result_of(&trust, "root", 0, NULL), 0);
	assert_int_equal(result_of(&trust, "../owners//./other", 0, NULL), -EPERM);
	assert_int_equal(trusted_open_parent(&trust, "other", NULL, NULL) >= 0, 1);
	assert_int_equal(chdir(here), 0);
	assert_true(trusted_is_folder(&trust, "/"));
	assert_true(trusted_is_folder(&trust, at("home")));
	assert_false(trusted_is_folder(&only_root, at("home")));
	assert_true(trusted_is_place(&only_root, at("new")));
	assert_false(trusted_is_place(&only_root, at("new/new")));
	assert_false(trusted_is_place(&only_root, at("home/new")));
	assert_false(trusted_is_folder(&only_root, at("new")));
}

/* Without root's rights nothing is refused but what is no file. */
static void test_unchecked(void **state)
{
	static const struct trust none = { .is_checked = false };
	uid_t owner = 1;

	(void)state;
	assert_int_equal(result_of(&none, at("links/other"), 0, &owner), 0);
	assert_int_equal(owner, geteuid());
	assert_int_equal(result_of(&none, at("modes/all"), 0, NULL), 0);
	assert_int_equal(result_of(&none, at("kinds/fifo"), 0, NULL), -EINVAL);
	assert_int_equal(result_of(&none, at("kinds"), 0, NULL), -EINVAL);
}

/* In a folder of all users a mount may be one of a user's daemon, which says what is root's. */
static void test_mounts(void **state)
{
	(void)state;
	folder("shared/mount", 0, 0755);
	folder("mount", 0, 0755);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("none", at("shared/mount"), "tmpfs", 0, "mode=755") ||
		mount("none", at("mount"), "tmpfs", 0, "mode=755"))
		skip();
	assert_int_equal(result_of(&trust, at("shared/mount"), O_DIRECTORY, NULL), -EPERM);
	assert_int_equal(result_of(&trust, at("mount"), O_DIRECTORY, NULL), 0);
	assert_int_equal(umount(at("shared/mount")) || umount(at("mount")), 0);
}

/* --- a name that changes all the time --- */

static volatile bool is_over;

static void *exchange(void *unused)
{
	(void)unused;
	while (!is_over) {
		renameat2(AT_FDCWD, at("race/a"), AT_FDCWD, at("race/b"), 2 /* RENAME_EXCHANGE */);
	}
	return NULL;
}

/* The user swaps a file of its own and a link to one of root: it is never root's that is opened. */
static void test_race(void **state)
{
	struct sooth_error err;
	pthread_t thread;
	unsigned opened = 0;

	(void)state;
	folder("race", USER, 0755);
	file("race/a", USER, 0644);
	link_to("race/b", "../links/secret", USER);
	assert_int_equal(pthread_create(&thread, NULL, exchange, NULL), 0);
	for (int i = 0; i < 20000; i++) {
		char path[512];
		struct stat st;
		int fd;

		snprintf(path, sizeof(path), "%s/race/a", top);
		fd = trusted_open(&trust, path, 0, NULL, &err);
		if (fd < 0)
			continue;
		opened++;
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_uid, USER);
		close(fd);
	}
	is_over = true;
	pthread_join(thread, NULL);
	assert_true(opened > 0);
}

static int set_up(void **state)
{
	(void)state;
	if (geteuid())
		exit(77);
	return mkdtemp(top) && !chmod(top, 0755) ? 0 : -1;
}

static int clean_up(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unchecked),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, set_up, clean_up);
}
