/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the view "fds" that join records, each over all processes. */
#ifndef SOOTH_ANALYZE_FD_EMIT_ENDS_H
#define SOOTH_ANALYZE_FD_EMIT_ENDS_H

#include "analyze/process_view.h"

struct fds_view {
	struct process_view view;
	struct snapshots sockets; /* which of them listen; empty in captures without that probe */
	bool is_aarch64;	  /* the values of O_* differ there */
};

int fd_emit_descriptors(struct fds_view *s, struct sooth_error *err);
int fd_emit_holders(struct fds_view *s, struct sooth_error *err);
int fd_emit_members(struct fds_view *s, struct sooth_error *err);

#endif
