/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads lines by libdw, in a process with limits. */
#include "os/linux/profile/confined_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- in the child --- */

/* Returns the address space in use, in bytes; 0: not known. With a sanitizer it is terabytes. */
static uint64_t used_memory(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (size <= 0)
		return 0;
	text[size] = '\0';
	return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool set_limit(int resource, uint64_t value)
{
	struct rlimit limit = { value, value };

	return !setrlimit(resource, &limit);
}

/* Sets the limits of the child. With no descriptor left it cannot open a file; its own file is open
 * already. */
static bool set_limits(void)
{
	uint64_t used = used_memory();

	return used && set_limit(RLIMIT_AS, used + CONFINED_LINES_MEMORY) &&
	       set_limit(RLIMIT_CPU, CONFINED_LINES_S) && set_limit(RLIMIT_FSIZE, 0) &&
	       set_limit(RLIMIT_NPROC, 0) && set_limit(RLIMIT_NOFILE, 0) &&
	       !prctl(PR_SET_DUMPABLE, 0) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Exits at once: libdw calls exit() when it gets no memory. */
static void exit_without_handlers(void)
{
	_exit(EXIT_FAILURE);
}

static void read_lines(int file, struct file_names *shared, pid_t parent)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU };

	/* Exit handlers of sooth must not run here: this handler is the newest, so it runs first
	 * and ends the process. */
	if (atexit(exit_without_handlers))
		_exit(EXIT_FAILURE);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setlocale(LC_ALL, "C"); /* elf_lines() compares texts of libdw */
	if (getppid() != parent || !set_limits())
		_exit(EXIT_FAILURE);
	elf_lines(file, shared->addresses, shared->lines, shared->count);
	_exit(EXIT_SUCCESS);
}

/* --- its result --- */

static bool has_texts(const char *texts, size_t size, size_t *count)
{
	*count = 0;
	if (size > ELF_LINE_TEXT_MAX || (size && texts[size - 1]))
		return false;
	for (size_t i = 0; i < size; i++)
		*count += !texts[i];
	return true;
}

/* Returns whether a line is valid: a hostile file may make the child write anything. */
static bool is_sound(const struct elf_line *line)
{
	size_t functions, places;

	return has_texts(line->functions, line->functions_size, &functions) &&
	       has_texts(line->places, line->places_size, &places) &&
	       functions <= ELF_LINE_INLINED_MAX &&
	       (line->is_found ? places && (line->is_cut || places == functions + 1) : !functions);
}

static bool copy_lines(struct file_names *names, const struct file_names *shared)
{
	size_t size = names->count * sizeof(names->lines[0]);

	for (size_t i = 0; i < names->count; i++) {
		if (!is_sound(&shared->lines[i]) || shared->lines[i].is_refused)
			return false;
	}
	memcpy(names->lines, shared->lines, size);
	return true;
}

static bool run_reader(int file, struct file_names *shared)
{
	pid_t parent = getpid(), pid = fork();
	int status;

	if (pid < 0)
		return false;
	if (!pid)
		read_lines(file, shared, parent);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static bool read_confined(int file, struct file_names *names)
{
	size_t size = file_names_size(names);
	struct file_names *shared =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool is_read;

	if (shared == MAP_FAILED)
		return false;
	memcpy(shared, names, size);
	is_read = run_reader(file, shared) && copy_lines(names, shared);
	munmap(shared, size);
	return is_read;
}

void confined_lines(int file, struct file_names *names)
{
	names->is_refused = names->is_refused || !read_confined(file, names);
	for (size_t i = 0; i < names->count && names->is_refused; i++)
		names->lines[i].is_refused = !names->lines[i].is_found;
}
