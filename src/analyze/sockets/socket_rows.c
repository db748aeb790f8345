/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "sockets". */
#include "analyze/sockets/socket_rows.h"

#include "model/schema.h"
#include "probes/socket_names.h"

ROW_FIELDS(socket_fields, SOCKET_ROW, socket_row);

ROW_FIELDS(socket_state_fields, SOCKET_STATE_ROW, socket_state_row);

ROW_FIELDS(socket_process_fields, SOCKET_PROCESS_ROW, socket_process_row);

ROW_SCHEMA(socket, "sockets", socket_row);
ROW_SCHEMA(socket_state, "sockets_by_state", socket_state_row);
ROW_SCHEMA(socket_process, "sockets_totals", socket_process_row);
