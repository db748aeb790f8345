/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sooth demo: a newcomer's first minute. Starts two small processes of its own,
 * shows each command on them as one would type it, and cleans up.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/stop.h"

#define WORKER_PAUSE_MS 20
#define WORKER_BYTES	3000
#define LIFE_ROUNDS	6000 /* two minutes: it ends by itself whatever happens to us */

struct demo {
	char directory[64];
	char stand_in[96]; /* a copy of sleep that is called claude */
	char capture[96];
	pid_t worker, agent;
};

/* A hungry little process: looks for a file that is not there, reads one that is, takes some memory
 * for a moment, and waits. */
static __attribute__((noreturn)) void work(void)
{
	char byte;

	signal(SIGTERM, SIG_DFL); /* what is a wish to sooth is the end of its worker */
	for (int round = 0; round < LIFE_ROUNDS && getppid() != 1; round++) {
		int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		/* volatile: or the compiler leaves it out, as nobody looks into it */
		void *volatile block = malloc(WORKER_BYTES);

		free(block);
		if (fd >= 0) {
			while (read(fd, &byte, 1) != 1)
				;
			close(fd);
		}
		if (access("/etc/sooth-demo-is-looking-for-this", R_OK))
			poll(NULL, 0, WORKER_PAUSE_MS);
	}
	_exit(0);
}

static int copy_file(const char *from, const char *to)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out =
		open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0700);
	char bytes[16384];
	ssize_t got = -1;

	if (in < 0 || out < 0)
		return -errno;
	while ((got = read(in, bytes, sizeof(bytes))) > 0) {
		if (write(out, bytes, (size_t)got) != got)
			return -EIO;
	}
	return got < 0 ? -errno : 0;
}

static int start_agent(struct demo *d)
{
	static const char *const places[] = { "/bin/sleep", "/usr/bin/sleep" };
	int status = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(places) && status; i++)
		status = copy_file(places[i], d->stand_in);
	if (status)
		return status;
	d->agent = fork();
	if (!d->agent) {
		if (chdir(d->directory))
			_exit(127);
		execl(d->stand_in, "claude", "30", (char *)NULL);
		_exit(127);
	}
	return d->agent < 0 ? -errno : 0;
}

static int start(struct demo *d, struct sooth_error *err)
{
	const char *parent = getenv("TMPDIR");
	int status;

	snprintf(d->directory, sizeof(d->directory), "%.40s/sooth-demo.XXXXXX",
		parent && parent[0] == '/' && strlen(parent) < 40 ? parent : "/tmp");
	if (!mkdtemp(d->directory))
		return error_errno(err, -errno, "make the directory %s", d->directory);
	snprintf(d->stand_in, sizeof(d->stand_in), "%s/claude", d->directory);
	snprintf(d->capture, sizeof(d->capture), "%s/demo.sooth", d->directory);
	fflush(stdout);
	d->worker = fork();
	if (!d->worker)
		work();
	status = d->worker < 0 ? -errno : start_agent(d);
	return status ? error_errno(err, status, "start the demonstration") : 0;
}

static void end_process(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

static void clean_up(struct demo *d)
{
	end_process(d->worker);
	end_process(d->agent);
	unlink(d->stand_in);
	unlink(d->capture);
	rmdir(d->directory);
}

/* Say it, and do it, in a process of its own: a command may leave things as it likes. */
static int show(const char *say, char *const *words)
{
	int count = 0, status;
	pid_t pid;

	printf("\n# %s\n$ sooth", say);
	while (words[count])
		printf(" %s", words[count++]);
	printf("\n");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		signal(SIGINT, SIG_DFL);
		status = command_main(command_find(words[0]), count, (char **)(uintptr_t)words);
		fflush(stdout);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void tell_missing(const char *what)
{
	printf("\n%s cannot be watched here; `sooth doctor` says how to get that.\n", what);
}

static void show_all(const struct demo *d)
{
	char worker[16], agent[16];
	char *list[] = { "ps", agent, worker, NULL };
	char *inspect[] = { "inspect", worker, NULL };
	char *count[] = { "trace", "-c", "-d", "1", "-p", worker, NULL };
	char *stream[] = { "trace", "-d", "60ms", "-p", worker, NULL };
	char *heap[] = { "heap", "-c", "-d", "1", "-p", worker, NULL };
	char *record[] = { "record", "-o", (char *)(uintptr_t)d->capture, "-d", "1", "-p", worker,
		NULL };
	char *report[] = { "report", (char *)(uintptr_t)d->capture, NULL };
	int status;

	snprintf(worker, sizeof(worker), "%d", (int)d->worker);
	snprintf(agent, sizeof(agent), "%d", (int)d->agent);
	show("Which processes are they? (Without numbers: every agent on this host.)", list);
	if (!stop_is_wanted())
		show("What has one of them open, mapped, connected, pending?", inspect);
	if (stop_is_wanted())
		return;
	status = show(
		"What does a process ask of the kernel? One second of it, counted in the kernel:",
		count);
	if (status) {
		tell_missing("System calls and allocations");
		return;
	}
	if (!stop_is_wanted())
		show("Every call, as it returns:", stream);
	if (!stop_is_wanted() &&
		show("What does it ask of its allocator? One second of it, counted as well:", heap))
		tell_missing("Allocations");
	if (!stop_is_wanted() &&
		!show("Record now, explain later: the capture needs no privilege to read.", record))
		show("And its explanation:", report);
}

static int run_demo(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct demo d = { 0 };
	int status;

	(void)config;
	if (arguments->count || arguments->command)
		return error_set(
			err, -EINVAL, SOOTH_FAULT_USAGE, "demonstrate on a target of yours");
	stop_catch();
	status = start(&d, err);
	if (!status) {
		printf("sooth finds AI coding agents, watches them, and says why one misbehaves.\n"
		       "Two processes were started to show it on: %d only looks like an agent, it "
		       "is\n"
		       "`sleep` under the name claude; %d keeps opening, reading and looking for "
		       "files,\n"
		       "and takes memory and gives it back.\n",
			(int)d.agent, (int)d.worker);
		show_all(&d);
		printf("\nBoth are ended now. `sooth help` lists the commands, `sooth doctor` "
		       "tells what\n"
		       "can be seen on this host.\n");
	}
	clean_up(&d);
	return status;
}

const struct command command_demo = {
	.name = "demo",
	.summary = "show each command on small processes of its own",
	.usage = "",
	.config_size = 0,
	.run = run_demo,
};
