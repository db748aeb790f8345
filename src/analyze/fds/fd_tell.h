/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the view "fds", each over all processes that were read. */
#ifndef SOOTH_ANALYZE_FD_TELL_H
#define SOOTH_ANALYZE_FD_TELL_H

#include "analyze/processes/process_view.h"

struct fds_view {
	struct process_view view;
	bool is_aarch64; /* whose O_* are others */
};

int fd_tell_types(struct fds_view *s, struct sooth_error *err);
int fd_tell_descriptors(struct fds_view *s, struct sooth_error *err);
int fd_tell_holders(struct fds_view *s, struct sooth_error *err);
int fd_tell_paths(struct fds_view *s, struct sooth_error *err);
int fd_tell_members(struct fds_view *s, struct sooth_error *err);
int fd_tell_directories(struct fds_view *s, struct sooth_error *err);
int fd_tell_watches(struct fds_view *s, struct sooth_error *err);
int fd_tell_limits(struct fds_view *s, struct sooth_error *err);

#endif
