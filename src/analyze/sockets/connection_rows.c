/* SPDX-License-Identifier: BSD-2-Clause */
/* Field table of the view "connections". */
#include "analyze/sockets/connection_rows.h"

#include "model/schema.h"
#include "probes/socket_names.h"

ROW_FIELDS(fields, CONNECTION_ROW, connection_row);

const struct sooth_schema connection_row_schema = {
	.name = "connections",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct connection_row),
	SCHEMA_FIELDS(fields),
};
