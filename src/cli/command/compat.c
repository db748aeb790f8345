/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of older tools. */
#include "cli/command/compat.h"

#include <stddef.h>
#include <string.h>

#define COMPAT(link, tool) extern const struct compat compat_##tool;
#include "compat/compat.def"
#undef COMPAT

#define COMPAT(link, tool) { #link, &compat_##tool },
static const struct {
	const char *link;
	const struct compat *tool;
} rows[] = {
#include "compat/compat.def"
};

/* Ids are C identifiers, links have dashes. */
static bool is_called(const char *link, const char *name)
{
	while (*link && *name == (*link == '_' ? '-' : *link)) {
		link++;
		name++;
	}
	return !*link && !*name;
}

const struct compat *compat_find(const char *called, const char **name)
{
	const char *slash = strrchr(called, '/');

	*name = slash ? slash + 1 : called;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (is_called(rows[i].link, *name))
			return rows[i].tool;
	}
	return NULL;
}
