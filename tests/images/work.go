// SPDX-License-Identifier: BSD-2-Clause
// Three functions, one in the other, and a secret that no image may have.
package main

import (
	"os"
	"runtime"
	"strings"
)

var secret = strings.Join([]string{"planted", "heap", "secret"}, "-")

type work struct{}

//go:noinline
func innermost(end int) int {
	sum := 0
	for end != 0 {
		sum = (sum + int(secret[sum%len(secret)])) % 1000
	}
	return sum
}

//go:noinline
func (w *work) middle(end int) int {
	return innermost(end) + 1
}

//go:noinline
func outermost() int {
	return (&work{}).middle(len(os.Args))
}

// On the first thread.
func init() {
	runtime.LockOSThread()
}

func waiter(never chan int) {
	<-never
}

func main() {
	for i := 0; i < 3; i++ {
		go waiter(make(chan int))
	}
	runtime.Gosched()
	println("ready")
	println(outermost())
}
