/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "probes/syscall_arguments.h"
#include "probes/syscall_names.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The newest call the table has; headers of a later kernel may know more. */
#define NEWEST_CALL 470

struct call {
	const char *name;
	uint32_t number;
};

/* Numbers from this machine's headers, where they are those of a native 64-bit ABI. */
#if (defined(__x86_64__) && !defined(__ILP32__)) || defined(__aarch64__)
#define HAVE_NATIVE_CALLS 1
#ifdef __aarch64__
#define NATIVE_ABI SYSCALL_ABI_AARCH64
#else
#define NATIVE_ABI SYSCALL_ABI_X86_64
#endif

#define CALL(call)                                                                                 \
	{                                                                                          \
#call, SYS_##call                                                                  \
	}

static const struct call native_calls[] = {
	CALL(read),
	CALL(write),
	CALL(close),
	CALL(fstat),
	CALL(lseek),
	CALL(mmap),
	CALL(mprotect),
	CALL(munmap),
	CALL(brk),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(ioctl),
	CALL(pread64),
	CALL(pwrite64),
	CALL(readv),
	CALL(writev),
	CALL(sched_yield),
	CALL(mremap),
	CALL(msync),
	CALL(mincore),
	CALL(madvise),
	CALL(shmget),
	CALL(dup),
	CALL(nanosleep),
	CALL(getitimer),
	CALL(setitimer),
	CALL(getpid),
	CALL(sendfile),
	CALL(socket),
	CALL(connect),
	CALL(accept),
	CALL(sendto),
	CALL(recvfrom),
	CALL(sendmsg),
	CALL(recvmsg),
	CALL(shutdown),
	CALL(bind),
	CALL(listen),
	CALL(getsockname),
	CALL(getpeername),
	CALL(socketpair),
	CALL(setsockopt),
	CALL(getsockopt),
	CALL(clone),
	CALL(execve),
	CALL(exit),
	CALL(wait4),
	CALL(kill),
	CALL(uname),
	CALL(semget),
	CALL(semop),
	CALL(msgget),
	CALL(fcntl),
	CALL(flock),
	CALL(fsync),
	CALL(fdatasync),
	CALL(truncate),
	CALL(ftruncate),
	CALL(getcwd),
	CALL(chdir),
	CALL(umask),
	CALL(gettimeofday),
	CALL(getrlimit),
	CALL(getrusage),
	CALL(sysinfo),
	CALL(times),
	CALL(ptrace),
	CALL(getuid),
	CALL(syslog),
	CALL(setuid),
	CALL(setpgid),
	CALL(setsid),
	CALL(setresuid),
	CALL(capget),
	CALL(sigaltstack),
	CALL(personality),
	CALL(statfs),
	CALL(prctl),
	CALL(mount),
	CALL(umount2),
	CALL(swapon),
	CALL(reboot),
	CALL(init_module),
	CALL(gettid),
	CALL(readahead),
	CALL(setxattr),
	CALL(tkill),
	CALL(futex),
	CALL(sched_setaffinity),
	CALL(io_setup),
	CALL(lookup_dcookie),
	CALL(getdents64),
	CALL(set_tid_address),
	CALL(fadvise64),
	CALL(timer_create),
	CALL(timer_settime),
	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(exit_group),
	CALL(epoll_ctl),
	CALL(tgkill),
	CALL(mbind),
	CALL(mq_open),
	CALL(kexec_load),
	CALL(waitid),
	CALL(add_key),
	CALL(keyctl),
	CALL(ioprio_set),
	CALL(inotify_add_watch),
	CALL(openat),
	CALL(mkdirat),
	CALL(newfstatat),
	CALL(unlinkat),
	CALL(renameat),
	CALL(linkat),
	CALL(faccessat),
	CALL(pselect6),
	CALL(ppoll),
	CALL(unshare),
	CALL(set_robust_list),
	CALL(splice),
	CALL(tee),
	CALL(sync_file_range),
	CALL(vmsplice),
	CALL(move_pages),
	CALL(utimensat),
	CALL(epoll_pwait),
	CALL(timerfd_create),
	CALL(fallocate),
	CALL(timerfd_settime),
	CALL(accept4),
	CALL(signalfd4),
	CALL(eventfd2),
	CALL(epoll_create1),
	CALL(dup3),
	CALL(pipe2),
	CALL(inotify_init1),
	CALL(preadv),
	CALL(pwritev),
	CALL(rt_tgsigqueueinfo),
	CALL(perf_event_open),
	CALL(recvmmsg),
	CALL(fanotify_init),
	CALL(fanotify_mark),
	CALL(prlimit64),
	CALL(name_to_handle_at),
	CALL(open_by_handle_at),
	CALL(clock_adjtime),
	CALL(syncfs),
	CALL(sendmmsg),
	CALL(setns),
	CALL(getcpu),
	CALL(process_vm_readv),
	CALL(kcmp),
	CALL(finit_module),
	CALL(sched_setattr),
	CALL(renameat2),
	CALL(seccomp),
	CALL(getrandom),
	CALL(memfd_create),
	CALL(bpf),
	CALL(execveat),
	CALL(userfaultfd),
	CALL(membarrier),
	CALL(mlock2),
	CALL(copy_file_range),
	CALL(preadv2),
	CALL(pkey_mprotect),
	CALL(statx),
	CALL(io_pgetevents),
	CALL(rseq),
#ifdef __x86_64__
	CALL(open),
	CALL(stat),
	CALL(lstat),
	CALL(poll),
	CALL(access),
	CALL(pipe),
	CALL(select),
	CALL(dup2),
	CALL(pause),
	CALL(alarm),
	CALL(fork),
	CALL(vfork),
	CALL(getdents),
	CALL(rename),
	CALL(mkdir),
	CALL(rmdir),
	CALL(creat),
	CALL(link),
	CALL(unlink),
	CALL(symlink),
	CALL(readlink),
	CALL(chmod),
	CALL(chown),
	CALL(utime),
	CALL(mknod),
	CALL(arch_prctl),
	CALL(_sysctl),
	CALL(time),
	CALL(epoll_wait),
	CALL(inotify_init),
	CALL(signalfd),
	CALL(eventfd),
#endif
#ifdef SYS_set_mempolicy_home_node
	CALL(pidfd_send_signal),
	CALL(io_uring_setup),
	CALL(io_uring_enter),
	CALL(open_tree),
	CALL(move_mount),
	CALL(fsopen),
	CALL(pidfd_open),
	CALL(clone3),
	CALL(close_range),
	CALL(openat2),
	CALL(pidfd_getfd),
	CALL(faccessat2),
	CALL(process_madvise),
	CALL(epoll_pwait2),
	CALL(mount_setattr),
	CALL(landlock_create_ruleset),
	CALL(memfd_secret),
	CALL(process_mrelease),
	CALL(futex_waitv),
	CALL(set_mempolicy_home_node),
#endif
#ifdef SYS_file_setattr
	CALL(cachestat),
	CALL(fchmodat2),
	CALL(map_shadow_stack),
	CALL(futex_wake),
	CALL(futex_wait),
	CALL(futex_requeue),
	CALL(statmount),
	CALL(listmount),
	CALL(lsm_get_self_attr),
	CALL(lsm_set_self_attr),
	CALL(lsm_list_modules),
	CALL(mseal),
	CALL(setxattrat),
	CALL(getxattrat),
	CALL(listxattrat),
	CALL(removexattrat),
	CALL(open_tree_attr),
	CALL(file_getattr),
	CALL(file_setattr),
#endif
};
#endif

/* Facts that hold wherever the test runs. */
static const struct call x86_64_calls[] = {
	{ "read", 0 },
	{ "mmap", 9 },
	{ "select", 23 },
	{ "openat", 257 },
	{ "uretprobe", 335 },
	{ "uprobe", 336 },
	{ "cachestat", 451 },
	{ "mseal", 462 },
	{ "file_setattr", 469 },
};

static const struct call aarch64_calls[] = {
	{ "io_setup", 0 },
	{ "fcntl", 25 },
	{ "renameat", 38 },
	{ "statfs", 43 },
	{ "fstatfs", 44 },
	{ "truncate", 45 },
	{ "ftruncate", 46 },
	{ "openat", 56 },
	{ "lseek", 62 },
	{ "read", 63 },
	{ "sendfile", 71 },
	{ "newfstatat", 79 },
	{ "fstat", 80 },
	{ "getsid", 156 },
	{ "clone", 220 },
	{ "execve", 221 },
	{ "mmap", 222 },
	{ "fadvise64", 223 },
	{ "wait4", 260 },
	{ "kexec_file_load", 294 },
	{ "clone3", 435 },
	{ "memfd_secret", 447 },
	{ "mseal", 462 },
};

static const struct call i386_calls[] = {
	{ "restart_syscall", 0 },
	{ "read", 3 },
	{ "open", 5 },
	{ "waitpid", 7 },
	{ "execve", 11 },
	{ "oldstat", 18 },
	{ "umount", 22 },
	{ "oldfstat", 28 },
	{ "umount2", 52 },
	{ "sigaction", 67 },
	{ "select", 82 },
	{ "mmap", 90 },
	{ "socketcall", 102 },
	{ "ipc", 117 },
	{ "_llseek", 140 },
	{ "_newselect", 142 },
	{ "_sysctl", 149 },
	{ "pread64", 180 },
	{ "ugetrlimit", 191 },
	{ "mmap2", 192 },
	{ "ftruncate64", 194 },
	{ "fcntl64", 221 },
	{ "exit_group", 252 },
	{ "fadvise64_64", 272 },
	{ "openat", 295 },
	{ "fstatat64", 300 },
	{ "socket", 359 },
	{ "arch_prctl", 384 },
	{ "rseq", 386 },
	{ "clock_gettime64", 403 },
	{ "futex_time64", 422 },
	{ "mseal", 462 },
};

static const struct call x32_calls[] = {
	{ "read", 0 },
	{ "openat", 257 },
	{ "rt_sigaction", 512 },
	{ "rt_sigreturn", 513 },
	{ "ioctl", 514 },
	{ "execve", 520 },
	{ "recvmmsg", 537 },
	{ "setsockopt", 541 },
	{ "getsockopt", 542 },
	{ "io_submit", 544 },
	{ "execveat", 545 },
	{ "preadv2", 546 },
	{ "pwritev2", 547 },
};

static void check_call(unsigned abi, const char *name, uint32_t number)
{
	const struct syscall_row *row = syscall_by_number(abi, number);

	if (!row)
		fail_msg("no row for %s, number %u of ABI %u", name, (unsigned)number, abi);
	assert_string_equal(row->name, name);
	assert_int_equal(syscall_number(abi, name, strlen(name)), number);
	assert_non_null(syscall_by_name(name, strlen(name)));
}

static void check_calls(unsigned abi, const struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_call(abi, calls[i].name, calls[i].number);
}

static void test_native(void **state)
{
	(void)state;
#ifdef HAVE_NATIVE_CALLS
	check_calls(NATIVE_ABI, native_calls, COUNT_OF(native_calls));
#else
	skip();
#endif
}

static void test_facts(void **state)
{
	(void)state;
	check_calls(SYSCALL_ABI_X86_64, x86_64_calls, COUNT_OF(x86_64_calls));
	check_calls(SYSCALL_ABI_AARCH64, aarch64_calls, COUNT_OF(aarch64_calls));
	check_calls(SYSCALL_ABI_I386, i386_calls, COUNT_OF(i386_calls));
	check_calls(SYSCALL_ABI_X32, x32_calls, COUNT_OF(x32_calls));
}

/* Every call of one of the machine's headers; how many there were. */
static size_t check_header(unsigned abi, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256], name[64];
	unsigned number;
	size_t count = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "#define __NR_%63s %u", name, &number) != 2 &&
			sscanf(line, "#define __NR_%63s (__X32_SYSCALL_BIT + %u)", name, &number) !=
				2)
			continue;
		count++;
		if (number > NEWEST_CALL && number < 512)
			continue;
		check_call(abi, name, number);
	}
	fclose(file);
	return count;
}

/* All of the machine's headers, on machines that have them: the lists above are but a sample. */
static void test_headers(void **state)
{
	static const char *const folders[] = {
		"/usr/include/x86_64-linux-gnu/asm",
		"/usr/include/asm",
	};
	static const struct {
		unsigned abi;
		const char *file;
	} headers[] = {
		{ SYSCALL_ABI_X86_64, "unistd_64.h" },
		{ SYSCALL_ABI_I386, "unistd_32.h" },
		{ SYSCALL_ABI_X32, "unistd_x32.h" },
	};
	size_t count = 0;

	(void)state;
#ifndef __x86_64__
	/* Elsewhere the same file names mean other ABIs. */
	skip();
#endif
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		for (size_t j = 0; j < COUNT_OF(headers); j++) {
			char path[128];

			snprintf(path, sizeof(path), "%s/%s", folders[i], headers[j].file);
			count += check_header(headers[j].abi, path);
		}
	}
	if (!count)
		skip();
}

static void test_rows(void **state)
{
	const struct syscall_row *row;

	(void)state;
	for (size_t i = 0; (row = syscall_row_at(i)); i++) {
		int some = 0;

		assert_true(row->category < SYSCALL_CATEGORY_COUNT);
		assert_true(row->argument_count <= SYSCALL_ARGUMENTS);
		assert_true(strlen(row->name) > 0);
		/* Room for the longest prefix, so that no name is ever cut. */
		assert_true(strlen("i386:") + strlen(row->name) < SYSCALL_NAME_SIZE);
		for (unsigned abi = 0; abi < SYSCALL_TABLE_ABIS; abi++) {
			if (row->numbers[abi] < 0) {
				assert_int_equal(row->numbers[abi], -1);
				continue;
			}
			some = 1;
			/* A duplicate number would find another row in one of the two cases. */
			assert_ptr_equal(syscall_by_number(abi, (uint32_t)row->numbers[abi]), row);
		}
		for (unsigned bsd = 0; bsd < SYSCALL_BSD_ABIS; bsd++) {
			if (row->bsd_numbers[bsd] < 0)
				continue;
			some = 1;
			assert_ptr_equal(syscall_by_number(SYSCALL_ABI_FREEBSD + bsd,
						 (uint32_t)row->bsd_numbers[bsd]),
				row);
		}
		assert_true(some);
	}
}

static bool is_bsd(const struct syscall_row *row)
{
	return row->bsd_numbers[0] >= 0 || row->bsd_numbers[1] >= 0;
}

/* Two rows of a name never claim the same ABI, and agree on the category. */
static void test_names(void **state)
{
	const struct syscall_row *row, *other;

	(void)state;
	for (size_t i = 0; (row = syscall_row_at(i)); i++) {
		for (size_t j = i + 1; (other = syscall_row_at(j)); j++) {
			if (strcmp(row->name, other->name) || is_bsd(row) != is_bsd(other))
				continue;
			assert_int_equal(row->category, other->category);
			assert_true(row->argument_count != other->argument_count);
			assert_int_equal(row->traits, other->traits);
			assert_int_equal(row->transfer.direction, other->transfer.direction);
			assert_int_equal(row->wait.what, other->wait.what);
			for (unsigned abi = 0; abi < SYSCALL_TABLE_ABIS; abi++)
				assert_true(row->numbers[abi] < 0 || other->numbers[abi] < 0);
		}
	}
	assert_string_equal(syscall_by_name("openat2", 6)->name, "openat");
	assert_int_equal(syscall_by_name("mmap", 4)->argument_count, 6);
	assert_null(syscall_by_name("", 0));
	assert_null(syscall_by_name("opena", 5));
	assert_null(syscall_by_name("openat", 7));
	assert_int_equal(syscall_number(SYSCALL_ABI_AARCH64, "open", 4), -1);
	assert_int_equal(syscall_number(SYSCALL_ABI_X86_64, "mmap2", 5), -1);
	assert_int_equal(syscall_number(SYSCALL_ABI_ARM, "read", 4), -1);
	assert_int_equal(syscall_number(SYSCALL_ABI_COUNT, "read", 4), -1);
}

static void test_sorted(void **state)
{
	const struct syscall_row *row, *before = NULL;

	(void)state;
	for (size_t i = 0; (row = syscall_row_at(i)); before = row, i++) {
		unsigned abi = 0, abi_before = 0;

		if (is_bsd(row))
			break; /* behind all of Linux */
		if (!before)
			continue;
		while (row->numbers[abi] < 0)
			abi++;
		while (before->numbers[abi_before] < 0)
			abi_before++;
		if (abi < abi_before ||
			(abi == abi_before && row->numbers[abi] <= before->numbers[abi]))
			fail_msg("syscalls.def: %s stands before %s", before->name, row->name);
	}
}

static void check_types(unsigned abi, uint32_t number, const char *expected)
{
	const struct syscall_row *row = syscall_row_of(abi, number);
	char types[200] = "";

	for (size_t i = 0; i < row->argument_count; i++) {
		strcat(types, syscall_argument(row, i)->name);
		strcat(types, " ");
	}
	assert_string_equal(types, expected);
}

/* Where i386 splits 64-bit arguments or takes one pointer, its row says so. */
static void test_shapes(void **state)
{
	(void)state;
	check_types(SYSCALL_ABI_X86_64, 257, "dir path open_flags open_mode ");
	check_types(SYSCALL_ABI_AARCH64, 63, "fd out size ");
	check_types(SYSCALL_ABI_X86_64, 59, "path words ptr ");
	check_types(SYSCALL_ABI_X86_64, 39, "");
	check_types(SYSCALL_ABI_X86_64, 17, "fd out size long ");
	check_types(SYSCALL_ABI_I386, 180, "fd ptr size uns uns ");
	check_types(SYSCALL_ABI_I386, 90, "ptr ");
	check_types(SYSCALL_ABI_X86_64, 511, "hex hex hex hex hex hex ");
	check_types(SYSCALL_ABI_ARM, 3, "hex hex hex hex hex hex ");
}

static const struct syscall_row *row_of(const char *name)
{
	const struct syscall_row *row = syscall_by_name(name, strlen(name));

	assert_non_null(row);
	return row;
}

/* The traits of a call in its row are known wherever they are needed. */
static void test_traits(void **state)
{
	const struct syscall_row *row;

	(void)state;
	for (size_t i = 0; (row = syscall_row_at(i)); i++) {
		const struct syscall_effect *e = &row->effect;

		/* A new descriptor is only named right if the call is seen. */
		if (syscall_returns_descriptor(row))
			assert_true(syscall_moves_descriptors(row));
		assert_true(e->path <= row->argument_count && e->flags <= row->argument_count &&
			    e->directory <= row->argument_count && e->pair <= row->argument_count);
		assert_true(row->transfer.size <= row->argument_count &&
			    row->transfer.from <= row->argument_count &&
			    row->transfer.to <= row->argument_count &&
			    row->transfer.offset <= row->argument_count &&
			    row->transfer.flags <= row->argument_count);
		assert_true(row->wait.descriptor <= row->argument_count &&
			    row->wait.timeout <= row->argument_count);
		if (e->path)
			assert_true(syscall_takes_path(row, e->path - 1u));
		if (e->directory)
			assert_true(syscall_takes_directory(row, e->directory - 1u));
		if (row->transfer.from)
			assert_true(syscall_takes_descriptor(row, row->transfer.from - 1u));
		if (row->transfer.to)
			assert_true(syscall_takes_descriptor(row, row->transfer.to - 1u));
		/* To wait by its nature is more than to be patient. */
		assert_false(syscall_waits(row) && row->traits & SYSCALL_PATIENT);
	}
	assert_true(syscall_moves_descriptors(row_of("memfd_secret")));
	assert_true(syscall_moves_descriptors(row_of("mq_open")));
	assert_true(syscall_waits(row_of("recvfrom")) && !syscall_waits(row_of("read")));
	assert_true(syscall_never_returns(row_of("exit")));
	assert_int_equal(row_of("sendfile64")->transfer.direction, SYSCALL_COPIES);
}

static void check_name(unsigned abi, uint32_t number, const char *expected)
{
	char out[SYSCALL_NAME_SIZE];

	memset(out, 'x', sizeof(out));
	assert_int_equal(syscall_name(abi, number, out), strlen(expected));
	assert_string_equal(out, expected);
}

static void test_shown(void **state)
{
	char newest[SYSCALL_NAME_SIZE];

	(void)state;
	check_name(SYSCALL_ABI_X86_64, 257, "openat");
	check_name(SYSCALL_ABI_AARCH64, 56, "openat");
	check_name(SYSCALL_ABI_I386, 5, "i386:open");
	check_name(SYSCALL_ABI_X32, 0, "x32:read");
	check_name(SYSCALL_ABI_X32, SYSCALL_X32_BIT, "x32:read");
	check_name(SYSCALL_ABI_X32, SYSCALL_X32_BIT | 547, "x32:pwritev2");
	check_name(SYSCALL_ABI_X32, SYSCALL_X32_BIT | 548, "x32:syscall_548");
	snprintf(newest, sizeof(newest), "syscall_%u", NEWEST_CALL + 1);
	check_name(SYSCALL_ABI_X86_64, NEWEST_CALL + 1, newest);
	check_name(SYSCALL_ABI_X86_64, 512, "syscall_512");
	check_name(SYSCALL_ABI_X86_64, 560, "syscall_560");
	check_name(SYSCALL_ABI_X86_64, SYSCALL_X32_BIT, "syscall_1073741824");
	check_name(SYSCALL_ABI_X86_64, UINT32_MAX, "syscall_4294967295");
	check_name(SYSCALL_ABI_AARCH64, 244, "syscall_244");
	check_name(SYSCALL_ABI_I386, 600, "i386:syscall_600");
	check_name(SYSCALL_ABI_ARM, 3, "arm:syscall_3");
	check_name(SYSCALL_ABI_COUNT, 3, "syscall_3");
}

static void test_unknown(void **state)
{
	(void)state;
	/* Numbers behind the limit are where absent rows are parked: none may show. */
	for (uint32_t number = NEWEST_CALL + 1; number < 4096; number++) {
		assert_null(syscall_by_number(SYSCALL_ABI_X86_64, number));
		assert_null(syscall_by_number(SYSCALL_ABI_AARCH64, number));
		assert_null(syscall_by_number(SYSCALL_ABI_I386, number));
		assert_true((number >= 512 && number <= 547) ==
			    !!syscall_by_number(SYSCALL_ABI_X32, number));
	}
	for (uint32_t number = 600; number < 4096; number++) {
		assert_null(syscall_by_number(SYSCALL_ABI_FREEBSD, number));
		assert_null(syscall_by_number(SYSCALL_ABI_DARWIN, number));
	}
	assert_null(syscall_by_number(SYSCALL_ABI_ARM, 3));
	for (unsigned abi = SYSCALL_ABI_COUNT; abi < 300; abi++)
		assert_null(syscall_by_number(abi, 3));
}

static void test_categories(void **state)
{
	(void)state;
	assert_string_equal(syscall_category_name(SYSCALL_CATEGORY_FILE), "file");
	assert_string_equal(syscall_category_name(SYSCALL_CATEGORY_OTHER), "other");
	assert_string_equal(syscall_category_name(SYSCALL_CATEGORY_COUNT), "other");
	for (unsigned i = 0; i < SYSCALL_CATEGORY_COUNT; i++)
		assert_non_null(syscall_category_name(i));
	assert_int_equal(syscall_by_name("kill", 4)->category, SYSCALL_CATEGORY_PROCESS);
	assert_int_equal(syscall_by_name("futex", 5)->category, SYSCALL_CATEGORY_IPC);
	assert_int_equal(syscall_by_name("connect", 7)->category, SYSCALL_CATEGORY_NETWORK);
	assert_int_equal(syscall_by_name("inotify_init", 12)->category, SYSCALL_CATEGORY_EVENT);
	assert_int_equal(syscall_by_name("rt_sigaction", 12)->category, SYSCALL_CATEGORY_SIGNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_traits),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_categories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
