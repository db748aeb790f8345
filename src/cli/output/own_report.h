/* SPDX-License-Identifier: BSD-2-Clause */
/* A report about sooth itself: nothing was observed, no stream is read. */
#pragma once

#include "cli/output/output.h"
#include "explain/output.h"

/* Emits a report: `tell` emits the sections, then the notes of every report follow. `name`: of the
 * schema. Returns 0, or a negative errno with err filled. */
int own_report_emit(const char *name, const struct output_options *options,
	int (*tell)(struct output *o, void *user, struct sooth_error *err), void *user,
	struct sooth_error *err);

/* For own_report_write(), which writes the report to files, each whole or not at all. */
struct own_file {
	const char *path, *sink;
	bool is_picture; /* SVG; under a name that ends in ".png" it is drawn as PNG */
};
#define OWN_FILES_MAX 4

int own_report_write(const char *name, const struct own_file *files, size_t count,
	int (*tell)(struct output *o, void *user, struct sooth_error *err), void *user,
	struct sooth_error *err);
