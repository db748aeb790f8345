/* SPDX-License-Identifier: BSD-2-Clause */
/* See ask.h. */
#include "cli/ask.h"

#include <stdio.h>
#include <string.h>
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

bool ask_yes(const char *question)
{
	char answer[ANSWER_SIZE] = "";

	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

uint64_t ask_number(const char *prompt, uint64_t most)
{
	char answer[ANSWER_SIZE];
	uint64_t number;

	for (;;) {
		printf("%s (1-%llu, nothing ends): ", prompt, (unsigned long long)most);
		fflush(stdout);
		if (!fgets(answer, sizeof(answer), stdin))
			return 0;
		answer[strcspn(answer, "\n")] = '\0';
		if (!*answer)
			return 0;
		if (parse_u64(answer, &number) && number >= 1 && number <= most)
			return number;
		printf("that is none of them\n");
	}
}
