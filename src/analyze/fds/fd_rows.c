/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "fds". */
#include "analyze/fds/fd_rows.h"

#include "probes/fds.h"
#include "probes/fd_names.h"

static const double percent_levels[SOOTH_FIELD_LEVELS] = { 50, 75, 90 };

#define FD_SCHEMA(id, name_, row, fields_)                                                         \
	const struct sooth_schema id = {                                                           \
		.name = name_,                                                                     \
		.class_ = SOOTH_CLASS_ROW,                                                         \
		.fixed_size = sizeof(struct row),                                                  \
		SCHEMA_FIELDS(fields_),                                                            \
	}

ROW_FIELDS(type_fields, FD_TYPE_ROW, fd_type_row);
FD_SCHEMA(fd_type_schema, "fds.by_type", fd_type_row, type_fields);

ROW_FIELDS(fd_fields, FD_ROW, fd_row);
FD_SCHEMA(fd_schema, "fds.fds", fd_row, fd_fields);

ROW_FIELDS(path_fields, FD_PATH_ROW, fd_path_row);
FD_SCHEMA(fd_path_schema, "fds.fd_paths", fd_path_row, path_fields);

ROW_FIELDS(holder_fields, FD_HOLDER_ROW, fd_holder_row);
FD_SCHEMA(fd_holder_schema, "fds.fd_holders", fd_holder_row, holder_fields);

ROW_FIELDS(member_fields, FD_MEMBER_ROW, fd_member_row);
FD_SCHEMA(fd_member_schema, "fds.epoll", fd_member_row, member_fields);

ROW_FIELDS(directory_fields, FD_DIRECTORY_ROW, fd_directory_row);
FD_SCHEMA(fd_directory_schema, "fds.watch_directories", fd_directory_row, directory_fields);

ROW_FIELDS(watch_fields, FD_WATCH_ROW, fd_watch_row);
FD_SCHEMA(fd_watch_schema, "fds.watches", fd_watch_row, watch_fields);

ROW_FIELDS(limits_fields, FD_LIMITS_ROW, fd_limits_row);
FD_SCHEMA(fd_limits_schema, "fds.fd_limits", fd_limits_row, limits_fields);
