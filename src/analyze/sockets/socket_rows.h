/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "sockets". */
#ifndef SOOTH_ANALYZE_SOCKET_ROWS_H
#define SOOTH_ANALYZE_SOCKET_ROWS_H

#include "model/field.h"
#include "probes/sockets.h"

struct socket_row {
	struct sockets_socket socket; /* with the texts local_address, peer_address and protocol */
	uint64_t unnamed_inode;
	uint8_t family_protocol_state;
	uint8_t local_end_state, peer_end_state;
	uint8_t label_state;
	uint8_t unnamed_state; /* absent: its addresses identify it */
	uint8_t unused[3];
	struct sooth_text family_protocol, local_end, peer_end, label;
};

struct socket_state_row {
	struct sooth_record record;
	uint64_t count;
	uint8_t state;
	uint8_t state_state;
	uint8_t unused[6];
	struct sooth_text name, protocol;
};

/* The result of a snapshot: the state says why nothing, or not everything, was read. */
struct socket_process_row {
	struct sooth_record record;
	uint32_t sockets;
	uint8_t sockets_state;
	uint8_t unused[3];
};

extern const struct sooth_schema socket_schema;
extern const struct sooth_schema socket_state_schema;
extern const struct sooth_schema socket_process_schema;

#endif
