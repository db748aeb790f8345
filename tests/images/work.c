/* SPDX-License-Identifier: BSD-2-Clause */
/* Three functions, one in the other, and a secret that no image may have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *secret;

static __attribute__((noinline)) int innermost(const void *end)
{
	int sum = 0;

	while (end)
		sum = (sum + secret[sum % 19]) % 1000;
	return sum;
}

static __attribute__((noinline)) int middle(const void *left, const void *right)
{
	return innermost(left) - innermost(right);
}

/* Through the C library, whose frames have no frame pointers. */
static __attribute__((noinline)) void outermost(void)
{
	int two[2] = { 1, 2 };

	qsort(two, 2, sizeof(two[0]), middle);
}

int main(void)
{
	secret = malloc(64);
	if (!secret)
		return 1;
	strcpy(secret, "planted");
	strcat(secret, "-heap-secret");
	puts("ready");
	fflush(stdout);
	outermost();
	return 0;
}
