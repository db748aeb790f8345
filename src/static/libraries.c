/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Libraries that sooth loads when it needs them. A statically linked program has SQLite inside, and
 * can load no other: the libraries of the system belong to its own C library.
 */
#include <dlfcn.h>
#include <sqlite3.h>
#include <stddef.h>
#include <string.h>

#define SQLITE "libsqlite3.so.0"

static const char *failure;

static const struct {
	const char *name;
	void *function;
} functions[] = {
#define FUNCTION(name)                                                                             \
	{                                                                                          \
#name, (void *)(name)                                                              \
	}
	FUNCTION(sqlite3_open_v2),
	FUNCTION(sqlite3_close_v2),
	FUNCTION(sqlite3_db_config),
	FUNCTION(sqlite3_limit),
	FUNCTION(sqlite3_progress_handler),
	FUNCTION(sqlite3_prepare_v2),
	FUNCTION(sqlite3_bind_text),
	FUNCTION(sqlite3_bind_int64),
	FUNCTION(sqlite3_step),
	FUNCTION(sqlite3_column_int64),
	FUNCTION(sqlite3_column_text),
	FUNCTION(sqlite3_finalize),
};

void *dlopen(const char *file, int mode)
{
	(void)mode;
	if (file && !strcmp(file, SQLITE))
		return (void *)(size_t)functions;
	failure = "this sooth is one statically linked file, which can load no library";
	return NULL;
}

void *dlsym(void *restrict library, const char *restrict name)
{
	for (size_t i = 0; library == functions && i < sizeof(functions) / sizeof(*functions);
		i++) {
		if (!strcmp(functions[i].name, name))
			return functions[i].function;
	}
	failure = "this function is not in the program";
	return NULL;
}

int dlclose(void *library)
{
	return library == functions ? 0 : -1;
}

char *dlerror(void)
{
	char *last = (char *)(size_t)failure;

	failure = NULL;
	return last;
}
