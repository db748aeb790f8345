/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/errno_numbers.h"

#include <stddef.h>

#include "base/cleanup.h"

#define SAME_UNTIL 35 /* except the numbers in the table */

static const uint8_t of_freebsd[] = {
#define ERROR(name, freebsd, darwin, linux_) [freebsd] = linux_,
#define ERROR_FREEBSD(name, freebsd, linux_) [freebsd] = linux_,
#include "os/bsd/errno.def"
};

static const uint8_t of_darwin[] = {
#define ERROR_DARWIN(name, darwin, linux_)   [darwin] = linux_,
#define ERROR(name, freebsd, darwin, linux_) [darwin] = linux_,
#include "os/bsd/errno.def"
};

static uint32_t find_number(const uint8_t *numbers, size_t count, uint32_t number)
{
	if (number < count && numbers[number])
		return numbers[number];
	/* Linux has another error with that number. */
	return number < SAME_UNTIL ? number : number + BSD_ERRNO_OWN;
}

uint32_t errno_from_freebsd(uint32_t number)
{
	return find_number(of_freebsd, ARRAY_SIZE(of_freebsd), number);
}

uint32_t errno_from_darwin(uint32_t number)
{
	return find_number(of_darwin, ARRAY_SIZE(of_darwin), number);
}
