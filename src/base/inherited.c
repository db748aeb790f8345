/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/inherited.h"

#include <signal.h>
#include <unistd.h>

#define CHANGES_MAX 8

static struct {
	int number;
	bool was_ignored;
} changes[CHANGES_MAX];
static unsigned change_count, closed;

void inherited_change_signal(int number, bool is_ignored)
{
	bool was_ignored = signal(number, is_ignored ? SIG_IGN : SIG_DFL) == SIG_IGN;

	if (change_count == CHANGES_MAX)
		return;
	changes[change_count].number = number;
	changes[change_count++].was_ignored = was_ignored;
}

void inherited_note_closed(int fd)
{
	closed |= 1u << fd;
}

void inherited_restore(void)
{
	/* A program that uses the library notes nothing: what it ignores is its own affair. */
	if (!change_count) {
		signal(SIGPIPE, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
	}
	for (unsigned i = 0; i < change_count; i++)
		signal(changes[i].number, changes[i].was_ignored ? SIG_IGN : SIG_DFL);
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (closed >> fd & 1)
			close(fd);
	}
}
