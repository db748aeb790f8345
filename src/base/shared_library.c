/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/shared_library.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

static int refuse_library(const struct shared_library *library, struct sooth_error *err)
{
	const char *why = dlerror();

	error_set(err, -ENOTSUP, SOOTH_FAULT_UNSUPPORTED, "%s", library->purpose);
	error_why(err, "%s", why ? why : library->file);
	error_missing(err, "%s", library->file);
	return error_remedy(err, "%s", library->remedy);
}

int shared_library_load(const struct shared_library *library, void *to, struct sooth_error *err)
{
	assert(library);
	assert(to);

	/* A name with a slash would be a path: never one that anything else decides. */
	void *handle =
		strchr(library->file, '/') ? NULL : dlopen(library->file, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return refuse_library(library, err);
	for (size_t i = 0; i < library->function_count; i++) {
		void *function = dlsym(handle, library->functions[i].name);

		if (!function)
			return refuse_library(library, err);
		memcpy((char *)to + library->functions[i].offset, &function, sizeof(function));
	}
	return 0;
}
