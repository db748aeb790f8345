/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/options.h"

#include <errno.h>
#include <string.h>

#define SIZE_MOST 4096 /* of any such struct, also of later versions */

static int refuse_options(const char *why, const char *remedy, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take the options");
	error_why(err, "%s", why);
	return error_remedy(err, "%s", remedy);
}

int options_copy(void *to, size_t size, const void *options, struct sooth_error *err)
{
	size_t known = options ? *(const size_t *)options : 0;

	memset(to, 0, size);
	if (!options)
		return 0;
	if (known < sizeof(known) || known > SIZE_MOST)
		return refuse_options("their first member, the size, is not that of the struct",
			"initialize the struct: struct ... options = { .size = sizeof(options) }",
			err);
	for (size_t i = size; i < known; i++) {
		if (((const char *)options)[i])
			return refuse_options(
				"they have members that this version of the library does not know",
				"leave these 0, or use the library that the program was compiled "
				"for",
				err);
	}
	memcpy(to, options, known < size ? known : size);
	return 0;
}
