/* SPDX-License-Identifier: BSD-2-Clause */
/* libmicrohttpd, loaded on use: it brings GnuTLS, which a start of sooth without a server should
 * not pay for. */
#pragma once

#include <microhttpd.h>

#include "base/error.h"
#include "base/shared_library.h"

#define HTTP_FUNCTIONS(F)                                                                          \
	F(MHD_start_daemon)                                                                        \
	F(MHD_stop_daemon)                                                                         \
	F(MHD_run)                                                                                 \
	F(MHD_get_timeout)                                                                         \
	F(MHD_get_connection_info)                                                                 \
	F(MHD_get_daemon_info)                                                                     \
	F(MHD_add_connection)                                                                      \
	F(MHD_create_response_from_buffer)                                                         \
	F(MHD_add_response_header)                                                                 \
	F(MHD_queue_response)                                                                      \
	F(MHD_destroy_response)                                                                    \
	F(MHD_lookup_connection_value)                                                             \
	F(MHD_is_feature_supported)

struct http_library {
#define HTTP_MEMBER(name) SHARED_MEMBER(name);
	HTTP_FUNCTIONS(HTTP_MEMBER)
#undef HTTP_MEMBER
};

/* Loads the library. -ENOTSUP: the system has none. It stays loaded: GnuTLS keeps tables. */
int http_library_load(struct http_library *l, struct sooth_error *err);
