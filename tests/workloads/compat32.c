/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 32-bit program of its own, without libc: reads the begin of a file, then CALLS times getppid
 * through int 0x80, then exit.
 * Number 64 is getppid there, but semget in the 64-bit table: a watcher which mixes them up
 * shows the wrong name. With any argument it says "ready" and waits for input first.
 *
 * Seen on Linux 6.18: raw_syscalls:sys_enter and sys_exit fire with number 64, while
 * syscalls:sys_enter_getppid does not. The execve which starts this program enters as 59 and
 * exits as 11, its number in the 32-bit table.
 *
 * Build: cc -m32 -static -nostdlib -fno-pic -fno-stack-protector -o compat32 compat32.c
 */
#define CALLS 1000

#define NR_EXIT	   1
#define NR_READ	   3
#define NR_WRITE   4
#define NR_OPEN	   5
#define NR_CLOSE   6
#define NR_GETPPID 64

static long call3(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return ret;
}

__attribute__((used, noreturn)) static void start(int argc)
{
	static const char ready[] = "ready\n";
	char byte;
	long file;

	if (argc > 1) {
		call3(NR_WRITE, 1, (long)ready, sizeof(ready) - 1);
		call3(NR_READ, 0, (long)&byte, 1);
	}
	file = call3(NR_OPEN, (long)"/proc/version", 0, 0);
	call3(NR_READ, file, (long)&byte, 1);
	call3(NR_CLOSE, file, 0, 0);
	for (int i = 0; i < CALLS; i++)
		call3(NR_GETPPID, 0, 0, 0);
	for (;;)
		call3(NR_EXIT, 0, 0, 0);
}

/* argc is at the top of the stack when the kernel starts us. */
__asm__(".globl _start\n"
	"_start:\n"
	"	movl (%esp), %eax\n"
	"	andl $-16, %esp\n"
	"	subl $12, %esp\n"
	"	pushl %eax\n"
	"	call start\n");
