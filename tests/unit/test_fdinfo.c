/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/fdinfo and mountinfo in the words of several kernels; kinds and details. */
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/fds/fd_kind.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/files/mounts.h"
#include "probes/fds.h"

static struct fdinfo parse(const char *text)
{
	struct fdinfo f;

	fdinfo_parse(&f, text, strlen(text));
	return f;
}

static void test_every_line(void **state)
{
	struct fdinfo f = parse("pos:\t1448\nflags:\t02100001\nmnt_id:\t27\nino:\t10\n");

	(void)state;
	assert_int_equal(f.has, FDINFO_FLAGS | FDINFO_MOUNT);
	assert_int_equal(f.offset, 1448);
	assert_int_equal(f.flags, 02100001);
	assert_int_equal(f.mount, 27);
	assert_int_equal(f.inode, 10);
	f = parse("eventfd-count:                1f\neventfd-id: 1\neventfd-semaphore: 1\n");
	assert_int_equal(f.count, 31);
	assert_true(f.is_semaphore);
	f = parse("clockid: 7\nticks: 0\nsettime flags: 00\nit_value: (1, 500000000)\n"
		  "it_interval: (2, 0)\n");
	assert_int_equal(f.clock, 7);
	assert_int_equal(f.next_ns, 1500000000);
	assert_int_equal(f.every_ns, 2000000000);
	f = parse("Pid:\t-1\nNSpid:\t-1\n");
	assert_int_equal(f.pid, -1);
	assert_true(f.has & FDINFO_PID);
	/* Out of range, unfinished, or not a number: not there. */
	f = parse("flags:\t9\nmnt_id:\t4294967296\nit_value: (1, 5\nPid:\tx\n");
	assert_int_equal(f.has, 0);
	assert_int_equal(f.next_ns, 0);
}

static void test_members(void **state)
{
	static const char text[] = "pos:\t0\n"
				   "tfd:        4 events:       1f data: 4  pos:0 ino:ce9a sdev:f\n"
				   "tfd:       -1 events: 1\n"
				   "tfd:        5 events: 80000001 data: ffffffffffffffff\n";
	struct cursor c = cursor_over(text, strlen(text));
	struct fdinfo_member m;

	(void)state;
	assert_int_equal(parse(text).members, 3);
	assert_true(fdinfo_next_member(&c, &m));
	assert_int_equal(m.fd, 4);
	assert_int_equal(m.events, 0x1f);
	assert_int_equal(m.inode, 0xce9a);
	assert_true(fdinfo_next_member(&c, &m));
	assert_int_equal(m.fd, 5);
	assert_int_equal(m.events, 0x80000001);
	assert_int_equal(m.inode, 0); /* before 5.2 */
	assert_false(fdinfo_next_member(&c, &m));
}

static void test_watches(void **state)
{
	static const char text[] =
		"inotify wd:a ino:3c51a sdev:fe00001 mask:fff ignored_mask:0 fhandle-bytes:8 "
		"fhandle-type:1 f_handle:1ac5030000000000\n"
		"inotify wd:2 ino:1 sdev:1 mask:1 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 "
		"f_handle:1a\n";
	struct cursor c = cursor_over(text, strlen(text));
	struct fdinfo_watch w;

	(void)state;
	assert_true(fdinfo_next_watch(&c, &w));
	assert_int_equal(w.watch, 10);
	assert_int_equal(w.inode, 0x3c51a);
	assert_int_equal(w.device_major, 254);
	assert_int_equal(w.device_minor, 1);
	assert_true(w.has_handle);
	assert_int_equal(w.handle_bytes, 8);
	assert_int_equal(w.handle[1], 0xc5);
	/* Shorter than it says. */
	assert_true(fdinfo_next_watch(&c, &w));
	assert_false(w.has_handle);
	assert_false(fdinfo_next_watch(&c, &w));
}

static struct fd_raw raw_of(const char *path, uint32_t mode)
{
	return (struct fd_raw){ .path = span_of(path, strlen(path)), .mode = mode, .links = 1 };
}

static void test_kinds(void **state)
{
	struct fd_raw r = raw_of("/tmp/x", S_IFREG);

	(void)state;
	assert_int_equal(fd_kind(&r), FDS_FILE);
	r.links = 0;
	assert_int_equal(fd_kind(&r), FDS_DELETED);
	/* A file of that name is a file. */
	r = raw_of("/memfd:x (deleted)", S_IFREG);
	assert_int_equal(fd_kind(&r), FDS_FILE);
	r.is_of_kernel = true;
	assert_int_equal(fd_kind(&r), FDS_MEMFD);
	r = raw_of("/tmp/anon_inode:[eventpoll]", S_IFREG);
	assert_int_equal(fd_kind(&r), FDS_FILE);
	r = raw_of("anon_inode:[eventpoll]", 0);
	assert_int_equal(fd_kind(&r), FDS_EPOLL);
	r = raw_of("anon_inode:[new]", 0);
	assert_int_equal(fd_kind(&r), FDS_ANONYMOUS);
	r = raw_of("net:[4026531833]", S_IFREG);
	assert_int_equal(fd_kind(&r), FDS_NAMESPACE);
	r = raw_of("pipe:[7]", S_IFIFO);
	assert_int_equal(fd_kind(&r), FDS_PIPE);
	r = raw_of("/tmp/fifo", S_IFIFO);
	assert_int_equal(fd_kind(&r), FDS_FIFO);
	r = raw_of("/mnt/dead", 0);
	r.inode_state = SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED);
	assert_int_equal(fd_kind(&r), FDS_UNKNOWN);
	r = raw_of("socket:[9]", S_IFSOCK);
	r.protocol = span_of("TCPv6", 5);
	assert_int_equal(fd_kind(&r), FDS_TCP);
	r.protocol = span_of("", 0);
	assert_int_equal(fd_kind(&r), FDS_SOCKET);
	r = raw_of("/dev/pts/3", S_IFCHR);
	r.node_major = 136;
	assert_int_equal(fd_kind(&r), FDS_PTY);
	assert_int_equal(fd_access(O_RDWR | O_PATH), FDS_ACCESS_NONE);
	assert_int_equal(fd_access(O_WRONLY | O_APPEND), FDS_ACCESS_WRITE);
}

static void assert_detail(uint8_t type, const char *info, const char *expected)
{
	struct fdinfo f = parse(info);
	struct fd_raw r = raw_of("x", 0);
	struct buffer out = { 0 };

	fd_detail(&out, type, &r, &f);
	assert_string_equal(buffer_cstr(&out), expected);
	buffer_fini(&out);
}

static void test_details(void **state)
{
	(void)state;
	assert_detail(FDS_EVENTFD, "eventfd-count: 5\n", "count 5");
	assert_detail(FDS_EVENTFD, "", "");
	assert_detail(FDS_TIMERFD, "clockid: 1\nit_value: (0, 0)\nit_interval: (0, 0)\n",
		"monotonic, not armed");
	assert_detail(FDS_TIMERFD, "clockid: 0\nit_value: (60, 0)\nit_interval: (1, 0)\n",
		"realtime, next in 1m00s, every 1.00s");
	assert_detail(
		FDS_SIGNALFD, "sigmask:\t8000000200004200\n", "SIGUSR1 SIGTERM SIGRTMIN SIGRTMAX");
	assert_detail(FDS_PIDFD, "Pid:\t42\n", "pid 42");
	assert_detail(FDS_PIDFD, "Pid:\t-1\n", "the process has ended");
	assert_detail(FDS_PIDFD, "Pid:\t0\n", "in another pid namespace");
	assert_detail(FDS_INOTIFY, "inotify wd:1 ino:1\n", "1 watch");
	assert_detail(FDS_BPF, "map_type:\t2\nmap_id:\t12\n", "map 12, type 2");
	assert_detail(
		FDS_BPF, "link_type:\titer\nlink_id:\t3\nprog_id:\t9\n", "link 3, iter, program 9");
	assert_detail(FDS_PTY, "tty-index:\t4\n", "master of pts/4");
}

static void test_mounts(void **state)
{
	static const char line[] =
		"36 35 98:3 /mnt1 /mnt\\0402\\012x rw,noatime master:1 shared:2 - "
		"ext3 /dev/root rw";
	struct buffer out = { 0 };
	struct mount_line m;

	(void)state;
	assert_true(mounts_parse(span_of(line, strlen(line)), &m));
	assert_int_equal(m.id, 36);
	assert_int_equal(m.device_major, 98);
	assert_int_equal(m.device_minor, 3);
	assert_true(span_equal(m.root, "/mnt1"));
	assert_true(span_equal(m.type, "ext3"));
	mounts_unescape(&out, m.point);
	assert_string_equal(buffer_cstr(&out), "/mnt 2\nx");
	buffer_fini(&out);
	assert_true(mounts_is_safe(m.type));
	assert_false(mounts_is_safe(span_of("fuse.sshfs", 10)));
	assert_false(mounts_is_safe(span_of("nfs4", 4)));
	assert_false(mounts_is_safe(span_of("overlay", 7)));
	assert_false(mounts_parse(span_of(line, 20), &m));
	assert_false(mounts_parse(span_of("", 0), &m));
}

static void read_mounts(struct mounts *m, const char *lines)
{
	char folder[] = "/tmp/mounts-XXXXXX", path[64];
	struct buffer scratch = { 0 };
	FILE *file;
	int at;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/mountinfo", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(lines, file);
	fclose(file);
	at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mounts_init(m);
	assert_int_equal(mounts_read(m, at, &scratch), 0);
	buffer_fini(&scratch);
	close(at);
	unlink(path);
	rmdir(folder);
}

/* A path to what is mounted below a served mount has to pass its server. */
static void test_mounts_below(void **state)
{
	static const char lines[] = "20 1 0:20 / / rw - overlay overlay rw\n"
				    "21 20 0:21 / /dev/shm rw - tmpfs tmpfs rw\n"
				    "22 20 0:22 / /net rw - nfs4 host:/x rw\n"
				    "24 23 0:24 / /net/a/b rw - ext4 /dev/sdb rw\n"
				    "23 22 0:23 / /net/a rw - tmpfs tmpfs rw\n";
	static const bool may_block[] = { true, false, true, true, true };
	struct mounts m;

	(void)state;
	read_mounts(&m, lines);
	for (uint32_t i = 0; i < 5; i++) {
		assert_non_null(mounts_get(&m, 20 + i));
		assert_int_equal(mounts_get(&m, 20 + i)->may_block, may_block[i]);
	}
	mounts_fini(&m);
}

static uint32_t mount_of(const struct mounts *m, const char *path)
{
	const struct mount *found = mounts_find(m, span_of_string(path));

	return found ? found->id : 0;
}

/* A mount hides those that were there before, at its point and below. */
static void test_mounts_find(void **state)
{
	struct mounts m;

	(void)state;
	read_mounts(&m, "20 1 0:20 / / rw - ext4 /dev/sda rw\n"
			"24 20 0:24 / /srv/data rw - fuse.x x rw\n"
			"23 20 0:23 / /srv rw - tmpfs tmpfs rw\n"
			"25 23 0:25 / /srv/data/new rw - tmpfs tmpfs rw\n"
			"27 26 0:27 / /net rw - tmpfs tmpfs rw\n"
			"26 20 0:26 / /net rw - nfs4 host:/x rw\n");
	assert_int_equal(mount_of(&m, "/"), 20);
	assert_int_equal(mount_of(&m, "/srvdata"), 20);
	assert_int_equal(mount_of(&m, "/srv"), 23);
	assert_int_equal(mount_of(&m, "/srv/data/file"), 23);
	assert_int_equal(mount_of(&m, "/srv/data/new/file"), 25);
	assert_int_equal(mount_of(&m, "/net/file"), 27);
	assert_int_equal(mount_of(&m, "pipe:[7]"), 0);
	mounts_fini(&m);
	/* The root of a process in a folder of its own is no mount, and not listed. */
	read_mounts(&m, "24 20 0:24 / /srv rw - tmpfs tmpfs rw\n");
	assert_int_equal(mount_of(&m, "/srv/file"), 24);
	assert_int_equal(mount_of(&m, "/file"), 0);
	mounts_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mounts_below),
		cmocka_unit_test(test_mounts_find),
		cmocka_unit_test(test_every_line),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_watches),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
