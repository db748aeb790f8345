// SPDX-License-Identifier: BSD-2-Clause
// Two threads that want each other's lock, and a secret that no image may have.
public class Work {
	static class First {
	}

	static class Second {
	}

	static String secret = String.join("-", "planted", "heap", "secret");

	static void cross(Object own, Object other) {
		synchronized (own) {
			try {
				Thread.sleep(300);
			} catch (InterruptedException e) {
				return;
			}
			synchronized (other) {
				System.out.println(secret);
			}
		}
	}

	public static void main(String[] arguments) {
		Object first = new First(), second = new Second();

		new Thread(() -> cross(first, second), "planted-thread-name").start();
		new Thread(() -> cross(second, first)).start();
		System.out.println("ready");
	}
}
