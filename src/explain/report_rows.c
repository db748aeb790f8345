/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows as they are, for a program: a sink that writes nothing. */
#include <errno.h>

#include "base/cleanup.h"
#include "explain/report.h"

struct row_user {
	sooth_row_handler handler;
	void *user;
};

struct rows_state {
	struct row_user to;
};

static int rows_open(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct rows_state *s = state;

	(void)err;
	s->to = *(const struct row_user *)options->user;
	return 0;
}

static int rows_take(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	const struct rows_state *s = state;

	batch_for_each (row, batch) {
		int status = s->to.handler(s->to.user, section->name, section->schema, row);

		if (status < 0)
			return error_set(err, status, SOOTH_FAULT_USAGE, "hand over a row");
	}
	return 0;
}

static const struct sink_type rows_sink = {
	.name = "rows",
	.help = "rows for the program itself, not for output",
	.state_size = sizeof(struct rows_state),
	.open = rows_open,
	.rows = rows_take,
};

int sooth_report_on_row(
	struct sooth_report *r, sooth_row_handler handler, void *user, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct row_user to = { handler, user };
	struct sink_options options = { .user = &to };

	return report_add_sink_type(r, &rows_sink, &options, err);
}
