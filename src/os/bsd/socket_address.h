/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes struct sockaddr of the BSD systems: first byte: its length, second: its family. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "os/bsd/source.h"

#define BSD_AF_UNIX	     1
#define BSD_AF_INET	     2
#define BSD_AF_INET6_FREEBSD 28
#define BSD_AF_INET6_DARWIN  30

/* Writes the address as text, "" if there is none, and *port: 0 without an internet address. */
void bsd_socket_address(char out[BSD_ADDRESS_SIZE], uint16_t *port, const void *data, size_t size);
/* Writes an internet address of 4 or 16 bytes as text. */
void bsd_internet_address(char out[BSD_ADDRESS_SIZE], const unsigned char *bytes, size_t size);
