/* SPDX-License-Identifier: BSD-2-Clause */
/* The program: finds the command and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/inherited.h"
#include "base/nearest.h"
#include "cli/command/command.h"
#include "cli/command/compat.h"
#include "cli/output/deferred.h"
#include "cli/rights/explaining.h"
#include "cli/terminal/log.h"
#include "os/os.h"

#define NAMES_MAX   64
#define FILES_LEAST 64 /* open files that a diagnosis needs */

static int refuse_unknown_command(const char *typed)
{
	struct sooth_error err;
	const char *names[NAMES_MAX];
	const char *nearest;
	size_t count = 0;

	while (commands[count] && count < NAMES_MAX) {
		names[count] = commands[count]->name;
		count++;
	}
	error_set(&err, -EINVAL, SOOTH_FAULT_USAGE, "understand the command \"%s\"", typed);
	error_why(&err, "there is no such command");
	nearest = nearest_name(typed, names, count);
	if (nearest)
		error_remedy(&err, "did you mean sooth %s?", nearest);
	else
		error_remedy(&err, "`sooth help` lists the commands");
	return command_end(err.code, &err);
}

/* Takes options of the program itself, which stand before the command. Returns their number of
 * words. */
static int program_options(int argc, char **argv)
{
	const char *level = NULL;
	int used = 0;

	if (argc > 1 && !strncmp(argv[1], "--log-level=", 12)) {
		level = argv[1] + 12;
		used = 1;
	} else if (argc > 2 && !strcmp(argv[1], "--log-level")) {
		level = argv[2];
		used = 2;
	}
	if (level && !log_want(level)) {
		fprintf(stderr,
			"sooth: cannot understand the log level \"%s\"\n  why: there is no such "
			"level\n  try: none, error, warning, info, debug or trace\n",
			level);
		exit(2);
	}
	return used;
}

static bool is_version(const char *word)
{
	return !strcmp(word, "--version") || !strcmp(word, "-V");
}

static const struct command *default_command(void)
{
	bool is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

	for (size_t i = 0; is_terminal && commands[i]; i++) {
		if (commands[i]->is_default && commands[i]->is_default())
			return commands[i];
	}
	return command_find("ps");
}

static int run_named(int argc, char **argv)
{
	const struct command *c = command_find(argv[1]);

	/* "sooth ps --version" prints the version too; a later option may belong to a launched
	 * command. */
	if (is_version(argv[1]) || !strcmp(argv[1], "version") ||
		(c && argc == 3 && !strcmp(argv[2], "--version"))) {
		printf("sooth %s\n", SOOTH_VERSION);
		return 0;
	}
	if (c)
		return command_main(c, argc - 1, argv + 1);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return command_main(command_find("help"), 1, argv);
	if (argv[1][0] == '-')
		return command_main(command_find("ps"), argc, argv);
	return refuse_unknown_command(argv[1]);
}

/* Flushes the output. A reader that closes the pipe early is no failure. */
static int finish_output(int status)
{
	int code = stream_failure(stdout);

	if (!code || code == -EPIPE || status)
		return status;
	fprintf(stderr, "sooth: cannot write to standard output\n  why: %s\n", strerror(-code));
	return 5;
}

/* Opens closed standard streams so that writing fails: else a file opened later would get the
 * printed text. */
static void fill_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		inherited_note_closed(fd);
		if (open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd)
			_exit(5);
	}
}

static struct rlimit files; /* limit of descriptors that sooth was started with */

static void restore_files(void)
{
	setrlimit(RLIMIT_NOFILE, &files);
}

/* Raises the limit of open files. Programs that sooth starts have the old one: select(2) takes no
 * descriptor above 1023. */
static int raise_files(void)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, &files) || pthread_atfork(NULL, NULL, restore_files))
		return 0;
	most = files;
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
	if (most.rlim_max >= FILES_LEAST)
		return 0;
	fprintf(stderr,
		"sooth: cannot work with %llu open files\n  why: living processes that cannot be "
		"opened look as if they had ended\n  try: ulimit -n 1024\n",
		(unsigned long long)most.rlim_max);
	return 5;
}

/* Runs an older tool and prints its error; returns the exit status. */
static int compat_main(const struct compat *compat, const char *name, int argc, char **argv)
{
	struct sooth_error err = { 0 };

	return command_end(compat->run(name, argc, argv, &err), &err);
}

int main(int argc, char **argv)
{
	const struct command *first;
	const struct compat *compat;
	const char *name;
	int used;

	explaining_use_pager(pager_keep);
	os_native.keep_least(&os_native); /* before anything is opened */
	fill_standard_streams();
	/* A caller may have ignored it: then no exit status is kept. */
	inherited_change_signal(SIGCHLD, false);
	first = argc > 1 ? command_find(argv[1]) : NULL;
	if (os_native.parse_apart && !(first && first->parses_nothing))
		os_native.parse_apart(&os_native);
	used = raise_files();
	if (used)
		return used;
	setlocale(LC_CTYPE, "");
	/* A closed pipe is an error like any other, reported once; so is the limit of a file. */
	inherited_change_signal(SIGPIPE, true);
	inherited_change_signal(SIGXFSZ, true);
	compat = argc ? compat_find(argv[0], &name) : NULL;
	if (compat)
		return finish_output(compat_main(compat, name, argc, argv));
	used = program_options(argc, argv);
	argv[used] = argv[0];
	argc -= used;
	argv += used;
	if (argc < 2)
		return finish_output(command_main(default_command(), argc, argv));
	return finish_output(run_named(argc, argv));
}
