/* SPDX-License-Identifier: BSD-2-Clause */
/* All sections that a report may have, and the tables of their rows. */
#pragma once

#include "base/error.h"
#include "explain/sink.h"

#define SECTIONS_MAX 256
#define TABLES_MAX   256

struct found_section {
	const char *name;
	const struct sooth_schema *schema; /* NULL: objects with any members */
	enum section_shape shape;
};

struct json_sections {
	struct found_section sections[SECTIONS_MAX];
	size_t section_count;
	const struct sooth_schema *tables[TABLES_MAX]; /* of sections and fields, each once */
	size_t table_count;
};

bool json_sections_same_table(const struct sooth_schema *a, const struct sooth_schema *b);
/* Collects all sections. -E2BIG: there are more than fit. */
int json_sections_collect(struct json_sections *s, struct sooth_error *err);
/* Collects the sections of one view, by its name. */
int json_sections_collect_view(struct json_sections *s, const char *view, struct sooth_error *err);
/* Collects the tables of commands that write their own JSON lines. */
int json_sections_collect_lines(struct json_sections *s, struct sooth_error *err);
