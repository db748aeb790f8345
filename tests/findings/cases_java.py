# SPDX-License-Identifier: BSD-2-Clause
"""Threads of a Java virtual machine that wait for locks of Java, and others that wait for work."""
import shutil
import subprocess

from case import healthy, sick

SOURCE = """
import java.util.concurrent.*;
import java.util.concurrent.locks.*;

public class Locks {
    static final Object[] monitors = { new Object(), new Object() };
    static final ReentrantLock[] locks = { new ReentrantLock(), new ReentrantLock(true) };
    static final CyclicBarrier both = new CyclicBarrier(2);

    static void meet() {
        try {
            both.await();
        } catch (Exception e) {
            throw new RuntimeException(e);
        }
    }

    static void monitors(int first) {
        synchronized (monitors[first]) {
            meet();
            synchronized (monitors[1 - first]) {
            }
        }
    }

    static void locks(int first) {
        locks[first].lock();
        meet();
        locks[1 - first].lock();
    }

    static final ExecutorService pool = Executors.newFixedThreadPool(2), others = Executors.newFixedThreadPool(2);

    /* Tasks of a pool that has two threads: each waits for one more, of its own pool or of another. */
    static void waitsFor(Callable<Integer> more, ExecutorService of) {
        try {
            pool.submit(() -> {
                meet();
                return of.submit(more).get();
            }).get();
        } catch (Exception e) {
            throw new RuntimeException(e);
        }
    }

    static int sleeps() throws InterruptedException {
        Thread.sleep(600000);
        return 1;
    }

    /* A latch for one more than there are threads that count down: the last is never reached. */
    static void latch(int number) {
        CountDownLatch all = new CountDownLatch(2);

        if (number == 1)
            return;
        pool.submit(all::countDown);
        try {
            all.await();
        } catch (InterruptedException e) {
        }
    }

    /* The same beside a server, whose next client may do it. */
    static void latchOfServer(int number) {
        try {
            if (number == 1)
                new java.net.ServerSocket(0).accept();
            else
                new CountDownLatch(1).await();
        } catch (Exception e) {
        }
    }

    /* A class that needs one derived from it to be initialized, while another thread begins with that one; or that only
       takes long. */
    static class Base {
        static Object kept = pause(800) + (alone ? pause(600000) : new Derived().number);
    }

    static class Derived extends Base {
        int number = 1;
    }

    static boolean alone;

    static String pause(long milliseconds) {
        LockSupport.parkNanos(milliseconds * 1000000);
        return "";
    }

    static void classes(int number, boolean isAlone) {
        alone = isAlone;
        if (number == 0)
            System.out.println(Base.kept);
        else
            System.out.println(pause(300) + new Derived());
    }

    static void contended() {
        for (long n = 0;; n++) {
            synchronized (monitors[0]) {
                synchronized (monitors[1]) {
                    if (n % 64 == 0)
                        LockSupport.parkNanos(200000);
                }
            }
        }
    }

    /* Three MiB a second: kept, or forgotten at once. */
    static void allocates(boolean keeps) {
        java.util.List<byte[]> all = new java.util.ArrayList<>();

        try {
            for (;; Thread.sleep(20)) {
                byte[] one = new byte[61440];
                if (keeps)
                    all.add(one);
            }
        } catch (InterruptedException e) {
        }
    }

    static Thread worker(String kind, int number) {
        Runnable task = switch (kind) {
            case "monitors" -> () -> monitors(number);
            case "locks" -> () -> locks(number);
            case "contended" -> Locks::contended;
            case "classes" -> () -> classes(number, false);
            case "class" -> () -> classes(number, true);
            case "leaks" -> () -> allocates(true);
            case "forgets" -> () -> allocates(false);
            case "latch" -> () -> latch(number);
            case "served" -> () -> latchOfServer(number);
            case "starved" -> () -> waitsFor(() -> 1, pool);
            case "delegated" -> () -> waitsFor(Locks::sleeps, others);
            default -> () -> {
                try {
                    /* Without a thread that looks now and then for more, nothing can come. */
                    if (kind.equals("idle") && number == 1)
                        new LinkedBlockingQueue<Integer>().poll(1, TimeUnit.HOURS);
                    else
                        new LinkedBlockingQueue<Integer>().take();
                } catch (InterruptedException e) {
                }
            };
        };
        return new Thread(task, "worker-" + number);
    }

    public static void main(String[] arguments) throws Exception {
        Thread[] workers = { worker(arguments[0], 0), worker(arguments[0], 1) };

        for (Thread t : workers)
            t.start();
        for (Thread t : workers) {
            while (!arguments[0].startsWith("class") && !arguments[0].equals("contended") && !arguments[0].equals("leaks")
                && !arguments[0].equals("forgets") && t.getState() != Thread.State.WAITING && t.getState() != Thread.State.TIMED_WAITING
                && t.getState() != Thread.State.BLOCKED && t.getState() != Thread.State.TERMINATED
                && !(arguments[0].equals("served") && t.getName().equals("worker-1")))
                Thread.sleep(10);
        }
        Thread.sleep(arguments[0].startsWith("class") ? 2000 : 100);
        System.out.println("ready");
        while (arguments[1].equals("beside"))
            Thread.sleep(200);
        for (Thread t : workers)
            t.join();
    }
}
"""


def java(kind, main="joins"):
    def make(scope, _):
        source = scope.path / "Locks.java"
        source.write_text(SOURCE)
        subprocess.run(["javac", str(source)], check=True)
        return scope.start(["java", "-Xmx256m", "-cp", str(scope.path), "Locks", kind, main]).pid
    return make


def no_java():
    return None if shutil.which("javac") else "no Java compiler here"


CASES = [
    sick("memory-growth", "a Java heap that keeps what it gets", java("leaks"), may_skip=no_java, duration_s=8,
        says="the Java heap keeps more after each collection"),
    healthy("memory-growth", "a Java heap with garbage", java("forgets"), may_skip=no_java, duration_s=8),
    sick("all-threads-waiting", "Java threads with two monitors crosswise", java("monitors"),
        may_skip=no_java, says="2 Java threads wait for locks of each other", duration_s=4),
    sick("all-threads-waiting", "Java threads with two locks crosswise", java("locks"),
        may_skip=no_java, says="2 Java threads wait for locks of each other", duration_s=4),
    sick("all-threads-waiting", "Java threads that initialize a class and one derived from it", java("classes"),
        may_skip=no_java, says="2 Java threads wait for classes that another of them initializes", duration_s=4),
    healthy("all-threads-waiting", "a Java class whose initialization takes long", java("class"), may_skip=no_java,
        duration_s=4),
    sick("deadlock", "a Java pool whose tasks wait for tasks of their own pool", java("starved"), may_skip=no_java,
        says="thread pool exhausted: threads pool-1-thread-", duration_s=4, settings=("deadlock.min-time=1s",)),
    sick("deadlock", "a latch of Java that no thread counts down", java("latch"), may_skip=no_java,
        says="worker-0 waits for a CountDownLatch", duration_s=4, settings=("deadlock.min-time=1s",)),
    sick("deadlock", "queues of Java that no thread is left to fill", java("starving"), may_skip=no_java,
        says="all its threads wait on a condition, as of an empty queue", duration_s=4, settings=("deadlock.min-time=1s",)),
    healthy("deadlock", "the same beside a thread that looks for work", java("idle"), may_skip=no_java, duration_s=4,
        settings=("deadlock.min-time=1s",)),
    healthy("deadlock", "a latch of Java beside a server", java("served"), may_skip=no_java,
        duration_s=4, settings=("deadlock.min-time=1s",)),
    sick("deadlock", "the same beside a main thread that works", java("starved", "beside"), may_skip=no_java,
        says="thread pool exhausted: threads pool-1-thread-", duration_s=4, settings=("deadlock.min-time=1s",)),
    healthy("deadlock", "a Java pool whose tasks wait for those of another pool", java("delegated"), may_skip=no_java,
        duration_s=4, settings=("deadlock.min-time=1s",)),
    healthy("all-threads-waiting", "Java threads that wait for work", java("idle"), may_skip=no_java,
        duration_s=4),
    healthy("all-threads-waiting", "Java threads that hand monitors to each other", java("contended"),
        may_skip=no_java, duration_s=4, also=("lock-storm",)),
]
