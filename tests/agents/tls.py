# SPDX-License-Identifier: BSD-2-Clause
"""
TLS for the fake server: an authority made for this one run, and the environment that makes an agent
trust it besides those it knows.
"""
import os
import shutil
import ssl
import subprocess

# Node and Bun read the first, OpenSSL and rustls the second, codex a name of its own.
TRUST = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "CODEX_CA_CERTIFICATE")
DAYS = "2"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


class CannotCertify(Exception):
    """This machine has no openssl, or one that cannot do it."""


def openssl(*arguments):
    program = shutil.which("openssl")
    if not program:
        raise CannotCertify("no openssl here")
    run = subprocess.run([program, "req", "-x509", "-days", DAYS, *NEW_KEY, *arguments],
                         capture_output=True, text=True)
    if run.returncode:
        raise CannotCertify("openssl: %s" % run.stderr.strip())


class Authority:
    """Files in `folder`; `context` is the server's side, `environment` the agent's."""

    def __init__(self, folder):
        def path(name):
            return os.path.join(folder, name)
        os.mkdir(folder)
        # Some clients refuse an authority as a server: one certificate each.
        openssl("-keyout", path("ca.key"), "-out", path("ca.pem"), "-subj", "/CN=fake authority",
                "-addext", "keyUsage=keyCertSign")
        openssl("-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-keyout", path("server.key"),
                "-out", path("server.pem"), "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE",
                "-addext", "extendedKeyUsage=serverAuth")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path("server.pem"), path("server.key"))
        self.environment = {name: path("ca.pem") for name in TRUST}
