/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of constants: as the headers here have them, in words and back; types fit signatures. */
#include "support.h"

#include <fcntl.h>
#include <linux/fanotify.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/mempolicy.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/personality.h>
#include <linux/ptrace.h>
#include <linux/quota.h>
#include <linux/seccomp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "analyze/calls/call_written.h"
#include "probes/syscall_arguments.h"
#include "probes/syscall_set.h"

#define N(id, name)                                                                                \
	{                                                                                          \
		&flags_##id, name, #name                                                           \
	}

static const struct {
	const struct flag_table *table;
	uint64_t value;
	const char *name;
} known[] = {
	N(open, O_WRONLY),
	N(open, O_CREAT),
	N(open, O_EXCL),
	N(open, O_TRUNC),
	N(open, O_APPEND),
	N(open, O_NONBLOCK),
	N(open, O_SYNC),
	N(open, O_DSYNC),
	N(open, O_DIRECT),
	N(open, O_DIRECTORY),
	N(open, O_NOFOLLOW),
	N(open, O_CLOEXEC),
	N(open, O_PATH),
	N(open, O_TMPFILE),
	N(open, O_NOATIME),
	N(at, AT_SYMLINK_NOFOLLOW),
	N(at, AT_REMOVEDIR),
	N(at, AT_EMPTY_PATH),
	N(at, AT_SYMLINK_FOLLOW),
	N(access, R_OK),
	N(access, W_OK),
	N(access, X_OK),
	N(whence, SEEK_END),
	N(whence, SEEK_HOLE),
	N(protection, PROT_READ),
	N(protection, PROT_EXEC),
	N(mmap, MAP_PRIVATE),
	N(mmap, MAP_FIXED),
	N(mmap, MAP_ANONYMOUS),
	N(mmap, MAP_NORESERVE),
	N(mmap, MAP_STACK),
	N(mmap, MAP_HUGETLB),
	N(mmap, MAP_POPULATE),
	N(mmap, MAP_FIXED_NOREPLACE),
	N(advice, MADV_DONTNEED),
	N(advice, MADV_FREE),
	N(advice, MADV_HUGEPAGE),
	N(advice, MADV_DONTDUMP),
	N(advice, MADV_COLD),
	N(mremap, MREMAP_MAYMOVE),
	N(family, AF_UNIX),
	N(family, AF_INET),
	N(family, AF_INET6),
	N(family, AF_NETLINK),
	N(family, AF_VSOCK),
	N(family, AF_ALG),
	N(family, AF_PACKET),
	N(socket_type, SOCK_STREAM),
	N(socket_type, SOCK_DGRAM),
	N(socket_type, SOCK_NONBLOCK),
	N(socket_type, SOCK_CLOEXEC),
	N(socket_type, SOCK_SEQPACKET),
	N(message, MSG_PEEK),
	N(message, MSG_DONTWAIT),
	N(message, MSG_NOSIGNAL),
	N(message, MSG_CMSG_CLOEXEC),
	N(shutdown, SHUT_WR),
	N(level, SOL_SOCKET),
	N(socket_option, SO_REUSEADDR),
	N(socket_option, SO_KEEPALIVE),
	N(socket_option, SO_RCVBUF),
	N(socket_option, SO_PEERCRED),
	N(socket_option, SO_REUSEPORT),
	N(tcp_option, TCP_NODELAY),
	N(tcp_option, TCP_USER_TIMEOUT),
	N(tcp_option, TCP_NOTSENT_LOWAT),
	N(ip_option, IP_TTL),
	N(ip_option, IP_RECVERR),
	N(ip_option, IP_ADD_MEMBERSHIP),
	N(ipv6_option, IPV6_V6ONLY),
	N(ipv6_option, IPV6_RECVPKTINFO),
	N(fcntl, F_GETFL),
	N(fcntl, F_SETFL),
	N(fcntl, F_SETLKW),
	N(fcntl, F_DUPFD_CLOEXEC),
	N(fcntl, F_SETPIPE_SZ),
	N(fcntl, F_OFD_SETLK),
	N(epoll_op, EPOLL_CTL_MOD),
	N(epoll_events, EPOLLIN),
	N(epoll_events, EPOLLRDHUP),
	N(epoll_events, EPOLLONESHOT),
	N(poll_events, POLLOUT),
	N(poll_events, POLLNVAL),
	N(futex, FUTEX_WAKE),
	N(futex, FUTEX_WAIT_BITSET),
	N(futex, FUTEX_PRIVATE_FLAG),
	N(futex, FUTEX_CLOCK_REALTIME),
	N(clone, CLONE_VM),
	N(clone, CLONE_FILES),
	N(clone, CLONE_THREAD),
	N(clone, CLONE_VFORK),
	N(clone, CLONE_NEWNET),
	N(clone, CLONE_NEWUSER),
	N(wait, WNOHANG),
	N(wait, WUNTRACED),
	N(wait, WEXITED),
	N(signal, SIGTERM),
	N(signal, SIGCHLD),
	N(signal, SIGSYS),
	N(mask_how, SIG_BLOCK),
	N(clock, CLOCK_MONOTONIC),
	N(clock, CLOCK_BOOTTIME),
	N(timerfd_create, TFD_NONBLOCK),
	N(eventfd, EFD_SEMAPHORE),
	N(eventfd, EFD_CLOEXEC),
	N(inotify_mask, IN_MODIFY),
	N(inotify_mask, IN_MOVED_TO),
	N(inotify_mask, IN_ONLYDIR),
	N(memfd, MFD_CLOEXEC),
	N(rename, RENAME_EXCHANGE),
	N(fallocate, FALLOC_FL_PUNCH_HOLE),
	N(resource, RLIMIT_NOFILE),
	N(resource, RLIMIT_RTTIME),
	N(fadvise, POSIX_FADV_DONTNEED),
	N(mount, MS_NOSUID),
	N(mount, MS_SILENT),
	N(mount, MS_I_VERSION),
	N(mount, MS_LAZYTIME),
	N(open_tree, OPEN_TREE_CLONE),
	N(open_tree, AT_RECURSIVE),
	N(move_mount, MOVE_MOUNT_T_EMPTY_PATH),
	N(move_mount, MOVE_MOUNT_SET_GROUP),
	N(fspick, FSPICK_EMPTY_PATH),
	N(fsconfig, FSCONFIG_CMD_RECONFIGURE),
	N(fsmount, FSMOUNT_CLOEXEC),
	N(mount_attributes, MOUNT_ATTR_STRICTATIME),
	N(mount_attributes, MOUNT_ATTR_NOSYMFOLLOW),
	N(sync_file_range, SYNC_FILE_RANGE_WAIT_AFTER),
	N(file_type, S_IFSOCK),
	N(file_type, S_IFBLK),
	N(file_type, S_ISVTX),
	N(fanotify_init, FAN_CLASS_PRE_CONTENT),
	N(fanotify_init, FAN_REPORT_TARGET_FID),
	N(fanotify_mark, FAN_MARK_FILESYSTEM),
	N(fanotify_mark, FAN_MARK_EVICTABLE),
	N(fanotify_events, FAN_OPEN_EXEC_PERM),
	N(fanotify_events, FAN_ONDIR),
	N(priority, PRIO_USER),
	N(scheduler, SCHED_RR),
	N(ptrace, PTRACE_DETACH),
	N(ptrace, PTRACE_SYSCALL),
	N(ptrace, PTRACE_LISTEN),
	N(ptrace, PTRACE_GET_RSEQ_CONFIGURATION),
	N(personality, ADDR_NO_RANDOMIZE),
	N(personality, ADDR_LIMIT_3GB),
	N(memory_policy, MPOL_PREFERRED_MANY),
	N(memory_policy, MPOL_F_NUMA_BALANCING),
	N(policy_of, MPOL_F_MEMS_ALLOWED),
	N(policy_moves, MPOL_MF_MOVE_ALL),
	N(seccomp, SECCOMP_GET_NOTIF_SIZES),
	N(seccomp_filter, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
	N(kcmp, KCMP_EPOLL_TFD),
	N(quota, Q_SYNC),
	N(quota, Q_GETQUOTA),
	N(quota_of, PRJQUOTA),
	N(ip_protocol, IPPROTO_UDP),
	N(ip_protocol, IPPROTO_SCTP),
	N(ip_protocol, IPPROTO_MPTCP),
	N(netlink_protocol, NETLINK_AUDIT),
	N(netlink_protocol, NETLINK_GENERIC),
	N(futex_change, FUTEX_OP_XOR),
	N(futex_compare, FUTEX_OP_CMP_GE),
};

static void test_headers(void **state)
{
	(void)state;
#if defined(__x86_64__)
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *name = flag_name(known[i].table, known[i].value);

		if (!name || strcmp(name, known[i].name) != 0)
			fail_msg("%s: %s is %s", known[i].table->name, known[i].name,
				name ? name : "not known");
	}
#endif
}

static void check_words(
	const struct flag_table *table, unsigned abi, uint64_t value, const char *words)
{
	struct buffer out = { 0 };

	call_put_flags(&out, table, abi, value);
	assert_string_equal(buffer_cstr(&out), words);
	buffer_fini(&out);
}

static void test_words(void **state)
{
	(void)state;
	check_words(&flags_open, 0, 0, "O_RDONLY");
	check_words(&flags_open, 0, 01102 | 02000000, "O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC");
	check_words(&flags_open, 0, 04010000, "O_RDONLY|O_SYNC");
	check_words(&flags_open, 0, 010000, "O_RDONLY|O_DSYNC");
	/* The same bit is another flag there. */
	check_words(&flags_open, 0, 0200000, "O_RDONLY|O_DIRECTORY");
	check_words(&flags_open, 1, 0200000, "O_RDONLY|O_DIRECT");
	check_words(&flags_open, 0, 1ull << 40, "O_RDONLY|0x10000000000");
	check_words(&flags_protection, 0, 0, "PROT_NONE");
	check_words(&flags_at, 0, 0, "0");
	check_words(&flags_mmap, 0, 0x22, "MAP_PRIVATE|MAP_ANONYMOUS");
	check_words(&flags_futex, 0, 0x80, "FUTEX_WAIT|FUTEX_PRIVATE_FLAG");
	check_words(&flags_signal, 0, 9, "SIGKILL");
	check_words(&flags_signal, 0, 99, "99");
	check_words(&flags_family, 0, 0xdead, "57005");
	check_words(&flags_personality, 0, 0, "PER_LINUX");
	check_words(&flags_personality, 0, 0xffffffff, "0xffffffff");
	check_words(&flags_personality, 0, 0x40008, "PER_LINUX32|ADDR_NO_RANDOMIZE");
	check_words(&flags_arch_prctl, 0, 0x1002, "ARCH_SET_FS");
	check_words(&flags_arch_prctl, 0, 0x3001, "0x3001");
	check_words(&flags_scheduler, 0, 0x40000000, "SCHED_OTHER|SCHED_RESET_ON_FORK");
	check_words(&flags_fanotify_init, 0, 0xc, "0xc");
	check_words(&flags_fanotify_mark, 0, 0x111, "FAN_MARK_MNTNS|FAN_MARK_ADD");
	check_words(&flags_futex2, 0, 0x82, "FUTEX2_SIZE_U32|FUTEX2_PRIVATE");
	check_words(&flags_mount, 0, 0, "0");
	check_words(&flags_mount, 0, 0xc0ed1020, "MS_MGC_VAL|MS_REMOUNT|MS_BIND");
}

/* The flags and arguments that a type looks at are there. */
static void test_types(void **state)
{
	const struct syscall_row *row;

	(void)state;
	for (size_t i = 0; (row = syscall_row_at(i)); i++) {
		size_t kept = 0;

		for (size_t k = 0; k < row->argument_count; k++) {
			const struct argument_type *type = syscall_argument(row, k);

			kept += type->keep != SYSCALLS_KEEP_NOTHING;
			assert_true(type->form != ARGUMENT_AS_FLAGS || type->flags);
			/* A type that needs the next argument has one. */
			if (type->keep >= SYSCALLS_KEEP_BY_NEXT &&
				type->keep != SYSCALLS_KEEP_BY_RESULT &&
				type->keep != SYSCALLS_KEEP_MESSAGE &&
				type->keep != SYSCALLS_KEEP_ASKED)
				assert_true(k + 1 < row->argument_count);
			assert_true(type->keep != SYSCALLS_KEEP_ASKED ||
				    type->unit == SYSCALLS_REQUESTED_BYTES);
			assert_true(type->unit <= SYSCALLS_ITEMS_MAX);
		}
		assert_true(kept <= SYSCALLS_PIECES);
	}
}

/* --- sets --- */

static bool set_has(const char *set, const char *name)
{
	struct syscall_set s;
	struct sooth_error err;

	assert_int_equal(syscall_set_parse(&s, set, &err), 0);
	return syscall_set_has(&s, syscall_by_name(name, strlen(name)));
}

/* A word that is a category and a call is the category, with % or without, and has the call in it.
 */
static void check_category(const char *word, const char *other)
{
	struct syscall_set bare, marked;
	char with_mark[16], all_but[16];
	struct sooth_error err;

	snprintf(with_mark, sizeof(with_mark), "%%%s", word);
	snprintf(all_but, sizeof(all_but), "!%s", word);
	assert_int_equal(syscall_set_parse(&bare, word, &err), 0);
	assert_int_equal(syscall_set_parse(&marked, with_mark, &err), 0);
	assert_memory_equal(&bare, &marked, sizeof(bare));
	assert_true(set_has(word, word) && set_has(word, other) && !set_has(word, "openat"));
	assert_true(!set_has(all_but, other) && set_has(all_but, "openat"));
}

static void test_sets(void **state)
{
	struct sooth_error err;
	struct syscall_set s;

	(void)state;
	assert_true(set_has(NULL, "openat") && set_has("openat", "openat") &&
		    !set_has("openat", "open"));
	assert_true(set_has("openat,close", "close") && set_has("file", "openat") &&
		    !set_has("file", "socket"));
	assert_true(set_has("network,futex", "futex") && set_has("%path", "mkdir") &&
		    !set_has("%path", "read"));
	assert_true(
		set_has("%desc", "read") && !set_has("!read", "read") && set_has("!read", "write"));
	assert_true(set_has("%bytes", "splice") && set_has("%bytes", "recvfrom") &&
		    !set_has("%bytes", "openat"));
	assert_true(set_has("%connections", "connect") && set_has("%connections", "getsockopt") &&
		    !set_has("%connections", "read"));
	assert_true(set_has("%exits", "exit_group") && !set_has("%exits", "exit"));
	/* Functions of the C library are understood as the call they make. */
	assert_true(set_has("recv", "recvfrom") && !set_has("recv", "recvmsg"));
	assert_true(set_has("pwrite,send", "pwrite64") && set_has("pwrite,send", "sendto"));
	assert_true(set_has("!recv", "read") && !set_has("!recv", "recvfrom"));
	check_category("time", "nanosleep");
	check_category("ipc", "shmget");
	check_category("signal", "rt_sigaction");
	assert_int_equal(syscall_set_parse(&s, "opennat", &err), -22);
	assert_non_null(strstr(err.remedy, "openat"));
	assert_int_equal(syscall_set_parse(&s, "open,,close", &err), -22);
	assert_int_equal(syscall_set_parse(&s, "", &err), -22);
	assert_int_equal(syscall_set_parse(&s, "%nothing", &err), -22);
	assert_int_equal(syscall_set_parse(&s, NULL, &err), 0);
	assert_true(syscall_set_has(&s, NULL));
	assert_int_equal(syscall_set_parse(&s, "open", &err), 0);
	assert_false(syscall_set_has(&s, NULL));
}

/* Calls that only sockets, queues and the like take wait by nature, a read by what it reads. */
static void test_waits(void **state)
{
	static const char *const wait[] = { "recvfrom", "recvmsg", "recvmmsg", "accept4", "poll",
		"mq_timedreceive", "futex" };
	static const char *const work[] = { "read", "sendto", "openat", "fsync", "epoll_ctl" };

	(void)state;
	for (size_t i = 0; i < sizeof(wait) / sizeof(wait[0]); i++)
		assert_true(syscall_waits(syscall_by_name(wait[i], strlen(wait[i]))));
	for (size_t i = 0; i < sizeof(work) / sizeof(work[0]); i++)
		assert_false(syscall_waits(syscall_by_name(work[i], strlen(work[i]))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
