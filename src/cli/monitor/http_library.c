/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/http_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

#include "cli/rights/library_environment.h"

#define LIBRARY "libmicrohttpd.so.12"

static bool find_functions(struct http_library *l)
{
	bool has_all = true;

#define FIND(name) has_all &= (*(void **)&l->name = dlsym(l->library, #name)) != NULL;
	HTTP_FUNCTIONS(FIND)
#undef FIND
	return has_all;
}

int http_library_load(struct http_library *l, struct sooth_error *err)
{
	library_environment_forget();
	l->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (l->library && find_functions(l))
		return 0;
	error_set(err, -ENOTSUP, SOOTH_FAULT_UNSUPPORTED, "serve metrics");
	error_why(err, "%s", l->library ? "a function is missing in " LIBRARY : dlerror());
	return error_remedy(
		err, "install libmicrohttpd (Debian: libmicrohttpd12), or use --textfile");
}
