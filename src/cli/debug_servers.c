/* SPDX-License-Identifier: BSD-2-Clause */
/* Options for servers of debug files. */
#include "cli/debug_servers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

#define FROM_ENVIRONMENT "env"
#define VARIABLE	 "DEBUGINFOD_URLS"
#define EXAMPLE		 "--debuginfod https://debuginfod.debian.net"

const struct option debug_servers_rows[DEBUG_SERVERS_COUNT] = {
	VALUE_ROW(0, "debuginfod", TEXT, "URL", debug_servers, servers,
		"fetch missing debug files from this server, for names and lines of frames; env: "
		"from those of DEBUGINFOD_URLS"),
	VALUE_ROW(0, "debug-cache", MEGABYTES, "SIZE", debug_servers, cache_bytes,
		"with --debuginfod: size of what is kept of them in ~/.cache/sooth (512M); a file "
		"may have half of it",
		.min = 1 << 20, .max = UINT64_C(1) << 40),
};

static int refuse_empty(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --debuginfod " FROM_ENVIRONMENT);
	error_why(err, "the environment has no " VARIABLE);
	return error_remedy(err, EXAMPLE);
}

static int refuse_url(const char *urls, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --debuginfod \"%s\"", urls);
	error_why(err, "the URL of a server has to begin with http:// or https://");
	return error_remedy(err, EXAMPLE);
}

static bool are_urls(const char *urls)
{
	bool is_any = false;

	while (*(urls += strspn(urls, " "))) {
		if (strncmp(urls, "http://", 7) != 0 && strncmp(urls, "https://", 8) != 0)
			return false;
		is_any = true;
		urls += strcspn(urls, " ");
	}
	return is_any;
}

int debug_servers_urls(const struct debug_servers *s, const char **urls, struct sooth_error *err)
{
	const char *named = s ? s->servers : NULL;

	*urls = NULL;
	if (!named)
		return 0;
	if (!strcmp(named, FROM_ENVIRONMENT)) {
		named = getenv(VARIABLE);
		if (!named || !named[strspn(named, " ")])
			return refuse_empty(err);
	}
	if (!are_urls(named))
		return refuse_url(named, err);
	*urls = named;
	return 0;
}
