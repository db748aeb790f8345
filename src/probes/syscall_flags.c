/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of names; see syscall_flags.def. */
#include "probes/syscall_flags.h"

#include <assert.h>

#define BEGIN(id)	  static const struct flag_name id##_names[] = {
#define FLAG(value, name) { value, #name },
#define END(id, one_of, aarch64)                                                                   \
	}                                                                                          \
	;
#include "probes/syscall_flags.def"

#define END(id, one_of_, aarch64_)                                                                 \
	const struct flag_table flags_##id = { #id, id##_names,                                    \
		sizeof(id##_names) / sizeof(id##_names[0]), one_of_, aarch64_ };
#include "probes/syscall_flags.def"

const struct flag_table *const flag_tables[] = {
#define END(id, one_of, aarch64) &flags_##id,
#include "probes/syscall_flags.def"
	NULL,
};

const char *flag_name(const struct flag_table *table, uint64_t value)
{
	assert(table);
	for (size_t i = 0; i < table->count; i++) {
		if (table->names[i].value == value)
			return table->names[i].name;
	}
	return NULL;
}
