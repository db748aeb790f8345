/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions on the terminal. */
#include "cli/terminal/ask.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/units.h"

#define ANSWER_SIZE 64

bool ask_is_answered(void)
{
	return isatty(STDIN_FILENO);
}

bool ask_is_seen(void)
{
	return isatty(STDERR_FILENO);
}

/* Drops text that was typed or pasted before the question: it is no answer. */
static void forget_typed(void)
{
	if (ask_is_answered())
		tcflush(STDIN_FILENO, TCIFLUSH);
}

bool ask_yes(const char *question)
{
	char answer[ANSWER_SIZE] = "";

	forget_typed();
	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return !strcasecmp(answer, "y") || !strcasecmp(answer, "yes");
}

uint64_t ask_number(const char *prompt, uint64_t most)
{
	char answer[ANSWER_SIZE];
	uint64_t number;

	for (;;) {
		printf("%s (1-%llu, empty to quit): ", prompt, (unsigned long long)most);
		fflush(stdout);
		if (!fgets(answer, sizeof(answer), stdin))
			return 0;
		answer[strcspn(answer, "\n")] = '\0';
		if (!*answer)
			return 0;
		if (parse_u64(answer, &number) && number >= 1 && number <= most)
			return number;
		printf("not in the list\n");
	}
}
