/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "sockets". */
#ifndef SOOTH_ANALYZE_SOCKET_ROWS_H
#define SOOTH_ANALYZE_SOCKET_ROWS_H

#include "model/row_list.h"
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

#define SOCKET_STATE_ROW(F, S)                                                                     \
	F(S, TEXT, name, ALWAYS, "protocol and state of the sockets", .is_hidden = true)           \
	F(S, PID)                                                                                  \
	F(S, TEXT, protocol, ALWAYS, "protocol of the sockets: tcp, tcp6, udp, unix stream, ...",  \
		.is_key = true)                                                                    \
	F(S, ENUM8, state, MAYBE(state_state), "TCP state of the sockets; null: unknown",          \
		.is_key = true, .names = &socket_state_names)                                      \
	F(S, U64, count, ALWAYS, "number of sockets with this protocol and state")

struct socket_state_row {
	struct sooth_record record;
	ROW_MEMBERS(SOCKET_STATE_ROW, socket_state_row)
};

/* The result of a snapshot: the state says why nothing, or not everything, was read. */
#define SOCKET_PROCESS_ROW(F, S)                                                                   \
	F(S, PID)                                                                                  \
	F(S, U32, sockets, MAYBE(sockets_state), "number of sockets of the process that are listed")

struct socket_process_row {
	struct sooth_record record;
	ROW_MEMBERS(SOCKET_PROCESS_ROW, socket_process_row)
};

extern const struct sooth_schema socket_schema;
extern const struct sooth_schema socket_state_schema;
extern const struct sooth_schema socket_process_schema;

#endif
