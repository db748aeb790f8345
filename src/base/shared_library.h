/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Libraries that are loaded when they are needed, because few runs need them and each start would
 * pay for them. A user of one has a struct of pointers to its functions:
 *
 *     struct curl { SHARED_MEMBER(curl_easy_init); SHARED_MEMBER(curl_easy_perform); };
 *     static const struct shared_function functions[] = {
 *             SHARED_ROW(struct curl, curl_easy_init), SHARED_ROW(struct curl, curl_easy_perform)
 * };
 *
 * The library's header, needed only by the compiler, gives the types. The linker searches the
 * folders of the system for the file. A library stays loaded: many keep threads and tables. A
 * statically linked sooth can load none, and the error says so.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct shared_function {
	const char *name;
	size_t offset; /* offset of its pointer in the struct */
};

#define SHARED_MEMBER(name) __typeof__(name) *name
#define SHARED_ROW(type, name)                                                                     \
	{                                                                                          \
#name, offsetof(type, name)                                                        \
	}

struct shared_library {
	const char *file;    /* its soname, "libcurl.so.4" */
	const char *remedy;  /* "install libcurl (Debian: libcurl4)" */
	const char *purpose; /* for errors: "send data to the collector" */
	const struct shared_function *functions;
	size_t function_count;
};

/* Loads a library, and sets the pointers in the struct at `to`. -ENOTSUP: the library or one of the
 * functions is missing. */
int shared_library_load(const struct shared_library *library, void *to, struct sooth_error *err);
