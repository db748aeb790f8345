/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Removes, as root, the variables by which libcurl, OpenSSL and GnuTLS find files that they load,
 * trust or write. Call it before one of them is loaded. */
void library_environment_forget(void);
