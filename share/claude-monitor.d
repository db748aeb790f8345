#!/usr/sbin/dtrace -s
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls of one process for FreeBSD and macOS, without sooth:
 *
 *	dtrace -s claude-monitor.d -p PID
 *
 * Files that are opened (open and openat), peers of connect, processes that are started (fork, vfork,
 * rfork, pdfork, posix_spawn, exec), bytes by descriptor, of sockets apart (read and write, readv and writev,
 * send and recv); every 5 s a table, and totals at the end. Never run by the project: it has neither
 * system in its tests.
 *
 * zdefs: each system lacks some of these calls. What copyin() gives is there for its own clause alone.
 */
#pragma D option zdefs
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
	this->peer = (uint8_t *)copyin(arg1, 8);
	self->family = this->peer[1];
	is_socket[arg0] = 1;
}

syscall::connect:entry, syscall::connect_nocancel:entry
/pid == $target && self->family == 2/
{
	this->peer = (uint8_t *)copyin(arg1, 8);
	printf("%Y connect fd %d to %d.%d.%d.%d port %d\n", walltimestamp, (int)arg0, this->peer[4],
		this->peer[5], this->peer[6], this->peer[7], this->peer[2] * 256 + this->peer[3]);
}

/* AF_INET6 is 28 on FreeBSD, 30 on macOS. */
syscall::connect:entry, syscall::connect_nocancel:entry
/pid == $target && (self->family == 28 || self->family == 30) && arg2 >= 28/
{
	this->peer = (uint8_t *)copyin(arg1, 24);
	printf("%Y connect fd %d to %02x%02x:%02x%02x:%02x%02x:%02x%02x:", walltimestamp, (int)arg0,
		this->peer[8], this->peer[9], this->peer[10], this->peer[11], this->peer[12], this->peer[13],
		this->peer[14], this->peer[15]);
	printf("%02x%02x:%02x%02x:%02x%02x:%02x%02x port %d\n", this->peer[16], this->peer[17], this->peer[18],
		this->peer[19], this->peer[20], this->peer[21], this->peer[22], this->peer[23],
		this->peer[2] * 256 + this->peer[3]);
}

syscall::connect:entry, syscall::connect_nocancel:entry
/pid == $target && self->family != 0 && self->family != 2 && self->family != 28 && self->family != 30/
{
	printf("%Y connect fd %d, address family %d\n", walltimestamp, (int)arg0, self->family);
}

syscall::connect:return, syscall::connect_nocancel:return
/pid == $target/
{
	self->family = 0;
}

syscall::socket:return, syscall::accept*:return
/pid == $target && (int)arg1 >= 0/
{
	is_socket[arg1] = 1;
}

syscall::recv*:entry, syscall::send*:entry
/pid == $target/
{
	is_socket[arg0] = 1;
}

syscall::close:entry, syscall::close_nocancel:entry
/pid == $target/
{
	is_socket[arg0] = 0;
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

syscall::read*:return, syscall::recv*:return
/pid == $target && self->fd && is_socket[self->fd - 1] && (int)arg1 >= 0/
{
	@received[self->fd - 1] = sum(arg1);
}

syscall::write*:return, syscall::send*:return
/pid == $target && self->fd && is_socket[self->fd - 1] && (int)arg1 >= 0/
{
	@sent[self->fd - 1] = sum(arg1);
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
	printa("  socket fd %-14d %@12d bytes received\n", @received);
	printa("  socket fd %-14d %@12d bytes sent\n", @sent);
}
