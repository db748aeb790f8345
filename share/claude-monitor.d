#!/usr/sbin/dtrace -s
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls of one process for FreeBSD and macOS, without sooth:
 *
 *	dtrace -s claude-monitor.d -p PID
 *
 * Files that are opened (open and openat), peers of connect, processes that are started (fork, vfork,
 * rfork, pdfork, posix_spawn, exec), bytes by read and write (also readv, writev, send and recv);
 * every 5 s a table, and totals at the end. Never run by the project: it has neither system in its tests.
 */
#pragma D option quiet
#pragma D option switchrate=10hz
#pragma D option strsize=1024

dtrace:::BEGIN
{
	printf("observing process %d; Ctrl-C ends\n", $target);
	started = timestamp;
	calls_total = 0;
	errors_total = 0;
}

syscall:::entry
/pid == $target/
{
	self->begun = timestamp;
	@calls[probefunc] = count();
	@calls_all[probefunc] = count();
	calls_total++;
}

syscall:::return
/pid == $target && self->begun/
{
	@times[probefunc] = sum(timestamp - self->begun);
	@times_all[probefunc] = sum(timestamp - self->begun);
	self->begun = 0;
}

syscall:::return
/pid == $target && (int)arg0 == -1 && errno != 0/
{
	@errors[probefunc, errno] = count();
	errors_total++;
}

syscall::open:entry, syscall::open_nocancel:entry
/pid == $target/
{
	self->path = arg0;
}

syscall::openat:entry, syscall::openat_nocancel:entry
/pid == $target/
{
	self->path = arg1;
}

syscall::open*:return
/pid == $target && self->path/
{
	printf("%Y %s %s = %d\n", walltimestamp, probefunc, copyinstr(self->path), (int)arg1);
	self->path = 0;
}

/* struct sockaddr: length, family, then of an internet address the port, in the order of the network. */
syscall::connect:entry, syscall::connect_nocancel:entry
/pid == $target && arg2 >= 8/
{
	self->peer = (uint8_t *)copyin(arg1, 8);
	self->is_inet = self->peer[1] == 2;
}

syscall::connect:entry, syscall::connect_nocancel:entry
/pid == $target && self->is_inet/
{
	printf("%Y connect fd %d to %d.%d.%d.%d port %d\n", walltimestamp, (int)arg0, self->peer[4],
		self->peer[5], self->peer[6], self->peer[7], self->peer[2] * 256 + self->peer[3]);
}

syscall::connect:entry, syscall::connect_nocancel:entry
/pid == $target && self->peer && !self->is_inet/
{
	printf("%Y connect fd %d, address family %d\n", walltimestamp, (int)arg0, self->peer[1]);
}

syscall::connect*:return
/pid == $target/
{
	self->peer = 0;
	self->is_inet = 0;
}

syscall::fork:return, syscall::vfork:return, syscall::*fork:return, syscall::posix_spawn:return
/pid == $target/
{
	printf("%Y %s = %d\n", walltimestamp, probefunc, (int)arg1);
}

proc:::exec-success
/pid == $target || ppid == $target/
{
	printf("%Y process %d runs %s\n", walltimestamp, pid, execname);
}

syscall::read*:entry, syscall::recv*:entry, syscall::pread*:entry, syscall::write*:entry,
syscall::send*:entry, syscall::pwrite*:entry
/pid == $target/
{
	self->fd = arg0 + 1;
}

syscall::read*:return, syscall::recv*:return, syscall::pread*:return
/pid == $target && self->fd && (int)arg1 >= 0/
{
	@read[self->fd - 1] = sum(arg1);
	@read_all[self->fd - 1] = sum(arg1);
}

syscall::write*:return, syscall::send*:return, syscall::pwrite*:return
/pid == $target && self->fd && (int)arg1 >= 0/
{
	@written[self->fd - 1] = sum(arg1);
	@written_all[self->fd - 1] = sum(arg1);
}

syscall::read*:return, syscall::recv*:return, syscall::pread*:return, syscall::write*:return,
syscall::send*:return, syscall::pwrite*:return
/pid == $target/
{
	self->fd = 0;
}

profile:::tick-5s
{
	printf("\n%Y, the last 5 s\n", walltimestamp);
	trunc(@calls, 10);
	trunc(@times, 10);
	printa("  %-24s %@8d calls\n", @calls);
	printa("  %-24s %@12d ns\n", @times);
	printa("  fd %-21d %@12d bytes read\n", @read);
	printa("  fd %-21d %@12d bytes written\n", @written);
	clear(@calls);
	clear(@times);
	clear(@read);
	clear(@written);
}

proc:::exit
/pid == $target/
{
	printf("%Y process %d ended\n", walltimestamp, pid);
	exit(0);
}

dtrace:::END
{
	printf("\n%d calls in %d s, %d of them failed\n", calls_total,
		(timestamp - started) / 1000000000, errors_total);
	printa("  %-24s %@8d calls\n", @calls_all);
	printa("  %-24s %@12d ns\n", @times_all);
	printa("  %-24s errno %-3d %@8d\n", @errors);
	printa("  fd %-21d %@12d bytes read\n", @read_all);
	printa("  fd %-21d %@12d bytes written\n", @written_all);
}
