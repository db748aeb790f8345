/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/http_library.h"

#include "base/cleanup.h"
#include "base/shared_library.h"
#include "cli/rights/library_environment.h"

static const struct shared_function functions[] = {
#define ROW(name) SHARED_ROW(struct http_library, name),
	HTTP_FUNCTIONS(ROW)
#undef ROW
};

int http_library_load(struct http_library *l, struct sooth_error *err)
{
	static const struct shared_library library = { .file = "libmicrohttpd.so.12",
		.remedy = "install libmicrohttpd (Debian: libmicrohttpd12), or use --textfile",
		.purpose = "serve metrics",
		.functions = functions,
		.function_count = ARRAY_SIZE(functions) };

	library_environment_forget();
	return shared_library_load(&library, l, err);
}
