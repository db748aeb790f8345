/* SPDX-License-Identifier: BSD-2-Clause */
/* A handler of signals that stands in a library and not in the program; loaded by `tasks`. */

void task_library_handler(int number);

void task_library_handler(int number)
{
	(void)number;
}
