/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/export_names.h"

#include <errno.h>

#include "sinks/redact_record.h"

void export_names_init(struct export_names *n, const struct name_key *key)
{
	*n = (struct export_names){ 0 };
	redactor_init(&n->redactor);
	n->redactor.key = key;
}

void export_names_fini(struct export_names *n)
{
	redactor_fini(&n->redactor);
	buffer_fini(&n->row);
}

int export_names_learn(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	struct export_names *n = user;

	(void)err;
	redact_learn_record(&n->redactor, table->schema, record);
	return 0;
}

int export_names_check(const struct export_names *n, struct sooth_error *err)
{
	if (redactor_is_complete(&n->redactor))
		return 0;
	error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "hash so many names");
	error_why(err, "a name that is not learnt would stay readable in other texts");
	return error_remedy(err, "select fewer processes or a shorter time range");
}

const struct sooth_record *export_names_replace(
	struct export_names *n, const struct table *table, const struct sooth_record *record)
{
	if (!n->redactor.key)
		return record;
	buffer_reset(&n->row);
	redact_write_record(&n->redactor, table->schema, record, &n->row);
	return buffer_failed(&n->row) || !n->row.size ? NULL : (const void *)n->row.data;
}
