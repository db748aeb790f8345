/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory, processes, limits, signals, and what processes share. */
#include "calls.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>

#define PAGES(n) ((n)*4096l)

void calls_of_memory(void)
{
	long fd = CALL(openat, AT_FDCWD, P("plain"), O_RDONLY, 0), at, file;

	told(in_calls("plain"), "AT_FDCWD, \"plain\", O_RDONLY");
	at = CALL(mmap, 0, PAGES(16), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	told(NULL, "NULL, 65536, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE, "
		   "-1, 0");
	file = CALL(mmap, at, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	told(NULL, "0x%lx, 4096, PROT_READ, MAP_SHARED|MAP_FIXED, %s, 0", at, fd_of(fd, "plain"));
	CALL(msync, file, 4096, MS_SYNC | MS_INVALIDATE);
	told(NULL, "0x%lx, 4096, MS_INVALIDATE|MS_SYNC", file);
	CALL(mmap, 0, 4096, PROT_NONE, MAP_PRIVATE, 999, 4096);
	told(NULL, "NULL, 4096, PROT_NONE, MAP_PRIVATE, 999<?>, 0x1000");
	CALL(mprotect, at + PAGES(1), PAGES(2), PROT_READ | PROT_EXEC);
	told(NULL, "0x%lx, 8192, PROT_READ|PROT_EXEC", at + PAGES(1));
	CALL(madvise, at + PAGES(4), PAGES(2), MADV_DONTNEED);
	told(NULL, "0x%lx, 8192, MADV_DONTNEED", at + PAGES(4));
	CALL(mlock, at + PAGES(4), PAGES(1));
	told(NULL, "0x%lx, 4096", at + PAGES(4));
	CALL(mlock2, at + PAGES(4), PAGES(1), MLOCK_ONFAULT);
	told(NULL, "0x%lx, 4096, MLOCK_ONFAULT", at + PAGES(4));
	CALL(munlock, at + PAGES(4), PAGES(1));
	told(NULL, "0x%lx, 4096", at + PAGES(4));
	CALL(mremap, at + PAGES(8), PAGES(8), PAGES(4), MREMAP_MAYMOVE, 0);
	told(NULL, "0x%lx, 32768, 16384, MREMAP_MAYMOVE, NULL", at + PAGES(8));
	CALL(munmap, at, PAGES(16));
	told(NULL, "0x%lx, 65536", at);
	CALL(brk, 0);
	told(NULL, "NULL");
	CALL(membarrier, 0, 0, 0);
	told(NULL, "MEMBARRIER_CMD_QUERY, 0, 0");
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, "plain"));
}

/* --- processes --- */

/* A child of our own making: libc's fork makes calls beside it. 0 in the child. */
static long begin_child(void)
{
	long pid = CALL(clone, SIGCHLD, 0, 0, 0, 0);

	if (pid) {
		told(NULL, "SIGCHLD, NULL, NULL, NULL, NULL");
		return pid;
	}
	calls_in_child(syscall(SYS_gettid));
	return 0;
}

static void end_child(int status)
{
	reported_before("exit_group", "?", NULL, "%d", status);
	syscall(SYS_exit_group, status);
}

/* In a page that a child of ours has not touched: nobody can read it before the kernel has. */
static const char *untouched(const char *text)
{
	long page = CALL(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	told(NULL, "NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0");
	return page < 0 && page >= -4095 ? text : strcpy((char *)page, text);
}

static void exec_child(const char *program)
{
	const char *arguments[] = { "true", "--token", "abc\n", "x\ny", NULL }, *none[] = { NULL };

	CALL(execve, P("./missing\n"), P(arguments), P(none));
	told(in_calls("missing\\n"), "\"./missing\\n\", 0x%lx, 0x%lx", P(arguments), P(none));
	CALL(execveat, AT_FDCWD, P("plain"), P(arguments), P(none), AT_SYMLINK_NOFOLLOW);
	told(in_calls("plain"), "AT_FDCWD, \"plain\", 0x%lx, 0x%lx, AT_SYMLINK_NOFOLLOW",
		P(arguments), P(none));
	reported_before("execve", "0", "/bin/true",
		"\"/bin/true\", [\"true\", \"--token\", \"***\", \"x\\ny\"], 0x%lx", P(none));
	syscall(SYS_execve, program, arguments, none);
	end_child(99);
}

static void children(void)
{
	const char *program = untouched("/bin/true");
	int status = 0;
	long pid = begin_child();

	if (!pid)
		end_child(7);
	CALL(wait4, pid, P(&status), __WALL, 0);
	told(NULL, "%ld, [exit 7], __WALL, NULL", pid);
	pid = begin_child();
	if (!pid)
		exec_child(program);
	CALL(wait4, -1, P(&status), 0, 0);
	told(NULL, "-1, [exit 0], 0, NULL");
	pid = begin_child();
	if (!pid) {
		for (;;)
			syscall(SYS_ppoll, NULL, 0, NULL, NULL, 8);
	}
	CALL(kill, pid, SIGKILL);
	told(NULL, "%ld, SIGKILL", pid);
	CALL(waitid, P_PID, pid, 0, WEXITED | WNOWAIT, 0);
	told(NULL, "P_PID, %ld, NULL, WEXITED|WNOWAIT, NULL", pid);
	CALL(wait4, pid, P(&status), 0, 0);
	told(NULL, "%ld, [killed by SIGKILL], 0, NULL", pid);
	CALL(wait4, -1, P(&status), WNOHANG, 0);
	told(NULL, "-1, 0x%lx, WNOHANG, NULL", P(&status));
}

static void limits(void)
{
	struct rlimit limit = { 100, RLIM_INFINITY }, now = { 0 };
	struct rusage usage;

	CALL(prlimit64, 0, RLIMIT_RTTIME, P(&limit), P(&now));
	told(NULL,
		"0, RLIMIT_RTTIME, {soft 100, hard unlimited}, {soft unlimited, hard unlimited}");
	CALL(prlimit64, 0, RLIMIT_RTTIME, 0, P(&now));
	told(NULL, "0, RLIMIT_RTTIME, NULL, {soft 100, hard unlimited}");
	CALL(getrlimit, 99, P(&now));
	told(NULL, "99, 0x%lx", P(&now));
	CALL(getrusage, RUSAGE_CHILDREN, P(&usage));
	told(NULL, "RUSAGE_CHILDREN, 0x%lx", P(&usage));
}

static void handles(void)
{
	long self = CALL(getpid), fd;

	told(NULL, "%s", "");
	fd = CALL(pidfd_open, self, 0);
	told(NULL, "%ld, 0", self);
	CALL(pidfd_send_signal, fd, 0, 0, 0);
	told(NULL, "%s, 0, NULL, 0", fd_is(fd, "pidfd"));
	CALL(close, fd);
	told(NULL, "%s", fd_is(fd, "pidfd"));
	CALL(tgkill, self, self, 0);
	told(NULL, "%ld, %ld, 0", self, self);
	CALL(kill, self, 65);
	told(NULL, "%ld, 65", self);
}

static void settings(void)
{
	struct clone_args clone = { .flags = CLONE_THREAD, .exit_signal = SIGCHLD };
	uint64_t set = 1ull << (SIGWINCH - 1), before = 0;
	const char *name = "name\n";

	CALL(prctl, PR_SET_NAME, P(name), 0, 0, 0);
	told(NULL, "PR_SET_NAME, 0x%lx, 0, 0, 0", P(name));
	CALL(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
	told(NULL, "PR_GET_DUMPABLE, 0, 0, 0, 0");
	CALL(unshare, 0);
	told(NULL, "0");
	CALL(setns, 999, CLONE_NEWNET);
	told(NULL, "999<?>, CLONE_NEWNET");
	CALL(clone3, P(&clone), sizeof(clone));
	told(NULL, "{CLONE_THREAD, SIGCHLD}, 88");
	CALL(rt_sigprocmask, SIG_BLOCK, P(&set), P(&before), 8);
	told(NULL, "SIG_BLOCK, [SIGWINCH], [], 8");
	CALL(rt_sigprocmask, SIG_UNBLOCK, P(&set), 0, 8);
	told(NULL, "SIG_UNBLOCK, [SIGWINCH], NULL, 8");
	CALL(rt_sigaction, SIGUSR2, 0, 0, 8);
	told(NULL, "SIGUSR2, NULL, NULL, 8");
}

void calls_of_processes(void)
{
	children();
	limits();
	handles();
	settings();
}

/* --- what processes share --- */

static void futexes(void)
{
	struct timespec little = { 0, 1000 };
	uint32_t word = 5;

	CALL(futex, P(&word), FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
	told(NULL, "0x%lx, FUTEX_WAKE|FUTEX_PRIVATE_FLAG, 1", P(&word));
	CALL(futex, P(&word), FUTEX_WAIT, 6, P(&little), 0, 0);
	told(NULL, "0x%lx, FUTEX_WAIT, 6, 0.000001000s", P(&word));
	CALL(futex, P(&word), FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, P(&little), 0, 0xff);
	told(NULL, "0x%lx, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 5, 0.000001000s, 0xff",
		P(&word));
	CALL(futex, P(&word), FUTEX_WAIT_BITSET, 6, 0, 0x77, -1);
	told(NULL, "0x%lx, FUTEX_WAIT_BITSET, 6, NULL, FUTEX_BITSET_MATCH_ANY", P(&word));
	CALL(futex, P(&word), FUTEX_WAKE_BITSET, INT32_MAX, 9, 9, -1);
	told(NULL, "0x%lx, FUTEX_WAKE_BITSET, 2147483647, FUTEX_BITSET_MATCH_ANY", P(&word));
}

/* Where a time stands elsewhere there is a count. */
static void futexes_of_two(void)
{
	struct timespec little = { 0, 1000 };
	uint32_t word = 5, other = 6;

	CALL(futex, P(&word), FUTEX_REQUEUE, 1, 2, P(&other), 0);
	told(NULL, "0x%lx, FUTEX_REQUEUE, 1, 2, 0x%lx", P(&word), P(&other));
	CALL(futex, P(&word), FUTEX_CMP_REQUEUE_PRIVATE, 1, 2, P(&other), 5);
	told(NULL, "0x%lx, FUTEX_CMP_REQUEUE|FUTEX_PRIVATE_FLAG, 1, 2, 0x%lx, 5", P(&word),
		P(&other));
	CALL(futex, P(&word), FUTEX_WAKE_OP, 1, 2, P(&other),
		FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_GT, 2));
	told(NULL,
		"0x%lx, FUTEX_WAKE_OP, 1, 2, 0x%lx, "
		"FUTEX_OP_ADD<<28|0x1<<12|FUTEX_OP_CMP_GT<<24|0x2",
		P(&word), P(&other));
	CALL(futex, P(&word), FUTEX_WAIT_REQUEUE_PI, 6, P(&little), P(&other), 0);
	told(NULL, "0x%lx, FUTEX_WAIT_REQUEUE_PI, 6, 0.000001000s, 0x%lx", P(&word), P(&other));
	CALL(futex, P(&word), FUTEX_UNLOCK_PI, 1, 2, 3, 4);
	told(NULL, "0x%lx, FUTEX_UNLOCK_PI", P(&word));
	word = 0;
	CALL(futex, P(&word), FUTEX_LOCK_PI, 1, P(&little), 3, 4);
	told(NULL, "0x%lx, FUTEX_LOCK_PI, 0.000001000s", P(&word));
}

static void shared_memory(void)
{
	long id = CALL(shmget, IPC_PRIVATE, 8192, IPC_CREAT | IPC_EXCL | 0600), at;

	told(NULL, "0, 8192, IPC_CREAT|IPC_EXCL|0600");
	at = CALL(shmat, id, 0, SHM_RDONLY);
	told(NULL, "%ld, NULL, SHM_RDONLY", id);
	CALL(shmdt, at);
	told(NULL, "0x%lx", at);
	CALL(shmctl, id, IPC_RMID, 0);
	told(NULL, "%ld, IPC_RMID, NULL", id);
}

static void semaphores(void)
{
	struct sembuf operations[1] = { { 0, 1, IPC_NOWAIT } };
	struct timespec little = { 0, 1000 };
	long id = CALL(semget, IPC_PRIVATE, 2, 0640);

	told(NULL, "0, 2, 0640");
	CALL(semop, id, P(operations), 1);
	told(NULL, "%ld, 0x%lx, 1", id, P(operations));
	CALL(semtimedop, id, P(operations), 1, P(&little));
	told(NULL, "%ld, 0x%lx, 1, 0.000001000s", id, P(operations));
	CALL(semctl, id, 0, GETVAL, 0);
	told(NULL, "%ld, 0, GETVAL, 0", id);
	CALL(semctl, id, 0, IPC_RMID, 0);
	told(NULL, "%ld, 0, IPC_RMID, 0", id);
}

static void messages(void)
{
	struct {
		long type;
		char text[16];
	} message = { 3, "text" };
	long id = CALL(msgget, IPC_PRIVATE, IPC_CREAT | 0600);

	told(NULL, "0, IPC_CREAT|0600");
	CALL(msgsnd, id, P(&message), 5, IPC_NOWAIT);
	told(NULL, "%ld, 0x%lx, 5, IPC_NOWAIT", id, P(&message));
	CALL(msgrcv, id, P(&message), 16, -3, MSG_NOERROR | IPC_NOWAIT);
	told(NULL, "%ld, 0x%lx, 16, -3, IPC_NOWAIT|MSG_NOERROR", id, P(&message));
	CALL(msgctl, id, IPC_RMID, 0);
	told(NULL, "%ld, IPC_RMID, NULL", id);
}

void calls_of_ipc(void)
{
	futexes();
	futexes_of_two();
	shared_memory();
	semaphores();
	messages();
}
