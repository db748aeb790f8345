# SPDX-License-Identifier: BSD-2-Clause
"""
A ClickHouse server of one's own: in a folder, on free ports of loopback, as a child that ends with the test. The
service of the system, its settings and its data are not touched.
"""
import os
import shutil
import signal
import socket
import subprocess
import time

FLEET = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "share/sooth/fleet")
START_S = 60

CONFIG = """<yandex>
<logger><level>warning</level><log>{0}/log</log><errorlog>{0}/errors</errorlog></logger>
<http_port>{1}</http_port><tcp_port>{2}</tcp_port><listen_host>127.0.0.1</listen_host>
<path>{0}/data/</path><tmp_path>{0}/tmp/</tmp_path><users_config>{0}/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>268435456</mark_cache_size>
</yandex>"""
USERS = """<yandex>
<profiles><default><max_memory_usage>{0}</max_memory_usage><max_threads>2</max_threads>
<max_bytes_before_external_group_by>{1}</max_bytes_before_external_group_by></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></default></users>
<quotas><default></default></quotas>
</yandex>"""


def missing():
    """Why there can be no server; None: there can."""
    for name in ("clickhouse-server", "clickhouse-client"):
        if not shutil.which(name):
            return "not installed: " + name
    return None


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Server:
    def __init__(self, folder, memory_bytes=4 << 30):
        os.makedirs(os.path.join(folder, "data"))
        os.makedirs(os.path.join(folder, "tmp"))
        http, self.port = free_ports(2)
        config = os.path.join(folder, "config.xml")
        with open(config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(folder, http, self.port))
        with open(os.path.join(folder, "users.xml"), "w", encoding="ascii") as file:
            file.write(USERS.format(memory_bytes, memory_bytes // 2))
        self.process = subprocess.Popen(["nice", "clickhouse-server", "--config-file=" + config], cwd=folder,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + START_S
        while True:
            run = subprocess.run(self.client("SELECT version()"), capture_output=True, text=True, check=False)
            if run.returncode == 0:
                self.version = run.stdout.strip()
                return
            if time.monotonic() > end or self.process.poll() is not None:
                self.close()
                raise RuntimeError("clickhouse-server does not answer: " + run.stderr)
            time.sleep(0.2)

    def client(self, query=None, *words):
        base = ["clickhouse-client", "--host", "127.0.0.1", "--port", str(self.port), *words]
        return base + (["--query", query] if query else [])

    def query(self, query, *words):
        """Its rows, as lists of texts."""
        run = subprocess.run(self.client(query, *words), capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError("%s\n%s" % (query, run.stderr))
        return [line.split("\t") for line in run.stdout.splitlines()]

    def script(self, text):
        subprocess.run(self.client(None, "--multiquery"), input=text, text=True, check=True)

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def read(*parts):
    with open(os.path.join(FLEET, "clickhouse", *parts), encoding="utf-8") as file:
        return file.read()


def questions():
    folder = os.path.join(FLEET, "clickhouse", "questions")
    return {name[:-4]: read("questions", name) for name in sorted(os.listdir(folder)) if name.endswith(".sql")}
