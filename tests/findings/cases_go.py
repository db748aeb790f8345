# SPDX-License-Identifier: BSD-2-Clause
"""Goroutines of Go programs that wait for each other, or of which there are more and more."""
import os
import shutil
import subprocess

from case import healthy, sick

SOURCE = """
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"time"
)

var first, second sync.Mutex

func takes(a *sync.Mutex, b *sync.Mutex) {
	a.Lock()
	time.Sleep(100 * time.Millisecond)
	b.Lock()
	b.Unlock()
	a.Unlock()
}

func handle(answer chan int) { <-answer }

func serve() {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	for {
		listener.Accept()
	}
}

func work(jobs chan int, all *sync.WaitGroup) {
	for range jobs {
		first.Lock()
		time.Sleep(time.Millisecond)
		first.Unlock()
	}
	all.Done()
}

/* Requests that begin, `stay` of each ten for ever. */
func requests(pause time.Duration, stay int) {
	for i := 0; ; i++ {
		answer := make(chan int, 1)
		go handle(answer)
		if i%10 >= stay {
			answer <- 1
		}
		time.Sleep(pause)
	}
}

func pool(pause time.Duration) {
	var all sync.WaitGroup
	jobs := make(chan int)
	for i := 0; i < 600; i++ {
		all.Add(1)
		go work(jobs, &all)
	}
	go func() {
		for {
			for i := 0; i < 20; i++ {
				jobs <- i
			}
			time.Sleep(pause)
		}
	}()
	fmt.Println("ready")
	all.Wait()
}

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	number, _ := strconv.Atoi(os.Args[2])
	go serve()
	switch os.Args[1] {
	case "crosswise":
		go takes(&first, &second)
		go takes(&second, &first)
		fmt.Println("ready")
		<-signals
	case "in turn":
		go func() {
			for {
				takes(&first, &second)
			}
		}()
		go func() {
			for {
				takes(&first, &second)
			}
		}()
		fmt.Println("ready")
		<-signals
	case "pool":
		pool(time.Duration(number) * time.Millisecond)
	case "requests":
		go requests(2*time.Millisecond, number)
		for i := 0; i < 1000; i++ {
			go handle(make(chan int))
		}
		time.Sleep(time.Second)
		fmt.Println("ready")
		<-signals
	}
}
"""

ALONE = """
package main

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
)

func main() {
	var all sync.WaitGroup
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	all.Add(1)
	fmt.Println("ready")
	all.Wait()
}
"""


def go(source, *arguments):
    def make(scope, _):
        (scope.path / "app.go").write_text(source)
        subprocess.run(["go", "build", "-o", "app", "app.go"], cwd=scope.path, check=True,
            env={**os.environ, "HOME": str(scope.path), "GOFLAGS": "-mod=mod"})
        return scope.start([scope.path / "app", *arguments]).pid
    return make


def no_go():
    return None if shutil.which("go") else "no Go compiler here"


STUCK = {"may_skip": no_go, "duration_s": 5, "settings": ("goroutines-stuck.min-time=2s",)}
LEAK = {"may_skip": no_go, "duration_s": 5}

CASES = [
    sick("goroutines-stuck", "two mutexes crosswise, beside a server", go(SOURCE, "crosswise", "0"),
        says="2 goroutines wait for a mutex in main.takes", **STUCK),
    sick("goroutines-stuck", "a WaitGroup that is never done", go(ALONE),
        says="deadlock: the main goroutine waits in sync.(*WaitGroup).Wait, called by main.main", **STUCK),
    healthy("goroutines-stuck", "goroutines that take two mutexes in turn", go(SOURCE, "in turn", "0"), **STUCK),
    healthy("goroutines-stuck", "workers at rest", go(SOURCE, "pool", "3600000"), **STUCK),
    healthy("goroutines-stuck", "workers that want one lock", go(SOURCE, "pool", "100"), **STUCK),
    sick("goroutine-leak", "requests of which four of ten stay", go(SOURCE, "requests", "4"),
        says="wait for data from a channel in main.handle", evidence="growth", threshold="min-rate", severity="low", **LEAK),
    healthy("goroutine-leak", "a thousand that wait, beside requests that end", go(SOURCE, "requests", "0"), **LEAK),
    healthy("goroutine-leak", "workers that want one lock", go(SOURCE, "pool", "100"), **LEAK),
]
