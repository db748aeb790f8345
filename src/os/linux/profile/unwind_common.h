/* SPDX-License-Identifier: BSD-2-Clause */
/* Data of .eh_frame that many functions share (a CIE), and the forms of its addresses. */
#pragma once

#include "os/linux/profile/unwind_program.h"

/* Forms of an address. */
#define POINTER_FORM	 0x0f
#define POINTER_RELATIVE 0x10 /* relative to the address's own place */
#define POINTER_OTHER	 0xe0
#define POINTER_ABSOLUTE 0x00
#define POINTER_OMITTED	 0xff

uint64_t unwind_pointer(struct cursor *c, uint8_t form);
/* Reads a CIE behind its length and the zero that marks it. False: it is none, or not
 * understood. */
bool unwind_common_read(
	struct cursor *c, enum machine machine, uint64_t *budget, struct unwind_common *common);
