/* SPDX-License-Identifier: BSD-2-Clause */
/* Masks of Linux as words. */
#ifndef SOOTH_ANALYZE_FD_TEXT_H
#define SOOTH_ANALYZE_FD_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"

/* O_* without the access mode; bits without a name as a number. */
void fd_flag_words(struct buffer *out, uint32_t flags, bool is_aarch64);
void fd_epoll_words(struct buffer *out, uint32_t events);
void fd_inotify_words(struct buffer *out, uint32_t mask);

#endif
