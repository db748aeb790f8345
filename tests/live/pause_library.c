/* SPDX-License-Identifier: BSD-2-Clause */
/* A library whose constructor makes a call: the first code outside the loader to do so. */
#include <unistd.h>

int library_answer(void);

static int answer;

static __attribute__((constructor)) void prepare(void)
{
	answer = getppid() ? 7 : 8;
}

int library_answer(void)
{
	return answer;
}
