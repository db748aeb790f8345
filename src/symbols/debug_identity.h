/* SPDX-License-Identifier: BSD-2-Clause */
/* The GNU build id of an ELF file, which identifies its contents wherever it is, and the link to
 * its debug file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DEBUG_BUILD_ID_SIZE 129 /* 64 bytes in hexadecimal */
#define DEBUG_LINK_SIZE	    256

/* A program's own data about its debug file. */
struct debug_identity {
	char build_id[DEBUG_BUILD_ID_SIZE]; /* empty: none */
	char link[DEBUG_LINK_SIZE];	    /* a name without folders; "": none */
	uint32_t link_crc; /* CRC of the file's bytes: used only without a build id */
	uint32_t owner;	   /* owner of the program */
};

/* Reads the identity from an open ELF file, which is as untrusted as in elf.h. False: it is none.
 */
bool debug_identity_read(int file, struct debug_identity *out);
/* Returns whether a parser's answer has the form of one: hexadecimal digits, and no path. */
bool debug_identity_is_sound(const struct debug_identity *d);
