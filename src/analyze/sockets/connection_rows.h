/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "connections". */
#ifndef SOOTH_ANALYZE_CONNECTION_ROWS_H
#define SOOTH_ANALYZE_CONNECTION_ROWS_H

#include "model/field.h"
#include "probes/sockets.h"

struct connection_row {
	struct sockets_socket socket; /* its texts are local_address, peer_address and protocol */
	uint8_t role_state, label_state, local_end_state, peer_end_state;
	uint8_t unused[4];
	struct sooth_text agent, role, name;
	struct sooth_text family_protocol, local_end, peer_end, label;
};

extern const struct sooth_schema connection_row_schema;

#endif
