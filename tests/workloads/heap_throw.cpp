/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A C++ program in which `operator new` throws: N times (1000) it asks for an absurd size and
 * catches std::bad_alloc, from frames of several depths, and prints `caught N`. Under a watcher
 * that replaces return addresses in frames which are unwound, it would end in std::terminate().
 * With a second argument it says "ready" and waits for input first; when that is "until", it ends
 * with its input, however many it has caught by then.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <poll.h>
#include <unistd.h>

static volatile std::size_t absurd = (std::size_t(1) << 62) + 3;
static char *volatile kept;

struct tracked {
	explicit tracked(std::size_t size) : block(new char[size])
	{
	}
	tracked(const tracked &) = delete;
	tracked &operator=(const tracked &) = delete;
	~tracked()
	{
		delete[] block;
	}
	char *block;
};

__attribute__((noinline)) static void ask(int depth)
{
	tracked local(1011);

	kept = local.block;
	if (depth > 0) {
		ask(depth - 1);
		return;
	}
	kept = new char[absurd];
}

static bool input_is_over()
{
	struct pollfd in = { 0, POLLIN, 0 };

	return poll(&in, 1, 0) != 0;
}

int main(int argc, char **argv)
{
	long times = argc > 1 ? std::atol(argv[1]) : 1000;
	bool is_until = argc > 2 && !std::strcmp(argv[2], "until");
	long caught = 0;
	char byte;

	if (argc > 2) {
		if (write(1, "ready\n", 6) != 6 || read(0, &byte, 1) < 0)
			return EXIT_FAILURE;
	}
	for (long i = 0; i < times; i++) {
		if (is_until && i % 64 == 0 && input_is_over()) {
			times = i;
			break;
		}
		try {
			ask(int(i % 8));
		} catch (const std::bad_alloc &) {
			caught++;
		}
		try {
			kept = static_cast<char *>(operator new(absurd, std::nothrow));
			caught += kept ? 1 << 20 : 0;
		} catch (...) {
			caught += 1 << 20;
		}
	}
	std::printf("caught %ld\n", caught);
	return caught == times ? EXIT_SUCCESS : EXIT_FAILURE;
}
