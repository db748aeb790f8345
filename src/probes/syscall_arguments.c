/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes/syscall_arguments.h"

#include <assert.h>

static const struct argument_type types[] = {
#define TYPE(id, form, keep, unit, is_result, flags)                                               \
	{ #id, ARGUMENT_AS_##form, SYSCALLS_KEEP_##keep, is_result, unit, flags },
#include "probes/syscall_types.def"
};

const struct argument_type *syscall_argument(const struct syscall_row *row, size_t position)
{
	assert(row);
	return &types[row->arguments[position]];
}

uint16_t syscall_argument_bytes(const struct argument_type *type, uint32_t abi)
{
	assert(type);
	return type->form == ARGUMENT_AS_EPOLL_EVENTS ? epoll_event_bytes(abi) : type->unit;
}

uint8_t syscall_path_argument(const struct syscall_row *row)
{
	assert(row);
	for (size_t i = 0; i < row->argument_count; i++) {
		if (syscall_argument(row, i)->form == ARGUMENT_AS_PATH)
			return (uint8_t)(i + 1);
	}
	return 0;
}

static bool has_argument_form(
	const struct syscall_row *row, size_t position, enum argument_form form)
{
	return position < row->argument_count && syscall_argument(row, position)->form == form;
}

bool syscall_takes_descriptor(const struct syscall_row *row, size_t position)
{
	return has_argument_form(row, position, ARGUMENT_AS_FD);
}

bool syscall_takes_directory(const struct syscall_row *row, size_t position)
{
	return has_argument_form(row, position, ARGUMENT_AS_DIRECTORY);
}

bool syscall_takes_path(const struct syscall_row *row, size_t position)
{
	return has_argument_form(row, position, ARGUMENT_AS_PATH) &&
	       !syscall_argument(row, position)->is_result;
}

bool syscall_takes_text(const struct syscall_row *row, size_t position)
{
	return syscall_takes_path(row, position) ||
	       has_argument_form(row, position, ARGUMENT_AS_TEXT);
}
