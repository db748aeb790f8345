/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of a recording: when each started and ended, and its name. */
#pragma once

#include "analyze/records.h"
#include "base/buffer.h"
#include "base/map.h"
#include "model/stream_records.h"
#include "probes/syscalls.h"

struct life {
	uint32_t parent;
	uint64_t from_ns, to_ns;
	uint32_t status;
	uint8_t status_state;
	bool has_parent, has_come, has_ended;
	char name[PROCESS_NAME_SIZE];
	char *command; /* owned, arguments with NULs; NULL: not read */
	size_t command_size;
};

struct operation_lives {
	struct map all;	     /* process_id -> struct life */
	struct buffer asked; /* uint32_t: the selected PIDs */
};

void operation_lives_init(struct operation_lives *s);
void operation_lives_fini(struct operation_lives *s);
void operation_lives_add_record(struct operation_lives *s, const struct sooth_record *r);
/* Names a process without a name by that of its thread, until a better name is read. */
void operation_lives_name(struct operation_lives *s, const struct syscalls_call *call);
