/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For sanitizers: trackers of both kinds in threads of their own, from C++, while the process forks. Both
 * of allocations count the same.
 */
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <sooth/sooth.h>

namespace
{

std::vector<char *> words_of(std::vector<std::string> &words)
{
	std::vector<char *> pointers;

	for (auto &word : words)
		pointers.push_back(&word[0]);
	pointers.push_back(nullptr);
	return pointers;
}

void print(const sooth_error &err)
{
	std::fprintf(stderr, "cannot %s: %s\n", err.tried, err.why);
}

long count_allocations()
{
	std::vector<std::string> words = { "sort", "/etc/passwd" };
	const sooth_heap_event *event;
	sooth_heap *heap;
	sooth_error err;
	long count = 0;

	if (sooth_heap_track_command(words_of(words).data(), nullptr, &heap, &err)) {
		print(err);
		return 0;
	}
	while (!sooth_heap_is_over(heap))
		count += sooth_heap_next(heap, 100, &event, &err) > 0;
	sooth_heap_close(heap);
	return count;
}

long count_calls()
{
	std::vector<std::string> words = { "sort", "/etc/passwd" };
	const sooth_trace_event *event;
	sooth_trace *trace;
	sooth_error err;
	long count = 0;

	if (sooth_trace_track_command(words_of(words).data(), nullptr, &trace, &err)) {
		print(err);
		return 0;
	}
	while (!sooth_trace_is_over(trace))
		count += sooth_trace_next(trace, 100, &event, &err) > 0;
	sooth_trace_close(trace);
	return count;
}

int child_status()
{
	pid_t child = fork();
	int status = -1;

	if (!child)
		_exit(7);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}

int main()
{
	std::vector<long> counts(4);
	std::vector<std::thread> threads;
	int status;

	for (std::size_t i = 0; i < counts.size(); i++)
		threads.emplace_back(
			[&counts, i] { counts[i] = i % 2 ? count_calls() : count_allocations(); });
	status = child_status();
	for (auto &thread : threads)
		thread.join();
	std::printf("allocations %ld %ld, calls %ld %ld, child %d\n", counts[0], counts[2], counts[1],
		counts[3], status);
	return !counts[0] || !counts[1] || counts[0] != counts[2] || status != 7;
}
