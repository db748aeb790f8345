# SPDX-License-Identifier: BSD-2-Clause
"""
Live against `sooth heap --ask-runtime`: a Java program that keeps objects of one class is told from its twin that
drops them, and the counts are those that jcmd(1) prints. JVMs and other programs that cannot be asked get no
signal; a JVM that does not answer is asked once. Files and sockets in /tmp of others are not believed.
"""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
import unittest

import harness

SOURCE = """
import java.util.*;

public class Ledger {
    static class Entry {
        final byte[] data = new byte[400];
    }

    static final List<Entry> all = new ArrayList<>();

    public static void main(String[] mode) throws Exception {
        if (mode[0].equals("stays"))
            for (int i = 0; i < 5000; i++)
                all.add(new Entry());
        System.out.println("ready");
        for (;;) {
            for (int i = 0; i < 50; i++) {
                Entry one = new Entry();

                if (mode[0].equals("keeps"))
                    all.add(one);
            }
            Thread.sleep(10);
        }
    }
}
"""


def children_of(pid, uid):
    """Of its threads, with this user; one may have ended meanwhile."""
    found = []
    for thread in os.listdir("/proc/%d/task" % pid):
        with contextlib.suppress(OSError):
            for child in harness.read("/proc/%d/task/%s/children" % (pid, thread)).decode().split():
                if b"Uid:\t%d\t" % uid in harness.read("/proc/%s/status" % child):
                    found.append(child)
    return found


@harness.needs_bpf
@unittest.skipUnless(harness.have("javac"), "no Java compiler here")
class HeapOfJava(harness.Case):
    def setUp(self):
        super().setUp()
        with open(self.path("Ledger.java"), "w", encoding="ascii") as file:
            file.write(SOURCE)
        subprocess.run(["javac", "-d", self.folder, self.path("Ledger.java")], check=True)
        self.open_to_all()

    def jvm(self, mode, *options, before=(), **how):
        jvm = self.start(*before, "java", "-Xmx128m", "-cp", self.folder, *options, "Ledger", mode, **how)
        self.addCleanup(self.remove_files, jvm.pid)
        self.wait_until_ready(jvm)
        return jvm

    @staticmethod
    def remove_files(pid):
        for name in (".java_pid", ".attach_pid"):
            if os.path.lexists("/tmp/%s%d" % (name, pid)):
                os.unlink("/tmp/%s%d" % (name, pid))

    def ask(self, pid, *options, status=0):
        return self.sooth("heap", "--ask-runtime", "-d", "1", *options, str(pid), status=status)

    def assert_untouched(self, jvm):
        """It got no signal: a JVM prints its threads, and any other process ends."""
        self.assertTrue(jvm.is_running())
        self.assertFalse(os.path.lexists("/tmp/.attach_pid%d" % jvm.pid))
        self.assertNotIn(b"Full thread dump", bytes(jvm.out))

    def assert_refused(self, jvm, reason, *options):
        run = self.ask(jvm.pid, *options)
        self.assertRegex(run.text, "not measured: live objects by class of %d: .*%s" % (jvm.pid, reason))
        self.assertNotIn("live objects do not grow", run.text)
        self.assert_untouched(jvm)

    def test_keeps(self):
        """As another user; the same from the capture."""
        jvm = self.jvm("keeps", **harness.as_nobody())
        capture = self.path("java.sooth")
        run = self.ask(jvm.pid, "--save", capture)
        self.assertRegex(run.text, r"\Abyte\[\] grows .*/s; the class of the program that grows most: Ledger\$Entry, \d+ more in ")
        self.assert_untouched(jvm)
        for command in ("heap", "report"):
            report = self.sooth(command, "-j", capture).json()
            row = report["object_growth"][0]
            self.assertEqual([row["largest"], row["own"], row["is_growing"]], ["byte[]", "Ledger$Entry", True])
            entry = [r for r in report["object_classes"] if r["class"] == "Ledger$Entry"][0]
            arrays = [r for r in report["object_classes"] if r["class"] == "byte[]"][0]
            self.assertFalse(entry["is_of_runtime"])
            self.assertTrue(arrays["is_of_runtime"])
            # Each entry has one array.
            more = entry["instances"] - entry["instances_before"]
            self.assertGreater(more, 1000)
            self.assertLess(abs(arrays["instances"] - arrays["instances_before"] - more), more / 10)
        plain = self.sooth("heap", "-d", "2", str(jvm.pid)).text
        self.assertNotIn("object_growth", plain)
        self.assertNotIn("grows most: Ledger", plain)

    def test_keeps_nothing(self):
        """The counts of a program that has come to rest are those of jcmd."""
        jvm = self.jvm("stays")
        report = self.ask(jvm.pid, "-j").json()
        self.assertEqual(report["object_growth"][0]["is_growing"], False)
        rows = {row["class"]: row for row in report["object_classes"]}
        # One may live on the stack of the loop.
        self.assertIn(rows["Ledger$Entry"]["instances"], (5000, 5001))
        self.assertIn(rows["Ledger$Entry"]["instances_before"], (5000, 5001))
        text = subprocess.run(["jcmd", str(jvm.pid), "GC.class_histogram"], check=True, stdout=subprocess.PIPE, text=True).stdout
        for jvm_name, name in (("java.lang.Thread", "java.lang.Thread"), ("[J", "long[]")):
            found = re.search(r":\s+(\d+)\s+(\d+)\s+%s(\s|$)" % re.escape(jvm_name), text)
            self.assertEqual([rows[name]["instances"], rows[name]["bytes"]], [int(found[1]), int(found[2])], name)
        self.assertIn("its live objects do not grow", self.ask(jvm.pid).text)

    def test_that_must_not_be_asked(self):
        for options, reason in ((["-Xrs"], "does not handle SIGQUIT"), (["-XX:+DisableAttachMechanism"], "DisableAttachMechanism"),
                                (["-XX:-UsePerfData"], "jcmd PID")):
            with self.subTest(options):
                self.assert_refused(self.jvm("forgets", *options), reason)
        stopped = self.jvm("forgets")
        harness.stop(stopped.pid)
        self.assert_refused(stopped, "is stopped")
        python = self.start("python3", "-c", "import time; print('ready', flush=True); time.sleep(600)")
        self.wait_until_ready(python)
        self.assert_refused(python, "sooth asks only a HotSpot JVM")

    def test_files_of_others(self):
        """No signal where a file of another user waits; no question to a socket that is not the JVM's."""
        jvm = self.jvm("forgets", **harness.as_nobody())
        place = "/tmp/.attach_pid%d" % jvm.pid
        for make in (lambda: open(place, "x", encoding="ascii").close(), lambda: os.symlink(self.path("no"), place)):
            make()
            run = self.ask(jvm.pid)
            os.unlink(place)
            self.assertIn("a file of another user is where", run.text)
            self.assert_untouched(jvm)
        self.assertFalse(os.path.exists(self.path("no")))
        place = "/tmp/.java_pid%d" % jvm.pid
        other = self.start("python3", "-c", "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen();"
                           "print('ready', flush=True); print('asked', s.accept()[0].recv(99), flush=True); time.sleep(600)", place,
                           **harness.as_nobody())
        self.wait_until_ready(other)
        self.assert_refused(jvm, "is not that of the JVM")
        self.assertNotIn(b"inspectheap", bytes(other.out))
        os.unlink(place)
        os.symlink("/run/nothing", place)
        self.assert_refused(jvm, "is not that of the JVM")

    def test_no_answer(self):
        """The thread of the JVM that answers waits for another client; sooth waits for it once."""
        jvm = self.jvm("keeps")
        self.assertIn("grows most", self.ask(jvm.pid).text)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("/tmp/.java_pid%d" % jvm.pid)
            begin = time.monotonic()
            run = self.ask(jvm.pid)
            self.assertLess(time.monotonic() - begin, 5 + 1 + 4.5)  # it would be 11 s if sooth asked again
        self.assertIn("the JVM did not answer within 5 s", run.text)
        self.assert_untouched(jvm)

    def test_the_child_is_killed(self):
        """The user of the JVM may kill what asks it, and gets nothing else of it."""
        jvm = self.jvm("keeps", **harness.as_nobody())
        self.assertIn("grows most", self.ask(jvm.pid).text)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("/tmp/.java_pid%d" % jvm.pid)
            sooth = self.start_sooth("heap", "--ask-runtime", "-d", "1", str(jvm.pid))
            # The child has taken the user.
            harness.wait_until(lambda: children_of(sooth.pid, harness.NOBODY), "sooth to ask")
            child = children_of(sooth.pid, harness.NOBODY)[0]
            refused = self.run_program("cat", "/proc/%s/maps" % child, status=None, **harness.as_nobody())
            self.assertIn("Permission denied", refused.errors)
            self.run_program("kill", "-KILL", child, **harness.as_nobody())
            run = sooth.finish()
        self.assertIn("its user ended sooth's child", run.text)
        self.assertEqual(run.status, 0, run)

    def test_in_a_container(self):
        """With a process id and a /tmp of its own."""
        command = "mount -t tmpfs none /tmp && exec java -Xmx128m -cp '%s' Ledger keeps" % "/run/sooth-test-java"
        shutil.copytree(self.folder, "/run/sooth-test-java", dirs_exist_ok=True)
        self.addCleanup(shutil.rmtree, "/run/sooth-test-java")
        outer = self.start("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", command)
        self.wait_until_ready(outer)
        inner = int(harness.read("/proc/%d/task/%d/children" % (outer.pid, outer.pid)).split()[0])
        self.assertIn("grows most: Ledger$Entry", self.ask(inner).text)

    def test_another_user(self):
        """Without privilege, the JVM of another user is not asked."""
        jvm = self.jvm("forgets")
        sooth = self.copy_for_all(harness.SOOTH)
        self.run_program(sooth, "heap", "--ask-runtime", "-d", "1", str(jvm.pid), status=None, **harness.as_nobody())
        self.assert_untouched(jvm)
        self.assertFalse(os.path.lexists("/tmp/.java_pid%d" % jvm.pid))


if __name__ == "__main__":
    harness.main()
